/*
 * What a thread counts for itself: finished requests, the time each of them took, and system calls.
 * Latencies are kept in 16 buckets for each power of two of nanoseconds. So a percentile is exact to about
 * 6 %, and adding a latency takes a few instructions.
 */
#ifndef BENCH_TALLY_H
#define BENCH_TALLY_H

#include <stdint.h>
#include <time.h>

enum { TALLY_STEPS = 16, TALLY_BUCKETS = 64 * TALLY_STEPS };

struct tally {
    uint64_t completed, calls, sum_ns;
    uint64_t bucket[TALLY_BUCKETS];
};

static inline uint64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static inline void tally_add(struct tally *t, uint64_t ns)
{
    unsigned power = ns < TALLY_STEPS ? 4 : 63 - (unsigned)__builtin_clzll(ns);
    t->completed++;
    t->sum_ns += ns;
    t->bucket[power * TALLY_STEPS + (ns >> (power - 4)) % TALLY_STEPS]++;
}

static inline void tally_join(struct tally *sum, const struct tally *t)
{
    sum->completed += t->completed;
    sum->calls += t->calls;
    sum->sum_ns += t->sum_ns;
    for (unsigned b = 0; b < TALLY_BUCKETS; b++)
        sum->bucket[b] += t->bucket[b];
}

/* Returns the time that this share of the requests (0 to 1) did not exceed: the lower end of its bucket. */
static inline double tally_percentile_us(const struct tally *t, double share)
{
    uint64_t left = (uint64_t)((double)t->completed * share);
    unsigned b = 0;
    while (b < TALLY_BUCKETS - 1 && t->bucket[b] <= left)
        left -= t->bucket[b++];
    uint64_t step = (UINT64_C(1) << (b / TALLY_STEPS)) / TALLY_STEPS;
    return (double)(step * (TALLY_STEPS + b % TALLY_STEPS)) / 1000;
}

#endif
