/*
 * A histogram of durations or sizes, log-linear: up to 127 every value has a bucket of its own, from
 * there on each doubling is split into 64 equal buckets. The middle of a bucket is at most 1/128 of its
 * value away from everything in it, so any percentile is right within 0.8 % (HdrHistogram's idea,
 * with a fixed layout so that two of them are merged by adding).
 *
 *     value   0 1 2 … 127 │ 128–129  130–131 … 254–255 │ 256–259 … 508–511 │ …
 *     bucket  0 1 2 … 127 │ 128      129     … 191     │ 192     … 255     │ …  1791
 *
 * Durations are counted in units of 16 ns: exact to 16 ns up to 2 µs, and up to 137 s in the last bucket,
 * which takes what is longer, too. One writer, any number of readers, no lock.
 */
#ifndef ZCSERVE_HISTOGRAM_H
#define ZCSERVE_HISTOGRAM_H

#include <stdatomic.h>
#include <stdint.h>

#define HISTOGRAM_BUCKETS 1792
#define HISTOGRAM_EXACT 128 /* values below have a bucket each  */
#define HISTOGRAM_SPLIT 64  /* buckets of each doubling         */
#define HISTOGRAM_UNIT_NS 16

struct histogram {
    _Atomic uint64_t bucket[HISTOGRAM_BUCKETS];
};

/* The bucket that counts `value`. */
static inline uint32_t histogram_bucket(uint64_t value)
{
    uint32_t shift = value < HISTOGRAM_EXACT ? 0 : 57U - (uint32_t)__builtin_clzll(value);
    uint64_t bucket = (uint64_t)shift * HISTOGRAM_SPLIT + (value >> shift);
    return bucket < HISTOGRAM_BUCKETS ? (uint32_t)bucket : HISTOGRAM_BUCKETS - 1;
}

/* For its only writer: a plain load, add and store, never a locked instruction. */
static inline void histogram_count(struct histogram *histogram, uint64_t value)
{
    _Atomic uint64_t *bucket = &histogram->bucket[histogram_bucket(value)];
    atomic_store_explicit(bucket, atomic_load_explicit(bucket, memory_order_relaxed) + 1,
                          memory_order_relaxed);
}

/* The least value that bucket `bucket` counts, and how many different values it counts. */
uint64_t histogram_least(uint32_t bucket);
uint64_t histogram_width(uint32_t bucket);

/* What a reader has: a copy, or the sum of several. All zero: empty. */
struct distribution {
    uint64_t count, sum; /* of values; sum as their writers added it up */
    uint64_t bucket[HISTOGRAM_BUCKETS];
};

/* Adds what `histogram` holds. Its `count` grows by the buckets' sum, so both always agree. */
void distribution_add(struct distribution *into, const struct histogram *histogram, uint64_t sum);
void distribution_merge(struct distribution *into, const struct distribution *other);

/* Takes off what was there at an earlier reading of the same histogram. */
void distribution_since(struct distribution *now, const struct distribution *before);

/*
 * The value below or at which `share` (0 … 1) of all values lie: the middle of the bucket of the value of
 * rank ceil(share × count). 0 when empty; share 1 is the largest.
 */
double distribution_percentile(const struct distribution *distribution, double share);

/* How many values lie below `value`, which must be the least of a bucket to be exact. */
uint64_t distribution_below(const struct distribution *distribution, uint64_t value);

#endif
