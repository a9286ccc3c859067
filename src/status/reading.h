/*
 * One reading of what the workers have counted. The figures are copied from the board once, so that
 * everything that is written from a reading agrees. The histograms are large, and are read worker
 * by worker.
 *
 * Slots that never had a worker are left out (a pool may have thousands), and no page of a slot is
 * read that its worker has not written.
 */
#ifndef ZCSERVE_STATUS_READING_H
#define ZCSERVE_STATUS_READING_H

#include "zcserve/stats.h"

enum figure {
#define COUNTER(name, unit, help) FIGURE_##name,
#define GAUGE(name, unit, help) FIGURE_##name,
#include "zcserve/counters.def"
#undef COUNTER
#undef GAUGE
    FIGURE_COUNT
};

/* The row of counters.def for a figure. */
struct figure_row {
    const char *name, *help;
    bool gauge;
};
extern const struct figure_row figure_rows[FIGURE_COUNT];

/* The counters and gauges of a slot, or the sums of several slots. */
struct figures {
    uint64_t figure[FIGURE_COUNT];
    uint64_t closed[CLOSE_REASON_COUNT];
    uint64_t refused_for[REFUSAL_COUNT];
    uint64_t calls[CALL_COUNT];
    uint64_t connections_in[STATE_COUNT];
};

/* Describes an array in struct figures whose elements have a word each. */
struct figure_words {
    const char *key;                 /* its name in status.json            */
    const char *family;              /* its name in metrics                */
    const char *type, *label, *help; /* for metrics                        */
    uint32_t first, count;           /* elements before `first` are unused */
    size_t offset;                   /* of the array in struct figures     */
    const char *const *word;         /* the words of all elements          */
};
#define FIGURE_WORDS_COUNT 4
extern const struct figure_words figure_words[FIGURE_WORDS_COUNT];

/* Returns the figure of one word. */
uint64_t figure_of_word(const struct figures *figures, const struct figure_words *words,
                        uint32_t index);

struct reading {
    const struct stats_slot *board;
    uint32_t slots;
    struct figures *slot; /* one for each slot; all 0 for a slot that never had a worker */
    struct figures total;
};

/* Allocates memory for readings of a board of `slots` slots. Returns false when there is none. */
bool reading_open(struct reading *reading, const struct stats_slot *board, uint32_t slots);
void reading_close(struct reading *reading);

/* Reads the figures of all slots, once each. */
void reading_take(struct reading *reading);

/* Returns whether the slot had ever had a worker at the last reading. */
static inline bool reading_has(const struct reading *reading, uint32_t slot)
{
    return reading->slot[slot].figure[FIGURE_starts] > 0;
}

/* All histograms of a slot, or the sums of several slots. All zero: empty. */
struct spreads {
    struct distribution latency[PHASE_COUNT][SOURCE_COUNT];
    struct distribution measure[MEASURE_COUNT];
};

void spreads_clear(struct spreads *spreads);
void spreads_read(struct spreads *spreads, const struct stats_slot *slot); /* clears it first */
void spreads_merge(struct spreads *into, const struct spreads *other);

/* Returns a word for every source: "none", "memory", "pagecache", "disk". */
const char *source_word(enum source source);

#endif
