/*
 * The counters. Each worker has one slot, in shared memory that is made before the workers start. A
 * slot has one writer, any number of readers and no lock. A restarted worker goes on in its old
 * slot, so that totals never decrease.
 *
 *      counters.def          how often, how much, how many now
 *      close_reason.def      why connections ended
 *      refusal.def           why requests were refused
 *      connection_state.def  what the open connections are doing
 *      calls.def             system calls made to serve
 *      phase.def             how long each phase of a request took, by where its bytes came from
 *
 * Each counter is described once, in its table. Code that shows counters expands the tables.
 */
#ifndef ZCSERVE_STATS_H
#define ZCSERVE_STATS_H

#include "zcserve/close_reason.h"
#include "zcserve/exchange.h"
#include "zcserve/histogram.h"
#include "zcserve/refusal.h"
#include "zcserve/representation.h"

#include <stdbool.h>

enum phase {
#define PHASE(name, word, help) PHASE_##name,
#include "zcserve/phase.def"
#undef PHASE
    PHASE_COUNT
};

enum call {
#define CALL(name, word, help) CALL_##name,
#include "zcserve/calls.def"
#undef CALL
    CALL_COUNT
};

enum connection_state {
#define CONNECTION_STATE(name, word, help) STATE_##name,
#include "zcserve/connection_state.def"
#undef CONNECTION_STATE
    STATE_COUNT
};

/*
 * 0 leaves out every clock reading and histogram that is there only to measure. This is only for
 * measuring what they cost (make BUILD=build/unmeasured CFLAGS=-DSTATS_MEASURES=0).
 */
#ifndef STATS_MEASURES
#define STATS_MEASURES 1
#endif

/*
 * The number of values in a histogram, and their sum. While `count` is 0 there is nothing to read.
 */
struct tally {
    _Atomic uint64_t count, sum;
};

/* What is measured besides the phases. */
enum measure {
    MEASURE_TURN,     /* time from when an event loop wakes until it waits again, in 16 ns */
    MEASURE_BATCH,    /* events or completions of one wake-up                              */
    MEASURE_REQUESTS, /* requests of one connection, counted when it ends                  */
    MEASURE_COUNT
};

/* One worker's counters. Those that every request changes come first, close together. */
struct stats_slot {
#define COUNTER(name, unit, help) _Atomic uint64_t name;
#define GAUGE(name, unit, help) _Atomic uint64_t name;
#include "zcserve/counters.def"
#undef COUNTER
#undef GAUGE
    _Atomic uint64_t awake_ns; /* since when the worker has not waited, monotonic; 0: it waits */
    _Atomic uint64_t closed[CLOSE_REASON_COUNT];
    _Atomic uint64_t refused_for[REFUSAL_COUNT];
    _Atomic uint64_t calls[CALL_COUNT];
    _Atomic uint64_t connections_in[STATE_COUNT];
    struct tally latency_tally[PHASE_COUNT][SOURCE_COUNT];
    struct tally measure_tally[MEASURE_COUNT];
    struct histogram latency[PHASE_COUNT][SOURCE_COUNT]; /* in units of 16 ns */
    struct histogram measure[MEASURE_COUNT];
} __attribute__((aligned(64)));

/* Only the slot's writer calls these: plain loads and stores, never a locked instruction. */
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

/* Decrements a gauge. */
static inline void stats_less(_Atomic uint64_t *gauge)
{
    stats_set(gauge, stats_read(gauge) - 1);
}

static inline void stats_call(struct stats_slot *slot, enum call call)
{
    stats_add(&slot->calls[call], 1);
}

static inline void stats_measure(struct stats_slot *slot, enum measure measure, uint64_t value)
{
    if (!STATS_MEASURES) return;
    stats_add(&slot->measure_tally[measure].count, 1);
    stats_add(&slot->measure_tally[measure].sum, value);
    histogram_count(&slot->measure[measure], value);
}

/* Counts one phase of one request, which lasted `ns` (may be 0). */
static inline void stats_phase(struct stats_slot *slot, enum phase phase, enum source source,
                               uint64_t ns)
{
    if (!STATS_MEASURES) return;
    struct tally *tally = &slot->latency_tally[phase][source];
    stats_add(&tally->count, 1);
    stats_add(&tally->sum, ns / HISTOGRAM_UNIT_NS);
    histogram_count(&slot->latency[phase][source], ns / HISTOGRAM_UNIT_NS);
}

/* The worker has work since `now_ns`; or 0: it waits for some. See supervise_options.awake_since. */
static inline void stats_awake(struct stats_slot *slot, uint64_t now_ns)
{
    stats_set(&slot->awake_ns, now_ns);
}

/*
 * Sets the gauges of connections to 0, because the slot's worker has ended or is about to begin.
 * That worker calls it, or the supervisor when there is none.
 */
void stats_begin_anew(struct stats_slot *slot);

/* Counts an exchange that is settled: its method, status, refusal, bytes by source, and phases. */
void stats_exchange(struct stats_slot *slot, const struct exchange *exchange);

/* Returns the shared mapping of `workers` slots, zeroed; or NULL with errno set. */
struct stats_slot *stats_board_open(uint32_t workers);
void stats_board_close(struct stats_slot *board, uint32_t workers);

/* ---- for readers ------------------------------------------------------------------------------ */

/* Adds what a slot has counted to `into`. An empty histogram is not read, so it needs no memory. */
void stats_latency_read(const struct stats_slot *slot, enum phase phase, enum source source,
                        struct distribution *into);
void stats_measure_read(const struct stats_slot *slot, enum measure measure,
                        struct distribution *into);

const char *phase_name(enum phase phase);
const char *call_name(enum call call);
const char *connection_state_name(enum connection_state state);

#endif
