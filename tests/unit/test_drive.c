/*
 * Drives a connection over a real socket: short sends, budgets, files that shrink, and peers that
 * leave.
 */
#include "core_disk.h"
#include "core_site.h"
#include "skip.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define NO_BUDGET UINT64_MAX
#define GET(target) "GET " target " HTTP/1.1\r\nHost: a\r\n\r\n"
#define LARGE (1024 * 1024)

static struct core_site site;
static char heard[4 * LARGE];

static void set_up(void)
{
    core_site_open(&site);
    core_site_file(&site, "small", 100);
    core_site_file(&site, "medium", 50000);
    core_site_file(&site, "large", LARGE);
}

static void tear_down(void)
{
    core_site_close(&site);
}

static uint64_t count(const _Atomic uint64_t *counter)
{
    return stats_read(counter);
}

/* Returns where the content of the response at `at` begins, and its length in *length. */
static const char *content_of(const char *at, size_t *length)
{
    const char *field = strstr(at, "\r\nContent-Length: "), *content = strstr(at, "\r\n\r\n");
    ck_assert(field && content);
    *length = strtoul(field + strlen("\r\nContent-Length: "), NULL, 10);
    return content + 4;
}

static const char *answer_check(const char *at, size_t expected)
{
    size_t length;
    ck_assert_int_eq(memcmp(at, "HTTP/1.1 200 OK\r\n", 17), 0);
    const char *content = content_of(at, &length);
    ck_assert_uint_eq(length, expected);
    size_t same = 0; /* one assertion for all bytes, because each costs a system call */
    while (same < length && content[same] == core_site_byte(same))
        same++;
    ck_assert_uint_eq(same, length);
    return content + length;
}

static void closed_because(enum close_reason reason)
{
    ck_assert_int_eq(conn_close_reason(&site.client.conn), reason);
    client_close(&site.client, &site.worker);
    site.open = false;
    ck_assert_uint_eq(count(&site.worker.stats->closed[reason]), 1);
    ck_assert_uint_eq(count(&site.worker.stats->connections), 0);
}

START_TEST(nothing_yet)
{
    core_site_connect(&site, 0);
    ck_assert(!drive_receive(&site.worker, &site.client));
    ck_assert_uint_eq(site.worker.works.used, 0);
    ck_assert_ptr_null(site.client.conn.work);
}
END_TEST

START_TEST(one_request)
{
    struct stats_slot *stats = site.worker.stats;
    core_site_connect(&site, 0);
    core_site_say(&site, GET("/small"));
    ck_assert_int_eq(core_site_turn(&site, NO_BUDGET), DRIVE_WANT_READ);
    ssize_t n = core_site_hear(&site, heard, sizeof(heard) - 1);
    ck_assert_ptr_eq(answer_check(heard, 100), heard + n);
    ck_assert_uint_eq(count(&stats->received_bytes), strlen(GET("/small")));
    ck_assert_uint_eq(count(&stats->sent_bytes), (uint64_t)n);
    ck_assert_uint_eq(count(&stats->sent_file_bytes), 0);
    ck_assert_uint_eq(count(&stats->requests), 1);
    ck_assert_uint_eq(count(&stats->answers_2xx), 1);
    ck_assert_uint_eq(site.worker.works.used, 0); /* idle: it has only its struct conn */
}
END_TEST

START_TEST(request_in_pieces)
{
    core_site_connect(&site, 0);
    for (const char *at = GET("/small"); *at; at++) {
        char byte[2] = {*at, '\0'};
        core_site_say(&site, byte);
        ck_assert_int_eq(core_site_turn(&site, NO_BUDGET), DRIVE_WANT_READ);
        ck_assert_uint_eq(site.worker.works.used, at[1] ? 1 : 0);
    }
    ck_assert_int_gt(core_site_hear(&site, heard, sizeof(heard) - 1), 0);
    answer_check(heard, 100);
}
END_TEST

/*
 * Drives, and reads as the peer, by turns, until bytes to receive are waited for. Returns how many
 * turns it took.
 */
static int drive_through(uint64_t budget, uint64_t *length)
{
    int turns = 1;
    *length = 0;
    enum drive waits = core_site_turn(&site, budget);
    for (; turns < 100000; turns++) {
        ssize_t n = core_site_hear(&site, heard + *length, sizeof(heard) - 1 - *length);
        if (n > 0) *length += (uint64_t)n;
        if (waits != DRIVE_WANT_WRITE) break;
        waits = drive(&site.worker, &site.client, budget);
    }
    ck_assert_int_eq(waits, DRIVE_WANT_READ);
    heard[*length] = '\0';
    return turns;
}

/* From memory and from a file, in as many sends as a small socket needs. */
START_TEST(short_sends)
{
    uint64_t length;
    core_site_connect(&site, 8192);
    core_site_say(&site, GET("/medium") GET("/large") GET("/small") GET("/medium"));
    ck_assert_int_gt(drive_through(NO_BUDGET, &length), 20);
    const char *at = answer_check(heard, 50000);
    at = answer_check(at, LARGE);
    at = answer_check(at, 100);
    at = answer_check(at, 50000);
    ck_assert_ptr_eq(at, heard + length);
    ck_assert_uint_eq(count(&site.worker.stats->sent_bytes), length);
    ck_assert_uint_eq(count(&site.worker.stats->sent_file_bytes), LARGE);
    ck_assert_uint_eq(count(&site.worker.stats->answers_2xx), 4);
}
END_TEST

START_TEST(budget_is_kept)
{
    const uint64_t budget = 60000;
    uint64_t before = 0;
    core_site_connect(&site, 4 * LARGE);
    core_site_say(&site, GET("/large"));
    enum drive waits = core_site_turn(&site, budget);
    for (; waits == DRIVE_WANT_WRITE; waits = drive(&site.worker, &site.client, budget)) {
        uint64_t sent = count(&site.worker.stats->sent_file_bytes);
        ck_assert_uint_le(sent - before, budget);
        ck_assert_uint_gt(sent, before);
        before = sent;
        core_site_hear(&site, heard, sizeof(heard));
    }
    ck_assert_int_eq(waits, DRIVE_WANT_READ);
    ck_assert_uint_eq(count(&site.worker.stats->sent_file_bytes), LARGE);
    ck_assert_uint_ge(before, LARGE - budget);
}
END_TEST

/* The last byte of a response uses up the budget, while the next response waits. */
START_TEST(budget_ends_with_an_answer)
{
    uint64_t length;
    core_site_file(&site, "file", 70000);
    nanosleep(&(struct timespec){1, 100000000},
              NULL); /* from now on all of its heads are the same */
    core_site_connect(&site, 4 * LARGE);
    core_site_say(&site, GET("/file"));
    drive_through(NO_BUDGET, &length);
    core_site_say(&site, GET("/file") GET("/file") GET("/small"));
    ck_assert_int_eq(core_site_turn(&site, 70000), DRIVE_WANT_WRITE); /* a head does not count */
    ck_assert_uint_eq(count(&site.worker.stats->sent_bytes), 2 * length);
    ck_assert_int_eq(drive(&site.worker, &site.client, 70000), DRIVE_WANT_WRITE);
    ck_assert_int_eq(drive(&site.worker, &site.client, 70000), DRIVE_WANT_READ);
    ck_assert_uint_eq(count(&site.worker.stats->answers_2xx), 4);
}
END_TEST

START_TEST(file_shrinks)
{
    core_site_connect(&site, 8192);
    core_site_say(&site, GET("/large") GET("/small"));
    ck_assert_int_eq(core_site_turn(&site, NO_BUDGET), DRIVE_WANT_WRITE);
    core_site_truncate(&site, "large", 300000);
    enum drive waits = DRIVE_WANT_WRITE;
    uint64_t length = 0;
    while (waits == DRIVE_WANT_WRITE) {
        length += (uint64_t)core_site_hear(&site, heard + length, sizeof(heard) - length);
        waits = drive(&site.worker, &site.client, NO_BUDGET);
    }
    ck_assert_int_eq(waits, DRIVE_WANT_READ); /* it is half-closed and lingers */
    /* The response after it was not begun. */
    ck_assert_uint_eq(count(&site.worker.stats->requests), 1);
    ssize_t n;
    while ((n = core_site_hear(&site, heard + length, sizeof(heard) - length)) > 0)
        length += (uint64_t)n;
    ck_assert_int_eq(n, -1); /* the end, not a reset */
    shutdown(site.peer, SHUT_WR);
    ck_assert_int_eq(core_site_turn(&site, NO_BUDGET), DRIVE_DONE);
    closed_because(CLOSE_FILE_SHRANK);
    ck_assert_uint_lt(length, 300000 + 1000); /* nothing was added to it, and nothing follows */
}
END_TEST

START_TEST(peer_goes_while_we_send)
{
    core_site_connect(&site, 8192);
    core_site_say(&site, GET("/large"));
    ck_assert_int_eq(core_site_turn(&site, NO_BUDGET), DRIVE_WANT_WRITE);
    close(site.peer);
    site.peer = -1;
    ck_assert_int_eq(drive(&site.worker, &site.client, NO_BUDGET), DRIVE_DONE);
    closed_because(CLOSE_PEER_RESET);
}
END_TEST

/* To close with unread bytes is a reset, also on Unix sockets. */
START_TEST(peer_resets)
{
    core_site_connect(&site, 0);
    core_site_say(&site, GET("/small"));
    ck_assert_int_eq(core_site_turn(&site, NO_BUDGET), DRIVE_WANT_READ);
    close(site.peer);
    site.peer = -1;
    ck_assert_int_eq(core_site_turn(&site, NO_BUDGET), DRIVE_DONE);
    closed_because(CLOSE_PEER_RESET);
}
END_TEST

START_TEST(peer_finishes)
{
    core_site_connect(&site, 0);
    core_site_say(&site, GET("/small"));
    shutdown(site.peer, SHUT_WR);
    ck_assert_int_eq(core_site_turn(&site, NO_BUDGET), DRIVE_WANT_READ);
    ck_assert_int_gt(core_site_hear(&site, heard, sizeof(heard)), 100);
    ck_assert_int_eq(core_site_turn(&site, NO_BUDGET), DRIVE_DONE);
    closed_because(CLOSE_PEER_CLOSED);
    ck_assert_int_eq(core_site_hear(&site, heard, sizeof(heard)), -1);
}
END_TEST

/*
 * After the response the server ends its side. Bytes that still come are dropped until the peer
 * ends its side, too.
 */
START_TEST(lingers)
{
    core_site_connect(&site, 0);
    core_site_say(&site, "GET / HTTP/9\r\n" GET("/small"));
    ck_assert_int_eq(core_site_turn(&site, NO_BUDGET), DRIVE_WANT_READ);
    ck_assert_int_gt(core_site_hear(&site, heard, sizeof(heard)), 100);
    ck_assert_int_eq(core_site_hear(&site, heard, sizeof(heard)), -1);
    core_site_say(&site, GET("/small"));
    ck_assert_int_eq(core_site_turn(&site, NO_BUDGET), DRIVE_WANT_READ);
    ck_assert_uint_eq(count(&site.worker.stats->requests), 1);
    shutdown(site.peer, SHUT_WR);
    ck_assert_int_eq(core_site_turn(&site, NO_BUDGET), DRIVE_DONE);
    ck_assert_uint_eq(count(&site.worker.stats->answers_4xx), 1);
    closed_because(CLOSE_BAD_REQUEST);
}
END_TEST

START_TEST(sent_by_somebody_else)
{
    struct outgoing out;
    core_site_connect(&site, 0);
    core_site_say(&site, GET("/large"));
    ck_assert(drive_receive(&site.worker, &site.client));
    ck_assert_int_eq(worker_advance(&site.worker, &site.client), CONN_SEND);
    conn_outgoing(&site.client.conn, &out);
    drive_sent(&site.worker, &site.client, (ssize_t)out.length, false);
    conn_outgoing(&site.client.conn, &out);
    ck_assert_int_ge(out.fd, 0);
    drive_sent(&site.worker, &site.client, 1000, true);
    ck_assert_uint_eq(count(&site.worker.stats->sent_file_bytes), 1000);
    drive_sent(&site.worker, &site.client, -EIO, true);
    ck_assert_int_eq(worker_advance(&site.worker, &site.client), CONN_HALF_CLOSE);
    conn_failed(&site.client.conn, CLOSE_PEER_RESET);
    ck_assert_int_eq(worker_advance(&site.worker, &site.client), CONN_CLOSE);
}
END_TEST

/* ---- an event loop, which never waits for the disk ------------------------------------------- */

/* Drops the pages of /large. Returns false when this is not possible. */
static bool large_drop(void)
{
    char path[256];
    snprintf(path, sizeof(path), "%s/large", site.root);
    int file = open(path, O_RDWR | O_CLOEXEC);
    ck_assert_int_ge(file, 0);
    bool dropped = core_disk_drop(file);
    close(file);
    return dropped;
}

static void disk_await(void)
{
    ck_assert(client_fetch(&site.client, &site.worker));
    struct pollfd poll_fd = {.fd = fetcher_fd(site.worker.fetcher), .events = POLLIN};
    ck_assert_int_eq(poll(&poll_fd, 1, 10000), 1);
    struct wait *wait = fetcher_next(site.worker.fetcher);
    ck_assert_ptr_eq(wait, &site.client.wait);
    client_fetched(client_of(wait), &site.worker);
}

/*
 * Drives, reads as the peer, and fetches, until the response is complete. Returns how often the
 * disk was waited for.
 */
static int drive_and_fetch(uint64_t *length, enum drive over)
{
    int fetches = 0;
    enum drive waits = core_site_turn(&site, TURN_BYTES);
    for (int turns = 0; turns < 100000; turns++) {
        ssize_t n = core_site_hear(&site, heard + *length, sizeof(heard) - 1 - *length);
        if (n > 0) *length += (uint64_t)n;
        if (waits == DRIVE_WANT_READ || waits == DRIVE_DONE) break;
        if (waits == DRIVE_WANT_DISK) {
            disk_await();
            fetches++;
        }
        waits = drive(&site.worker, &site.client, TURN_BYTES);
    }
    ck_assert_int_eq(waits, over);
    heard[*length] = '\0';
    return fetches;
}

START_TEST(hot_file_needs_no_fetch)
{
    uint64_t length = 0;
    ck_assert_int_eq(worker_never_waits(&site.worker, 4), 0);
    core_site_connect(&site, 0);
    core_site_say(&site, GET("/small") GET("/large"));
    drive_and_fetch(&length, DRIVE_WANT_READ); /* the names may have been cold */
    length = 0;
    core_site_say(&site, GET("/small") GET("/large"));
    ck_assert_int_eq(drive_and_fetch(&length, DRIVE_WANT_READ), 0);
    ck_assert_ptr_eq(answer_check(answer_check(heard, 100), LARGE), heard + length);
    ck_assert_uint_eq(count(&site.worker.stats->disk_bytes), 0);
}
END_TEST

START_TEST(cold_file_is_fetched_part_by_part)
{
    uint64_t length = 0;
    ck_assert_int_eq(worker_never_waits(&site.worker, 4), 0);
    core_site_connect(&site, _i ? 8192 : 0);
    SKIP_IF(!large_drop(), CORE_DISK_NONE);
    core_site_say(&site, GET("/large") GET("/small"));
    int fetches = drive_and_fetch(&length, DRIVE_WANT_READ);
    ck_assert_int_ge(fetches, 1);
    ck_assert_int_le(fetches, 5); /* for names, and for 512 KiB each */
    ck_assert_ptr_eq(answer_check(answer_check(heard, LARGE), 100), heard + length);
    ck_assert_uint_eq(count(&site.worker.stats->disk_bytes), LARGE);
    ck_assert_uint_eq(count(&site.worker.stats->sent_file_bytes), LARGE);
}
END_TEST

/* With waits_for_disk, as in lesson 10, an event loop waits for the disk itself. */
START_TEST(cold_file_is_waited_for_in_a_lesson)
{
    uint64_t length = 0;
    ck_assert_int_eq(worker_never_waits(&site.worker, 4), 0);
    site.worker.waits_for_disk = true;
    core_site_connect(&site, 0);
    SKIP_IF(!large_drop(), CORE_DISK_NONE);
    core_site_say(&site, GET("/large") GET("/small"));
    ck_assert_int_eq(drive_and_fetch(&length, DRIVE_WANT_READ), 0);
    ck_assert_ptr_eq(answer_check(answer_check(heard, LARGE), 100), heard + length);
}
END_TEST

/* When promised bytes of the content are missing, the connection ends, and does not hang. */
START_TEST(cold_file_shrinks)
{
    uint64_t length = 0;
    ck_assert_int_eq(worker_never_waits(&site.worker, 4), 0);
    core_site_connect(&site, 8192);
    core_site_say(&site, GET("/large"));
    enum drive waits = core_site_turn(&site, 100000);
    while (waits == DRIVE_WANT_DISK) {
        disk_await();
        waits = drive(&site.worker, &site.client, 100000);
    }
    core_site_truncate(&site, "large", 300000);
    large_drop();
    site.worker.residency = (struct residency){0};
    drive_and_fetch(&length, DRIVE_WANT_READ);
    ck_assert_int_eq(conn_close_reason(&site.client.conn), CLOSE_FILE_SHRANK);
    ck_assert_uint_lt(length, 300000 + 1000);
}
END_TEST

/* Goes to SEND with the range of the file next. */
static void range_next(struct outgoing *out)
{
    core_site_connect(&site, 0);
    core_site_say(&site, GET("/large"));
    ck_assert(drive_receive(&site.worker, &site.client));
    ck_assert_int_eq(worker_advance(&site.worker, &site.client), CONN_SEND);
    conn_outgoing(&site.client.conn, out);
    ck_assert(drive_may_send(&site.worker, &site.client, out)); /* of memory */
    drive_sent(&site.worker, &site.client, (ssize_t)out->length, false);
    conn_outgoing(&site.client.conn, out);
}

START_TEST(may_send_what_is_resident)
{
    struct outgoing out;
    range_next(&out);
    int file = out.fd;
    SKIP_IF(!core_disk_drop(file), CORE_DISK_NONE);
    ck_assert(drive_may_send(&site.worker, &site.client, &out)); /* this worker may wait */
    ck_assert_uint_eq(out.length, LARGE);
    ck_assert_int_eq(worker_never_waits(&site.worker, 4), 0);
    ck_assert(!drive_may_send(&site.worker, &site.client, &out));
    core_disk_read(file, 0, 128 * 1024);
    conn_outgoing(&site.client.conn, &out);
    ck_assert(drive_may_send(&site.worker, &site.client, &out));
    ck_assert_uint_eq(out.length, 128 * 1024);
    core_disk_read(file, 0, LARGE);
    conn_outgoing(&site.client.conn, &out);
    ck_assert(drive_may_send(&site.worker, &site.client, &out));
    ck_assert_uint_eq(out.length, LARGE);
}
END_TEST

/*
 * Bytes that were evicted at once, or that the kernel never reports as resident, are still sent,
 * once for each fetch.
 */
START_TEST(may_send_what_was_fetched)
{
    struct outgoing out;
    range_next(&out);
    ck_assert_int_eq(worker_never_waits(&site.worker, 4), 0);
    disk_await();
    SKIP_IF(!core_disk_drop(out.fd), CORE_DISK_NONE);
    ck_assert(drive_may_send(&site.worker, &site.client, &out));
    ck_assert_uint_eq(out.length, FETCH_RANGE_BYTES);
    conn_outgoing(&site.client.conn, &out);
    ck_assert(!drive_may_send(&site.worker, &site.client, &out));
    client_range_fetched(&site.client, &site.worker); /* as if a ring had fetched it */
    conn_outgoing(&site.client.conn, &out);
    ck_assert(drive_may_send(&site.worker, &site.client, &out));
    ck_assert_uint_eq(out.length, FETCH_RANGE_BYTES);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("drive");
    TCase *tcase = tcase_create("drive");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, nothing_yet);
    tcase_add_test(tcase, one_request);
    tcase_add_test(tcase, request_in_pieces);
    tcase_add_test(tcase, short_sends);
    tcase_add_test(tcase, budget_is_kept);
    tcase_add_test(tcase, budget_ends_with_an_answer);
    tcase_add_test(tcase, file_shrinks);
    tcase_add_test(tcase, peer_goes_while_we_send);
    tcase_add_test(tcase, peer_resets);
    tcase_add_test(tcase, peer_finishes);
    tcase_add_test(tcase, lingers);
    tcase_add_test(tcase, sent_by_somebody_else);
    tcase_add_test(tcase, hot_file_needs_no_fetch);
    tcase_add_test(tcase, cold_file_is_waited_for_in_a_lesson);
    tcase_add_loop_test(tcase, cold_file_is_fetched_part_by_part, 0, 2);
    tcase_add_test(tcase, cold_file_shrinks);
    tcase_add_test(tcase, may_send_what_is_resident);
    tcase_add_test(tcase, may_send_what_was_fetched);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
