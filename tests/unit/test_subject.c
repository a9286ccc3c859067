/* Tests of src/doctor/subject.c: limits and rights of a process as a made-up /proc tells, and users. */
#include "doctor/subject.h"

#include "made_up.h"

#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char status[] =
    "Name:\tzcserve:w0\nUmask:\t0022\nUid:\t0\t4242\t0\t0\nGid:\t0\t4343\t0\t0\n"
    "Groups:\t4343 4 27 \nCapEff:\t0000000000000400\n";
static const char limits[] =
    "Limit                     Soft Limit           Hard Limit           Units     \n"
    "Max open files            1024                 524288               files     \n"
    "Max locked memory         8388608              unlimited            bytes     \n";

static struct subject subject;

static void set_up(void)
{
    made_up_open();
    subject = (struct subject){.directory = "/proc/812"};
}

START_TEST(a_process)
{
    made_up_file("/proc/812/status", status);
    made_up_file("/proc/812/limits", limits);
    ck_assert_int_eq(subject_read(&subject, made_up_tree()), 0);
    ck_assert_uint_eq(subject.user, 4242);
    ck_assert_uint_eq(subject.group, 4343);
    ck_assert_str_eq(subject.name, "4242");
    ck_assert_uint_eq(subject.group_count, 3);
    ck_assert_uint_eq(subject.groups[2], 27);
    ck_assert_uint_eq(subject.capabilities, 0x400);
    ck_assert_uint_eq(subject.files.soft, 1024);
    ck_assert_uint_eq(subject.files.hard, 524288);
    ck_assert_uint_eq(subject.locked.soft, 8388608);
    ck_assert_uint_eq(subject.locked.hard, SUBJECT_UNLIMITED);
}
END_TEST

START_TEST(no_process)
{
    ck_assert_int_eq(subject_read(&subject, made_up_tree()), -ENOENT);
    made_up_file("/proc/812/status", status);
    ck_assert_int_eq(subject_read(&subject, made_up_tree()), -ENOENT);
    made_up_file("/proc/812/limits", "Max open files            1024\n");
    ck_assert_int_eq(subject_read(&subject, made_up_tree()), -ENOENT);
}
END_TEST

START_TEST(this_process)
{
    strcpy(subject.directory, "/proc/self");
    ck_assert_int_eq(subject_read(&subject, ""), 0);
    ck_assert_uint_eq(subject.user, geteuid());
    ck_assert_uint_eq(subject.group, getegid());
    ck_assert_uint_gt(subject.files.hard, 0);
    ck_assert_int_eq(subject_become(&subject), 0); /* it is this user already */
}
END_TEST

START_TEST(users)
{
    ck_assert_int_eq(subject_find(&subject, "root"), 0);
    ck_assert_uint_eq(subject.user, 0);
    ck_assert_str_eq(subject.name, "root");
    ck_assert_int_eq(subject_find(&subject, "0"), 0);
    ck_assert_str_eq(subject.name, "root");
    ck_assert_int_eq(subject_find(&subject, "61999"), 0); /* nobody has this number */
    ck_assert_uint_eq(subject.user, 61999);
    ck_assert_uint_eq(subject.group, 61999);
    ck_assert_uint_eq(subject.group_count, 0);
    ck_assert_int_eq(subject_find(&subject, ""), -1);
    ck_assert_int_eq(subject_find(&subject, "no such user"), -1);
    ck_assert_int_eq(subject_find(&subject, "-1"), -1);
    ck_assert_int_eq(subject_find(&subject, "4294967295"), -1);
}
END_TEST

/* Each test is a process of its own, which nothing follows. */
START_TEST(becoming)
{
    ck_assert_int_eq(subject_find(&subject, "61999"), 0);
    if (geteuid() != 0) {
        ck_assert_int_eq(subject_become(&subject), -EPERM);
        return;
    }
    ck_assert_int_eq(subject_become(&subject), 0);
    ck_assert_uint_eq(geteuid(), 61999);
    ck_assert_uint_eq(getegid(), 61999);
    ck_assert_int_eq(getgroups(0, NULL), 0);
    ck_assert_int_eq(setuid(0), -1);
    strcpy(subject.directory, "/proc/self");
    ck_assert_int_eq(subject_read(&subject, ""), 0);
    ck_assert_uint_eq(subject.user, 61999);
    ck_assert_uint_eq(subject.capabilities, 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("subject");
    TCase *tcase = tcase_create("processes"), *others = tcase_create("users");
    tcase_add_checked_fixture(tcase, set_up, made_up_close);
    tcase_add_test(tcase, a_process);
    tcase_add_test(tcase, no_process);
    tcase_add_test(others, this_process);
    tcase_add_test(others, users);
    tcase_add_test(others, becoming);
    suite_add_tcase(suite, tcase);
    suite_add_tcase(suite, others);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
