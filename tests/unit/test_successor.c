/*
 * Tests of src/process/successor.c: when a successor is started, and what follows from what becomes
 * of it. The successor is a real process, because it may be killed; the time is made up.
 */
#define _GNU_SOURCE
#include "process/successor.h"

#include <check.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define BEGAN_NS (1000 * NS_PER_SECOND)

static struct supervision s;
static struct supervise_options options;
static int upgrades, failures, released;
static bool refuses, serves;
static pid_t child;
static char why_failed[128];

static pid_t on_upgrade(const void *of)
{
    (void)of;
    upgrades++;
    if (refuses) return 0;
    child = fork();
    while (child == 0)
        pause();
    return child;
}

static bool on_succeeded(const void *of)
{
    (void)of;
    return serves;
}

static void on_failed(const void *of, const char *why)
{
    (void)of;
    failures++;
    snprintf(why_failed, sizeof(why_failed), "%s", why);
}

static void on_release(const void *of)
{
    (void)of;
    released++;
}

static void set_up(void)
{
    upgrades = failures = released = 0;
    refuses = serves = false;
    child = 0;
    why_failed[0] = '\0';
    options = (struct supervise_options){.upgrade = on_upgrade,
                                         .succeeded = on_succeeded,
                                         .upgrade_failed = on_failed,
                                         .release = on_release};
    s = (struct supervision){.options = &options};
}

/* The successor is killed, by the test or by the supervisor. */
static int end_of_child(void)
{
    int status;
    kill(child, SIGKILL);
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    return status;
}

static bool is_killed(void)
{
    for (int i = 0; i < 10000; i++) {
        if (waitpid(child, NULL, WNOHANG) == child) return true;
        usleep(1000);
    }
    return false;
}

START_TEST(does_nothing_unasked)
{
    ck_assert_uint_eq(successor_take_turn(&s, BEGAN_NS), NEVER);
    ck_assert_int_eq(upgrades, 0);
    options.upgrade = NULL;
    successor_ask(&s);
    ck_assert_uint_eq(successor_take_turn(&s, BEGAN_NS), NEVER);
}
END_TEST

START_TEST(drains_when_it_serves)
{
    successor_ask(&s);
    ck_assert_uint_eq(successor_take_turn(&s, BEGAN_NS), BEGAN_NS + LOOK_NS);
    successor_ask(&s); /* one at a time */
    successor_take_turn(&s, BEGAN_NS + NS_PER_SECOND);
    ck_assert_int_eq(upgrades, 1);
    ck_assert_int_eq(s.stage, SERVING);
    serves = true;
    ck_assert_uint_eq(successor_take_turn(&s, BEGAN_NS + 2 * NS_PER_SECOND), NEVER);
    ck_assert_int_eq(s.stage, DRAINING);
    ck_assert_int_eq(released, 1);
    ck_assert_int_eq(failures, 0);
    ck_assert_int_eq(waitpid(child, NULL, WNOHANG), 0); /* it lives on */
    end_of_child();
}
END_TEST

START_TEST(goes_on_when_it_ends)
{
    successor_ask(&s);
    successor_take_turn(&s, BEGAN_NS);
    successor_take_end(&s, end_of_child());
    ck_assert_str_eq(why_failed, "was killed by signal 9 (Killed)");
    ck_assert_uint_eq(successor_take_turn(&s, BEGAN_NS), NEVER);
    ck_assert_int_eq(s.stage, SERVING);
    successor_ask(&s);
    successor_take_turn(&s, BEGAN_NS);
    ck_assert_int_eq(upgrades, 2);
    successor_take_end(&s, 78 << 8); /* as waitpid(2) tells of exit code 78 */
    ck_assert_str_eq(why_failed, "ended with code 78 before it served");
    ck_assert_int_eq(failures, 2);
    end_of_child();
}
END_TEST

START_TEST(is_not_over_when_it_is_stopped)
{
    successor_ask(&s);
    successor_take_turn(&s, BEGAN_NS);
    successor_take_end(&s, SIGSTOP << 8 | 0x7f);
    successor_take_end(&s, 0xffff); /* it goes on */
    ck_assert_int_eq(failures, 0);
    ck_assert_int_eq(s.successor, child);
    end_of_child();
}
END_TEST

START_TEST(can_be_asked_again_when_there_is_none)
{
    refuses = true;
    successor_ask(&s);
    ck_assert_uint_eq(successor_take_turn(&s, BEGAN_NS), NEVER);
    ck_assert_uint_eq(successor_take_turn(&s, BEGAN_NS), NEVER);
    ck_assert_int_eq(upgrades, 1);
    successor_ask(&s);
    successor_take_turn(&s, BEGAN_NS);
    ck_assert_int_eq(upgrades, 2);
}
END_TEST

START_TEST(has_a_limited_time)
{
    successor_ask(&s);
    successor_take_turn(&s, BEGAN_NS);
    successor_take_turn(&s, BEGAN_NS + START_NS - 1);
    ck_assert_int_eq(failures, 0);
    ck_assert_uint_eq(successor_take_turn(&s, BEGAN_NS + START_NS), NEVER);
    ck_assert_str_eq(why_failed, "did not serve in time");
    ck_assert_int_eq(s.stage, SERVING);
    ck_assert(is_killed());
}
END_TEST

START_TEST(waits_for_a_reload)
{
    s.next_until_ns = BEGAN_NS + START_NS;
    successor_ask(&s);
    successor_take_turn(&s, BEGAN_NS);
    ck_assert_int_eq(upgrades, 0);
    s.next_until_ns = 0;
    successor_take_turn(&s, BEGAN_NS);
    ck_assert_int_eq(upgrades, 1);
    end_of_child();
}
END_TEST

START_TEST(is_killed_by_a_stop)
{
    successor_give_up(&s); /* there is none */
    successor_ask(&s);
    successor_give_up(&s); /* it is not started any more */
    successor_take_turn(&s, BEGAN_NS);
    ck_assert_int_eq(upgrades, 0);
    successor_ask(&s);
    successor_take_turn(&s, BEGAN_NS);
    successor_give_up(&s);
    ck_assert_int_eq(failures, 1);
    ck_assert(is_killed());
    s.stage = DRAINING;
    successor_ask(&s);
    ck_assert_uint_eq(successor_take_turn(&s, BEGAN_NS), NEVER);
    ck_assert_int_eq(upgrades, 1);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("successor");
    TCase *cases = tcase_create("successor");
    tcase_add_checked_fixture(cases, set_up, NULL);
    tcase_set_timeout(cases, 30);
    tcase_add_test(cases, does_nothing_unasked);
    tcase_add_test(cases, drains_when_it_serves);
    tcase_add_test(cases, goes_on_when_it_ends);
    tcase_add_test(cases, is_not_over_when_it_is_stopped);
    tcase_add_test(cases, can_be_asked_again_when_there_is_none);
    tcase_add_test(cases, has_a_limited_time);
    tcase_add_test(cases, waits_for_a_reload);
    tcase_add_test(cases, is_killed_by_a_stop);
    suite_add_tcase(suite, cases);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
