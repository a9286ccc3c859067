/*
 * Reads histograms: percentiles, and sums of several. Counting is in the header, because it is done
 * several times a request. Nothing here waits or allocates.
 */
#include "zcserve/histogram.h"

#include <math.h>

uint64_t histogram_width(uint32_t bucket)
{
    return bucket < HISTOGRAM_EXACT ? 1 : UINT64_C(1) << (bucket / HISTOGRAM_SPLIT - 1);
}

uint64_t histogram_least(uint32_t bucket)
{
    if (bucket < HISTOGRAM_EXACT) return bucket;
    return (HISTOGRAM_SPLIT + bucket % HISTOGRAM_SPLIT) * histogram_width(bucket);
}

void distribution_add(struct distribution *into, const struct histogram *histogram, uint64_t sum)
{
    for (uint32_t i = 0; i < HISTOGRAM_BUCKETS; i++) {
        uint64_t n = atomic_load_explicit(&histogram->bucket[i], memory_order_relaxed);
        into->bucket[i] += n;
        into->count += n;
    }
    into->sum += sum;
}

void distribution_merge(struct distribution *into, const struct distribution *other)
{
    for (uint32_t i = 0; i < HISTOGRAM_BUCKETS; i++)
        into->bucket[i] += other->bucket[i];
    into->count += other->count;
    into->sum += other->sum;
}

void distribution_since(struct distribution *now, const struct distribution *before)
{
    for (uint32_t i = 0; i < HISTOGRAM_BUCKETS; i++)
        now->bucket[i] -= before->bucket[i];
    now->count -= before->count;
    now->sum -= before->sum;
}

/* Returns the middle of the values that a bucket counts. */
static double bucket_middle(uint32_t bucket)
{
    return (double)histogram_least(bucket) + ((double)histogram_width(bucket) - 1) / 2;
}

double distribution_percentile(const struct distribution *distribution, double share)
{
    double rank = ceil(share * (double)distribution->count);
    uint64_t wanted = rank < 1 ? 1 : (uint64_t)rank, seen = 0;
    for (uint32_t i = 0; i < HISTOGRAM_BUCKETS; i++) {
        seen += distribution->bucket[i];
        if (seen >= wanted) return bucket_middle(i);
    }
    return 0;
}

uint64_t distribution_below(const struct distribution *distribution, uint64_t value)
{
    uint64_t count = 0;
    for (uint32_t i = 0; i < HISTOGRAM_BUCKETS && histogram_least(i) < value; i++)
        count += distribution->bucket[i];
    return count;
}
