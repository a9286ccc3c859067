/*
 * Resolving AT_ONCE: what the kernel would have to read is COLD and changes nothing in the store;
 * after an errand it is found. Errands run in a thread while the store goes on.
 *
 * On a disk, a name that nobody has asked for is cold, and so is a file whose pages were dropped.
 * Some test directories are not on a disk, or on a file system that does not tell what is in the
 * page cache. There nothing can be cold: the tests then say so, and check only the results.
 */
#define _GNU_SOURCE
#include "forbid.h"
#include "store/beneath.h"

#include "tree.h"
#include "skip.h"
#include "zcserve/resident.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#define XFS_MAGIC 0x58465342

static const char tree[] =
    "umask 022; mkdir release1; ln -s release1 current; cd release1; mkdir dir bare far far/away;"
    "printf one > a.txt; printf two > b.txt; printf index > dir/index.htm; printf sea > far/away/c;"
    "printf plain > side.css; printf zip > side.css.gz; : > empty; ln -s a.txt link;"
    "head -c 3000 /dev/zero | tr '\\0' M > middle; head -c 100000 /dev/zero | tr '\\0' A > big.bin";

static struct store_options options;
static struct store *store;
static bool cold_is_to_be_had;
/* The reason for skipping: then only half of a test runs, and it counts as skipped. */
static const char *half = "the kernel opens nothing from its cache alone; the other half holds";

static bool tells_what_it_has(const char *path)
{
    static const uint32_t told[] = {EXT4_SUPER_MAGIC, XFS_MAGIC, BTRFS_SUPER_MAGIC,
                                    F2FS_SUPER_MAGIC};
    struct statfs status;
    ck_assert_int_eq(statfs(path, &status), 0);
    for (size_t i = 0; i < sizeof(told) / sizeof(told[0]); i++)
        if ((uint32_t)status.f_type == told[i]) return true;
    half = "nothing is cold on this file system; the other half holds";
    return false;
}

static void setup(void)
{
    tree_make(tree);
    tree_age();
    options = tree_options();
    store = tree_open(&options);
    int root = open(".", O_PATH | O_DIRECTORY);
    cold_is_to_be_had = tells_what_it_has(".") && beneath_may_ask(root);
    close(root);
}

static void teardown(void)
{
    store_close(store);
    tree_remove();
}

static struct lookup lookup_of(const char *path, struct accepted accepted)
{
    return (struct lookup){.path = {path, strlen(path)}, .accepted = accepted};
}

static const char *ask_at_once(const char *path, struct accepted accepted)
{
    struct lookup lookup = lookup_of(path, accepted);
    struct now now = tree_now();
    store_refresh(store, &now);
    struct resolution resolution = store_resolve(store, &lookup, AT_ONCE, &now);
    const char *text = tree_describe(resolution);
    if (resolution.representation != NULL) store_return(store, resolution.representation);
    return text;
}

static void run_errand(const char *path)
{
    struct lookup lookup = lookup_of(path, ACCEPT_IDENTITY);
    struct errand *errand = store_errand(store, &lookup);
    ck_assert_ptr_nonnull(errand);
    ck_assert_ptr_nonnull(errand_key(errand).base);
    errand_run(errand);
    errand_free(errand);
}

static int descriptors_open(void)
{
    int count = 0;
    for (int fd = 0; fd < 256; fd++)
        count += fcntl(fd, F_GETFD) >= 0;
    return count;
}

/*
 * Checks that no count of the store has changed, except those of watches, which may stay, of their
 * bytes, and of refreshes.
 */
static void expect_nothing_changed(const struct store_counts *before, int descriptors)
{
    struct store_counts after = *store_counts(store);
    after.watches = before->watches;
    after.refreshes = before->refreshes;
    after.bytes = before->bytes;
    ck_assert_mem_eq(&after, before, sizeof(after));
    ck_assert_int_eq(descriptors_open(), descriptors);
}

/* Expects COLD each time, where something can be cold; and `wanted` after an errand. */
static void expect_cold_first(const char *path, struct accepted accepted, const char *wanted)
{
    struct store_counts before = *store_counts(store);
    int descriptors = descriptors_open();
    for (int i = 0; i < 3 && cold_is_to_be_had; i++) {
        const char *got = ask_at_once(path, accepted);
        ck_assert_msg(strcmp(got, "<cold>") == 0, "%s: %s before the errand", path, got);
        expect_nothing_changed(&before, descriptors);
    }
    run_errand(path);
    ck_assert_int_eq(descriptors_open(), descriptors);
    const char *got =
        cold_is_to_be_had ? ask_at_once(path, accepted) : tree_ask(store, path, accepted);
    ck_assert_msg(strcmp(got, wanted) == 0, "%s: %s after the errand", path, got);
}

static void give_up_pages(const char *path)
{
    int fd = open(path, O_RDONLY);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(fdatasync(fd), 0);
    ck_assert_int_eq(posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED), 0);
    if (cold_is_to_be_had && resident(fd, 0, 1)) {
        half = "pages stay in memory here; the other half holds";
        cold_is_to_be_had = false;
    }
    close(fd);
}

/* Names that nobody has requested, with sidecars and indexes among them. */
static const struct {
    const char *path, *answer;
} names[] = {
    {"nope", "<not found>"},
    {"bare/nope", "<not found>"},
    {"nope/nope/nope", "<not found>"},
    {"a.txt", "one"},
    {"link", "one"},
    {"empty", ""},
    {"dir/", "index"},
    {"bare/", "<forbidden>"},
    {"far/away/c", "sea"},
    {"side.css", "plain"},
    {"big.bin", "A*100000"},
};

START_TEST(names_are_cold)
{
    expect_cold_first(names[_i].path, ACCEPT_IDENTITY, names[_i].answer);
    if (cold_is_to_be_had && names[_i].path[0] != 'l') {
        uint64_t hits = store_counts(store)->hits;
        /* False where the directory cannot be watched. */
        bool kept = strcmp(names[_i].path, "nope/nope/nope") != 0;
        ck_assert_str_eq(ask_at_once(names[_i].path, ACCEPT_IDENTITY), names[_i].answer);
        ck_assert_uint_eq(store_counts(store)->hits, hits + kept);
    }
    ck_assert_ptr_null(store_notice(store));
    SKIP_IF(!cold_is_to_be_had, half);
}
END_TEST

/* Without watches, no directory is opened first, and absent names are never remembered. */
START_TEST(names_are_cold_unwatched)
{
    store_close(store);
    options.watches_max = 0;
    store = tree_open(&options);
    expect_cold_first(names[_i].path, ACCEPT_IDENTITY, names[_i].answer);
    SKIP_IF(!cold_is_to_be_had, half);
}
END_TEST

/* Files of any size that is kept in memory have cold pages. Larger files are only opened. */
START_TEST(contents_are_cold)
{
    char middle[3001] = "";
    memset(middle, 'M', 3000);
    run_errand("middle");
    run_errand("big.bin");
    give_up_pages("current/middle");
    give_up_pages("current/big.bin");
    expect_cold_first("middle", ACCEPT_IDENTITY, middle);
    if (cold_is_to_be_had) ck_assert_str_eq(ask_at_once("big.bin", ACCEPT_IDENTITY), "A*100000");
    SKIP_IF(!cold_is_to_be_had, half);
}
END_TEST

/* An errand for one coding fetches all codings. A cold coding has no effect on the others. */
START_TEST(codings_are_cold_each)
{
    run_errand("side.css");
    give_up_pages("current/side.css.gz");
    ck_assert_str_eq(tree_ask(store, "side.css", ACCEPT_IDENTITY), "plain");
    expect_cold_first("side.css", ACCEPT_ALL, "gzip:zip");
    uint64_t hits = store_counts(store)->hits;
    ck_assert_str_eq(ask_at_once("side.css", ACCEPT_IDENTITY), "plain");
    ck_assert_str_eq(ask_at_once("side.css", ACCEPT_ALL), "gzip:zip");
    ck_assert_uint_eq(store_counts(store)->hits, hits + 2);
    SKIP_IF(!cold_is_to_be_had, half);
}
END_TEST

/* Makes the kernel forget all names that are not in use. Returns false if this is not permitted. */
static bool forget_names(void)
{
    int fd = open("/proc/sys/vm/drop_caches", O_WRONLY);
    bool done = fd >= 0 && write(fd, "2", 1) == 1;
    if (fd >= 0) close(fd);
    if (!done) half = "dropping names takes root; the other half holds";
    return done;
}

/* The kernel and the store knew these names once. An entry that is due waits for its errand. */
START_TEST(forgotten_names_are_cold)
{
    store_close(store);
    options.watches_max = 0; /* so that entries are compared on each hit */
    store = tree_open(&options);
    ck_assert_str_eq(tree_ask(store, "far/away/c", ACCEPT_IDENTITY), "sea");
    ck_assert_str_eq(ask_at_once("far/away/c", ACCEPT_IDENTITY), "sea");
    uint64_t hits = store_counts(store)->hits;
    ck_assert_uint_eq(hits, 1);
    sleep(1);
    cold_is_to_be_had &= forget_names();
    expect_cold_first("far/away/c", ACCEPT_IDENTITY, "sea");
    ck_assert_uint_eq(store_counts(store)->entries, 1);
    ck_assert_uint_eq(store_counts(store)->hits, hits + 1);
    tree_run("printf SEA > current/far/away/c");
    ck_assert_str_eq(ask_at_once("far/away/c", ACCEPT_IDENTITY), "SEA");
    SKIP_IF(!cold_is_to_be_had, half);
}
END_TEST

static void expect_never_cold(const char *prefix)
{
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        char path[64];
        snprintf(path, sizeof(path), "%s%s", prefix, names[i].path);
        for (int again = 0; again < 2; again++) {
            const char *got = ask_at_once(path, ACCEPT_IDENTITY);
            ck_assert_msg(strcmp(got, names[i].answer) == 0, "%s: %s", path, got);
        }
    }
}

/* tmpfs does not remember absent names, so its cache alone cannot tell that a name is absent. */
START_TEST(never_cold_in_memory)
{
    char script[160], directory[] = "/dev/shm/zcserve-XXXXXX";
    struct statfs status;
    bool absent = statfs("/dev/shm", &status) != 0 || (uint32_t)status.f_type != TMPFS_MAGIC;
    SKIP_IF(absent, "/dev/shm is no tmpfs");
    ck_assert_ptr_nonnull(mkdtemp(directory));
    snprintf(script, sizeof(script), "cp -a release1 %s; truncate -s 2000 %s/release1/sparse",
             directory, directory);
    tree_run(script);
    store_close(store);
    tree_site.root = directory;
    options.watches_max = _i == 0 ? 1000 : 0;
    store = tree_open(&options);
    expect_never_cold("release1/");
    ck_assert_str_eq(ask_at_once("nope/nope", ACCEPT_IDENTITY), "<not found>");
    /* The file begins with a NUL. */
    ck_assert_str_eq(ask_at_once("release1/sparse", ACCEPT_IDENTITY), "");
    snprintf(script, sizeof(script), "rm -r %s", directory);
    tree_run(script);
}
END_TEST

START_TEST(in_memory_is_told_apart)
{
    struct beneath disk = {.directory = open(".", O_PATH | O_DIRECTORY), .at_once = true};
    struct beneath root = {.directory = open("/", O_PATH | O_DIRECTORY), .at_once = true};
    struct statfs status;
    bool on_disk = statfs(".", &status) == 0 && (uint32_t)status.f_type != TMPFS_MAGIC;
    bool shm = statfs("/dev/shm", &status) == 0 && (uint32_t)status.f_type == TMPFS_MAGIC;
    int descriptors = descriptors_open();
    if (on_disk) ck_assert(!beneath_is_in_memory(&disk, TEXT("release1/far/away/c")));
    if (on_disk) ck_assert(!beneath_is_in_memory(&disk, TEXT("")));
    if (shm) ck_assert(beneath_is_in_memory(&root, TEXT("dev/shm/nope/nope/nope")));
    if (shm) ck_assert(beneath_is_in_memory(&root, TEXT("dev/shm/")));
    ck_assert_int_eq(descriptors_open(), descriptors);
    close(disk.directory);
    close(root.directory);
}
END_TEST

/* An old kernel is not asked: the store waits for the disk, and raises a notice once. */
START_TEST(waits_where_it_cannot_ask)
{
    forbid_openat2();
    store_close(store);
    store = tree_open(&options);
    ck_assert_ptr_nonnull(strstr(store_notice(store), "openat2 is missing"));
    ck_assert_ptr_null(store_notice(store));
    ck_assert_str_eq(ask_at_once("a.txt", ACCEPT_IDENTITY), "one");
    ck_assert_str_eq(ask_at_once("nope", ACCEPT_IDENTITY), "<not found>");
    ck_assert_ptr_nonnull(strstr(store_notice(store), "other connections wait"));
    ck_assert_ptr_null(store_notice(store));
    run_errand("b.txt");
    run_errand("far/away/c");
}
END_TEST

START_TEST(hits_are_hits)
{
    ck_assert_str_eq(tree_ask(store, "a.txt", ACCEPT_IDENTITY), "one");
    ck_assert_str_eq(tree_ask(store, "nope", ACCEPT_IDENTITY), "<not found>");
    for (int i = 0; i < 10; i++) {
        ck_assert_str_eq(ask_at_once("a.txt", ACCEPT_IDENTITY), "one");
        ck_assert_str_eq(ask_at_once("nope", ACCEPT_IDENTITY), "<not found>");
    }
    ck_assert_uint_eq(store_counts(store)->hits, 20);
    ck_assert_uint_eq(store_counts(store)->misses, 2);
    run_errand("b.txt");
    ck_assert_str_eq(ask_at_once("b.txt", ACCEPT_IDENTITY), "two");
    tree_run("printf new > current/b.txt");
    ck_assert_str_eq(ask_at_once("b.txt", ACCEPT_IDENTITY), "new");
}
END_TEST

/* An errand uses the root that it was made for. Without a root, no errand can be made. */
START_TEST(errands_and_the_root)
{
    struct lookup lookup = lookup_of("a.txt", ACCEPT_IDENTITY);
    struct errand *errand = store_errand(store, &lookup);
    int descriptors = descriptors_open();
    tree_run("mv release1 x");
    ck_assert_str_eq(ask_at_once("a.txt", ACCEPT_IDENTITY), "<not found>");
    errno = 0;
    ck_assert_ptr_null(store_errand(store, &lookup));
    ck_assert_int_ne(errno, 0);
    errand_run(errand);
    errand_free(errand);
    /* The descriptors of the root and of the errand. */
    ck_assert_int_eq(descriptors_open(), descriptors - 2);
    errand_free(NULL);
}
END_TEST

/* The thread gets one errand at a time. Meanwhile the store does other things. */
static struct {
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    struct errand *errand;
    bool over;
} desk = {.mutex = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};

static void desk_put(struct errand *errand)
{
    pthread_mutex_lock(&desk.mutex);
    while (desk.errand != NULL)
        pthread_cond_wait(&desk.changed, &desk.mutex);
    desk.errand = errand;
    desk.over = errand == NULL;
    pthread_cond_signal(&desk.changed);
    pthread_mutex_unlock(&desk.mutex);
}

static struct errand *desk_take(void)
{
    pthread_mutex_lock(&desk.mutex);
    while (desk.errand == NULL && !desk.over)
        pthread_cond_wait(&desk.changed, &desk.mutex);
    struct errand *errand = desk.errand;
    desk.errand = NULL;
    pthread_cond_signal(&desk.changed);
    pthread_mutex_unlock(&desk.mutex);
    return errand;
}

static void *run_errands(void *ran)
{
    struct errand *errand;
    while ((errand = desk_take()) != NULL) {
        errand_run(errand);
        errand_free(errand);
        ++*(int *)ran;
    }
    return NULL;
}

/* Meanwhile files change on disk and the root is replaced. */
START_TEST(errands_beside_the_store)
{
    enum { ROUNDS = 400 };
    pthread_t thread;
    int ran = 0, cold = 0;
    tree_run("cp -a release1 release2");
    ck_assert_int_eq(pthread_create(&thread, NULL, run_errands, &ran), 0);
    for (int i = 0; i < ROUNDS; i++) {
        char path[32];
        snprintf(path, sizeof(path), i % 2 ? "nope%d" : "far/nope%d", i);
        struct lookup lookup = lookup_of(i % 4 ? path : "side.css", ACCEPT_ALL);
        struct errand *errand = store_errand(store, &lookup);
        ck_assert_ptr_nonnull(errand);
        desk_put(errand);
        cold += strcmp(ask_at_once(path, ACCEPT_IDENTITY), "<cold>") == 0;
        const char *got = tree_ask(store, "side.css", ACCEPT_ALL);
        ck_assert_msg(strcmp(got, "gzip:zip") == 0, "%s", got);
        if (i % 10 == 0) ck_assert_int_eq(utimensat(AT_FDCWD, "current/side.css.gz", NULL, 0), 0);
        if (i % 50 == 0) {
            ck_assert_int_eq(symlink(i % 100 ? "release1" : "release2", "new"), 0);
            ck_assert_int_eq(rename("new", "current"), 0);
        }
    }
    desk_put(NULL);
    pthread_join(thread, NULL);
    ck_assert_int_eq(ran, ROUNDS);
    if (cold_is_to_be_had) ck_assert_int_gt(cold, 0);
}
END_TEST

int main(void)
{
    int count = sizeof(names) / sizeof(names[0]);
    Suite *suite = suite_create("cold");
    TCase *cases = tcase_create("cold");
    tcase_add_checked_fixture(cases, setup, teardown);
    tcase_set_timeout(cases, 60);
    tcase_add_loop_test(cases, names_are_cold, 0, count);
    tcase_add_loop_test(cases, names_are_cold_unwatched, 0, count);
    tcase_add_test(cases, contents_are_cold);
    tcase_add_test(cases, codings_are_cold_each);
    tcase_add_test(cases, forgotten_names_are_cold);
    tcase_add_loop_test(cases, never_cold_in_memory, 0, 2);
    tcase_add_test(cases, in_memory_is_told_apart);
    tcase_add_test(cases, waits_where_it_cannot_ask);
    tcase_add_test(cases, hits_are_hits);
    tcase_add_test(cases, errands_and_the_root);
    tcase_add_test(cases, errands_beside_the_store);
    suite_add_tcase(suite, cases);
    SRunner *runner = srunner_create(suite);
    srunner_set_fork_status(runner, CK_NOFORK); /* no test leaves anything behind */
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
