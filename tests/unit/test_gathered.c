/* Text that is gathered in memory: it is whole, or it is not there. */
#include "base/gathered.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

START_TEST(text_is_whole)
{
    struct gathered g;
    FILE *out = gathered_open(&g, 1 << 20);
    ck_assert_ptr_nonnull(out);
    for (int i = 0; i < 10000; i++)
        fprintf(out, "%05d\n", i);
    ck_assert(gathered_close(&g, out));
    ck_assert_uint_eq(g.length, 60000);
    ck_assert_uint_eq(strlen(g.text), g.length);
    for (int i = 0; i < 10000; i++)
        ck_assert_int_eq(atoi(g.text + 6 * i), i);
    free(g.text);
}
END_TEST

START_TEST(nothing_is_an_empty_text)
{
    struct gathered g;
    FILE *out = gathered_open(&g, 100);
    ck_assert_ptr_nonnull(out);
    ck_assert(gathered_close(&g, out));
    ck_assert_uint_eq(g.length, 0);
    ck_assert_str_eq(g.text, "");
    free(g.text);
}
END_TEST

START_TEST(as_much_as_is_allowed)
{
    struct gathered g;
    FILE *out = gathered_open(&g, 5000);
    for (int i = 0; i < 5000; i++)
        fputc('x', out);
    ck_assert(gathered_close(&g, out));
    ck_assert_uint_eq(g.length, 5000);
    free(g.text);
}
END_TEST

START_TEST(more_than_is_allowed_is_no_text)
{
    struct gathered g;
    FILE *out = gathered_open(&g, 5000);
    for (int i = 0; i < 5001; i++)
        fputc('x', out);
    ck_assert(!gathered_close(&g, out));
    ck_assert_ptr_null(g.text);
    ck_assert_uint_eq(g.length, 0);
}
END_TEST

/* What was written after the part that did not fit must not make the text look whole. */
START_TEST(a_part_is_missing_in_the_middle)
{
    struct gathered g;
    char *large = calloc(1, 6000);
    FILE *out = gathered_open(&g, 5000);
    fputs("begin", out);
    fflush(out);
    fwrite(large, 1, 6000, out);
    fflush(out);
    fputs("end", out);
    ck_assert(!gathered_close(&g, out));
    ck_assert_ptr_null(g.text);
    free(large);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("gathered");
    TCase *tests = tcase_create("gathered");
    tcase_add_test(tests, text_is_whole);
    tcase_add_test(tests, nothing_is_an_empty_text);
    tcase_add_test(tests, as_much_as_is_allowed);
    tcase_add_test(tests, more_than_is_allowed_is_no_text);
    tcase_add_test(tests, a_part_is_missing_in_the_middle);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
