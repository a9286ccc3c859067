/* Tests of src/doctor/switches.c: the command line of zcserve doctor. */
#include "doctor/switches.h"

#include "doctor/doctor.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct doctor_switches switches;
static int code;

/* Reads a command line whose words are separated by one blank each; NULL: none. */
static bool reads(const char *line)
{
    static char words[256];
    char *argv[16] = {words}, *rest = words;
    int argc = 1;
    snprintf(words, sizeof(words), "doctor%s%s", line ? " " : "", line ? line : "");
    strsep(&rest, " ");
    while (rest)
        argv[argc++] = strsep(&rest, " ");
    code = -1;
    return doctor_switches_read(argc, argv, &switches, &code);
}

START_TEST(all_of_them)
{
    ck_assert(reads("-c a.conf"));
    ck_assert_str_eq(switches.wanted.file, "a.conf");
    ck_assert_ptr_null(switches.wanted.root);
    ck_assert_uint_eq(switches.wanted.entries_max, 100000);
    ck_assert_double_eq(switches.wanted.seconds_max, 10);
    ck_assert(!switches.json && !switches.verbose);
    ck_assert(reads("site --json -v -u www-data --files=0 --seconds 3"));
    ck_assert_str_eq(switches.wanted.root, "site");
    ck_assert_str_eq(switches.wanted.user, "www-data");
    ck_assert(switches.json && switches.verbose);
    ck_assert_uint_eq(switches.wanted.entries_max, 0);
    ck_assert_double_eq(switches.wanted.seconds_max, 3);
    ck_assert(reads("--config=a.conf --pid=4711 site"));
    ck_assert_str_eq(switches.wanted.file, "a.conf");
    ck_assert_str_eq(switches.wanted.root, "site");
    ck_assert_int_eq(switches.wanted.pid, 4711);
}
END_TEST

START_TEST(mistakes)
{
    static const char *const wrong[] = {
        NULL,
        "-c",
        "a b",
        "",
        "-Z a",
        "--no a",
        "--pid 0 a",
        "--pid x a",
        "--pid -1 a",
        "--files a",
        "--files -1 a",
        "--pid 99999999999 a",
        "--seconds 1.5 a",
        "--json=x a",
        "--pid=1 -u root a",
        "--json",
    };
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        ck_assert_msg(!reads(wrong[i]), "%s", wrong[i]);
        ck_assert_int_eq(code, DOCTOR_USAGE);
    }
}
END_TEST

START_TEST(help)
{
    ck_assert(!reads("-h"));
    ck_assert_int_eq(code, DOCTOR_WELL);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("switches");
    TCase *tcase = tcase_create("switches");
    tcase_add_test(tcase, all_of_them);
    tcase_add_test(tcase, mistakes);
    tcase_add_test(tcase, help);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
