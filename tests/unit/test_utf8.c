/*
 * Tests of src/base/utf8.c: every character, bytes that are none, and what must not be shown.
 */
#include "zcserve/utf8.h"

#include <check.h>
#include <stdbool.h>
#include <string.h>

/* Writes the bytes of a character, by separate code (RFC 3629 §3). */
static size_t encode(uint32_t number, char bytes[4])
{
    if (number < 0x80) {
        bytes[0] = (char)number;
        return 1;
    }
    size_t length = number < 0x800 ? 2 : number < 0x10000 ? 3 : 4;
    for (size_t i = length - 1; i > 0; i--) {
        bytes[i] = (char)(0x80 | (number & 0x3f));
        number >>= 6;
    }
    bytes[0] = (char)(0xf00 >> length | number);
    return length;
}

static bool is_hidden(uint32_t n)
{
    return n <= 0x1f || (0x7f <= n && n <= 0x9f) || n == 0x061c || n == 0x200e || n == 0x200f ||
           (0x2028 <= n && n <= 0x202e) || (0x2066 <= n && n <= 0x2069);
}

START_TEST(every_character)
{
    char bytes[4];
    for (uint32_t number = 0; number < 0x110000; number++) {
        size_t length = encode(number, bytes);
        bool surrogate = number >= 0xd800 && number <= 0xdfff;
        size_t wanted = surrogate ? 0 : length;
        if (utf8_length(bytes, length) != wanted || utf8_length(bytes, length - 1) != 0)
            ck_abort_msg("length of U+%04X", number);
        if (!surrogate && utf8_decode(bytes, length) != number)
            ck_abort_msg("number of U+%04X", number);
        if (utf8_shown_length(bytes, length) != (is_hidden(number) ? 0 : wanted))
            ck_abort_msg("whether U+%04X is shown", number);
    }
}
END_TEST

START_TEST(what_is_none)
{
    static const char *const none[] = {"\x80",
                                       "\xbf",
                                       "\xc0\x80",
                                       "\xc1\xbf",
                                       "\xc2",
                                       "\xc2\x41",
                                       "\xe0\x80\x80",
                                       "\xe0\x9f\xbf",
                                       "\xe2\x80",
                                       "\xe2\x80\x41",
                                       "\xed\xa0\x80",
                                       "\xf0\x80\x80\x80",
                                       "\xf0\x8f\xbf\xbf",
                                       "\xf4\x90\x80\x80",
                                       "\xf5\x80\x80\x80",
                                       "\xff",
                                       "\x9b[31m"};
    for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++) {
        ck_assert_uint_eq(utf8_length(none[i], strlen(none[i])), 0);
        ck_assert_uint_eq(utf8_shown_length(none[i], strlen(none[i])), 0);
    }
    ck_assert_uint_eq(utf8_length("", 0), 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("utf8");
    TCase *cases = tcase_create("utf8");
    tcase_add_test(cases, every_character);
    tcase_add_test(cases, what_is_none);
    suite_add_tcase(suite, cases);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
