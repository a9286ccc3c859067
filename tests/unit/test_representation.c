/*
 * The prepared head, byte for byte, in spaces that are too small and just large enough.
 */
#include "zcserve/representation.h"

#include <check.h>
#include <stdlib.h>

#define PLAIN                                                                                   \
    {                                                                                           \
        .length = 12345, .modified_seconds = 784111777, .etag = {"\"abc\"", 5}, .media_type = { \
            "text/html; charset=utf-8",                                                         \
            24                                                                                  \
        }                                                                                       \
    }

static void expect_head(struct representation *r, const char *expected)
{
    size_t length = strlen(expected);
    for (size_t size = 0; size <= length + 1; size++) {
        char *space = malloc(size);
        size_t written = representation_prepare_head(r, space, size);
        if (size < length) {
            ck_assert_uint_eq(written, 0);
        } else {
            ck_assert_uint_eq(written, length);
            ck_assert_msg(memcmp(space, expected, length) == 0, "%.*s", (int)length, space);
        }
        free(space);
    }
}

START_TEST(head_plain)
{
    struct representation r = PLAIN;
    expect_head(&r, "Content-Type: text/html; charset=utf-8\r\n"
                    "Content-Length: 12345\r\n"
                    "Last-Modified: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
                    "ETag: \"abc\"\r\n"
                    "Accept-Ranges: bytes\r\n");
}
END_TEST

START_TEST(head_coded)
{
    struct representation r = PLAIN;
    r.coding = CODING_BR;
    r.varies = true;
    r.length = 0;
    r.modified_seconds = 0;
    expect_head(&r, "Content-Type: text/html; charset=utf-8\r\n"
                    "Content-Length: 0\r\n"
                    "Content-Encoding: br\r\n"
                    "Last-Modified: Thu, 01 Jan 1970 00:00:00 GMT\r\n"
                    "ETag: \"abc\"\r\n"
                    "Accept-Ranges: bytes\r\n"
                    "Vary: Accept-Encoding\r\n");
}
END_TEST

START_TEST(head_varies)
{
    struct representation r = PLAIN;
    r.varies = true;
    r.length = UINT64_MAX;
    expect_head(&r, "Content-Type: text/html; charset=utf-8\r\n"
                    "Content-Length: 18446744073709551615\r\n"
                    "Last-Modified: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
                    "ETag: \"abc\"\r\n"
                    "Accept-Ranges: bytes\r\n"
                    "Vary: Accept-Encoding\r\n");
}
END_TEST

/* Validators that must not be sent have no lines. */
START_TEST(head_without_validators)
{
    struct representation r = PLAIN;
    r.etag = (struct text){NULL, 0};
    expect_head(&r, "Content-Type: text/html; charset=utf-8\r\n"
                    "Content-Length: 12345\r\n"
                    "Last-Modified: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
                    "Accept-Ranges: bytes\r\n");
    r.modified_seconds = MODIFIED_UNKNOWN;
    expect_head(&r, "Content-Type: text/html; charset=utf-8\r\n"
                    "Content-Length: 12345\r\n"
                    "Accept-Ranges: bytes\r\n");
    r.etag = TEXT("\"abc\"");
    expect_head(&r, "Content-Type: text/html; charset=utf-8\r\n"
                    "Content-Length: 12345\r\n"
                    "ETag: \"abc\"\r\n"
                    "Accept-Ranges: bytes\r\n");
}
END_TEST

static void expect_part(const struct representation *r, enum head_part first, enum head_part last,
                        const char *expected)
{
    struct text lines = representation_head(r, first, last);
    ck_assert_msg(text_equals(lines, (struct text){expected, strlen(expected)}), "'%.*s'",
                  (int)lines.length, lines.base);
}

START_TEST(head_in_parts)
{
    char space[PREPARED_HEAD_MAX];
    struct representation r = PLAIN;
    representation_prepare_head(&r, space, sizeof(space));
    expect_part(&r, HEAD_TYPE, HEAD_TYPE, "Content-Type: text/html; charset=utf-8\r\n");
    expect_part(&r, HEAD_LENGTH, HEAD_LENGTH, "Content-Length: 12345\r\n");
    expect_part(&r, HEAD_CODING, HEAD_CODING, "");
    expect_part(&r, HEAD_VARY, HEAD_VARY, "");
    ck_assert(text_equals(representation_head(&r, HEAD_TYPE, HEAD_VARY), r.prepared_head));
    ck_assert(text_equals(representation_length_text(&r), TEXT("12345")));
    r.coding = CODING_BR;
    r.varies = true;
    r.length = 0;
    representation_prepare_head(&r, space, sizeof(space));
    expect_part(&r, HEAD_CODING, HEAD_VALIDATORS,
                "Content-Encoding: br\r\nLast-Modified: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
                "ETag: \"abc\"\r\n");
    expect_part(&r, HEAD_ACCEPT_RANGES, HEAD_VARY,
                "Accept-Ranges: bytes\r\nVary: Accept-Encoding\r\n");
    ck_assert(text_equals(representation_length_text(&r), TEXT("0")));
}
END_TEST

/* The longest possible head fits PREPARED_HEAD_MAX. */
START_TEST(head_longest)
{
    char media_type[MEDIA_TYPE_MAX], etag[ETAG_MAX], space[PREPARED_HEAD_MAX];
    memset(media_type, 'm', sizeof(media_type));
    memset(etag, 'e', sizeof(etag));
    struct representation r = {
        .length = UINT64_MAX,
        .modified_seconds = INT64_MAX,
        .varies = true,
        .etag = {etag, sizeof(etag)},
        .media_type = {media_type, sizeof(media_type)},
    };
    for (int coding = 0; coding < CODING_COUNT; coding++) {
        r.coding = (enum coding)coding;
        size_t length = representation_prepare_head(&r, space, sizeof(space));
        ck_assert_uint_gt(length, MEDIA_TYPE_MAX + ETAG_MAX);
        ck_assert(memcmp(space + length - 2, "\r\n", 2) == 0);
    }
}
END_TEST

START_TEST(names)
{
    static const char *const codings[] = {"identity", "gzip", "br", "zstd"};
    static const char *const suffixes[] = {"", ".gz", ".br", ".zst"};
    static const char *const sources[] = {"-", "memory", "pagecache", "disk"};
    for (int i = 0; i < 4; i++) {
        ck_assert_str_eq(coding_name((enum coding)i), codings[i]);
        ck_assert_str_eq(coding_file_suffix((enum coding)i).base, suffixes[i]);
        ck_assert_str_eq(source_name((enum source)i), sources[i]);
    }
    ck_assert_int_eq(CODING_COUNT, 4);
    ck_assert_int_eq(SOURCE_COUNT, 4);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("representation");
    TCase *cases = tcase_create("representation");
    tcase_set_timeout(cases, 60);
    tcase_add_test(cases, head_plain);
    tcase_add_test(cases, head_coded);
    tcase_add_test(cases, head_varies);
    tcase_add_test(cases, head_without_validators);
    tcase_add_test(cases, head_in_parts);
    tcase_add_test(cases, head_longest);
    tcase_add_test(cases, names);
    suite_add_tcase(suite, cases);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
