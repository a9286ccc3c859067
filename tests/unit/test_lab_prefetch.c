/*
 * Tests of what experiment 11 says of made-up figures: each outcome gives its sentence and no
 * other.
 */
#include "lab.h"

#include <stdlib.h>

static void who(const char *trace, const char *method, double mean_us, double hit_rate,
                double noise)
{
    for (int r = -1; r <= 1; r++)
        table_add(
            &lab_table,
            "sweep=who trace=%s method=%s repetition=%d mean_us=%.6g hit_rate=%.6g waste=0.25",
            trace, method, r + 2, mean_us * (1 + 0.01 * noise * r), hit_rate);
}

static const char sequence[] = "the kernel's read-ahead makes sequential reads quicker";
static const char strides[] = "the kernel's read-ahead does not see strides";
static const char predicted[] = "a predictor of strides makes strided reads quicker";
static const char unpredicted[] = "at random places a predictor of strides helps nothing";
static const char announced[] = "at random places a program that announces its reads waits less";

/* Sets figures for five expectations: `helped` is a read with expected help, `other` without. */
static void all(double helped, double other, double noise)
{
    static const char *const trace[] = {"sequential", "strided", "random"};
    lab_given("prefetch");
    for (int i = 0; i < 3; i++)
        who(trace[i], "none", 100, 0, noise);
    who("sequential", "kernel", helped, 1, noise);
    who("strided", "kernel", other, 0, noise);
    who("strided", "predictor", helped, 1, noise);
    who("random", "predictor", other, 0, noise);
    who("random", "willneed", helped, 1, noise);
    lab_find("prefetch");
}

START_TEST(everything_held)
{
    all(5, 101, 1);
    ck_assert_uint_eq(lab_said(FINDING_HELD, ""), 5);
    ck_assert_uint_eq(lab_said(FINDING_HELD, sequence), 1);
    ck_assert_uint_eq(lab_said(FINDING_HELD, strides), 1);
    ck_assert_uint_eq(lab_said(FINDING_HELD, predicted), 1);
    ck_assert_uint_eq(lab_said(FINDING_HELD, unpredicted), 1);
    ck_assert_uint_eq(lab_said(FINDING_HELD, announced), 1);
    ck_assert_uint_eq(lab_said(FINDING_FACT,
                               "A read of the strided trace: none 100 µs (0 % hits, 25 % waste); "
                               "kernel 101 µs (0 % hits, 25 % waste); predictor 5 µs "
                               "(100 % hits, 25 % waste) (repetitions differ by up to 2 %)."),
                      1);
    ck_assert_uint_eq(lab_findings.count, 8);
}
END_TEST

START_TEST(contradictions_are_told_and_explained)
{
    all(100, 30, 1);
    ck_assert_uint_eq(lab_said(FINDING_HELD, ""), 0);
    ck_assert_uint_eq(lab_said(FINDING_OPEN, ""), 0);
    ck_assert_uint_eq(lab_said(FINDING_NOT_HELD, sequence), 1);
    ck_assert_uint_eq(lab_said(FINDING_NOT_HELD, "Read-ahead is off or small here"), 1);
    ck_assert_uint_eq(lab_said(FINDING_NOT_HELD, strides), 1);
    ck_assert_uint_eq(lab_said(FINDING_NOT_HELD, "pages that the kernel reads around"), 1);
    ck_assert_uint_eq(lab_said(FINDING_NOT_HELD, predicted), 1);
    ck_assert_uint_eq(lab_said(FINDING_NOT_HELD, unpredicted), 1);
    ck_assert_uint_eq(lab_said(FINDING_NOT_HELD, announced), 1);
}
END_TEST

START_TEST(noise_decides_nothing)
{
    all(100, 100, 80);
    ck_assert_uint_eq(lab_said(FINDING_HELD, ""), 0);
    ck_assert_uint_eq(lab_said(FINDING_NOT_HELD, ""), 0);
    ck_assert_uint_eq(lab_said(FINDING_OPEN, "It is too noisy to tell"), 5);
}
END_TEST

START_TEST(recorded_trace_is_compared)
{
    lab_given("prefetch");
    who("recorded", "none", 100, 0.07, 1);
    who("recorded", "kernel", 50, 0.6, 1);
    who("recorded", "predictor", 50.2, 0.5, 1);
    lab_find("prefetch");
    ck_assert_uint_eq(lab_said(FINDING_FACT, "the kernel's read-ahead (recorded trace) has 0.5 "
                                             "times the mean latency of none"),
                      1);
    ck_assert_uint_eq(lab_said(FINDING_FACT, "the predictor (recorded trace) and the kernel's "
                                             "read-ahead do not differ in mean latency"),
                      1);
    ck_assert_uint_eq(lab_findings.count, 3);
}
END_TEST

static void aheads(double least, double noise)
{
    char factors[96];
    lab_given("prefetch");
    for (int ahead = 1; ahead <= 64; ahead *= 2) {
        double us = 80.0 / ahead > least ? 80.0 / ahead : least;
        snprintf(factors, sizeof factors, "sweep=ahead trace=random method=willneed ahead=%d",
                 ahead);
        lab_case(factors, "mean_us", us, noise);
    }
    lab_find("prefetch");
}

START_TEST(distance_bends_or_not)
{
    aheads(10, 1);
    ck_assert_uint_eq(lab_said(FINDING_FACT, "they are announced at bends at 8: before it falls as "
                                             "x^-1.00, after it is flat"),
                      1);
    ck_assert_uint_eq(lab_said(FINDING_FACT, "The best distance to announce random reads at is 8"),
                      1);
    aheads(0, 1);
    ck_assert_uint_eq(lab_said(FINDING_FACT, "bends nowhere between 1 and 64"), 1);
    ck_assert_uint_eq(lab_said(FINDING_FACT, "random reads at is 64"), 1);
    aheads(80, 60);
    ck_assert_uint_eq(lab_said(FINDING_OPEN, "random reads at seems to be"), 1);
    ck_assert_uint_eq(lab_said(-1, "bends at"), 0);
}
END_TEST

START_TEST(nothing_measured)
{
    lab_given("prefetch");
    lab_find("prefetch");
    ck_assert_uint_eq(lab_findings.count, 1);
    ck_assert_uint_eq(lab_said(FINDING_OPEN, "Nothing was measured."), 1);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("lab_prefetch");
    TCase *cases = tcase_create("findings");
    tcase_add_test(cases, everything_held);
    tcase_add_test(cases, contradictions_are_told_and_explained);
    tcase_add_test(cases, noise_decides_nothing);
    tcase_add_test(cases, recorded_trace_is_compared);
    tcase_add_test(cases, distance_bends_or_not);
    tcase_add_test(cases, nothing_measured);
    suite_add_tcase(suite, cases);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
