/*
 * Which symbolic links are followed by each rule, and where they must not lead.
 */
#define _GNU_SOURCE
#include "skip.h"
#include "store/links.h"
#include "tree.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

static const char tree[] =
    "umask 022; mkdir -p site/d/e other; ln -s site current; printf one > site/a;"
    "printf two > site/d/b; printf out > other/x; cd site;"
    "ln -s a rel; ln -s $PWD/a abs; ln -s $PWD/d absd; ln -s $PWD root; ln -s ${PWD%site}current "
    "cur;"
    "ln -s ${PWD%site}current/d/b by; ln -s ../../other/x d/out; ln -s ${PWD%site}other/x outabs;"
    "ln -s /etc/passwd etc; ln -s /proc/self/cwd/site/a magic; ln -s loop loop; ln -s abs chain;"
    "ln -s $PWD/d/../a dots; ln -s $PWD/../site/a above; ln -s ../a d/up; ln -s . d/e/here;"
    "ln -s nowhere gone; ln -s $PWD/nowhere absgone; ln -s / slash; ln -s absd/e/../up mixed;"
    "ln -s $PWD/a/ file; i=0; ln -s a l0; while [ $i -lt 41 ]; do ln -s $PWD/l$i l$((i + 1));"
    "i=$((i + 1)); done";

/* What a path leads to when links are followed `beneath`, and when they are followed `inside`. */
static const struct {
    const char *path, *beneath, *inside;
} rows[] = {
    {"a", "one", "one"},
    {"rel", "one", "one"},
    {"abs", "<forbidden>", "one"},
    {"absd/b", "<forbidden>", "two"},
    {"root/root/d/b", "<forbidden>", "two"},
    {"cur/a", "<forbidden>", "one"},
    {"by", "<forbidden>", "two"},
    {"d/out", "<forbidden>", "<forbidden>"},
    {"outabs", "<forbidden>", "<forbidden>"},
    {"etc", "<forbidden>", "<forbidden>"},
    {"loop", "<forbidden>", "<forbidden>"},
    {"chain", "<forbidden>", "one"},
    {"dots", "<forbidden>", "one"},
    {"above", "<forbidden>", "<forbidden>"},
    {"d/up", "one", "one"},
    {"d/e/here/", "<forbidden>", "<forbidden>"},
    {"gone", "<not found>", "<not found>"},
    {"absgone", "<forbidden>", "<not found>"},
    {"slash/etc/passwd", "<forbidden>", "<forbidden>"},
    {"mixed", "<forbidden>", "one"},
    {"absd", "<forbidden>", "<directory>"},
    {"absd/", "<forbidden>", "<forbidden>"},
    {"l1", "<forbidden>", "one"},
    {"l39", "<forbidden>", "one"},
    {"l40", "<forbidden>", "<forbidden>"},
    {"abs/", "<forbidden>", "<not found>"},
    {"abs/x", "<forbidden>", "<not found>"},
};

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

static struct store *open_by(enum symlink_policy policy)
{
    struct store_options options = tree_options();
    tree_site.symlinks = policy;
    tree_site.root = "site";
    return tree_open(&options);
}

START_TEST(beneath_and_inside)
{
    tree_make(tree);
    tree_age();
    struct store *beneath = open_by(SYMLINKS_BENEATH);
    for (size_t i = 0; i < LENGTH(rows); i++) {
        const char *got = tree_ask(beneath, rows[i].path, ACCEPT_IDENTITY);
        ck_assert_msg(strcmp(got, rows[i].beneath) == 0, "beneath, %s: %s", rows[i].path, got);
    }
    store_close(beneath);
    struct store *inside = open_by(_i == 0 ? SYMLINKS_INSIDE : SYMLINKS_OWNER);
    for (size_t i = 0; i < LENGTH(rows); i++) {
        const char *got = tree_ask(inside, rows[i].path, ACCEPT_IDENTITY);
        ck_assert_msg(strcmp(got, rows[i].inside) == 0, "inside, %s: %s", rows[i].path, got);
    }
    store_close(inside);
    tree_remove();
}
END_TEST

/* The link is seen by another one, or leads elsewhere, at the next request. */
START_TEST(links_that_change)
{
    tree_make(tree);
    tree_age();
    struct store *store = open_by(SYMLINKS_INSIDE);
    ck_assert_str_eq(tree_ask(store, "abs", ACCEPT_IDENTITY), "one");
    tree_run("printf new > site/a");
    ck_assert_str_eq(tree_ask(store, "abs", ACCEPT_IDENTITY), "new");
    tree_run("ln -sfn $PWD/site/d/b site/abs");
    ck_assert_str_eq(tree_ask(store, "abs", ACCEPT_IDENTITY), "two");
    ck_assert_str_eq(tree_ask(store, "chain", ACCEPT_IDENTITY), "two");
    tree_run("ln -sfn $PWD/other/x site/abs");
    ck_assert_str_eq(tree_ask(store, "abs", ACCEPT_IDENTITY), "<forbidden>");
    ck_assert_str_eq(tree_ask(store, "chain", ACCEPT_IDENTITY), "<forbidden>");
    store_close(store);
    tree_remove();
}
END_TEST

/* Each link on the way must have the owner of what it leads to, not of what comes behind that. */
START_TEST(owner)
{
    static const struct {
        const char *path, *answer;
    } owners[] = {
        {"a", "one"},        {"mine", "one"},           {"strange", "<forbidden>"},
        {"theirs", "three"}, {"to/b", "two"},           {"into/b", "<forbidden>"},
        {"twice", "one"},    {"over", "<forbidden>"},   {"strange/", "<forbidden>"},
        {"home/a", "one"},   {"away/a", "<forbidden>"},
    };
    SKIP_IF(geteuid() != 0, "only root can give files away");
    tree_make("umask 022; mkdir -p site/d; cd site; printf one > a; printf two > d/b;"
              "printf three > c; chown 12345 c d/b; ln -s a mine; ln -s a strange;"
              "ln -s c theirs; ln -s d to; ln -s d into; ln -s mine twice; ln -s strange over;"
              "ln -s $PWD home; ln -s $PWD away; chown -h 12345 strange theirs into away");
    tree_age();
    struct store *store = open_by(SYMLINKS_OWNER);
    for (size_t i = 0; i < LENGTH(owners); i++) {
        const char *got = tree_ask(store, owners[i].path, ACCEPT_IDENTITY);
        ck_assert_msg(strcmp(got, owners[i].answer) == 0, "%s: %s", owners[i].path, got);
    }
    tree_run("chown -h 12345 site/mine");
    ck_assert_str_eq(tree_ask(store, "mine", ACCEPT_IDENTITY), "<forbidden>");
    ck_assert_str_eq(tree_ask(store, "twice", ACCEPT_IDENTITY), "<forbidden>");
    store_close(store);
    tree_remove();
}
END_TEST

/* An event loop does not follow such a link itself: an errand does. */
START_TEST(at_once)
{
    tree_make(tree);
    tree_age();
    struct store *store = open_by(SYMLINKS_INSIDE);
    struct lookup lookup = {.path = TEXT("abs"), .accepted = ACCEPT_IDENTITY};
    struct now now = tree_now();
    enum resolution_kind kind = store_resolve(store, &lookup, AT_ONCE, &now).kind;
    ck_assert(kind == RESOLUTION_COLD);
    struct errand *errand = store_errand(store, &lookup);
    ck_assert_ptr_nonnull(errand);
    errand_run(errand);
    errand_free(errand);
    ck_assert_str_eq(tree_ask(store, "abs", ACCEPT_IDENTITY), "one");
    store_close(store);
    tree_remove();
}
END_TEST

START_TEST(errors)
{
    char path[5000];
    tree_make(tree);
    struct beneath beneath = {.directory = open("site", O_PATH | O_DIRECTORY | O_CLOEXEC)};
    ck_assert_int_ge(beneath.directory, 0);
    beneath_follow(&beneath, SYMLINKS_OWNER);
    ck_assert_int_eq(links_open(&beneath, "l40", O_PATH), -ELOOP);
    ck_assert_int_eq(links_open(&beneath, "loop", O_PATH), -ELOOP);
    ck_assert_int_eq(links_open(&beneath, "etc", O_PATH), -EXDEV);
    ck_assert_int_eq(links_open(&beneath, "..", O_PATH), -EXDEV);
    ck_assert_int_eq(links_open(&beneath, "nope/x", O_PATH), -ENOENT);
    memset(path, 'x', sizeof(path) - 1);
    path[sizeof(path) - 1] = '\0';
    ck_assert_int_eq(links_open(&beneath, path, O_PATH), -ENAMETOOLONG);
    path[300] = '\0';
    ck_assert_int_eq(links_open(&beneath, path, O_PATH), -ENAMETOOLONG);
    beneath_follow(&beneath, SYMLINKS_NEVER);
    ck_assert(!beneath.follows && !beneath.absolute && !beneath.by_owner);
    close(beneath.directory);
    tree_remove();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("links");
    TCase *cases = tcase_create("links");
    tcase_set_timeout(cases, 60);
    tcase_add_loop_test(cases, beneath_and_inside, 0, 2);
    tcase_add_test(cases, links_that_change);
    tcase_add_test(cases, owner);
    tcase_add_test(cases, at_once);
    tcase_add_test(cases, errors);
    suite_add_tcase(suite, cases);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
