/*
 * Opening and closing a store: roots of every form, and the message when there is no root.
 */
#define _GNU_SOURCE
#include "forbid.h"
#include "tree.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef SYS_cachestat
#define SYS_cachestat 451 /* the same on all architectures */
#endif

static struct store_options options;

static void setup(void)
{
    tree_make("mkdir release1; ln -s release1 current; mkdir current/a; printf one > current/a/x;"
              "ln -s current/../release1 crooked; ln -s loop loop");
    options = tree_options();
}

START_TEST(root_is_missing)
{
    char problem[256] = "";
    tree_site.root = "nowhere";
    ck_assert_ptr_null(store_open(&options, problem, sizeof(problem)));
    ck_assert_int_eq(errno, ENOENT);
    ck_assert_str_eq(problem, "nowhere: No such file or directory");
    tree_site.root = "current/a/x";
    ck_assert_ptr_null(store_open(&options, problem, sizeof(problem)));
    ck_assert_str_eq(problem, "current/a/x: Not a directory");
    tree_site.root = "loop";
    ck_assert_ptr_null(store_open(&options, problem, sizeof(problem)));
    ck_assert_int_eq(errno, ELOOP);
}
END_TEST

START_TEST(roots_of_every_form)
{
    static const char *const roots[] = {"current",     "./current", "current/",
                                        "current//",   "crooked",   "release1/../current/.",
                                        "current/a/.."};
    for (size_t i = 0; i < sizeof(roots) / sizeof(roots[0]); i++) {
        tree_site.root = roots[i];
        struct store *store = tree_open(&options);
        ck_assert_str_eq(tree_ask(store, "a/x", ACCEPT_IDENTITY), "one");
        tree_run("mv release1 gone");
        ck_assert_str_eq(tree_ask(store, "a/x", ACCEPT_IDENTITY), "<not found>");
        tree_run("mv gone release1");
        ck_assert_str_eq(tree_ask(store, "a/x", ACCEPT_IDENTITY), "one");
        store_close(store);
    }
}
END_TEST

/* Each directory or link on the way is moved, deleted or replaced, and the store sees it. */
START_TEST(every_part_of_the_way)
{
    static const struct {
        const char *script, *answer;
    } moves[] = {
        {":", "one"},
        {"mv way x", "<not found>"},
        {"mv up x", "<not found>"},
        {"mv up/down x", "<not found>"},
        {"mv up/down/site x", "<not found>"},
        {"rm way/link", "<not found>"},
        {"rm up/second", "<not found>"},
        {"mv up x; mkdir -p up/down/site; ln -s down up/second; echo 1 > up/down/site/f", "1\n"},
        {"ln -sfn ../other up/second", "two"},
        {"ln -sfn ../other/site way/link", "two"},
    };
    tree_run("mkdir -p way up/down/site other/site; ln -s ../up/second/site way/link;"
             "ln -s down up/second; printf one > up/down/site/f; printf two > other/site/f");
    tree_site.root = "way/link";
    struct store *store = tree_open(&options);
    ck_assert_str_eq(tree_ask(store, "f", ACCEPT_IDENTITY), "one");
    /* A link that somebody holds open still exists after it was replaced. */
    int held[] = {open("way/link", O_PATH | O_NOFOLLOW), open("up/second", O_PATH | O_NOFOLLOW)};
    tree_run(moves[_i].script);
    ck_assert_str_eq(tree_ask(store, "f", ACCEPT_IDENTITY), moves[_i].answer);
    close(held[0]);
    close(held[1]);
    store_close(store);
}
END_TEST

/* The working directory may change after the store was opened. */
START_TEST(relative_root_stays)
{
    struct store *store = tree_open(&options);
    ck_assert_int_eq(chdir("release1"), 0);
    tree_run("ln -s . current; mkdir -p current/a");
    ck_assert_str_eq(tree_ask(store, "a/x", ACCEPT_IDENTITY), "one");
    tree_run("rm ../current; ln -s a ../release1/b; ln -s release1/a ../current");
    ck_assert_str_eq(tree_ask(store, "x", ACCEPT_IDENTITY), "one");
    store_close(store);
}
END_TEST

START_TEST(the_file_system_as_root)
{
    tree_site.root = "/";
    struct store *store = tree_open(&options);
    char path[256], here[128];
    ck_assert_ptr_nonnull(getcwd(here, sizeof(here)));
    snprintf(path, sizeof(path), "%s/release1/a/x", here + 1);
    ck_assert_str_eq(tree_ask(store, path, ACCEPT_IDENTITY), "one");
    ck_assert_str_eq(tree_ask(store, path, ACCEPT_IDENTITY), "one");
    ck_assert_str_eq(tree_ask(store, "proc/self/fd/0", ACCEPT_IDENTITY), "<forbidden>");
    store_close(store);
}
END_TEST

START_TEST(counts_begin_and_end_at_nothing)
{
    struct store *store = tree_open(&options);
    const struct store_counts *counts = store_counts(store);
    ck_assert_uint_eq(counts->hits + counts->misses + counts->entries + counts->descriptors, 0);
    ck_assert_uint_gt(counts->bytes, sizeof(struct store_counts));
    store_close(store);
    store_close(NULL);
}
END_TEST

/* A sandbox forbids a call: the message or notice names the call. */
static const struct {
    long number;
    int error;
    const char *told; /* in the message when opening fails, or else in a notice */
    bool opens;
} forbidden[] = {
    {SYS_statx, EPERM, "current: statx: Operation not permitted", false},
    {SYS_statx, EACCES, "current: statx: Permission denied", false},
    {SYS_statx, ENOSYS, NULL, true}, /* the C library uses another call */
    {SYS_openat2, EPERM, "openat2 is missing or forbidden", true},
    {SYS_openat2, ENOSYS, "openat2 is missing or forbidden", true},
    {SYS_openat2, EACCES, "openat2 is missing or forbidden", true},
    {SYS_inotify_init1, EPERM, "inotify_init1 is missing or forbidden", true},
    {SYS_inotify_init1, ENOSYS, "inotify_init1 is missing or forbidden", true},
    {SYS_inotify_init1, EMFILE, "max_user_instances", true},
    {SYS_inotify_add_watch, EPERM, "inotify_add_watch is missing or forbidden", true},
    {SYS_inotify_add_watch, ENOSYS, "inotify_add_watch is missing or forbidden", true},
    {SYS_faccessat2, EPERM, NULL, true},
    {SYS_cachestat, EPERM, NULL, true},
    {SYS_preadv2, EPERM, NULL, true},
};

START_TEST(forbidden_calls_are_named)
{
    char problem[256] = "";
    ck_assert_int_eq(forbid_call(forbidden[_i].number, forbidden[_i].error), 0);
    struct store *store = store_open(&options, problem, sizeof(problem));
    ck_assert_msg((store != NULL) == forbidden[_i].opens, "%s", problem);
    const char *told = problem;
    if (store != NULL) {
        ck_assert_str_eq(tree_ask(store, "a/x", ACCEPT_IDENTITY), "one");
        ck_assert_str_eq(tree_ask(store, "a", ACCEPT_IDENTITY), "<directory>");
        told = store_notice(store);
        ck_assert_ptr_null(store_notice(store));
    }
    if (forbidden[_i].told == NULL) {
        ck_assert_ptr_null(told);
    } else {
        ck_assert_ptr_nonnull(told);
        ck_assert_msg(strstr(told, forbidden[_i].told) != NULL, "%s", told);
        bool by_whom = strstr(told, "seccomp") != NULL || forbidden[_i].error == EMFILE;
        ck_assert_msg(by_whom, "%s", told);
    }
    store_close(store);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("store");
    TCase *cases = tcase_create("store");
    tcase_add_checked_fixture(cases, setup, tree_remove);
    tcase_add_test(cases, root_is_missing);
    tcase_add_loop_test(cases, forbidden_calls_are_named, 0,
                        (int)(sizeof(forbidden) / sizeof(forbidden[0])));
    tcase_add_test(cases, roots_of_every_form);
    tcase_add_loop_test(cases, every_part_of_the_way, 0, 10);
    tcase_add_test(cases, relative_root_stays);
    tcase_add_test(cases, the_file_system_as_root);
    tcase_add_test(cases, counts_begin_and_end_at_nothing);
    suite_add_tcase(suite, cases);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
