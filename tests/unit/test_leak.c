/*
 * That the sanitizer finds what is not freed, where tests run in processes of their own and where one process
 * runs them all: without that, the silence of the other programs would say nothing.
 */
#include "skip.h"

#include <check.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static void *volatile lost;

START_TEST(takes_and_loses)
{
    lost = malloc(77);
    if (_i == 0) free(lost);
    lost = NULL;
}
END_TEST

/* Runs that test as a program of tests does, and returns the program's exit code. */
static int program_run(int which, enum fork_status fork_status)
{
    pid_t child = fork();
    if (child == 0) {
        dup2(open("/dev/null", O_WRONLY), STDERR_FILENO);
        Suite *suite = suite_create("leaks");
        TCase *cases = tcase_create("leaks");
        tcase_add_loop_test(cases, takes_and_loses, which, which + 1);
        suite_add_tcase(suite, cases);
        SRunner *runner = srunner_create(suite);
        srunner_set_fork_status(runner, fork_status);
        srunner_run_all(runner, CK_SILENT);
        int failed = srunner_ntests_failed(runner);
        srunner_free(runner);
        exit(failed == 0 ? 0 : 1);
    }
    int status = 0;
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert(WIFEXITED(status));
    return WEXITSTATUS(status);
}

START_TEST(what_is_lost_is_found)
{
#ifdef __SANITIZE_ADDRESS__
    enum fork_status status = _i == 0 ? CK_FORK : CK_NOFORK;
    ck_assert_int_eq(program_run(0, status), 0);
    ck_assert_int_ne(program_run(1, status), 0);
#else
    (void)program_run;
    SKIP_IF(true, "this build has no sanitizer that finds leaks");
#endif
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("leak");
    TCase *cases = tcase_create("leak");
    tcase_set_timeout(cases, 60);
    tcase_add_loop_test(cases, what_is_lost_is_found, 0, 2);
    suite_add_tcase(suite, cases);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
