/*
 * Tests of src/tool/interval.c and explain.c: differences of readings, what is computed of them,
 * and that two servers are not taken for one.
 */
#include "tool/interval.h"

#include "recorded.h"
#include "tool/explain.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static void snapshot_recorded(const char *name, struct snapshot *out)
{
    char problem[SNAPSHOT_PROBLEM_MAX] = "";
    size_t length;
    char *text = recorded_read(name, &length);
    ck_assert_msg(snapshot_parse(text, length, out, problem) == 0, "%s", problem);
    free(text);
}

START_TEST(two_requests_between)
{
    struct snapshot before, now;
    struct interval interval;
    char problem[INTERVAL_PROBLEM_MAX] = "";
    snapshot_recorded("status.json", &before);
    snapshot_recorded("status-later.json", &now);
    ck_assert_msg(interval_between(&interval, &before, &now, problem) == 0, "%s", problem);
    ck_assert_uint_eq(interval.total.requests, 2);
    ck_assert_uint_eq(interval.total.accepted, 2);
    ck_assert_uint_eq(interval.workers, 1);
    ck_assert_uint_eq(interval.worker[0].requests, 2);
    ck_assert_uint_eq(slot_measured(&interval.total, PHASE_TOTAL, SOURCE_COUNT), 2);
    ck_assert_uint_eq(slot_measured(&interval.total, PHASE_TOTAL, SOURCE_MEMORY), 2);
    ck_assert_uint_eq(interval.total.measure[MEASURE_REQUESTS]->count, 2);
    ck_assert_double_eq(slot_measure(&interval.total, MEASURE_REQUESTS, 1), 1);
    ck_assert_double_eq(slot_measure_mean(&interval.total, MEASURE_REQUESTS), 1);
    ck_assert_double_eq(slot_hit_share(&interval.total), 1);
    ck_assert_double_gt(slot_calls_per_request(&interval.total), 3);
    ck_assert_double_eq_tol(interval.seconds, 0.141555, 1e-6);
    ck_assert_double_ge(worker_cpu_seconds(&interval, 0), 0);
    /* The earlier reading has not changed. */
    ck_assert_uint_eq(now.total.requests, 39894);
    interval_free(&interval);
    snapshot_free(&before);
    snapshot_free(&now);
}
END_TEST

START_TEST(backwards_is_told)
{
    struct snapshot before, now;
    struct interval interval;
    char problem[INTERVAL_PROBLEM_MAX] = "";
    snapshot_recorded("status.json", &before);
    snapshot_recorded("status-later.json", &now);
    ck_assert_int_eq(interval_between(&interval, &now, &before, problem), -1);
    ck_assert_ptr_nonnull(strstr(problem, "started again"));
    ck_assert_ptr_null(interval.worker);
    now.started_seconds += 5; /* started again quickly, and busier than before */
    ck_assert_int_eq(interval_between(&interval, &before, &now, problem), -1);
    now.started_seconds -= 5;
    now.total.calls[CALL_SEND] = 1;
    ck_assert_int_eq(interval_between(&interval, &before, &now, problem), -1);
    ck_assert_ptr_nonnull(strstr(problem, "calls decreased"));
    now.total.calls[CALL_SEND] = before.total.calls[CALL_SEND];
    for (int i = 0; i < HISTOGRAM_BUCKETS; i++)
        now.worker[0].measure[MEASURE_TURN]->bucket[i] = 0;
    ck_assert_int_eq(interval_between(&interval, &before, &now, problem), -1);
    ck_assert_ptr_nonnull(strstr(problem, "a histogram decreased"));
    snapshot_free(&before);
    snapshot_free(&now);
}
END_TEST

/* Threads share a process, so its CPU time belongs to none of them. Ended threads are reported. */
START_TEST(cpu_is_of_whom_it_is)
{
    struct slot_snapshot slots[3] = {
        {.index = 0, .process = 7}, {.index = 1, .process = 7}, {.index = 2, .process = 8}};
    struct process_snapshot old[2] = {{.name = "worker", .pid = 7, .user_seconds = 1},
                                      {.name = "worker", .pid = 9, .user_seconds = 1}};
    struct process_snapshot new[3] = {
        {.name = "worker", .pid = 7, .user_seconds = 1.5, .system_seconds = 0.25},
        {.name = "worker", .pid = 8, .user_seconds = 0.125},
        {.name = "status", .pid = 10, .user_seconds = 100}};
    struct snapshot before = {.monotonic_seconds = 1, .process = old, .processes = 2};
    struct snapshot now = {
        .monotonic_seconds = 3, .worker = slots, .workers = 3, .process = new, .processes = 3};
    struct interval interval;
    char problem[INTERVAL_PROBLEM_MAX] = "";
    ck_assert_msg(interval_between(&interval, &before, &now, problem) == 0, "%s", problem);
    ck_assert(isnan(worker_cpu_seconds(&interval, 0)));
    ck_assert(isnan(worker_cpu_seconds(&interval, 1)));
    ck_assert_double_eq(worker_cpu_seconds(&interval, 2), 0.125);
    ck_assert_double_eq(interval.user_seconds, 0.625);
    ck_assert_double_eq(interval.system_seconds, 0.25);
    ck_assert_uint_eq(interval.replaced, 1);
    interval_free(&interval);
}
END_TEST

START_TEST(nothing_is_unknown_and_not_zero)
{
    struct slot_snapshot none = {0};
    ck_assert(isnan(slot_calls_per_request(&none)));
    ck_assert(isnan(slot_hit_share(&none)));
    ck_assert_double_eq(slot_percentile_ns(&none, PHASE_TOTAL, SOURCE_COUNT, 0.5), 0);
    ck_assert_double_eq(slot_stall_ns(&none), 0);
}
END_TEST

/*
 * 1000 turns of 100 units in 10,000,000 ns: a loop is in a turn for 16 % of the time, and half of
 * the turn is left on average.
 */
static struct interval turning(struct distribution *turns)
{
    turns->bucket[100] = 1000;
    turns->count = 1000;
    turns->sum = 100000;
    struct interval interval = {.seconds = 0.01, .workers = 1};
    interval.total.measure[MEASURE_TURN] = turns;
    return interval;
}

START_TEST(waiting_for_a_turn)
{
    struct distribution turns = {0};
    struct interval interval = turning(&turns);
    ck_assert_double_eq_tol(turn_share(&interval), 0.16, 1e-9);
    ck_assert_double_eq_tol(turn_wait_ns(&interval), 0.16 * 50 * 16, 1e-6);
    /* One turn of a hundred is a hundred times as long. Most of the waiting is for such turns. */
    turns.bucket[histogram_bucket(10000)] = 10;
    turns.count += 10;
    turns.sum += 100000;
    double residual = (1000 * 100.0 * 100 + 10 * 1e8) / (2 * 200000.0) * 16;
    ck_assert_double_eq_tol(turn_wait_ns(&interval) / (0.32 * residual), 1, 0.02);
}
END_TEST

static void explained(const struct interval *interval, const struct load_client *client,
                      const struct child *child, char *space, size_t size)
{
    FILE *out = fmemopen(space, size, "w");
    ck_assert_ptr_nonnull(out);
    explain(interval, client, child, out);
    fclose(out);
}

static void said(const char *text, const char *wanted)
{
    ck_assert_msg(strstr(text, wanted) != NULL, "no \"%s\" in: %s", wanted, text);
}

START_TEST(sentences)
{
    struct distribution turns = {0}, total = {.count = 1000, .sum = 1000000};
    struct interval interval = turning(&turns);
    struct load_client client = {.name = "wrk", .resolution_ns = 1e3};
    struct child child = {.seconds = 1, .user_seconds = 0.3, .system_seconds = 0.6};
    char text[4096] = "";
    total.bucket[histogram_bucket(1000)] = 1000; /* 16 µs for each request */
    interval.total.latency[PHASE_TOTAL][SOURCE_MEMORY] = &total;
    interval.total.requests = 1003;
    interval.total.accepted = 4;
    for (int i = 0; i < CLIENT_FIGURES; i++)
        client.figure[i] = NAN;
    client.figure[CLIENT_REQUESTS] = 1000;
    client.figure[CLIENT_CONNECTIONS] = 4;
    client.figure[CLIENT_SECONDS] = 1;
    client.figure[CLIENT_MEAN_NS] = 3.9e6;
    client.figure[CLIENT_P50_NS] = 116e3;
    explained(&interval, &client, &child, text, sizeof(text));
    said(text, "counted 3 requests more than wrk");
    said(text, "At p50 wrk waited 116 ");
    said(text, "the other 99.9 ");
    said(text, "in a turn 16.0 % of the time");
    said(text, "used 90.0 % of a CPU, so responses waited for the client");
    said(text, "4 connections / 1,000 a second = 4.00 ms");
    said(text, "ran 0.0 % of the time");
    ck_assert_ptr_null(strstr(text, "new connection"));
    client.figure[CLIENT_MEAN_NS] = 1e6;
    client.figure[CLIENT_REQUESTS] = 1003;
    interval.total.accepted = 1003;
    interval.system_seconds = 0.008; /* of 0.01 in all */
    explained(&interval, &client, &child, text, sizeof(text));
    said(text, "Both counted 1,003 requests");
    said(text, "100.0 % of the requests came on a new connection");
    said(text, "passed in wrk itself");
    ck_assert_ptr_null(strstr(text, "worker processes ran"));
    client.name = NULL;
    explained(&interval, &client, &child, text, sizeof(text));
    said(text, "Nothing to compare with");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("interval");
    TCase *cases = tcase_create("interval");
    tcase_add_test(cases, two_requests_between);
    tcase_add_test(cases, backwards_is_told);
    tcase_add_test(cases, cpu_is_of_whom_it_is);
    tcase_add_test(cases, nothing_is_unknown_and_not_zero);
    tcase_add_test(cases, waiting_for_a_turn);
    tcase_add_test(cases, sentences);
    suite_add_tcase(suite, cases);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
