/*
 * What is in the page cache: taking a file out of it (posix_fadvise(2) with POSIX_FADV_DONTNEED, which needs
 * no root; dirty pages are written before, since they cannot be dropped), reading it in, and
 * verifying either by cachestat(2) (Linux 6.5), else by mincore(2). Never believed, always looked at.
 */
#ifndef LAB_RESIDENCY_H
#define LAB_RESIDENCY_H

#include <stdint.h>

/* The share (0 to 1) of an open file's pages that are in the page cache; NAN when the kernel does not tell. */
double residency_share(int fd, uint64_t bytes);

/* Evicts, or reads in; 0 or -errno. *share is what is resident afterwards. */
int residency_evict(int fd, uint64_t bytes, double *share);
int residency_warm(int fd, uint64_t bytes, double *share);

#endif
