/* Tests of src/access/access_line.c: both forms, escapes, and lines that would be too long. */
#define _GNU_SOURCE
#include "access/access_line.h"

#include <arpa/inet.h>
#include <check.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

static char line[ACCESS_LINE_BYTES_MAX + 1];
static struct now now = {.wall_seconds = 784111777, .wall_ns = 7999999}; /* 06 Nov 1994, 08:49:37 */

static struct sockaddr_storage peer_of(const char *text)
{
    struct sockaddr_storage peer;
    struct sockaddr_in in = {.sin_family = AF_INET};
    struct sockaddr_in6 in6 = {.sin6_family = AF_INET6};

    memset(&peer, 0, sizeof(peer));
    if (inet_pton(AF_INET, text, &in.sin_addr) == 1)
        memcpy(&peer, &in, sizeof(in));
    else if (inet_pton(AF_INET6, text, &in6.sin6_addr) == 1)
        memcpy(&peer, &in6, sizeof(in6));
    else
        peer.ss_family = AF_UNIX;
    return peer;
}

static struct access_context context;

static struct exchange usual(const struct sockaddr_storage *peer)
{
    context = (struct access_context){.peer = (const struct sockaddr *)peer, .worker = 3};
    return (struct exchange){
        .method_name = TEXT("GET"),
        .target = TEXT("/a.html?q=1"),
        .version = TEXT("HTTP/1.1"),
        .user_agent = TEXT("curl/7.88"),
        .host = TEXT("example.org"),
        .https = true,
        .id = TEXT("a~1"),
        .status = 200,
        .source = SOURCE_MEMORY,
        .coding = CODING_GZIP,
        .content_bytes = 612,
        .done_ns = 45678,
    };
}

static const char *formatted(enum access_format format, const struct exchange *record)
{
    struct access_date date = {0};
    memset(line, '?', sizeof(line));
    size_t length = access_line_format(line, format, record, &context, &now, &date);

    ck_assert_uint_le(length, ACCESS_LINE_BYTES_MAX);
    ck_assert_int_eq(line[length - 1], '\n');
    ck_assert_ptr_eq(memchr(line, '\n', length), line + length - 1);
    line[length] = '\0';
    return line;
}

START_TEST(writes_the_combined_form)
{
    struct sockaddr_storage peer = peer_of("192.0.2.17");
    struct exchange record = usual(&peer);

    ck_assert_str_eq(formatted(ACCESS_COMBINED, &record),
                     "192.0.2.17 - - [06/Nov/1994:08:49:37 +0000] \"GET /a.html?q=1 HTTP/1.1\" 200 "
                     "612 \"-\" \"curl/7.88\" 0.000045 3 memory\n");
}
END_TEST

START_TEST(writes_json)
{
    struct sockaddr_storage peer = peer_of("192.0.2.17");
    struct exchange record = usual(&peer);

    ck_assert_str_eq(
        formatted(ACCESS_JSON, &record),
        "{\"time\":\"1994-11-06T08:49:37.007Z\",\"remote\":\"192.0.2.17\",\"user\":null,"
        "\"scheme\":\"https\",\"host\":\"example.org\","
        "\"method\":\"GET\",\"target\":\"/a.html?q=1\",\"version\":\"HTTP/1.1\",\"status\":200,"
        "\"bytes\":612,\"referer\":null,\"user_agent\":\"curl/7.88\",\"seconds\":0.000045,"
        "\"worker\":3,\"source\":\"memory\",\"coding\":\"gzip\",\"id\":\"a~1\"}\n");
}
END_TEST

START_TEST(writes_the_user)
{
    struct sockaddr_storage peer = peer_of("192.0.2.17");
    struct exchange record = usual(&peer);
    record.user = TEXT("J\xc3\xb6 \"1");
    ck_assert_str_eq(
        formatted(ACCESS_COMBINED, &record),
        "192.0.2.17 - J\\xC3\\xB6 \\x221 [06/Nov/1994:08:49:37 +0000] \"GET /a.html?q=1 "
        "HTTP/1.1\" 200 612 \"-\" \"curl/7.88\" 0.000045 3 memory\n");
    ck_assert_ptr_nonnull(
        strstr(formatted(ACCESS_JSON, &record), ",\"user\":\"J\xc3\xb6 \\\"1\",\"scheme\""));
}
END_TEST

START_TEST(does_without_a_request_line)
{
    struct exchange record = {.status = 400};

    ck_assert_str_eq(formatted(ACCESS_COMBINED, &record),
                     "- - - [06/Nov/1994:08:49:37 +0000] \"-\" 400 0 \"-\" \"-\" 0.000000 0 -\n");
    ck_assert_str_eq(
        formatted(ACCESS_JSON, &record),
        "{\"time\":\"1994-11-06T08:49:37.007Z\",\"remote\":\"-\",\"user\":null,\"scheme\":\"http\","
        "\"host\":null,\"method\":null,\"target\":null,\"version\":null,\"status\":400,\"bytes\":0,"
        "\"referer\":null,\"user_agent\":null,\"seconds\":0.000000,\"worker\":0,"
        "\"source\":\"-\",\"coding\":\"identity\",\"id\":null}\n");
}
END_TEST

START_TEST(shows_every_kind_of_peer)
{
    static const char *const cases[][2] = {
        {"0.0.0.0", "0.0.0.0"},
        {"255.255.255.255", "255.255.255.255"},
        {"10.9.100.1", "10.9.100.1"},
        {"::1", "::1"},
        {"2001:db8:0:0:1::1", "2001:db8::1:0:0:1"},
        {"::ffff:192.0.2.1", "192.0.2.1"},
        {"a Unix socket", "-"},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct sockaddr_storage peer = peer_of(cases[i][0]);
        struct exchange record = usual(&peer);
        const char *text = formatted(ACCESS_COMBINED, &record);
        size_t length = strlen(cases[i][1]);
        ck_assert_msg(strncmp(text, cases[i][1], length) == 0 && text[length] == ' ', "%s", text);
    }
}
END_TEST

START_TEST(writes_numbers_to_their_ends)
{
    struct exchange record = {
        .status = 599, .content_bytes = UINT64_MAX, .done_ns = UINT64_MAX, .source = SOURCE_DISK};
    context.worker = UINT32_MAX;

    ck_assert_ptr_nonnull(strstr(formatted(ACCESS_COMBINED, &record),
                                 " 599 18446744073709551615 \"-\" \"-\" 18446744073.709551 "
                                 "4294967295 disk\n"));
    record.done_ns = 1999999999;
    ck_assert_ptr_nonnull(strstr(formatted(ACCESS_COMBINED, &record), " 1.999999 "));
}
END_TEST

/* Puts every byte at every place among clean bytes, and compares the line with a simple escaper. */
START_TEST(escapes_every_byte_everywhere)
{
    struct sockaddr_storage peer = peer_of("::1");
    struct exchange record = usual(&peer);

    for (int byte = 0; byte < 256; byte++) {
        for (size_t at = 0; at < 18; at++) {
            char agent[18], expected[64] = "\"";
            memset(agent, 'a', sizeof(agent));
            agent[at] = (char)byte;
            for (size_t i = 0; i < sizeof(agent); i++) {
                char one[8] = {agent[i]};
                if (byte < 0x20 || byte > 0x7e || byte == '"' || byte == '\\') {
                    if (i == at) snprintf(one, sizeof(one), "\\x%02X", (unsigned)byte);
                }
                strcat(expected, one);
            }
            strcat(expected, "\" 0.000045");
            record.user_agent = (struct text){agent, sizeof(agent)};
            const char *text = formatted(ACCESS_COMBINED, &record);
            ck_assert_msg(strstr(text, expected) != NULL, "%d at %zu: %s", byte, at, text);
        }
    }
}
END_TEST

START_TEST(escapes_json_as_json_asks)
{
    static const char *const cases[][2] = {
        {"a\"b\\c/d", "a\\\"b\\\\c/d"},
        {"\b\f\n\r\t\x01\x1f\x7f", "\\u0008\\u000C\\u000A\\u000D\\u0009\\u0001\\u001F\\u007F"},
        {"gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x98\x80",
         "gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x98\x80"},
        {"\xfc", "\\u00FC"}, /* not UTF-8                   */
        {"\xc3", "\\u00C3"}, /* a character that is cut off */
        {"\xc3(", "\\u00C3("},
        {"\xc0\xaf", "\\u00C0\\u00AF"}, /* a character that is longer than necessary */
        {"\xe0\x80\xaf", "\\u00E0\\u0080\\u00AF"},
        {"\xed\xa0\x80", "\\u00ED\\u00A0\\u0080"}, /* a surrogate */
        {"\xf4\x90\x80\x80", "\\u00F4\\u0090\\u0080\\u0080"},
        {"\xf4\x8f\xbf\xbf", "\xf4\x8f\xbf\xbf"},
        {"\x80\xff", "\\u0080\\u00FF"},
        /* C1 controls, and characters that change the direction of writing or end a line */
        {"\xc2\x80\xc2\x9b[31m\xc2\x9f\xc2\xa0", "\\u0080\\u009B[31m\\u009F\xc2\xa0"},
        {"\xd8\x9c\xe2\x80\x8e\xe2\x80\x8f", "\\u061C\\u200E\\u200F"},
        {"\xe2\x80\xaa\xe2\x80\xae\xe2\x80\xa7\xe2\x80\xaf",
         "\\u202A\\u202E\xe2\x80\xa7\xe2\x80\xaf"},
        {"\xe2\x81\xa6\xe2\x81\xa9\xe2\x80\xa8", "\\u2066\\u2069\\u2028"},
        {"", ""},
    };
    struct sockaddr_storage peer = peer_of("::1");
    struct exchange record = usual(&peer);

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char expected[128];
        snprintf(expected, sizeof(expected), ",\"target\":\"%s\",\"version\"", cases[i][1]);
        record.target = (struct text){cases[i][0], strlen(cases[i][0])};
        const char *text = formatted(ACCESS_JSON, &record);
        ck_assert_msg(strstr(text, expected) != NULL, "%zu: %s", i, text);
    }
    record.target = (struct text){"a\0b", 3};
    ck_assert_ptr_nonnull(strstr(formatted(ACCESS_JSON, &record), "\"a\\u0000b\""));
}
END_TEST

/*
 * All texts have the largest length and bytes that need the longest escapes: the line stays within
 * its bounds, and ends as it must.
 */
START_TEST(cuts_what_is_too_long)
{
    static char huge[100000];
    struct sockaddr_storage peer = peer_of("2001:db8:1111:2222:3333:4444:5555:6666");
    const char fills[] = {'a', '"', '\x01', '\xff'};

    for (size_t i = 0; i < sizeof(fills); i++) {
        memset(huge, fills[i], sizeof(huge));
        struct text text = {huge, sizeof(huge)};
        context = (struct access_context){(const struct sockaddr *)&peer, UINT32_MAX};
        struct exchange record = {.method_name = text,
                                  .target = text,
                                  .version = text,
                                  .referer = text,
                                  .user_agent = text,
                                  .host = text,
                                  .content_bytes = UINT64_MAX,
                                  .done_ns = UINT64_MAX,
                                  .source = SOURCE_PAGE_CACHE};
        formatted(ACCESS_COMBINED, &record);
        ck_assert_ptr_nonnull(strstr(line, "…\" \""));
        ck_assert_ptr_nonnull(strstr(line, "…\" 18446744073.709551 4294967295 pagecache\n"));
        int quotes = 0;
        for (const char *c = line; *c != '\0'; c++)
            quotes += *c == '"';
        ck_assert_int_eq(quotes, 6);
        formatted(ACCESS_JSON, &record);
        ck_assert_ptr_nonnull(strstr(line, "…\",\"seconds\":"));
    }
}
END_TEST

/* Around the limit of its share, a text that fits is not cut, and nothing is written beyond. */
START_TEST(cuts_only_what_must_be)
{
    static char target[5000];
    struct sockaddr_storage peer = peer_of("::1");
    struct exchange record = usual(&peer);

    memset(target, 't', sizeof(target));
    for (size_t length = 4000; length < 4200; length++) {
        record.target = (struct text){target, length};
        formatted(ACCESS_COMBINED, &record);
        size_t shown = strspn(strchr(line, '/') == NULL ? line : strstr(line, "GET ") + 4, "t");
        bool cut = strstr(line, "…") != NULL;
        ck_assert(cut ? shown < length : shown == length);
        ck_assert_uint_le(shown, 4096);
        ck_assert(!cut || length > 4090);
    }
}
END_TEST

START_TEST(makes_the_date_once_a_second)
{
    struct access_date date = {0};
    struct exchange record = {.status = 200};
    struct now later = now;

    access_line_format(line, ACCESS_COMBINED, &record, &context, &later, &date);
    date.text[0] = '#';
    access_line_format(line, ACCESS_COMBINED, &record, &context, &later, &date);
    ck_assert_int_eq(memcmp(line, "- - - [#6/Nov", 13), 0);
    later.wall_seconds++;
    access_line_format(line, ACCESS_COMBINED, &record, &context, &later, &date);
    ck_assert_int_eq(memcmp(line, "- - - [06/Nov/1994:08:49:38 +0000]", 34), 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("access_line");
    TCase *cases = tcase_create("access_line");
    tcase_add_test(cases, writes_the_combined_form);
    tcase_add_test(cases, writes_json);
    tcase_add_test(cases, writes_the_user);
    tcase_add_test(cases, does_without_a_request_line);
    tcase_add_test(cases, shows_every_kind_of_peer);
    tcase_add_test(cases, writes_numbers_to_their_ends);
    tcase_add_test(cases, escapes_every_byte_everywhere);
    tcase_add_test(cases, escapes_json_as_json_asks);
    tcase_add_test(cases, cuts_what_is_too_long);
    tcase_add_test(cases, cuts_only_what_must_be);
    tcase_add_test(cases, makes_the_date_once_a_second);
    suite_add_tcase(suite, cases);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
