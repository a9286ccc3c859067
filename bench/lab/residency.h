/*
 * What is in the page cache. A file is evicted with posix_fadvise(2) and POSIX_FADV_DONTNEED, which needs
 * no root; dirty pages are written before, because they cannot be dropped. Whether it is evicted or read in
 * is always verified: by cachestat(2) (Linux 6.5), else by mincore(2).
 */
#ifndef LAB_RESIDENCY_H
#define LAB_RESIDENCY_H

#include <stdint.h>

/*
 * Returns the share (0 to 1) of the pages of an open file that are in the page cache; NAN when the kernel
 * does not say.
 */
double residency_share(int fd, uint64_t bytes);

/* Evicts, or reads in. Returns 0 or -errno. *share is what is in the page cache afterwards. */
int residency_evict(int fd, uint64_t bytes, double *share);
int residency_warm(int fd, uint64_t bytes, double *share);

#endif
