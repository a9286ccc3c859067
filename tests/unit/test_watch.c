/*
 * Watching: when it is possible and when not, what the operator is told, and that the numbers of
 * watches are used again.
 */
#define _GNU_SOURCE
#include "store/chain.h"
#include "store/watch.h"

#include "tree.h"

#include <check.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <unistd.h>

static struct store_options options;

static void setup(void)
{
    tree_make("mkdir release1; ln -s release1 current; cd release1; mkdir -p a/b/c d;"
              "printf one > a/b/c/x; printf two > d/x; printf out > ../out");
    options = tree_options();
    tree_age();
}

START_TEST(tells_when_watches_run_out)
{
    options.watches_max = (uint32_t)_i;
    struct store *store = tree_open(&options);
    for (int i = 0; i < 3; i++) {
        ck_assert_str_eq(tree_ask(store, "a/b/c/x", ACCEPT_IDENTITY), "one");
        ck_assert_str_eq(tree_ask(store, "d/x", ACCEPT_IDENTITY), "two");
    }
    ck_assert_uint_le(store_counts(store)->watches, options.watches_max);
    const char *notice = store_notice(store);
    bool ran_out = notice != NULL && strstr(notice, "watches ran out") != NULL;
    ck_assert_int_eq(ran_out, _i > 0 && _i < 10);
    ck_assert_ptr_null(store_notice(store));
    store_close(store);
    tree_remove();
}
END_TEST

START_TEST(no_inotify_instance)
{
    struct rlimit limit, none;
    getrlimit(RLIMIT_NOFILE, &limit);
    int lowest = dup(0);
    close(lowest);
    none = limit;
    none.rlim_cur = (rlim_t)lowest;
    setrlimit(RLIMIT_NOFILE, &none);
    struct store_counts counts = {0};
    struct notices notices = {0};
    struct watch *watch = calloc(1, sizeof(*watch));
    watch_open(watch, &options, &counts, &notices);
    setrlimit(RLIMIT_NOFILE, &limit);
    ck_assert_int_eq(watch->notifier.fd, -1);
    ck_assert_ptr_nonnull(strstr(notices_next(&notices), "max_user_instances"));
    struct change change;
    ck_assert(!watch_next(watch, &change));
    struct chain chain = {0};
    ck_assert(!chain_watch(&chain, &watch->notifier, 0, "/"));
    watch_close(watch);
    free(watch);
    tree_remove();
}
END_TEST

START_TEST(descriptor_becomes_readable)
{
    struct store *store = tree_open(&options);
    struct pollfd poller = {.fd = store_watch_fd(store), .events = POLLIN};
    tree_ask(store, "d/x", ACCEPT_IDENTITY);
    ck_assert_int_eq(poll(&poller, 1, 0), 0);
    tree_run("printf new > current/d/x");
    ck_assert_int_eq(poll(&poller, 1, 0), 1);
    tree_ask(store, "d/x", ACCEPT_IDENTITY);
    ck_assert_int_eq(poll(&poller, 1, 0), 0);
    store_close(store);
    tree_remove();
}
END_TEST

/* Without memory for directories only the path of the root is watched, and reports nothing. */
START_TEST(no_memory_for_directories)
{
    options.memory_bytes_max = 0;
    struct store *store = tree_open(&options);
    struct pollfd poller = {.fd = store_watch_fd(store), .events = POLLIN};
    uint64_t watches = store_counts(store)->watches;
    for (int i = 0; i < 3; i++) {
        ck_assert_str_eq(tree_ask(store, "d/x", ACCEPT_IDENTITY), "t*3");
        ck_assert_int_eq(poll(&poller, 1, 0), 0);
        ck_assert_uint_eq(store_counts(store)->watches, watches);
    }
    tree_run("mv release1 gone");
    ck_assert_str_eq(tree_ask(store, "d/x", ACCEPT_IDENTITY), "<not found>");
    store_close(store);
    tree_remove();
}
END_TEST

START_TEST(watches_come_back)
{
    struct store *store = tree_open(&options);
    tree_ask(store, "d/x", ACCEPT_IDENTITY);
    uint64_t watches = store_counts(store)->watches, bytes = store_counts(store)->bytes;
    for (int i = 0; i < 20; i++) {
        ck_assert_str_eq(tree_ask(store, "a/b/c/x", ACCEPT_IDENTITY), "one");
        ck_assert_uint_eq(store_counts(store)->watches, watches + 3);
        tree_run("mv current/a away");
        ck_assert_str_eq(tree_ask(store, "a/b/c/x", ACCEPT_IDENTITY), "<not found>");
        ck_assert_uint_eq(store_counts(store)->watches, watches);
        ck_assert_uint_eq(store_counts(store)->bytes, bytes);
        tree_run("mv away current/a");
        tree_run("ln -sfn release1 current"); /* so that all is watched again */
        ck_assert_str_eq(tree_ask(store, "d/x", ACCEPT_IDENTITY), "two");
    }
    store_close(store);
    tree_remove();
}
END_TEST

/* A directory that replaces another one is watched itself, also when the old one comes back. */
START_TEST(replaced_directory_is_watched)
{
    struct store *store = tree_open(&options);
    ck_assert_str_eq(tree_ask(store, "a/b/c/x", ACCEPT_IDENTITY), "one");
    tree_run("mv current/a away; mkdir -p current/a/b/c; printf new > current/a/b/c/x");
    ck_assert_str_eq(tree_ask(store, "a/b/c/x", ACCEPT_IDENTITY), "new");
    tree_run("printf newer > current/a/b/c/x");
    ck_assert_str_eq(tree_ask(store, "a/b/c/x", ACCEPT_IDENTITY), "newer");
    tree_run("rm -r current/a; mv away current/a");
    ck_assert_str_eq(tree_ask(store, "a/b/c/x", ACCEPT_IDENTITY), "one");
    tree_run("printf last > current/a/b/c/x");
    ck_assert_str_eq(tree_ask(store, "a/b/c/x", ACCEPT_IDENTITY), "last");
    store_close(store);
    tree_remove();
}
END_TEST

/* A busy directory that nobody requested costs nothing, and one beside a cached file no hit. */
START_TEST(other_names_do_not_disturb)
{
    struct store *store = tree_open(&options);
    tree_ask(store, "a/b/c/x", ACCEPT_IDENTITY);
    tree_run("for i in 1 2 3; do printf log >> current/a/b/c/log; mkdir current/a/b/c/$i; done");
    tree_ask(store, "a/b/c/x", ACCEPT_IDENTITY);
    ck_assert_uint_eq(store_counts(store)->hits, 1);
    ck_assert_uint_eq(store_counts(store)->invalidations, 0);
    store_close(store);
    tree_remove();
}
END_TEST

static bool private_mounts(void)
{
    return unshare(CLONE_NEWNS) == 0 && mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0;
}

/* A file is mounted over a name. Its changes are reported elsewhere, so it is compared. */
START_TEST(mounted_file)
{
    if (private_mounts()) {
        ck_assert_int_eq(mount("out", "release1/d/x", NULL, MS_BIND, NULL), 0);
        tree_settle();
        struct store *store = tree_open(&options);
        ck_assert_str_eq(tree_ask(store, "d/x", ACCEPT_IDENTITY), "out");
        tree_run("printf new > out");
        ck_assert_str_eq(tree_ask(store, "d/x", ACCEPT_IDENTITY), "new");
        store_close(store);
        ck_assert_int_eq(umount("release1/d/x"), 0);
    }
    tree_remove();
}
END_TEST

/* A directory with two names has one watch; both names stay right. */
START_TEST(mounted_twice)
{
    if (private_mounts()) {
        ck_assert_int_eq(mount("release1/d", "release1/a", NULL, MS_BIND, NULL), 0);
        tree_settle();
        struct store *store = tree_open(&options);
        ck_assert_str_eq(tree_ask(store, "d/x", ACCEPT_IDENTITY), "two");
        ck_assert_str_eq(tree_ask(store, "a/x", ACCEPT_IDENTITY), "two");
        tree_run("printf new > current/d/x");
        ck_assert_str_eq(tree_ask(store, "a/x", ACCEPT_IDENTITY), "new");
        ck_assert_str_eq(tree_ask(store, "d/x", ACCEPT_IDENTITY), "new");
        tree_run("printf old > current/a/x");
        ck_assert_str_eq(tree_ask(store, "d/x", ACCEPT_IDENTITY), "old");
        ck_assert_str_eq(tree_ask(store, "a/x", ACCEPT_IDENTITY), "old");
        store_close(store);
        ck_assert_int_eq(umount("release1/a"), 0);
    }
    tree_remove();
}
END_TEST

/* Without /proc no watch can be set: files are compared, and a notice is raised. */
/* Watches are set by the working directory then, which is "/" afterwards. */
START_TEST(no_proc)
{
    if (private_mounts()) {
        int here = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
        ck_assert_int_eq(mount("none", "/proc", "tmpfs", 0, NULL), 0);
        tree_settle();
        struct store *store = tree_open(&options);
        ck_assert_str_eq(tree_ask(store, "d/x", ACCEPT_IDENTITY), "two");
        ck_assert_str_eq(tree_ask(store, "d/x", ACCEPT_IDENTITY), "two");
        ck_assert_uint_eq(store_counts(store)->hits, 1);
        ck_assert_int_eq(access("proc", F_OK), 0);
        ck_assert_int_eq(fchdir(here), 0);
        tree_run("printf new > current/d/x");
        ck_assert_str_eq(tree_ask(store, "d/x", ACCEPT_IDENTITY), "new");
        ck_assert_uint_eq(store_counts(store)->rechecks, 0);
        ck_assert_ptr_null(store_notice(store));
        store_close(store);
        close(here);
        ck_assert_int_eq(umount("/proc"), 0);
    }
    tree_remove();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("watch");
    TCase *cases = tcase_create("watch");
    tcase_add_checked_fixture(cases, setup, NULL);
    tcase_set_timeout(cases, 60);
    tcase_add_loop_test(cases, tells_when_watches_run_out, 0, 12);
    tcase_add_test(cases, no_inotify_instance);
    tcase_add_test(cases, descriptor_becomes_readable);
    tcase_add_test(cases, no_memory_for_directories);
    tcase_add_test(cases, watches_come_back);
    tcase_add_test(cases, replaced_directory_is_watched);
    tcase_add_test(cases, other_names_do_not_disturb);
    tcase_add_test(cases, mounted_file);
    tcase_add_test(cases, mounted_twice);
    tcase_add_test(cases, no_proc);
    suite_add_tcase(suite, cases);
    SRunner *runner = srunner_create(suite);
    srunner_set_fork_status(runner, CK_NOFORK); /* no test leaves anything behind */
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
