/* Tests of conf/expand/help.c: what programs print for -h, taken apart. */
#define _GNU_SOURCE
#include "../../conf/expand/help.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char directory[] = "/tmp/expand-XXXXXX";
static char program[64];
static struct help help;

static void set_up(void)
{
    memcpy(directory + sizeof(directory) - 7, "XXXXXX", 6);
    ck_assert_ptr_nonnull(mkdtemp(directory));
    snprintf(program, sizeof(program), "%s/program", directory);
}

static void tear_down(void)
{
    unlink(program);
    rmdir(directory);
}

/* Makes the program print `text`, whatever its arguments are, and end with `code`. Reads its help. */
static int help_from(const char *text, int code)
{
    FILE *out = fopen(program, "w");
    ck_assert_ptr_nonnull(out);
    fprintf(out, "#!/bin/sh\ncat <<'END'\n%sEND\nexit %d\n", text, code);
    ck_assert_int_eq(fclose(out), 0);
    ck_assert_int_eq(chmod(program, 0755), 0);
    return help_of(directory, "program word", &help);
}

static void expect(size_t i, enum help_kind kind, const char *left, const char *right)
{
    ck_assert_uint_lt(i, help.count);
    ck_assert_int_eq(help.part[i].kind, kind);
    ck_assert_str_eq(help.part[i].left, left);
    ck_assert_str_eq(help.part[i].right, right);
}

START_TEST(every_kind_of_part)
{
    ck_assert_int_eq(help_from("It serves\nfiles.\n\n"
                               "usage: it [DIR]\n"
                               "       it top|report …   see it\n"
                               "                         (or not)\n\n"
                               "  -c, --config FILE   read\n"
                               "                      this\n"
                               "      --once          one\n\n"
                               "examples:\n"
                               "  it -c here\n\n"
                               "exit codes: 0; 1 it\nfailed\n"
                               "environment: none\n",
                               0),
                     0);
    expect(0, HELP_TEXT, "", "It serves files.");
    expect(1, HELP_USAGE, "it [DIR]", "");
    expect(2, HELP_USAGE, "it top|report …", "see it (or not)");
    expect(3, HELP_ROW, "-c, --config FILE", "read this");
    expect(4, HELP_ROW, "--once", "one");
    expect(5, HELP_TITLE, "", "examples");
    expect(6, HELP_ROW, "it -c here", "");
    expect(7, HELP_TEXT, "", "exit codes: 0; 1 it failed");
    expect(8, HELP_TEXT, "", "environment: none");
    ck_assert_uint_eq(help.count, 9);
}
END_TEST

START_TEST(tools_are_the_usages_in_small_letters)
{
    char names[HELP_LEFT_MAX];
    ck_assert_int_eq(help_from("usage: it [DIR]\n"
                               "       it top|report …   see\n"
                               "       it reload …       again\n",
                               0),
                     0);
    help_tools(&help, names);
    ck_assert_str_eq(names, "top report reload");
    ck_assert_int_eq(help_from("usage: it -c FILE\n", 0), 0);
    help_tools(&help, names);
    ck_assert_str_eq(names, "");
}
END_TEST

START_TEST(a_program_that_fails_is_refused)
{
    ck_assert_int_eq(help_from("usage: it\n", 1), -1);
    ck_assert_int_eq(help_from("", 0), -1);
    ck_assert_int_eq(help_of(directory, "absent", &help), -1);
}
END_TEST

START_TEST(texts_that_are_too_large_are_refused)
{
    static char text[HELP_PARTS_MAX * 8 + 4096];
    memset(text, 'a', HELP_RIGHT_MAX - 2);
    strcpy(text + HELP_RIGHT_MAX - 2, "\n");
    ck_assert_int_eq(help_from(text, 0), 0);
    strcpy(text + HELP_RIGHT_MAX - 2, "aa\n");
    ck_assert_int_eq(help_from(text, 0), -1);
    memset(text, 'a', HELP_LEFT_MAX + 2);
    memcpy(text, "  ", 2);
    strcpy(text + HELP_LEFT_MAX + 2, "  b\n");
    ck_assert_int_eq(help_from(text, 0), -1);
    text[0] = '\0';
    for (int i = 0; i < HELP_PARTS_MAX; i++)
        strcat(text, "  a  b\n");
    ck_assert_int_eq(help_from(text, 0), 0);
    strcat(text, "  a  b\n");
    ck_assert_int_eq(help_from(text, 0), -1);
}
END_TEST

static int read_switch(const char *left, struct help_switch *out)
{
    struct help_part part = {.kind = HELP_ROW};
    snprintf(part.left, sizeof(part.left), "%s", left);
    return help_switch_read(&part, out);
}

START_TEST(switches)
{
    struct help_switch one;
    ck_assert_int_eq(read_switch("-c, --config FILE", &one), 0);
    ck_assert_str_eq(one.letter, "-c");
    ck_assert_str_eq(one.word, "--config");
    ck_assert_str_eq(one.argument, "FILE");
    ck_assert_int_eq(read_switch("--once", &one), 0);
    ck_assert_str_eq(one.letter, "");
    ck_assert_str_eq(one.word, "--once");
    ck_assert_str_eq(one.argument, "");
    ck_assert_int_eq(read_switch("-V", &one), 0);
    ck_assert_str_eq(one.letter, "-V");
    ck_assert_str_eq(one.word, "");
    ck_assert_int_eq(read_switch("-c FILE", &one), 0);
    ck_assert_str_eq(one.word, "");
    ck_assert_str_eq(one.argument, "FILE");
    ck_assert_int_eq(read_switch("-c, --config[=FILE]", &one), 0);
    ck_assert_str_eq(one.word, "--config");
    ck_assert_str_eq(one.argument, "[=FILE]");
    ck_assert_int_eq(read_switch("--config[=FILE] more", &one), -1);
    ck_assert_int_eq(read_switch("zcserve -c", &one), -1);
    ck_assert_int_eq(read_switch("--one TWO THREE", &one), -1);
    ck_assert_int_eq(read_switch("--a-word-that-is-much-too-long-for-it", &one), -1);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("expand_help");
    TCase *cases = tcase_create("expand_help");
    tcase_add_checked_fixture(cases, set_up, tear_down);
    tcase_add_test(cases, every_kind_of_part);
    tcase_add_test(cases, tools_are_the_usages_in_small_letters);
    tcase_add_test(cases, a_program_that_fails_is_refused);
    tcase_add_test(cases, texts_that_are_too_large_are_refused);
    tcase_add_test(cases, switches);
    suite_add_tcase(suite, cases);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
