/* Does all pieces of work with several threads, and takes signals meanwhile. */
#ifndef ZCSERVE_PRECOMPRESS_POOL_H
#define ZCSERVE_PRECOMPRESS_POOL_H

#include "precompress/walk.h"

/*
 * Does the work with `jobs` threads. At most a GiB of memory, or half of the machine's, is used at
 * the same time; a single file may take more. Returns 0 when nothing is left to do, or when it
 * stopped because the disk is full: then outcomes_are_bad(). Returns the number of the signal (INT,
 * TERM, HUP or QUIT) when one came: no sidecar is being written any more, but threads may be
 * compressing, so that the caller has to end the process without freeing anything. Returns -errno
 * when no thread can be started.
 */
int pool_run(const struct docroot *docroot, const struct work *work, struct outcomes *outcomes,
             uint32_t jobs);

#endif
