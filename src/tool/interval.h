/* "What happened between two readings?" Differences, and what is computed of them. */
#ifndef ZCSERVE_INTERVAL_H
#define ZCSERVE_INTERVAL_H

#include <stdbool.h>

#include "tool/snapshot.h"

#define INTERVAL_PROBLEM_MAX 256

/* CPU of one process between the readings. */
struct process_cpu {
    char name[16];
    uint32_t index;
    uint64_t pid;
    double user_seconds, system_seconds;
};

/* Counters, calls, reasons and distributions are differences; gauges and states are as of the later reading. */
struct interval {
    double seconds;
    struct slot_snapshot total;
    struct slot_snapshot *worker; /* in the order of the later reading */
    uint32_t workers;
    struct process_cpu *process; /* likewise */
    uint32_t processes;
    double user_seconds, system_seconds; /* of the processes that serve ("worker") */
    uint32_t
        replaced; /* processes that were there before and are no more: their last CPU is not known */
};

/*
 * 0, or -1 with a line in `problem` (INTERVAL_PROBLEM_MAX bytes) when the later reading is not of the same
 * server further on: it was started again, or a counter ran backwards.
 */
int interval_between(struct interval *out, const struct snapshot *before,
                     const struct snapshot *now, char *problem);
void interval_free(struct interval *interval);

/* A phase's percentile in ns, of one source or of all (SOURCE_COUNT); 0 when nothing was measured. */
double slot_percentile_ns(const struct slot_snapshot *slot, enum phase phase, enum source source,
                          double share);
/* Its mean in ns and how many were measured. */
double slot_mean_ns(const struct slot_snapshot *slot, enum phase phase);
uint64_t slot_measured(const struct slot_snapshot *slot, enum phase phase, enum source source);

/* Percentile of a measure, in its unit; mean likewise. 0 when nothing was measured. */
double slot_measure(const struct slot_snapshot *slot, enum measure measure, double share);
double slot_measure_mean(const struct slot_snapshot *slot, enum measure measure);

/* The longest turn of an event loop, in ns; 0 where there is none. */
double slot_stall_ns(const struct slot_snapshot *slot);

/* Of all calls counted, per request; NAN without requests. */
double slot_calls_per_request(const struct slot_snapshot *slot);
/* 0 … 1 of all lookups; NAN without lookups. */
double slot_hit_share(const struct slot_snapshot *slot);

/* CPU of the process that is this worker alone, in seconds; NAN where several share one process. */
double worker_cpu_seconds(const struct interval *interval, uint32_t worker);

#endif
