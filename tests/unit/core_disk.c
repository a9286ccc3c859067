/*
 * Files on a disk, and which of their pages are in the page cache; see core_disk.h.
 */
#include "core_disk.h"
#include "core_site.h"

#include <assert.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/vfs.h>
#include <unistd.h>

/*
 * Pages that a test has read or written stay mapped until the test drops them. A kernel may evict
 * unmapped pages at any moment (damon(8) does so where it is told to reclaim memory).
 */
enum { PINNED_MAX = 16, PAGE = 4096 };
static struct {
    char *base;
    size_t length;
} pinned[PINNED_MAX];
static unsigned pins;

static void pages_unpin(void)
{
    while (pins > 0) {
        pins--;
        munmap(pinned[pins].base, pinned[pins].length);
    }
}

/*
 * Touches each page, without read-ahead, so that a page that was evicted meanwhile comes back
 * alone.
 */
static void pages_pin(int fd, size_t offset, size_t length)
{
    size_t first = offset / PAGE * PAGE, size = offset + length - first;
    if (length == 0) return;
    assert(pins < PINNED_MAX);
    char *base = mmap(NULL, size, PROT_READ, MAP_SHARED, fd, (off_t)first);
    assert(base != MAP_FAILED);
    madvise(base, size, MADV_RANDOM);
    for (size_t at = 0; at < size; at += PAGE)
        (void)*(volatile char *)(base + at);
    pinned[pins].base = base;
    pinned[pins++].length = size;
}

int core_disk_file(size_t length)
{
    char name[] = "/var/tmp/zcserve-disk-XXXXXX", part[8192];
    int fd = mkostemp(name, O_CLOEXEC);
    assert(fd >= 0);
    unlink(name);
    for (size_t offset = 0; offset < length; offset += sizeof(part)) {
        size_t size = length - offset < sizeof(part) ? length - offset : sizeof(part);
        for (size_t i = 0; i < size; i++)
            part[i] = core_site_byte(offset + i);
        ssize_t written = write(fd, part, size);
        assert(written == (ssize_t)size);
    }
    pages_unpin(); /* pages of the file before: a test that drops no pages has only one file */
    pages_pin(fd, 0, length);
    return fd;
}

bool core_disk_drop(int fd)
{
    struct statfs system;
    pages_unpin();
    int error = fstatfs(fd, &system);
    assert(error == 0);
    if (system.f_type == TMPFS_MAGIC || system.f_type == OVERLAYFS_SUPER_MAGIC) return false;
    error = fdatasync(fd);
    assert(error == 0);
    error = posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
    assert(error == 0);
    return true;
}

void core_disk_read(int fd, size_t offset, size_t length)
{
    char part[PAGE];
    size_t begin = offset;
    posix_fadvise(fd, 0, 0, POSIX_FADV_RANDOM);
    for (size_t beyond = offset + length; offset < beyond; offset += sizeof(part)) {
        size_t size = beyond - offset < sizeof(part) ? beyond - offset : sizeof(part);
        ssize_t n = pread(fd, part, size, (off_t)offset);
        assert(n == (ssize_t)size);
    }
    pages_pin(fd, begin, length);
}
