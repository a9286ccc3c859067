/*
 * A log-linear histogram of durations or sizes. Each value up to 127 has its own bucket; from there
 * on each doubling is split into 64 equal buckets. The middle of a bucket differs from any value in
 * it by at most 1/128 of that value, so that any percentile is right within 0.8 %. This is
 * HdrHistogram's idea with a fixed layout, so that two histograms are merged by adding.
 *
 *     value   0 1 2 … 127 │ 128–129  130–131 … 254–255 │ 256–259 … 508–511 │ …
 *     bucket  0 1 2 … 127 │ 128      129     … 191     │ 192     … 255     │ …  1791
 *
 * Durations are counted in units of 16 ns. They are exact to 16 ns up to 2 µs; the last bucket ends
 * at 137 s and also counts what is longer. There is one writer, any number of readers, and no lock.
 */
#ifndef ZCSERVE_HISTOGRAM_H
#define ZCSERVE_HISTOGRAM_H

#include <stdatomic.h>
#include <stdint.h>

#define HISTOGRAM_BUCKETS 1792
#define HISTOGRAM_EXACT 128 /* each value below this has its own bucket */
#define HISTOGRAM_SPLIT 64  /* buckets of each doubling                 */
#define HISTOGRAM_UNIT_NS 16

struct histogram {
    _Atomic uint64_t bucket[HISTOGRAM_BUCKETS];
};

/* Returns the bucket that counts `value`. */
static inline uint32_t histogram_bucket(uint64_t value)
{
    uint32_t shift = value < HISTOGRAM_EXACT ? 0 : 57U - (uint32_t)__builtin_clzll(value);
    uint64_t bucket = (uint64_t)shift * HISTOGRAM_SPLIT + (value >> shift);
    return bucket < HISTOGRAM_BUCKETS ? (uint32_t)bucket : HISTOGRAM_BUCKETS - 1;
}

/* Only the writer calls it: a plain load, add and store, never a locked instruction. */
static inline void histogram_count(struct histogram *histogram, uint64_t value)
{
    _Atomic uint64_t *bucket = &histogram->bucket[histogram_bucket(value)];
    atomic_store_explicit(bucket, atomic_load_explicit(bucket, memory_order_relaxed) + 1,
                          memory_order_relaxed);
}

/* Return the least value that `bucket` counts, and how many different values it counts. */
uint64_t histogram_least(uint32_t bucket);
uint64_t histogram_width(uint32_t bucket);

/* A reader's copy of a histogram, or the sum of several. All zero: empty. */
struct distribution {
    uint64_t count, sum; /* how many values, and their sum as the writers added it */
    uint64_t bucket[HISTOGRAM_BUCKETS];
};

/* Adds `histogram` to `into`, whose `count` grows by the sum of the buckets, so that both agree. */
void distribution_add(struct distribution *into, const struct histogram *histogram, uint64_t sum);
void distribution_merge(struct distribution *into, const struct distribution *other);

/* Subtracts an earlier reading of the same histogram. */
void distribution_since(struct distribution *now, const struct distribution *before);

/*
 * Returns the value that `share` (0 … 1) of all values do not exceed: the middle of the bucket of
 * the value of rank ceil(share × count). Returns 0 when empty; for share 1, the largest value.
 */
double distribution_percentile(const struct distribution *distribution, double share);

/* Returns how many values are below `value`; exact only if `value` is the least of a bucket. */
uint64_t distribution_below(const struct distribution *distribution, uint64_t value);

#endif
