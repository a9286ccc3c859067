/*
 * Tests of what experiment 8 says of made-up figures: each outcome gives its sentence and no other.
 */
#include "lab.h"

#include <stdlib.h>

/* Sets the cost of an event: `call` µs, and `each` µs for each idle descriptor. */
static void events(const char *way, double call, double each, double noise)
{
    char factors[96];
    for (int idle = 10; idle <= 10000; idle *= 10) {
        snprintf(factors, sizeof factors, "sweep=idle way=%s idle=%d", way, idle);
        lab_case(factors, "median_us", call + each * idle, noise);
    }
}

static void others(const char *way, const char *slow, double latency, double noise)
{
    char factors[96];
    snprintf(factors, sizeof factors, "sweep=slow way=%s clients=10 slow=%s", way, slow);
    lab_case(factors, "median_us", latency, noise);
}

static const char poll_grows[] = "Expected: an event by poll costs more beside 10000 idle";
static const char epoll_is_flat[] = "Expected: an event by epoll costs no more beside 10000 idle";

START_TEST(poll_grows_and_epoll_does_not)
{
    lab_given("multiplex");
    events("poll", 2, 0.02, 1);
    events("epoll", 3, 0, 1);
    lab_find("multiplex");
    ck_assert_uint_eq(lab_said(FINDING_HELD, poll_grows), 1);
    ck_assert_uint_eq(lab_said(FINDING_HELD, epoll_is_flat), 1);
    ck_assert_uint_eq(lab_said(FINDING_FACT,
                               "adds 0.02 µs to an event by poll: 2.2 µs beside 10 of "
                               "them, 202 µs beside 10,000"),
                      1);
    ck_assert_uint_eq(lab_said(FINDING_FACT, "cheaper than by poll from 100 idle descriptors on; "
                                             "with 10 it is not"),
                      1);
    ck_assert_uint_eq(lab_said(FINDING_FACT, "An event by poll over the idle descriptors bends at"),
                      1);
    ck_assert_uint_eq(lab_said(FINDING_NOT_HELD, "") + lab_said(FINDING_OPEN, ""), 0);
    ck_assert_uint_eq(lab_findings.count, 5);
}
END_TEST

START_TEST(the_contrary)
{
    lab_given("multiplex");
    events("poll", 2, 0, 1);
    events("epoll", 3, 0.02, 1);
    lab_find("multiplex");
    ck_assert_uint_eq(lab_said(FINDING_NOT_HELD, poll_grows), 1);
    ck_assert_uint_eq(lab_said(FINDING_NOT_HELD, epoll_is_flat), 1);
    ck_assert_uint_eq(lab_said(FINDING_NOT_HELD, "the ratio is 63.4"), 1);
    ck_assert_uint_eq(lab_said(-1, "Each idle descriptor"), 0);
    ck_assert_uint_eq(
        lab_said(FINDING_FACT, "Up to 10000 idle descriptors an event by epoll is not cheaper"), 1);
    ck_assert_uint_eq(lab_said(FINDING_FACT, "bends nowhere"), 1);
    ck_assert_uint_eq(lab_said(FINDING_HELD, ""), 0);
}
END_TEST

START_TEST(epoll_is_always_cheaper)
{
    lab_given("multiplex");
    events("poll", 9, 0.02, 1);
    events("epoll", 3, 0, 1);
    lab_find("multiplex");
    ck_assert_uint_eq(
        lab_said(FINDING_FACT, "number of idle descriptors that was tried, 10 to 10000"), 1);
    ck_assert_uint_eq(lab_said(-1, "is not cheaper") + lab_said(-1, "descriptors on"), 0);
}
END_TEST

START_TEST(noise_decides_nothing)
{
    lab_given("multiplex");
    events("poll", 2, 0, 60);
    events("epoll", 3, 0, 60);
    others("epoll", "none", 40, 60);
    others("epoll", "inline", 60, 60);
    others("epoll", "thread", 50, 60);
    lab_find("multiplex");
    ck_assert_uint_eq(lab_said(FINDING_OPEN, poll_grows), 1);
    ck_assert_uint_eq(lab_said(FINDING_OPEN, epoll_is_flat), 1);
    ck_assert_uint_eq(lab_said(FINDING_OPEN, "a read that blocks the loop (epoll)"), 1);
    ck_assert_uint_eq(lab_said(FINDING_OPEN, "a slow read in another thread"), 1);
    ck_assert_uint_eq(lab_said(FINDING_HELD, "") + lab_said(FINDING_NOT_HELD, ""), 0);
    ck_assert_uint_eq(lab_said(-1, "bends at") + lab_said(-1, "Each idle"), 0);
}
END_TEST

START_TEST(once_is_not_enough)
{
    lab_given("multiplex");
    table_add(&lab_table, "sweep=idle way=epoll idle=10 median_us=3");
    table_add(&lab_table, "sweep=idle way=epoll idle=900 median_us=3");
    lab_find("multiplex");
    ck_assert_uint_eq(lab_said(FINDING_OPEN, "It was not measured often enough to tell"), 1);
    ck_assert_uint_eq(lab_findings.count, 1);
}
END_TEST

START_TEST(ways_are_compared)
{
    lab_given("multiplex");
    events("epoll", 3, 0, 1);
    events("none", 1.5, 0, 1);
    events("edge", 4.5, 0, 1);
    events("uring_recv", 3, 0, 1);
    lab_case("sweep=clients way=epoll clients=1000", "iops", 1e5, 1);
    lab_case("sweep=clients way=uring_recv clients=1000", "iops", 2e5, 1);
    lab_find("multiplex");
    ck_assert_uint_eq(
        lab_said(FINDING_FACT, "none has 0.5 times the median latency of epoll beside 10 idle"), 1);
    ck_assert_uint_eq(lab_said(FINDING_FACT, "edge has 1.5 times the median latency of epoll"), 1);
    ck_assert_uint_eq(
        lab_said(FINDING_FACT, "uring_recv and epoll beside 10 idle descriptors do not"), 1);
    ck_assert_uint_eq(lab_said(FINDING_FACT, "uring_recv has 2 times the operations/s of an echo "
                                             "server by epoll with 1000 clients"),
                      1);
    ck_assert_uint_eq(lab_said(-1, "oneshot") + lab_said(-1, "uring_poll"), 0);
}
END_TEST

START_TEST(a_slow_read_blocks_or_not)
{
    for (int blocks = 0; blocks < 2; blocks++) {
        lab_given("multiplex");
        others("uring_poll", "none", 40, 1);
        others("uring_poll", "inline", blocks ? 10000 : 40, 1);
        others("uring_poll", "ring", 40, 1);
        lab_find("multiplex");
        enum finding_kind kind = blocks ? FINDING_HELD : FINDING_NOT_HELD;
        ck_assert_uint_eq(lab_said((int)kind, "a read that blocks the loop (uring_poll)"), 1);
        ck_assert_uint_eq(lab_said((int)kind, "a slow read by the ring leaves"), 1);
        ck_assert_uint_eq(
            lab_said(FINDING_FACT, "the others beside slow reads by the ring and the same without"),
            1);
        ck_assert_uint_eq(lab_findings.count, 3);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("lab_multiplex");
    TCase *cases = tcase_create("findings");
    tcase_add_test(cases, poll_grows_and_epoll_does_not);
    tcase_add_test(cases, the_contrary);
    tcase_add_test(cases, epoll_is_always_cheaper);
    tcase_add_test(cases, noise_decides_nothing);
    tcase_add_test(cases, once_is_not_enough);
    tcase_add_test(cases, ways_are_compared);
    tcase_add_test(cases, a_slow_read_blocks_or_not);
    suite_add_tcase(suite, cases);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
