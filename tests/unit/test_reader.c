/*
 * Reads one request: what is taken from it, how many bytes belong to it, and how it is refused.
 * Several requests on one connection, and every way to cut them, are in test_split.c.
 */
#include "core_link.h"
#include "http/reader.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#define HOST "Host: a\r\n"

struct reading {
    struct conn_rules rules;
    struct reader reader;
    struct request request;
    char *bytes; /* in a block of exactly their size */
    size_t used;
};

static void read_whole(struct reading *reading, const char *bytes, size_t length)
{
    reading->rules = core_rules();
    reading->bytes = malloc(length);
    memcpy(reading->bytes, bytes, length);
    reader_begin(&reading->reader, &reading->request, &reading->rules);
    reading->used = reader_feed(&reading->reader, reading->bytes, length);
}

/* ---- how a request ends ---------------------------------------------------------------------- */

static const struct {
    const char *bytes, *behind; /* `behind` belongs to the next request */
    uint16_t refused;
    bool unread, keeps_alive, asked;
} ends[] = {
    {"GET / HTTP/1.1\r\n" HOST "\r\n", "", 0, false, true, false},
    {"GET / HTTP/1.1\r\n" HOST "\r\n", "GET /", 0, false, true, false},
    {"\r\n\r\nGET / HTTP/1.1\r\n" HOST "\r\n", "\r\n", 0, false, true, false},
    {"POST / HTTP/1.1\r\n" HOST "Content-Length: 2\r\n\r\nab", "cd", 0, false, true, false},
    {"POST / HTTP/1.1\r\n" HOST "Content-Length: 100\r\n\r\n"
     "0123456789012345678901234567890123456789012345678901234567890123456789"
     "012345678901234567890123456789",
     "x", 0, false, true, false},
    {"POST / HTTP/1.1\r\n" HOST "Content-Length: 101\r\n\r\n", "ab", 0, true, false, false},
    {"POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\nX: y\r\n\r\n",
     "0\r\n", 0, false, true, false},
    {"POST / HTTP/1.1\r\n" HOST "Expect: 100-continue\r\nContent-Length: 1\r\n\r\n", "a", 0, true,
     false, false},
    {"POST / HTTP/1.1\r\n" HOST "Expect: 100-continue\r\nTransfer-Encoding: chunked\r\n\r\n", "0",
     0, true, false, false},
    {"GET / HTTP/1.1\r\n" HOST "Connection: close\r\n\r\n", "", 0, false, false, false},
    {"GET / HTTP/1.1\r\n" HOST "Connection: keep-alive\r\n\r\n", "", 0, false, true, false},
    {"GET / HTTP/1.0\r\n\r\n", "", 0, false, false, false},
    {"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", "", 0, false, true, true},
    {"GET / HTTP/1.0\r\nConnection: Keep-Alive, x\r\n\r\n", "G", 0, false, true, true},
    {"POST / HTTP/1.0\r\nConnection: keep-alive\r\nContent-Length: 1\r\n\r\nx", "G", 0, false, true,
     true},
    {"GET / HTTP/1.0\r\nConnection: keep-alive\t\r\n\r\n", "G", 0, false, true, true},
    {"GET / HTTP/1.0\r\nConnection: x\r\nConnection:\tx\t,\tkeep-alive\t\r\n\r\n", "G", 0, false,
     true, true},
    {"GET / HTTP/1.0\r\nProxy-Connection: keep-alive\r\n\r\n", "", 0, false, false, false},
    {"GET / HTTP/1.1\r\n" HOST "Proxy-Connection: close\r\n\r\n", "G", 0, false, true, false},
    {"GET / HTTP/1.1\r\n" HOST "Connection: close\t\r\n\r\n", "", 0, false, false, false},
    {"GET / HTTP/1.1\r\n" HOST "Connection: x\t,,\tClose\t,\r\n\r\n", "", 0, false, false, false},
    {"GET / HTTP/1.1\r\n" HOST "Connection: close\r\nConnection: x\r\n\r\n", "", 0, false, false,
     false},
    {"POST / HTTP/1.1\r\n" HOST "Content-Length: 2\t\r\n\r\nab", "cd", 0, false, true, false},
    {"POST / HTTP/1.1\r\n" HOST "Content-Length:\t 2 \t \r\n\r\nab", "cd", 0, false, true, false},
    {"POST /\xff HTTP/1.1\r\n" HOST "X:\ta\tb\t\r\nContent-Length: 2\t\r\n\r\nab", "cd", 0, false,
     true, false},
    {"POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\t\r\n\r\n1\r\na\r\n0\r\n\r\n", "0\r\n",
     0, false, true, false},
    {"POST / HTTP/1.1\r\n" HOST "Content-Length: 101\t\r\n\r\n", "ab", 0, true, false, false},
    {"POST / HTTP/1.1\r\n" HOST "Expect:\t\r\nExpect: ,100-continue\t\r\nContent-Length: 1\r\n\r\n",
     "a", 0, true, false, false},
    {"POST / HTTP/1.1\r\n" HOST "Expect:\r\nContent-Length: 1\r\n\r\na", "G", 0, false, true,
     false},
    {"GET / HTTP/1.1\r\n" HOST "Expect: 100-continue\r\nExpect: x\r\n\r\n", "GET", 417, false,
     false, false},
    {"GET / HTTP/1.1\r\n" HOST "Expect: 100-continue;x=y\r\n\r\n", "GET", 417, false, false, false},
    {"GET / HTTP/1.1\r\n" HOST "Connection: upgrade\r\nUpgrade: h2c\r\n\r\n", "PRI", 0, false, true,
     false},
    {"CONNECT a:1 HTTP/1.1\r\n" HOST "\r\n", "x", 0, false, true, false},
    {"GET / HTTP/1.1\r\n\r\n", "GET", 400, false, false, false},
    {"GET / HTTP/1.1\r\n" HOST "Expect: x\r\n\r\n", "GET", 417, false, false, false},
    {"GET / HTTP/2.0\r\n" HOST "\r\n", "abc", 505, false, false, false},
};

START_TEST(ends_where_it_ends)
{
    char bytes[1024];
    int length = snprintf(bytes, sizeof(bytes), "%s%s", ends[_i].bytes, ends[_i].behind);
    struct reading reading;
    read_whole(&reading, bytes, (size_t)length);
    const struct request *r = &reading.request;
    ck_assert_int_eq(reading.reader.phase, READER_COMPLETE);
    ck_assert_uint_eq(reading.used, strlen(ends[_i].bytes));
    ck_assert_uint_eq(refusal_status(r->refused), ends[_i].refused);
    ck_assert_int_eq(r->unread, ends[_i].unread);
    ck_assert_int_eq(request_keeps_alive(r), ends[_i].keeps_alive);
    ck_assert_int_eq(r->confirm_keep_alive, ends[_i].asked);
    free(reading.bytes);
}
END_TEST

/* ---- what is refused within its head --------------------------------------------------------- */

static const struct {
    const char *bytes;
    size_t length;
    uint16_t refused;
    const char *clause;
} refusals[] = {
#define REFUSED(status, bytes, clause)           \
    {                                            \
        bytes, sizeof(bytes) - 1, status, clause \
    }
    REFUSED(400, "\n", "9112 2.2: a line ends in CRLF"),
    REFUSED(400, "\r\n\n", "9112 2.2"),
    REFUSED(400, "\rG", "9112 2.2: bare CR"),
    REFUSED(400, " ", "9112 3: request-line begins with a method"),
    REFUSED(400, "\0", "9110 5.6.2: token"),
    REFUSED(400, "G\0", "9110 5.6.2: token"),
    REFUSED(400, "GET\t", "9112 3: one space"),
    REFUSED(501, "GETS", "9110 9.1: unrecognised method"),
    REFUSED(501, "GE ", "9110 9.1: unrecognised method"),
    REFUSED(501, "get", "9110 9.1: methods are case-sensitive"),
    REFUSED(501, "X", "9110 9.1"),
    REFUSED(501, "DESCRIBE / HTTP/", "9110 9.1: a method of RTSP"),
    REFUSED(501, "FLUSH / HTTP/", "9110 9.1: a method of RTSP"),
    REFUSED(400, "GET /\r", "9112 3: no version"),
    REFUSED(400, "GET /\n", "9112 3: no version"),
    REFUSED(400, "GET / X", "9112 2.3: HTTP-name"),
    REFUSED(400, "GET / http", "9112 2.3: HTTP-name is case-sensitive"),
    REFUSED(400, "GET / RTSP/1", "9112 2.3"),
    REFUSED(400, "GET / ICE/", "9112 2.3"),
    REFUSED(400, "GET / HTTP/x", "9112 2.3"),
    REFUSED(400, "GET / HTTP/1x", "9112 2.3"),
    REFUSED(400, "GET / HTTP/1.1\n", "9112 2.2"),
    REFUSED(400, "GET / HTTP/1.1\rX", "9112 2.2"),
    REFUSED(505, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "9113 3.4: connection preface"),
    REFUSED(400, "GET /\x01", "9112 3.2"),
    REFUSED(400, "GET /\x7f", "9112 3.2"),
    REFUSED(400, "GET / HTTP/1.1\r\n ", "9112 2.2: blank before the first field"),
    REFUSED(400, "GET / HTTP/1.1\r\nX ", "9112 5.1: no blank before the colon"),
    REFUSED(400, "GET / HTTP/1.1\r\nX\r", "9112 5: colon"),
    REFUSED(400, "GET / HTTP/1.1\r\n:", "9110 5.1: name is a token"),
    REFUSED(400, "GET / HTTP/1.1\r\nX: \0", "9110 5.5"),
    REFUSED(400, "GET / HTTP/1.1\r\nX: a\n", "9112 2.2"),
    REFUSED(400, "GET / HTTP/1.1\r\nX: a\rb", "9112 2.2"),
    REFUSED(400, "GET / HTTP/1.1\r\nX: a\r\n b", "9112 5.2: obs-fold"),
    REFUSED(400, "GET / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 1", "9112 6.3"),
    REFUSED(400, "GET / HTTP/1.1\r\nContent-Length: 1,", "9112 6.3"),
    REFUSED(400, "GET / HTTP/1.1\r\nContent-Length: -", "9112 6.3"),
    REFUSED(400, "GET / HTTP/1.1\r\nTransfer-Encoding:\r\n\r", "9112 6.1: empty"),
    REFUSED(501, "GET / HTTP/1.1\r\nTransfer-Encoding: gzip\r\n\r", "9112 6.1: unknown coding"),
    REFUSED(501, "GET / HTTP/1.1\r\nTransfer-Encoding: gzip, chunked\r\n\r", "9112 6.1"),
    REFUSED(400, "GET / HTTP/1.1\r\nContent-Length: 1\t2", "9112 6.3"),
    REFUSED(400, "GET / HTTP/1.1\r\nContent-Length: 1\t,", "9112 6.3"),
    REFUSED(400, "GET / HTTP/1.1\r\nContent-Length: \t\r\n\r", "9112 6.3"),
    REFUSED(400, "GET / HTTP/1.1\r\nContent-Length: 1\t\r\nContent-Length: 1", "9112 6.3"),
    REFUSED(400, "GET / HTTP/1.1\r\nContent-Length: 18446744073709551616\r\nX", "9112 6.3"),
    REFUSED(501, "GET / HTTP/1.1\r\nTransfer-Encoding: chun\tked\r\n\r", "9112 6.1"),
    REFUSED(400, "GET / HTTP/1.1\r\nTransfer-Encoding: \t\r\n\r", "9112 6.1: empty"),
    REFUSED(400, "GET / HTTP/1.1\r\nX\t", "9112 5.1: no blank before the colon"),
    REFUSED(400, "GET / HTTP/1.1\r\n\t", "9112 2.2: blank before the first field"),
    REFUSED(400, "GET / HTTP/1.1\r\nX: a\r\n\tb", "9112 5.2: obs-fold"),
    REFUSED(400, "GET\t/", "9112 3: one space"),
    REFUSED(400, "GET /a\t", "9112 3.2"),
    REFUSED(400, "GET /\xff\t", "9112 3.2"),
    REFUSED(400, "GET /\xff\x01", "9112 3.2"),
    REFUSED(400, "GET \xff", "9112 3.2: no form begins so"),
    REFUSED(400, "G\xff", "9110 5.6.2: token"),
    REFUSED(400, "GET /\xff \xff", "9112 2.3"),
    REFUSED(400, "GET / HTTP/1.\xff", "9112 2.3"),
    REFUSED(400, "GET / HTTP/1.1\xff", "9112 2.3"),
    REFUSED(400, "GET / HTTP/1.1\r\nX\xff", "9110 5.1"),
    REFUSED(414,
            "GET /\xff"
            "123456789012345678901234567890123456789012345678901234567890123",
            "9110 15.5.15: the limit is 64"),
    REFUSED(414, "GET /0123456789012345678901234567890123456789012345678901234567890123",
            "9110 15.5.15: the limit is 64"),
    REFUSED(431, "GET / HTTP/1.1\r\n1:\r\n2:\r\n3:\r\n4:\r\n5:\r\n6:\r\n7:\r\n8:\r\n9:\r\n\r",
            "6585 5: the limit is 8 fields"),
#undef REFUSED
};

/* The request is refused with the last byte at the latest, but not before its first byte. */
START_TEST(is_refused_at_once)
{
    struct reading reading;
    read_whole(&reading, refusals[_i].bytes, refusals[_i].length);
    ck_assert_msg(reading.reader.phase == READER_COMPLETE, "still reading: %s",
                  refusals[_i].clause);
    uint16_t status = refusal_status(reading.request.refused);
    ck_assert_msg(status == refusals[_i].refused, "%d instead of %d: %s", status,
                  refusals[_i].refused, refusals[_i].clause);
    ck_assert_uint_le(reading.used, refusals[_i].length);
    ck_assert(!request_keeps_alive(&reading.request));
    free(reading.bytes);
}
END_TEST

START_TEST(first_reason_stands)
{
    struct reading reading;
    read_whole(&reading, "BREW", 4);
    reader_refuse(&reading.reader, REFUSAL_TIMEOUT);
    ck_assert_int_eq(reading.request.refused, REFUSAL_METHOD);
    free(reading.bytes);
}
END_TEST

/* Each reason is counted separately, so that an operator sees what is wrong with the requests. */
static const struct {
    const char *bytes;
    enum refusal refused;
} whys[] = {
    {"\r\n\n", REFUSAL_REQUEST_LINE},
    {"GET / X", REFUSAL_REQUEST_LINE},
    {"GET / HTTP/1.1\n", REFUSAL_REQUEST_LINE},
    {"GET /\r", REFUSAL_REQUEST_LINE},
    {"GET / HTTP/0.9\r\n\r\n", REFUSAL_REQUEST_LINE},
    {"GET / HTTP/2.0\r\n" HOST "\r\n", REFUSAL_VERSION},
    {"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", REFUSAL_HTTP2},
    {"\x16\x03\x01", REFUSAL_TLS},
    {"\x16X", REFUSAL_REQUEST_LINE},
    {"BREW ", REFUSAL_METHOD},
    {"GET /\x01", REFUSAL_TARGET},
    {"GET /0123456789012345678901234567890123456789012345678901234567890123", REFUSAL_TARGET_LONG},
    {"GET / HTTP/1.1\r\nX ", REFUSAL_FIELD},
    {"GET / HTTP/1.1\r\nX: a\rb", REFUSAL_FIELD},
    {"GET / HTTP/1.1\r\n1:\r\n2:\r\n3:\r\n4:\r\n5:\r\n6:\r\n7:\r\n8:\r\n9:\r\n\r",
     REFUSAL_FIELDS_MANY},
    {"GET / HTTP/1.1\r\n\r\n", REFUSAL_HOST},
    {"GET / HTTP/1.1\r\n" HOST HOST "\r\n", REFUSAL_HOST},
    {"GET / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 1", REFUSAL_FRAMING},
    {"GET / HTTP/1.1\r\nContent-Length: -", REFUSAL_FRAMING},
    {"GET / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", REFUSAL_FRAMING},
    {"GET / HTTP/1.1\r\nTransfer-Encoding: gzip\r\n\r", REFUSAL_CODING},
    {"GET / HTTP/1.1\r\n" HOST "Expect: x\r\n\r\n", REFUSAL_EXPECTATION},
    {"GET / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\nx", REFUSAL_CONTENT},
};

START_TEST(tells_why)
{
    struct reading reading;
    read_whole(&reading, whys[_i].bytes, strlen(whys[_i].bytes));
    ck_assert_str_eq(refusal_name(reading.request.refused), refusal_name(whys[_i].refused));
    free(reading.bytes);
}
END_TEST

/* ---- what is taken from it ------------------------------------------------------------------- */

static void text_is(struct text text, const char *expected)
{
    ck_assert_msg(text.base && text.length == strlen(expected) &&
                      memcmp(text.base, expected, text.length) == 0,
                  "'%.*s' is not '%s'", (int)text.length, text.base ? text.base : "", expected);
}

static const char rich[] = "GET /a?b HTTP/1.1\r\nHost:  h:80 \t\r\nX-Other: no\r\nREFERER:\r\n"
                           "user-agent: me, \"you\"\r\n\r\n";

static void rich_check(const struct reader *reader)
{
    const struct request *r = reader->request;
    text_is(r->target, "/a?b");
    text_is(r->version, "HTTP/1.1");
    text_is(fields_value(&r->fields, FIELD_HOST), "h:80");
    text_is(fields_value(&r->fields, FIELD_REFERER), "");
    text_is(fields_value(&r->fields, FIELD_USER_AGENT), "me, \"you\"");
    ck_assert_uint_eq(r->fields.count, 3);
    ck_assert_uint_eq(reader->lines, 4);
    ck_assert_uint_eq(reader->head_bytes, sizeof(rich) - 1);
}

START_TEST(fields_are_taken)
{
    struct reading reading;
    read_whole(&reading, rich, sizeof(rich) - 1);
    rich_check(&reading.reader);
    ck_assert_ptr_eq(reading.reader.head, reading.bytes);
    free(reading.bytes);
}
END_TEST

/* Bytes for which llhttp got a stand-in are kept as they were received. */
START_TEST(texts_are_those_received)
{
    struct reading reading;
    const char head[] =
        "GET /\xc3\xa9\xff?\x80 HTTP/1.1\r\nHost:\ta\t\r\nUser-Agent: a\tb\xff \t\r\n"
        "Referer: \t\r\nContent-Length: 0\t\r\n\r\n";
    read_whole(&reading, head, sizeof(head) - 1);
    const struct request *r = &reading.request;
    ck_assert_int_eq(reading.reader.phase, READER_COMPLETE);
    ck_assert_int_eq(r->refused, REFUSAL_NONE);
    text_is(r->target, "/\xc3\xa9\xff?\x80");
    text_is(r->version, "HTTP/1.1");
    text_is(fields_value(&r->fields, FIELD_HOST), "a");
    text_is(fields_value(&r->fields, FIELD_USER_AGENT), "a\tb\xff");
    text_is(fields_value(&r->fields, FIELD_REFERER), "");
    ck_assert_uint_eq(reading.reader.lines, 4);
    ck_assert_uint_eq(reading.reader.head_bytes, sizeof(head) - 1);
    ck_assert_ptr_eq(r->target.base, reading.bytes + 4);
    free(reading.bytes);
}
END_TEST

/* The request comes in two pieces. Between them it is moved, as when others were answered. */
START_TEST(bytes_may_move)
{
    const size_t length = sizeof(rich) - 1, offset = 7;
    for (size_t cut = 1; cut < length; cut++) {
        struct conn_rules rules = core_rules();
        struct reader r;
        struct request request;
        char *bytes = malloc(offset + length);
        memcpy(bytes + offset, rich, cut);
        reader_begin(&r, &request, &rules);
        ck_assert_uint_eq(reader_feed(&r, bytes + offset, cut), cut);
        memmove(bytes, bytes + offset, cut);
        reader_move(&r, offset);
        memset(bytes + cut, '!', offset);
        memcpy(bytes + cut, rich + cut, length - cut);
        ck_assert_uint_eq(reader_feed(&r, bytes + cut, length - cut), length - cut);
        rich_check(&r);
        free(bytes);
    }
}
END_TEST

/* Content overwrites earlier content in the buffer: nothing may be kept of it, or of trailers. */
START_TEST(content_is_forgotten)
{
    struct reading reading;
    const char head[] = "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n";
    read_whole(&reading, head, sizeof(head) - 1);
    struct reader *r = &reading.reader;
    const char *pieces[] = {"0\r\nX", "-Name", ": va",  "lue ",
                            "of so",  "me le", "ngth ", "\r\n\r\n"};
    for (size_t i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++) {
        ck_assert_int_eq(r->phase, READER_BODY);
        size_t length = strlen(pieces[i]);
        char *piece = malloc(length);
        memcpy(piece, pieces[i], length);
        ck_assert_uint_eq(reader_feed(r, piece, length), length);
        memset(piece, '#', length);
        free(piece);
    }
    ck_assert_int_eq(r->phase, READER_COMPLETE);
    ck_assert_uint_eq(reading.request.refused, 0);
    ck_assert_ptr_null(r->name.base);
    ck_assert_ptr_null(r->value.base);
    ck_assert_uint_eq(r->lines, 2);
    free(reading.bytes);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("request");
    TCase *tcase = tcase_create("request");
    tcase_add_loop_test(tcase, ends_where_it_ends, 0, sizeof(ends) / sizeof(ends[0]));
    tcase_add_loop_test(tcase, is_refused_at_once, 0, sizeof(refusals) / sizeof(refusals[0]));
    tcase_add_test(tcase, first_reason_stands);
    tcase_add_loop_test(tcase, tells_why, 0, sizeof(whys) / sizeof(whys[0]));
    tcase_add_test(tcase, fields_are_taken);
    tcase_add_test(tcase, texts_are_those_received);
    tcase_add_test(tcase, bytes_may_move);
    tcase_add_test(tcase, content_is_forgotten);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_set_fork_status(runner, CK_NOFORK); /* no test leaves anything behind */
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
