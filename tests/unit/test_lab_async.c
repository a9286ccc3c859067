/*
 * Tests of what experiment 9 says of made-up figures: each outcome gives its sentence and no other.
 */
#include "lab.h"

#include <stdlib.h>

static const char threads[] = "Expected: 16 threads that wait for the device";
static const char turns[] = "Expected: POSIX aio on one descriptor";
static const char each[] = "Expected: POSIX aio reads more with a descriptor for each read";
static const char four[] = "Expected: libuv, with its four threads";
static const char kernel[] = "Expected: io_uring and Linux aio read as much";
static const char handing[] = "Expected: from memory, one at a time, handing a read to a thread";
static const char ring[] = "Expected: from memory, io_uring with 16 under way";

static void speed(const char *way, const char *path, int under_way, double iops, double noise)
{
    char factors[120];
    snprintf(factors, sizeof factors, "sweep=speed way=%s path=%s under_way=%d", way, path,
             under_way);
    lab_case(factors, "iops", iops, noise);
}

static void everything(bool as_expected, double noise)
{
    double x = as_expected ? 4 : 1;
    lab_given("async");
    speed("pread", "direct", 1, 1000, noise);
    speed("pool", "direct", 16, 1000 * x, noise);
    speed("libuv", "direct", 16, 1000, noise);
    speed("posix-aio", "direct", 1, as_expected ? 1000 : 250, noise);
    speed("posix-aio", "direct", 16, 1000, noise);
    speed("posix-aio-fds", "direct", 16, 1000 * x, noise);
    speed("linux-aio", "direct", 16, 4000, noise);
    speed("uring", "direct", 16, as_expected ? 4000 : 1000, noise);
    speed("pread", "warm", 1, 1000 * x, noise);
    speed("pool", "warm", 1, 1000, noise);
    speed("pool", "warm", 16, 1000, noise);
    speed("uring", "warm", 16, 1000 * x, noise);
    lab_find("async");
}

static void all_are(enum finding_kind kind)
{
    static const char *const sentence[] = {threads, turns, each, four, kernel, handing, ring};
    lab_each_said(kind, sentence, sizeof sentence / sizeof *sentence);
    ck_assert_uint_eq(lab_said(-1, "Expected"), 7);
}

START_TEST(all_holds)
{
    everything(true, 1);
    all_are(FINDING_HELD);
    ck_assert_uint_eq(lab_said(FINDING_FACT, "io_uring (O_DIRECT, 16 under way) and a pool of 16 "
                                             "threads do not differ in operations/s"),
                      1);
    ck_assert_uint_eq(lab_findings.count, 8);
}
END_TEST

START_TEST(all_is_contradicted)
{
    everything(false, 1);
    all_are(FINDING_NOT_HELD);
    ck_assert_uint_eq(lab_said(FINDING_NOT_HELD, "limits it, serves one at a time"), 1);
    ck_assert_uint_eq(lab_said(FINDING_NOT_HELD, "A C library other than glibc"), 1);
    ck_assert_uint_eq(lab_said(FINDING_NOT_HELD, "the C library is not glibc"), 1);
    ck_assert_uint_eq(lab_said(FINDING_NOT_HELD, "UV_THREADPOOL_SIZE was set"), 1);
    ck_assert_uint_eq(lab_said(FINDING_NOT_HELD, "needs more CPU for a read"), 1);
    ck_assert_uint_eq(lab_said(FINDING_NOT_HELD, "Waking a thread costs next to nothing"), 1);
    ck_assert_uint_eq(lab_said(FINDING_NOT_HELD, "that the ring does not use"), 1);
}
END_TEST

START_TEST(noise_decides_nothing)
{
    everything(true, 95);
    all_are(FINDING_OPEN);
    ck_assert_uint_eq(lab_said(FINDING_HELD, ""), 0);
    ck_assert_uint_eq(lab_said(FINDING_NOT_HELD, ""), 0);
}
END_TEST

START_TEST(calls_beneath_are_told)
{
    lab_given("async");
    for (int r = -1; r <= 1; r++)
        table_add(&lab_table,
                  "sweep=beneath way=libuv path=direct under_way=16 iops=100 syscalls_per_op=%g "
                  "transfer_calls=1 ring_calls=0 lock_calls=2 event_calls=1 threads=5",
                  4 + 0.5 * r);
    table_add(&lab_table, "sweep=beneath way=uring path=direct under_way=16 iops=100 "
                          "syscalls_per_op=0.0625 transfer_calls=0 ring_calls=0.0625 lock_calls=0 "
                          "event_calls=0 threads=1");
    lab_find("async");
    ck_assert_uint_eq(
        lab_said(FINDING_FACT,
                 "What libuv does: 4.00 system calls a read (3.50 to 4.50): 1.00 read, 0.00 are of "
                 "a ring, 2.00 of locks, 1.00 of an event loop; 5 threads."),
        1);
    ck_assert_uint_eq(lab_said(FINDING_FACT, "What uring does: 0.06 system calls a read"), 1);
    ck_assert_uint_eq(lab_said(FINDING_FACT, "of an event loop; 1 thread."), 1);
    ck_assert_uint_eq(lab_findings.count, 2);
}
END_TEST

START_TEST(runtimes_are_compared)
{
    static const struct {
        const char *way;
        int iops, user;
    } row[] = {{"libuv", 1000, 1}, {"node", 500, 4}, {"pool", 1000, 2}, {"python", 100, 20}};
    lab_given("async");
    for (unsigned i = 0; i < 4; i++)
        for (int r = 0; r < 3; r++)
            table_add(&lab_table,
                      "sweep=speed way=%s path=warm under_way=16 iops=%d user_us_per_op=%d",
                      row[i].way, row[i].iops, row[i].user);
    lab_find("async");
    ck_assert_uint_eq(
        lab_said(FINDING_FACT, "node (from memory, 16 under way) has 0.5 times the operations/s"),
        1);
    ck_assert_uint_eq(
        lab_said(FINDING_FACT, "node has 4 times the user CPU per operation of libuv"), 1);
    ck_assert_uint_eq(
        lab_said(FINDING_FACT, "python (from memory, 16 under way) has 0.1 times the operations/s"),
        1);
    ck_assert_uint_eq(
        lab_said(FINDING_FACT, "python has 10 times the user CPU per operation of a pool in C"), 1);
    ck_assert_uint_eq(lab_findings.count, 4);
}
END_TEST

START_TEST(nothing_measured)
{
    lab_given("async");
    lab_find("async");
    ck_assert_uint_eq(lab_findings.count, 1);
    ck_assert_uint_eq(lab_said(FINDING_OPEN, "Nothing was measured."), 1);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("lab_async");
    TCase *cases = tcase_create("findings");
    tcase_add_test(cases, all_holds);
    tcase_add_test(cases, all_is_contradicted);
    tcase_add_test(cases, noise_decides_nothing);
    tcase_add_test(cases, calls_beneath_are_told);
    tcase_add_test(cases, runtimes_are_compared);
    tcase_add_test(cases, nothing_measured);
    suite_add_tcase(suite, cases);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
