/*
 * Tests of what experiment 14 says of made-up figures: each outcome gives its sentence and no
 * other.
 */
#include "lab.h"

#include <math.h>
#include <stdlib.h>

/*
 * An open loop with a service time of 100 µs. `wait` returns the waiting time at a load; all but
 * the service time has noise, in %.
 */
static void sweep(const char *service, double (*wait)(double load), double noise)
{
    static const double load[] = {0.1, 0.5, 0.8, 0.95, 1.2};
    for (unsigned l = 0; l < 5; l++)
        for (int r = -1; r <= 1; r++) {
            double waits = wait(load[l]) * (1 + 0.01 * noise * r);
            double most = load[l] < 0.98 ? 100 * load[l] / 2 / (1 - load[l]) : NAN;
            table_add(&lab_table,
                      "sweep=load loop=open service=%s load_of_capacity=%.2f repetition=%d "
                      "mean_us=%.6g waiting_us=%.6g service_us=100 predicted_us=%.6g",
                      service, load[l], r + 2, waits + 100, waits,
                      isnan(most) ? 0 : most * (strcmp(service, "varying") == 0 ? 2 : 1));
        }
}

static double equal(double load)
{
    return load < 0.98 ? 100 * load / 2 / (1 - load) : 20000;
}

static double varying(double load)
{
    return 2 * equal(load);
}

static double none(double load)
{
    return 0.1 * load;
}

static void loops(double open, double closed, double noise)
{
    lab_case("sweep=load service=varying loop=closed load_of_capacity=1.2", "p99_us", 400, 1);
    lab_case("sweep=load service=varying loop=open load_of_capacity=1.2", "p99_us", 40000, 1);
    lab_case("sweep=stall service=stalling loop=open", "p99_us", open, noise);
    lab_case("sweep=stall service=stalling loop=closed", "p99_us", closed, noise);
}

static void little(double seen, double law)
{
    table_add(&lab_table, "sweep=load service=disk loop=open requests_in_system=%.6g little=%.6g",
              seen, law);
}

static const char later[] =
    "requests get their responses later at 95 % of the capacity than at 10 %";
static const char formula[] = "wait as long as Pollaczek and Khinchine say at 80 % of the capacity";
static const char longer[] = "varying requests wait longer than equal ones";
static const char law[] = "Little's law";
static const char omission[] = "(coordinated omission)";

START_TEST(hockey_stick)
{
    lab_given("queueing");
    sweep("fixed", equal, 2);
    sweep("varying", varying, 2);
    lab_find("queueing");
    ck_assert_uint_eq(lab_said(FINDING_HELD, later), 2);
    ck_assert_uint_eq(lab_said(FINDING_HELD, formula), 2);
    ck_assert_uint_eq(lab_said(FINDING_HELD, longer), 1);
    ck_assert_uint_eq(lab_said(FINDING_FACT,
                               "At 95 % of the capacity a response to equal requests takes 1.05 "
                               "ms: 950 µs of waiting and 100 µs of service"),
                      1);
    ck_assert_uint_eq(lab_said(FINDING_FACT, "equal requests takes twice the service or longer "
                                             "from 80 % of the capacity on"),
                      1);
    ck_assert_uint_eq(lab_said(FINDING_FACT, "varying requests takes twice the service or longer "
                                             "from 80 % of the capacity on"),
                      1);
    ck_assert_uint_eq(lab_said(FINDING_NOT_HELD, ""), 0);
    ck_assert_uint_eq(lab_said(FINDING_OPEN, ""), 0);
    ck_assert_uint_eq(lab_findings.count, 9);
}
END_TEST

START_TEST(nothing_waits)
{
    lab_given("queueing");
    sweep("fixed", none, 1);
    sweep("varying", none, 1);
    lab_find("queueing");
    ck_assert_uint_eq(lab_said(FINDING_NOT_HELD, later), 2);
    ck_assert_uint_eq(lab_said(FINDING_NOT_HELD, "woke up only"), 0);
    ck_assert_uint_eq(lab_said(FINDING_NOT_HELD, "wakes up only when it is busy"), 2);
    ck_assert_uint_eq(lab_said(FINDING_NOT_HELD, formula), 2);
    ck_assert_uint_eq(lab_said(FINDING_NOT_HELD, longer), 1);
    ck_assert_uint_eq(
        lab_said(FINDING_FACT, "never takes twice the service, up to 120 % of the capacity"), 2);
    ck_assert_uint_eq(lab_said(FINDING_HELD, ""), 0);
}
END_TEST

START_TEST(noise_decides_nothing)
{
    lab_given("queueing");
    sweep("fixed", equal, 95);
    sweep("varying", equal, 95);
    loops(4000, 4100, 90);
    lab_find("queueing");
    ck_assert_uint_eq(lab_said(FINDING_OPEN, later), 2);
    ck_assert_uint_eq(lab_said(FINDING_OPEN, formula), 2);
    ck_assert_uint_eq(lab_said(FINDING_OPEN, longer), 1);
    ck_assert_uint_eq(lab_said(FINDING_OPEN, omission), 1);
    ck_assert_uint_eq(lab_said(FINDING_OPEN, "too noisy to tell from which load on"), 2);
    ck_assert_uint_eq(lab_said(-1, "takes twice the service or longer"), 0);
    ck_assert_uint_eq(lab_said(FINDING_HELD, ""), 0);
    ck_assert_uint_eq(lab_said(FINDING_NOT_HELD, ""), 0);
}
END_TEST

START_TEST(law_holds_or_not)
{
    static const double seen[] = {10.2, 13};
    for (int i = 0; i < 2; i++) {
        lab_given("queueing");
        little(1, 1.001);
        little(seen[i], 10);
        lab_find("queueing");
        ck_assert_uint_eq(lab_said(FINDING_HELD, law), i == 0);
        ck_assert_uint_eq(lab_said(FINDING_NOT_HELD, law), i == 1);
        ck_assert_uint_eq(lab_said(-1, i ? "at most 30.0 %" : "at most 2.0 %"), 1);
        ck_assert_uint_eq(lab_findings.count, 1);
    }
}
END_TEST

START_TEST(closed_loop_omits_or_not)
{
    static const double open[] = {20000, 400};
    for (int i = 0; i < 2; i++) {
        lab_given("queueing");
        loops(open[i], 400, 1);
        lab_find("queueing");
        ck_assert_uint_eq(lab_said(FINDING_HELD, omission), i == 0);
        ck_assert_uint_eq(lab_said(FINDING_NOT_HELD, omission), i == 1);
        ck_assert_uint_eq(
            lab_said(FINDING_FACT, "an open loop (120 % of the capacity) has 100 times the p99"),
            1);
        ck_assert_uint_eq(lab_said(FINDING_FACT, "seen by an open loop has 50 times"), i == 0);
        ck_assert_uint_eq(lab_said(FINDING_FACT, "do not differ in p99 latency"), i == 1);
        ck_assert_uint_eq(lab_findings.count, 3);
    }
}
END_TEST

START_TEST(nothing_measured)
{
    lab_given("queueing");
    lab_find("queueing");
    ck_assert_uint_eq(lab_findings.count, 1);
    ck_assert_uint_eq(lab_said(FINDING_OPEN, "Nothing was measured."), 1);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("lab_queueing");
    TCase *cases = tcase_create("findings");
    tcase_add_test(cases, hockey_stick);
    tcase_add_test(cases, nothing_waits);
    tcase_add_test(cases, noise_decides_nothing);
    tcase_add_test(cases, law_holds_or_not);
    tcase_add_test(cases, closed_loop_omits_or_not);
    tcase_add_test(cases, nothing_measured);
    suite_add_tcase(suite, cases);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
