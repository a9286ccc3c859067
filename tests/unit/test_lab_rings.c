/*
 * Tests of what experiment 6 says of made-up figures: each outcome gives its sentence and no other.
 */
#include "lab.h"

#include <stdlib.h>

/* Sets requests per second and mean latency of one layout in batches of 1 to 4096. */
static void batches(const char *layout, double iops, double latency, double noise)
{
    char factors[128];
    for (int batch = 1; batch <= 4096; batch *= 8) {
        snprintf(factors, sizeof factors,
                 "sweep=batch work=cached layout=%s threads=2 batch=%d mean_us=%.6g "
                 "syscalls_per_op=%.9g",
                 layout, batch, latency * batch, 1.0 / batch);
        lab_case(factors, "iops", iops, noise);
    }
}

static void sync_reads(double iops, double latency)
{
    char factors[128];
    snprintf(factors, sizeof factors,
             "sweep=batch work=cached layout=sync threads=2 batch=1 mean_us=%.6g syscalls_per_op=1",
             latency);
    lab_case(factors, "iops", iops, 1);
}

static void nops(const char *layout, int threads, double iops, double noise)
{
    char factors[128];
    snprintf(factors, sizeof factors, "sweep=threads work=nop layout=%s threads=%d batch=32",
             layout, threads);
    lab_case(factors, "iops", iops, noise);
}

START_TEST(claims_that_hold)
{
    lab_given("rings");
    sync_reads(1e6, 2);
    batches("private", 2e6, 0.2, 1);
    nops("private", 2, 1e7, 1);
    nops("shared", 2, 5e3, 1);
    nops("mixed", 2, 5e4, 1);
    lab_find("rings");
    ck_assert_uint_eq(lab_said(FINDING_HELD, "Claimed: 80 % more IOPS"), 1);
    ck_assert_uint_eq(lab_said(FINDING_HELD, "Claimed: 77 % less latency"), 1);
    ck_assert_uint_eq(lab_said(FINDING_HELD, "Claimed: system calls down to 1/4096"), 1);
    ck_assert_uint_eq(lab_said(FINDING_HELD, "Claimed: 1,000 times"), 1);
    ck_assert_uint_eq(lab_said(FINDING_HELD, "Claimed: 100 times"), 1);
    ck_assert_uint_eq(lab_said(FINDING_HELD, "(sweep=threads work=nop threads=2) is 2e+03"), 1);
    ck_assert_uint_eq(lab_said(FINDING_NOT_HELD, ""), 0);
}
END_TEST

START_TEST(claims_that_do_not_hold)
{
    lab_given("rings");
    sync_reads(1e6, 2);
    batches("private", 1.2e6, 2.1, 1);
    nops("private", 1, 1e7, 1);
    nops("private", 2, 2e7, 1);
    nops("shared", 2, 4e6, 1);
    nops("mixed", 2, 2e6, 1);
    lab_find("rings");
    ck_assert_uint_eq(lab_said(FINDING_NOT_HELD, "Claimed: 80 % more IOPS"), 1);
    ck_assert_uint_eq(lab_said(FINDING_NOT_HELD, "the copy of 4 KiB"), 1);
    ck_assert_uint_eq(lab_said(FINDING_NOT_HELD, "Claimed: 77 % less latency"), 1);
    ck_assert_uint_eq(lab_said(FINDING_NOT_HELD, "in batches of 1, over that by pread is 1.05"), 1);
    ck_assert_uint_eq(lab_said(FINDING_NOT_HELD, "is 5 (4.8"), 1);
    ck_assert_uint_eq(lab_said(FINDING_NOT_HELD, "costs a private ring 100 ns, so the other layout "
                                                 "would have to waste 100 µs"),
                      1);
    ck_assert_uint_eq(lab_said(FINDING_NOT_HELD, "would have to waste 10 µs"), 1);
    ck_assert_uint_eq(lab_said(FINDING_HELD, "Claimed"), 1); /* the claim about system calls */
    ck_assert_uint_eq(lab_said(FINDING_OPEN, "Claimed"), 0);
}
END_TEST

START_TEST(calls_that_are_not_spared)
{
    lab_given("rings");
    sync_reads(1e6, 2);
    for (int r = 1; r <= 3; r++)
        table_add(&lab_table,
                  "sweep=batch work=cached layout=private threads=2 batch=4096 repetition=%d "
                  "iops=%d syscalls_per_op=0.01",
                  r, 1000000 + r);
    lab_find("rings");
    ck_assert_uint_eq(lab_said(FINDING_NOT_HELD, "Claimed: system calls"), 1);
    ck_assert_uint_eq(lab_said(FINDING_HELD, ""), 0);
}
END_TEST

START_TEST(noise_and_single_figures_decide_nothing)
{
    lab_given("rings");
    sync_reads(1e6, 2);
    batches("private", 1.8e6, 0.2, 20);
    nops("private", 2, 1e7, 60);
    nops("shared", 2, 1e7, 60);
    table_add(&lab_table, "sweep=threads work=nop layout=mixed threads=2 batch=32 iops=9000");
    lab_find("rings");
    ck_assert_uint_eq(lab_said(FINDING_OPEN, "Claimed: 80 % more IOPS"), 1);
    /* This claim, and that about the lock. */
    ck_assert_uint_eq(lab_said(FINDING_OPEN, "too noisy to tell"), 2);
    ck_assert_uint_eq(lab_said(FINDING_OPEN, "Claimed: 100 times between private rings and a "
                                             "common completion queue. It was not measured often"),
                      1);
    ck_assert_uint_eq(lab_said(FINDING_OPEN, "Expected: with 2 threads"), 1);
    ck_assert_uint_eq(lab_said(-1, "bends at"), 0);
    ck_assert_uint_eq(lab_said(FINDING_NOT_HELD, "Claimed: 1,000 times"),
                      1); /* the figure is far from the claim */
    ck_assert_uint_eq(lab_said(FINDING_NOT_HELD, ""), 1);
}
END_TEST

START_TEST(locks_cost_or_do_not)
{
    static const double shared[] = {2e6, 1e7, 2e7};
    for (int i = 0; i < 3; i++) {
        lab_given("rings");
        nops("private", 4, 1e7, 1);
        nops("shared", 4, shared[i], 1);
        nops("private", 1, 5e6, 1);
        nops("shared", 1, 5e6, 1);
        lab_find("rings");
        ck_assert_uint_eq(lab_said(FINDING_HELD, "Expected: with 4 threads"), i == 0);
        ck_assert_uint_eq(lab_said(FINDING_NOT_HELD, "Expected: with 4 threads"), i > 0);
        ck_assert_uint_eq(lab_said(FINDING_NOT_HELD, "no difference beyond the noise"), i == 1);
        ck_assert_uint_eq(lab_said(FINDING_FACT, "a private ring with one thread and a shared one"),
                          1);
    }
}
END_TEST

START_TEST(batches_bend_or_do_not)
{
    for (int bends = 0; bends < 2; bends++) {
        char factors[96];
        lab_given("rings");
        for (int batch = 1; batch <= 4096; batch *= 4) {
            int rate = bends && batch > 64 ? 64 : batch;
            snprintf(factors, sizeof factors, "sweep=batch layout=private batch=%d", batch);
            lab_case(factors, "iops", 1e4 * rate, 1);
        }
        lab_find("rings");
        ck_assert_uint_eq(lab_said(FINDING_FACT, "private rings over the batch bends at 64"),
                          bends == 1);
        ck_assert_uint_eq(lab_said(FINDING_FACT, "over the batch bends nowhere"), bends == 0);
        ck_assert_uint_eq(lab_said(FINDING_FACT, "The best batch for cached reads"), 1);
        ck_assert_uint_eq(lab_said(-1, "Claimed"), 0); /* there is nothing to compare with */
    }
}
END_TEST

START_TEST(two_locks_and_threads)
{
    lab_given("rings");
    lab_case("sweep=device layout=split batch=32", "iops", 3e4, 1);
    lab_case("sweep=device layout=shared batch=32", "iops", 1e4, 1);
    for (int threads = 1; threads <= 4; threads *= 2) {
        char factors[96];
        snprintf(factors, sizeof factors, "sweep=threads work=cached layout=private threads=%d",
                 threads);
        lab_case(factors, "iops", 1e6 * threads, 1);
    }
    lab_find("rings");
    ck_assert_uint_eq(
        lab_said(FINDING_FACT, "one ring with two locks (direct, batches of 32) has 3"), 1);
    ck_assert_uint_eq(lab_said(FINDING_FACT, "4 reach 4.00 times the operations/s of 1"), 1);
    ck_assert_uint_eq(lab_findings.count, 2);
}
END_TEST

START_TEST(nothing_was_measured)
{
    lab_given("rings");
    lab_find("rings");
    ck_assert_uint_eq(lab_findings.count, 1);
    ck_assert_uint_eq(lab_said(FINDING_OPEN, "Nothing was measured"), 1);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("lab_rings");
    TCase *cases = tcase_create("findings");
    tcase_add_test(cases, claims_that_hold);
    tcase_add_test(cases, claims_that_do_not_hold);
    tcase_add_test(cases, calls_that_are_not_spared);
    tcase_add_test(cases, noise_and_single_figures_decide_nothing);
    tcase_add_test(cases, locks_cost_or_do_not);
    tcase_add_test(cases, batches_bend_or_do_not);
    tcase_add_test(cases, two_locks_and_threads);
    tcase_add_test(cases, nothing_was_measured);
    suite_add_tcase(suite, cases);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
