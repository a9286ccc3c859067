/*
 * The identity of a file: what the kernel can tell of it. Two versions with the same identity have
 * the same bytes, if the clock of the file system has moved on since the last change.
 */
#ifndef ZCSERVE_STORE_IDENTITY_H
#define ZCSERVE_STORE_IDENTITY_H

#include "zcserve/now.h"

#include <stdbool.h>
#include <stdint.h>

/* Has no padding, so that it can be compared as memory. All zero: there is no such file. */
struct identity {
    uint64_t device, inode, size;
    uint64_t mount; /* 0 where the kernel does not tell it (before Linux 5.8) */
    int64_t modified_seconds, changed_seconds;
    uint32_t modified_ns, changed_ns;
    uint32_t mode, links;
};

/*
 * Reads the identity of `path`, which is beneath `directory` unless it is absolute. Links are
 * followed. An empty path means the descriptor itself. Returns 0, or -errno and then *identity is
 * all zero.
 */
int identity_read(int directory, const char *path, struct identity *identity);

/* As identity_read(), but does not follow a link at the end of the path. */
int identity_read_itself(int directory, const char *path, struct identity *identity);

/* Returns a number that is equal for equal identities, and for others in one of 2^64 cases. */
uint64_t identity_hash(const struct identity *identity);

bool identity_equals(const struct identity *a, const struct identity *b);
bool identity_exists(const struct identity *identity);
bool identity_is_regular(const struct identity *identity);
bool identity_is_directory(const struct identity *identity);
bool identity_is_link(const struct identity *identity);

/* Returns whether `a` was not modified before `b`. */
bool identity_not_older(const struct identity *a, const struct identity *b);

/*
 * Returns how long to wait, in ns of the wall clock, until another change would get another time.
 * Only then do equal identities prove equal bytes. Returns 0 when that is so now, and at most
 * IDENTITY_WAIT_NS_MAX, after which to ask again.
 */
#define IDENTITY_WAIT_NS_MAX (10 * NS_PER_SECOND)
uint64_t identity_settles_in_ns(const struct identity *identity, const struct now *now);

/* Returns whether identity_settles_in_ns() is 0. */
bool identity_is_settled(const struct identity *identity, const struct now *now);

/*
 * Sets *seconds to the date of the last modification in whole seconds. Returns 0 when no later
 * change can get the same date (RFC 9110 §8.8.2.2); else how long until then, as above. A file
 * whose modification is in the future gets the date of its last change of any kind.
 */
uint64_t identity_dates_in_ns(const struct identity *identity, const struct now *now,
                              int64_t *seconds);

#endif
