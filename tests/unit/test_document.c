/*
 * Tests of src/status/document*.c: a board with known figures, shown as metrics and as JSON.
 * promtool and a schema check whole documents (tests/integration/status.py).
 */
#define _GNU_SOURCE
#include "status/document.h"

#include <arpa/inet.h>
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SLOTS 3

static struct service service;
static struct status_shared *shared;
static struct status_subject subject;
static struct document *document;
static char *text;

static void set_up(void)
{
    char problem[256];
    service = (struct service){.workers = SLOTS, .processes = SLOTS, .connections_max = 77};
    service.board = stats_board_open(SLOTS);
    service.store.memory_bytes_max = 4096;
    service.memory_most = 123456;
    service.addresses = 2;
    ck_assert_int_eq(
        listen_address_parse("127.0.0.1:80", &service.address[0], problem, sizeof(problem)), 0);
    ck_assert_int_eq(
        listen_address_parse("unix:/s\"q", &service.address[1], problem, sizeof(problem)), 0);
    shared = status_shared_open(1);
    ck_assert_ptr_nonnull(shared);
    shared->process[0] = (struct supervised){.name = "worker", .index = 2, .pid = getpid()};
    shared->slots = SLOTS;
    shared->generation = 3;
    shared->reloads = 4;
    shared->reloads_failed = 2;
    strcpy(shared->problem, "a \"b\"");
    subject = (struct status_subject){.service = &service,
                                      .board = service.board,
                                      .shared = shared,
                                      .version = "1 \"beta\"",
                                      .model = "epoll",
                                      .root = "/a\\b",
                                      .supervisor = getppid()};
    document = document_open(&subject);
    ck_assert_ptr_nonnull(document);
    for (int i = 0; i < SLOTS; i += 2) { /* the slot between them never had a worker */
        stats_set(&service.board[i].starts, 1);
        stats_set(&service.board[i].pid, 41);
    }
}

static void tear_down(void)
{
    document_close(document);
    status_shared_close(shared);
    stats_board_close(service.board, SLOTS);
    free(text);
}

static void write_metrics(void)
{
    size_t length;
    FILE *out = open_memstream(&text, &length);
    document_metrics(document, out);
    fclose(out);
}

static void write_json(struct document_wishes wishes)
{
    size_t length;
    FILE *out = open_memstream(&text, &length);
    document_json(document, wishes, out);
    fclose(out);
}

static int count_of(const char *part)
{
    int count = 0;
    for (const char *at = text; (at = strstr(at, part)) != NULL; at += strlen(part))
        count++;
    return count;
}

static void expect(const char *part)
{
    ck_assert_msg(count_of(part) == 1, "%d times '%s' in:\n%s", count_of(part), part, text);
}

/* ---- metrics --------------------------------------------------------------------------------- */

/* Every counter has a different value, and each but `requests` is shown exactly once. */
START_TEST(metrics_show_every_counter_once)
{
    struct stats_slot *slot = &service.board[2];
    uint64_t value = 900000;
    char line[32];
#define COUNTER(name, unit, help) stats_add(&slot->name, ++value);
#define GAUGE(name, unit, help)
#include "zcserve/counters.def"
#undef COUNTER
#undef GAUGE
    write_metrics();
    value = 900000;
#define COUNTER(name, unit, help)                                                            \
    snprintf(line, sizeof(line), "} %llu\n", (unsigned long long)++value);                   \
    ck_assert_msg(count_of(line) == (strcmp(#name, "requests") != 0), "%s: %d times", #name, \
                  count_of(line));
#define GAUGE(name, unit, help)
#include "zcserve/counters.def"
#undef COUNTER
#undef GAUGE
}
END_TEST

START_TEST(metrics_have_labels)
{
    struct stats_slot *slot = &service.board[2];
    stats_add(&slot->answers_2xx, 7);
    stats_add(&slot->requests_other, 8);
    stats_add(&slot->page_cache_bytes, 9);
    stats_add(&slot->closed[CLOSE_PEER_RESET], 10);
    stats_add(&slot->calls[CALL_SENDFILE], 11);
    stats_add(&slot->refused_for[REFUSAL_HOST], 12);
    stats_set(&slot->connections_in[STATE_SENDING], 13);
    stats_set(&slot->cache_entries, 14);
    write_metrics();
    expect("zcserve_responses_total{worker=\"2\",class=\"2xx\"} 7\n");
    expect("zcserve_responses_total{worker=\"0\",class=\"2xx\"} 0\n");
    expect("zcserve_requests_by_method_total{worker=\"2\",method=\"other\"} 8\n");
    expect("zcserve_content_bytes_total{worker=\"2\",source=\"pagecache\"} 9\n");
    expect("zcserve_closed_total{worker=\"2\",reason=\"peer_reset\"} 10\n");
    expect("zcserve_calls_total{worker=\"2\",call=\"sendfile\"} 11\n");
    expect("zcserve_refused_requests_total{worker=\"2\",reason=\"host\"} 12\n");
    expect("zcserve_connections{worker=\"2\",state=\"sending\"} 13\n");
    expect("zcserve_cache_entries{worker=\"2\"} 14\n");
    expect("# TYPE zcserve_responses_total counter\n");
    expect("# TYPE zcserve_connections gauge\n");
    expect("zcserve_build_info{version=\"1 \\\"beta\\\"\",model=\"epoll\"} 1\n");
    expect("zcserve_draining 0\n");
    ck_assert_int_eq(count_of("worker=\"1\""), 0);
}
END_TEST

/* Bounds are exact: a value 1 ns below a bound counts, a value at the bound does not. */
START_TEST(metrics_count_times_exactly)
{
    struct stats_slot *slot = &service.board[0];
    stats_phase(slot, PHASE_TOTAL, SOURCE_DISK, 9983);
    stats_phase(slot, PHASE_TOTAL, SOURCE_DISK, 9984);
    stats_phase(slot, PHASE_TOTAL, SOURCE_DISK, UINT64_C(20000000000));
    write_metrics();
#define SERIES "zcserve_request_seconds_bucket{worker=\"0\",phase=\"total\",source=\"disk\",le="
    expect(SERIES "\"9.983e-06\"} 1\n");
    expect(SERIES "\"1.9967e-05\"} 2\n");
    expect(SERIES "\"+Inf\"} 3\n");
    expect("zcserve_request_seconds_count{worker=\"0\",phase=\"total\",source=\"disk\"} 3\n");
    ck_assert_int_eq(count_of(SERIES), 20);
    /* Sums count whole units of 16 ns. */
    expect("zcserve_request_seconds_sum{worker=\"0\",phase=\"total\",source=\"disk\"} 20.00002\n");
}
END_TEST

START_TEST(metrics_count_numbers_exactly)
{
    struct stats_slot *slot = &service.board[0];
    static const uint64_t values[] = {0, 1, 2, 3, 4, 127, 128, 255, 256, 65535, 65536};
    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++)
        stats_measure(slot, MEASURE_REQUESTS, values[i]);
    write_metrics();
#define REQUESTS "zcserve_connection_requests_bucket{worker=\"0\",le="
    expect(REQUESTS "\"1\"} 2\n");
    expect(REQUESTS "\"3\"} 4\n");
    expect(REQUESTS "\"127\"} 6\n");
    expect(REQUESTS "\"255\"} 8\n");
    expect(REQUESTS "\"65535\"} 10\n");
    expect(REQUESTS "\"+Inf\"} 11\n");
}
END_TEST

/* ---- JSON ------------------------------------------------------------------------------------ */

START_TEST(json_tells_of_the_server)
{
    write_json((struct document_wishes){0});
    expect("\"server\":{\"version\":\"1 \\\"beta\\\"\",\"model\":\"epoll\",\"state\":\"serving\"");
    expect("\"listen\":[\"http://127.0.0.1:80\",\"unix:/s\\\"q\"],\"root\":\"/a\\\\b\","
           "\"cache_bytes_max\":4096,\"memory_bytes_max\":123456}");
    expect("\"unit_seconds\":1.6e-08,\"sub_buckets\":64,\"exact_below\":128");
    expect("{\"name\":\"worker\",\"index\":2,");
    /* One of them is the supervisor's. */
    ck_assert_int_eq(count_of("\"proportional_bytes\":null"), 2);
    ck_assert_int_eq(count_of("\"buckets\""), 0);
    free(text);
    shared->draining = true;
    write_json((struct document_wishes){.processes = true});
    expect("\"state\":\"draining\"");
}
END_TEST

START_TEST(json_adds_up)
{
    for (int i = 0; i < SLOTS; i += 2) {
        stats_add(&service.board[i].accepted, 5 + (unsigned)i);
        stats_add(&service.board[i].closed[CLOSE_FINISHED], 20);
        stats_phase(&service.board[i], PHASE_TOTAL, SOURCE_MEMORY, 1600);
        stats_phase(&service.board[i], PHASE_TOTAL, SOURCE_NONE, 3200);
    }
    write_json((struct document_wishes){.buckets = BUCKETS_ALL});
    expect("{\"index\":0,\"pid\":41,\"counters\":{\"accepted\":5,");
    expect("{\"index\":2,\"pid\":41,\"counters\":{\"accepted\":7,");
    expect("\"total\":{\"counters\":{\"accepted\":12,");
    expect("\"finished\":40");
    expect("\"memory\":{\"count\":2,\"sum_seconds\":3.2e-06,\"p50_seconds\":1.6e-06,"
           "\"p90_seconds\":1.6e-06,\"p99_seconds\":1.6e-06,\"p999_seconds\":1.6e-06,"
           "\"p9999_seconds\":1.6e-06,\"max_seconds\":1.6e-06,\"buckets\":[[100,2]]}");
    expect("\"buckets\":[[100,2],[164,2]]}}"); /* the total of all workers, which comes last */
}
END_TEST

/* Counts the histograms with buckets: of two workers and of the total, each with one source. */
START_TEST(json_writes_the_buckets_wished_for)
{
    for (int i = 0; i < SLOTS; i += 2)
        for (int phase = 0; phase < PHASE_COUNT; phase++)
            stats_phase(&service.board[i], (enum phase)phase, SOURCE_MEMORY, 1600);
    write_json((struct document_wishes){.buckets = BUCKETS_ALL});
    ck_assert_int_eq(count_of("\"buckets\":"), 3 * (2 * PHASE_COUNT + 3));
    free(text);
    write_json((struct document_wishes){.buckets = BUCKETS_PAGE});
    ck_assert_int_eq(count_of("\"buckets\":"), 2 * PHASE_COUNT + 1 + 2);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("document");
    TCase *cases = tcase_create("document");
    tcase_add_checked_fixture(cases, set_up, tear_down);
    tcase_add_test(cases, metrics_show_every_counter_once);
    tcase_add_test(cases, metrics_have_labels);
    tcase_add_test(cases, metrics_count_times_exactly);
    tcase_add_test(cases, metrics_count_numbers_exactly);
    tcase_add_test(cases, json_tells_of_the_server);
    tcase_add_test(cases, json_adds_up);
    tcase_add_test(cases, json_writes_the_buckets_wished_for);
    suite_add_tcase(suite, cases);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
