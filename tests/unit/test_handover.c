/* Descriptors are handed to several processes, and a later one replaces an earlier one. */
#include "base/handover.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static struct handover handover;

static void set_up(void)
{
    ck_assert_int_eq(handover_open(&handover), 0);
}

static void tear_down(void)
{
    handover_close(&handover);
    handover_close(&handover); /* nothing is closed twice */
}

/* Gives the reading end of a new pipe that has this byte. */
static void give(char byte)
{
    int ends[2];
    ck_assert_int_eq(pipe(ends), 0);
    ck_assert_int_eq(write(ends[1], &byte, 1), 1);
    ck_assert_int_eq(handover_give(&handover, ends[0]), 0);
    close(ends[0]);
    close(ends[1]);
}

START_TEST(nothing_was_given)
{
    ck_assert_int_eq(handover_take(&handover), -EAGAIN);
}
END_TEST

START_TEST(every_process_takes_the_same)
{
    give('a');
    for (int i = 0; i < 3; i++) {
        pid_t pid = fork();
        if (pid == 0) {
            char byte = 0;
            int fd = handover_take(&handover);
            _exit(
                fd >= 0 && (fcntl(fd, F_GETFD) & FD_CLOEXEC) &&
                        (i == 0 ? read(fd, &byte, 1) == 1 && byte == 'a' : read(fd, &byte, 1) == 0)
                    ? 0
                    : 1);
        }
        int status = -1;
        ck_assert_int_eq(waitpid(pid, &status, 0), pid);
        ck_assert_int_eq(status, 0);
    }
}
END_TEST

START_TEST(the_last_one_counts)
{
    char byte = 0;
    give('a');
    give('b');
    int fd = handover_take(&handover);
    ck_assert_int_eq(read(fd, &byte, 1), 1);
    ck_assert_int_eq(byte, 'b');
    close(fd);
}
END_TEST

/* What waits in the socket is no descriptor of this process: thousands leave nothing behind. */
START_TEST(nothing_is_left)
{
    int before = dup(0);
    close(before);
    for (int i = 0; i < 1000; i++)
        give('c');
    int after = dup(0);
    close(after);
    ck_assert_int_eq(after, before);
}
END_TEST

static Suite *suite(void)
{
    Suite *all = suite_create("handover");
    TCase *tcase = tcase_create("handover");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, nothing_was_given);
    tcase_add_test(tcase, every_process_takes_the_same);
    tcase_add_test(tcase, the_last_one_counts);
    tcase_add_test(tcase, nothing_is_left);
    suite_add_tcase(all, tcase);
    return all;
}

int main(void)
{
    SRunner *runner = srunner_create(suite());
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
