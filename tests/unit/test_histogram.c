/*
 * Tests of src/stats/histogram.c: every value is in the bucket that the layout promises;
 * percentiles of ten million values are within 1 % of the exact ones; merged histograms equal one
 * that counted all values.
 */
#include "zcserve/histogram.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define SECOND_UNITS (1000000000.0 / HISTOGRAM_UNIT_NS)

/* Returns random numbers that are the same in each run: splitmix64. */
static uint64_t random_next(uint64_t *state)
{
    uint64_t z = (*state += 0x9e3779b97f4a7c15ULL);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
    return z ^ (z >> 31);
}

START_TEST(buckets_follow_each_other)
{
    uint64_t next = 0;
    for (uint32_t i = 0; i < HISTOGRAM_BUCKETS; i++) {
        ck_assert_uint_eq(histogram_least(i), next);
        ck_assert_uint_eq(histogram_bucket(next), i);
        next += histogram_width(i);
        ck_assert_uint_eq(histogram_bucket(next - 1), i);
    }
    ck_assert_uint_eq(histogram_bucket(next), HISTOGRAM_BUCKETS - 1);
    ck_assert_uint_eq(histogram_bucket(UINT64_MAX), HISTOGRAM_BUCKETS - 1);
    ck_assert(next > 100 * SECOND_UNITS);
}
END_TEST

/* From 1 µs to 100 s, the middle of a bucket is within 1 % of every value in it. */
START_TEST(middle_is_within_one_percent)
{
    for (double value = SECOND_UNITS / 1e6; value < 100 * SECOND_UNITS; value *= 1.0003) {
        uint32_t bucket = histogram_bucket((uint64_t)value);
        double middle = (double)histogram_least(bucket) + ((double)histogram_width(bucket) - 1) / 2;
        ck_assert_double_le(fabs(middle - floor(value)) / value, 0.01);
    }
}
END_TEST

static int ascending(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

/*
 * Returns a value like a latency: most near 50 µs, one of a hundred near 2 ms, one of ten thousand
 * up to 100 s.
 */
static uint64_t latency_like(uint64_t *state)
{
    double u = (double)(random_next(state) >> 11) / 9007199254740992.0;
    uint64_t kind = random_next(state) % 10000;
    double scale_ns = kind == 0 ? 1e9 : kind < 100 ? 2e6 : 5e4;
    double ns = scale_ns * (0.1 - log(1 - u));
    return (uint64_t)(ns < 1e11 ? ns : 1e11) / HISTOGRAM_UNIT_NS;
}

START_TEST(percentiles_of_ten_million_values)
{
    enum { VALUES = 10000000 };
    static const double shares[] = {0.5, 0.75, 0.9, 0.99, 0.999, 0.9999};
    static struct histogram histogram;
    static struct distribution read;
    uint64_t *values = malloc(VALUES * sizeof(*values)), state = 1, sum = 0;
    ck_assert_ptr_nonnull(values);
    for (int i = 0; i < VALUES; i++) {
        values[i] = latency_like(&state);
        sum += values[i];
        histogram_count(&histogram, values[i]);
    }
    qsort(values, VALUES, sizeof(*values), ascending);
    distribution_add(&read, &histogram, sum);
    ck_assert_uint_eq(read.count, VALUES);
    for (size_t i = 0; i < sizeof(shares) / sizeof(shares[0]); i++) {
        double exact = (double)values[(size_t)ceil(shares[i] * VALUES) - 1];
        double told = distribution_percentile(&read, shares[i]);
        ck_assert_double_le(fabs(told - exact) / exact, 0.01);
    }
    double largest = (double)values[VALUES - 1];
    ck_assert_double_le(fabs(distribution_percentile(&read, 1) - largest) / largest, 0.01);
    free(values);
}
END_TEST

START_TEST(merged_equals_counted_together)
{
    static struct histogram parts[3], all;
    static struct distribution merged, together, part;
    uint64_t state = 7, sums[3] = {0}, sum = 0;
    for (int i = 0; i < 30000; i++) {
        uint64_t value = latency_like(&state);
        histogram_count(&parts[i % 3], value);
        histogram_count(&all, value);
        sums[i % 3] += value;
        sum += value;
    }
    for (int i = 0; i < 3; i++) {
        memset(&part, 0, sizeof(part));
        distribution_add(&part, &parts[i], sums[i]);
        distribution_merge(&merged, &part);
    }
    distribution_add(&together, &all, sum);
    ck_assert_int_eq(memcmp(&merged, &together, sizeof(merged)), 0);
}
END_TEST

START_TEST(since_is_what_came_after)
{
    static struct histogram histogram;
    static struct distribution before, now;
    histogram_count(&histogram, 5);
    distribution_add(&before, &histogram, 5);
    for (int i = 0; i < 9; i++)
        histogram_count(&histogram, 1000);
    distribution_add(&now, &histogram, 9005);
    distribution_since(&now, &before);
    ck_assert_uint_eq(now.count, 9);
    ck_assert_uint_eq(now.sum, 9000);
    ck_assert_double_eq(distribution_percentile(&now, 0), distribution_percentile(&now, 1));
    ck_assert_uint_eq(distribution_below(&now, 128), 0);
    ck_assert_uint_eq(distribution_below(&now, 1024), 9);
}
END_TEST

START_TEST(empty_tells_nothing)
{
    static struct distribution none;
    ck_assert_double_eq(distribution_percentile(&none, 0.5), 0);
    ck_assert_uint_eq(distribution_below(&none, 1000), 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("histogram");
    TCase *cases = tcase_create("histogram");
    tcase_set_timeout(cases, 60);
    tcase_add_test(cases, buckets_follow_each_other);
    tcase_add_test(cases, middle_is_within_one_percent);
    tcase_add_test(cases, percentiles_of_ten_million_values);
    tcase_add_test(cases, merged_equals_counted_together);
    tcase_add_test(cases, since_is_what_came_after);
    tcase_add_test(cases, empty_tells_nothing);
    suite_add_tcase(suite, cases);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
