/*
 * Tests of src/worker/serve.c: a worker that waits serves one end of a socket pair, and the test
 * has the other end. Each call of serve() is a tick, so its effects can be checked.
 */
#define _GNU_SOURCE
#include "tree.h"

#include "zcserve/worker.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define GET "GET /a.txt HTTP/1.1\r\nHost: h\r\n\r\n"

static struct service service;
static struct stats_slot *board;
static struct worker worker;
static struct served served;
static int peer;
static char answer[1 << 16];
static size_t answered;

static struct conn_rules rules(void)
{
    return (struct conn_rules){.server = {"z", 1},
                               .head_bytes_max = 4096,
                               .target_bytes_max = 512,
                               .fields_max = 20,
                               .body_bytes_max = 4096,
                               .ranges_max = 16,
                               .head_ns = 5 * NS_PER_SECOND,
                               .body_ns = 5 * NS_PER_SECOND,
                               .idle_ns = 5 * NS_PER_SECOND,
                               .send_ns = 5 * NS_PER_SECOND,
                               .linger_ns = 5 * NS_PER_SECOND,
                               .linger_most_ns = 5 * NS_PER_SECOND,
                               .keep_alive = true};
}

static void set_up(void)
{
    int pair[2];
    tree_make("mkdir current && printf hello > current/a.txt && "
              "head -c 4000000 /dev/zero > current/big");
    signal(SIGPIPE, SIG_IGN);
    board = stats_board_open(1);
    service =
        (struct service){.rules = rules(), .connections_max = 1, .workers = 1, .board = board};
    service.store = tree_options();
    ck_assert_int_eq(worker_open(&worker, &service, 0), 0);
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
    peer = pair[0];
    answered = 0;
    serve_open(&served, &worker, pair[1], NULL);
}

/* serve() has closed the socket at its end, so that the peer sees the end. */
static void tear_down(void)
{
    if (peer >= 0) close(peer);
    worker_close(&worker);
    ck_assert_uint_eq(stats_read(&board->connections), 0);
    ck_assert_uint_eq(stats_read(&board->accepted), 1);
    stats_board_close(board, 1);
    tree_remove();
}

/* ---- what the tests say ---------------------------------------------------------------------- */

static uint64_t clock_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * NS_PER_SECOND + (uint64_t)now.tv_nsec;
}

static void say(const char *text)
{
    ck_assert_int_eq(write(peer, text, strlen(text)), (ssize_t)strlen(text));
}

/* Reads as much of the responses as is there. */
static void hear(void)
{
    ssize_t n = 0;
    while ((n = recv(peer, answer + answered, sizeof(answer) - answered - 1, MSG_DONTWAIT)) > 0)
        answered += (size_t)n;
    answer[answered] = '\0';
}

static bool heard(const char *text)
{
    hear();
    return strstr(answer, text) != NULL;
}

static bool peer_sees_end(void)
{
    struct pollfd end = {.fd = peer, .events = POLLIN | POLLRDHUP};
    hear();
    return poll(&end, 1, 0) == 1 && (end.revents & (POLLRDHUP | POLLHUP)) != 0;
}

static bool tick(enum pressure pressure)
{
    return serve(&worker, &served, pressure);
}

static uint64_t closed(enum close_reason reason)
{
    return stats_read(&board->closed[reason]);
}

/* Ends a connection that a test leaves open. */
static void leave(void)
{
    ck_assert(tick(PRESSURE_STOPPING));
    ck_assert_uint_eq(closed(CLOSE_DRAINED), 1);
}

/* Serves until the connection ends. On a busy machine a tick may take the time of several. */
static void ticks_to_end(enum pressure pressure, int most)
{
    int ticks = 0;
    while (!tick(pressure)) {
        hear();
        ck_assert_int_lt(++ticks, most);
    }
}

/* ---- ticks ----------------------------------------------------------------------------------- */

START_TEST(a_tick_passes_while_nothing_comes)
{
    uint64_t began_ns = clock_ns();
    ck_assert(!tick(PRESSURE_NONE));
    uint64_t took_ns = clock_ns() - began_ns;
    ck_assert_uint_ge(took_ns, TICK_NS * 9 / 10);
    ck_assert_uint_lt(took_ns, TICK_NS * 3);
    ck_assert_ptr_null(served.client.conn.work); /* an idle connection has no work area */
    leave();
}
END_TEST

START_TEST(answers_and_waits_for_more)
{
    say(GET);
    ck_assert(!tick(PRESSURE_NONE));
    ck_assert(heard("200 OK") && heard("hello"));
    answered = 0;
    say(GET GET);
    ck_assert(!tick(PRESSURE_NONE));
    hear();
    ck_assert_ptr_ne(strstr(strstr(answer, "hello") + 1, "hello"), NULL);
    ck_assert_uint_eq(stats_read(&board->requests), 3);
    leave();
}
END_TEST

START_TEST(the_last_answer_closes)
{
    say("GET /a.txt HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
    ck_assert(tick(PRESSURE_NONE));
    ck_assert(heard("hello") && peer_sees_end());
    ck_assert_uint_eq(closed(CLOSE_FINISHED), 1);
}
END_TEST

START_TEST(the_peer_finishes)
{
    close(peer);
    peer = -1;
    ck_assert(tick(PRESSURE_NONE));
    ck_assert_uint_eq(closed(CLOSE_PEER_CLOSED), 1);
}
END_TEST

/* The peer finished in the tick in which its time was over: that is why the connection ends. */
START_TEST(who_finished_is_not_late)
{
    conn_received(&served.client.conn, 0, 0, &worker.now);
    served.client.conn.deadline_ns = 1;
    ck_assert(tick(PRESSURE_NONE));
    ck_assert_uint_eq(closed(CLOSE_PEER_CLOSED), 1);
    ck_assert_uint_eq(closed(CLOSE_HEAD_TIMEOUT), 0);
}
END_TEST

START_TEST(a_deadline_is_seen_within_a_tick)
{
    service.rules.head_ns = service.rules.idle_ns = 2 * TICK_NS;
    say(GET);
    uint64_t began_ns = clock_ns();
    ticks_to_end(PRESSURE_NONE, 6);
    ck_assert_uint_ge(clock_ns() - began_ns, 2 * TICK_NS);
    ck_assert_uint_eq(closed(CLOSE_IDLE_TIMEOUT), 1);
}
END_TEST

/* A peer that sends a byte now and then lets no tick pass, and its deadline is still checked. */
START_TEST(a_dribbled_head_is_late)
{
    service.rules.head_ns = 3 * TICK_NS;
    service.rules.linger_ns = service.rules.linger_most_ns = TICK_NS;
    say("GET ");
    pid_t dribbler = fork();
    if (dribbler == 0) {
        for (int i = 0; i < 200 && write(peer, "/", 1) == 1; i++)
            usleep(10000);
        _exit(0);
    }
    ticks_to_end(PRESSURE_NONE, 10);
    ck_assert(heard(" 408 "));
    ck_assert_uint_eq(closed(CLOSE_HEAD_TIMEOUT), 1);
    kill(dribbler, SIGKILL);
}
END_TEST

START_TEST(a_reader_that_stalls_is_given_up)
{
    service.rules.send_ns = 3 * TICK_NS;
    say("GET /big HTTP/1.1\r\nHost: h\r\n\r\n");
    int ticks = 0;
    uint64_t began_ns = clock_ns();
    while (!tick(PRESSURE_NONE))
        ck_assert_int_lt(++ticks, 10);
    ck_assert_uint_ge(clock_ns() - began_ns, service.rules.send_ns);
    ck_assert_uint_eq(closed(CLOSE_SEND_TIMEOUT), 1);
}
END_TEST

START_TEST(a_reader_that_is_slow_gets_all)
{
    size_t had = 0;
    say("GET /big HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
    pid_t reader = fork();
    if (reader == 0) {
        static char space[200000];
        close(served.client.fd);
        for (ssize_t n = 0; (n = read(peer, space, sizeof(space))) > 0; had += (size_t)n)
            usleep(20000);
        _exit(had > 4000000 ? 0 : 1);
    }
    close(peer);
    peer = -1;
    service.rules.send_ns = 3 * TICK_NS;
    while (!tick(PRESSURE_NONE))
        continue;
    ck_assert_uint_eq(closed(CLOSE_FINISHED), 1);
    int status = 0;
    ck_assert_int_eq(waitpid(reader, &status, 0), reader);
    ck_assert_int_eq(status, 0);
}
END_TEST

/* ---- others wait ----------------------------------------------------------------------------- */

START_TEST(crowded_closes_a_kept_connection_after_a_quiet_tick)
{
    say(GET);
    ck_assert(!tick(PRESSURE_NONE));
    ck_assert(!served.pressed);
    ck_assert(tick(PRESSURE_CROWDED));
    ck_assert(peer_sees_end());
    ck_assert_uint_eq(closed(CLOSE_CROWDED), 1);
    ck_assert_uint_eq(stats_read(&board->crowded), 1);
}
END_TEST

/* Although others wait from the first moment on, the request that came gets its response. */
START_TEST(crowded_answers_what_came)
{
    say(GET);
    ck_assert(!tick(PRESSURE_CROWDED));
    ck_assert(heard("hello") && !heard("Connection: close"));
    ck_assert(tick(PRESSURE_CROWDED));
    ck_assert_uint_eq(closed(CLOSE_CROWDED), 1);
}
END_TEST

START_TEST(crowded_gives_a_new_connection_a_turn)
{
    uint64_t began_ns = clock_ns();
    ticks_to_end(PRESSURE_CROWDED, 6);
    ck_assert_uint_ge(clock_ns() - began_ns, SERVE_TURN_NS);
    ck_assert_uint_eq(closed(CLOSE_CROWDED), 1);
    ck_assert(!heard("HTTP"));
}
END_TEST

/* A busy connection: after its turn, the next response is its last, and says so. */
START_TEST(crowded_ends_a_busy_connection_after_its_turn)
{
    pid_t client = fork();
    if (client == 0) {
        uint64_t began_ns = clock_ns();
        for (;;) {
            answered = 0;
            if (write(peer, GET, strlen(GET)) < 0) _exit(1);
            while (!heard("hello"))
                usleep(100);
            if (heard("Connection: close")) _exit(clock_ns() - began_ns >= SERVE_TURN_NS ? 0 : 2);
        }
    }
    close(peer);
    peer = -1;
    while (!tick(PRESSURE_CROWDED))
        continue;
    int status = 0;
    ck_assert_int_eq(waitpid(client, &status, 0), client);
    ck_assert_int_eq(status, 0);
    ck_assert_uint_eq(closed(CLOSE_FINISHED), 1);
    ck_assert_uint_eq(stats_read(&board->crowded), 1);
    ck_assert_uint_gt(stats_read(&board->requests), 10);
}
END_TEST

START_TEST(crowded_cuts_no_request)
{
    say("GET /a.txt HTT");
    for (int i = 0; i < 5; i++)
        ck_assert(!tick(PRESSURE_CROWDED));
    say("P/1.1\r\nHost: h\r\n\r\n");
    ck_assert(!tick(PRESSURE_CROWDED));
    ck_assert(heard("hello") && heard("Connection: close"));
    ck_assert(peer_sees_end()); /* it is half-closed and lingers */
    ck_assert(tick(PRESSURE_CROWDED));
    ck_assert_uint_eq(stats_read(&board->crowded), 1);
}
END_TEST

/* A head that never becomes complete ends by its own deadline, and not because others wait. */
START_TEST(crowded_is_not_why_a_head_is_late)
{
    service.rules.head_ns = service.rules.linger_ns = 4 * TICK_NS;
    say("GET /a.txt HTT");
    while (!tick(PRESSURE_CROWDED))
        continue;
    ck_assert(heard("408 Request Timeout"));
    ck_assert_uint_eq(stats_read(&board->closed[CLOSE_HEAD_TIMEOUT]), 1);
    ck_assert_uint_eq(stats_read(&board->crowded), 0);
}
END_TEST

/* When nobody waits any more, a connection under pressure goes on as before. */
START_TEST(crowded_is_over)
{
    say("GET /a.txt HTT");
    for (int i = 0; i < 5; i++)
        ck_assert(!tick(PRESSURE_CROWDED));
    ck_assert(served.pressed);
    say("P/1.1\r\nHost: h\r\n\r\n");
    ck_assert(!tick(PRESSURE_NONE));
    ck_assert(heard("hello") && !heard("Connection: close"));
    leave();
}
END_TEST

/* ---- the server stops ------------------------------------------------------------------------ */

START_TEST(draining_answers_what_comes_with_the_last)
{
    ck_assert(!tick(PRESSURE_NONE));
    ck_assert(!tick(PRESSURE_DRAINING));
    say(GET);
    ck_assert(!tick(PRESSURE_DRAINING));
    ck_assert(heard("hello") && heard("Connection: close"));
    close(peer);
    peer = -1;
    ck_assert(tick(PRESSURE_DRAINING));
    ck_assert_uint_eq(closed(CLOSE_FINISHED), 1);
}
END_TEST

START_TEST(draining_waits_for_an_idle_one_no_longer_than_lingering)
{
    service.rules.linger_ns = 2 * TICK_NS;
    say(GET);
    ck_assert(!tick(PRESSURE_NONE));
    uint64_t began_ns = clock_ns();
    ticks_to_end(PRESSURE_DRAINING, 6);
    ck_assert_uint_ge(clock_ns() - began_ns, service.rules.linger_ns);
    ck_assert_uint_eq(closed(CLOSE_DRAINED), 1);
}
END_TEST

START_TEST(stopping_cuts_an_answer)
{
    say("GET /big HTTP/1.1\r\nHost: h\r\n\r\n");
    ck_assert(!tick(PRESSURE_NONE));
    ck_assert(tick(PRESSURE_STOPPING));
    ck_assert_uint_eq(closed(CLOSE_DRAINED), 1);
    ck_assert_uint_eq(stats_read(&board->requests), 1);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("serve");
    TCase *cases = tcase_create("serve");
    tcase_add_checked_fixture(cases, set_up, tear_down);
    tcase_set_timeout(cases, 10);
    tcase_add_test(cases, a_tick_passes_while_nothing_comes);
    tcase_add_test(cases, answers_and_waits_for_more);
    tcase_add_test(cases, the_last_answer_closes);
    tcase_add_test(cases, the_peer_finishes);
    tcase_add_test(cases, who_finished_is_not_late);
    tcase_add_test(cases, a_deadline_is_seen_within_a_tick);
    tcase_add_test(cases, a_dribbled_head_is_late);
    tcase_add_test(cases, a_reader_that_stalls_is_given_up);
    tcase_add_test(cases, a_reader_that_is_slow_gets_all);
    tcase_add_test(cases, crowded_closes_a_kept_connection_after_a_quiet_tick);
    tcase_add_test(cases, crowded_answers_what_came);
    tcase_add_test(cases, crowded_gives_a_new_connection_a_turn);
    tcase_add_test(cases, crowded_ends_a_busy_connection_after_its_turn);
    tcase_add_test(cases, crowded_cuts_no_request);
    tcase_add_test(cases, crowded_is_not_why_a_head_is_late);
    tcase_add_test(cases, crowded_is_over);
    tcase_add_test(cases, draining_answers_what_comes_with_the_last);
    tcase_add_test(cases, draining_waits_for_an_idle_one_no_longer_than_lingering);
    tcase_add_test(cases, stopping_cuts_an_answer);
    suite_add_tcase(suite, cases);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
