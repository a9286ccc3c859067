/*
 * A worker: requests are answered from a real store, counted and logged, and never with content
 * that is no longer on disk.
 */
#include "core_site.h"
#include "zcserve/log.h"

#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define GET(target) "GET " target " HTTP/1.1\r\nHost: a\r\n\r\n"

static struct core_site site;
static char heard[200000];

static void set_up(void)
{
    core_site_open(&site);
    core_site_file(&site, "small", 100);
}

static void tear_down(void)
{
    core_site_close(&site);
}

/* Returns the response to `request`. */
static const char *ask(const char *request)
{
    core_site_say(&site, request);
    ck_assert_int_eq(core_site_turn(&site, UINT64_MAX), DRIVE_WANT_READ);
    ssize_t n = core_site_hear(&site, heard, sizeof(heard) - 1);
    ck_assert_int_gt(n, 0);
    heard[n] = '\0';
    return heard;
}

static bool ask_status(const char *request, int status)
{
    char line[32];
    snprintf(line, sizeof(line), "HTTP/1.1 %d ", status);
    return strncmp(ask(request), line, strlen(line)) == 0;
}

START_TEST(answers_are_counted)
{
    struct stats_slot *stats = site.worker.stats;
    core_site_connect(&site, 0);
    ck_assert(ask_status(GET("/small"), 200));
    ck_assert(ask_status(GET("/small?again"), 200));
    ck_assert(ask_status("GET /small HTTP/1.1\r\nHost: a\r\nRange: bytes=1-2\r\n\r\n", 206));
    ck_assert(ask_status("GET /small HTTP/1.1\r\nHost: a\r\nIf-None-Match: *\r\n\r\n", 304));
    ck_assert(ask_status(GET("/no"), 404));
    ck_assert(ask_status("BREW / HTTP/1.1\r\n", 501));
    ck_assert_uint_eq(stats_read(&stats->requests), 6);
    ck_assert_uint_eq(stats_read(&stats->answers_2xx), 3);
    ck_assert_uint_eq(stats_read(&stats->answers_3xx), 1);
    ck_assert_uint_eq(stats_read(&stats->answers_4xx), 1);
    ck_assert_uint_eq(stats_read(&stats->answers_5xx), 1);
    ck_assert_uint_eq(stats_read(&stats->cache_hits), 0); /* not counted yet */
    ck_assert(!worker_tick(&site.worker));
    ck_assert_uint_ge(stats_read(&stats->cache_hits), 3);
    ck_assert_uint_ge(stats_read(&stats->cache_misses), 2);
    ck_assert_uint_ge(stats_read(&stats->cache_entries), 1);
    uint64_t hits = stats_read(&stats->cache_hits);
    worker_tick(&site.worker);
    ck_assert_uint_eq(stats_read(&stats->cache_hits), hits); /* counted once, and not again */
}
END_TEST

static uint64_t phase_sum(enum phase phase)
{
    uint64_t sum = 0;
    for (int source = 0; source < SOURCE_COUNT; source++)
        sum += stats_read(&site.worker.stats->latency_tally[phase][source].sum);
    return sum;
}

static uint64_t phase_count(enum phase phase, enum source source)
{
    static struct distribution read;
    read = (struct distribution){0};
    stats_latency_read(site.worker.stats, phase, source, &read);
    return read.count;
}

/* Each complete response counts once in every phase, by its source. The phases add up. */
START_TEST(phases_are_measured)
{
    enum { UNITS_LOST = PHASE_COUNT }; /* each phase is rounded down to whole units */
    core_site_file(&site, "large", 500000);
    core_site_connect(&site, 0);
    ck_assert(ask_status(GET("/small"), 200));
    ck_assert(ask_status(GET("/small") GET("/small") GET("/no"), 200));
    ck_assert(ask_status("HEAD /large HTTP/1.1\r\nHost: a\r\n\r\n", 200));
    ck_assert(ask_status("BREW / HTTP/1.1\r\n", 501));
    for (int phase = 0; phase < PHASE_COUNT; phase++) {
        ck_assert_uint_eq(phase_count((enum phase)phase, SOURCE_MEMORY), 3);
        ck_assert_uint_eq(phase_count((enum phase)phase, SOURCE_NONE), 3);
        ck_assert_uint_eq(phase_count((enum phase)phase, SOURCE_PAGE_CACHE), 0);
    }
    uint64_t parts = 0, total = phase_sum(PHASE_TOTAL);
    for (int phase = 0; phase < PHASE_TOTAL; phase++)
        parts += phase_sum((enum phase)phase);
    ck_assert_uint_gt(total, 0);
    ck_assert_uint_le(parts, total);
    ck_assert_uint_le(total - parts, 6 * UNITS_LOST);
    ck_assert_uint_eq(stats_read(&site.worker.stats->refused_for[REFUSAL_METHOD]), 1);
    ck_assert_uint_eq(stats_read(&site.worker.stats->requests_head), 1);
    ck_assert_uint_eq(stats_read(&site.worker.stats->requests_other), 1);
}
END_TEST

/* A response that was cut is counted, but has no latency, which would be too short. */
START_TEST(cut_answers_have_no_latency)
{
    core_site_file(&site, "large", 4000000);
    core_site_connect(&site, 4096);
    core_site_say(&site, GET("/large"));
    ck_assert_int_eq(core_site_turn(&site, UINT64_MAX), DRIVE_WANT_WRITE);
    ck_assert_uint_eq(stats_read(&site.worker.stats->connections_in[STATE_SENDING]), 1);
    conn_failed(&site.client.conn, CLOSE_PEER_RESET);
    ck_assert_int_eq(core_site_turn(&site, UINT64_MAX), DRIVE_DONE);
    ck_assert_uint_eq(stats_read(&site.worker.stats->requests), 1);
    ck_assert_uint_eq(phase_count(PHASE_TOTAL, SOURCE_PAGE_CACHE), 0);
}
END_TEST

START_TEST(totals_go_on_after_a_restart)
{
    core_site_connect(&site, 0);
    ck_assert(ask_status(GET("/small"), 200));
    ck_assert(ask_status(GET("/small"), 200));
    core_site_turn(&site, UINT64_MAX);
    conn_failed(&site.client.conn, CLOSE_DRAINED);
    client_close(&site.client, &site.worker);
    site.open = false;
    stats_set(&site.worker.stats->connections, 7); /* as if the worker had died */
    worker_close(&site.worker);
    struct stats_slot *stats = &site.service.board[0];
    uint64_t hits = stats_read(&stats->cache_hits);
    ck_assert_uint_ge(hits, 1);
    ck_assert_int_eq(worker_open(&site.worker, &site.service, 0), 0);
    ck_assert_uint_eq(stats_read(&stats->connections), 0);
    ck_assert_uint_eq(stats_read(&stats->requests), 2);
    close(site.peer);
    core_site_connect(&site, 0);
    ck_assert(ask_status(GET("/small"), 200));
    worker_tick(&site.worker);
    ck_assert_uint_eq(stats_read(&stats->requests), 3);
    ck_assert_uint_ge(stats_read(&stats->cache_hits), hits);
}
END_TEST

/* A file is requested, then it changes, and the next request gets its new content. */
START_TEST(changes_are_seen_at_once)
{
    core_site_connect(&site, 0);
    for (size_t length = 1; length < 40; length++) {
        char field[40];
        core_site_file(&site, "small", length);
        snprintf(field, sizeof(field), "Content-Length: %zu\r\n", length);
        for (int i = 0; i < 3; i++)
            ck_assert(strstr(ask(GET("/small")), field) != NULL);
    }
    char path[128];
    snprintf(path, sizeof(path), "%s/small", site.root);
    unlink(path);
    ck_assert(ask_status(GET("/small"), 404));
}
END_TEST

START_TEST(store_is_looked_at_once_a_batch)
{
    core_site_connect(&site, 0);
    ck_assert(ask_status(GET("/small") GET("/small") GET("/no"), 200));
    ck_assert(site.worker.store_is_current);
    core_site_say(&site, GET("/small"));
    ck_assert(drive_receive(&site.worker, &site.client));
    ck_assert(!site.worker.store_is_current);
    ck_assert_int_eq(worker_advance(&site.worker, &site.client), CONN_SEND);
    ck_assert(site.worker.store_is_current);
}
END_TEST

START_TEST(answers_are_logged)
{
    struct access_recorder recorder;
    char path[] = "/tmp/zcserve-core-log-XXXXXX", lines[4096];
    int file = mkstemp(path);
    ck_assert_int_ge(file, 0);
    ck_assert_int_eq(access_recorder_open(&recorder, path), 0);
    worker_close(&site.worker);
    site.service.recorder = &recorder;
    site.service.log_buffer_bytes = 4096;
    site.service.log_interval_ns = NS_PER_SECOND;
    ck_assert_int_eq(worker_open(&site.worker, &site.service, 0), 0);
    core_site_connect(&site, 0);
    ck_assert(ask_status("GET /small?q HTTP/1.1\r\nHost: a\r\nUser-Agent: me\r\n\r\n", 200));
    ck_assert(ask_status("G\x01", 400));
    ck_assert(worker_tick(&site.worker)); /* the lines still wait */
    now_read(&site.worker.now);
    site.worker.now.monotonic_ns += 2 * NS_PER_SECOND;
    ck_assert(!worker_tick(&site.worker));
    ssize_t n = recv(recorder.receiver, lines, sizeof(lines) - 1, MSG_DONTWAIT);
    ck_assert_int_gt(n, 0);
    lines[n] = '\0';
    const char *first = strstr(lines, "\"GET /small?q HTTP/1.1\" 200 100 \"-\" \"me\" ");
    ck_assert_msg(first != NULL, "%s", lines);
    ck_assert_ptr_nonnull(strstr(first, " 0 memory\n"));
    ck_assert_ptr_nonnull(strstr(first, "\" 400 "));
    access_recorder_close(&recorder);
    close(file);
    unlink(path);
}
END_TEST

START_TEST(root_that_is_not_there)
{
    struct worker other;
    struct service service = site.service;
    struct tree_options nowhere = site.tree;
    nowhere.root = "/nonexistent/zcserve";
    service.store.tree = &nowhere;
    ck_assert_int_eq(log_open("/dev/null", LOG_ERROR), 0);
    ck_assert_int_eq(worker_open(&other, &service, 0), -1);
}
END_TEST

START_TEST(pauses_are_counted)
{
    ck_assert_int_eq(log_open("/dev/null", LOG_ERROR), 0);
    accept_paused(site.worker.stats, "a test");
    accept_paused(site.worker.stats, "a test");
    ck_assert_uint_eq(stats_read(&site.worker.stats->accept_pauses), 2);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("worker");
    TCase *tcase = tcase_create("worker");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, answers_are_counted);
    tcase_add_test(tcase, phases_are_measured);
    tcase_add_test(tcase, cut_answers_have_no_latency);
    tcase_add_test(tcase, totals_go_on_after_a_restart);
    tcase_add_test(tcase, changes_are_seen_at_once);
    tcase_add_test(tcase, store_is_looked_at_once_a_batch);
    tcase_add_test(tcase, answers_are_logged);
    tcase_add_test(tcase, root_that_is_not_there);
    tcase_add_test(tcase, pauses_are_counted);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
