/* The request that --explain makes of a URL and fields. */
#include "explain/asking.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(table) ((int)(sizeof(table) / sizeof((table)[0])))

static struct asking asking;
static char problem[256];

static const struct {
    const char *url, *method, *field, *request;
} good[] = {
    {"http://one.org/a?b", NULL, NULL, "GET /a?b HTTP/1.1\r\nHost: one.org\r\n\r\n"},
    {"HTTPS://one.org:81", NULL, NULL, "GET / HTTP/1.1\r\nHost: one.org:81\r\n\r\n"},
    {"http://one.org?b", NULL, NULL, "GET /?b HTTP/1.1\r\nHost: one.org\r\n\r\n"},
    {"http://[::1]:80/a#b", NULL, NULL, "GET /a HTTP/1.1\r\nHost: [::1]:80\r\n\r\n"},
    {"/a", "HEAD", NULL, "HEAD /a HTTP/1.1\r\nHost: localhost\r\n\r\n"},
    {"*", "OPTIONS", NULL, "OPTIONS * HTTP/1.1\r\nHost: localhost\r\n\r\n"},
    {"/a", NULL, "Range: bytes=0-1",
     "GET /a HTTP/1.1\r\nHost: localhost\r\nRange: bytes=0-1\r\n\r\n"},
    {"http://one.org/a", NULL, "hOst: two", "GET /a HTTP/1.1\r\nhOst: two\r\n\r\n"},
    {"http:///a", NULL, NULL, "GET /a HTTP/1.1\r\nHost: \r\n\r\n"},
    {"/a b", NULL, NULL, "GET /a b HTTP/1.1\r\nHost: localhost\r\n\r\n"}, /* the core refuses it */
};

START_TEST(is_made)
{
    struct command_request asked = {.url = good[_i].url, .method = good[_i].method};
    if (good[_i].field) asked.field[asked.fields++] = good[_i].field;
    ck_assert_msg(asking_make(&asked, &asking, problem, sizeof(problem)), "%s", problem);
    ck_assert_str_eq(asking.bytes, good[_i].request);
    ck_assert_uint_eq(asking.length, strlen(good[_i].request));
    ck_assert_str_eq(asking.from_text, "127.0.0.1");
    asking_free(&asking);
}
END_TEST

static const struct {
    const char *url, *method, *from, *field, *problem;
} bad[] = {
    {"one.org/a", NULL, NULL, NULL, "--explain needs http://HOST/PATH or /PATH, not: one.org/a"},
    {"ftp://one.org/", NULL, NULL, NULL,
     "--explain needs http://HOST/PATH or /PATH, not: ftp://one.org/"},
    {"", NULL, NULL, NULL, "--explain needs http://HOST/PATH or /PATH, not: "},
    {"http://me@one.org/", NULL, NULL, NULL,
     "--explain needs http://HOST/PATH or /PATH, not: http://me@one.org/"},
    {"/a\nb", NULL, NULL, NULL, "--explain: the URL has two lines"},
    {"/", "", NULL, NULL, "--method needs a method such as HEAD, not: "},
    {"/", "A B", NULL, NULL, "--method needs a method such as HEAD, not: A B"},
    {"/", NULL, "1.2.3", NULL, "--from needs an IP address or unix, not: 1.2.3"},
    {"/", NULL, NULL, "A: b\r\nC: d", "--explain: a field has two lines: A: b\r\nC: d"},
};

START_TEST(is_refused)
{
    struct command_request asked = {
        .url = bad[_i].url, .method = bad[_i].method, .from = bad[_i].from};
    if (bad[_i].field) asked.field[asked.fields++] = bad[_i].field;
    ck_assert(!asking_make(&asked, &asking, problem, sizeof(problem)));
    ck_assert_str_eq(problem, bad[_i].problem);
    ck_assert_ptr_null(asking.bytes);
}
END_TEST

START_TEST(from_somewhere)
{
    struct command_request asked = {.url = "/", .from = "unix"};
    ck_assert(asking_make(&asked, &asking, problem, sizeof(problem)));
    ck_assert(asking.from.local);
    asking_free(&asking);
    asked.from = "2001:db8::1";
    ck_assert(asking_make(&asked, &asking, problem, sizeof(problem)));
    ck_assert(!asking.from.local);
    ck_assert_uint_eq(asking.from.ip.byte[0], 0x20);
    asking_free(&asking);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("asking");
    TCase *cases = tcase_create("asking");
    tcase_add_loop_test(cases, is_made, 0, COUNT(good));
    tcase_add_loop_test(cases, is_refused, 0, COUNT(bad));
    tcase_add_test(cases, from_somewhere);
    suite_add_tcase(suite, cases);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
