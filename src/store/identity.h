/*
 * What a file is, as far as the kernel can tell two versions of it apart: two equal identities
 * are the same bytes, provided the clock of the file system has moved on since the last change.
 */
#ifndef ZCSERVE_STORE_IDENTITY_H
#define ZCSERVE_STORE_IDENTITY_H

#include "zcserve/now.h"

#include <stdbool.h>
#include <stdint.h>

/* No padding, so that it is compared as a whole. All zero: there is no such file. */
struct identity {
    uint64_t device, inode, size;
    uint64_t mount; /* 0 where the kernel does not tell (before 5.8) */
    int64_t modified_seconds, changed_seconds;
    uint32_t modified_ns, changed_ns;
    uint32_t mode, links;
};

/*
 * Reads the identity of `path`, beneath `directory` unless absolute, links followed; with an
 * empty path that of the descriptor itself. 0 or -errno, and then *identity is all zero.
 */
int identity_read(int directory, const char *path, struct identity *identity);

/* The same, but of a link at the end of the path its own; those on the way are followed. */
int identity_read_itself(int directory, const char *path, struct identity *identity);

/* A number that is another for another identity, but for one in 2^64. */
uint64_t identity_hash(const struct identity *identity);

bool identity_equals(const struct identity *a, const struct identity *b);
bool identity_exists(const struct identity *identity);
bool identity_is_regular(const struct identity *identity);
bool identity_is_directory(const struct identity *identity);
bool identity_is_link(const struct identity *identity);

/* True when `a` was modified no earlier than `b`. */
bool identity_not_older(const struct identity *a, const struct identity *b);

/*
 * How long until the last change is so long past that another one could not carry the same time: only
 * then does an equal identity prove equal bytes. 0 when it is; never more than IDENTITY_WAIT_NS_MAX,
 * after which to ask again. By the wall clock.
 */
#define IDENTITY_WAIT_NS_MAX (10 * NS_PER_SECOND)
uint64_t identity_settles_in_ns(const struct identity *identity, const struct now *now);

/* True when that is 0. */
bool identity_is_settled(const struct identity *identity, const struct now *now);

/*
 * The date of the last modification, in whole seconds, once no later change can be given the same
 * (RFC 9110 §8.8.2.2): 0 and *seconds; else how long until then, as above. What claims to have been
 * modified in the future has the date of its last change of any kind.
 */
uint64_t identity_dates_in_ns(const struct identity *identity, const struct now *now,
                              int64_t *seconds);

#endif
