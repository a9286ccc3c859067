/*
 * Asks the kernel what is in its page cache. An event loop asks before it sends from a file,
 * because sendfile(2) waits for the disk even when its socket is non-blocking.
 */
#include "zcserve/resident.h"

#include <assert.h>
#include <errno.h>
#include <linux/magic.h>
#include <linux/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <sys/uio.h>
#include <unistd.h>

#ifndef SYS_cachestat
#define SYS_cachestat 451 /* the same on every architecture */
#endif

#define PAGE_BYTES 4096
#define SAMPLE_BYTES \
    (UINT64_C(128) * 1024) /* what the kernel reads ahead as a rule, and so has together */

/* struct cachestat_range and struct cachestat of linux/mman.h, which Linux 6.5 added. */
struct range {
    uint64_t offset, length;
};
struct pages {
    uint64_t cached, dirty, writeback, evicted, recently_evicted;
};

static bool byte_is_resident(int fd, uint64_t offset)
{
    char byte;
    struct iovec vector = {&byte, 1};
    return preadv2(fd, &vector, 1, (off_t)offset, RWF_NOWAIT) >= 0 || errno != EAGAIN;
}

/*
 * Takes a page of each read-ahead, and the last page, for all of them. When one of them is missing, the
 * kernel begins to read it.
 */
static bool samples_are_resident(int fd, uint64_t offset, uint64_t length)
{
    for (uint64_t at = 0; at < length; at += SAMPLE_BYTES)
        if (!byte_is_resident(fd, offset + at)) return false;
    return byte_is_resident(fd, offset + length - 1);
}

/*
 * Decides when cachestat(2) counted fewer pages than the range has. That is normal beyond the end
 * of the file. A count of 0 also says nothing on overlayfs, where the pages belong to the lower
 * file, and on tmpfs, where a hole has no pages.
 */
static bool resident_all_the_same(int fd, uint64_t offset, uint64_t length, uint64_t cached)
{
    struct stat status;
    struct statfs system;
    if (fstat(fd, &status) == 0 && (uint64_t)status.st_size < offset + length) return true;
    if (cached > 0 || fstatfs(fd, &system) != 0) return false;
    if (system.f_type == OVERLAYFS_SUPER_MAGIC) return samples_are_resident(fd, offset, length);
    return system.f_type == TMPFS_MAGIC;
}

enum resident_means resident_means(int fd, int *error)
{
    char byte;
    struct iovec vector = {&byte, 1};
    struct range range = {0, 1};
    struct pages pages;
    struct statfs system;
    bool on_overlay = fstatfs(fd, &system) == 0 && system.f_type == OVERLAYFS_SUPER_MAGIC;
    *error = syscall(SYS_cachestat, fd, &range, &pages, 0) == 0 ? 0 : errno;
    if (*error == EOPNOTSUPP || (*error == 0 && !on_overlay)) return RESIDENT_WHOLE;
    bool told = preadv2(fd, &vector, 1, 0, RWF_NOWAIT) >= 0 || errno == EAGAIN;
    return told ? RESIDENT_SAMPLES : RESIDENT_UNTOLD;
}

bool resident(int fd, uint64_t offset, uint64_t length)
{
    static bool without_cachestat;
    assert(length > 0);
    struct range range = {offset, length};
    struct pages pages;
    if (!without_cachestat && syscall(SYS_cachestat, fd, &range, &pages, 0) == 0) {
        uint64_t first = offset / PAGE_BYTES, last = (offset + length - 1) / PAGE_BYTES;
        return pages.cached >= last - first + 1 ||
               resident_all_the_same(fd, offset, length, pages.cached);
    }
    if (errno == EOPNOTSUPP) /* hugetlbfs: always in memory */
        return true;
    without_cachestat |=
        errno != EPERM; /* it is for owners of a file, and for those who may write it */
    return samples_are_resident(fd, offset, length);
}
