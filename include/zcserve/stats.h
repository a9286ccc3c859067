/*
 * What happened, counted. One slot a worker in a shared mapping made before the workers start:
 * one writer, any number of readers, no lock. A restarted worker goes on in its old slot, so
 * totals never run backwards.
 */
#ifndef ZCSERVE_STATS_H
#define ZCSERVE_STATS_H

#include "zcserve/close_reason.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* Counters are described once, in counters.def: COUNTER(name, unit, one line). */
struct stats_slot {
#define COUNTER(name, unit, help) _Atomic uint64_t name;
#define GAUGE(name, unit, help) _Atomic uint64_t name;
#include "zcserve/counters.def"
#undef COUNTER
#undef GAUGE
    _Atomic uint64_t closed[CLOSE_REASON_COUNT];
} __attribute__((aligned(64)));

/* The slot's only writer calls these: a plain load, add and store, never a locked instruction. */
static inline void stats_add(_Atomic uint64_t *counter, uint64_t n)
{
    atomic_store_explicit(counter, atomic_load_explicit(counter, memory_order_relaxed) + n,
                          memory_order_relaxed);
}

static inline void stats_set(_Atomic uint64_t *gauge, uint64_t value)
{
    atomic_store_explicit(gauge, value, memory_order_relaxed);
}

static inline uint64_t stats_read(const _Atomic uint64_t *counter)
{
    return atomic_load_explicit(counter, memory_order_relaxed);
}

/* The shared mapping of `workers` slots, zeroed. NULL with errno set. */
struct stats_slot *stats_board_open(uint32_t workers);
void stats_board_close(struct stats_slot *board, uint32_t workers);

#endif
