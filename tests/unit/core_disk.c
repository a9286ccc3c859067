/*
 * Files on a disk, and what is in the page cache of them; see core_disk.h.
 */
#include "core_disk.h"
#include "core_site.h"

#include <assert.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdlib.h>
#include <sys/vfs.h>
#include <unistd.h>

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
    return fd;
}

bool core_disk_drop(int fd)
{
    struct statfs system;
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
    char part[4096];
    posix_fadvise(fd, 0, 0, POSIX_FADV_RANDOM);
    for (size_t beyond = offset + length; offset < beyond; offset += sizeof(part)) {
        size_t size = beyond - offset < sizeof(part) ? beyond - offset : sizeof(part);
        ssize_t n = pread(fd, part, size, (off_t)offset);
        assert(n == (ssize_t)size);
    }
}
