/* What store_examine() says of names that a lookup finds or refuses: the same, and why. */
#include "store/examine.h"
#include "tree.h"

#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(table) ((int)(sizeof(table) / sizeof((table)[0])))

static const char script[] =
    "mkdir -p site/d/e site/i; ln -s site current; cd site; printf one > a; printf two > "
    "i/index.html;"
    "ln -s a rel; ln -s /etc/passwd out; ln -s loop loop; mkfifo fifo; printf h > .hidden;"
    "touch -d 2001-01-01 a; touch -d 2001-01-01 i/index.html; printf g > a.gz; : > a.zst;"
    "printf b > a.br; touch -d 2000-01-01 a.br";

static const struct {
    const char *path;
    enum resolution_kind kind;
    const char *name; /* that was looked for */
    int error;
    bool linked, hidden, bare;
} rows[] = {
    {"a", RESOLUTION_FOUND, "a", 0, false, false, false},
    {"i/", RESOLUTION_FOUND, "i/index.html", 0, false, false, false},
    {"i", RESOLUTION_DIRECTORY, "i", 0, false, false, false},
    {"d/", RESOLUTION_FORBIDDEN, "d/index.htm", ENOENT, false, false, true},
    {"none", RESOLUTION_NOT_FOUND, "none", ENOENT, false, false, false},
    {"a/x", RESOLUTION_NOT_FOUND, "a/x", ENOTDIR, false, false, false},
    {".hidden", RESOLUTION_NOT_FOUND, "", 0, false, true, false},
    {"rel", RESOLUTION_FOUND, "rel", 0, true, false, false},
    {"out", RESOLUTION_FORBIDDEN, "out", EXDEV, true, false, false},
    {"loop", RESOLUTION_FORBIDDEN, "loop", ELOOP, true, false, false},
    {"fifo", RESOLUTION_NOT_FOUND, "fifo", 0, false, false, false},
};

static struct examined seen;

static void examine(const char *path)
{
    struct store_options options = tree_options();
    struct store *store = tree_open(&options);
    struct lookup lookup = {.path = {path, strlen(path)}, .accepted = ACCEPT_ALL};
    store_examine(store, &lookup, &seen);
    store_close(store);
}

static void set_up(void)
{
    tree_make(script);
}

START_TEST(names)
{
    examine(rows[_i].path);
    ck_assert_int_eq(seen.root_problem, 0);
    ck_assert_int_eq((int)seen.kind, (int)rows[_i].kind);
    ck_assert_str_eq(seen.name, rows[_i].name);
    ck_assert_int_eq(seen.error, rows[_i].error);
    ck_assert_int_eq(seen.linked, rows[_i].linked);
    ck_assert_int_eq(seen.hidden, rows[_i].hidden);
    ck_assert_int_eq(seen.file.bare, rows[_i].bare);
    bool regular = identity_is_regular(&seen.itself);
    ck_assert_int_eq(regular, rows[_i].kind == RESOLUTION_FOUND);
}
END_TEST

START_TEST(sidecars)
{
    const struct identity *of = seen.file.identity;
    examine("a");
    ck_assert(seen.file.usable[CODING_IDENTITY] && seen.file.usable[CODING_GZIP]);
    ck_assert(!seen.file.usable[CODING_BR] && !seen.file.usable[CODING_ZSTD]);
    ck_assert(!identity_not_older(&of[CODING_BR], &of[CODING_IDENTITY]));
    ck_assert(identity_exists(&of[CODING_ZSTD]));
    ck_assert_uint_eq(of[CODING_ZSTD].size, 0);
}
END_TEST

START_TEST(without_a_root)
{
    struct store_options options = tree_options();
    struct store *store = tree_open(&options);
    struct lookup lookup = {.path = TEXT("a")};
    tree_run("rm current");
    struct now now = tree_now();
    store_refresh(store, &now);
    struct resolution found = store_resolve(store, &lookup, MAY_WAIT, &now);
    store_examine(store, &lookup, &seen);
    store_close(store);
    ck_assert_int_eq((int)found.kind, RESOLUTION_NOT_FOUND);
    ck_assert_int_eq((int)seen.kind, RESOLUTION_NOT_FOUND);
    ck_assert_int_eq(seen.root_problem, ENOENT);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("examine");
    TCase *cases = tcase_create("examine");
    tcase_add_checked_fixture(cases, set_up, tree_remove);
    tcase_add_loop_test(cases, names, 0, COUNT(rows));
    tcase_add_test(cases, sidecars);
    tcase_add_test(cases, without_a_root);
    suite_add_tcase(suite, cases);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
