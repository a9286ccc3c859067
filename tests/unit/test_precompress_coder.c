/*
 * Tests of src/precompress/coder.c: what is compressed comes back; what does not fit, is
 * damaged, is followed by something, or needs more memory of a client than HTTP allows is told apart.
 */
#define _GNU_SOURCE
#include "encode/encode.h"
#include "precompress/coder.h"

#include <brotli/encode.h>
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

static const struct {
    enum coding coding;
    int least, most;
} codings[] = {{CODING_GZIP, 1, 12}, {CODING_BR, 0, 11}, {CODING_ZSTD, 1, 22}};
enum { CODINGS = sizeof(codings) / sizeof(codings[0]) };

#define TEXT_BYTES 20000
#define ROOM 32768

static char text[TEXT_BYTES], space[ROOM];

/* Text of numbers: compressible, and each part of it is another. */
static struct text some_text(void)
{
    size_t at = 0;
    for (int i = 0; at < TEXT_BYTES - 32; i++)
        at += (size_t)snprintf(text + at, TEXT_BYTES - at, "line %d of many\n", i * 7919);
    memset(text + at, '.', TEXT_BYTES - at);
    return (struct text){text, TEXT_BYTES};
}

static struct text encoded_by(enum coding coding, int level, struct text content)
{
    size_t length = 0;
    ck_assert_int_eq(encode(coding, level, content, space, ROOM, &length), CODED);
    ck_assert_uint_gt(length, 0);
    return (struct text){space, length};
}

START_TEST(there_and_back)
{
    struct text content = some_text();
    for (int i = 0; i < CODINGS; i++)
        for (int level = codings[i].least; level <= codings[i].most; level++) {
            struct text encoded = encoded_by(codings[i].coding, level, content);
            ck_assert_uint_lt(encoded.length, TEXT_BYTES / 2);
            ck_assert_int_eq(coder_compare(codings[i].coding, encoded, content), MATCH_EQUAL);
        }
}
END_TEST

START_TEST(one_byte)
{
    struct text content = {"x", 1};
    for (int i = 0; i < CODINGS; i++) {
        struct text encoded = encoded_by(codings[i].coding, codings[i].most, content);
        ck_assert_int_eq(coder_compare(codings[i].coding, encoded, content), MATCH_EQUAL);
        ck_assert_int_eq(coder_compare(codings[i].coding, encoded, TEXT("y")), MATCH_DIFFERENT);
        ck_assert_int_eq(coder_compare(codings[i].coding, encoded, TEXT("")), MATCH_DIFFERENT);
    }
}
END_TEST

START_TEST(the_same_every_time)
{
    static char again[ROOM];
    struct text content = some_text();
    for (int i = 0; i < CODINGS; i++) {
        struct text encoded = encoded_by(codings[i].coding, codings[i].most, content);
        memcpy(again, encoded.base, encoded.length);
        struct text second = encoded_by(codings[i].coding, codings[i].most, content);
        ck_assert(text_equals(second, (struct text){again, encoded.length}));
    }
}
END_TEST

START_TEST(too_large)
{
    struct text content = some_text();
    for (int i = 0; i < CODINGS; i++) {
        size_t length = 0, whole = encoded_by(codings[i].coding, codings[i].most, content).length;
        const size_t rooms[] = {1, 10, whole / 2, whole - 1};
        for (size_t j = 0; j < sizeof(rooms) / sizeof(rooms[0]); j++) {
            char *room = malloc(rooms[j]); /* of its own, so that a sanitizer sees its end */
            ck_assert_int_eq(
                encode(codings[i].coding, codings[i].most, content, room, rooms[j], &length),
                CODED_TOO_LARGE);
            free(room);
        }
    }
}
END_TEST

/* Cut off anywhere, or with a bit changed in the middle. */
START_TEST(damaged)
{
    struct text content = some_text();
    for (int i = 0; i < CODINGS; i++) {
        enum coding coding = codings[i].coding;
        struct text encoded = encoded_by(coding, codings[i].most, content);
        for (size_t length = 0; length < encoded.length; length += 1 + length / 8) {
            struct text part = {encoded.base, length};
            ck_assert_int_eq(coder_compare(coding, part, content), MATCH_DIFFERENT);
        }
        space[encoded.length / 2] ^= 0x10;
        ck_assert_int_eq(coder_compare(coding, encoded, content), MATCH_DIFFERENT);
        space[encoded.length / 2] ^= 0x10;
        ck_assert_int_eq(coder_compare(coding, encoded, content), MATCH_EQUAL);
    }
}
END_TEST

START_TEST(other_content)
{
    static char other[TEXT_BYTES + 1];
    struct text content = some_text();
    memcpy(other, text, TEXT_BYTES);
    for (int i = 0; i < CODINGS; i++) {
        enum coding coding = codings[i].coding;
        struct text encoded = encoded_by(coding, codings[i].most, content);
        ck_assert_int_eq(coder_compare(coding, encoded, (struct text){other, TEXT_BYTES - 1}),
                         MATCH_DIFFERENT);
        ck_assert_int_eq(coder_compare(coding, encoded, (struct text){other, TEXT_BYTES + 1}),
                         MATCH_DIFFERENT);
        other[TEXT_BYTES - 1] ^= 1;
        ck_assert_int_eq(coder_compare(coding, encoded, (struct text){other, TEXT_BYTES}),
                         MATCH_DIFFERENT);
        other[TEXT_BYTES - 1] ^= 1;
    }
}
END_TEST

START_TEST(something_follows)
{
    struct text content = some_text();
    for (int i = 0; i < CODINGS; i++) {
        struct text encoded = encoded_by(codings[i].coding, codings[i].most, content);
        space[encoded.length] = 'x';
        encoded.length++;
        ck_assert_int_eq(coder_compare(codings[i].coding, encoded, content), MATCH_DIFFERENT);
    }
}
END_TEST

/* gzip has members (RFC 1952 §2.2), zstd frames (RFC 8878 §3.1): what they give is joined. */
START_TEST(members)
{
    static char joined[2 * ROOM], whole[2 * TEXT_BYTES];
    struct text content = some_text();
    memcpy(whole, text, TEXT_BYTES);
    memcpy(whole + TEXT_BYTES, text, TEXT_BYTES);
    for (int i = 0; i < CODINGS; i++) {
        struct text encoded = encoded_by(codings[i].coding, codings[i].most, content);
        memcpy(joined, encoded.base, encoded.length);
        memcpy(joined + encoded.length, encoded.base, encoded.length);
        enum match expected = codings[i].coding == CODING_BR ? MATCH_DIFFERENT : MATCH_EQUAL;
        ck_assert_int_eq(coder_compare(codings[i].coding, (struct text){joined, 2 * encoded.length},
                                       (struct text){whole, sizeof(whole)}),
                         expected);
    }
}
END_TEST

START_TEST(gzip_names_nothing)
{
    struct text encoded = encoded_by(CODING_GZIP, 12, some_text());
    static const char begins[] = {'\x1f', '\x8b', 8, 0, 0, 0, 0, 0}; /* no flags, no time */
    ck_assert_int_eq(memcmp(encoded.base, begins, sizeof(begins)), 0);
}
END_TEST

/* ---- windows --------------------------------------------------------------------------------- */

#define LARGE (17U << 20)

static char *zeros(void)
{
    char *content = calloc(1, LARGE);
    ck_assert_ptr_nonnull(content);
    return content;
}

/* RFC 9659: a client may refuse windows of more than 8 MiB. */
START_TEST(zstd_window)
{
    char *content = zeros();
    struct text all = {content, LARGE};
    ZSTD_CCtx *context = ZSTD_createCCtx();
    ZSTD_CCtx_setParameter(context, ZSTD_c_windowLog, 24);
    size_t length = ZSTD_compress2(context, space, ROOM, content, LARGE);
    ck_assert(!ZSTD_isError(length));
    ck_assert_int_eq(coder_compare(CODING_ZSTD, (struct text){space, length}, all),
                     MATCH_DIFFERENT);
    ZSTD_freeCCtx(context);
    struct text encoded = encoded_by(CODING_ZSTD, 22, all); /* ours keep to it at every level */
    ck_assert_int_eq(coder_compare(CODING_ZSTD, encoded, all), MATCH_EQUAL);
    free(content);
}
END_TEST

/* "Large window brotli" is not the coding "br". */
START_TEST(brotli_window)
{
    char *content = zeros();
    struct text all = {content, LARGE};
    size_t in_left = LARGE, out_left = ROOM;
    const uint8_t *in = (const uint8_t *)content;
    uint8_t *out = (uint8_t *)space;
    BrotliEncoderState *encoder = BrotliEncoderCreateInstance(NULL, NULL, NULL);
    BrotliEncoderSetParameter(encoder, BROTLI_PARAM_QUALITY, 5);
    BrotliEncoderSetParameter(encoder, BROTLI_PARAM_LARGE_WINDOW, 1);
    BrotliEncoderSetParameter(encoder, BROTLI_PARAM_LGWIN, 26);
    ck_assert(BrotliEncoderCompressStream(encoder, BROTLI_OPERATION_FINISH, &in_left, &in,
                                          &out_left, &out, NULL));
    ck_assert(BrotliEncoderIsFinished(encoder));
    BrotliEncoderDestroyInstance(encoder);
    ck_assert_int_eq(coder_compare(CODING_BR, (struct text){space, ROOM - out_left}, all),
                     MATCH_DIFFERENT);
    struct text encoded = encoded_by(CODING_BR, 5, all);
    ck_assert_int_eq(coder_compare(CODING_BR, encoded, all), MATCH_EQUAL);
    free(content);
}
END_TEST

static void encoders_load(void)
{
    char problem[256];
    for (size_t i = 0; i < sizeof(codings) / sizeof(codings[0]); i++)
        ck_assert_msg(encode_load(codings[i].coding, problem, sizeof(problem)), "%s", problem);
}

int main(void)
{
    Suite *suite = suite_create("precompress_coder");
    TCase *cases = tcase_create("precompress_coder");
    tcase_add_unchecked_fixture(cases, encoders_load, NULL);
    tcase_add_test(cases, there_and_back);
    tcase_add_test(cases, one_byte);
    tcase_add_test(cases, the_same_every_time);
    tcase_add_test(cases, too_large);
    tcase_add_test(cases, damaged);
    tcase_add_test(cases, other_content);
    tcase_add_test(cases, something_follows);
    tcase_add_test(cases, members);
    tcase_add_test(cases, gzip_names_nothing);
    tcase_add_test(cases, zstd_window);
    tcase_add_test(cases, brotli_window);
    suite_add_tcase(suite, cases);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
