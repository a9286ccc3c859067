/*
 * The table of addresses: sets of eight places, in memory that all workers share. A place is claimed and
 * given up with atomic operations alone, so that a worker that dies within one leaves no lock behind.
 *
 * When two workers meet the same new address at the same moment, it may get two places. Then it has up to
 * twice its allowance, until one place is forgotten.
 */
#ifndef ZCSERVE_LIMIT_LEDGER_H
#define ZCSERVE_LIMIT_LEDGER_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#define LEDGER_WAYS 8

struct ledger_place {
    _Atomic uint64_t key;     /* 0: free; LEDGER_CHANGES: between two addresses             */
    _Atomic uint64_t full_ns; /* its bucket of requests: bucket.h                           */
    _Atomic uint64_t seen_ns; /* when a connection of it last began                         */
    _Atomic uint32_t connections;
    uint32_t unused;
};

#define LEDGER_CHANGES UINT64_MAX
#define LEDGER_NO_PLACE UINT32_MAX

struct ledger {
    struct ledger_place *place;
    uint32_t sets; /* of LEDGER_WAYS places each; at least 1 */
    uint64_t seed[2];
};

/*
 * Finds or makes the place of an address (`key` is neither 0 nor LEDGER_CHANGES), and counts one connection
 * there. Returns its number; LEDGER_NO_PLACE when there is none.
 */
uint32_t ledger_enter(struct ledger *l, uint64_t key, uint64_t now_ns);

/* The connection that ledger_enter() counted has ended. */
void ledger_leave(struct ledger *l, uint32_t place);

/* Returns well mixed bits of the key, the same for the same key. */
uint64_t ledger_mix(const struct ledger *l, uint64_t key);

#endif
