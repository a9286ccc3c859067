/*
 * Wishes of the supervisor: which of several is the strongest, in any order.
 */
#include "zcserve/log.h"
#include "zcserve/signals.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static int fd;

static void set_up(void)
{
    sigset_t blocked;
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGTERM);
    sigaddset(&blocked, SIGUSR1);
    sigaddset(&blocked, SIGUSR2);
    sigprocmask(SIG_BLOCK, &blocked, NULL);
    fd = signals_open();
    ck_assert_int_ge(fd, 0);
}

static void tear_down(void)
{
    close(fd);
}

static bool is_readable(void)
{
    struct pollfd poll_fd = {.fd = fd, .events = POLLIN};
    return poll(&poll_fd, 1, 0) == 1;
}

static const struct {
    int signal[4];
    enum wish wish;
} cases[] = {
    {{0}, WISH_NONE},
    {{SIGTERM}, WISH_DRAIN},
    {{SIGTERM, SIGTERM}, WISH_DRAIN},
    {{SIGUSR2}, WISH_STOP},
    {{SIGTERM, SIGUSR2}, WISH_STOP},
    {{SIGUSR2, SIGTERM}, WISH_STOP},
    {{SIGUSR1}, WISH_NONE},
    {{SIGUSR1, SIGTERM}, WISH_DRAIN},
    {{SIGTERM, SIGUSR1}, WISH_DRAIN},
    {{SIGUSR1, SIGUSR2, SIGTERM}, WISH_STOP},
    {{SIGTERM, SIGUSR2, SIGUSR1}, WISH_STOP},
    {{SIGURG}, WISH_LOOK},
    {{SIGURG, SIGUSR1}, WISH_LOOK},
    {{SIGTERM, SIGURG}, WISH_DRAIN},
    {{SIGURG, SIGUSR2}, WISH_STOP},
};
#define CASES (int)(sizeof(cases) / sizeof(cases[0]))

START_TEST(strongest_wish)
{
    ck_assert(!is_readable());
    for (int i = 0; cases[_i].signal[i] != 0; i++)
        ck_assert_int_eq(raise(cases[_i].signal[i]), 0);
    ck_assert(is_readable() == (cases[_i].signal[0] != 0));
    ck_assert_int_eq(signals_take(fd), cases[_i].wish);
    ck_assert(!is_readable());
    ck_assert_int_eq(signals_take(fd), WISH_NONE);
}
END_TEST

START_TEST(one_after_another)
{
    raise(SIGTERM);
    ck_assert_int_eq(signals_take(fd), WISH_DRAIN);
    raise(SIGTERM);
    ck_assert_int_eq(signals_take(fd), WISH_DRAIN);
    raise(SIGUSR2);
    ck_assert_int_eq(signals_take(fd), WISH_STOP);
}
END_TEST

START_TEST(log_is_opened_anew)
{
    char path[] = "/tmp/zcserve-signals-XXXXXX";
    struct stat status;
    close(mkstemp(path));
    ck_assert_int_eq(log_open(path, LOG_NOTICE), 0);
    unlink(path);
    ck_assert_int_eq(stat(path, &status), -1);
    ck_assert_int_eq(log_reopen(), 0); /* as the supervisor does */
    ck_assert_int_eq(unlink(path), 0);
    raise(SIGUSR1);
    ck_assert_int_eq(signals_take(fd), WISH_NONE); /* it opens nothing itself */
    ck_assert_int_eq(stat(path, &status), -1);
}
END_TEST

/* The descriptor does not wait in read(), and is closed in other programs. */
START_TEST(descriptor_never_waits)
{
    ck_assert(fcntl(fd, F_GETFL) & O_NONBLOCK);
    ck_assert(fcntl(fd, F_GETFD) & FD_CLOEXEC);
}
END_TEST

START_TEST(no_descriptor_left)
{
    struct rlimit before, limit;
    getrlimit(RLIMIT_NOFILE, &before);
    limit = (struct rlimit){.rlim_cur = (rlim_t)fd, .rlim_max = before.rlim_max};
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
    ck_assert_int_eq(signals_open(), -EMFILE);
    setrlimit(RLIMIT_NOFILE, &before);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("signals");
    TCase *tcase = tcase_create("signals");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_loop_test(tcase, strongest_wish, 0, CASES);
    tcase_add_test(tcase, one_after_another);
    tcase_add_test(tcase, log_is_opened_anew);
    tcase_add_test(tcase, descriptor_never_waits);
    tcase_add_test(tcase, no_descriptor_left);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
