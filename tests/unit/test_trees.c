/*
 * Several trees in one store: the same path in two trees never has the answer of the other one,
 * whatever is cached, absent, waited for, watched or deployed. Roots may be the same, or lie inside
 * each other, and each change is seen in all trees that have it.
 */
#define _GNU_SOURCE
#include "tree.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TREES 64

static struct tree_options trees[TREES];
static struct store_options options;

static void setup(void)
{
    tree_make("umask 022; mkdir one two two/in; printf one > one/a; printf two > two/a;"
              "printf sub > two/in/a; printf only > two/b; ln -s one current; ln -s two other");
    options = tree_options();
    options.tree = trees;
    tree_age();
}

/* A store whose trees have these roots and otherwise the same options. */
static struct store *open_with(const char *const *roots, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        trees[i] = tree_site;
        trees[i].root = roots[i];
    }
    options.trees = count;
    return tree_open(&options);
}

static struct lookup lookup_of(uint16_t tree, const char *path)
{
    return (struct lookup){.path = {path, strlen(path)}, .accepted = ACCEPT_IDENTITY, .tree = tree};
}

static const char *ask(struct store *store, uint16_t tree, const char *path)
{
    struct lookup lookup = lookup_of(tree, path);
    struct now now = tree_now();
    store_refresh(store, &now);
    struct resolution resolution = store_resolve(store, &lookup, MAY_WAIT, &now);
    const char *text = tree_describe(resolution);
    if (resolution.representation) store_return(store, resolution.representation);
    return text;
}

static void expect(struct store *store, const char *path, const char *first, const char *second)
{
    for (int i = 0; i < 2; i++) { /* from the disk, then from memory */
        ck_assert_str_eq(ask(store, 0, path), first);
        ck_assert_str_eq(ask(store, 1, path), second);
    }
}

static void end(struct store *store)
{
    store_close(store);
    tree_remove();
}

START_TEST(same_path_of_two_roots)
{
    if (_i == 1) options.watches_max = 0;
    struct store *store = open_with((const char *[]){"one", "two"}, 2);
    expect(store, "a", "one", "two");
    expect(store, "b", "<not found>", "only");
    expect(store, "in/", "<not found>", "<forbidden>");
    ck_assert_uint_gt(store_counts(store)->hits, _i == 0 ? 3 : 1);
    tree_run("printf new > two/a; printf here > one/b; rm two/b");
    expect(store, "a", "one", "new");
    expect(store, "b", "here", "<not found>");
    end(store);
}
END_TEST

START_TEST(change_in_one_tree_leaves_the_other_in_memory)
{
    struct store *store = open_with((const char *[]){"one", "two"}, 2);
    expect(store, "a", "one", "two");
    uint64_t misses = store_counts(store)->misses;
    tree_run("printf new > two/a");
    expect(store, "a", "one", "new");
    ck_assert_uint_eq(store_counts(store)->misses, misses + 1);
    end(store);
}
END_TEST

/* Their options differ, and so do the answers. */
START_TEST(same_root_twice)
{
    tree_run(
        "printf dot > one/.dot; mkdir one/d; printf deep > one/d/x; printf index > one/d/x.html");
    struct store *store = open_with((const char *[]){"one", "one"}, 2);
    trees[1].hidden = true;
    trees[1].index = (const char *const[]){"x.html", NULL};
    expect(store, ".dot", "<not found>", "dot");
    expect(store, "d/", "<forbidden>", "index");
    expect(store, "d/x", "deep", "deep");
    tree_run("printf new > one/d/x");
    expect(store, "d/x", "new", "new");
    tree_run("mv one/d one/e");
    expect(store, "d/x", "<not found>", "<not found>");
    expect(store, "e/x", "new", "new");
    tree_run("printf last > one/e/x");
    expect(store, "e/x", "last", "last");
    end(store);
}
END_TEST

START_TEST(root_inside_another_root)
{
    struct store *store = open_with((const char *[]){"two", "two/in"}, 2);
    expect(store, "in/a", "sub", "<not found>");
    expect(store, "a", "two", "sub");
    tree_run("printf new > two/in/a");
    expect(store, "in/a", "new", "<not found>");
    expect(store, "a", "two", "new");
    tree_run("mv two/in two/out; mkdir two/in; printf second > two/in/a");
    expect(store, "in/a", "second", "<not found>");
    expect(store, "a", "two", "second");
    expect(store, "out/a", "new", "<not found>");
    tree_run("printf third > two/in/a; printf too > two/out/a");
    expect(store, "in/a", "third", "<not found>");
    expect(store, "a", "two", "third");
    expect(store, "out/a", "too", "<not found>");
    end(store);
}
END_TEST

/* A deploy changes a link, or renames directories: only the tree of this root is another one. */
START_TEST(deploy_of_one_tree)
{
    static const char *const scripts[] = {
        "mkdir r; printf rel > r/a; ln -s r new; mv -T new current",
        "mkdir r; printf rel > r/a; mv one old; mv r one",
    };
    struct store *store = open_with((const char *[]){"current", "other"}, 2);
    expect(store, "a", "one", "two");
    expect(store, "b", "<not found>", "only");
    uint64_t misses = store_counts(store)->misses;
    tree_run(scripts[_i]);
    expect(store, "a", "rel", "two");
    expect(store, "b", "<not found>", "only");
    ck_assert_uint_eq(store_counts(store)->misses, misses + 2);
    tree_run("printf new > two/a; printf later > current/a");
    expect(store, "a", "later", "new");
    end(store);
}
END_TEST

START_TEST(missing_root_concerns_its_own_tree)
{
    struct store *store = open_with((const char *[]){"one", "two"}, 2);
    expect(store, "a", "one", "two");
    tree_run("mv one gone");
    expect(store, "a", "<not found>", "two");
    ck_assert_ptr_null(store_errand(store, &(struct lookup){.path = TEXT("a")}));
    tree_run("printf new > two/a");
    expect(store, "a", "<not found>", "new");
    tree_run("mv gone one");
    expect(store, "a", "one", "new");
    end(store);
}
END_TEST

/* A worker that starts while a deploy has one root away serves the others. */
START_TEST(root_that_is_missing_at_first)
{
    struct store *store = open_with((const char *[]){"late", "two"}, 2);
    expect(store, "a", "<not found>", "two");
    tree_run("mkdir late; printf late > late/a");
    expect(store, "a", "late", "two");
    tree_run("printf later > late/a");
    expect(store, "a", "later", "two");
    end(store);
}
END_TEST

START_TEST(no_root_at_all)
{
    char problem[256] = "", name[5000];
    memset(name, 'x', sizeof(name) - 1);
    name[sizeof(name) - 1] = '\0';
    const char *const roots[] = {"nowhere", name};
    for (int i = 0; i < 2; i++) {
        trees[i] = tree_site;
        trees[i].root = roots[i];
    }
    options.trees = 2;
    ck_assert_ptr_null(store_open(&options, problem, sizeof(problem)));
    ck_assert_str_eq(problem, "nowhere: No such file or directory");
    trees[0].root = "one"; /* a name that is too long is a root that is not there, either */
    struct store *store = tree_open(&options);
    expect(store, "a", "one", "<not found>");
    end(store);
}
END_TEST

static bool same_errand(struct store *store, struct lookup a, struct lookup b)
{
    struct errand *first = store_errand(store, &a), *second = store_errand(store, &b);
    ck_assert(first && second);
    bool same = text_equals(errand_key(first), errand_key(second));
    errand_free(first);
    errand_free(second);
    return same;
}

START_TEST(errands_of_trees_are_not_the_same)
{
    struct store *store = open_with((const char *[]){"one", "one"}, 2);
    ck_assert(same_errand(store, lookup_of(0, "a"), lookup_of(0, "a")));
    ck_assert(!same_errand(store, lookup_of(0, "a"), lookup_of(1, "a")));
    ck_assert(!same_errand(store, lookup_of(0, "a"), lookup_of(0, "b")));
    ck_assert(same_errand(store, lookup_of(1, ""), lookup_of(1, "")));
    ck_assert(!same_errand(store, lookup_of(0, ""), lookup_of(1, "")));
    struct errand *range = store_errand_range(0, 0, 1);
    ck_assert_ptr_null(errand_key(range).base);
    errand_free(range);
    end(store);
}
END_TEST

/* The events of a whole queue are lost: all trees begin again. */
START_TEST(lost_changes)
{
    struct store *store = open_with((const char *[]){"one", "two"}, 2);
    expect(store, "a", "one", "two");
    tree_run("max=$(cat /proc/sys/fs/inotify/max_queued_events); i=0;"
             "seq -f %.0f $((max / 2 + 100)) | (cd one; xargs touch; printf new > a);"
             "printf too > two/a");
    expect(store, "a", "new", "too");
    ck_assert_uint_eq(store_counts(store)->watch_overflows, 1);
    tree_run("printf last > two/a");
    expect(store, "a", "new", "last");
    end(store);
}
END_TEST

/* Many trees share all limits. Where watches run out, files are compared instead. */
START_TEST(many_trees)
{
    static const uint32_t watches[] = {4000, 100, 0};
    char roots[TREES][16], text[16];
    const char *names[TREES];
    tree_run("for i in $(seq 0 63); do mkdir t$i t$i/d; printf $i > t$i/d/a; done");
    for (int i = 0; i < TREES; i++) {
        snprintf(roots[i], sizeof(roots[i]), "t%d", i);
        names[i] = roots[i];
    }
    options.watches_max = watches[_i];
    options.memory_bytes_max = 512 << 10;
    struct store *store = open_with(names, TREES);
    for (int round = 0; round < 4; round++) {
        for (int i = 0; i < TREES; i++) {
            snprintf(text, sizeof(text), round < 2 ? "%d" : "new%d", i);
            ck_assert_str_eq(ask(store, (uint16_t)i, "d/a"), text);
            ck_assert_str_eq(ask(store, (uint16_t)i, "nope"), "<not found>");
        }
        ck_assert_uint_le(store_counts(store)->watches, options.watches_max);
        ck_assert_uint_le(store_counts(store)->bytes, options.memory_bytes_max);
        if (round == 1) tree_run("for i in $(seq 0 63); do printf new$i > t$i/d/a; done");
    }
    end(store);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("trees");
    TCase *cases = tcase_create("trees");
    tcase_add_checked_fixture(cases, setup, NULL);
    tcase_set_timeout(cases, 60);
    tcase_add_loop_test(cases, same_path_of_two_roots, 0, 2);
    tcase_add_test(cases, change_in_one_tree_leaves_the_other_in_memory);
    tcase_add_test(cases, same_root_twice);
    tcase_add_test(cases, root_inside_another_root);
    tcase_add_loop_test(cases, deploy_of_one_tree, 0, 2);
    tcase_add_test(cases, missing_root_concerns_its_own_tree);
    tcase_add_test(cases, root_that_is_missing_at_first);
    tcase_add_test(cases, no_root_at_all);
    tcase_add_test(cases, errands_of_trees_are_not_the_same);
    tcase_add_test(cases, lost_changes);
    tcase_add_loop_test(cases, many_trees, 0, 3);
    suite_add_tcase(suite, cases);
    SRunner *runner = srunner_create(suite);
    srunner_set_fork_status(runner, CK_NOFORK); /* no test leaves anything behind */
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
