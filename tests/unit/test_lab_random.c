/*
 * Tests of what experiment 2 says of made-up figures: each outcome gives its sentence and no other.
 */
#include "lab.h"

#include <math.h>
#include <stdlib.h>

/* Sets reads per second with 1 to 256 reads under way: they grow up to `until`. */
static void depths(const char *mode, double until, double noise)
{
    char factors[96];
    for (int depth = 1; depth <= 256; depth *= 4) {
        snprintf(factors, sizeof factors, "sweep=depth mode=%s under_way=%d", mode, depth);
        lab_case(factors, "iops", 1000 * fmin(depth, until), noise);
    }
}

static const char expected[] = "Expected: 16 reads under way";

START_TEST(depth_helps_and_bends)
{
    lab_given("random");
    depths("ring", 16, 1);
    lab_find("random");
    ck_assert_uint_eq(lab_said(FINDING_HELD, expected), 1);
    ck_assert_uint_eq(lab_said(FINDING_FACT, "over reads under way in a ring bends at 16"), 1);
    ck_assert_uint_eq(lab_said(FINDING_FACT,
                               "256 reach 16.00 times the operations/s of 1, 6 % of the ideal; "
                               "up to 16"),
                      1);
    ck_assert_uint_eq(lab_said(FINDING_NOT_HELD, ""), 0);
}
END_TEST

START_TEST(depth_helps_everywhere)
{
    lab_given("random");
    depths("ring", 1000, 1);
    lab_find("random");
    ck_assert_uint_eq(lab_said(FINDING_FACT, "bends nowhere"), 1);
    ck_assert_uint_eq(lab_said(-1, "bends at"), 0);
    ck_assert_uint_eq(lab_said(FINDING_FACT, "100 % of the ideal; up to 256"), 1);
}
END_TEST

START_TEST(depth_does_not_help)
{
    lab_given("random");
    depths("ring", 1, 1);
    lab_find("random");
    ck_assert_uint_eq(lab_said(FINDING_NOT_HELD, expected), 1);
    ck_assert_uint_eq(lab_said(FINDING_NOT_HELD, "serves one at a time"), 1);
    ck_assert_uint_eq(lab_said(FINDING_FACT, "256 have no more operations/s than 1"), 1);
    ck_assert_uint_eq(lab_said(FINDING_HELD, ""), 0);
}
END_TEST

START_TEST(noise_decides_nothing)
{
    lab_given("random");
    depths("ring", 1, 60);
    lab_find("random");
    ck_assert_uint_eq(lab_said(FINDING_OPEN, expected), 1);
    ck_assert_uint_eq(lab_said(FINDING_OPEN, "too noisy to tell whether 256"), 1);
    ck_assert_uint_eq(lab_said(FINDING_HELD, "") + lab_said(FINDING_NOT_HELD, ""), 0);
    ck_assert_uint_eq(lab_said(-1, "bends at"), 0);
}
END_TEST

START_TEST(modes_are_compared)
{
    lab_given("random");
    depths("ring", 1000, 1);
    depths("threads", 8, 1);
    depths("fixed", 1000, 1);
    lab_find("random");
    ck_assert_uint_eq(
        lab_said(FINDING_FACT,
                 "a ring with 16 under way has 2 times the operations/s of 16 threads"),
        1);
    ck_assert_uint_eq(lab_said(FINDING_FACT, "fixed and a plain ring (16 under way) do not differ"),
                      1);
    ck_assert_uint_eq(lab_said(-1, "sqpoll"), 0);
}
END_TEST

START_TEST(amplification_of_a_page_or_more)
{
    static const double usual[] = {8, 64};
    for (int i = 0; i < 2; i++) {
        lab_given("random");
        lab_case("sweep=amplification path=buffered readahead=default", "amplification", usual[i],
                 1);
        lab_case("sweep=amplification path=buffered readahead=off", "amplification", 8, 1);
        lab_find("random");
        ck_assert_uint_eq(lab_said(FINDING_FACT, i ? "64.0 times as much" : "8.0 times as much"),
                          1);
        ck_assert_uint_eq(lab_said(FINDING_HELD, "read-ahead adds nothing"), i == 0);
        ck_assert_uint_eq(lab_said(FINDING_NOT_HELD, "read-ahead adds nothing"), i == 1);
        ck_assert_uint_eq(lab_findings.count, 2);
    }
}
END_TEST

START_TEST(amplification_without_counters)
{
    lab_given("random");
    table_add(&lab_table, "sweep=amplification path=buffered readahead=default iops=5");
    lab_find("random");
    ck_assert_uint_eq(lab_findings.count, 1);
    ck_assert_uint_eq(lab_said(FINDING_OPEN, "no counters"), 1);
}
END_TEST

START_TEST(samples_settle)
{
    lab_given("random");
    lab_case("sweep=samples samples=100", "p99_us", 500, 20);
    lab_case("sweep=samples samples=1000", "p99_us", 500, 2);
    lab_find("random");
    ck_assert_uint_eq(
        lab_said(FINDING_FACT, "differs by 40 % with 100 samples, and by 4 % with 1000"), 1);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("lab_random");
    TCase *cases = tcase_create("findings");
    tcase_add_test(cases, depth_helps_and_bends);
    tcase_add_test(cases, depth_helps_everywhere);
    tcase_add_test(cases, depth_does_not_help);
    tcase_add_test(cases, noise_decides_nothing);
    tcase_add_test(cases, modes_are_compared);
    tcase_add_test(cases, amplification_of_a_page_or_more);
    tcase_add_test(cases, amplification_without_counters);
    tcase_add_test(cases, samples_settle);
    suite_add_tcase(suite, cases);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
