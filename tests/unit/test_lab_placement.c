/*
 * Tests of what experiment 12 says of made-up figures: each outcome gives its sentence and no
 * other.
 */
#include "lab.h"

#include <stdlib.h>

static void trip(const char *work, const char *place, double us, double noise)
{
    char factors[128];
    snprintf(factors, sizeof factors, "sweep=pair work=%s place=%s neighbour=none mean_us=%.6g",
             work, place, us);
    lab_case(factors, "median_us", us, noise);
}

static void beside(const char *work, const char *neighbour, const char *figure, double value,
                   double noise)
{
    char factors[128];
    snprintf(factors, sizeof factors, "sweep=neighbour work=%s place=pinned neighbour=%s", work,
             neighbour);
    lab_case(factors, figure, value, noise);
}

static void reads_from(int cpu, double us, double share, double noise)
{
    char factors[128];
    snprintf(factors, sizeof factors, "sweep=interrupt work=read cpu=%d interrupts_here=%.3g", cpu,
             share);
    lab_case(factors, "median_us", us, noise);
}

static const char by_pipe[] = "Expected: a round trip by pipe takes less on one CPU";
static const char by_spinning[] = "Expected: spinning between two cores takes less";
static const char not_felt[] = "Expected: a neighbour on another core does not slow down";
static const char halved[] = "Expected: a thread computes less beside a neighbour on the same CPU";
static const char late[] = "Expected: a thread that sleeps wakes up later";
static const char behind[] = "Expected: a direct read takes longer beside neighbours";

START_TEST(pairs_as_expected)
{
    lab_given("placement");
    trip("pipe", "same", 5, 1);
    trip("pipe", "core", 20, 1);
    trip("pipe", "free", 20, 1);
    trip("spin", "core", 0.3, 1);
    lab_find("placement");
    ck_assert_uint_eq(lab_said(FINDING_HELD, by_pipe), 1);
    ck_assert_uint_eq(lab_said(FINDING_HELD, by_spinning), 1);
    ck_assert_uint_eq(lab_said(FINDING_FACT, "a round trip by pipe (wherever the kernel puts them) "
                                             "and one between two cores do not differ"),
                      1);
    ck_assert_uint_eq(lab_findings.count, 3);
}
END_TEST

START_TEST(pairs_to_the_contrary)
{
    lab_given("placement");
    trip("pipe", "same", 20, 1);
    trip("pipe", "core", 5, 1);
    trip("spin", "core", 50, 1);
    lab_find("placement");
    ck_assert_uint_eq(lab_said(FINDING_NOT_HELD, by_pipe), 1);
    ck_assert_uint_eq(lab_said(FINDING_NOT_HELD, by_spinning), 1);
    ck_assert_uint_eq(lab_said(FINDING_HELD, ""), 0);
    ck_assert_uint_eq(lab_findings.count, 2);
}
END_TEST

START_TEST(neighbours_as_expected)
{
    lab_given("placement");
    beside("compute", "none", "iops", 1000, 1);
    beside("compute", "same_cpu", "iops", 500, 1);
    beside("compute", "other_cpu", "iops", 1000, 1);
    beside("wake", "none", "p99_us", 60, 1);
    beside("wake", "same_cpu", "p99_us", 3000, 1);
    beside("read", "none", "mean_us", 100, 1);
    beside("read", "disk", "mean_us", 9000, 1);
    lab_find("placement");
    ck_assert_uint_eq(lab_said(FINDING_HELD, halved), 1);
    ck_assert_uint_eq(lab_said(FINDING_HELD, not_felt), 1);
    ck_assert_uint_eq(lab_said(FINDING_HELD, late), 1);
    ck_assert_uint_eq(lab_said(FINDING_HELD, behind), 1);
    ck_assert_uint_eq(lab_said(FINDING_FACT, "on the same CPU has 0.5 times the operations/s"), 1);
    ck_assert_uint_eq(lab_findings.count, 5);
}
END_TEST

START_TEST(neighbours_to_the_contrary)
{
    lab_given("placement");
    beside("compute", "none", "iops", 1000, 1);
    beside("compute", "same_cpu", "iops", 1000, 1);
    beside("compute", "other_cpu", "iops", 700, 1);
    beside("wake", "none", "p99_us", 60, 1);
    beside("wake", "same_cpu", "p99_us", 60, 1);
    beside("read", "none", "mean_us", 100, 1);
    beside("read", "disk", "mean_us", 100, 1);
    lab_find("placement");
    ck_assert_uint_eq(lab_said(FINDING_NOT_HELD, halved), 1);
    ck_assert_uint_eq(lab_said(FINDING_NOT_HELD, not_felt), 1);
    ck_assert_uint_eq(lab_said(FINDING_NOT_HELD, late), 1);
    ck_assert_uint_eq(lab_said(FINDING_NOT_HELD, behind), 1);
    ck_assert_uint_eq(lab_said(FINDING_HELD, ""), 0);
}
END_TEST

START_TEST(noise_decides_nothing)
{
    lab_given("placement");
    trip("pipe", "same", 15, 60);
    trip("pipe", "core", 20, 60);
    beside("compute", "none", "iops", 1000, 60);
    beside("compute", "other_cpu", "iops", 700, 60);
    lab_find("placement");
    ck_assert_uint_eq(lab_said(FINDING_OPEN, by_pipe), 1);
    ck_assert_uint_eq(lab_said(FINDING_OPEN, not_felt), 1);
    ck_assert_uint_eq(lab_findings.count, 2);
}
END_TEST

START_TEST(interrupts_arrive_somewhere)
{
    lab_given("placement");
    reads_from(0, 60, 0, 1);
    reads_from(1, 50, 1, 1);
    lab_find("placement");
    ck_assert_uint_eq(lab_said(FINDING_FACT, "CPU 1 got 100 % while it read, CPU 0 0 %"), 1);
    ck_assert_uint_eq(lab_said(FINDING_FACT, "a direct read from CPU 1 has 0.833 times"), 1);
    ck_assert_uint_eq(lab_findings.count, 2);
}
END_TEST

START_TEST(interrupts_arrive_everywhere)
{
    lab_given("placement");
    reads_from(0, 60, 0.9, 1);
    reads_from(1, 50, 1, 1);
    lab_find("placement");
    ck_assert_uint_eq(lab_said(FINDING_FACT, "so evenly that a read is as fast from each CPU"), 1);
    ck_assert_uint_eq(lab_said(-1, "a direct read from CPU"), 0);
}
END_TEST

START_TEST(interrupts_are_not_known)
{
    lab_given("placement");
    lab_case("sweep=interrupt work=read cpu=0", "median_us", 60, 1);
    lab_case("sweep=interrupt work=read cpu=1", "median_us", 60, 1);
    lab_find("placement");
    ck_assert_uint_eq(lab_said(FINDING_OPEN, "Where the device's interrupts arrive is not known"),
                      1);
    ck_assert_uint_eq(lab_findings.count, 1);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("lab_placement");
    TCase *cases = tcase_create("findings");
    tcase_add_test(cases, pairs_as_expected);
    tcase_add_test(cases, pairs_to_the_contrary);
    tcase_add_test(cases, neighbours_as_expected);
    tcase_add_test(cases, neighbours_to_the_contrary);
    tcase_add_test(cases, noise_decides_nothing);
    tcase_add_test(cases, interrupts_arrive_somewhere);
    tcase_add_test(cases, interrupts_arrive_everywhere);
    tcase_add_test(cases, interrupts_are_not_known);
    suite_add_tcase(suite, cases);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
