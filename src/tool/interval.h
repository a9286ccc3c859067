/* The differences between two readings, and what is computed from them. */
#ifndef ZCSERVE_INTERVAL_H
#define ZCSERVE_INTERVAL_H

#include <stdbool.h>

#include "tool/snapshot.h"

#define INTERVAL_PROBLEM_MAX 256

/* The CPU time of one process between the readings. */
struct process_cpu {
    char name[16];
    uint32_t index;
    uint64_t pid;
    double user_seconds, system_seconds;
};

/*
 * Counters, calls, reasons and distributions are differences. Gauges and states are those of the
 * later reading.
 */
struct interval {
    double seconds;
    struct slot_snapshot total;
    struct slot_snapshot *worker; /* in the order of the later reading */
    uint32_t workers;
    struct process_cpu *process; /* in the order of the later reading */
    uint32_t processes;
    double user_seconds, system_seconds; /* of the worker processes                      */
    uint32_t replaced; /* processes that ended: their last CPU time is not known */
};

/*
 * Computes the interval. Returns 0; or -1 with a line in `problem` (INTERVAL_PROBLEM_MAX bytes)
 * when the readings are not of the same start of the server in this order: it was started again, or
 * a counter decreased.
 */
int interval_between(struct interval *out, const struct snapshot *before,
                     const struct snapshot *now, char *problem);
void interval_free(struct interval *interval);

/* Returns a percentile of a phase in ns, for one source or all (SOURCE_COUNT); 0: none measured. */
double slot_percentile_ns(const struct slot_snapshot *slot, enum phase phase, enum source source,
                          double share);
/* Return the mean of a phase in ns, and how many were measured. */
double slot_mean_ns(const struct slot_snapshot *slot, enum phase phase);
uint64_t slot_measured(const struct slot_snapshot *slot, enum phase phase, enum source source);

/* Return a percentile and the mean of a measure, in its unit; 0 when nothing was measured. */
double slot_measure(const struct slot_snapshot *slot, enum measure measure, double share);
double slot_measure_mean(const struct slot_snapshot *slot, enum measure measure);

/* Returns the longest turn of an event loop, in ns; 0 when there was none. */
double slot_stall_ns(const struct slot_snapshot *slot);

/* Returns the number of system calls per request; NAN without requests. */
double slot_calls_per_request(const struct slot_snapshot *slot);
/* Returns the share of hits, 0 … 1 of all lookups; NAN without lookups. */
double slot_hit_share(const struct slot_snapshot *slot);

/* Returns the CPU time of this worker's process in seconds; NAN when workers share the process. */
double worker_cpu_seconds(const struct interval *interval, uint32_t worker);

#endif
