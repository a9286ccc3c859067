/*
 * A token bucket as one number (the generic cell rate algorithm of ITU-T I.371): the time at which the
 * bucket is full again. Taking a token moves this time by `interval_ns`; it may be at most `burst`
 * intervals in the future.
 */
#ifndef ZCSERVE_LIMIT_BUCKET_H
#define ZCSERVE_LIMIT_BUCKET_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#define BUCKET_TRIES \
    16 /* others take tokens at the same time; after so many tries the token is given */

/* Takes a token, shared with other threads and processes. Returns false when there is none. `forced`: takes it anyway. */
static inline bool bucket_take(_Atomic uint64_t *full_ns, uint64_t now_ns, uint64_t interval_ns,
                               uint32_t burst, bool forced)
{
    uint64_t before = atomic_load_explicit(full_ns, memory_order_relaxed);
    for (int i = 0; i < BUCKET_TRIES; i++) {
        uint64_t from = before > now_ns ? before : now_ns;
        bool some = from - now_ns <= (burst - 1) * interval_ns;
        if (!some && (!forced || from - now_ns > burst * interval_ns)) return false;
        if (atomic_compare_exchange_weak_explicit(full_ns, &before, from + interval_ns,
                                                  memory_order_relaxed, memory_order_relaxed))
            return some;
    }
    return true;
}

#endif
