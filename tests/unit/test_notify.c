/* Tests of src/process/notify.c with a socket such as a service manager has. */
#define _GNU_SOURCE
#include "zcserve/notify.h"
#include "zcserve/now.h"

#include <check.h>
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

static int manager;
static char name[108];
static char message[4096];
static struct notify notify;

/* Opens the manager's socket; '@' stands for the NUL of an abstract name. */
static void manager_open(char first)
{
    struct sockaddr_un un = {.sun_family = AF_UNIX};
    snprintf(name, sizeof(name), "%ctmp/zcserve-notify-%d", first, (int)getpid());
    size_t length = strlen(name);
    memcpy(un.sun_path, name, length);
    if (first == '@') un.sun_path[0] = '\0';
    length += offsetof(struct sockaddr_un, sun_path);
    manager = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    ck_assert_int_eq(bind(manager, (struct sockaddr *)&un, (socklen_t)length), 0);
    setenv("NOTIFY_SOCKET", name, 1);
}

static void set_up(void)
{
    manager = -1;
    name[0] = '\0';
    unsetenv("NOTIFY_SOCKET");
    unsetenv("WATCHDOG_USEC");
    unsetenv("WATCHDOG_PID");
}

static void tear_down(void)
{
    if (manager >= 0) close(manager);
    if (name[0] == '/') unlink(name);
}

/* Returns the next message; empty when there is none. */
static const char *received(void)
{
    ssize_t length = recv(manager, message, sizeof(message) - 1, 0);
    message[length > 0 ? length : 0] = '\0';
    return message;
}

START_TEST(sends_nothing_without_a_manager)
{
    ck_assert_int_eq(notify_open(&notify), 0);
    ck_assert_uint_eq(notify.length, 0);
    notify_send(&notify, "READY=1");
    notify_reloading(&notify, 1);
    ck_assert_uint_eq(notify_beat(&notify, 1), UINT64_MAX);
    setenv("NOTIFY_SOCKET", "", 1);
    ck_assert_int_eq(notify_open(&notify), 0);
}
END_TEST

START_TEST(sends_to_a_path_and_to_an_abstract_name)
{
    manager_open("/@"[_i]);
    ck_assert_int_eq(notify_open(&notify), 0);
    notify_send(&notify, "MAINPID=%d\nSTATUS=%s", 4711, "serving");
    ck_assert_str_eq(received(), "MAINPID=4711\nSTATUS=serving");
    notify_reloading(&notify, 5 * NS_PER_SECOND + 1999);
    ck_assert_str_eq(received(), "RELOADING=1\nMONOTONIC_USEC=5000001");
    ck_assert_str_eq(received(), "");
}
END_TEST

START_TEST(cuts_a_long_message)
{
    static char text[5000];
    manager_open('/');
    memset(text, 'x', sizeof(text) - 1);
    ck_assert_int_eq(notify_open(&notify), 0);
    notify_send(&notify, "STATUS=%s", text);
    ck_assert_uint_eq(strlen(received()), 1023);
}
END_TEST

START_TEST(refuses_wrong_names)
{
    static const char *const wrong[] = {"relative", "@", "/", "vsock:2:1"};
    char longer[200];
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        setenv("NOTIFY_SOCKET", wrong[i], 1);
        ck_assert_int_eq(notify_open(&notify), -EINVAL);
        ck_assert_uint_eq(notify.length, 0);
    }
    memset(longer, '/', sizeof(longer));
    longer[sizeof(longer) - 1] = '\0';
    setenv("NOTIFY_SOCKET", longer, 1);
    ck_assert_int_eq(notify_open(&notify), -EINVAL);
}
END_TEST

START_TEST(beats_twice_in_the_time)
{
    manager_open('/');
    setenv("WATCHDOG_USEC", "3000000", 1);
    ck_assert_int_eq(notify_open(&notify), 0);
    uint64_t first = notify_beat(&notify, 10 * NS_PER_SECOND);
    ck_assert_uint_eq(first, 11500 * NS_PER_MS);
    ck_assert_str_eq(received(), "WATCHDOG=1");
    ck_assert_uint_eq(notify_beat(&notify, first - 1), first);
    ck_assert_str_eq(received(), "");
    ck_assert_uint_eq(notify_beat(&notify, first), first + 1500 * NS_PER_MS);
    ck_assert_str_eq(received(), "WATCHDOG=1");
}
END_TEST

static const struct {
    const char *usec, *pid; /* NULL: not set */
    bool beats;
} variables[] = {{NULL, NULL, false},
                 {"1000", NULL, true},
                 {"1000", "1", false},
                 {"-1", NULL, false},
                 {"1s", NULL, false},
                 {"", NULL, false},
                 {"0", NULL, false},
                 {"99999999999999999999999", NULL, false},
                 {"18446744073709551615", NULL, false}};

START_TEST(reads_the_time_of_the_watchdog)
{
    manager_open('/');
    if (variables[_i].usec) setenv("WATCHDOG_USEC", variables[_i].usec, 1);
    if (variables[_i].pid) setenv("WATCHDOG_PID", variables[_i].pid, 1);
    ck_assert_int_eq(notify_open(&notify), 0);
    ck_assert_int_eq(notify_beat(&notify, 1) != UINT64_MAX, variables[_i].beats);
}
END_TEST

/* A manager that takes nothing costs a second at most, and the message. */
START_TEST(does_not_wait_for_ever)
{
    manager_open('/');
    ck_assert_int_eq(notify_open(&notify), 0);
    uint64_t began_ns = now_monotonic_ns();
    for (int i = 0; i < 1000 && now_monotonic_ns() - began_ns < NS_PER_SECOND / 2; i++)
        notify_send(&notify, "STATUS=%d", i);
    ck_assert_uint_lt(now_monotonic_ns() - began_ns, 10 * NS_PER_SECOND);
    ck_assert_str_eq(received(), "STATUS=0");
    close(manager);
    manager = -1;
    notify_send(&notify, "STATUS=nobody is there");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("notify");
    TCase *cases = tcase_create("notify");
    tcase_add_checked_fixture(cases, set_up, tear_down);
    tcase_set_timeout(cases, 30);
    tcase_add_test(cases, sends_nothing_without_a_manager);
    tcase_add_loop_test(cases, sends_to_a_path_and_to_an_abstract_name, 0, 2);
    tcase_add_test(cases, cuts_a_long_message);
    tcase_add_test(cases, refuses_wrong_names);
    tcase_add_test(cases, beats_twice_in_the_time);
    tcase_add_loop_test(cases, reads_the_time_of_the_watchdog, 0,
                        (int)(sizeof(variables) / sizeof(variables[0])));
    tcase_add_test(cases, does_not_wait_for_ever);
    suite_add_tcase(suite, cases);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
