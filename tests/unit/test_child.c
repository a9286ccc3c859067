/* Tests of src/tool/child.c: exit codes, both outputs, the end of a long output, and signals. */
#include "tool/child.h"

#include <check.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct child shell(const char *script)
{
    char *command[] = {(char[]){"sh"}, (char[]){"-c"}, strdup(script), NULL};
    struct child child;
    int nowhere = open("/dev/null", O_WRONLY);
    ck_assert_int_ge(nowhere, 0);
    ck_assert_int_eq(child_run(command, nowhere, &child), 0);
    close(nowhere);
    free(command[2]);
    return child;
}

START_TEST(codes)
{
    static const struct {
        const char *script;
        int code;
    } rows[] = {{"true", 0}, {"exit 3", 3}, {"exit 255", 255}, {"kill -9 $$", 128 + SIGKILL}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct child child = shell(rows[i].script);
        ck_assert_int_eq(child.code, rows[i].code);
        child_free(&child);
    }
    char *command[] = {(char[]){"/nonexistent/program"}, NULL};
    struct child child;
    ck_assert_int_eq(child_run(command, STDOUT_FILENO, &child), 0);
    ck_assert_int_eq(child.code, 127);
    child_free(&child);
}
END_TEST

START_TEST(both_outputs_are_kept)
{
    struct child child = shell("echo one; echo two 2>&1; sleep 0.1; echo three");
    ck_assert_str_eq(child.output, "one\ntwo\nthree\n");
    ck_assert_double_ge(child.seconds, 0.1);
    child_free(&child);
}
END_TEST

START_TEST(passed_on_as_it_is)
{
    int ends[2];
    char *command[] = {(char[]){"printf"}, (char[]){"a\\0b"}, NULL}, read_back[8] = "";
    struct child child;
    ck_assert_int_eq(pipe(ends), 0);
    ck_assert_int_eq(child_run(command, ends[1], &child), 0);
    ck_assert_int_eq(read(ends[0], read_back, sizeof(read_back)), 3);
    ck_assert_int_eq(memcmp(read_back, "a\0b", 3), 0);
    ck_assert_uint_eq(child.length, 3);
    child_free(&child);
    close(ends[0]);
    close(ends[1]);
}
END_TEST

/* Of an output of 3 MB, at least the last quarter of a MiB is kept. */
START_TEST(the_end_of_a_long_output)
{
    struct child child = shell("head -c 3000000 /dev/zero | tr '\\0' x; echo the end");
    ck_assert_int_eq(child.code, 0);
    ck_assert_uint_ge(child.length, CHILD_KEPT_MAX);
    ck_assert_uint_le(child.length, 2 * CHILD_KEPT_MAX);
    ck_assert_str_eq(child.output + child.length - 9, "xthe end\n");
    child_free(&child);
}
END_TEST

/* The reader of our output leaves: the command runs to its end, and in it SIGPIPE acts as usual. */
START_TEST(nobody_reads)
{
    int ends[2];
    char *command[] = {(char[]){"sh"}, (char[]){"-c"},
                       (char[]){"echo a; sleep 0.1; echo b; yes | head -n 1; exit 4"}, NULL};
    struct child child;
    ck_assert_int_eq(pipe(ends), 0);
    close(ends[0]);
    ck_assert_int_eq(child_run(command, ends[1], &child), 0);
    ck_assert_int_eq(child.code, 4);
    ck_assert_str_eq(child.output, "a\nb\ny\n");
    child_free(&child);
    close(ends[1]);
}
END_TEST

/* The signal is sent only to this process, which passes it on to the child and survives. */
START_TEST(a_signal_is_passed_on)
{
    struct child child = shell("trap 'echo told; exit 7' INT; kill -INT $PPID; sleep 3 & wait");
    ck_assert_int_eq(child.code, 7);
    ck_assert_str_eq(child.output, "told\n");
    child_free(&child);
}
END_TEST

START_TEST(cpu_is_counted)
{
    struct child child = shell("i=0; while [ $i -lt 100000 ]; do i=$((i+1)); done");
    ck_assert_double_gt(child.user_seconds + child.system_seconds, 0.005);
    ck_assert_double_le(child.user_seconds + child.system_seconds, child.seconds + 0.05);
    child_free(&child);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("child");
    TCase *cases = tcase_create("child");
    tcase_add_test(cases, codes);
    tcase_add_test(cases, both_outputs_are_kept);
    tcase_add_test(cases, passed_on_as_it_is);
    tcase_add_test(cases, the_end_of_a_long_output);
    tcase_add_test(cases, nobody_reads);
    tcase_add_test(cases, a_signal_is_passed_on);
    tcase_add_test(cases, cpu_is_counted);
    suite_add_tcase(suite, cases);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
