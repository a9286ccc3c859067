/* Page cache: evicting, warming, verifying. */
#include "residency.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#ifndef SYS_cachestat
#define SYS_cachestat 451 /* the same on every architecture */
#endif

/* As in linux/mman.h from Linux 6.5 on. */
struct range {
    uint64_t offset, length;
};
struct pages {
    uint64_t cached, dirty, writeback, evicted, recently_evicted;
};

static double share_by_mincore(int fd, uint64_t bytes, uint64_t page)
{
    uint64_t pages = (bytes + page - 1) / page, resident = 0;
    unsigned char *each = malloc(pages);
    void *map = mmap(NULL, bytes, PROT_READ, MAP_SHARED, fd, 0);
    double share = NAN;
    if (each && map != MAP_FAILED && mincore(map, bytes, each) == 0) {
        for (uint64_t p = 0; p < pages; p++)
            resident += each[p] & 1;
        share = (double)resident / (double)pages;
    }
    if (map != MAP_FAILED) munmap(map, bytes);
    free(each);
    return share;
}

double residency_share(int fd, uint64_t bytes)
{
    uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
    struct range range = {0, bytes};
    struct pages pages;
    struct statfs system;
    if (bytes == 0) return NAN;
    /* On overlayfs the pages belong to the file below: a mapping sees that file, cachestat(2) does not. */
    bool overlay = fstatfs(fd, &system) == 0 && system.f_type == OVERLAYFS_SUPER_MAGIC;
    if (overlay || syscall(SYS_cachestat, fd, &range, &pages, 0) != 0)
        return share_by_mincore(fd, bytes, page);
    return fmin(1, (double)pages.cached / (double)((bytes + page - 1) / page));
}

int residency_evict(int fd, uint64_t bytes, double *share)
{
    for (int attempt = 0; attempt < 3; attempt++) { /* pages batched on another CPU may stay once */
        if (fdatasync(fd) < 0 && errno != EROFS && errno != EINVAL) return -errno;
        int failure = posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
        if (failure) return -failure;
        *share = residency_share(fd, bytes);
        if (*share <= 0.001) break;
    }
    return 0;
}

int residency_warm(int fd, uint64_t bytes, double *share)
{
    enum { PIECE = 1 << 20 };
    *share = residency_share(fd, bytes);
    if (*share >= 1) return 0;
    char *buffer = malloc(PIECE);
    int result = buffer ? 0 : -ENOMEM;
    for (uint64_t at = 0; result == 0 && at < bytes;) {
        ssize_t got = pread(fd, buffer, PIECE, (off_t)at);
        if (got <= 0) result = got < 0 ? -errno : -EIO;
        at += got > 0 ? (uint64_t)got : 0;
    }
    free(buffer);
    *share = residency_share(fd, bytes);
    return result;
}
