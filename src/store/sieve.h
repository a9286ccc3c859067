/*
 * The eviction order SIEVE (Zhang et al., NSDI 2024): a queue in order of arrival, in which nothing
 * is moved. A hit sets one bit. A hand goes from old to new, clears the bits that it meets, and
 * takes the first seat without a bit.
 *
 * It is better here than LRU: a hit writes one byte and changes no pointers. And files that were
 * requested once (by a crawler that goes through the whole tree) leave before files that were
 * requested twice.
 */
#ifndef ZCSERVE_STORE_SIEVE_H
#define ZCSERVE_STORE_SIEVE_H

#include <stdbool.h>
#include <stdint.h>

/* Part of an object in a queue. */
struct seat {
    struct seat *newer, *older;
    uint32_t loans; /* seats that are lent are skipped: evicting them frees no memory */
    bool visited;   /* requested since the hand passed                                */
};

struct sieve {
    struct seat *newest, *oldest, *hand;
    uint64_t count;
};

void sieve_add(struct sieve *sieve, struct seat *seat);
void sieve_remove(struct sieve *sieve, struct seat *seat);

/* Returns the seat to evict next, still in the queue; NULL when there is none or all are lent. */
struct seat *sieve_victim(struct sieve *sieve);

#endif
