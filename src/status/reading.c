/*
 * Copies what the workers have counted. A slot is read without stopping its worker: every figure is
 * consistent, because it is one atomic of 64 bits, but two figures may differ by a request.
 * An empty histogram is not read, because reading would make the kernel allocate its pages.
 */
#include "status/reading.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

const struct figure_row figure_rows[FIGURE_COUNT] = {
#define COUNTER(name, unit, help) [FIGURE_##name] = {#name, help, false},
#define GAUGE(name, unit, help) [FIGURE_##name] = {#name, help, true},
#include "zcserve/counters.def"
#undef COUNTER
#undef GAUGE
};

static const char *const reason_words[] = {
#define CLOSE_REASON(name, word, help) [CLOSE_##name] = word,
#include "zcserve/close_reason.def"
#undef CLOSE_REASON
};
static const char *const refusal_words[] = {
#define REFUSAL(name, status, word, help) [REFUSAL_##name] = word,
#include "zcserve/refusal.def"
#undef REFUSAL
};
static const char *const call_words[] = {
#define CALL(name, word, help) [CALL_##name] = word,
#include "zcserve/calls.def"
#undef CALL
};
static const char *const state_words[] = {
#define CONNECTION_STATE(name, word, help) [STATE_##name] = word,
#include "zcserve/connection_state.def"
#undef CONNECTION_STATE
};

/* The first close reason and the first refusal (NONE) are left out. */
const struct figure_words figure_words[FIGURE_WORDS_COUNT] = {
    {"closed", "closed_total", "counter", "reason", "connections that ended, by reason", 1,
     CLOSE_REASON_COUNT, offsetof(struct figures, closed), reason_words},
    {"refused_for", "refused_requests_total", "counter", "reason",
     "requests refused before any file was looked up, by reason", 1, REFUSAL_COUNT,
     offsetof(struct figures, refused_for), refusal_words},
    {"calls", "calls_total", "counter", "call", "system calls made to serve", 0, CALL_COUNT,
     offsetof(struct figures, calls), call_words},
    {"connections", "connections", "gauge", "state", "connections open now, by state", 0,
     STATE_COUNT, offsetof(struct figures, connections_in), state_words},
};

uint64_t figure_of_word(const struct figures *figures, const struct figure_words *words,
                        uint32_t index)
{
    uint64_t value;
    memcpy(&value, (const char *)figures + words->offset + index * sizeof(value), sizeof(value));
    return value;
}

static void counts_read(uint64_t *into, const _Atomic uint64_t *from, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        into[i] = stats_read(&from[i]);
}

/* Sets the gauges of a slot without a worker to 0: a worker that was killed could not do it. */
static void gauges_drop(struct figures *figures)
{
    for (int i = 0; i < FIGURE_COUNT; i++)
        if (figure_rows[i].gauge && i != FIGURE_starts) figures->figure[i] = 0;
    memset(figures->connections_in, 0, sizeof(figures->connections_in));
}

static void figures_read(struct figures *figures, const struct stats_slot *slot)
{
#define COUNTER(name, unit, help) figures->figure[FIGURE_##name] = stats_read(&slot->name);
#define GAUGE(name, unit, help) COUNTER(name, unit, help)
#include "zcserve/counters.def"
#undef COUNTER
#undef GAUGE
    counts_read(figures->closed, slot->closed, CLOSE_REASON_COUNT);
    counts_read(figures->refused_for, slot->refused_for, REFUSAL_COUNT);
    counts_read(figures->calls, slot->calls, CALL_COUNT);
    counts_read(figures->connections_in, slot->connections_in, STATE_COUNT);
    if (figures->figure[FIGURE_pid] == 0) gauges_drop(figures);
}

/* Adds all figures: the struct has only members of 64 bits. */
static void figures_add(struct figures *into, const struct figures *other)
{
    uint64_t *sum = (uint64_t *)into;
    const uint64_t *more = (const uint64_t *)other;
    for (size_t i = 0; i < sizeof(*into) / sizeof(uint64_t); i++)
        sum[i] += more[i];
}

bool reading_open(struct reading *reading, const struct stats_slot *board, uint32_t slots)
{
    *reading = (struct reading){.board = board, .slots = slots};
    reading->slot = calloc(slots, sizeof(*reading->slot));
    return reading->slot;
}

void reading_close(struct reading *reading)
{
    free(reading->slot);
    reading->slot = NULL;
}

void reading_take(struct reading *reading)
{
    reading->total = (struct figures){0};
    for (uint32_t i = 0; i < reading->slots; i++) {
        if (stats_read(&reading->board[i].starts) == 0) continue;
        figures_read(&reading->slot[i], &reading->board[i]);
        figures_add(&reading->total, &reading->slot[i]);
    }
    reading->total.figure[FIGURE_pid] = 0; /* a sum of pids has no meaning */
}

/* ---- histograms ------------------------------------------------------------------------------- */

static void distribution_clear(struct distribution *distribution)
{
    if (distribution->count > 0 || distribution->sum > 0)
        memset(distribution, 0, sizeof(*distribution));
}

void spreads_clear(struct spreads *spreads)
{
    for (int phase = 0; phase < PHASE_COUNT; phase++)
        for (int source = 0; source < SOURCE_COUNT; source++)
            distribution_clear(&spreads->latency[phase][source]);
    for (int measure = 0; measure < MEASURE_COUNT; measure++)
        distribution_clear(&spreads->measure[measure]);
}

void spreads_read(struct spreads *spreads, const struct stats_slot *slot)
{
    spreads_clear(spreads);
    for (int phase = 0; phase < PHASE_COUNT; phase++)
        for (int source = 0; source < SOURCE_COUNT; source++)
            stats_latency_read(slot, (enum phase)phase, (enum source)source,
                               &spreads->latency[phase][source]);
    for (int measure = 0; measure < MEASURE_COUNT; measure++)
        stats_measure_read(slot, (enum measure)measure, &spreads->measure[measure]);
}

static void merge_some(struct distribution *into, const struct distribution *other)
{
    if (other->count > 0) distribution_merge(into, other);
}

void spreads_merge(struct spreads *into, const struct spreads *other)
{
    for (int phase = 0; phase < PHASE_COUNT; phase++)
        for (int source = 0; source < SOURCE_COUNT; source++)
            merge_some(&into->latency[phase][source], &other->latency[phase][source]);
    for (int measure = 0; measure < MEASURE_COUNT; measure++)
        merge_some(&into->measure[measure], &other->measure[measure]);
}

const char *source_word(enum source source)
{
    return source == SOURCE_NONE ? "none" : source_name(source);
}
