/*
 * Tests of what experiment 4 says of made-up figures: each outcome gives its sentence and no other.
 */
#include "lab.h"

#include <math.h>
#include <stdlib.h>

enum { CPUS = 4 };

/* Sets MB/s of 1 to 16 readers: proportional up to `until` readers; all are multiplied by `all`. */
static void readers(const char *work, const char *files, double until, double all, double noise)
{
    char factors[160];
    for (int threads = 1; threads <= 16; threads *= 2) {
        snprintf(factors, sizeof factors, "work=%s files=%s threads=%d cpus=%d", work, files,
                 threads, CPUS);
        lab_case(factors, "mb_per_s", all * fmin(threads, until), noise);
    }
}

static const char one_a_cpu[] = "Expected: warm, as many readers as there are CPUs";
static const char no_more[] = "Expected: warm, more readers than CPUs";
static const char turns[] = "Expected: readers that share a descriptor";
static const char waiting[] = "Expected: with O_DIRECT the most readers";
static const char ahead[] = "Expected: the most cold streams";
static const char many_warm[] = "Expected: warm, the most readers move as much of many files";
static const char many_direct[] = "Expected: with O_DIRECT, the most readers move as much";

START_TEST(all_holds)
{
    lab_given("threads");
    readers("warm", "one", CPUS, 1000, 1);
    readers("warm", "many", CPUS, 1000, 1);
    readers("warm", "shared", 1, 800, 1);
    readers("direct", "one", 16, 50, 1);
    readers("direct", "many", 16, 50, 1);
    readers("streams", "one", 8, 100, 1);
    lab_find("threads");
    ck_assert_uint_eq(lab_said(FINDING_FACT, "Warm readers of one file bends at 4"), 1);
    ck_assert_uint_eq(lab_said(FINDING_FACT, "Readers of one file with O_DIRECT bends nowhere"), 1);
    ck_assert_uint_eq(lab_said(FINDING_FACT, "Cold streams of one file bends at 8"), 1);
    ck_assert_uint_eq(lab_said(FINDING_FACT, "Warm readers of one file: 16 reach 4.00 times the "
                                             "MB/s of 1, 25 % of the ideal; up to 8"),
                      1);
    ck_assert_uint_eq(lab_said(FINDING_HELD, one_a_cpu), 1);
    ck_assert_uint_eq(lab_said(FINDING_HELD, no_more), 1);
    ck_assert_uint_eq(lab_said(FINDING_HELD, turns), 1);
    ck_assert_uint_eq(lab_said(FINDING_HELD, waiting), 1);
    ck_assert_uint_eq(lab_said(FINDING_HELD, ahead), 1);
    ck_assert_uint_eq(lab_said(FINDING_HELD, many_warm), 1);
    ck_assert_uint_eq(lab_said(FINDING_HELD, many_direct), 1);
    ck_assert_uint_eq(lab_findings.count, 13);
}
END_TEST

START_TEST(all_is_contradicted)
{
    lab_given("threads");
    readers("warm", "one", 1, 1000, 1);
    readers("warm", "many", 1, 3000, 1);
    readers("warm", "shared", CPUS, 1000, 1);
    readers("direct", "one", 1, 50, 1);
    readers("direct", "many", 1, 150, 1);
    readers("streams", "one", 1, 100, 1);
    lab_find("threads");
    ck_assert_uint_eq(lab_said(FINDING_NOT_HELD, one_a_cpu), 1);
    ck_assert_uint_eq(lab_said(FINDING_NOT_HELD, "may be hyper-threads"), 1);
    ck_assert_uint_eq(lab_said(FINDING_NOT_HELD, turns), 1);
    ck_assert_uint_eq(lab_said(FINDING_NOT_HELD, waiting), 1);
    ck_assert_uint_eq(lab_said(FINDING_NOT_HELD, "serves one at a time"), 1);
    ck_assert_uint_eq(lab_said(FINDING_NOT_HELD, ahead), 1);
    ck_assert_uint_eq(lab_said(FINDING_NOT_HELD, many_warm), 1);
    ck_assert_uint_eq(lab_said(FINDING_NOT_HELD, many_direct), 1);
    /* 16 readers are as good as 4: both are as 1. */
    ck_assert_uint_eq(lab_said(FINDING_HELD, no_more), 1);
    ck_assert_uint_eq(lab_said(FINDING_HELD, ""), 1);
    ck_assert_uint_eq(lab_said(FINDING_FACT, "have no more MB/s than 1 beyond the noise"), 3);
    ck_assert_uint_eq(lab_said(FINDING_FACT, "bends nowhere"), 3);
}
END_TEST

/* More readers than CPUs are faster in the first case, and slower in the second. */
START_TEST(beyond_the_cpus)
{
    static const double until[] = {16, CPUS};
    for (int i = 0; i < 2; i++) {
        lab_given("threads");
        readers("warm", "one", until[i], 1000, 1);
        if (i == 1) lab_case("work=warm files=one threads=32 cpus=4", "mb_per_s", 1500, 1);
        lab_find("threads");
        ck_assert_uint_eq(lab_said(FINDING_NOT_HELD, no_more), 1);
        ck_assert_uint_eq(lab_said(FINDING_HELD, one_a_cpu), 1);
        ck_assert_uint_eq(lab_said(-1, "Expected"), 2);
        ck_assert_uint_eq(lab_said(FINDING_FACT, "bends nowhere"), i == 0);
    }
}
END_TEST

/* The expectation also holds when readers that take turns are slower than one reader. */
START_TEST(turns_cost)
{
    lab_given("threads");
    readers("warm", "one", CPUS, 1000, 1);
    lab_case("work=warm files=shared threads=1 cpus=4", "mb_per_s", 1000, 1);
    lab_case("work=warm files=shared threads=4 cpus=4", "mb_per_s", 400, 1);
    lab_find("threads");
    ck_assert_uint_eq(lab_said(FINDING_HELD, turns), 1);
    ck_assert_uint_eq(lab_said(FINDING_NOT_HELD, ""), 0);
}
END_TEST

START_TEST(noise_decides_nothing)
{
    lab_given("threads");
    readers("warm", "one", CPUS, 1000, 90);
    readers("warm", "shared", 1, 1000, 90);
    readers("direct", "one", 2, 50, 90);
    readers("streams", "one", 2, 50, 90);
    readers("direct", "many", 2, 50, 90);
    lab_find("threads");
    ck_assert_uint_eq(lab_said(FINDING_OPEN, one_a_cpu), 1);
    ck_assert_uint_eq(lab_said(FINDING_OPEN, no_more), 1);
    ck_assert_uint_eq(lab_said(FINDING_OPEN, turns), 1);
    ck_assert_uint_eq(lab_said(FINDING_OPEN, waiting), 1);
    ck_assert_uint_eq(lab_said(FINDING_OPEN, ahead), 1);
    ck_assert_uint_eq(lab_said(FINDING_OPEN, many_direct), 1);
    ck_assert_uint_eq(lab_said(FINDING_OPEN, "too noisy to tell whether 16 have more MB/s"), 3);
    ck_assert_uint_eq(lab_said(FINDING_HELD, ""), 0);
    ck_assert_uint_eq(lab_said(FINDING_NOT_HELD, ""), 0);
    ck_assert_uint_eq(lab_said(-1, "bends at"), 0);
}
END_TEST

/* With one CPU nothing is expected of a second reader. */
START_TEST(one_cpu)
{
    lab_given("threads");
    lab_case("work=warm files=one threads=1 cpus=1", "mb_per_s", 1000, 1);
    lab_case("work=warm files=one threads=2 cpus=1", "mb_per_s", 1000, 1);
    lab_case("work=warm files=shared threads=1 cpus=1", "mb_per_s", 1000, 1);
    lab_find("threads");
    ck_assert_uint_eq(lab_said(FINDING_HELD, no_more), 1);
    ck_assert_uint_eq(lab_said(-1, "Expected"), 1);
    ck_assert_uint_eq(lab_said(FINDING_OPEN, "2 points are too few"), 1);
}
END_TEST

START_TEST(nothing_measured)
{
    lab_given("threads");
    lab_find("threads");
    ck_assert_uint_eq(lab_findings.count, 1);
    ck_assert_uint_eq(lab_said(FINDING_OPEN, "Nothing was measured."), 1);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("lab_threads");
    TCase *cases = tcase_create("findings");
    tcase_add_test(cases, all_holds);
    tcase_add_test(cases, all_is_contradicted);
    tcase_add_test(cases, beyond_the_cpus);
    tcase_add_test(cases, turns_cost);
    tcase_add_test(cases, noise_decides_nothing);
    tcase_add_test(cases, one_cpu);
    tcase_add_test(cases, nothing_measured);
    suite_add_tcase(suite, cases);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
