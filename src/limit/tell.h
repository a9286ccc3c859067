/*
 * Lines of the error log about limits: at most one a second of each kind, for the whole server. A flood
 * must not fill the disk.
 */
#ifndef ZCSERVE_LIMIT_TELL_H
#define ZCSERVE_LIMIT_TELL_H

#include "zcserve/quota.h"

#include <stdatomic.h>

/* In shared memory; zeroed at first. */
struct told {
    _Atomic uint64_t next_ns[QUOTA_KINDS]; /* when the next line may be written        */
    _Atomic uint64_t unsaid[QUOTA_KINDS];  /* events since the last line without a line */
};

/* See quota_tell(). */
void told_tell(struct told *told, enum quota_kind kind, const struct sockaddr *peer,
               uint64_t now_ns);

#endif
