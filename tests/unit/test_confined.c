/*
 * The cache serves a file only while its path still leads there below the root, by links that are
 * allowed: the path is looked up again in the way in which it was opened. Directories, files,
 * indexes and sidecars are moved out of the root, and links to them are put in their places.
 */
#define _GNU_SOURCE
#include "forbid.h"
#include "tree.h"

#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static const char tree[] =
    "umask 022; mkdir release1 release1/dir release1/dir/in; ln -s release1 current; cd release1;"
    "printf one > a.txt; printf bee > dir/b.txt; printf sea > dir/in/c.txt; printf index > "
    "dir/index.html;"
    "printf plain > side.css; printf zip > side.css.gz; printf plain > dir/side.css;"
    "printf zip > dir/side.css.gz; ln -s dir link; ln -s link/in chain; ln -s a.txt alias;"
    "printf hard > hard.txt; ln hard.txt dir/hard.txt";

/* The result for `path` is `before`; then `script` runs; then the result is `after`. */
struct exchange {
    const char *name, *script, *path, *before, *after;
    bool links; /* the path goes through a link that is allowed */
};

static const struct exchange ways_out[] = {
    {"directory behind a link", "mv current/dir out; ln -s ../out current/dir", "link/b.txt", "bee",
     "<forbidden>", true},
    {"directory behind two links", "mv current/dir out; ln -s ../out current/dir", "chain/c.txt",
     "sea", "<forbidden>", true},
    {"file behind a link", "mv current/a.txt out; ln -s ../out current/a.txt", "alias", "one",
     "<forbidden>", true},
    {"the link itself", "mv current/dir out; ln -sfn ../out current/link", "link/b.txt", "bee",
     "<forbidden>", true},
    {"index behind a link", "mv current/dir out; ln -s ../out current/dir", "link/", "index",
     "<forbidden>", true},
    {"by an absolute link", "mv current/dir out; ln -s $PWD/out current/dir", "link/b.txt", "bee",
     "<forbidden>", true},
    {"by an absolute link back inside",
     "mv current/dir current/d; ln -s $PWD/release1/d current/dir", "link/b.txt", "bee",
     "<forbidden>", true},
    {"by /proc", "mv current/dir out; ln -s /proc/self/cwd/out current/dir", "link/b.txt", "bee",
     "<forbidden>", true},
    {"directory", "mv current/dir out; ln -s ../out current/dir", "dir/b.txt", "bee", "<forbidden>",
     false},
    {"directory above", "mv current/dir out; ln -s ../out current/dir", "dir/in/c.txt", "sea",
     "<forbidden>", false},
    {"file", "mv current/dir/b.txt out; ln -s ../../out current/dir/b.txt", "dir/b.txt", "bee",
     "<forbidden>", false},
    {"file of the root", "mv current/a.txt out; ln -s ../out current/a.txt", "a.txt", "one",
     "<forbidden>", false},
    {"hard link", "mv current/hard.txt out; ln -s ../out current/hard.txt", "hard.txt", "hard",
     "<forbidden>", false},
    {"directory of a hard link", "mv current/dir out; ln -s ../out current/dir", "dir/hard.txt",
     "hard", "<forbidden>", false},
    {"index", "mv current/dir/index.html out; ln -s ../../out current/dir/index.html", "dir/",
     "index", "<forbidden>", false},
    {"directory of an index", "mv current/dir out; ln -s ../out current/dir", "dir/", "index",
     "<forbidden>", false},
    {"+sidecar of the root", "mv current/side.css.gz out; ln -s ../out current/side.css.gz",
     "side.css", "gzip:zip", "plain", false},
    {"+sidecar", "mv current/dir/side.css.gz out; ln -s ../../out current/dir/side.css.gz",
     "dir/side.css", "gzip:zip", "plain", false},
    {"+sidecar behind a link",
     "mv current/dir/side.css.gz out; ln -s ../../out current/dir/side.css.gz", "link/side.css",
     "gzip:zip", "plain", true},
};

/* With `symlinks = never` a link is refused, wherever it leads. */
static const struct exchange onto_links[] = {
    {"directory", "mv current/dir current/d; ln -s d current/dir", "dir/b.txt", "bee",
     "<forbidden>", false},
    {"directory above", "mv current/dir current/d; ln -s d current/dir", "dir/in/c.txt", "sea",
     "<forbidden>", false},
    {"file", "mv current/dir/b.txt current/b; ln -s ../b current/dir/b.txt", "dir/b.txt", "bee",
     "<forbidden>", false},
    {"file of the root", "mv current/a.txt current/a; ln -s a current/a.txt", "a.txt", "one",
     "<forbidden>", false},
    {"directory of a hard link", "mv current/dir current/d; ln -s d current/dir", "dir/hard.txt",
     "hard", "<forbidden>", false},
    {"index", "mv current/dir/index.html current/i; ln -s ../i current/dir/index.html", "dir/",
     "index", "<forbidden>", false},
    {"+sidecar", "mv current/dir/side.css.gz current/s; ln -s ../s current/dir/side.css.gz",
     "dir/side.css", "gzip:zip", "plain", false},
};

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

/* How the store learns of the change, and how it is asked. */
static const struct {
    const char *name;
    uint32_t watches_max;
    bool walks, at_once;
} manners[] = {
    {"watched", 1000, false, false},         {"compared", 0, false, false},
    {"watched at once", 1000, false, true},  {"compared at once", 0, false, true},
    {"compared by walking", 0, true, false},
};

static struct store_options options_of(int manner, enum symlink_policy symlinks)
{
    struct store_options options = tree_options();
    tree_site.symlinks = symlinks;
    options.watches_max = manners[manner].watches_max;
    return options;
}

static struct resolution resolve(struct store *store, const struct lookup *lookup, bool at_once)
{
    struct now now = tree_now();
    store_refresh(store, &now);
    struct resolution resolution = {.kind = RESOLUTION_COLD};
    if (at_once) resolution = store_resolve(store, lookup, AT_ONCE, &now);
    if (resolution.kind != RESOLUTION_COLD) return resolution;
    return store_resolve(store, lookup, MAY_WAIT, &now);
}

static bool answers(struct store *store, const struct exchange *row, const char *wanted, int manner)
{
    struct lookup lookup = {.path = {row->path, strlen(row->path)}, .accepted = ACCEPT_IDENTITY};
    if (row->name[0] == '+') lookup.accepted = ACCEPT_ALL;
    struct resolution resolution = resolve(store, &lookup, manners[manner].at_once);
    const char *got = tree_describe(resolution);
    bool right = strcmp(got, wanted) == 0;
    if (!right) printf("%s, %s: '%s', not '%s'\n", manners[manner].name, row->name, got, wanted);
    if (resolution.representation != NULL) store_return(store, resolution.representation);
    return right;
}

/* The second lookup is a hit, so that the third one is answered from a cached entry. */
static bool run_row(const struct exchange *row, int manner, enum symlink_policy symlinks)
{
    struct store_options options = options_of(manner, symlinks);
    struct store *store = tree_open(&options);
    bool right =
        answers(store, row, row->before, manner) && answers(store, row, row->before, manner);
    bool hit = store_counts(store)->hits == 1;
    if (!hit) printf("%s, %s: not from the cache\n", manners[manner].name, row->name);
    tree_run(row->script);
    right &= answers(store, row, row->after, manner) && answers(store, row, row->after, manner);
    store_close(store);
    return right && hit;
}

static void run(const struct exchange *rows, size_t count, int manner, enum symlink_policy symlinks)
{
    char directory[16];
    int wrong = 0;
    tree_make(":");
    for (size_t i = 0; i < count; i++) {
        snprintf(directory, sizeof(directory), "row%d", (int)i);
        ck_assert(mkdir(directory, 0755) == 0 && chdir(directory) == 0);
        tree_run(tree);
        ck_assert_int_eq(chdir(".."), 0);
    }
    tree_age();
    if (manners[manner].walks) forbid_openat2();
    for (size_t i = 0; i < count; i++) {
        if (rows[i].links && (manners[manner].walks || symlinks == SYMLINKS_NEVER)) continue;
        snprintf(directory, sizeof(directory), "row%d", (int)i);
        ck_assert_int_eq(chdir(directory), 0);
        wrong += !run_row(&rows[i], manner, symlinks);
        ck_assert_int_eq(chdir(".."), 0);
    }
    tree_remove();
    ck_assert_msg(wrong == 0, "%d rows are wrong", wrong);
}

START_TEST(never_out_of_the_root)
{
    run(ways_out, LENGTH(ways_out), _i, SYMLINKS_BENEATH);
}
END_TEST

START_TEST(never_out_of_the_root_without_links)
{
    run(ways_out, LENGTH(ways_out), _i, SYMLINKS_NEVER);
}
END_TEST

START_TEST(never_over_a_link)
{
    run(onto_links, LENGTH(onto_links), _i, SYMLINKS_NEVER);
}
END_TEST

/* A path with a link is compared on each hit, even if the time between comparisons is long. */
START_TEST(links_are_compared_whatever_recheck_says)
{
    tree_make(tree);
    tree_age();
    struct store_options options = tree_options();
    struct store *store = tree_open(&options);
    for (int i = 0; i < 5; i++)
        ck_assert_str_eq(tree_ask(store, "link/b.txt", ACCEPT_IDENTITY), "bee");
    ck_assert_uint_eq(store_counts(store)->hits, 4);
    ck_assert_uint_eq(store_counts(store)->rechecks, 4);
    store_close(store);
    tree_remove();
}
END_TEST

/* A sidecar that may not be used does not keep the file out of the cache. */
START_TEST(a_sidecar_that_leads_out_is_no_obstacle)
{
    tree_make(tree);
    tree_run("ln -s /etc/passwd current/a.txt.gz; ln -s x current/a.txt.br; ln -s a.txt.zst "
             "current/a.txt.zst");
    tree_age();
    struct store_options options = tree_options();
    options.watches_max = 0;
    struct store *store = tree_open(&options);
    for (int i = 0; i < 3; i++)
        ck_assert_str_eq(tree_ask(store, "a.txt", ACCEPT_ALL), "one");
    ck_assert_uint_eq(store_counts(store)->hits, 2);
    tree_run("ln -sfn hard.txt current/a.txt.br");
    ck_assert_str_eq(tree_ask(store, "a.txt", ACCEPT_ALL), "br:hard");
    store_close(store);
    tree_remove();
}
END_TEST

static void descriptors_limit(struct rlimit *before)
{
    ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, before), 0);
    int lowest = dup(0);
    close(lowest);
    struct rlimit none = *before;
    none.rlim_cur = (rlim_t)lowest;
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &none), 0);
}

/* Without a free descriptor, cached files are still served, but nothing outside the root is. */
START_TEST(without_descriptors)
{
    struct rlimit limit;
    static const char *const paths[] = {"a.txt", "dir/b.txt", "dir/in/c.txt"};
    static const char *const answers[] = {"one", "bee", "sea"};
    tree_make(tree);
    tree_age();
    struct store_options options = options_of(_i, SYMLINKS_BENEATH);
    options.recheck_ns = 1;
    struct store *store = tree_open(&options);
    for (int i = 0; i < 3; i++)
        ck_assert_str_eq(tree_ask(store, paths[i], ACCEPT_IDENTITY), answers[i]);
    descriptors_limit(&limit);
    for (int i = 0; i < 3; i++)
        ck_assert_str_eq(tree_ask(store, paths[i], ACCEPT_IDENTITY), answers[i]);
    ck_assert_uint_eq(store_counts(store)->hits, 3);
    tree_run("mv current/dir out; ln -s ../out current/dir; mv current/a.txt out2;"
             "ln -s ../out2 current/a.txt");
    for (int i = 0; i < 3; i++)
        ck_assert_str_ne(tree_ask(store, paths[i], ACCEPT_IDENTITY), answers[i]);
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
    for (int i = 0; i < 3; i++)
        ck_assert_str_eq(tree_ask(store, paths[i], ACCEPT_IDENTITY), "<forbidden>");
    store_close(store);
    tree_remove();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("confined");
    TCase *cases = tcase_create("confined");
    tcase_set_timeout(cases, 60);
    tcase_add_loop_test(cases, never_out_of_the_root, 0, (int)LENGTH(manners));
    tcase_add_loop_test(cases, never_out_of_the_root_without_links, 0, (int)LENGTH(manners));
    tcase_add_loop_test(cases, never_over_a_link, 0, (int)LENGTH(manners));
    tcase_add_test(cases, links_are_compared_whatever_recheck_says);
    tcase_add_test(cases, a_sidecar_that_leads_out_is_no_obstacle);
    tcase_add_loop_test(cases, without_descriptors, 0, 2);
    suite_add_tcase(suite, cases);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
