/*
 * One reading of /status.json?buckets=1 as structures. Everything is counted since the server
 * started, so two readings are subtracted to see what happened between them (interval.h).
 */
#ifndef ZCSERVE_SNAPSHOT_H
#define ZCSERVE_SNAPSHOT_H

#include "zcserve/stats.h"

#define SNAPSHOT_SCHEMA 1
#define SNAPSHOT_WORKERS_MAX 8192
#define SNAPSHOT_PROBLEM_MAX 256
#define SNAPSHOT_TEXT_MAX 256

/* A stats_slot as it was read. A NULL distribution is empty; the slot owns the others. */
struct slot_snapshot {
    uint32_t index;
    uint64_t process; /* its id; 0: none */
#define COUNTER(name, unit, help) uint64_t name;
#define GAUGE(name, unit, help) uint64_t name;
#include "zcserve/counters.def"
#undef COUNTER
#undef GAUGE
    uint64_t closed[CLOSE_REASON_COUNT];
    uint64_t refused_for[REFUSAL_COUNT];
    uint64_t calls[CALL_COUNT];
    uint64_t connections_in[STATE_COUNT];
    struct distribution *latency[PHASE_COUNT][SOURCE_COUNT]; /* in units of 16 ns */
    struct distribution *measure[MEASURE_COUNT];
};

struct process_snapshot {
    char name[16]; /* "supervisor", "worker", … */
    uint32_t index;
    uint64_t pid, resident_bytes, proportional_bytes, descriptors, threads;
    double user_seconds, system_seconds;
};

struct snapshot {
    char version[SNAPSHOT_TEXT_MAX], model[SNAPSHOT_TEXT_MAX], state[SNAPSHOT_TEXT_MAX];
    char root[SNAPSHOT_TEXT_MAX], listen[SNAPSHOT_TEXT_MAX]; /* `listen`: the first address */
    uint64_t pid;                                            /* of the supervisor */
    uint64_t generation, reloads, reloads_failed;
    char reload_problem[SNAPSHOT_PROBLEM_MAX]; /* of the last reload; empty: none */
    uint64_t upgrades_failed;
    char upgrade_problem[SNAPSHOT_PROBLEM_MAX]; /* of the last upgrade that failed; empty: none */
    double started_seconds, uptime_seconds, time_seconds, monotonic_seconds;
    uint64_t cache_bytes_max; /* of one worker */
    struct slot_snapshot total;
    struct slot_snapshot *worker;
    uint32_t workers;
    struct process_snapshot *process;
    uint32_t processes;
};

/*
 * Reads the text of a status.json. Everything is checked: a wrong type, a negative or fractional
 * count, a bucket that does not exist, another layout of buckets or another schema is refused.
 * Returns 0; or -1 with a line in `problem` (SNAPSHOT_PROBLEM_MAX bytes) and an empty `out`.
 * Unknown names are ignored and absent values are 0, so that older and newer servers can be read.
 * snapshot_free() frees `out`.
 */
int snapshot_parse(const char *text, size_t length, struct snapshot *out, char *problem);
void snapshot_free(struct snapshot *snapshot);

/* Frees the distributions, not the slot itself. */
void slot_snapshot_free(struct slot_snapshot *slot);

/* Adds one phase, of one source or of all together (SOURCE_COUNT), to `into`. */
void slot_snapshot_latency(const struct slot_snapshot *slot, enum phase phase, enum source source,
                           struct distribution *into);

#endif
