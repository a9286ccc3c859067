/*
 * What the store answers for a path: kinds, policies, codings, metadata, loans, and lack of memory
 * and descriptors.
 */
#define _GNU_SOURCE
#include "forbid.h"
#include "tree.h"

#include <check.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static const char tree[] =
    "umask 022; mkdir release1; ln -s release1 current; cd release1;"
    "mkdir dir bare .git .well-known .well-known/.in locked twice twice/index.html;"
    "printf one > a.txt; printf index > dir/index.html; printf x > .git/config; : > empty;"
    "printf second > twice/index.htm; printf x > .hidden; printf x > .well-known/security.txt;"
    "printf x > .well-known/.in/x; printf x > .well-knownx; printf x > dir/.htaccess;"
    "printf x > ...; printf x > ..two; mkdir ..dir; printf x > ..dir/x; printf x > ends..;"
    "printf secret > unreadable; printf s > unreadable.gz; chmod 0 unreadable;"
    "printf x > locked/x; chmod 0 locked; mkfifo fifo; mkfifo page.gz; printf page > page;"
    "ln -s a.txt link; ln -s dir dirlink; ln -s ../.. up; ln -s /etc/passwd out; ln -s x x;"
    "printf original > side.css; printf gzip > side.css.gz; printf br1 > side.css.br;"
    "printf zst > side.css.zst; printf picture > p.png; printf longer > old.css.gz;"
    "touch -d '1 minute ago' old.css.gz; printf old > old.css; printf t > p.png.gz;"
    "printf in > linked.css; touch -d '1 minute ago' linked.css; ln -s a.txt linked.css.br;"
    "head -c 10000 /dev/zero | tr '\\0' A > big.bin; printf none > none.css; : > none.css.br;"
    ": > none.css.zst; printf zip > none.css.gz; printf picture > cut.png; : > cut.png.br;"
    ": > cut.png.gz; : > empty.css; printf zip > empty.css.gz; : > empty.css.br";

static struct store_options options;
static struct store *store;

static void setup(void)
{
    tree_make(tree);
    options = tree_options();
    store = tree_open(&options);
}

static void teardown(void)
{
    store_close(store);
    tree_remove();
}

static void reopen(void)
{
    store_close(store);
    store = tree_open(&options);
}

#define ASK(path) tree_ask(store, path, ACCEPT_IDENTITY)

static const struct {
    const char *path, *answer, *without_links, *with_hidden;
} kinds[] = {
    {"a.txt", "one", NULL, NULL},
    {"empty", "", NULL, NULL},
    {"", "<forbidden>", NULL, NULL},
    {"nope", "<not found>", NULL, NULL},
    {"nope/", "<not found>", NULL, NULL},
    {"nope/nope", "<not found>", NULL, NULL},
    {"dir", "<directory>", NULL, NULL},
    {"dir/", "index", NULL, NULL},
    {"dir/index.html", "index", NULL, NULL},
    {"bare", "<directory>", NULL, NULL},
    {"bare/", "<forbidden>", NULL, NULL},
    {"twice/", "second", NULL, NULL},
    {"a.txt/", "<not found>", NULL, NULL},
    {"a.txt/b", "<not found>", NULL, NULL},
    {"fifo", "<not found>", NULL, NULL},
    {"page", "page", NULL, NULL},
    {"page.gz", "<not found>", NULL, NULL},
    {"side.css.gz", "gzip", NULL, NULL},
    {"big.bin", "A*10000", NULL, NULL},
    {"link", "one", "<forbidden>", NULL},
    {"dirlink", "<directory>", "<forbidden>", NULL},
    {"dirlink/", "index", "<forbidden>", NULL},
    {"up", "<forbidden>", NULL, NULL},
    {"up/", "<forbidden>", NULL, NULL},
    {"out", "<forbidden>", NULL, NULL},
    {"x", "<forbidden>", NULL, NULL},
    {".hidden", "<not found>", NULL, "x"},
    {".git/config", "<not found>", NULL, "x"},
    {".git/", "<not found>", NULL, "<forbidden>"},
    {".git", "<not found>", NULL, "<directory>"},
    {"dir/.htaccess", "<not found>", NULL, "x"},
    {".well-known/security.txt", "x", NULL, NULL},
    {".well-known", "<directory>", NULL, NULL},
    {".well-known/.in/x", "<not found>", NULL, "x"},
    {".well-knownx", "<not found>", NULL, "x"},
    {"dir/.well-known/x", "<not found>", NULL, NULL},
    {"...", "<not found>", NULL, "x"},
    {"..two", "<not found>", NULL, "x"},
    {"..dir", "<not found>", NULL, "<directory>"},
    {"..dir/x", "<not found>", NULL, "x"},
    {"ends..", "x", NULL, NULL},
};
#define COUNT(table) ((int)(sizeof(table) / sizeof((table)[0])))

/* Asks twice, because the second result may come from the cache. */
static void check_kinds(bool links, bool hidden)
{
    for (int i = 0; i < 2 * COUNT(kinds); i++) {
        int row = i % COUNT(kinds);
        const char *wanted = kinds[row].answer;
        if (!links && kinds[row].without_links != NULL) wanted = kinds[row].without_links;
        if (hidden && kinds[row].with_hidden != NULL) wanted = kinds[row].with_hidden;
        const char *got = ASK(kinds[row].path);
        ck_assert_msg(strcmp(got, wanted) == 0, "%s: %s, not %s", kinds[row].path, got, wanted);
    }
}

START_TEST(answers)
{
    check_kinds(true, false);
    tree_site.hidden = true;
    reopen();
    check_kinds(true, true);
    tree_site.hidden = false;
    tree_site.symlinks = SYMLINKS_NEVER;
    reopen();
    check_kinds(false, false);
    ck_assert_ptr_null(store_notice(store));
}
END_TEST

START_TEST(answers_without_openat2)
{
    forbid_openat2();
    reopen();
    check_kinds(false, false);
    ck_assert_ptr_nonnull(strstr(store_notice(store), "openat2"));
    ck_assert_ptr_null(store_notice(store));
}
END_TEST

START_TEST(answers_without_watches)
{
    options.watches_max = 0;
    tree_settle();
    reopen();
    ck_assert_int_eq(store_watch_fd(store), -1);
    check_kinds(true, false);
}
END_TEST

START_TEST(long_names)
{
    char path[6000];
    memset(path, 'n', sizeof(path));
    for (size_t length = 200; length < sizeof(path); length += 50) {
        path[length] = '\0';
        ck_assert_str_eq(ASK(path), "<not found>");
        path[length] = 'n';
    }
    for (size_t i = 1; i < sizeof(path); i += 2)
        path[i] = '/';
    for (size_t length = 4000; length < 4200; length++) {
        char last = path[length];
        path[length] = '\0';
        ck_assert_str_eq(ASK(path), "<not found>");
        path[length] = last;
    }
}
END_TEST

/* Root may read everything, so another user asks, in a process of its own. */
START_TEST(unreadable)
{
    pid_t child = fork();
    ck_assert_int_ge(child, 0);
    if (child == 0) {
        if (getuid() == 0 && (setegid(65534) != 0 || seteuid(65534) != 0)) _exit(2);
        struct store *other = tree_open(&options);
        bool right = strcmp(tree_ask(other, "unreadable", ACCEPT_IDENTITY), "<forbidden>") == 0 &&
                     strcmp(tree_ask(other, "unreadable", ACCEPT_ALL), "<forbidden>") == 0 &&
                     strcmp(tree_ask(other, "locked/x", ACCEPT_ALL), "<forbidden>") == 0 &&
                     strcmp(tree_ask(other, "a.txt", ACCEPT_ALL), "one") == 0;
        store_close(other);
        _exit(right ? 0 : 1);
    }
    int status;
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 0, "status %d", status);
}
END_TEST

/*
 * Directories of other users, with every mode, named with and without their slash. One that may not
 * be searched is forbidden. One that may be searched leads to its slash. Permission to list it does
 * not matter.
 */
static const struct {
    const char *path, *without, *with;
} closed[] = {
    {"open", "<directory>", "index"},
    {"searched", "<directory>", "index"},
    {"searched-bare", "<directory>", "<forbidden>"},
    {"listed", "<forbidden>", "<forbidden>"},
    {"closed", "<forbidden>", "<forbidden>"},
    {"closed-bare", "<forbidden>", "<forbidden>"},
    {"in/searched", "<directory>", "index"},
    {"in/closed", "<forbidden>", "<forbidden>"},
    {"closed/in", "<forbidden>", "<forbidden>"},
    {"to-searched", "<directory>", "index"},
    {"to-closed", "<forbidden>", "<forbidden>"},
};

static bool closed_is_right(struct store *other, int row)
{
    char path[64];
    snprintf(path, sizeof(path), "%s/", closed[row].path);
    for (int again = 0; again < 2; again++) {
        bool without = !strcmp(tree_ask(other, closed[row].path, ACCEPT_ALL), closed[row].without);
        bool with = !strcmp(tree_ask(other, path, ACCEPT_ALL), closed[row].with);
        if (!without || !with) return false;
    }
    return true;
}

START_TEST(directories_of_others)
{
    tree_run("cd current; for d in open searched listed closed in/searched in/closed closed/in; do"
             " mkdir -p $d; printf index > $d/index.html; done; mkdir searched-bare closed-bare;"
             "ln -s searched to-searched; ln -s closed to-closed;"
             "chmod 111 searched searched-bare in/searched; chmod 444 listed;"
             "chmod 0 closed closed-bare in/closed");
    pid_t child = fork();
    ck_assert_int_ge(child, 0);
    if (child == 0) {
        if (getuid() == 0 && (setegid(65534) != 0 || seteuid(65534) != 0)) _exit(255);
        options.watches_max = _i == 0 ? 1000 : 0;
        struct store *other = tree_open(&options);
        for (int row = 0; row < (int)(sizeof(closed) / sizeof(closed[0])); row++)
            if (!closed_is_right(other, row)) _exit(1 + row);
        _exit(0);
    }
    int status;
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    tree_run("cd current; chmod 755 searched searched-bare in/searched listed closed closed-bare "
             "in/closed");
    ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 0, "row %d", WEXITSTATUS(status) - 1);
}
END_TEST

static const struct {
    const char *path;
    uint16_t identity, gzip, br, zstd;
    const char *answer;
    bool varies;
} choices[] = {
    {"side.css", 1000, 0, 0, 0, "original", true},
    {"side.css", 1, 1000, 1000, 1000, "zstd:zst", true}, /* br is as short, but zstd comes first */
    {"side.css", 1, 1000, 1000, 999, "br:br1", true},
    {"side.css", 1, 1000, 0, 0, "gzip:gzip", true},
    {"side.css", 1000, 999, 999, 999, "original", true},
    {"side.css", 500, 500, 0, 0, "gzip:gzip", true}, /* it is shorter */
    {"side.css", 0, 1, 0, 0, "gzip:gzip", true},
    {"side.css", 0, 0, 0, 0, "<not acceptable>", true},
    {"a.txt", 0, 1000, 1000, 1000, "<not acceptable>", true},
    {"a.txt", 1, 1000, 1000, 1000, "one", true},
    {"p.png", 1000, 0, 0, 0, "picture", true},
    {"p.png", 1, 1000, 0, 0, "gzip:t", true},
    {"old.css", 1, 1000, 1000, 1000, "old", true},
    {"linked.css", 1, 1000, 1000, 1000, "br:one", true},
    {"big.bin", 1, 1000, 1000, 1000, "A*10000", false},
    {"page", 1, 1000, 1000, 1000, "page", false}, /* its .gz is a FIFO */
    {"side.css.br", 1, 1000, 1000, 1000, "br1", false},
    {"none.css", 1, 1000, 1000, 1000, "gzip:zip", true}, /* its .br and .zst are empty */
    {"none.css", 0, 0, 1000, 1000, "<not acceptable>", true},
    {"cut.png", 1, 1000, 1000, 1000, "picture", false}, /* all of its sidecars are empty */
    {"empty.css", 0, 1000, 0, 0, "gzip:zip", true},
    {"empty.css", 1, 1000, 1000, 1000, "gzip:zip", true},
    {"empty.css", 1000, 0, 0, 0, "", true},
};

START_TEST(codings)
{
    for (int i = 0; i < 2 * COUNT(choices); i++) {
        int row = i % COUNT(choices);
        struct accepted accepted = {.weight = {choices[row].identity, choices[row].gzip,
                                               choices[row].br, choices[row].zstd}};
        struct resolution resolution = tree_resolve(store, choices[row].path, accepted);
        const char *got = tree_describe(resolution);
        ck_assert_msg(strcmp(got, choices[row].answer) == 0, "%d: %s", row, got);
        ck_assert_int_eq(resolution.varies, choices[row].varies);
        const struct representation *r = resolution.representation;
        if (r == NULL) continue;
        ck_assert_int_eq(r->varies, choices[row].varies);
        store_return(store, r);
    }
}
END_TEST

/* A client that accepts no available coding gets the original; accepted sidecars come first. */
START_TEST(original_otherwise)
{
    const struct accepted none = {.original_otherwise = true};
    const struct accepted gzip = {.weight = {0, 1, 0, 0}, .original_otherwise = true};
    ck_assert_str_eq(tree_ask(store, "a.txt", none), "one");
    ck_assert_str_eq(tree_ask(store, "side.css", none), "original");
    ck_assert_str_eq(tree_ask(store, "big.bin", none), "A*10000");
    ck_assert_str_eq(tree_ask(store, "dir/", none), "index");
    ck_assert_str_eq(tree_ask(store, "nope", none), "<not found>");
    tree_run("cd current; printf 'much longer than the original' > side.css.gz");
    ck_assert_str_eq(tree_ask(store, "side.css", gzip), "gzip:much longer than the original");
    ck_assert_str_eq(tree_ask(store, "old.css", gzip), "old");
}
END_TEST

/*
 * An .svgz file is gzip itself. It is sent whatever is accepted, from memory or as a file, and has
 * no sidecars.
 */
START_TEST(own_coding)
{
    const struct accepted accepted[] = {
        ACCEPT_IDENTITY, ACCEPT_ALL, {.weight = {0, 0, 0, 0}}, {.weight = {0, 1000, 0, 0}}};
    tree_run("cd current; printf svg > p.svgz; printf x > p.svgz.gz; printf y > p.svgz.br;"
             "printf SVG > P.SVGZ; printf no > svgz; cp big.bin big.svgz");
    for (int i = 0; i < 2 * COUNT(accepted); i++) {
        struct resolution resolution = tree_resolve(store, "p.svgz", accepted[i / 2]);
        ck_assert_str_eq(tree_describe(resolution), "gzip:svg");
        ck_assert(!resolution.varies);
        store_return(store, resolution.representation);
        ck_assert_str_eq(tree_ask(store, "P.SVGZ", accepted[i / 2]), "gzip:SVG");
        ck_assert_str_eq(tree_ask(store, "big.svgz", accepted[i / 2]), "gzip:A*10000");
    }
    ck_assert_str_eq(tree_ask(store, "svgz", ACCEPT_IDENTITY), "no");
    uint64_t misses = store_counts(store)->misses;
    tree_run("printf z > current/p.svgz.zst");
    ck_assert_str_eq(tree_ask(store, "p.svgz", ACCEPT_ALL), "gzip:svg");
    ck_assert_str_eq(tree_ask(store, "p.svgz", ACCEPT_ALL), "gzip:svg");
    ck_assert_uint_le(store_counts(store)->misses, misses + 1);
    tree_run("printf new > current/p.svgz");
    ck_assert_str_eq(tree_ask(store, "p.svgz", ACCEPT_ALL), "gzip:new");
}
END_TEST

START_TEST(sidecars_off)
{
    tree_site.sidecar[CODING_GZIP] = tree_site.sidecar[CODING_BR] = tree_site.sidecar[CODING_ZSTD] =
        false;
    reopen();
    struct resolution resolution = tree_resolve(store, "side.css", ACCEPT_ALL);
    ck_assert_str_eq(tree_describe(resolution), "original");
    ck_assert(!resolution.varies);
    store_return(store, resolution.representation);
}
END_TEST

static struct text etag_of(const char *path, struct accepted accepted, char copy[ETAG_MAX])
{
    struct resolution resolution = tree_resolve(store, path, accepted);
    ck_assert_int_eq(resolution.kind, RESOLUTION_FOUND);
    struct text etag = resolution.representation->etag;
    memcpy(copy, etag.base, etag.length);
    store_return(store, resolution.representation);
    return (struct text){copy, etag.length};
}

START_TEST(etags)
{
    char a[ETAG_MAX], b[ETAG_MAX], c[ETAG_MAX];
    tree_run("cp current/side.css current/copy.css; cp current/side.css current/copy.css.br");
    struct text original = etag_of("side.css", ACCEPT_IDENTITY, a);
    struct text copy = etag_of("copy.css", ACCEPT_IDENTITY, b);
    struct text coded = etag_of("copy.css", ACCEPT_ALL, c);
    ck_assert(text_equals(original, copy)); /* the same bytes have the same tag on all machines */
    ck_assert(!text_equals(original, coded));
    ck_assert_uint_eq(original.length, 34);
    ck_assert_msg(a[0] == '"' && a[33] == '"', "quotes");
    tree_settle(); /* a large file has no tag before it is settled */
    struct text big = etag_of("big.bin", ACCEPT_IDENTITY, a);
    tree_run("printf B | dd of=current/big.bin conv=notrunc status=none");
    tree_settle();
    struct text edited = etag_of("big.bin", ACCEPT_IDENTITY, b);
    ck_assert(!text_equals(big, edited));
}
END_TEST

START_TEST(metadata)
{
    tree_run("touch -d '2001-02-03 04:05:06 UTC' current/a.txt;"
             "touch -d '2100-01-01 00:00:00 UTC' current/dir/index.html");
    struct resolution resolution = tree_resolve(store, "a.txt", ACCEPT_IDENTITY);
    const struct representation *r = resolution.representation;
    ck_assert_int_eq(r->modified_seconds, 981173106);
    ck_assert_int_eq(r->source, SOURCE_MEMORY);
    ck_assert_int_eq(r->fd, -1);
    ck_assert(text_equals(r->media_type, TEXT("text/plain; charset=utf-8")));
    char head[PREPARED_HEAD_MAX];
    struct representation again = *r;
    ck_assert_uint_gt(representation_prepare_head(&again, head, sizeof(head)), 0);
    ck_assert(text_equals(r->prepared_head, again.prepared_head));
    store_return(store, r);

    r = tree_resolve(store, "dir/", ACCEPT_IDENTITY).representation;
    ck_assert_int_eq(r->modified_seconds,
                     MODIFIED_UNKNOWN); /* its date is in the future, and it was touched just now */
    ck_assert(text_equals(r->media_type, TEXT("text/html; charset=utf-8")));
    store_return(store, r);

    r = tree_resolve(store, "side.css", ACCEPT_ALL).representation;
    ck_assert(text_equals(r->media_type, TEXT("text/css; charset=utf-8")));
    store_return(store, r);

    r = tree_resolve(store, "big.bin", ACCEPT_IDENTITY).representation;
    ck_assert_int_eq(r->source, SOURCE_PAGE_CACHE);
    ck_assert_ptr_null(r->content);
    store_return(store, r);
}
END_TEST

START_TEST(loans_outlive_everything)
{
    struct resolution old = tree_resolve(store, "a.txt", ACCEPT_IDENTITY);
    struct resolution again = tree_resolve(store, "a.txt", ACCEPT_IDENTITY);
    struct resolution big = tree_resolve(store, "big.bin", ACCEPT_IDENTITY);
    ck_assert_ptr_eq(old.representation, again.representation);
    tree_run("printf two > current/a.txt; rm current/big.bin");
    ck_assert_str_eq(ASK("a.txt"), "two");
    ck_assert_str_eq(ASK("big.bin"), "<not found>");
    ck_assert_str_eq(tree_describe(old), "one");
    ck_assert_str_eq(tree_describe(big), "A*10000");
    ck_assert_uint_eq(store_counts(store)->descriptors, 1);
    uint64_t before = store_counts(store)->bytes;
    store_return(store, old.representation);
    ck_assert_uint_eq(store_counts(store)->bytes, before);
    ck_assert_str_eq(tree_describe(again), "one");
    store_return(store, again.representation);
    ck_assert_uint_lt(store_counts(store)->bytes, before);
    store_return(store, big.representation);
    ck_assert_uint_eq(store_counts(store)->descriptors, 0);
}
END_TEST

/* One file may be kept open, and two more may be lent. A file that is lent twice is open once. */
START_TEST(files_lent_are_bounded)
{
    struct store_options few = tree_options();
    struct resolution lent[3];
    char path[] = "f0";
    few.file_bytes_max = 0;
    few.descriptors_max = 1;
    few.descriptors_lent_max = 2;
    struct store *own = tree_open(&few);
    tree_run("for i in 0 1 2 3; do echo $i > current/f$i; done");
    for (int i = 0; i < 3; i++) {
        path[1] = (char)('0' + i);
        lent[i] = tree_resolve(own, path, ACCEPT_IDENTITY);
        ck_assert_int_eq(lent[i].kind, RESOLUTION_FOUND);
    }
    ck_assert_uint_eq(store_counts(own)->descriptors, 3);
    ck_assert_str_eq(tree_ask(own, "f3", ACCEPT_IDENTITY), "<crowded>");
    ck_assert_str_eq(tree_ask(own, "f0", ACCEPT_IDENTITY), "0*2"); /* this file is kept open */
    ck_assert_str_eq(tree_ask(own, "nope", ACCEPT_IDENTITY), "<not found>");
    /* It is kept but not lent any more, so it is closed for another file. */
    store_return(own, lent[0].representation);
    ck_assert_str_eq(tree_ask(own, "f3", ACCEPT_IDENTITY), "3*2");
    ck_assert_uint_le(store_counts(own)->descriptors, 3);
    store_return(own, lent[1].representation);
    store_return(own, lent[2].representation);
    ck_assert_str_eq(tree_ask(own, "f3", ACCEPT_IDENTITY), "3*2");
    store_close(own);
}
END_TEST

START_TEST(descriptors_exhausted)
{
    struct rlimit limit, none;
    ck_assert_str_eq(ASK("a.txt"), "one");
    ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
    int lowest = dup(0);
    close(lowest);
    none = limit;
    none.rlim_cur = (rlim_t)lowest;
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &none), 0);
    ck_assert_str_eq(ASK("dir/index.html"), "<busy>");
    ck_assert_str_eq(ASK("nope"), "<busy>");
    ck_assert_str_eq(ASK("a.txt"), "one");
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
    ck_assert_str_eq(ASK("dir/index.html"), "index");
    ck_assert_str_eq(ASK("nope"), "<not found>");
}
END_TEST

/* A writer waits for a reader of the FIFO. The store must not be this reader, nor wait. */
START_TEST(fifo_is_left_alone)
{
    pid_t writer = fork();
    ck_assert_int_ge(writer, 0);
    if (writer == 0) {
        alarm(5);
        _exit(open("current/fifo", O_WRONLY) >= 0 ? 1 : 2);
    }
    tree_settle();
    for (int i = 0; i < 10; i++)
        ck_assert_str_eq(ASK("fifo"), "<not found>");
    tree_settle();
    int status;
    ck_assert_int_eq(waitpid(writer, &status, WNOHANG), 0); /* it still waits */
    kill(writer, SIGKILL);
    waitpid(writer, &status, 0);
}
END_TEST

/* Another process rewrites the file all the time. Each result is one of its versions. */
START_TEST(never_a_mixture)
{
    pid_t writer = fork();
    ck_assert_int_ge(writer, 0);
    if (writer == 0) {
        char block[4096];
        for (unsigned i = 0; i < 1U << 30; i++) {
            size_t length = 1 + i % sizeof(block);
            memset(block, 'a' + (int)(i % 26), length);
            int new = open("new", O_CREAT | O_TRUNC | O_WRONLY, 0644);
            if (write(new, block, length) < 0) _exit(1);
            close(new);
            rename("new", "current/moving");
        }
        _exit(0);
    }
    while (access("current/moving", F_OK) != 0)
        tree_settle();
    for (int i = 0; i < 4000; i++) {
        struct resolution resolution = tree_resolve(store, "moving", ACCEPT_IDENTITY);
        if (resolution.kind == RESOLUTION_BUSY) continue;
        ck_assert_int_eq(resolution.kind, RESOLUTION_FOUND);
        const struct representation *r = resolution.representation;
        /* Each byte is the same as the one before it. */
        if (r->content != NULL) ck_assert(!memcmp(r->content, r->content + 1, r->length - 1));
        store_return(store, r);
    }
    kill(writer, SIGKILL);
    waitpid(writer, NULL, 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("resolve");
    TCase *cases = tcase_create("resolve");
    tcase_add_checked_fixture(cases, setup, teardown);
    tcase_set_timeout(cases, 60);
    tcase_add_test(cases, answers);
    tcase_add_test(cases, answers_without_openat2);
    tcase_add_test(cases, answers_without_watches);
    tcase_add_test(cases, long_names);
    tcase_add_test(cases, unreadable);
    tcase_add_loop_test(cases, directories_of_others, 0, 2);
    tcase_add_test(cases, codings);
    tcase_add_test(cases, original_otherwise);
    tcase_add_test(cases, own_coding);
    tcase_add_test(cases, sidecars_off);
    tcase_add_test(cases, etags);
    tcase_add_test(cases, metadata);
    tcase_add_test(cases, loans_outlive_everything);
    tcase_add_test(cases, files_lent_are_bounded);
    tcase_add_test(cases, descriptors_exhausted);
    tcase_add_test(cases, fifo_is_left_alone);
    tcase_add_test(cases, never_a_mixture);
    suite_add_tcase(suite, cases);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
