/*
 * Tests of src/http/told.c: durations digit by digit, which ids are taken over, and that ids differ.
 */
#include "core_link.h"
#include "http/head.h"
#include "http/told.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#define COUNT(table) ((int)(sizeof(table) / sizeof((table)[0])))
#define LONG "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx" /* 64 */

/* ---- lines ----------------------------------------------------------------------------------- */

static const struct {
    uint64_t queue_ns, begun_ns, headed_ns, now_ns;
    enum source source;
    const char *expected;
} timings[] = {
    {0, 0, 0, 0, SOURCE_NONE, "queue;dur=0.000, head;dur=0.000, resolve;dur=0.000"},
    {999, 5000, 6999, 8999, SOURCE_NONE, "queue;dur=0.000, head;dur=0.001, resolve;dur=0.002"},
    {1000, 0, 10000, 110000, SOURCE_MEMORY,
     "queue;dur=0.001, head;dur=0.010, resolve;dur=0.100, cache;desc=\"hit\""},
    {1234567890, 0, 1000000, 2000000, SOURCE_PAGE_CACHE,
     "queue;dur=1234.567, head;dur=1.000, resolve;dur=1.000, cache;desc=\"miss\""},
    {0, 9000, 5000, 1000, SOURCE_DISK,
     "queue;dur=0.000, head;dur=0.000, resolve;dur=0.000, cache;desc=\"disk\""},
    {UINT64_MAX, 0, UINT64_MAX, UINT64_MAX, SOURCE_NONE,
     "queue;dur=18446744073709.551, head;dur=18446744073709.551, resolve;dur=0.000"},
};

START_TEST(timing)
{
    char space[512], expected[512];
    struct conn_rules rules = {.server_timing = true};
    struct now now = {.monotonic_ns = timings[_i].now_ns};
    struct exchange exchange = {.queue_ns = timings[_i].queue_ns,
                                .begun_ns = timings[_i].begun_ns,
                                .headed_ns = timings[_i].headed_ns,
                                .source = timings[_i].source};
    size_t length = (size_t)(put_told(space, &rules, &exchange, &now) - space);
    snprintf(expected, sizeof(expected), "Server-Timing: %s\r\n", timings[_i].expected);
    ck_assert_msg(length == strlen(expected) && memcmp(space, expected, length) == 0, "%.*s",
                  (int)length, space);
}
END_TEST

/* The id lasts as long as the head, although the stream gives its place to the next one. */
START_TEST(id_is_in_the_head)
{
    char space[512], id[] = "a-b";
    struct conn_rules rules = {.request_id = true};
    struct now now = {.monotonic_ns = 1};
    struct exchange exchange = {.id = {id, 3}};
    char *end = put_told(space, &rules, &exchange, &now);
    memset(id, 'z', 3);
    ck_assert(
        text_equals((struct text){space, (size_t)(end - space)}, TEXT("X-Request-Id: a-b\r\n")));
    ck_assert(text_equals(exchange.id, TEXT("a-b")));
    ck_assert(exchange.id.base > space && exchange.id.base < end);
}
END_TEST

/* ---- ids ------------------------------------------------------------------------------------- */

static const struct {
    const char *lines[3];
    bool trusted, kept;
} takings[] = {
    {{"a"}, true, true},       {{"a"}, false, false},
    {{LONG}, true, true},      {{LONG "x"}, true, false},
    {{""}, true, false},       {{"a b"}, true, false},
    {{"a\"b"}, true, false},   {{"\xc3\xa9"}, true, false},
    {{"a", "a"}, true, false}, {{"!#$%&'*+-.^_`|~"}, true, true},
    {{NULL}, true, false},
};

START_TEST(taken_over)
{
    struct conn_rules rules = {.request_id = true};
    struct request_ids ids = {.base = 7, .next = 5};
    struct fields fields = {.count = 0};
    char space[REQUEST_ID_DIGITS];
    for (int i = 0; takings[_i].lines[i]; i++)
        fields_add(&fields, FIELD_X_REQUEST_ID,
                   (struct text){takings[_i].lines[i], strlen(takings[_i].lines[i])});
    struct text id = told_id(&fields, takings[_i].trusted, &rules, &ids, space);
    ck_assert_uint_eq(ids.next, takings[_i].kept ? 5 : 6);
    if (takings[_i].kept)
        ck_assert_ptr_eq(id.base, takings[_i].lines[0]);
    else
        ck_assert(id.base == space && id.length == REQUEST_ID_DIGITS &&
                  memcmp(space, "0000000000000007", 16) == 0);
}
END_TEST

static int digits_compare(const void *a, const void *b)
{
    return memcmp(a, b, REQUEST_ID_DIGITS);
}

START_TEST(ids_differ)
{
    enum { MANY = 20000 };
    static char made[MANY][REQUEST_ID_DIGITS];
    struct conn_rules rules = {.request_id = true, .seed = {UINT64_MAX - 100, 1}};
    struct request_ids ids = {.base = UINT64_MAX};
    struct fields fields = {.count = 0};
    for (int i = 0; i < MANY; i++)
        told_id(&fields, true, &rules, &ids, made[i]);
    qsort(made, MANY, sizeof(made[0]), digits_compare);
    for (int i = 1; i < MANY; i++)
        ck_assert_int_ne(digits_compare(made[i - 1], made[i]), 0);
}
END_TEST

/* ---- on a connection ------------------------------------------------------------------------- */

static char logged[4][REQUEST_ID_MAX + 1];

static void id_note(struct core_link *link, const struct exchange *exchange)
{
    snprintf(logged[link->settled % 4], sizeof(logged[0]), "%.*s", (int)exchange->id.length,
             exchange->id.base);
}

/* Requests that are answered together have their own ids when they are settled. */
START_TEST(together)
{
    static const char *const requests =
        "GET /small HTTP/1.1\r\nHost: a\r\n\r\n"
        "GET /none HTTP/1.1\r\nHost: a\r\nX-Request-Id: mine\r\n\r\n"
        "GET /zip HTTP/1.1\r\nHost: a\r\n\r\n";
    struct conn_rules rules = core_rules();
    struct core_link wire;
    rules.request_id = rules.server_timing = true;
    snprintf(core_link_story, sizeof(core_link_story), "ids together");
    core_link_open(&wire, &rules);
    wire.on_settle = id_note;
    wire.conn.peer_trusted = true;
    core_link_feed(&wire, requests, strlen(requests));
    ck_assert_uint_eq(wire.settled, 3);
    for (int i = 1; i <= 3; i++) {
        char line[128];
        snprintf(line, sizeof(line), "X-Request-Id: %s\r\n", logged[i]);
        ck_assert_msg(memmem(wire.output, wire.output_length, line, strlen(line)), "%s", line);
    }
    ck_assert_str_eq(logged[2], "mine");
    ck_assert_str_ne(logged[1], logged[3]);
    core_link_close(&wire);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("told");
    TCase *tcase = tcase_create("told");
    tcase_add_loop_test(tcase, timing, 0, COUNT(timings));
    tcase_add_test(tcase, id_is_in_the_head);
    tcase_add_loop_test(tcase, taken_over, 0, COUNT(takings));
    tcase_add_test(tcase, ids_differ);
    tcase_add_test(tcase, together);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
