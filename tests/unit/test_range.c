/*
 * Ranges: values with different lengths, If-Range, and random values that must stay within the
 * length.
 */
#include "http/range.h"

#include <check.h>
#include <inttypes.h>
#include <stdlib.h>

#define NOW_SECONDS INT64_C(1700000000)
#define MODIFIED "Sun, 06 Nov 1994 08:49:37 GMT"
#define MODIFIED_SECONDS 784111777

static struct range select_in(const char *value, size_t size, uint64_t length)
{
    struct representation r = {.length = length, .etag = {"\"e\"", 3}};
    struct fields fields = {0};
    char *copy = malloc(size);
    if (size > 0) memcpy(copy, value, size);
    fields_add(&fields, FIELD_RANGE, (struct text){copy, size});
    struct range range = range_select(&fields, &r, NOW_SECONDS);
    free(copy);
    return range;
}

#define WHOLE             \
    {                     \
        RANGE_WHOLE, 0, 0 \
    }
#define UNSATISFIABLE             \
    {                             \
        RANGE_UNSATISFIABLE, 0, 0 \
    }
#define PART(offset, length)       \
    {                              \
        RANGE_PART, offset, length \
    }

static const struct {
    const char *value;
    uint64_t length;
    struct range range;
} table[] = {
    {"bytes=0-0", 10, PART(0, 1)},
    {"bytes=0-9", 10, PART(0, 10)},
    {"bytes=0-", 10, PART(0, 10)},
    {"bytes=5-", 10, PART(5, 5)},
    {"bytes=9-", 10, PART(9, 1)},
    {"bytes=9-9", 10, PART(9, 1)},
    {"bytes=2-4", 10, PART(2, 3)},
    {"bytes=2-99", 10, PART(2, 8)},
    {"bytes=10-", 10, UNSATISFIABLE},
    {"bytes=10-10", 10, UNSATISFIABLE},
    {"bytes=11-", 10, UNSATISFIABLE},
    {"bytes=-5", 10, PART(5, 5)},
    {"bytes=-1", 10, PART(9, 1)},
    {"bytes=-10", 10, PART(0, 10)},
    {"bytes=-11", 10, PART(0, 10)},
    {"bytes=-0", 10, UNSATISFIABLE},
    {"bytes=-000", 10, UNSATISFIABLE},
    {"bytes=0000-0000000000000000000000000000003", 10, PART(0, 4)},
    {"BYTES=0-0", 10, PART(0, 1)},
    {"Bytes=0-0", 10, PART(0, 1)},
    /* an empty representation */
    {"bytes=0-", 0, UNSATISFIABLE},
    {"bytes=0-0", 0, UNSATISFIABLE},
    {"bytes=5-", 0, UNSATISFIABLE},
    {"bytes=-1", 0, WHOLE},
    {"bytes=-5", 0, WHOLE},
    {"bytes=-18446744073709551616", 0, WHOLE},
    {"bytes=-0", 0, UNSATISFIABLE},
    {"bytes=-000", 0, UNSATISFIABLE},
    {"bytes=x", 0, WHOLE},
    /* numbers that are too large: 2^64 - 1, 2^64, 2^64 + 5, and more */
    {"bytes=0-18446744073709551615", 10, PART(0, 10)},
    {"bytes=0-18446744073709551616", 10, PART(0, 10)},
    {"bytes=1-18446744073709551621", 10, PART(1, 9)},
    {"bytes=1-99999999999999999999999999999999999999", 10, PART(1, 9)},
    {"bytes=18446744073709551615-", 10, UNSATISFIABLE},
    {"bytes=18446744073709551616-", 10, UNSATISFIABLE},
    {"bytes=18446744073709551616-18446744073709551617", 10, UNSATISFIABLE},
    {"bytes=18446744073709551621-5", 10, WHOLE},
    {"bytes=184467440737095516150-", 10, UNSATISFIABLE},
    {"bytes=-18446744073709551615", 10, PART(0, 10)},
    {"bytes=-18446744073709551616", 10, PART(0, 10)},
    {"bytes=-99999999999999999999999999999999999999", 10, PART(0, 10)},
    {"bytes=9223372036854775806-", INT64_MAX, PART(INT64_MAX - 1, 1)},
    {"bytes=0-", UINT64_MAX, PART(0, UINT64_MAX)},
    {"bytes=18446744073709551614-", UINT64_MAX, PART(UINT64_MAX - 1, 1)},
    {"bytes=0-18446744073709551615", UINT64_MAX, PART(0, UINT64_MAX)},
    /* malformed */
    {"", 10, WHOLE},
    {"bytes", 10, WHOLE},
    {"bytes=", 10, WHOLE},
    {"bytes=,", 10, WHOLE},
    {"bytes=-", 10, WHOLE},
    {"bytes=--1", 10, WHOLE},
    {"bytes=0", 10, WHOLE},
    {"bytes=1-0", 10, WHOLE},
    {"bytes=20-10", 10, WHOLE},
    {"bytes=0-1-2", 10, WHOLE},
    {"bytes=0-1x", 10, WHOLE},
    {"bytes=x0-1", 10, WHOLE},
    {"bytes=0x0-1", 10, WHOLE},
    {"bytes=+0-1", 10, WHOLE},
    {"bytes=0.0-1", 10, WHOLE},
    {"bytes=a-b", 10, WHOLE},
    {"bytes=0 -1", 10, WHOLE},
    {"bytes=0- 1", 10, WHOLE},
    {"bytes= 0-1", 10, WHOLE},
    {"bytes =0-1", 10, WHOLE},
    {"bytes:0-1", 10, WHOLE},
    {"byte=0-1", 10, WHOLE},
    {"bytess=0-1", 10, WHOLE},
    {"seconds=0-1", 10, WHOLE},
    {"0-1", 10, WHOLE},
    {"bytes=\"0-1\"", 10, WHOLE},
    {"bytes=0\xe2\x80\x93"
     "1",
     10, WHOLE},
    /* lists */
    {"bytes=0-1,", 10, PART(0, 2)},
    {"bytes=,0-1", 10, PART(0, 2)},
    {"bytes=, ,\t0-1 , ,", 10, PART(0, 2)},
    {"bytes=0-1,5-6", 10, WHOLE},
    {"bytes=0-1, 5-6", 10, WHOLE},
    {"bytes=0-1,x", 10, WHOLE},
    {"bytes=20-,30-", 10, WHOLE},
};

START_TEST(selected)
{
    struct range range = select_in(table[_i].value, strlen(table[_i].value), table[_i].length);
    const struct range *expected = &table[_i].range;
    ck_assert_msg(range.kind == expected->kind && range.offset == expected->offset &&
                      range.length == expected->length,
                  "%s of %" PRIu64 ": kind %d, %" PRIu64 " from %" PRIu64, table[_i].value,
                  table[_i].length, (int)range.kind, range.length, range.offset);
}
END_TEST

static const struct {
    const char *if_range[2];
    int64_t now_seconds;
    enum range_kind kind;
    const char *range;
} conditional[] = {
    {{"\"e\""}, NOW_SECONDS, RANGE_PART, "bytes=0-1"},
    {{"\"e\""}, NOW_SECONDS, RANGE_UNSATISFIABLE, "bytes=20-"},
    {{"\"x\""}, NOW_SECONDS, RANGE_WHOLE, "bytes=0-1"},
    {{"\"x\""}, NOW_SECONDS, RANGE_WHOLE, "bytes=20-"},
    {{"W/\"e\""}, NOW_SECONDS, RANGE_WHOLE, "bytes=0-1"},
    {{"\"e\", \"x\""}, NOW_SECONDS, RANGE_WHOLE, "bytes=0-1"},
    {{"e"}, NOW_SECONDS, RANGE_WHOLE, "bytes=0-1"},
    {{"*"}, NOW_SECONDS, RANGE_WHOLE, "bytes=0-1"},
    {{""}, NOW_SECONDS, RANGE_WHOLE, "bytes=0-1"},
    {{"\""}, NOW_SECONDS, RANGE_WHOLE, "bytes=0-1"},
    {{"\"e\"", "\"e\""}, NOW_SECONDS, RANGE_WHOLE, "bytes=0-1"},
    {{MODIFIED}, NOW_SECONDS, RANGE_PART, "bytes=0-1"},
    {{"Sun Nov  6 08:49:37 1994"}, NOW_SECONDS, RANGE_PART, "bytes=0-1"},
    {{"Sunday, 06-Nov-94 08:49:37 GMT"}, NOW_SECONDS, RANGE_PART, "bytes=0-1"},
    {{"Sun, 06 Nov 1994 08:49:36 GMT"}, NOW_SECONDS, RANGE_WHOLE, "bytes=0-1"},
    {{"Sun, 06 Nov 1994 08:49:38 GMT"}, NOW_SECONDS, RANGE_WHOLE, "bytes=0-1"},
    {{MODIFIED}, MODIFIED_SECONDS + 1, RANGE_PART, "bytes=0-1"},
    {{MODIFIED}, MODIFIED_SECONDS, RANGE_WHOLE, "bytes=0-1"},
    {{MODIFIED}, MODIFIED_SECONDS - 1, RANGE_WHOLE, "bytes=0-1"},
    {{MODIFIED, MODIFIED}, NOW_SECONDS, RANGE_WHOLE, "bytes=0-1"},
};

START_TEST(if_range)
{
    const struct representation r = {
        .length = 10, .etag = {"\"e\"", 3}, .modified_seconds = MODIFIED_SECONDS};
    struct fields fields = {0};
    for (int i = 0; i < 2 && conditional[_i].if_range[i] != NULL; i++) {
        const char *value = conditional[_i].if_range[i];
        fields_add(&fields, FIELD_IF_RANGE, (struct text){value, strlen(value)});
    }
    struct range alone = range_select(&fields, &r, conditional[_i].now_seconds);
    ck_assert_int_eq(alone.kind, RANGE_WHOLE);
    fields_add(&fields, FIELD_RANGE,
               (struct text){conditional[_i].range, strlen(conditional[_i].range)});
    struct range range = range_select(&fields, &r, conditional[_i].now_seconds);
    ck_assert_msg(range.kind == conditional[_i].kind, "%s: %d", conditional[_i].if_range[0],
                  (int)range.kind);
}
END_TEST

/* Without tag and date, no part can belong to what the client has. */
START_TEST(if_range_without_validators)
{
    static const char *const values[] = {
        "\"e\"", "\"\"", "", "W/\"\"", "\"", "*", MODIFIED, "Thu, 01 Jan 1970 00:00:00 GMT"};
    const struct representation r = {.length = 10, .modified_seconds = MODIFIED_UNKNOWN};
    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
        struct fields fields = {0};
        fields_add(&fields, FIELD_RANGE, TEXT("bytes=0-1"));
        fields_add(&fields, FIELD_IF_RANGE, (struct text){values[i], strlen(values[i])});
        ck_assert_int_eq(range_select(&fields, &r, NOW_SECONDS).kind, RANGE_WHOLE);
    }
    struct fields fields = {0};
    fields_add(&fields, FIELD_RANGE, TEXT("bytes=0-1"));
    ck_assert_int_eq(range_select(&fields, &r, NOW_SECONDS).kind, RANGE_PART);
}
END_TEST

START_TEST(fields_absent_or_twice)
{
    const struct representation r = {.length = 10, .etag = {"\"e\"", 3}};
    struct fields fields = {0};
    ck_assert_int_eq(range_select(&fields, &r, NOW_SECONDS).kind, RANGE_WHOLE);
    fields_add(&fields, FIELD_RANGE, TEXT("bytes=0-1"));
    ck_assert_int_eq(range_select(&fields, &r, NOW_SECONDS).kind, RANGE_PART);
    fields_add(&fields, FIELD_RANGE, TEXT("bytes=0-1"));
    ck_assert_int_eq(range_select(&fields, &r, NOW_SECONDS).kind, RANGE_WHOLE);
}
END_TEST

static uint64_t random_state = UINT64_C(0xd1b54a32d192ed03);

static uint64_t random_number(void)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state;
}

START_TEST(random_within)
{
    static const char letters[] = "0123456789--,= \tx";
    unsigned parts = 0;
    for (int i = 0; i < 200000; i++) {
        char value[40] = "bytes=";
        size_t size = 6, more = random_number() % 30;
        for (; more > 0; more--)
            value[size++] = letters[random_number() % (sizeof(letters) - (more > 8 ? 5 : 1))];
        uint64_t length = random_number() >> (random_number() % 64);
        struct range range = select_in(value, size, length);
        if (range.kind != RANGE_PART) {
            ck_assert(range.offset == 0 && range.length == 0);
            continue;
        }
        parts++;
        ck_assert_uint_gt(range.length, 0);
        ck_assert_uint_lt(range.offset, length);
        ck_assert_uint_le(range.length, length - range.offset);
    }
    ck_assert_uint_gt(parts, 2000);
}
END_TEST

/* Every pair of positions around a small length, compared with the words of RFC 9110 §14.1.2. */
START_TEST(all_pairs)
{
    for (unsigned length = 0; length < 6; length++) {
        for (unsigned first = 0; first < 8; first++) {
            for (unsigned last = 0; last < 8; last++) {
                char value[] = {
                    'b', 'y', 't', 'e', 's', '=', (char)('0' + first), '-', (char)('0' + last)};
                struct range range = select_in(value, sizeof(value), length);
                unsigned count = 0, lowest = 0;
                for (unsigned at = length; at-- > 0;) {
                    if (at >= first && at <= last) {
                        count++;
                        lowest = at;
                    }
                }
                ck_assert_int_eq(range.kind, last < first ? RANGE_WHOLE
                                             : count == 0 ? RANGE_UNSATISFIABLE
                                                          : RANGE_PART);
                ck_assert_uint_eq(range.length, count);
                ck_assert_uint_eq(range.offset, lowest);
            }
        }
    }
}
END_TEST

#define COUNT(table) ((int)(sizeof(table) / sizeof((table)[0])))

int main(void)
{
    Suite *suite = suite_create("range");
    TCase *cases = tcase_create("range");
    tcase_set_timeout(cases, 60);
    tcase_add_loop_test(cases, selected, 0, COUNT(table));
    tcase_add_loop_test(cases, if_range, 0, COUNT(conditional));
    tcase_add_test(cases, if_range_without_validators);
    tcase_add_test(cases, fields_absent_or_twice);
    tcase_add_test(cases, random_within);
    tcase_add_test(cases, all_pairs);
    suite_add_tcase(suite, cases);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
