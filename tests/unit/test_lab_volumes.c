/*
 * Tests of what experiment 13 says of made-up figures: each outcome gives its sentence and no
 * other.
 */
#include "lab.h"

#include <math.h>
#include <stdlib.h>

/*
 * Sets a general volume of 3,000 IOPS and 125 MB/s, for blocks of 4 KiB to 1 MiB, on a disk with
 * its own limits.
 */
static void blocks(const char *type, double iops, double mb, double noise)
{
    for (double block = 4096; block <= 1 << 20; block *= 2)
        for (int r = -1; r <= 1; r++) {
            double rate = fmin(iops, mb * 1e6 / block) * (1 + 0.01 * noise * r);
            table_add(&lab_table,
                      "sweep=block type=%s block_bytes=%.10g repetition=%d iops=%.10g "
                      "mb_per_s=%.10g limit_iops=3000 limit_mb_per_s=125 of_iops=%.10g "
                      "of_mb_per_s=%.10g",
                      type, block, r + 2, rate, rate * block / 1e6, rate / 3000,
                      rate * block / 125e6);
        }
}

static const char gives_iops[] = "a general volume gives its 3,000 IOPS with blocks of 4 KiB";
static const char gives_mb[] = "a general volume gives its 125 MB/s with blocks of 1 MiB";
static const char knee[] = "the limit changes from IOPS to bytes per second at 41 KiB";

START_TEST(both_limits_and_the_knee)
{
    lab_given("volumes");
    blocks("general", 3000, 125, 1);
    lab_find("volumes");
    ck_assert_uint_eq(lab_said(FINDING_HELD, gives_iops), 1);
    ck_assert_uint_eq(lab_said(FINDING_HELD, gives_mb), 1);
    ck_assert_uint_eq(lab_said(FINDING_FACT, "MB/s of a general volume over the block bends at"),
                      1);
    ck_assert_uint_eq(lab_said(FINDING_HELD, knee), 1);
    ck_assert_uint_eq(lab_findings.count, 4);
}
END_TEST

START_TEST(knee_elsewhere)
{
    lab_given("volumes");
    blocks("general", 3000, 1000, 1);
    lab_find("volumes");
    ck_assert_uint_eq(lab_said(FINDING_NOT_HELD, knee), 1);
    ck_assert_uint_eq(lab_said(FINDING_NOT_HELD, "the bend is at 256 KiB"), 1);
    ck_assert_uint_eq(lab_said(FINDING_NOT_HELD, "keeps to its 125 MB/s with blocks of 1 MiB"), 1);
    ck_assert_uint_eq(lab_said(FINDING_HELD, gives_iops), 1);
    ck_assert_uint_eq(lab_findings.count, 4);
}
END_TEST

START_TEST(disk_is_slower_than_the_limits)
{
    lab_given("volumes");
    blocks("general", 1e9, 20, 1);
    lab_find("volumes");
    ck_assert_uint_eq(lab_said(FINDING_NOT_HELD, knee), 1);
    ck_assert_uint_eq(lab_said(FINDING_NOT_HELD, "there is no bend beyond the noise"), 1);
    ck_assert_uint_eq(lab_said(FINDING_NOT_HELD, "reaches its 125 MB/s with blocks of 1 MiB. It "
                                                 "did not hold: 20 MB/s. This machine's own disk"),
                      1);
    ck_assert_uint_eq(lab_said(FINDING_HELD, ""), 0);
}
END_TEST

START_TEST(limits_within_the_noise)
{
    lab_given("volumes");
    blocks("general", 3000, 125, 40);
    lab_find("volumes");
    ck_assert_uint_eq(lab_said(FINDING_OPEN, "reaches its 3,000 IOPS with blocks of 4 KiB. It is "
                                             "too noisy to tell"),
                      1);
    ck_assert_uint_eq(lab_said(FINDING_OPEN, "reaches its 125 MB/s with blocks of 1 MiB"), 1);
    ck_assert_uint_eq(lab_said(-1, gives_iops) + lab_said(-1, gives_mb), 0);
}
END_TEST

static void depths(double latency_us, double noise)
{
    char factors[96];
    for (int depth = 1; depth <= 64; depth *= 8) {
        double iops = fmin(3000, depth * 1e6 / latency_us);
        snprintf(factors, sizeof factors, "sweep=depth type=general under_way=%d", depth);
        lab_case(factors, "iops", iops, noise);
        lab_case(factors, "mean_us", depth * 1e6 / iops, noise);
    }
}

START_TEST(depth_beyond_the_limit)
{
    static const double latency[] = {300, 30000, 300};
    static const double noise[] = {1, 1, 95};
    static const int kind[] = {FINDING_HELD, FINDING_NOT_HELD, FINDING_OPEN};
    for (int i = 0; i < 3; i++) {
        lab_given("volumes");
        depths(latency[i], noise[i]);
        lab_find("volumes");
        ck_assert_uint_eq(lab_said(kind[i], "64 reads under way give no more IOPS than 8"), 1);
        ck_assert_uint_eq(lab_said(kind[i], "64 reads under way only take longer than 8"), 1);
        ck_assert_uint_eq(lab_findings.count, 2);
    }
}
END_TEST

START_TEST(stripes_add_up_or_not)
{
    static const double most[] = {1e9, 12, 1e9};
    static const double noise[] = {1, 1, 99};
    static const int kind[] = {FINDING_HELD, FINDING_NOT_HELD, FINDING_OPEN};
    for (int i = 0; i < 3; i++) {
        lab_given("volumes");
        for (int count = 1; count <= 8; count *= 2) {
            char factors[96];
            snprintf(factors, sizeof factors,
                     "sweep=stripe type=general block_bytes=4096 volumes=%d", count);
            lab_case(factors, "mb_per_s", fmin(12.0 * count, most[i]), noise[i]);
            lab_case(factors, "iops", fmin(12.0 * count, most[i]) * 244, noise[i]);
        }
        lab_find("volumes");
        ck_assert_uint_eq(
            lab_said(kind[i], "8 striped volumes move more than 1 in blocks of 4 KiB"), 1);
        ck_assert_uint_eq(lab_said(FINDING_FACT, "8 reach 8.00 times the operations/s of 1"),
                          i == 0);
        ck_assert_uint_eq(lab_said(FINDING_FACT, "8 have no more operations/s than 1"), i == 1);
        ck_assert_uint_eq(lab_findings.count, 2);
    }
}
END_TEST

START_TEST(credit_runs_out_or_not)
{
    static const double last[] = {1200, 3000, 3000};
    static const double noise[] = {1, 1, 90};
    static const int kind[] = {FINDING_HELD, FINDING_NOT_HELD, FINDING_OPEN};
    for (int i = 0; i < 3; i++) {
        lab_given("volumes");
        lab_case("sweep=burst type=burst asked=500", "iops", 3000, noise[i]);
        lab_case("sweep=burst type=burst asked=4000", "iops", last[i], noise[i]);
        if (i == 0) lab_case("sweep=burst type=burst asked=4000", "burst_s", 0.5, 1);
        lab_find("volumes");
        ck_assert_uint_eq(lab_said(kind[i], "a short run, for which the credit lasts"), 1);
        ck_assert_uint_eq(lab_said(FINDING_FACT, "Burst credit lasted 0.50 s: 500 reads came with "
                                                 "3,000 IOPS, 4000 with 1,200 on average."),
                          i == 0);
        ck_assert_uint_eq(lab_findings.count, i == 0 ? 2 : 1);
    }
}
END_TEST

START_TEST(nothing_measured)
{
    lab_given("volumes");
    lab_find("volumes");
    ck_assert_uint_eq(lab_findings.count, 1);
    ck_assert_uint_eq(lab_said(FINDING_OPEN, "Nothing was measured."), 1);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("lab_volumes");
    TCase *cases = tcase_create("findings");
    tcase_add_test(cases, both_limits_and_the_knee);
    tcase_add_test(cases, knee_elsewhere);
    tcase_add_test(cases, disk_is_slower_than_the_limits);
    tcase_add_test(cases, limits_within_the_noise);
    tcase_add_test(cases, depth_beyond_the_limit);
    tcase_add_test(cases, stripes_add_up_or_not);
    tcase_add_test(cases, credit_runs_out_or_not);
    tcase_add_test(cases, nothing_measured);
    suite_add_tcase(suite, cases);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
