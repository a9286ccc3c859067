/*
 * Freshness: whatever happens on disk, the next response shows it. One table of changes runs in
 * every way in which the store can learn of them: watched, checked on each hit, with too few
 * watches, and without openat2.
 */
#define _GNU_SOURCE
#include "forbid.h"
#include "tree.h"

#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *const directories[] = {
    "release1",      "release2",      "outside",       "release1/dir",     "release1/dir2",
    "release1/bare", "release1/page", "release1/deep", "release1/deep/er",
};

static const struct {
    const char *path, *content;
} files[] = {
    {"release1/a.txt", "one"},          {"release1/b.txt", "two"},
    {"release1/dir/b.txt", "bee"},      {"release1/dir/index.html", "index"},
    {"release1/dir2/b.txt", "bug"},     {"release1/page/index.htm", "second"},
    {"release1/deep/er/c.txt", "sea"},  {"release1/side.css", "plain"},
    {"release1/side.css.gz", "zipped"}, {"release1/side.css.br", "brown"},
    {"release1/none.css", "none"},      {"release1/none.css.gz", ""},
    {"release2/a.txt", "uno"},          {"outside/a.txt", "out"},
    {"outside/hard", "hard"},
};

static const struct {
    const char *path, *target;
} links[] = {
    {"current", "release1"},
    {"release1/link", "a.txt"},
    {"release1/linkdir", "dir"},
    {"release1/dangling", "nowhere"},
};

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

static void put_file(const char *path, const char *content, size_t length)
{
    int fd = open(path, O_CREAT | O_EXCL | O_WRONLY, 0644);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq((int)write(fd, content, length), (int)length);
    close(fd);
}

/* Makes a tree in the working directory, without a script, because it is called often. */
static void plant(void)
{
    char big[10000];
    memset(big, 'A', sizeof(big));
    for (size_t i = 0; i < LENGTH(directories); i++)
        ck_assert_int_eq(mkdir(directories[i], 0755), 0);
    for (size_t i = 0; i < LENGTH(files); i++)
        put_file(files[i].path, files[i].content, strlen(files[i].content));
    for (size_t i = 0; i < LENGTH(links); i++)
        ck_assert_int_eq(symlink(links[i].target, links[i].path), 0);
    ck_assert_int_eq(link("outside/hard", "release1/hard.txt"), 0);
    put_file("release1/big.bin", big, sizeof(big));
}

enum mode { WATCHED, CHECKED, ONE_WATCH, NO_OPENAT2, MODE_COUNT };

struct freshness {
    const char *name, *script, *path, *before, *after;
    bool links; /* the path needs links, which are forbidden without openat2 */
};

#define A "a.txt"

static const struct freshness table[] = {
    {"nothing happens", ":", A, "one", "one", false},
    {"edited in place, same length", "printf two > current/a.txt", A, "one", "two", false},
    {"not truncated first", "printf two | dd of=current/a.txt conv=notrunc status=none", A, "one",
     "two", false},
    {"appended to", "printf ++ >> current/a.txt", A, "one", "one++", false},
    {"emptied", ": > current/a.txt", A, "one", "", false},
    {"cut", "truncate -s 1 current/a.txt", A, "one", "o", false},
    {"copied over", "cp current/b.txt current/a.txt", A, "one", "two", false},
    {"renamed over", "printf two > current/new; mv current/new current/a.txt", A, "one", "two",
     false},
    {"renamed over from elsewhere", "printf two > new; mv new current/a.txt", A, "one", "two",
     false},
    {"old file renamed over", "mv current/b.txt current/a.txt", A, "one", "two", false},
    {"same times", "touch -r current/a.txt t; printf two > current/a.txt; touch -r t current/a.txt",
     A, "one", "two", false},
    {"deleted", "rm current/a.txt", A, "one", "<not found>", false},
    {"renamed away", "mv current/a.txt current/z.txt", A, "one", "<not found>", false},
    {"deleted and made again", "rm current/a.txt; printf two > current/a.txt", A, "one", "two",
     false},
    {"appears", "printf new > current/n.txt", "n.txt", "<not found>", "new", false},
    {"appears by rename", "printf new > n; mv n current/n.txt", "n.txt", "<not found>", "new",
     false},
    {"appears as link", "ln -s a.txt current/n.txt", "n.txt", "<not found>", "one", true},
    {"appears with its directory", "mkdir current/d; printf new > current/d/n", "d/n",
     "<not found>", "new", false},
    {"appears behind a link", "ln -s dir current/d", "d/b.txt", "<not found>", "bee", true},
    {"becomes a directory", "rm current/a.txt; mkdir current/a.txt", A, "one", "<directory>",
     false},
    {"becomes a file", "rmdir current/bare; printf new > current/bare", "bare", "<directory>",
     "new", false},
    {"becomes a FIFO", "rm current/a.txt; mkfifo current/a.txt", A, "one", "<not found>", false},
    {"directory renamed away", "mv current/dir current/gone", "dir/b.txt", "bee", "<not found>",
     false},
    {"directory made anew", "mv current/dir old; mkdir current/dir; printf new > current/dir/b.txt",
     "dir/b.txt", "bee", "new", false},
    {"directory replaced", "mv current/dir old; mv current/dir2 current/dir", "dir/b.txt", "bee",
     "bug", false},
    {"directory away and back", "mv current/dir x; mv x current/dir", "dir/b.txt", "bee", "bee",
     false},
    {"directory away, edited, back", "mv current/dir x; printf new > x/b.txt; mv x current/dir",
     "dir/b.txt", "bee", "new", false},
    {"directory deleted", "rm -r current/dir", "dir/b.txt", "bee", "<not found>", false},
    {"directory above renamed", "mv current/deep x", "deep/er/c.txt", "sea", "<not found>", false},
    {"directory becomes a link", "mv current/dir x; ln -s dir2 current/dir", "dir/b.txt", "bee",
     "bug", true},
    {"index edited", "printf fresh > current/dir/index.html", "dir/", "index", "fresh", false},
    {"index deleted", "rm current/dir/index.html", "dir/", "index", "<forbidden>", false},
    {"index appears", "printf new > current/bare/index.html", "bare/", "<forbidden>", "new", false},
    {"second index appears", "printf new > current/bare/index.htm", "bare/", "<forbidden>", "new",
     false},
    {"first index appears", "printf new > current/page/index.html", "page/", "second", "new",
     false},
    {"index of the root appears", "printf new > current/index.html", "", "<forbidden>", "new",
     false},
    {"index directory renamed", "mv current/dir x", "dir/", "index", "<not found>", false},
    {"link swapped", "ln -sfn b.txt current/link", "link", "one", "two", true},
    {"link renamed over", "ln -s b.txt l; mv -T l current/link", "link", "one", "two", true},
    {"link's file edited", "printf two > current/a.txt", "link", "one", "two", true},
    {"link's file deleted", "rm current/a.txt", "link", "one", "<not found>", true},
    {"link leads out", "ln -sfn ../outside/a.txt current/link", "link", "one", "<forbidden>", true},
    {"link's file appears", "printf new > current/nowhere", "dangling", "<not found>", "new", true},
    {"linked directory swapped", "ln -sfn dir2 current/linkdir", "linkdir/b.txt", "bee", "bug",
     true},
    {"file in linked directory edited", "printf new > current/dir/b.txt", "linkdir/b.txt", "bee",
     "new", true},
    {"edited through its other name", "printf edit > outside/hard", "hard.txt", "hard", "edit",
     false},
    {"root swapped", "ln -sfn release2 current", A, "one", "uno", false},
    {"root renamed over", "ln -s release2 l; mv -T l current", A, "one", "uno", false},
    {"root swapped twice",
     "ln -sfn release2 current; ln -sfn release1 current; printf two > current/a.txt", A, "one",
     "two", false},
    {"root's directory away", "mv release1 x", A, "one", "<not found>", false},
    {"root's link deleted", "rm current", A, "one", "<not found>", false},
    {"root's directory replaced", "mv release1 x; mv release2 release1", A, "one", "uno", false},
    {"root away, edited, back", "mv release1 x; printf two > x/a.txt; mv x release1", A, "one",
     "two", false},
    {"big file edited", "printf B | dd of=current/big.bin conv=notrunc status=none", "big.bin",
     "A*10000", "B*10000", false},
    {"big file replaced", "head -c 20000 /dev/zero | tr '\\0' C > n; mv n current/big.bin",
     "big.bin", "A*10000", "C*20000", false},
    {"big file becomes small", "printf two > current/big.bin", "big.bin", "A*10000", "two", false},
    {"small file becomes big", "cp current/big.bin current/a.txt", A, "one", "A*10000", false},
    {"big file deleted", "rm current/big.bin", "big.bin", "A*10000", "<not found>", false},
    /* rows with all codings accepted; br is the smallest of equal weight */
    {"+sidecar appears", "printf zip > current/a.txt.gz", A, "one", "gzip:zip", false},
    {"+sidecar appears by rename", "printf zip > n; mv n current/a.txt.gz", A, "one", "gzip:zip",
     false},
    {"+older one appears", "printf zip > n; touch -d '1 hour ago' n; mv n current/a.txt.gz", A,
     "one", "one", false},
    {"+sidecar vanishes", "rm current/side.css.br", "side.css", "br:brown", "gzip:zipped", false},
    {"+all vanish", "rm current/side.css.*", "side.css", "br:brown", "plain", false},
    {"+sidecar edited", "printf BROWN > current/side.css.br", "side.css", "br:brown", "br:BROWN",
     false},
    {"+sidecar replaced", "printf BROWN > n; mv n current/side.css.br", "side.css", "br:brown",
     "br:BROWN", false},
    {"+original edited", "printf PLAIN > current/side.css", "side.css", "br:brown", "PLAIN", false},
    {"+sidecar emptied", ": > current/side.css.br", "side.css", "br:brown", "gzip:zipped", false},
    {"+empty one filled", "printf zip > current/none.css.gz", "none.css", "none", "gzip:zip",
     false},
    {"+original emptied", ": > current/none.css; touch current/none.css.gz", "none.css", "none", "",
     false},
    {"+sidecar aged", "touch -d '1 hour ago' current/side.css.br", "side.css", "br:brown",
     "gzip:zipped", false},
    {"+original deleted", "rm current/side.css", "side.css", "br:brown", "<not found>", false},
    {"+index's sidecar appears", "printf zip > current/dir/index.html.gz", "dir/", "index",
     "gzip:zip", false},
    {"sidecar itself", "printf BROWN > current/side.css.br", "side.css.br", "brown", "BROWN",
     false},
};

#define COUNT ((int)LENGTH(table))

/* Prints a message and returns false when the result is not `wanted`. */
static bool expect(struct store *store, const struct freshness *row, const char *wanted)
{
    bool all = row->name[0] == '+';
    const char *got = tree_ask(store, row->path, all ? ACCEPT_ALL : ACCEPT_IDENTITY);
    bool right = strcmp(got, wanted) == 0;
    if (!right) printf("%s: '%s' instead of '%s'\n", row->name, got, wanted);
    return right;
}

static struct store *open_in(enum mode mode, uint64_t recheck_ns)
{
    struct store_options options = tree_options();
    options.recheck_ns = recheck_ns;
    if (mode == CHECKED) options.watches_max = 0;
    if (mode == ONE_WATCH) options.watches_max = 1;
    return tree_open(&options);
}

static struct store *plant_and_open(enum mode mode, uint64_t recheck_ns)
{
    tree_make(":");
    plant();
    if (mode == NO_OPENAT2) forbid_openat2();
    tree_settle();
    return open_in(mode, recheck_ns);
}

/* Returns whether absence is remembered: not behind a link, and not in an absent directory. */
static bool is_remembered(const struct freshness *row)
{
    return !row->links && strcmp(row->path, "d/n") != 0;
}

static bool run_row(const struct freshness *row, enum mode mode)
{
    struct store *store = open_in(mode, 3600 * NS_PER_SECOND);
    bool right = expect(store, row, row->before);
    right &= expect(store, row, row->before);
    bool hit = store_counts(store)->hits > 0;
    if (mode == WATCHED && is_remembered(row) && !hit) printf("%s: no hit\n", row->name);
    if (mode == WATCHED && is_remembered(row)) right &= hit;
    tree_run(row->script);
    right &= expect(store, row, row->after);
    right &= expect(store, row, row->after);
    store_close(store);
    return right;
}

static void go_to_row(int row)
{
    char directory[16];
    snprintf(directory, sizeof(directory), "row%d", row);
    mkdir(directory, 0755);
    ck_assert_int_eq(chdir(directory), 0);
}

/* Every row has its own tree. All are made first, so that they settle at the same time. */
START_TEST(fresh)
{
    enum mode mode = (enum mode)_i;
    int wrong = 0;
    tree_make(":");
    for (int row = 0; row < COUNT; row++) {
        go_to_row(row);
        plant();
        ck_assert_int_eq(chdir(".."), 0);
    }
    tree_age();
    if (mode == NO_OPENAT2) forbid_openat2();
    for (int row = 0; row < COUNT; row++) {
        if (table[row].links && mode == NO_OPENAT2) continue;
        go_to_row(row);
        wrong += !run_row(&table[row], mode);
        ck_assert_int_eq(chdir(".."), 0);
    }
    tree_remove();
    ck_assert_msg(wrong == 0, "%d rows are wrong", wrong);
}
END_TEST

/* Files that are found so early that their times prove nothing. */
START_TEST(fresh_though_young)
{
    enum mode mode = (enum mode)_i;
    struct store *store = plant_and_open(mode, 3600 * NS_PER_SECOND);
    for (int i = 0; i < 200; i++) {
        char text[] = {(char)('0' + i / 100), (char)('0' + i / 10 % 10), (char)('0' + i % 10), 0};
        int fd = open("current/a.txt", O_WRONLY);
        ck_assert_int_eq((int)pwrite(fd, text, 3, 0), 3);
        close(fd);
        ck_assert_str_eq(tree_ask(store, A, ACCEPT_IDENTITY), text);
    }
    store_close(store);
    tree_remove();
}
END_TEST

/* So young files are read each time unless they are watched, and again when they are settled. */
START_TEST(young_are_not_kept)
{
    struct store *store = plant_and_open((enum mode)_i, 3600 * NS_PER_SECOND);
    bool watched = _i == WATCHED || _i == NO_OPENAT2;
    tree_run("printf two > current/a.txt");
    ck_assert_str_eq(tree_ask(store, A, ACCEPT_IDENTITY), "two");
    ck_assert_str_eq(tree_ask(store, A, ACCEPT_IDENTITY), "two");
    ck_assert_uint_eq(store_counts(store)->hits, watched ? 1 : 0);
    tree_age();
    ck_assert_str_eq(tree_ask(store, A, ACCEPT_IDENTITY), "two");
    ck_assert_str_eq(tree_ask(store, A, ACCEPT_IDENTITY), "two");
    ck_assert_uint_eq(store_counts(store)->hits, watched ? 2 : 1);
    store_close(store);
    tree_remove();
}
END_TEST

/* The kernel does not report writes through a shared mapping. The regular comparison finds them. */
START_TEST(mapped_write_found_by_recheck)
{
    struct store *store = plant_and_open(WATCHED, 100 * NS_PER_MS);
    int fd = open("current/a.txt", O_RDWR);
    ck_assert_str_eq(tree_ask(store, A, ACCEPT_IDENTITY), "one");
    char *map = mmap(NULL, 3, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    ck_assert_ptr_ne(map, MAP_FAILED);
    memcpy(map, "two", 3);
    ck_assert_int_eq(msync(map, 3, MS_SYNC), 0);
    tree_settle();
    tree_settle();
    ck_assert_str_eq(tree_ask(store, A, ACCEPT_IDENTITY), "two");
    ck_assert_uint_ge(store_counts(store)->rechecks, 1);
    munmap(map, 3);
    close(fd);
    store_close(store);
    tree_remove();
}
END_TEST

START_TEST(hits_are_kept_when_nothing_happens)
{
    enum mode mode = (enum mode)_i;
    struct store *store = plant_and_open(mode, 3600 * NS_PER_SECOND);
    tree_age();
    for (int i = 0; i < 10; i++) {
        ck_assert_str_eq(tree_ask(store, A, ACCEPT_IDENTITY), "one");
        ck_assert_str_eq(tree_ask(store, "big.bin", ACCEPT_IDENTITY), "A*10000");
        ck_assert_str_eq(tree_ask(store, "side.css", ACCEPT_ALL), "br:brown");
        ck_assert_str_eq(tree_ask(store, "hard.txt", ACCEPT_IDENTITY), "hard");
    }
    ck_assert_uint_eq(store_counts(store)->misses, 4);
    ck_assert_uint_eq(store_counts(store)->hits, 36);
    tree_run("printf x > current/unrelated; mkdir current/too; rm current/unrelated");
    ck_assert_str_eq(tree_ask(store, A, ACCEPT_IDENTITY), "one");
    ck_assert_uint_eq(store_counts(store)->hits, 37);
    store_close(store);
    tree_remove();
}
END_TEST

START_TEST(root_comes_back)
{
    enum mode mode = (enum mode)_i;
    struct store *store = plant_and_open(mode, 3600 * NS_PER_SECOND);
    ck_assert_str_eq(tree_ask(store, A, ACCEPT_IDENTITY), "one");
    for (int i = 0; i < 3; i++) {
        tree_run("mv release1 x");
        ck_assert_str_eq(tree_ask(store, A, ACCEPT_IDENTITY), "<not found>");
        tree_run("mv x release1");
        ck_assert_str_eq(tree_ask(store, A, ACCEPT_IDENTITY), "one");
        tree_run("ln -sfn release2 current");
        ck_assert_str_eq(tree_ask(store, A, ACCEPT_IDENTITY), "uno");
        tree_run("ln -sfn release1 current");
        ck_assert_str_eq(tree_ask(store, A, ACCEPT_IDENTITY), "one");
    }
    store_close(store);
    tree_remove();
}
END_TEST

/* More events than the kernel's queue holds: the cache is emptied, and a notice is raised. */
START_TEST(overflow_empties_the_cache)
{
    struct store *store = plant_and_open(WATCHED, 3600 * NS_PER_SECOND);
    ck_assert_str_eq(tree_ask(store, A, ACCEPT_IDENTITY), "one");
    for (int i = 0; i < 40000; i++) {
        int fd = open(i % 2 ? "current/x" : "current/y", O_CREAT | O_WRONLY, 0644);
        close(fd);
    }
    tree_run("printf two > current/a.txt");
    ck_assert_str_eq(tree_ask(store, A, ACCEPT_IDENTITY), "two");
    ck_assert_uint_eq(store_counts(store)->watch_overflows, 1);
    ck_assert_ptr_nonnull(strstr(store_notice(store), "max_queued_events"));
    ck_assert_ptr_null(store_notice(store));
    tree_run("printf two > current/b.txt; mv current/b.txt current/a.txt; rm current/a.txt");
    ck_assert_str_eq(tree_ask(store, A, ACCEPT_IDENTITY), "<not found>");
    store_close(store);
    tree_remove();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("refresh");
    TCase *cases = tcase_create("refresh");
    tcase_set_timeout(cases, 60);
    tcase_add_loop_test(cases, fresh, 0, MODE_COUNT);
    tcase_add_loop_test(cases, fresh_though_young, 0, MODE_COUNT);
    tcase_add_loop_test(cases, young_are_not_kept, 0, MODE_COUNT);
    tcase_add_loop_test(cases, hits_are_kept_when_nothing_happens, 0, MODE_COUNT);
    tcase_add_loop_test(cases, root_comes_back, 0, MODE_COUNT);
    tcase_add_test(cases, mapped_write_found_by_recheck);
    tcase_add_test(cases, overflow_empties_the_cache);
    suite_add_tcase(suite, cases);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
