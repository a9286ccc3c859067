/*
 * The simulated socket: it drives a connection, and makes every choice (how much arrives, how much is
 * taken, when the time is over or the peer is gone) from a source of choices: a seed, or the bytes of a
 * fuzzer.
 */
#ifndef CORE_SIMULATION_H
#define CORE_SIMULATION_H

#include "core_link.h"

/* Where choices come from: first `script`, then the generator; or always 0 when the seed is 0. */
struct core_choices {
    const uint8_t *script;
    size_t length, at;
    uint64_t seed;
};

/* Returns a number below `below`, which is above 0. */
uint32_t core_choose(struct core_choices *choices, uint32_t below);

/* Returns true once in `n` times. */
bool core_chance(struct core_choices *choices, uint32_t n);

/* How often, in a thousand choices, the socket has trouble. */
struct core_troubles {
    uint32_t reset, finish, timeout, drain;
    bool park; /* lookups have to wait */
};

/*
 * Drives a connection through all of `bytes`. Then the peer waits, finishes or resets. What must hold is
 * checked after each step; see core_link.h.
 */
void core_simulate(struct core_link *link, const char *bytes, size_t length,
                   struct core_choices *choices, struct core_troubles troubles);

#endif
