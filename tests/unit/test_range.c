/*
 * Ranges: values with different lengths, If-Range, and random values that must stay within the
 * length.
 */
#include "range_ask.h"

#include <inttypes.h>

#define MODIFIED "Sun, 06 Nov 1994 08:49:37 GMT"
#define MODIFIED_SECONDS 784111777

#define WHOLE       \
    RANGE_WHOLE, 0, \
    {               \
        {           \
            0, 0    \
        }           \
    }
#define UNSATISFIABLE       \
    RANGE_UNSATISFIABLE, 0, \
    {                       \
        {                   \
            0, 0            \
        }                   \
    }
#define PART(offset, length) \
    RANGE_PARTS, 1,          \
    {                        \
        {                    \
            offset, length   \
        }                    \
    }
#define PARTS(count, ...) \
    RANGE_PARTS, count,   \
    {                     \
        __VA_ARGS__       \
    }

static const struct {
    const char *value;
    uint64_t length;
    enum range_kind kind;
    uint32_t count;
    struct range part[3];
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
    {"bytes= 0-1", 10, PART(0, 2)}, /* blank as in §14.1.2's example */
    {"bytes=\t0-1", 10, PART(0, 2)},
    {"bytes= ", 10, WHOLE},
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
    {"bytes=0-1,5-6", 10, PARTS(2, {0, 2}, {5, 2})},
    {"bytes=0-1, 5-6", 10, PARTS(2, {0, 2}, {5, 2})},
    {"bytes=,0-1,,\t5-6 ,", 10, PARTS(2, {0, 2}, {5, 2})},
    {"bytes=0-1,x", 10, WHOLE},
    {"bytes=x,0-1", 10, WHOLE},
    {"bytes=0-1,5", 10, WHOLE},
    {"bytes=0-1,3-2", 10, WHOLE},
    {"bytes=0-1;5-6", 10, WHOLE},
    {"bytes=0-1 5-6", 10, WHOLE},
    {"bytes=0-1,bytes=5-6", 10, WHOLE},
    {"bytes=0-1,\"5-6\"", 10, WHOLE},
    {"bytes=20-,30-", 10, UNSATISFIABLE},
    {"bytes=20-,-0", 10, UNSATISFIABLE},
    {"bytes=20-,x", 10, WHOLE},
    {"bytes=20-,0-1", 10, PART(0, 2)},
    {"bytes=0-1,20-,5-6,-0", 10, PARTS(2, {0, 2}, {5, 2})},
    {"bytes=0-,-5", 0, WHOLE},
    {"bytes=-5,0-", 0, WHOLE},
    {"bytes=0-,1-", 0, UNSATISFIABLE},
    /* RFC 9110 §14.1.2, of 10000 bytes */
    {"bytes=0-499", 10000, PART(0, 500)},
    {"bytes=500-999", 10000, PART(500, 500)},
    {"bytes=-500", 10000, PART(9500, 500)},
    {"bytes=9500-", 10000, PART(9500, 500)},
    {"bytes=0-0,-1", 10000, PARTS(2, {0, 1}, {9999, 1})},
    {"bytes= 0-999, 4500-5499, -1000", 10000, PARTS(3, {0, 1000}, {4500, 1000}, {9000, 1000})},
    {"bytes=500-600,601-999", 10000, PART(500, 500)},
    {"bytes=500-700,601-999", 10000, PART(500, 500)},
    {"bytes=500-999,7000-7999", 8000, PARTS(2, {500, 500}, {7000, 1000})}, /* §14.6 */
    /* merged where the first of them was asked for */
    {"bytes=5-6,0-1", 10, PARTS(2, {5, 2}, {0, 2})},
    {"bytes=4-5,0-1,6-7", 10, PARTS(2, {4, 4}, {0, 2})},
    {"bytes=6-7,0-1,4-5", 10, PARTS(2, {4, 4}, {0, 2})},
    {"bytes=0-1,4-5,2-3", 10, PART(0, 6)},
    {"bytes=4-5,0-1,2-3", 10, PART(0, 6)},
    {"bytes=8-8,0-0,4-4,3-5", 10, PARTS(3, {8, 1}, {0, 1}, {3, 3})},
    {"bytes=8-8,0-0,4-4,2-2,3-3", 10, PARTS(3, {8, 1}, {0, 1}, {2, 3})},
    {"bytes=0-0,2-2,4-4,6-6,1-5", 10, PART(0, 7)},
    {"bytes=1-2,1-2", 10, PART(1, 2)},
    {"bytes=0-4,5-9", 10, PART(0, 10)},
    {"bytes=5-9,0-4", 10, PART(0, 10)},
    {"bytes=0-4,-5", 10, PART(0, 10)},
    {"bytes=-2,7-7", 10, PART(7, 3)},
    {"bytes=-2,6-6", 10, PARTS(2, {8, 2}, {6, 1})},
    /* more bytes than there are */
    {"bytes=0-,0-0", 10, WHOLE},
    {"bytes=0-,-1", 10, WHOLE},
    {"bytes=0-4,4-9", 10, WHOLE},
    {"bytes=-10,-1", 10, WHOLE},
    {"bytes=0-99,0-99", 10, WHOLE},
    {"bytes=0-5,0-3", 10, PART(0, 6)},
    {"bytes=0-5,0-4", 10, WHOLE},
    /* CVE-2011-3192 */
    {"bytes=0-,5-0,5-1,5-2,5-3", 10, WHOLE},
    {"bytes=0-,5-5,5-6,5-7,5-8", 10, WHOLE},
    {"bytes=1-1,1-2,1-3,1-4,1-5", 1000, PART(1, 5)},
    /* at the 64-bit edge */
    {"bytes=0-0,18446744073709551614-", UINT64_MAX, PARTS(2, {0, 1}, {UINT64_MAX - 1, 1})},
    {"bytes=0-0,-1", UINT64_MAX, PARTS(2, {0, 1}, {UINT64_MAX - 1, 1})},
    {"bytes=18446744073709551613-18446744073709551613,-1", UINT64_MAX, PART(UINT64_MAX - 2, 2)},
    {"bytes=-1,18446744073709551613-18446744073709551613", UINT64_MAX, PART(UINT64_MAX - 2, 2)},
    {"bytes=0-9223372036854775807,-9223372036854775807", UINT64_MAX, PART(0, UINT64_MAX)},
    {"bytes=0-9223372036854775807,-9223372036854775808", UINT64_MAX, WHOLE},
    {"bytes=0-18446744073709551613,0-0", UINT64_MAX, PART(0, UINT64_MAX - 1)},
    {"bytes=0-18446744073709551613,0-1", UINT64_MAX, WHOLE},
    {"bytes=0-,0-", UINT64_MAX, WHOLE},
    {"bytes=0-0,18446744073709551616-", UINT64_MAX, PART(0, 1)},
    {"bytes=0-0,9223372036854775806-99999999999999999999", INT64_MAX,
     PARTS(2, {0, 1}, {INT64_MAX - 1, 1})},
};

START_TEST(selected)
{
    const char *value = table[_i].value;
    struct answer answer = select_most(value, strlen(value), table[_i].length, MOST);
    ck_assert_msg(answer.kind == table[_i].kind && answer.ranges.count == table[_i].count,
                  "%s of %" PRIu64 ": kind %d, %u parts", value, table[_i].length, (int)answer.kind,
                  answer.ranges.count);
    for (uint32_t i = 0; i < table[_i].count; i++) {
        struct range part = answer.ranges.part[i], due = table[_i].part[i];
        ck_assert_msg(part.offset == due.offset && part.length == due.length,
                      "%s of %" PRIu64 ": part %u: %" PRIu64 " from %" PRIu64, value,
                      table[_i].length, i, part.length, part.offset);
    }
}
END_TEST

static const struct {
    const char *if_range[2];
    int64_t now_seconds;
    enum range_kind kind;
    const char *range;
} conditional[] = {
    {{"\"e\""}, NOW_SECONDS, RANGE_PARTS, "bytes=0-1"},
    {{"\"e\""}, NOW_SECONDS, RANGE_PARTS, "bytes=0-1,4-5"},
    {{"\"x\""}, NOW_SECONDS, RANGE_WHOLE, "bytes=0-1,4-5"},
    {{MODIFIED}, NOW_SECONDS, RANGE_PARTS, "bytes=0-1,4-5"},
    {{MODIFIED}, MODIFIED_SECONDS, RANGE_WHOLE, "bytes=0-1,4-5"},
    {{"\"x\""}, NOW_SECONDS, RANGE_WHOLE, "bytes=20-,30-"},
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
    {{MODIFIED}, NOW_SECONDS, RANGE_PARTS, "bytes=0-1"},
    {{"Sun Nov  6 08:49:37 1994"}, NOW_SECONDS, RANGE_PARTS, "bytes=0-1"},
    {{"Sunday, 06-Nov-94 08:49:37 GMT"}, NOW_SECONDS, RANGE_PARTS, "bytes=0-1"},
    {{"Sun, 06 Nov 1994 08:49:36 GMT"}, NOW_SECONDS, RANGE_WHOLE, "bytes=0-1"},
    {{"Sun, 06 Nov 1994 08:49:38 GMT"}, NOW_SECONDS, RANGE_WHOLE, "bytes=0-1"},
    {{MODIFIED}, MODIFIED_SECONDS + 1, RANGE_PARTS, "bytes=0-1"},
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
    ck_assert_int_eq(ask(&fields, &r, MOST, conditional[_i].now_seconds).kind, RANGE_WHOLE);
    fields_add(&fields, FIELD_RANGE,
               (struct text){conditional[_i].range, strlen(conditional[_i].range)});
    struct answer answer = ask(&fields, &r, MOST, conditional[_i].now_seconds);
    ck_assert_msg(answer.kind == conditional[_i].kind, "%s: %d", conditional[_i].if_range[0],
                  (int)answer.kind);
}
END_TEST

/* A sidecar's date may be its original's, whatever is in it; its tag tells. A file of its own coding has its own date. */
START_TEST(if_range_of_a_sidecar)
{
    static const struct {
        enum coding coding;
        bool varies;
        const char *if_range;
        enum range_kind kind;
    } cases[] = {
        {CODING_GZIP, true, MODIFIED, RANGE_WHOLE},
        {CODING_GZIP, true, "\"e\"", RANGE_PARTS},
        {CODING_GZIP, false, MODIFIED, RANGE_PARTS},
        {CODING_IDENTITY, true, MODIFIED, RANGE_PARTS},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct representation r = {.length = 10,
                                   .etag = {"\"e\"", 3},
                                   .modified_seconds = MODIFIED_SECONDS,
                                   .coding = cases[i].coding,
                                   .varies = cases[i].varies};
        struct fields fields = {0};
        fields_add(&fields, FIELD_RANGE, TEXT("bytes=0-1"));
        fields_add(&fields, FIELD_IF_RANGE,
                   (struct text){cases[i].if_range, strlen(cases[i].if_range)});
        ck_assert_int_eq(ask(&fields, &r, MOST, NOW_SECONDS).kind, cases[i].kind);
    }
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
        ck_assert_int_eq(ask(&fields, &r, MOST, NOW_SECONDS).kind, RANGE_WHOLE);
    }
    struct fields fields = {0};
    fields_add(&fields, FIELD_RANGE, TEXT("bytes=0-1"));
    ck_assert_int_eq(ask(&fields, &r, MOST, NOW_SECONDS).kind, RANGE_PARTS);
}
END_TEST

START_TEST(fields_absent_or_twice)
{
    const struct representation r = {.length = 10, .etag = {"\"e\"", 3}};
    struct fields fields = {0};
    ck_assert_int_eq(ask(&fields, &r, MOST, NOW_SECONDS).kind, RANGE_WHOLE);
    fields_add(&fields, FIELD_RANGE, TEXT("bytes=0-1"));
    ck_assert_int_eq(ask(&fields, &r, MOST, NOW_SECONDS).kind, RANGE_PARTS);
    fields_add(&fields, FIELD_RANGE, TEXT("bytes=0-1"));
    ck_assert_int_eq(ask(&fields, &r, MOST, NOW_SECONDS).kind, RANGE_WHOLE);
}
END_TEST

START_TEST(random_within)
{
    static const char letters[] = "0123456789--,= \tx";
    unsigned parts = 0, several = 0;
    for (int i = 0; i < 200000; i++) {
        char value[40] = "bytes=";
        size_t size = 6, more = random_number() % 30;
        for (; more > 0; more--)
            value[size++] = letters[random_number() % (sizeof(letters) - (more > 8 ? 5 : 1))];
        uint64_t length = random_number() >> (random_number() % 64);
        struct answer answer = select_most(value, size, length, MOST);
        parts_check(&answer, length);
        parts += answer.ranges.count > 0;
        several += answer.ranges.count > 1;
    }
    ck_assert_uint_gt(parts, 2000);
    ck_assert_uint_gt(several, 20);
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
                struct answer answer = select_most(value, sizeof(value), length, MOST);
                unsigned count = 0, lowest = 0;
                for (unsigned at = length; at-- > 0;) {
                    if (at >= first && at <= last) {
                        count++;
                        lowest = at;
                    }
                }
                ck_assert_int_eq(answer.kind, last < first ? RANGE_WHOLE
                                              : count == 0 ? RANGE_UNSATISFIABLE
                                                           : RANGE_PARTS);
                ck_assert_uint_eq(answer.ranges.count, count > 0);
                if (count == 0) continue;
                ck_assert_uint_eq(answer.ranges.part[0].length, count);
                ck_assert_uint_eq(answer.ranges.part[0].offset, lowest);
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
    tcase_add_test(cases, if_range_of_a_sidecar);
    tcase_add_test(cases, if_range_without_validators);
    tcase_add_test(cases, fields_absent_or_twice);
    tcase_add_test(cases, random_within);
    tcase_add_test(cases, all_pairs);
    suite_add_tcase(suite, cases);
    SRunner *runner = srunner_create(suite);
    srunner_set_fork_status(runner, CK_NOFORK); /* no test leaves anything behind */
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
