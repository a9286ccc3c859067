/*
 * Tells whether bytes of a file are in the page cache ("resident"), so that reading or sending them
 * does not wait for a disk.
 */
#ifndef ZCSERVE_RESIDENT_H
#define ZCSERVE_RESIDENT_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Returns true when all `length` bytes (above 0) from `offset` are resident now. The kernel may
 * evict them a moment later. Also returns true when this cannot be found out, and when the file
 * ends before the range does: the caller can only try then.
 * It makes a few system calls that never wait: cachestat(2), or, where that is missing (before
 * Linux 6.5) or forbidden (files of other users), preadv2(2) with RWF_NOWAIT, which checks only the
 * first and the last page.
 */
bool resident(int fd, uint64_t offset, uint64_t length);

#endif
