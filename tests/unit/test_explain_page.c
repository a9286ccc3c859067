/* How explanations are laid out: labels, lines that are broken, and bytes that are not shown. */
#include "explain/page.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#define TWELVE "            "
#define W70 "1234567890123456789012345678901234567890123456789012345678901234567890"

static char *text;
static size_t length;
static FILE *out;

static void set_up(void)
{
    out = open_memstream(&text, &length);
    ck_assert_ptr_nonnull(out);
}

static void tear_down(void)
{
    free(text);
}

static void expect(const char *wanted)
{
    ck_assert_int_eq(fclose(out), 0);
    ck_assert_str_eq(text, wanted);
}

START_TEST(labels)
{
    page_line(out, "Site", "the %s", "one");
    page_line(out, "", "more");
    page_line(out, "  deeper", "x");
    page_line(out, "a long label here", "y");
    page_line(out, "Empty", "%s", "");
    expect("Site        the one\n" TWELVE "more\n"
           "  deeper      x\n"
           "a long label here y\n"
           "Empty       \n");
}
END_TEST

START_TEST(lines_are_broken_at_spaces)
{
    page_line(out, "", "1234 %.58s 1234 5678", W70);
    page_line(out, "", "a %s b", W70);
    page_line(out, "", "two  spaces");
    char line[256];
    snprintf(line, sizeof(line), "%s1234 %.58s 1234\n%s5678\n%sa\n%s%s\n%sb\n%stwo  spaces\n",
             TWELVE, W70, TWELVE, TWELVE, TWELVE, W70, TWELVE, TWELVE);
    expect(line);
}
END_TEST

/* A character of several bytes takes one column. */
START_TEST(characters_are_counted)
{
    page_line(out, "é", "%s %s", "éééééééééééééééééééééééééééééééééééééééééééééééééééééééééééé",
              "1234567");
    expect("é           éééééééééééééééééééééééééééééééééééééééééééééééééééééééééééé 1234567\n");
}
END_TEST

START_TEST(bytes_are_escaped)
{
    page_line(out, "", "a\033[31m\xff %s", "\n");
    page_whole(out, (struct text){"X: a\tb" W70 " " W70, 6 + 141});
    expect(TWELVE "a\\x1b[31m\\xff \\x0a\nX: a\\x09b" W70 " " W70 "\n");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("explain_page");
    TCase *cases = tcase_create("explain_page");
    tcase_add_checked_fixture(cases, set_up, tear_down);
    tcase_add_test(cases, labels);
    tcase_add_test(cases, lines_are_broken_at_spaces);
    tcase_add_test(cases, characters_are_counted);
    tcase_add_test(cases, bytes_are_escaped);
    suite_add_tcase(suite, cases);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
