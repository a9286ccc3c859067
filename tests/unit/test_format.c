/* Tests of src/tool/format.c: figures as people read them, with and without UTF-8. */
#include "tool/format.h"

#include <check.h>
#include <math.h>
#include <string.h>

START_TEST(times)
{
    static const struct {
        double ns;
        const char *text;
    } rows[] = {{0, "0 ns"},          {16, "16 ns"},      {999.4, "999 ns"},  {999.6, "1.00 us"},
                {6160, "6.16 us"},    {99940, "99.9 us"}, {99960, "100 us"},  {999600, "1.00 ms"},
                {12.34e6, "12.3 ms"}, {1.2e9, "1.20 s"},  {3600e9, "3600 s"}, {NAN, "-"}};
    format_space space;
    format_utf8 = false;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        ck_assert_str_eq(format_ns(space, rows[i].ns), rows[i].text);
    format_utf8 = true;
    ck_assert_str_eq(format_ns(space, 6160), "6.16 µs");
    ck_assert_int_eq(format_columns(space), 7);
    ck_assert_str_eq(format_ns(space, NAN), "–");
    ck_assert_int_eq(format_columns(space), 1);
}
END_TEST

START_TEST(counts)
{
    format_space space;
    ck_assert_str_eq(format_count(space, 0), "0");
    ck_assert_str_eq(format_count(space, 0.35), "0.35");
    ck_assert_str_eq(format_count(space, 999), "999");
    ck_assert_str_eq(format_count(space, 1000), "1,000");
    ck_assert_str_eq(format_count(space, 1417000), "1,417,000");
    ck_assert_str_eq(format_count(space, 18446744073709551615.0), "18,446,744,073,709,551,616");
    ck_assert_uint_lt(strlen(format_count(space, 1e300)), FORMAT_MAX);
    ck_assert_str_eq(format_short(space, 147), "147");
    ck_assert_str_eq(format_short(space, 147000), "147k");
    ck_assert_str_eq(format_short(space, 1417000), "1.42M");
    ck_assert_str_eq(format_bytes(space, 912), "912 B");
    ck_assert_str_eq(format_bytes(space, 1024), "1.00 KiB");
    ck_assert_str_eq(format_bytes(space, 1.25 * 1048576), "1.25 MiB");
    ck_assert_uint_lt(strlen(format_bytes(space, 1e30)), FORMAT_MAX);
    ck_assert_str_eq(format_percent(space, 0.9876), "98.8 %");
}
END_TEST

START_TEST(bars)
{
    char space[3 * FORMAT_BAR_MAX + 1];
    format_utf8 = false;
    ck_assert_str_eq(format_bar(space, 0, 8), "");
    ck_assert_str_eq(format_bar(space, 0.5, 8), "####");
    ck_assert_str_eq(format_bar(space, 0.56, 8), "####-");
    ck_assert_str_eq(format_bar(space, 7, 8), "########");
    ck_assert_str_eq(format_bar(space, -1, 8), "");
    ck_assert_str_eq(format_bar(space, NAN, 8), "");
    format_utf8 = true;
    ck_assert_str_eq(format_bar(space, 0.56, 8), "████▌");
    ck_assert_int_eq(format_columns(format_bar(space, 1, 1000)), FORMAT_BAR_MAX);
}
END_TEST

START_TEST(texts_of_others)
{
    static const char *const cases[][3] = {
        /* a text as received, on a terminal with UTF-8, and on one without */
        {"plain ~", "plain ~", "plain ~"},
        {"a\x1b[2J\x7f\n", "a?[2J??", "a?[2J??"},
        {"\xc2\x9b\x9b", "???", "???"},
        {"\xe2\x80\xae\xe2\x81\xa6", "??????", "??????"},
        {"ä€", "ä€", "?????"},
        {"\xe2\x82", "??", "??"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char text[64];
        format_utf8 = true;
        strcpy(text, cases[i][0]);
        ck_assert_str_eq(format_tame(text), cases[i][1]);
        format_utf8 = false;
        strcpy(text, cases[i][0]);
        ck_assert_str_eq(format_tame(text), cases[i][2]);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("format");
    TCase *cases = tcase_create("format");
    tcase_add_test(cases, times);
    tcase_add_test(cases, counts);
    tcase_add_test(cases, bars);
    tcase_add_test(cases, texts_of_others);
    suite_add_tcase(suite, cases);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
