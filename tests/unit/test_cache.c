/*
 * The budget: bytes, descriptors and absent paths stay within their limits, whatever is requested,
 * and files that are requested again stay in the cache during a scan.
 */
#define _GNU_SOURCE
#include "store/cache.h"

#include "tree.h"

#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILES 4000
#define SCANNED 3000

static struct store_options options;
static struct store *store;

static void put_file(const char *path, size_t length)
{
    char space[65536];
    int fd = open(path, O_CREAT | O_WRONLY, 0644);
    ck_assert_int_ge(fd, 0);
    memset(space, 'x', length);
    snprintf(space, sizeof(space), "%s", path);
    ck_assert_int_eq((int)write(fd, space, length), (int)length);
    close(fd);
}

static void setup(void)
{
    tree_make("mkdir current");
    tree_age();
    options = tree_options();
    options.memory_bytes_max = 2 << 20;
    options.file_bytes_max = 32768;
}

static void teardown(void)
{
    store_close(store);
    tree_remove();
}

static void make_files(int count)
{
    char path[64];
    for (int i = 0; i < count; i++) {
        if (i % 100 == 0) {
            snprintf(path, sizeof(path), "current/%d", i / 100);
            ck_assert_int_eq(mkdir(path, 0755), 0);
        }
        snprintf(path, sizeof(path), "current/%d/%d.txt", i / 100, i);
        put_file(path, (size_t)(100 + i * 37 % 3000 + (i % 97 == 0 ? 29000 : 0)));
    }
}

static bool ask_number(int i)
{
    char path[64];
    snprintf(path, sizeof(path), "%d/%d.txt", i / 100, i);
    uint64_t hits = store_counts(store)->hits;
    struct resolution resolution = tree_resolve(store, path, ACCEPT_IDENTITY);
    ck_assert_int_eq(resolution.kind, RESOLUTION_FOUND);
    const char *content = resolution.representation->content;
    ck_assert_ptr_nonnull(content);
    ck_assert_int_eq(strncmp(content + strlen("current/"), path, strlen(path)), 0);
    store_return(store, resolution.representation);
    return store_counts(store)->hits > hits;
}

static void check_bounds(void)
{
    const struct store_counts *counts = store_counts(store);
    bool within =
        counts->bytes <= options.memory_bytes_max && counts->descriptors <= options.descriptors_max;
    /* Happens thousands of times, and an assertion writes to a file each time. */
    if (within) return;
    ck_abort_msg("%zu bytes, %zu descriptors", (size_t)counts->bytes, (size_t)counts->descriptors);
}

static void ask_all_twice(void)
{
    uint64_t most = 0;
    store = tree_open(&options);
    for (int i = 0; i < 2 * FILES; i++) {
        ask_number((int)((unsigned)i * 7919U % FILES));
        check_bounds();
        if (store_counts(store)->bytes > most) most = store_counts(store)->bytes;
    }
    ck_assert_uint_gt(most, options.memory_bytes_max * 9 / 10);
    ck_assert_uint_gt(store_counts(store)->evictions, FILES);
    ck_assert_uint_gt(store_counts(store)->entries, 300);
}

START_TEST(bytes_stay_within_the_budget)
{
    make_files(FILES);
    tree_settle();
    ask_all_twice();
    store_close(store);
    options.watches_max = 0;
    ask_all_twice();
}
END_TEST

START_TEST(asked_again_survives_a_scan)
{
    make_files(SCANNED);
    store = tree_open(&options);
    for (int i = 0; i < 300; i++)
        ask_number(i % 100);
    int hits = 0;
    for (int i = 100; i < SCANNED; i++) {
        ask_number(i);
        hits += ask_number(i % 100); /* a file of the first 100, between the scanned ones */
    }
    ck_assert_int_gt(hits, (SCANNED - 100) * 95 / 100);
}
END_TEST

START_TEST(descriptors_stay_within_their_number)
{
    char path[64];
    options.descriptors_max = 5;
    store = tree_open(&options);
    for (int i = 0; i < 40; i++) {
        snprintf(path, sizeof(path), "current/%d.bin", i);
        put_file(path, 40000);
        snprintf(path, sizeof(path), "%d.bin", i);
        tree_ask(store, path, ACCEPT_IDENTITY);
        check_bounds();
    }
    ck_assert_uint_eq(store_counts(store)->descriptors, 5);
    ck_assert_uint_eq(store_counts(store)->entries, 5);
    uint64_t hits = store_counts(store)->hits;
    ck_assert_str_eq(tree_ask(store, "39.bin", ACCEPT_IDENTITY), "c*40000");
    ck_assert_uint_eq(store_counts(store)->hits, hits + 1);
}
END_TEST

START_TEST(absences_stay_within_their_number)
{
    char path[64];
    options.absent_max = 10;
    store = tree_open(&options);
    for (int i = 0; i < 1000; i++) {
        snprintf(path, sizeof(path), "no%d", i);
        ck_assert_str_eq(tree_ask(store, path, ACCEPT_IDENTITY), "<not found>");
        ck_assert_uint_le(store_counts(store)->entries, 10);
    }
    uint64_t hits = store_counts(store)->hits;
    tree_ask(store, "no999", ACCEPT_IDENTITY);
    ck_assert_uint_eq(store_counts(store)->hits, hits + 1);
}
END_TEST

START_TEST(nothing_is_cached_without_a_budget)
{
    put_file("current/a.txt", 100);
    options.memory_bytes_max = options.descriptors_max = options.absent_max = 0;
    store = tree_open(&options);
    for (int i = 0; i < 5; i++) {
        ck_assert_str_eq(tree_ask(store, "a.txt", ACCEPT_IDENTITY), "c*100");
        ck_assert_str_eq(tree_ask(store, "b.txt", ACCEPT_IDENTITY), "<not found>");
    }
    ck_assert_uint_eq(store_counts(store)->hits, 0);
    ck_assert_uint_eq(store_counts(store)->entries, 0);
    ck_assert_uint_eq(store_counts(store)->descriptors, 0);
}
END_TEST

/* While the whole budget is lent, files are sent from descriptors; afterwards all is as before. */
START_TEST(budget_is_lent)
{
    enum { LENT = 2000 };
    static const struct representation *lent[LENT];
    make_files(LENT);
    store = tree_open(&options);
    int from_memory = 0;
    for (int i = 0; i < LENT; i++) {
        char path[64];
        snprintf(path, sizeof(path), "%d/%d.txt", i / 100, i);
        lent[i] = tree_resolve(store, path, ACCEPT_IDENTITY).representation;
        ck_assert_ptr_nonnull(lent[i]);
        from_memory += lent[i]->content != NULL;
        if (lent[i]->content == NULL) break;
    }
    ck_assert_int_gt(from_memory, 500);
    ck_assert_int_lt(from_memory, LENT);
    ck_assert_int_ge(lent[from_memory]->fd, 0);
    ck_assert_uint_eq(store_counts(store)->descriptors, 1);
    for (int i = 0; i <= from_memory; i++)
        store_return(store, lent[i]);
    ck_assert_uint_eq(store_counts(store)->descriptors, 0);
    check_bounds();
    ask_number(LENT - 1);
    ck_assert(ask_number(LENT - 1));
}
END_TEST

START_TEST(invalidation_while_lent_is_counted)
{
    put_file("current/a.txt", 20000);
    store = tree_open(&options);
    uint64_t empty = store_counts(store)->bytes;
    struct resolution resolution = tree_resolve(store, "a.txt", ACCEPT_IDENTITY);
    tree_run("rm current/a.txt");
    ck_assert_str_eq(tree_ask(store, "a.txt", ACCEPT_IDENTITY), "<not found>");
    ck_assert_uint_gt(store_counts(store)->bytes, empty + 20000);
    store_return(store, resolution.representation);
    ck_assert_uint_lt(store_counts(store)->bytes, empty + 2000);
}
END_TEST

/* Each coding of a file is loaded and evicted independently of the others. */
START_TEST(variants_are_evicted_alone)
{
    tree_run("head -c 20000 /dev/zero > current/a.css; head -c 9000 /dev/zero > current/a.css.gz");
    options.memory_bytes_max = 200000;
    store = tree_open(&options);
    ck_assert_uint_eq(tree_resolve(store, "a.css", ACCEPT_ALL).representation->length, 9000);
    struct resolution whole = tree_resolve(store, "a.css", ACCEPT_IDENTITY);
    ck_assert_uint_eq(whole.representation->length, 20000);
    ck_assert_uint_eq(store_counts(store)->entries, 1);
    store_return(store, whole.representation);
    for (int i = 0; i < 50; i++) {
        char path[64];
        snprintf(path, sizeof(path), "current/%d.bin", i);
        put_file(path, 15000);
        tree_ask(store, path + strlen("current/"), ACCEPT_IDENTITY);
        check_bounds();
    }
    /* The first one is still lent, so it is still in the cache. */
    uint64_t hits = store_counts(store)->hits;
    struct resolution coded = tree_resolve(store, "a.css", ACCEPT_ALL);
    ck_assert_uint_eq(store_counts(store)->hits, hits + 1);
    uint64_t misses = store_counts(store)->misses;
    tree_ask(store, "a.css", ACCEPT_IDENTITY);
    ck_assert_uint_eq(store_counts(store)->misses, misses + 1);
    store_return(store, coded.representation);
    store_return(store, coded.representation);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("cache");
    TCase *cases = tcase_create("cache");
    tcase_add_checked_fixture(cases, setup, teardown);
    tcase_set_timeout(cases, 120);
    tcase_add_test(cases, bytes_stay_within_the_budget);
    tcase_add_test(cases, asked_again_survives_a_scan);
    tcase_add_test(cases, descriptors_stay_within_their_number);
    tcase_add_test(cases, absences_stay_within_their_number);
    tcase_add_test(cases, nothing_is_cached_without_a_budget);
    tcase_add_test(cases, budget_is_lent);
    tcase_add_test(cases, invalidation_while_lent_is_counted);
    tcase_add_test(cases, variants_are_evicted_alone);
    suite_add_tcase(suite, cases);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
