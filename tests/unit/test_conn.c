/*
 * The life of a connection: deadlines, how it ends and why, what is lent and given back.
 */
#include "core_link.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#define HOST "Host: a\r\n"
#define GET(target) "GET " target " HTTP/1.1\r\n" HOST "\r\n"
#define SECOND NS_PER_SECOND
#define PAGE ((size_t)4096)

static struct core_link wire;

static void set_up(void)
{
    struct conn_rules rules = core_rules();
    core_link_open(&wire, &rules);
}

static void tear_down(void)
{
    core_link_close(&wire);
}

static void feed(const char *text)
{
    ck_assert_uint_eq(core_link_feed(&wire, text, strlen(text)), strlen(text));
}

/* Returns how long the connection may wait from now, in ns. */
static uint64_t patience(void)
{
    return conn_deadline_ns(&wire.conn) - wire.now.monotonic_ns;
}

static void step_is(enum conn_step step)
{
    ck_assert_int_eq(core_link_advance(&wire), step);
}

static void closed_because(enum close_reason reason)
{
    step_is(CONN_CLOSE);
    ck_assert_int_eq(conn_close_reason(&wire.conn), reason);
}

static bool output_has(const char *text)
{
    return memmem(wire.output, wire.output_length, text, strlen(text)) != NULL;
}

/* ---- how long it waits ----------------------------------------------------------------------- */

START_TEST(first_request_is_awaited)
{
    ck_assert_uint_eq(patience(), wire.rules.head_ns);
    ck_assert(conn_idle(&wire.conn));
    core_link_expire(&wire);
    closed_because(CLOSE_HEAD_TIMEOUT);
    ck_assert_uint_eq(wire.output_length, 0);
}
END_TEST

/* The time for a head begins with its first byte. Bytes that trickle in do not extend it. */
START_TEST(head_has_one_deadline)
{
    core_link_wait(&wire, 3 * SECOND);
    uint64_t deadline = wire.now.monotonic_ns + wire.rules.head_ns;
    for (const char *byte = "GET /xxxxx"; *byte; byte++) {
        core_link_feed(&wire, byte, 1);
        ck_assert_uint_eq(conn_deadline_ns(&wire.conn), deadline);
        core_link_wait(&wire, SECOND / 2);
    }
}
END_TEST

START_TEST(slow_head_is_answered_408)
{
    feed("GET / HTTP/1.1\r\n");
    core_link_wait(&wire, 4 * SECOND);
    feed("Host: ");
    ck_assert_uint_eq(patience(), 6 * SECOND);
    core_link_expire(&wire);
    step_is(CONN_SEND);
    feed("");
    ck_assert_uint_eq(wire.status[0], 408);
    ck_assert(output_has("Connection: close\r\n"));
    ck_assert(wire.conn.half_closed);
    ck_assert_uint_eq(patience(), wire.rules.linger_ns);
    core_link_finish(&wire);
    closed_because(CLOSE_HEAD_TIMEOUT);
}
END_TEST

START_TEST(second_slow_head_too)
{
    feed(GET("/") "\r\nGE");
    ck_assert_uint_eq(patience(), wire.rules.head_ns);
    core_link_expire(&wire);
    feed("");
    ck_assert_uint_eq(wire.settled, 2);
    ck_assert_uint_eq(wire.status[1], 408);
}
END_TEST

/* Half of an empty line is not a request: there is no response. */
START_TEST(half_an_empty_line_is_late_too)
{
    feed("\r");
    core_link_expire(&wire);
    closed_because(CLOSE_HEAD_TIMEOUT);
    ck_assert_uint_eq(wire.output_length, 0);
}
END_TEST

/* Empty lines before a request do not extend the time, complete or in halves. */
START_TEST(empty_lines_buy_no_time)
{
    static const char *const drops[] = {"\r\n", "\r\n\r\n\r", "\n\r"};
    if (_i >= 3) feed(GET("/"));
    uint64_t deadline = conn_deadline_ns(&wire.conn);
    ck_assert_uint_eq(patience(), _i >= 3 ? wire.rules.idle_ns : wire.rules.head_ns);
    for (int i = 0; i < 5; i++) {
        core_link_wait(&wire, SECOND);
        feed(i == 0 && _i % 3 == 2 ? "\r" : drops[_i % 3]);
        if (_i % 3 == 1) feed("\n");
        ck_assert_uint_eq(conn_deadline_ns(&wire.conn), deadline);
    }
    core_link_expire(&wire);
    closed_because(_i >= 3 ? CLOSE_IDLE_TIMEOUT : CLOSE_HEAD_TIMEOUT);
    ck_assert_uint_eq(wire.settled, _i >= 3 ? 1 : 0);
}
END_TEST

/* The time for a head begins with its own first byte, not with empty lines before it. */
START_TEST(head_behind_empty_lines_has_its_time)
{
    feed("\r\n");
    core_link_wait(&wire, wire.rules.head_ns - SECOND);
    feed("\r\nG");
    ck_assert_uint_eq(patience(), wire.rules.head_ns);
}
END_TEST

static void content_begin(void)
{
    feed("POST / HTTP/1.1\r\n");
    core_link_wait(&wire, wire.rules.head_ns - 1);
    feed(HOST "Transfer-Encoding: chunked\r\n\r\n");
    ck_assert_uint_eq(patience(), wire.rules.body_ns);
}

/* Content that comes too slowly counts as not coming, and so do chunk sizes and extensions. */
START_TEST(content_has_to_come_on)
{
    static const char *const drops[] = {"1\r\nx\r\n", "0", "1;a=b;c=d"};
    content_begin();
    feed(drops[_i]);
    uint64_t begun = wire.now.monotonic_ns;
    while (core_link_wait(&wire, SECOND / 2), conn_deadline_ns(&wire.conn) > wire.now.monotonic_ns)
        feed(_i == 0 ? drops[0] : _i == 1 ? "0" : "e");
    ck_assert_uint_le(wire.now.monotonic_ns - begun, wire.rules.body_ns + 2 * SECOND);
    core_link_expire(&wire);
    feed("");
    ck_assert_uint_eq(wire.status[0], 408);
    core_link_finish(&wire);
    closed_because(CLOSE_BODY_TIMEOUT);
}
END_TEST

/* At the lowest rate, content may go on for ever. Time cannot be saved up beyond body_ns. */
START_TEST(content_that_comes_on_has_time)
{
    char drop[BODY_BYTES_PER_SECOND_MIN / 100 + 1] = {0};
    memset(drop, '0', sizeof(drop) - 1);
    content_begin();
    for (int i = 0; i < 18; i++) {
        core_link_wait(&wire, SECOND / 100);
        feed(drop);
        ck_assert_uint_ge(patience(), wire.rules.body_ns - SECOND / 50);
        ck_assert_uint_le(patience(), wire.rules.body_ns);
    }
}
END_TEST

START_TEST(content_behind_an_answer_too)
{
    feed(GET("/") "POST / HTTP/1.1\r\n" HOST "Content-Length: 50\r\n\r\n");
    ck_assert_uint_eq(wire.settled, 1);
    ck_assert_uint_eq(patience(), wire.rules.body_ns);
}
END_TEST

START_TEST(idle_connection_is_closed_silently)
{
    feed(GET("/"));
    ck_assert_uint_eq(patience(), wire.rules.idle_ns);
    ck_assert(conn_idle(&wire.conn));
    size_t before = wire.output_length;
    core_link_expire(&wire);
    closed_because(CLOSE_IDLE_TIMEOUT);
    ck_assert_uint_eq(wire.output_length, before);
}
END_TEST

START_TEST(sending_needs_progress)
{
    const char request[] = GET("/file");
    core_link_receive(&wire, request, sizeof(request) - 1);
    step_is(CONN_SEND);
    ck_assert_uint_eq(patience(), wire.rules.send_ns);
    for (int i = 0; i < 10; i++) {
        core_link_wait(&wire, 29 * SECOND);
        core_link_send(&wire, 1);
        ck_assert_uint_eq(patience(), wire.rules.send_ns);
    }
    core_link_expire(&wire);
    closed_because(CLOSE_SEND_TIMEOUT);
    ck_assert_uint_eq(wire.settled, 1);
    ck_assert_uint_eq(wire.returned_count, 1);
}
END_TEST

/* ---- how it ends ----------------------------------------------------------------------------- */

START_TEST(peer_finishes)
{
    feed(GET("/"));
    core_link_finish(&wire);
    closed_because(CLOSE_PEER_CLOSED);
}
END_TEST

START_TEST(peer_finishes_before_it_asks)
{
    core_link_finish(&wire);
    closed_because(CLOSE_PEER_CLOSED);
}
END_TEST

START_TEST(peer_finishes_within_a_request)
{
    feed(GET("/") "GET");
    core_link_finish(&wire);
    closed_because(CLOSE_PEER_ABANDONED);
    ck_assert_uint_eq(wire.settled, 1);
}
END_TEST

START_TEST(peer_finishes_within_content)
{
    feed("POST / HTTP/1.1\r\n" HOST "Content-Length: 50\r\n\r\nx");
    core_link_finish(&wire);
    closed_because(CLOSE_PEER_ABANDONED);
    ck_assert_uint_eq(wire.settled, 0);
}
END_TEST

/* Each loan is returned, also for responses that were never sent, and bytes sent are counted. */
static uint64_t counted[8];

static void count_content(struct core_link *l, const struct exchange *exchange)
{
    counted[l->settled - 1] = exchange->content_bytes;
}

START_TEST(peer_resets_within_an_answer)
{
    const char requests[] = GET("/small") GET("/large") GET("/file");
    wire.on_settle = count_content;
    core_link_receive(&wire, requests, sizeof(requests) - 1);
    step_is(CONN_SEND);
    ck_assert_uint_eq(wire.lent_count, 3);
    core_link_send(&wire, UINT64_MAX); /* up to the file, and not further */
    step_is(CONN_SEND);
    core_link_send(&wire, 1234);
    core_link_fail(&wire, CLOSE_PEER_RESET);
    closed_because(CLOSE_PEER_RESET);
    ck_assert_uint_eq(wire.settled, 3);
    ck_assert_uint_eq(counted[0], 100);
    ck_assert_uint_eq(counted[1], 5000);
    ck_assert_uint_eq(counted[2], 1234);
}
END_TEST

/*
 * After a failure of the server the response is cut, but the connection is not reset, so that the
 * peer can read the responses before it.
 */
static const enum close_reason our_faults[] = {CLOSE_FILE_SHRANK, CLOSE_FILE_BROKEN,
                                               CLOSE_NO_MEMORY};

START_TEST(lingers_after_our_fault)
{
    const char requests[] = GET("/small") GET("/file") GET("/large");
    core_link_receive(&wire, requests, sizeof(requests) - 1);
    step_is(CONN_SEND);
    core_link_send(&wire, UINT64_MAX);
    step_is(CONN_SEND);
    core_link_fail(&wire, our_faults[_i]);
    step_is(CONN_HALF_CLOSE);
    ck_assert_uint_eq(wire.settled, 2); /* the response after the file was not begun */
    core_link_half_close(&wire);
    step_is(CONN_RECEIVE);
    ck_assert(!conn_idle(&wire.conn));
    feed(GET("/small"));
    ck_assert_uint_eq(wire.settled, 2);
    core_link_finish(&wire);
    closed_because(our_faults[_i]);
}
END_TEST

START_TEST(our_fault_ends_with_the_peer)
{
    feed("GET / HTTP/1.1\r\nHost: h\r\nX: ");
    core_link_fail(&wire, CLOSE_NO_MEMORY);
    step_is(CONN_HALF_CLOSE);
    core_link_half_close(&wire);
    step_is(CONN_RECEIVE);
    if (_i == 0)
        core_link_expire(&wire);
    else
        core_link_fail(&wire, _i == 1 ? CLOSE_PEER_RESET : CLOSE_NO_MEMORY);
    closed_because(CLOSE_NO_MEMORY);
}
END_TEST

START_TEST(fails_while_it_asks)
{
    const char request[] = GET("/small") GET("/");
    core_link_receive(&wire, request, sizeof(request) - 1);
    ck_assert_int_eq(conn_next(&wire.conn), CONN_RESOLVE);
    conn_resolved(&wire.conn, conn_asking(&wire.conn),
                  (struct resolution){.kind = RESOLUTION_NOT_FOUND}, &wire.now);
    ck_assert_int_eq(conn_next(&wire.conn), CONN_RESOLVE);
    conn_failed(&wire.conn, CLOSE_DRAINED);
    ck_assert_int_eq(conn_next(&wire.conn), CONN_SETTLE);
    ck_assert_uint_eq(conn_exchange(&wire.conn, &wire.now)->content_bytes, 0);
    ck_assert_ptr_null(conn_exchange(&wire.conn, &wire.now)->lent);
    conn_settled(&wire.conn, &wire.now);
    closed_because(CLOSE_DRAINED);
}
END_TEST

#define BYTES_50 "01234567890123456789012345678901234567890123456789"
#define BYTES_OF_A_SECOND \
    BYTES_50 BYTES_50 BYTES_50 BYTES_50 BYTES_50 BYTES_50 BYTES_50 BYTES_50 BYTES_50 BYTES_50

/* The half-close follows the last response. Then bytes of the peer are dropped for a while. */
START_TEST(lingers)
{
    feed("GET / HTTP/1.1\r\n\r\n" GET("/"));
    ck_assert_uint_eq(wire.settled, 1);
    ck_assert(wire.conn.half_closed && wire.conn.lingering);
    ck_assert(!conn_idle(&wire.conn));
    ck_assert_uint_eq(patience(), wire.rules.linger_ns);
    for (int i = 0; i < 5; i++)
        feed(GET("/") GET("/") GET("/"));
    ck_assert_uint_eq(patience(), wire.rules.linger_ns);
    for (int i = 0; i < 9; i++) {
        core_link_wait(&wire, SECOND);
        ck_assert_uint_ge(patience(), SECOND); /* an upload that goes on gets more time */
        feed(BYTES_OF_A_SECOND);
    }
    ck_assert_uint_eq(patience(), SECOND); /* but not for ever */
    ck_assert_uint_eq(wire.settled, 1);
    core_link_expire(&wire);
    closed_because(CLOSE_BAD_REQUEST);
}
END_TEST

/* A byte now and then is no upload: each one earns 2 ms. */
START_TEST(lingers_no_longer_for_drops)
{
    feed("GET / HTTP/1.1\r\n\r\n");
    ck_assert_uint_eq(patience(), wire.rules.linger_ns);
    for (uint64_t i = 1; i <= 3; i++) {
        core_link_wait(&wire, SECOND / 2);
        feed("x");
        ck_assert_uint_eq(patience(), wire.rules.linger_ns - i * (SECOND / 2 - SECOND / 500));
    }
    core_link_expire(&wire);
    closed_because(CLOSE_BAD_REQUEST);
}
END_TEST

START_TEST(lingers_in_vain)
{
    wire.rules.keep_alive = false;
    feed(GET("/"));
    ck_assert(wire.conn.half_closed);
    core_link_expire(&wire);
    closed_because(CLOSE_LINGER_TIMEOUT);
}
END_TEST

START_TEST(lingers_until_the_peer_goes)
{
    wire.rules.keep_alive = false;
    feed(GET("/"));
    core_link_finish(&wire);
    closed_because(CLOSE_FINISHED);
}
END_TEST

START_TEST(reset_after_the_last_answer_is_no_trouble)
{
    wire.rules.keep_alive = false;
    feed(GET("/"));
    core_link_fail(&wire, CLOSE_PEER_RESET);
    closed_because(CLOSE_FINISHED);
}
END_TEST

static const struct {
    const char *request;
    bool closes, lingers;
    enum close_reason reason;
    const char *connection; /* value of Connection in the response, or NULL */
} endings[] = {
    {GET("/"), false, false, CLOSE_NONE, NULL},
    {"GET / HTTP/1.1\r\n" HOST "Connection: keep-alive\r\n\r\n", false, false, CLOSE_NONE, NULL},
    {"GET / HTTP/1.1\r\n" HOST "Connection: close\r\n\r\n", true, false, CLOSE_FINISHED, "close"},
    {"GET / HTTP/1.0\r\n\r\n", true, false, CLOSE_FINISHED, "close"},
    {"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", false, false, CLOSE_NONE, "keep-alive"},
    {"HEAD /no HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n", false, false, CLOSE_NONE, "keep-alive"},
    {"GET / HTTP/1.1\r\n\r\n", true, true, CLOSE_BAD_REQUEST, "close"},
    {"POST / HTTP/1.1\r\n" HOST "Content-Length: 999\r\n\r\n", true, true, CLOSE_FINISHED, "close"},
    {"POST / HTTP/1.1\r\n" HOST "Expect: 100-continue\r\nContent-Length: 9\r\n\r\n", true, true,
     CLOSE_FINISHED, "close"},
    {"CONNECT a:1 HTTP/1.1\r\n" HOST "\r\n", true, true, CLOSE_FINISHED, "close"},
    {"POST / HTTP/1.1\r\n" HOST "Content-Length: 2\r\n\r\nxy", false, false, CLOSE_NONE, NULL},
};

START_TEST(ends_as_it_was_asked)
{
    feed(endings[_i].request);
    ck_assert_int_eq(wire.conn.closing, endings[_i].closes);
    ck_assert_int_eq(wire.conn.half_closed, endings[_i].lingers);
    ck_assert_int_eq(conn_close_reason(&wire.conn), endings[_i].reason);
    ck_assert_int_eq(conn_next(&wire.conn) == CONN_CLOSE,
                     endings[_i].closes && !endings[_i].lingers);
    ck_assert_int_eq(output_has("\r\nConnection: "), endings[_i].connection != NULL);
    if (!endings[_i].connection) return;
    char line[64];
    snprintf(line, sizeof(line), "\r\nConnection: %s\r\n", endings[_i].connection);
    ck_assert(output_has(line));
}
END_TEST

/* ---- when a lookup has to wait for the disk -------------------------------------------------- */

static bool waits_third(void *of)
{
    return ++*(int *)of == 3;
}

static int lookups;

static void park_third(const char *requests)
{
    lookups = 0;
    wire.parks = waits_third;
    wire.parks_of = &lookups;
    core_link_receive(&wire, requests, strlen(requests));
}

START_TEST(answers_leave_while_one_is_parked)
{
    park_third(GET("/small") GET("/") GET("/file") GET("/no"));
    step_is(CONN_SEND);
    core_link_send(&wire, UINT64_MAX);
    step_is(CONN_PARKED);
    ck_assert_uint_eq(wire.settled, 2);
    ck_assert(!conn_idle(&wire.conn));
    core_link_unpark(&wire);
    feed("");
    ck_assert_uint_eq(wire.settled, 4);
    ck_assert_uint_eq(wire.status[2], 200);
    ck_assert_uint_eq(wire.status[3], 404);
    ck_assert(conn_idle(&wire.conn));
}
END_TEST

START_TEST(parked_request_stays_where_it_is)
{
    park_third(GET("/small") GET(
        "/") "GET /dir?x=y HTTP/1.1\r\n" HOST "X: 0123456789012345678901234567890123456789"
             "0123456789012345678901234567890123456789012345678901234567890123456789\r\n\r\n");
    step_is(CONN_SEND);
    core_link_send(&wire, UINT64_MAX);
    step_is(CONN_PARKED);
    core_link_unpark(&wire);
    feed("");
    ck_assert_uint_eq(wire.status[2], 301);
    ck_assert(output_has("\r\nLocation: dir/?x=y\r\n"));
}
END_TEST

/* The response after the wait is added to the output that is being sent. */
START_TEST(unparked_within_a_send)
{
    park_third(GET("/small") GET("/large") GET("/file") GET("/no"));
    step_is(CONN_SEND);
    core_link_send(&wire, 1000);
    core_link_unpark(&wire);
    feed("");
    ck_assert_uint_eq(wire.settled, 4);
}
END_TEST

START_TEST(fails_while_parked)
{
    park_third(GET("/small") GET("/") GET("/file") GET("/no"));
    step_is(CONN_SEND);
    core_link_send(&wire, 100);
    core_link_fail(&wire, CLOSE_PEER_RESET);
    closed_because(CLOSE_PEER_RESET);
    ck_assert_uint_eq(wire.settled, 2);
}
END_TEST

/* ---- when the server stops ------------------------------------------------------------------- */

static void drain(void)
{
    conn_draining(&wire.conn, &wire.now);
}

START_TEST(idle_connection_drains)
{
    feed(GET("/"));
    drain();
    ck_assert_uint_eq(patience(), wire.rules.linger_ns);
    core_link_expire(&wire);
    closed_because(CLOSE_DRAINED);
}
END_TEST

START_TEST(one_more_request_while_draining)
{
    feed(GET("/"));
    drain();
    core_link_wait(&wire, SECOND);
    feed(GET("/small"));
    ck_assert_uint_eq(wire.settled, 2);
    ck_assert(output_has("Connection: close\r\n"));
    ck_assert(wire.conn.half_closed);
    core_link_finish(&wire);
    closed_because(CLOSE_FINISHED);
}
END_TEST

START_TEST(request_under_way_keeps_its_time)
{
    feed("GET / HT");
    drain();
    ck_assert_uint_eq(patience(), wire.rules.head_ns);
}
END_TEST

/* The response promised to keep the connection. Then it waits no longer than an idle connection. */
START_TEST(answer_under_way_drains)
{
    const char request[] = GET("/file");
    core_link_receive(&wire, request, sizeof(request) - 1);
    step_is(CONN_SEND);
    drain();
    ck_assert_uint_eq(patience(), wire.rules.send_ns);
    feed("");
    ck_assert(!wire.conn.closing);
    ck_assert_uint_eq(patience(), wire.rules.linger_ns);
    core_link_expire(&wire);
    closed_because(CLOSE_DRAINED);
}
END_TEST

/* ---- what it costs --------------------------------------------------------------------------- */

START_TEST(idle_connection_is_small)
{
    ck_assert_uint_le(sizeof(struct conn), 256);
    feed(GET("/"));
    core_link_rest(&wire);
    ck_assert_ptr_null(wire.conn.work);
    feed(GET("/small") "GET");
    core_link_rest(&wire);
    ck_assert_ptr_nonnull(wire.conn.work);
}
END_TEST

START_TEST(work_holds_what_rules_allow)
{
    struct conn_rules rules = core_rules();
    size_t small = conn_work_size(&rules);
    ck_assert_uint_eq(small % PAGE, 0);
    rules.head_bytes_max += PAGE;
    ck_assert_uint_eq(conn_work_size(&rules), small + PAGE);
}
END_TEST

/* The most parts behind the most large responses: the sanitizer sees when a segment has no room. */
START_TEST(work_holds_the_most_segments)
{
    static char text[4096];
    int length = 0;
    struct conn_rules rules = core_rules();
    rules.head_bytes_max = sizeof(text);
    rules.ranges_max = RANGES_MAX;
    core_link_close(&wire);
    core_link_open(&wire, &rules);
    for (int i = 1; i < EXCHANGES_MAX; i++)
        length += sprintf(text + length, "%s", GET("/large"));
    length += sprintf(text + length, "GET /large HTTP/1.1\r\n" HOST "Range: bytes=");
    for (int i = 0; i < RANGES_MAX; i++)
        length += sprintf(text + length, "%d-%d,", i * 70, i * 70 + 59);
    sprintf(text + length, "\r\n\r\n");
    feed(text);
    ck_assert_uint_eq(wire.settled, EXCHANGES_MAX);
    ck_assert(output_has("Content-Range: bytes 4410-4469/5000\r\n"));
}
END_TEST

/* Returns how far the work area was written. core_link.c fills it with 0x5a when it is lent. */
static size_t work_written(void)
{
    const unsigned char *work = (const void *)wire.conn.work;
    size_t size = conn_work_size(&wire.rules);
    while (size > 0 && work[size - 1] == 0x5a)
        size--;
    return size;
}

/* However many ranges are allowed, the segments for them lie behind what one response needs. */
START_TEST(one_request_touches_one_page)
{
    core_link_close(&wire);
    struct conn_rules rules = core_rules();
    rules.ranges_max = RANGES_MAX;
    core_link_open(&wire, &rules);
    feed(GET("/large"));
    ck_assert_uint_le(work_written(), PAGE);
    feed("GET /large HTTP/1.1\r\n" HOST "Range: bytes=0-1999,2500-4499\r\n\r\n");
    ck_assert_uint_gt(work_written(), PAGE); /* so the test can see it */
}
END_TEST

START_TEST(pipelined_answers_leave_in_one_send)
{
    feed(GET("/") GET("/small") GET("/no") GET("/large") "HEAD / HTTP/1.1\r\n" HOST "\r\n");
    ck_assert_uint_eq(wire.settled, 5);
    ck_assert_uint_eq(wire.sends, 1);
}
END_TEST

/* Content much longer than the buffer, with trailers, is received and dropped. */
START_TEST(long_content_passes)
{
    char chunk[1000];
    wire.rules.body_bytes_max = 1000000;
    memset(chunk, 'x', sizeof(chunk));
    feed("POST /small HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n30d40\r\n");
    for (int i = 0; i < 200; i++)
        core_link_feed(&wire, chunk, sizeof(chunk));
    feed("\r\n0\r\nTrailer: ");
    for (int i = 0; i < 200; i++)
        core_link_feed(&wire, chunk, sizeof(chunk));
    ck_assert_uint_eq(wire.settled, 0);
    feed(" \r\n\r\n" GET("/"));
    ck_assert_uint_eq(wire.settled, 2);
    ck_assert_uint_eq(wire.status[0], 405);
    ck_assert_uint_eq(wire.status[1], 200);
}
END_TEST

static struct exchange seen;

static void exchange_keep(struct core_link *l, const struct exchange *exchange)
{
    (void)l;
    seen = *exchange;
    ck_assert(text_equals(exchange->method_name, TEXT("GET")));
    ck_assert(text_equals(exchange->target, TEXT("/small?q")));
    ck_assert(text_equals(exchange->version, TEXT("HTTP/1.1")));
    ck_assert(text_equals(exchange->host, TEXT("a")));
    ck_assert(text_equals(exchange->referer, TEXT("r")));
    ck_assert(text_equals(exchange->user_agent, TEXT("u")));
}

START_TEST(exchange_tells_the_request)
{
    uint64_t begun = wire.now.monotonic_ns + SECOND;
    wire.on_settle = exchange_keep;
    core_link_wait(&wire, SECOND);
    feed("GET /small?q HTTP/1.1\r\nReferer: r\r\n");
    core_link_wait(&wire, SECOND);
    feed(HOST "User-Agent: u\r\n\r\n");
    ck_assert_uint_eq(wire.settled, 1);
    ck_assert_uint_eq(seen.begun_ns, begun);
    ck_assert_uint_eq(seen.status, 200);
    ck_assert_uint_eq(seen.content_bytes, 100);
    ck_assert_ptr_eq(seen.lent, core_representation("small"));
}
END_TEST

/* ---- files ---------------------------------------------------------------------------------- */

static enum source settled_source[8];

static void source_see(struct core_link *link, const struct exchange *exchange)
{
    settled_source[link->settled % 8] = exchange->source;
}

/* Sends until the range of the file comes next. */
static void send_until_file(void)
{
    struct outgoing out;
    step_is(CONN_SEND);
    conn_outgoing(&wire.conn, &out);
    while (out.count > 0) {
        core_link_send(&wire, out.length);
        step_is(CONN_SEND);
        conn_outgoing(&wire.conn, &out);
    }
}

START_TEST(what_is_being_sent)
{
    const char *text = GET("/nothing") GET("/file") GET("/small");
    core_link_receive(&wire, text, strlen(text));
    step_is(CONN_SEND);
    ck_assert_ptr_null(conn_sending(&wire.conn));
    send_until_file();
    ck_assert_ptr_eq(conn_sending(&wire.conn), core_representation("file"));
    core_link_send(&wire, 20000 - 1);
    step_is(CONN_SEND);
    ck_assert_ptr_eq(conn_sending(&wire.conn), core_representation("file"));
    core_link_send(&wire, 1);
    step_is(CONN_SEND);
    ck_assert_ptr_eq(conn_sending(&wire.conn), core_representation("small"));
}
END_TEST

/*
 * Pipelined requests for files are not gathered, whether content is to be sent or not: only one
 * file is lent at a time.
 */
START_TEST(one_file_is_lent_at_a_time)
{
    static const char *const text[] = {
        GET("/small") GET("/file") GET("/file") GET("/small"),
        GET("/small") "HEAD /file HTTP/1.1\r\n" HOST "\r\n" GET("/file") GET("/small"),
        GET("/small") "GET /file HTTP/1.1\r\nIf-None-Match: *\r\n" HOST "\r\n" GET("/small"),
    };
    for (size_t i = 0; i < sizeof(text) / sizeof(text[0]); i++) {
        uint64_t lent = wire.lent_count, settled = wire.settled;
        core_link_receive(&wire, text[i], strlen(text[i]));
        step_is(CONN_SEND);
        ck_assert_uint_eq(wire.lent_count, lent + 2);
        feed(""); /* no bytes needed: the rest goes on by itself */
        ck_assert_uint_eq(wire.settled, settled + (i == 2 ? 3 : 4));
    }
}
END_TEST

/* The peer gets extra time for the disk. Only the exchange that waited has the source "disk". */
START_TEST(fetched_from_the_disk)
{
    const char *text = GET("/file") GET("/file") GET("/small");
    wire.on_settle = source_see;
    core_link_receive(&wire, text, strlen(text));
    send_until_file();
    core_link_wait(&wire, wire.rules.send_ns - 1);
    uint64_t deadline = conn_deadline_ns(&wire.conn);
    conn_fetched(&wire.conn, &wire.now);
    ck_assert_uint_eq(conn_deadline_ns(&wire.conn), deadline + wire.rules.send_ns - 1);
    ck_assert_int_eq(conn_next(&wire.conn), CONN_SEND);
    feed("");
    ck_assert_uint_eq(wire.settled, 3);
    ck_assert_int_eq(settled_source[1], SOURCE_DISK);
    ck_assert_int_eq(settled_source[2], core_representation("file")->source);
    ck_assert_int_eq(settled_source[3], core_representation("small")->source);
    ck_assert_int_ne(settled_source[2], SOURCE_DISK);
}
END_TEST

/* A file that came from the disk has the source "disk" once; the next response has "memory". */
START_TEST(resolved_from_the_disk)
{
    const char *text = GET("/small") GET("/small");
    wire.on_settle = source_see;
    core_link_receive(&wire, text, strlen(text));
    struct stream *asking = conn_asking(&wire.conn);
    conn_parked(&wire.conn, asking);
    ck_assert(conn_unparked(&wire.conn, asking, true));
    feed("");
    ck_assert_int_eq(settled_source[1], SOURCE_DISK);
    ck_assert_int_eq(settled_source[2], core_representation("small")->source);
}
END_TEST

/* It waited for a place alone: nothing was read from the disk for it. */
START_TEST(resolved_after_a_wait_for_a_place)
{
    const char *text = GET("/small");
    wire.on_settle = source_see;
    core_link_receive(&wire, text, strlen(text));
    struct stream *asking = conn_asking(&wire.conn);
    conn_parked(&wire.conn, asking);
    ck_assert(conn_unparked(&wire.conn, asking, false));
    feed("");
    ck_assert_int_eq(settled_source[1], core_representation("small")->source);
}
END_TEST

START_TEST(unparked_once)
{
    core_link_receive(&wire, GET("/file"), strlen(GET("/file")));
    struct stream *asking = conn_asking(&wire.conn);
    ck_assert(!conn_unparked(&wire.conn, asking, true));
    ck_assert_int_eq(conn_next(&wire.conn), CONN_RESOLVE);
    conn_parked(&wire.conn, asking);
    ck_assert_int_eq(conn_next(&wire.conn), CONN_PARKED);
    ck_assert(conn_unparked(&wire.conn, asking, true));
    ck_assert_int_eq(conn_next(&wire.conn), CONN_RESOLVE);
    ck_assert(!conn_unparked(&wire.conn, asking, true));
    conn_parked(&wire.conn, asking);
    core_link_fail(&wire, CLOSE_PEER_RESET);
    ck_assert(!conn_unparked(&wire.conn, asking, true));
    closed_because(CLOSE_PEER_RESET);
}
END_TEST

static TCase *tests_add(Suite *suite)
{
    TCase *tcase = tcase_create("conn");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    suite_add_tcase(suite, tcase);
    return tcase;
}

int main(void)
{
    Suite *suite = suite_create("conn");
    TCase *time = tests_add(suite), *end = tests_add(suite), *cost = tests_add(suite);
    tcase_add_test(time, first_request_is_awaited);
    tcase_add_test(time, head_has_one_deadline);
    tcase_add_test(time, slow_head_is_answered_408);
    tcase_add_test(time, second_slow_head_too);
    tcase_add_test(time, half_an_empty_line_is_late_too);
    tcase_add_loop_test(time, empty_lines_buy_no_time, 0, 6);
    tcase_add_test(time, head_behind_empty_lines_has_its_time);
    tcase_add_test(time, content_that_comes_on_has_time);
    tcase_add_loop_test(time, content_has_to_come_on, 0, 3);
    tcase_add_test(time, content_behind_an_answer_too);
    tcase_add_test(time, idle_connection_is_closed_silently);
    tcase_add_test(time, sending_needs_progress);
    tcase_add_test(end, peer_finishes);
    tcase_add_test(end, peer_finishes_before_it_asks);
    tcase_add_test(end, peer_finishes_within_a_request);
    tcase_add_test(end, peer_finishes_within_content);
    tcase_add_test(end, peer_resets_within_an_answer);
    tcase_add_test(end, fails_while_it_asks);
    tcase_add_test(end, lingers);
    tcase_add_loop_test(end, lingers_after_our_fault, 0, 3);
    tcase_add_loop_test(end, our_fault_ends_with_the_peer, 0, 3);
    tcase_add_test(end, lingers_no_longer_for_drops);
    tcase_add_test(end, lingers_in_vain);
    tcase_add_test(end, lingers_until_the_peer_goes);
    tcase_add_test(end, reset_after_the_last_answer_is_no_trouble);
    tcase_add_loop_test(end, ends_as_it_was_asked, 0, sizeof(endings) / sizeof(endings[0]));
    tcase_add_test(end, answers_leave_while_one_is_parked);
    tcase_add_test(end, parked_request_stays_where_it_is);
    tcase_add_test(end, unparked_within_a_send);
    tcase_add_test(end, fails_while_parked);
    tcase_add_test(end, idle_connection_drains);
    tcase_add_test(end, one_more_request_while_draining);
    tcase_add_test(end, request_under_way_keeps_its_time);
    tcase_add_test(end, answer_under_way_drains);
    tcase_add_test(end, what_is_being_sent);
    tcase_add_test(end, one_file_is_lent_at_a_time);
    tcase_add_test(end, fetched_from_the_disk);
    tcase_add_test(end, resolved_after_a_wait_for_a_place);
    tcase_add_test(end, unparked_once);
    tcase_add_test(end, resolved_from_the_disk);
    tcase_add_test(cost, idle_connection_is_small);
    tcase_add_test(cost, work_holds_what_rules_allow);
    tcase_add_test(cost, work_holds_the_most_segments);
    tcase_add_test(cost, one_request_touches_one_page);
    tcase_add_test(cost, pipelined_answers_leave_in_one_send);
    tcase_add_test(cost, long_content_passes);
    tcase_add_test(cost, exchange_tells_the_request);
    SRunner *runner = srunner_create(suite);
    srunner_set_fork_status(runner, CK_NOFORK); /* no test leaves anything behind */
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
