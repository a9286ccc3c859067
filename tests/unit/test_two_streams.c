/*
 * A protocol with two streams at a time, made only for this test: what HTTP/2 will need of the
 * core. It replaces http1.h, and conn.c is compiled again with it. This shows that conn.c knows
 * nothing of HTTP/1.1 but that header: requests are resolved in any order, one waits for the disk
 * while the other is sent, and bytes are received meanwhile.
 *
 * A request is "N /path\n", where N is 1 or 2; a response is one of HTTP/1.1.
 */
#define ZCSERVE_HTTP_HTTP1_H /* replaces the real one */
#include "http/reader.h"
#include "http/stream.h"

#include <assert.h>
#include <check.h>
#include <stdlib.h>
#include <string.h>

/* ---- the protocol, with the functions of http1.h --------------------------------------------- */

#define STREAMS 2
#define RECEIVE_BYTES 256
#define PATH_BYTES 64

struct http1 {
    struct stream stream[STREAMS];
    bool open[STREAMS]; /* its request came, and has no response yet */
    uint64_t received_ns, waited_ns;
    size_t filled, parsed;
    char *receive;
};

static size_t http1_space_size(const struct conn_rules *rules)
{
    (void)rules;
    return STREAMS * PATH_BYTES + RECEIVE_BYTES;
}

static void http1_open(struct http1 *h, const struct conn_rules *rules, char *space)
{
    (void)rules;
    *h = (struct http1){.receive = space + (size_t)STREAMS * PATH_BYTES};
    for (int i = 0; i < STREAMS; i++)
        h->stream[i].path = space + (size_t)i * PATH_BYTES;
}

static void http1_from(struct http1 *h, const struct origin *peer)
{
    h->stream[0].peer = h->stream[1].peer = *peer;
}

static void http1_ids(struct http1 *h, struct request_ids *ids)
{
    (void)h, (void)ids;
}

static struct iovec http1_receive_space(struct http1 *h)
{
    return (struct iovec){h->receive + h->filled, RECEIVE_BYTES - h->filled};
}

static void http1_received(struct http1 *h, size_t length, uint64_t waited_ns,
                           const struct now *now)
{
    h->filled += length;
    h->waited_ns = waited_ns;
    h->received_ns = now->monotonic_ns;
}

static void http1_drop(struct http1 *h)
{
    h->filled = h->parsed = 0;
}

static struct stream *stream_open(struct http1 *h, const char *line, size_t length,
                                  const struct now *now)
{
    int i = line[0] - '1';
    struct stream *s = &h->stream[i];
    h->open[i] = true;
    s->request = (struct request){.method = METHOD_GET,
                                  .target = {line + 2, length - 2},
                                  .version = TEXT("test"),
                                  .persists = true};
    s->begun_ns = h->received_ns;
    s->queue_ns = h->waited_ns;
    s->headed_ns = now->monotonic_ns;
    return s;
}

static struct stream *http1_next(struct http1 *h, const struct now *now)
{
    const char *line = h->receive + h->parsed;
    const char *end = memchr(line, '\n', h->filled - h->parsed);
    if (!end || h->open[line[0] - '1']) return NULL;
    h->parsed += (size_t)(end - line) + 1;
    return stream_open(h, line, (size_t)(end - line), now);
}

static void http1_answered(struct http1 *h, struct stream *s)
{
    h->open[s - h->stream] = false;
}

/* Bytes that a stream has borrowed are not moved. */
static void http1_compact(struct http1 *h)
{
    if (h->open[0] || h->open[1] || h->parsed == 0) return;
    h->filled -= h->parsed;
    memmove(h->receive, h->receive + h->parsed, h->filled);
    h->parsed = 0;
}

static struct stream *http1_asking(struct http1 *h)
{
    for (int i = 0; i < STREAMS; i++)
        if (stream_asks(&h->stream[i])) return &h->stream[i];
    return NULL;
}

static struct stream *http1_parked(struct http1 *h)
{
    for (int i = 0; i < STREAMS; i++)
        if (h->stream[i].state == STREAM_PARKED) return &h->stream[i];
    return NULL;
}

static char *http1_spare(struct http1 *h)
{
    return h->receive + RECEIVE_BYTES;
}

static void http1_abandon(struct http1 *h)
{
    h->stream[0].state = h->stream[1].state = STREAM_READING;
}

static bool http1_receives_while_sending(const struct http1 *h)
{
    return h->filled < RECEIVE_BYTES;
}

static bool http1_holds_bytes(const struct http1 *h)
{
    return h->filled > 0;
}

static bool http1_has_more(const struct http1 *h)
{
    return h->parsed < h->filled;
}

static enum reader_phase http1_phase(const struct http1 *h)
{
    return http1_has_more(h) ? READER_HEAD : READER_AWAITS;
}

static struct stream *http1_refuse(struct http1 *h, enum refusal why)
{
    request_refuse(&h->stream[0].request, why);
    return &h->stream[0];
}

/* Nothing comes before the first request here. */
static struct text http1_prelude(struct http1 *h, size_t length)
{
    return (struct text){h->receive, length};
}

static bool http1_has_room(const struct http1 *h)
{
    return h->filled < RECEIVE_BYTES;
}

static size_t http1_prelude_end(struct http1 *h, size_t length)
{
    return h->filled - length;
}

#include "http/conn.c"
#include "http/deadline.c"
#include "http/prelude.c"

#include "core_link.h"

/* ---- two streams on one connection ----------------------------------------------------------- */

static struct core_link wire;
static struct conn_rules rules;

static void set_up(void)
{
    rules = core_rules();
    core_link_open(&wire, &rules);
}

static void tear_down(void)
{
    core_link_close(&wire);
}

static void say(const char *bytes)
{
    ck_assert_uint_eq(core_link_receive(&wire, bytes, strlen(bytes)), strlen(bytes));
}

static struct stream *stream_of(int number)
{
    return &wire.conn.work->http1.stream[number - 1];
}

/* Resolves the lookup of a stream as the store would. */
static void resolve(struct stream *s)
{
    struct resolution found = core_resolve(conn_lookup(s));
    if (found.kind == RESOLUTION_FOUND)
        wire.lent[wire.lent_count++ % EXCHANGES_MAX] = found.representation;
    conn_resolved(&wire.conn, s, found, &wire.now);
}

static void sent_all(void)
{
    while (core_link_advance(&wire) == CONN_SEND)
        core_link_send(&wire, UINT64_MAX);
}

static const char *at_of(const char *text)
{
    const char *at = memmem(wire.output, wire.output_length, text, strlen(text));
    ck_assert_msg(at != NULL, "'%s' was not sent", text);
    return at;
}

START_TEST(resolved_in_any_order)
{
    say("1 /small\n2 /inline\n");
    ck_assert_int_eq(conn_next(&wire.conn), CONN_RESOLVE);
    resolve(stream_of(2));
    ck_assert_ptr_eq(conn_asking(&wire.conn), stream_of(1));
    resolve(stream_of(1));
    sent_all();
    ck_assert_int_eq(conn_next(&wire.conn), CONN_RECEIVE);
    ck_assert_uint_eq(wire.settled, 2);
    ck_assert(at_of("Content-Length: 1024") < at_of("Content-Length: 100\r"));
}
END_TEST

START_TEST(one_is_parked_while_the_other_is_sent)
{
    say("1 /small\n2 /large\n");
    conn_parked(&wire.conn, stream_of(1));
    ck_assert_ptr_eq(conn_asking(&wire.conn), stream_of(2));
    resolve(stream_of(2));
    ck_assert_int_eq(core_link_advance(&wire), CONN_SEND);
    core_link_send(&wire, 10);
    /* The disk is done while bytes are outstanding. */
    ck_assert(conn_unparked(&wire.conn, stream_of(1), true));
    ck_assert_int_eq(conn_next(&wire.conn), CONN_RESOLVE);
    conn_sent(&wire.conn, 1, &wire.now); /* some of them are taken now */
    ck_assert_int_eq(conn_next(&wire.conn), CONN_RESOLVE);
    ck_assert_uint_eq(wire.conn.work->output.sent_bytes, 11);
}
END_TEST

START_TEST(parked_to_the_end)
{
    say("1 /small\n2 /inline\n");
    conn_parked(&wire.conn, stream_of(1));
    resolve(stream_of(2));
    sent_all();
    ck_assert_int_eq(conn_next(&wire.conn), CONN_PARKED);
    ck_assert_uint_eq(wire.settled, 1);
    ck_assert(conn_unparked(&wire.conn, stream_of(1), true));
    resolve(stream_of(1));
    sent_all();
    ck_assert_int_eq(conn_next(&wire.conn), CONN_RECEIVE);
    ck_assert_uint_eq(wire.settled, 2);
}
END_TEST

START_TEST(received_while_it_is_sent)
{
    say("1 /large\n");
    resolve(stream_of(1));
    ck_assert_int_eq(core_link_advance(&wire), CONN_SEND);
    core_link_send(&wire, 10);
    ck_assert(conn_receives(&wire.conn));
    say("2 /sma"); /* not a complete request: sending goes on */
    ck_assert_int_eq(conn_next(&wire.conn), CONN_SEND);
    core_link_send(&wire, 10);
    say("ll\n");
    ck_assert_int_eq(conn_next(&wire.conn), CONN_RESOLVE);
    resolve(stream_of(2));
    sent_all();
    ck_assert_uint_eq(wire.settled, 2);
    at_of("Content-Length: 100\r");
}
END_TEST

/*
 * One stream is parked and one is being sent when the peer leaves. core_link.c checks that each
 * loan is returned once.
 */
START_TEST(fails_within)
{
    say("1 /small\n2 /large\n");
    conn_parked(&wire.conn, stream_of(1));
    resolve(stream_of(2));
    ck_assert_int_eq(core_link_advance(&wire), CONN_SEND);
    core_link_send(&wire, 10);
    core_link_fail(&wire, CLOSE_PEER_RESET);
    ck_assert(!conn_unparked(&wire.conn, stream_of(1), true));
    ck_assert_int_eq(core_link_advance(&wire), CONN_CLOSE);
    ck_assert_uint_eq(wire.settled, 1);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("two_streams");
    TCase *tcase = tcase_create("two_streams");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, resolved_in_any_order);
    tcase_add_test(tcase, one_is_parked_while_the_other_is_sent);
    tcase_add_test(tcase, parked_to_the_end);
    tcase_add_test(tcase, received_while_it_is_sent);
    tcase_add_test(tcase, fails_within);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed > 0;
}
