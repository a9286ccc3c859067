/*
 * Response heads, byte for byte, for every status; and where a redirect leads.
 */
#include "core_link.h"
#include "http/head.h"
#include "http/status.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#define DATE_LINE "Date: Sun, 22 Nov 2026 12:00:00 GMT\r\n"
#define COMMON "Server: zcserve\r\n" DATE_LINE
#define PAGE "Content-Type: text/html; charset=utf-8\r\nContent-Length: PAGE\r\n"
#define VALIDATORS "Last-Modified: Sun, 06 Nov 1994 08:49:37 GMT\r\nETag: \"e1\"\r\n"
#define TYPE "Content-Type: text/plain; charset=utf-8\r\n"

/*
 * Writes a head into a block of exactly HEAD_ROOM bytes. Returns it with a NUL at its end; the
 * caller frees it.
 */
static char *head_of(struct plan plan, struct conn_rules rules, const char *target_text)
{
    struct now now = core_now(0);
    struct text raw = {target_text, strlen(target_text)};
    char *path = malloc(raw.length + 1), *space = malloc(HEAD_ROOM(raw.length));
    struct target target = target_parse(raw, path);
    size_t length = head_write(space, &plan, &rules, &target, NULL, &now);
    ck_assert_uint_le(length, HEAD_ROOM(raw.length));
    char *head = calloc(1, length + 1);
    ck_assert_ptr_nonnull(head);
    memcpy(head, space, length);
    ck_assert_uint_eq(strlen(head), length);
    free(path);
    free(space);
    return head;
}

/* Compares the head with `expected`, in which the length of the page is filled in. */
static void head_is(struct plan plan, struct conn_rules rules, const char *target,
                    const char *expected)
{
    char whole[4096];
    char *head = head_of(plan, rules, target);
    const char *page = strstr(expected, "PAGE");
    if (page)
        snprintf(whole, sizeof(whole), "%.*s%zu%s", (int)(page - expected), expected,
                 plan.page.length, page + 4);
    else
        snprintf(whole, sizeof(whole), "%s", expected);
    ck_assert_str_eq(head, whole);
    free(head);
}

/* ---- statuses -------------------------------------------------------------------------------- */

static const struct {
    const char *file; /* the representation selected, or NULL */
    struct plan plan;
    const char *expected;
} heads[] = {
    {"small",
     {.status = 200, .length = 100, .keep_alive = true},
     "HTTP/1.1 200 OK\r\n" COMMON TYPE "Content-Length: 100\r\n" VALIDATORS
     "Accept-Ranges: bytes\r\n\r\n"},
    {"empty",
     {.status = 200, .keep_alive = true},
     "HTTP/1.1 200 OK\r\n" COMMON TYPE "Content-Length: 0\r\n" VALIDATORS
     "Accept-Ranges: bytes\r\n\r\n"},
    {"small",
     {.status = 200, .length = 100, .head_only = true},
     "HTTP/1.1 200 OK\r\n" COMMON TYPE "Content-Length: 100\r\n" VALIDATORS
     "Accept-Ranges: bytes\r\nConnection: close\r\n\r\n"},
    {"small",
     {.status = 200, .length = 100, .keep_alive = true, .confirm_keep_alive = true},
     "HTTP/1.1 200 OK\r\n" COMMON TYPE "Content-Length: 100\r\n" VALIDATORS
     "Accept-Ranges: bytes\r\nConnection: keep-alive\r\n\r\n"},
    {"small",
     {.status = 200, .length = 100, .confirm_keep_alive = true},
     "HTTP/1.1 200 OK\r\n" COMMON TYPE "Content-Length: 100\r\n" VALIDATORS
     "Accept-Ranges: bytes\r\nConnection: close\r\n\r\n"},
    {"zip",
     {.status = 200, .length = 300, .keep_alive = true, .varies = true},
     "HTTP/1.1 200 OK\r\n" COMMON TYPE
     "Content-Length: 300\r\nContent-Encoding: gzip\r\n" VALIDATORS
     "Accept-Ranges: bytes\r\nVary: Accept-Encoding\r\n\r\n"},
    {NULL,
     {.status = 204, .allow = true, .keep_alive = true},
     "HTTP/1.1 204 No Content\r\n" COMMON "Allow: GET, HEAD, OPTIONS\r\n\r\n"},
    {"file",
     {.status = 206, .offset = 5, .length = 10, .keep_alive = true},
     "HTTP/1.1 206 Partial Content\r\n" COMMON TYPE "Content-Length: 10\r\n"
     "Content-Range: bytes 5-14/20000\r\n" VALIDATORS "\r\n"},
    {"file",
     {.status = 206, .offset = 0, .length = 1, .keep_alive = true},
     "HTTP/1.1 206 Partial Content\r\n" COMMON TYPE "Content-Length: 1\r\n"
     "Content-Range: bytes 0-0/20000\r\n" VALIDATORS "\r\n"},
    {"zip",
     {.status = 206, .offset = 299, .length = 1, .keep_alive = true, .varies = true},
     "HTTP/1.1 206 Partial Content\r\n" COMMON TYPE "Content-Length: 1\r\n"
     "Content-Range: bytes 299-299/300\r\nContent-Encoding: gzip\r\n" VALIDATORS
     "Vary: Accept-Encoding\r\n\r\n"},
    {"small",
     {.status = 304, .keep_alive = true},
     "HTTP/1.1 304 Not Modified\r\n" COMMON VALIDATORS "\r\n"},
    {"zip",
     {.status = 304, .varies = true},
     "HTTP/1.1 304 Not Modified\r\n" COMMON VALIDATORS
     "Vary: Accept-Encoding\r\nConnection: close\r\n\r\n"},
    {"small",
     {.status = 416, .complete = 100, .keep_alive = true},
     "HTTP/1.1 416 Range Not Satisfiable\r\n" COMMON PAGE "Content-Range: bytes */100\r\n\r\n"},
    {NULL,
     {.status = 301, .redirect = true, .keep_alive = true},
     "HTTP/1.1 301 Moved Permanently\r\n" COMMON PAGE "Location: t/\r\n\r\n"},
    {NULL, {.status = 400}, "HTTP/1.1 400 Bad Request\r\n" COMMON PAGE "Connection: close\r\n\r\n"},
    {NULL, {.status = 403, .keep_alive = true}, "HTTP/1.1 403 Forbidden\r\n" COMMON PAGE "\r\n"},
    {NULL, {.status = 404, .keep_alive = true}, "HTTP/1.1 404 Not Found\r\n" COMMON PAGE "\r\n"},
    {NULL,
     {.status = 404, .keep_alive = true, .head_only = true},
     "HTTP/1.1 404 Not Found\r\n" COMMON PAGE "\r\n"},
    {NULL,
     {.status = 405, .allow = true, .keep_alive = true},
     "HTTP/1.1 405 Method Not Allowed\r\n" COMMON PAGE "Allow: GET, HEAD, OPTIONS\r\n\r\n"},
    {NULL,
     {.status = 406, .varies = true, .keep_alive = true},
     "HTTP/1.1 406 Not Acceptable\r\n" COMMON PAGE "Vary: Accept-Encoding\r\n\r\n"},
    {NULL,
     {.status = 408},
     "HTTP/1.1 408 Request Timeout\r\n" COMMON PAGE "Connection: close\r\n\r\n"},
    {NULL,
     {.status = 412, .keep_alive = true},
     "HTTP/1.1 412 Precondition Failed\r\n" COMMON PAGE "\r\n"},
    {NULL,
     {.status = 414},
     "HTTP/1.1 414 URI Too Long\r\n" COMMON PAGE "Connection: close\r\n\r\n"},
    {NULL,
     {.status = 417},
     "HTTP/1.1 417 Expectation Failed\r\n" COMMON PAGE "Connection: close\r\n\r\n"},
    {NULL,
     {.status = 431},
     "HTTP/1.1 431 Request Header Fields Too Large\r\n" COMMON PAGE "Connection: close\r\n\r\n"},
    {NULL,
     {.status = 500, .keep_alive = true},
     "HTTP/1.1 500 Internal Server Error\r\n" COMMON PAGE "\r\n"},
    {NULL,
     {.status = 501},
     "HTTP/1.1 501 Not Implemented\r\n" COMMON PAGE "Connection: close\r\n\r\n"},
    {NULL,
     {.status = 503, .keep_alive = true},
     "HTTP/1.1 503 Service Unavailable\r\n" COMMON PAGE "Retry-After: 1\r\n\r\n"},
    {NULL,
     {.status = 505},
     "HTTP/1.1 505 HTTP Version Not Supported\r\n" COMMON PAGE "Connection: close\r\n\r\n"},
};

START_TEST(head_is_written)
{
    struct plan plan = heads[_i].plan;
    plan.page = status_page(plan.status);
    if (heads[_i].file) plan.selected = core_representation(heads[_i].file);
    head_is(plan, core_rules(), "/t", heads[_i].expected);
}
END_TEST

/* A 206 and a 304 of a representation without validators. */
START_TEST(validators_are_withheld)
{
    char prepared[PREPARED_HEAD_MAX];
    struct representation young = *core_representation("file");
    young.etag = (struct text){NULL, 0};
    young.modified_seconds = MODIFIED_UNKNOWN;
    representation_prepare_head(&young, prepared, sizeof(prepared));
    struct plan plan = {
        .status = 206, .offset = 5, .length = 10, .keep_alive = true, .selected = &young};
    head_is(plan, core_rules(), "/t",
            "HTTP/1.1 206 Partial Content\r\n" COMMON TYPE
            "Content-Length: 10\r\nContent-Range: bytes 5-14/20000\r\n\r\n");
    plan = (struct plan){.status = 304, .keep_alive = true, .selected = &young};
    head_is(plan, core_rules(), "/t", "HTTP/1.1 304 Not Modified\r\n" COMMON "\r\n");
}
END_TEST

/* Several parts: each has its own Content-Range, so the head must not have one (RFC 9110 §15.3.7.2). */
START_TEST(several_parts_are_announced)
{
    static const struct ranges ranges = {.count = 2, .part = {{0, 2}, {299, 1}}};
    struct representation zip = *core_representation("zip");
    struct conn_rules rules = core_rules();
    struct plan plan = {.status = 206,
                        .length = 3,
                        .ranges = &ranges,
                        .keep_alive = true,
                        .varies = true,
                        .selected = &zip};
    zip.version = UINT64_C(0x0706050403020100);
    rules.seed[0] = UINT64_C(0x0706050403020100);
    rules.seed[1] = UINT64_C(0x0f0e0d0c0b0a0908);
    head_is(plan, rules, "/t",
            "HTTP/1.1 206 Partial Content\r\n" COMMON
            "Content-Type: multipart/byteranges; boundary=93f5f5799a932462\r\n"
            "Content-Length: 219\r\nContent-Encoding: gzip\r\n" VALIDATORS
            "Vary: Accept-Encoding\r\n\r\n");
}
END_TEST

START_TEST(server_is_not_named)
{
    struct plan plan = {.status = 204, .keep_alive = true};
    struct conn_rules rules = core_rules();
    rules.server = TEXT("");
    head_is(plan, rules, "/", "HTTP/1.1 204 No Content\r\n" DATE_LINE "\r\n");
}
END_TEST

/* ---- where a redirect leads ------------------------------------------------------------------ */

static const struct {
    const char *target, *location;
} redirects[] = {
    {"/a", "a/"},
    {"/a/b", "b/"},
    {"/a?b=c", "a/?b=c"},
    {"/a?", "a/?"},
    {"/a??", "a/??"},
    {"/a?b%20c%00&d=/../e", "a/?b%20c%00&d=/../e"},
    {"/a?%zz%", "a/?%zz%"},
    {"/a?\xc3\xa9", "a/?%C3%A9"},
    {"/a?\"<>\\^`{|}[]", "a/?%22%3C%3E%5C%5E%60%7B%7C%7D[]"},
    {"//evil.example", "evil.example/"},
    {"///evil.example/x", "x/"},
    {"/./%2e//evil", "evil/"},
    {"/x/..//evil", "evil/"},
    {"/x/../evil", "evil/"},
    {"/\\evil", "%5Cevil/"},
    {"/%5cevil", "%5Cevil/"},
    {"/%5c%5cevil", "%5C%5Cevil/"},
    {"/%5Bevil", "%5Bevil/"},
    {"http://evil.example/a", "a/"},
    {"http://a//evil", "evil/"},
    {"http://a/b/c?d", "c/?d"},
    {"/a:b", "./a:b/"},
    {"/a%3ab", "./a:b/"},
    {"/:", "./:/"},
    {"/a:b/c", "c/"},
    {"/http:evil", "./http:evil/"},
    {"/http:%2f", NULL},
    {"/javascript:alert(1)", "./javascript:alert(1)/"},
    {"/a%20b", "a%20b/"},
    {"/a%09b", "a%09b/"},
    {"/%09", "%09/"},
    {"/a%0d%0aX:y", "./a%0D%0AX:y/"},
    {"/a%7f%01", "a%7F%01/"},
    {"/a\tb", NULL},
    {"/a%00b", NULL},
    {"/\xc3\xa9", "%C3%A9/"},
    {"/%c3%a9", "%C3%A9/"},
    {"/%ff", "%FF/"},
    {"/\xff", "%FF/"},
    {"/100%25", "100%25/"},
    {"/%2541", "%2541/"},
    {"/%252e%252e", "%252e%252e/"},
    {"/...", ".../"},
    {"/a%3fb", "a%3Fb/"},
    {"/a%3Fb?c", "a%3Fb/?c"},
    {"/%3f", "%3F/"},
    {"/a%23b", "a%23b/"},
    {"/%23", "%23/"},
    {"/%61%62", "ab/"},
    {"/~a-b._c", "~a-b._c/"},
    {"/!$&'()*+,;=@", "!$&'()*+,;=@/"},
    {"/%22%3c%3e%5e%60%7b%7c%7d", "%22%3C%3E%5E%60%7B%7C%7D/"},
    {"/\"<>^`{|}", "%22%3C%3E%5E%60%7B%7C%7D/"},
};

START_TEST(redirect_leads_there)
{
    struct plan plan = {.status = 301, .redirect = true, .page = status_page(301)};
    char expected[256];
    if (!redirects[_i].location) { /* such a target is refused before */
        char space[64];
        struct text raw = {redirects[_i].target, strlen(redirects[_i].target)};
        ck_assert_int_eq(target_parse(raw, space).form, TARGET_BAD);
        return;
    }
    snprintf(expected, sizeof(expected), "\r\nLocation: %s\r\n", redirects[_i].location);
    char *head = head_of(plan, core_rules(), redirects[_i].target);
    ck_assert_msg(strstr(head, expected) != NULL, "%s: not%s%s", redirects[_i].target, expected,
                  head);
    free(head);
}
END_TEST

/* Every byte of the path or the query must be encoded, and HEAD_ROOM is enough. */
START_TEST(longest_redirect_fits)
{
    struct plan plan = {.status = 301, .redirect = true, .page = status_page(301)};
    static char target[8193];
    memset(target, '"', sizeof(target) - 1);
    target[0] = '/';
    if (_i == 1) memcpy(target + 1, ":?", 2);
    char *head = head_of(plan, core_rules(), target);
    ck_assert_uint_gt(strlen(head), 3 * (sizeof(target) - 4));
    free(head);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("head");
    TCase *tcase = tcase_create("head");
    tcase_add_loop_test(tcase, head_is_written, 0, sizeof(heads) / sizeof(heads[0]));
    tcase_add_test(tcase, validators_are_withheld);
    tcase_add_test(tcase, several_parts_are_announced);
    tcase_add_test(tcase, server_is_not_named);
    tcase_add_loop_test(tcase, redirect_leads_there, 0, sizeof(redirects) / sizeof(redirects[0]));
    tcase_add_loop_test(tcase, longest_redirect_fits, 0, 2);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_set_fork_status(runner, CK_NOFORK); /* no test leaves anything behind */
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
