/*
 * Measuring: what the run() of an experiment uses while the clock is running. The loop of an experiment is
 *
 *     uint64_t now = measure_now();
 *     do {
 *         ssize_t moved = pread(…);
 *         if (moved < 0) return -errno;
 *         now = tally_add(&m->tally, now, (uint64_t)moved);      the latency of this operation
 *     } while (!measure_over(m, now));
 *
 * Each thread has a tally of its own (set to zero), and the main thread calls measure_join() at the end.
 */
#ifndef LAB_MEASURE_H
#define LAB_MEASURE_H

#include "zcserve/histogram.h"

#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#define NS_PER_S UINT64_C(1000000000)

/* Returns CLOCK_MONOTONIC in ns. The cost of one reading is measured too, and is part of null_ratio. */
static inline uint64_t measure_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
}

/* What one thread counts. It has 14 KiB: do not put it on a small stack. */
struct tally {
    struct histogram histogram; /* of latencies, in units of HISTOGRAM_UNIT_NS */
    uint64_t operations, bytes, sum_ns, least_ns, most_ns;
    double sum_of_squares;
    uint64_t calls; /* system calls that the program counted itself; 0: not counted */
};

/* Counts an operation whose latency is known. */
static inline void tally_latency(struct tally *tally, uint64_t ns, uint64_t bytes)
{
    histogram_count(&tally->histogram, ns / HISTOGRAM_UNIT_NS);
    if (tally->operations == 0 || ns < tally->least_ns) tally->least_ns = ns;
    if (ns > tally->most_ns) tally->most_ns = ns;
    tally->operations++;
    tally->bytes += bytes;
    tally->sum_ns += ns;
    tally->sum_of_squares += (double)ns * (double)ns;
}

/*
 * Counts an operation that began at `begun` and has just ended. Returns the time now, when the next one may
 * begin.
 */
static inline uint64_t tally_add(struct tally *tally, uint64_t begun, uint64_t bytes)
{
    uint64_t now = measure_now();
    tally_latency(tally, now - begun, bytes);
    return now;
}

struct measure {
    struct tally tally;
    uint64_t deadline_ns;    /* when to end, on CLOCK_MONOTONIC */
    uint64_t operations_max; /* or after so many operations; 0: no limit */
    bool warming;            /* this run is a warm-up: its figures are thrown away */
    struct lab *lab;
    void *row; /* the row whose cells measure_figure() sets */
};

extern atomic_bool measure_stopped; /* INT or TERM came: end as soon as you can */

/*
 * For the main thread: returns true when it is time to end. At least one operation is always done before.
 */
static inline bool measure_over(const struct measure *m, uint64_t now)
{
    return now >= m->deadline_ns || measure_stopped ||
           (m->operations_max > 0 && m->tally.operations >= m->operations_max);
}

/* The same for a thread with its own tally. The caller decides about its share of operations_max. */
static inline bool measure_time_over(const struct measure *m, uint64_t now)
{
    return now >= m->deadline_ns || measure_stopped;
}

/*
 * Must be called first in a thread that blocks in system calls: from then on only the main thread gets INT
 * and TERM. Else a read(2) of this thread could end with EINTR, and the main thread would wait for it for
 * ever.
 */
static inline void measure_thread_begin(void)
{
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, NULL);
}

/* Adds the tally of a thread, after the thread was joined. */
void measure_join(struct measure *m, const struct tally *tally);

/*
 * Sets a figure of the experiment, or a common one that the experiment knows better than the frame: the
 * frame then leaves it as it is. `name` must be one of its columns. NAN: it is not known, and the frame
 * must not put its own figure there (which would be that of zclab itself, where a child did the work).
 */
void measure_figure(struct measure *m, const char *name, double value);
/* The same for a column of text: one word. */
void measure_word(struct measure *m, const char *name, const char *word);

/*
 * Restarts the clock and the counters: what was before (starting threads, filling a queue) is not measured.
 */
void measure_restart(struct measure *m);

#endif
