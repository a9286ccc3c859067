/*
 * The root, when its path leads to another directory: the root or a directory on the way to it is
 * removed and made again, as every clean build does, or replaced. The next request sees this, even
 * when nothing is compared for an hour, and even when somebody (the store itself, a shell) keeps
 * the old directory open, so that the kernel does not report its removal.
 */
#define _GNU_SOURCE
#include "tree.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char tree[] =
    "umask 022; mkdir -p up/on/site other empty; printf one > up/on/site/a.txt;"
    "printf uno > other/a.txt; ln -s up/on/site link; ln -s up by; ln -s link far";

#define BUILD "mkdir -p up/on/site; printf two > up/on/site/a.txt"
#define NEW "nope.txt" /* it is remembered as absent before it appears */

static const struct {
    const char *name, *root, *script, *path, *before, *after;
} rows[] = {
    {"made again", "up/on/site", "rm -rf up/on/site; " BUILD, "a.txt", "one", "two"},
    {"removed", "up/on/site", "rm -rf up/on/site", "a.txt", "one", "<not found>"},
    {"made again, empty", "up/on/site", "rm -rf up/on/site; mkdir up/on/site", "a.txt", "one",
     "<not found>"},
    {"made again, with what was not there", "up/on/site",
     "rm -rf up/on/site; mkdir up/on/site; printf new > up/on/site/" NEW, NEW, "<not found>",
     "new"},
    {"empty one made again", "empty", "rmdir empty; mkdir empty; printf new > empty/" NEW, NEW,
     "<not found>", "new"},
    {"empty one replaced", "empty", "mv -T other empty", "a.txt", "<not found>", "uno"},
    {"made again beside it, then renamed", "up/on/site",
     "mkdir new; printf two > new/a.txt; rm -rf up/on/site; mv new up/on/site", "a.txt", "one",
     "two"},
    {"exchanged for a link", "up/on/site", "rm -rf up/on/site; ln -s ../../other up/on/site",
     "a.txt", "one", "uno"},
    {"directory above made again", "up/on/site", "rm -rf up/on; " BUILD, "a.txt", "one", "two"},
    {"all above made again", "up/on/site", "rm -rf up; " BUILD, "a.txt", "one", "two"},
    {"directory above renamed, then made again", "up/on/site", "mv up x; " BUILD, "a.txt", "one",
     "two"},
    {"through a link: made again", "link", "rm -rf up/on/site; " BUILD, "a.txt", "one", "two"},
    {"through a link: above made again", "link", "rm -rf up; " BUILD, "a.txt", "one", "two"},
    {"through a link: link made again", "link", "rm link; ln -s other link", "a.txt", "one", "uno"},
    {"through two links: made again", "far", "rm -rf up/on/site; " BUILD, "a.txt", "one", "two"},
    {"through two links: becomes a directory", "far",
     "rm link; mkdir link; printf two > link/a.txt", "a.txt", "one", "two"},
    {"behind a link: made again", "by/on/site", "rm -rf up/on/site; " BUILD, "a.txt", "one", "two"},
    {"behind a link: above made again", "by/on/site", "rm -rf up/on; " BUILD, "a.txt", "one",
     "two"},
    {"behind a link: link leads elsewhere", "by/on/site",
     "rm by; mkdir -p by/on/site; printf two > by/on/site/a.txt", "a.txt", "one", "two"},
    {"named with dots: made again", "up/./on/../on/site", "rm -rf up/on/site; " BUILD, "a.txt",
     "one", "two"},
    {"named with dots: above made again", "up/on/../../up/on/site", "rm -rf up; " BUILD, "a.txt",
     "one", "two"},
    {"nothing happens", "up/on/site", ":", "a.txt", "one", "one"},
    {"others come and go above", "up/on/site",
     "mkdir up/x up/on/x; touch up/y up/on/y; rm -r up/x up/y up/on/x up/on/y", "a.txt", "one",
     "one"},
};

/* Whether the store watches, and whether somebody holds the directories of the path open. */
static const struct {
    uint32_t watches_max;
    bool held;
} manners[] = {{1000, false}, {1000, true}, {0, false}};

#define LENGTH(array) ((int)(sizeof(array) / sizeof((array)[0])))

static void hold(int held[3])
{
    static const char *const paths[3] = {"up", "up/on", "up/on/site"};
    for (int i = 0; i < 3; i++) {
        held[i] = open(paths[i], O_PATH | O_DIRECTORY | O_CLOEXEC);
        ck_assert_int_ge(held[i], 0);
    }
}

static struct store *open_for(int row, int manner)
{
    struct store_options options = tree_options();
    tree_site.root = rows[row].root;
    options.watches_max = manners[manner].watches_max;
    return tree_open(&options);
}

START_TEST(seen_by_the_next_request)
{
    int row = _i % LENGTH(rows), manner = _i / LENGTH(rows), held[3];
    tree_make(tree);
    if (manners[manner].held) hold(held);
    tree_age();
    struct store *store = open_for(row, manner);
    ck_assert_str_eq(tree_ask(store, rows[row].path, ACCEPT_IDENTITY), rows[row].before);
    ck_assert_str_eq(tree_ask(store, rows[row].path, ACCEPT_IDENTITY), rows[row].before);
    tree_run(rows[row].script);
    const char *got = tree_ask(store, rows[row].path, ACCEPT_IDENTITY);
    ck_assert_msg(strcmp(got, rows[row].after) == 0, "%s: %s", rows[row].name, got);
    /* What happens afterwards is seen, too. */
    tree_run("rm -rf up link by far empty; " BUILD "; ln -s up/on/site link; ln -s up by;"
             "ln -s link far; mkdir empty; printf three > empty/nope.txt");
    tree_run("printf three > up/on/site/a.txt; printf three > up/on/site/nope.txt; printf three > "
             "empty/a.txt");
    got = tree_ask(store, rows[row].path, ACCEPT_IDENTITY);
    ck_assert_msg(strcmp(got, "three") == 0, "%s, again: %s", rows[row].name, got);
    store_close(store);
    tree_remove();
}
END_TEST

/* Requests come in between. While there is no root nothing is found, and each one looks for it. */
START_TEST(asked_all_along)
{
    tree_make(tree);
    struct store *store = open_for(0, _i);
    for (int round = 0; round < 5; round++) {
        tree_run("rm -rf up");
        ck_assert_str_eq(tree_ask(store, "a.txt", ACCEPT_IDENTITY), "<not found>");
        tree_run("mkdir -p up/on");
        ck_assert_str_eq(tree_ask(store, "a.txt", ACCEPT_IDENTITY), "<not found>");
        tree_run("mkdir up/on/site");
        ck_assert_str_eq(tree_ask(store, "a.txt", ACCEPT_IDENTITY), "<not found>");
        tree_run(BUILD);
        ck_assert_str_eq(tree_ask(store, "a.txt", ACCEPT_IDENTITY), "two");
    }
    store_close(store);
    tree_remove();
}
END_TEST

/* Changes beside the directories of the path remove no entry. */
START_TEST(neighbours_are_no_concern)
{
    tree_make(tree);
    tree_age();
    struct store *store = open_for(0, 0);
    for (int i = 0; i < 20; i++) {
        ck_assert_str_eq(tree_ask(store, "a.txt", ACCEPT_IDENTITY), "one");
        tree_run(
            "mkdir up/x x; touch up/y y; mv up/y up/z; mv y z; mv up/x up/w; rm -r up/w up/z x z");
    }
    ck_assert_uint_eq(store_counts(store)->misses, 1);
    ck_assert_uint_eq(store_counts(store)->hits, 19);
    store_close(store);
    tree_remove();
}
END_TEST

static const char *const losses[] = {"rm -rf up/on/site", "rm -rf up", "mv up x",
                                     "rm -rf up/on/site; touch up/on/site", "chmod 0 up"};

/* To watch a missing root again would be reported as a change, so a loop would never rest. */
START_TEST(gone_it_costs_no_work)
{
    tree_make(tree);
    struct store_options options = tree_options();
    struct now now;
    tree_site.root = "up/on/site";
    options.recheck_ns = 3600 * NS_PER_SECOND;
    struct store *store = tree_open(&options);
    ck_assert_str_eq(tree_ask(store, "a.txt", ACCEPT_IDENTITY), "one");
    tree_run(losses[_i]);
    for (int i = 0; i < 3; i++) {
        now_read(&now);
        store_refresh(store, &now);
        tree_ask(store, "a.txt", ACCEPT_IDENTITY);
    }
    now_read(&now);
    store_refresh(store, &now);
    struct pollfd fd = {.fd = store_watch_fd(store), .events = POLLIN};
    ck_assert_int_eq(poll(&fd, 1, 0), 0);
    store_close(store);
    tree_run("[ ! -d up ] || chmod 755 up");
    tree_remove();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("root");
    TCase *cases = tcase_create("root");
    tcase_set_timeout(cases, 60);
    tcase_add_loop_test(cases, seen_by_the_next_request, 0, LENGTH(rows) * LENGTH(manners));
    tcase_add_loop_test(cases, asked_all_along, 0, LENGTH(manners));
    tcase_add_test(cases, neighbours_are_no_concern);
    tcase_add_loop_test(cases, gone_it_costs_no_work, 0, LENGTH(losses));
    suite_add_tcase(suite, cases);
    SRunner *runner = srunner_create(suite);
    srunner_set_fork_status(runner, CK_NOFORK); /* no test leaves anything behind */
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
