/*
 * The eviction order SIEVE (Zhang et al., NSDI 2024): a queue in order of arrival in which
 * nothing ever moves. A hit sets one bit; a hand goes from old to new, clears the bits it meets
 * and takes the first seat whose bit is not set.
 *
 * Why this and not LRU: a hit costs one store and no pointer changes, and what was asked for
 * once (a crawler going through the whole tree) leaves before what was asked for twice.
 */
#ifndef ZCSERVE_STORE_SIEVE_H
#define ZCSERVE_STORE_SIEVE_H

#include <stdbool.h>
#include <stdint.h>

/* Part of what is queued. */
struct seat {
    struct seat *newer, *older;
    uint32_t loans; /* lent ones are passed over: evicting them would free nothing */
    bool visited;   /* asked for since the hand came by                            */
};

struct sieve {
    struct seat *newest, *oldest, *hand;
    uint64_t count;
};

void sieve_add(struct sieve *sieve, struct seat *seat);
void sieve_remove(struct sieve *sieve, struct seat *seat);

/* The seat to evict next, still in the queue; NULL when every one is lent or there is none. */
struct seat *sieve_victim(struct sieve *sieve);

#endif
