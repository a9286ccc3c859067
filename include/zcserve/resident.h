/*
 * Whether bytes of a file are in the page cache, so that reading or sending them does not wait
 * for a disk.
 */
#ifndef ZCSERVE_RESIDENT_H
#define ZCSERVE_RESIDENT_H

#include <stdbool.h>
#include <stdint.h>

/*
 * True when all `length` bytes (above 0) from `offset` are resident now; they may not be a moment later.
 * A few system calls that never wait: cachestat(2), and where it is missing (before Linux 6.5) or
 * forbidden (of files of other users) preadv2(2) with RWF_NOWAIT, which sees the first and the last page
 * alone. True as well when it cannot be told, or the file ends before the range does: then trying is all
 * that is left.
 */
bool resident(int fd, uint64_t offset, uint64_t length);

#endif
