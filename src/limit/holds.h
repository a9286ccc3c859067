/*
 * The holds of one worker: what the limits remember of each of its connections. Only the worker changes
 * them; when it has died, the supervisor or the next worker in its place gives back what they held.
 */
#ifndef ZCSERVE_LIMIT_HOLDS_H
#define ZCSERVE_LIMIT_HOLDS_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

struct hold {
    _Atomic uint32_t place; /* of its address in the ledger, plus 1; 0: none          */
    uint32_t next;          /* the next free hold                                     */
    uint64_t full_ns;       /* its bucket of bytes: when it is full again             */
};

#define HOLDS_END UINT32_MAX

struct holds {
    uint32_t first;   /* the first free hold that was used before; HOLDS_END: none */
    uint32_t touched; /* holds that were ever used                                 */
    struct hold hold[];
};

static inline size_t holds_bytes(uint32_t count)
{
    size_t bytes = sizeof(struct holds) + count * sizeof(struct hold);
    return (bytes + 63) / 64 * 64;
}

static inline void holds_clear(struct holds *holds)
{
    holds->first = HOLDS_END;
    holds->touched = 0;
}

/* Takes a hold. There are as many as connections, so there is always one. */
static inline uint32_t holds_take(struct holds *holds)
{
    uint32_t number = holds->first;
    if (number == HOLDS_END)
        number = holds->touched++;
    else
        holds->first = holds->hold[number].next;
    holds->hold[number].full_ns = 0;
    return number;
}

static inline void holds_put(struct holds *holds, uint32_t number)
{
    holds->hold[number].next = holds->first;
    holds->first = number;
}

#endif
