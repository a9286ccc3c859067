/*
 * One reading of what the workers have counted, for whoever shows it. Figures are copied out of the
 * board once, so that all that is written from a reading agrees; the histograms, which are large, are
 * read worker by worker.
 *
 * Slots that never had a worker are left out (a pool may have thousands), and no page of a slot is
 * touched that its worker has not written.
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

/* What counters.def says of a figure. */
struct figure_row {
    const char *name, *help;
    bool gauge;
};
extern const struct figure_row figure_rows[FIGURE_COUNT];

/* A slot's counters and gauges; or the sum of several. */
struct figures {
    uint64_t figure[FIGURE_COUNT];
    uint64_t closed[CLOSE_REASON_COUNT];
    uint64_t refused_for[REFUSAL_COUNT];
    uint64_t calls[CALL_COUNT];
    uint64_t connections_in[STATE_COUNT];
};

/* An array of struct figures with a word for each of its members, and how it is called when shown. */
struct figure_words {
    const char *key;    /* in status.json */
    const char *family; /* of metrics     */
    const char *type, *label, *help;
    uint32_t first, count; /* those before `first` say nothing */
    size_t offset;         /* in struct figures                */
    const char *const *word;
};
#define FIGURE_WORDS_COUNT 4
extern const struct figure_words figure_words[FIGURE_WORDS_COUNT];

/* The figure of one word. */
uint64_t figure_of_word(const struct figures *figures, const struct figure_words *words,
                        uint32_t index);

struct reading {
    const struct stats_slot *board;
    uint32_t slots;
    struct figures *slot; /* one for each slot; all 0 where there never was a worker */
    struct figures total;
};

/* Memory for readings of a board that has `slots` slots. False: there is none. */
bool reading_open(struct reading *reading, const struct stats_slot *board, uint32_t slots);
void reading_close(struct reading *reading);

/* Reads the figures of all slots, once each. */
void reading_take(struct reading *reading);

/* Has the slot ever had a worker, as of the last reading? */
static inline bool reading_has(const struct reading *reading, uint32_t slot)
{
    return reading->slot[slot].figure[FIGURE_starts] > 0;
}

/* All histograms of a slot, or the sum of several slots'. All zero: empty. */
struct spreads {
    struct distribution latency[PHASE_COUNT][SOURCE_COUNT];
    struct distribution measure[MEASURE_COUNT];
};

void spreads_clear(struct spreads *spreads);
void spreads_read(struct spreads *spreads, const struct stats_slot *slot); /* instead of what was */
void spreads_merge(struct spreads *into, const struct spreads *other);

/* As source_name(), but a word for every source: "none", "memory", "pagecache", "disk". */
const char *source_word(enum source source);

#endif
