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
 * Linux 6.5) or forbidden (files of other users), preadv2(2) with RWF_NOWAIT, which checks one
 * page of each 128 KiB, and the last page.
 */
bool resident(int fd, uint64_t offset, uint64_t length);

/* How resident() finds that out for a file. */
enum resident_means {
    RESIDENT_WHOLE,   /* every page is known (cachestat(2))                        */
    RESIDENT_SAMPLES, /* only one page of each 128 KiB (RWF_NOWAIT, preadv2(2)) */
    RESIDENT_UNTOLD   /* not at all: resident() always returns true                */
};

/*
 * Returns how, for the file open as `fd`, which may be read and is not empty. Sets *error to the
 * errno of cachestat(2); 0 when that works. It may start to read the first page.
 */
enum resident_means resident_means(int fd, int *error);

#endif
