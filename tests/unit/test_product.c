/*
 * Products of errands: a coding of a file is made off the serving path, and the cache holds it only
 * while the file is the same. What is under way is bounded, and nothing is left when it is given up.
 */
#include "encode/encode.h"
#include "tree.h"
#include "zcserve/fetcher.h"

#include <check.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PATIENCE_MS 10000
#define ACCEPT_BR ((struct accepted){.weight = {[CODING_IDENTITY] = 1, [CODING_BR] = 1000}})

static struct store_options options;
static struct store *store;
static struct now now;

static void set_up(void)
{
    char problem[256];
    static const char *const types[] = {"text/*", NULL};
    ck_assert_msg(encode_load(CODING_BR, problem, sizeof(problem)), "%s", problem);
    tree_make("mkdir release1; ln -s release1 current;"
              "for i in 1 2 3 4; do yes line $i | head -c 3000 > release1/$i.txt; done");
    options = tree_options();
    tree_site.compress = (struct compress_options){.codings = 1,
                                                   .coding = {CODING_BR},
                                                   .level = {[CODING_BR] = 5},
                                                   .types = types,
                                                   .bytes_min = 100,
                                                   .bytes_max = 4096};
    store = tree_open(&options);
    tree_age();
    now = tree_now();
}

static void tear_down(void)
{
    store_close(store);
    tree_remove();
}

static void reopen(void)
{
    store_close(store);
    store = tree_open(&options);
}

static struct lookup lookup_of(const char *path)
{
    return (struct lookup){.path = {path, strlen(path)}, .accepted = ACCEPT_BR};
}

/* Asks for the file twice, so that it is in memory, and then for the errand. */
static struct errand *begin(const char *path)
{
    struct lookup lookup = lookup_of(path);
    tree_ask(store, path, ACCEPT_BR);
    tree_ask(store, path, ACCEPT_BR);
    return store_product(store, &lookup, &now);
}

static void end(struct errand *errand)
{
    ck_assert_ptr_nonnull(errand);
    store_adopt(store, errand);
    errand_free(errand);
}

static bool is_improvable(const char *path)
{
    struct resolution found = tree_resolve(store, path, ACCEPT_BR);
    ck_assert_int_eq(found.kind, RESOLUTION_FOUND);
    store_return(store, found.representation);
    return found.improvable;
}

static bool is_coded(const char *path)
{
    return strncmp(tree_ask(store, path, ACCEPT_BR), "br:", 3) == 0;
}

START_TEST(made_and_adopted)
{
    ck_assert(!is_improvable("1.txt")); /* the first request reads the file */
    ck_assert(is_improvable("1.txt"));
    struct errand *errand = begin("1.txt");
    ck_assert_ptr_nonnull(errand);
    ck_assert_ptr_null(errand_key(errand).base); /* nobody waits for it */
    ck_assert(!is_improvable("1.txt"));          /* it is under way     */
    ck_assert(!is_coded("1.txt"));
    errand_run(errand);
    ck_assert(!is_coded("1.txt"));
    end(errand);
    ck_assert(is_coded("1.txt"));
    ck_assert(!is_improvable("1.txt"));
    const struct store_counts *counts = store_counts(store);
    ck_assert_uint_eq(counts->compressed, 1);
    ck_assert_uint_eq(counts->compress_in_bytes, 3000);
    ck_assert_uint_lt(counts->compress_out_bytes, 300);
}
END_TEST

START_TEST(metadata_of_its_own)
{
    struct errand *errand = begin("1.txt");
    errand_run(errand);
    end(errand);
    struct resolution original = tree_resolve(store, "1.txt", ACCEPT_IDENTITY);
    struct resolution coded = tree_resolve(store, "1.txt", ACCEPT_BR);
    const struct representation *a = original.representation, *b = coded.representation;
    ck_assert_int_eq(a->coding, CODING_IDENTITY);
    ck_assert_int_eq(b->coding, CODING_BR);
    ck_assert(a->varies && b->varies && original.varies && coded.varies);
    ck_assert_int_eq(a->modified_seconds, b->modified_seconds);
    ck_assert(a->etag.length > 0 && b->etag.length == a->etag.length + strlen("-br"));
    ck_assert_int_ne(memcmp(a->etag.base, b->etag.base, a->etag.length - 1), 0);
    ck_assert_uint_eq(a->length, 3000);
    ck_assert_ptr_nonnull(strstr(b->prepared_head.base, "Content-Encoding: br\r\n"));
    store_return(store, a);
    store_return(store, b);
}
END_TEST

static const char *const changes[] = {
    "yes other | head -c 3000 > release1/1.txt", "rm release1/1.txt",
    "echo new > new; mv new release1/1.txt",     "echo sidecar > release1/1.txt.br",
    "mkdir release2; ln -sfn release2 current",
};

/* The file changes while its product is made: what comes back is discarded, and never served. */
START_TEST(changed_meanwhile)
{
    struct errand *errand = begin("1.txt");
    errand_run(errand);
    tree_run(changes[_i]);
    const char *answer = tree_ask(store, "1.txt", ACCEPT_BR);
    char before[4096];
    snprintf(before, sizeof(before), "%s", answer);
    end(errand);
    ck_assert_str_eq(tree_ask(store, "1.txt", ACCEPT_BR), before);
    ck_assert_uint_eq(store_counts(store)->compress_discarded, 1);
    ck_assert_uint_eq(store_counts(store)->compressed, 0);
}
END_TEST

/* The change is reported only after the product was adopted: it is dropped with its entry. */
START_TEST(changed_after_that)
{
    struct errand *errand = begin("1.txt");
    errand_run(errand);
    tree_run(changes[_i]);
    end(errand);
    const char *answer = tree_ask(store, "1.txt", ACCEPT_BR);
    ck_assert_msg(strncmp(answer, "br:", 3) != 0 || strcmp(answer, "br:sidecar\n") == 0, "%s",
                  answer);
}
END_TEST

/* What saves too little is not kept, and not tried again for this file. */
START_TEST(not_worth_it)
{
    tree_run("head -c 3000 /dev/urandom > release1/noise.txt");
    struct errand *errand = begin("noise.txt");
    errand_run(errand);
    end(errand);
    ck_assert(!is_coded("noise.txt"));
    ck_assert(!is_improvable("noise.txt"));
    ck_assert_uint_eq(store_counts(store)->compress_worthless, 1);
}
END_TEST

/* The product is made again for the file that follows. */
START_TEST(made_again)
{
    struct errand *errand = begin("1.txt");
    errand_run(errand);
    end(errand);
    ck_assert(is_coded("1.txt"));
    tree_run("touch release1/1.txt");
    tree_age();
    now = tree_now();
    ck_assert(!is_coded("1.txt"));
    errand = begin("1.txt");
    errand_run(errand);
    end(errand);
    ck_assert(is_coded("1.txt"));
}
END_TEST

/* An errand that was not run can be given up, and the product can be made later. */
START_TEST(given_up)
{
    end(begin("1.txt"));
    ck_assert_uint_eq(store_counts(store)->compress_discarded, 1);
    struct errand *errand = begin("1.txt");
    errand_run(errand);
    end(errand);
    ck_assert(is_coded("1.txt"));
}
END_TEST

START_TEST(entry_is_gone)
{
    struct errand *errand = begin("1.txt");
    errand_run(errand);
    tree_run("touch release1/1.txt");
    tree_ask(store, "2.txt", ACCEPT_BR); /* takes the change, and does not ask for the file again */
    end(errand);
    ck_assert_uint_eq(store_counts(store)->compress_discarded, 1);
}
END_TEST

START_TEST(only_so_many_under_way)
{
    struct errand *one = begin("1.txt"), *two = begin("2.txt");
    ck_assert(one && two);
    ck_assert_ptr_null(begin("3.txt"));
    end(one);
    struct errand *three = begin("3.txt");
    ck_assert_ptr_nonnull(three);
    end(two);
    end(three);
}
END_TEST

/* A product that would be made again and again is made only so often in a second. */
START_TEST(only_so_many_in_a_second)
{
    int begun = 0;
    for (struct errand *errand; begun < 10000 && (errand = begin("1.txt")) != NULL; begun++)
        end(errand);
    ck_assert_int_gt(begun, 10);
    ck_assert_int_lt(begun, 1000);
    now.monotonic_ns += NS_PER_SECOND;
    struct errand *errand = begin("1.txt");
    ck_assert_ptr_nonnull(errand);
    end(errand);
}
END_TEST

/* All memory is lent: there is no room for a product, and none is begun. */
START_TEST(no_room)
{
    static const char *const paths[] = {"1.txt", "2.txt", "3.txt", "4.txt"};
    struct lookup lookup = lookup_of("1.txt");
    struct resolution lent[4];
    options.memory_bytes_max = 90000; /* the table of the cache is as small as it gets */
    reopen();
    for (int i = 0; i < 4; i++)
        lent[i] = tree_resolve(store, paths[i], ACCEPT_BR);
    uint64_t bytes = store_counts(store)->bytes;
    for (int i = 0; i < 4; i++)
        store_return(store, lent[i].representation);
    options.memory_bytes_max = bytes + 5000; /* a product would take at least 6000 */
    reopen();
    for (int i = 0; i < 4; i++)
        lent[i] = tree_resolve(store, paths[i], ACCEPT_BR);
    bytes = store_counts(store)->bytes;
    ck_assert(is_improvable("1.txt"));
    ck_assert_ptr_null(store_product(store, &lookup, &now));
    ck_assert_uint_eq(store_counts(store)->bytes, bytes);
    store_return(store, lent[3].representation); /* now there is somebody to evict */
    end(store_product(store, &lookup, &now));
    for (int i = 0; i < 3; i++)
        store_return(store, lent[i].representation);
}
END_TEST

/* The room is held from the begin to the end, so that the budget is kept. */
START_TEST(room_is_held)
{
    struct lookup lookup = lookup_of("1.txt");
    tree_ask(store, "1.txt", ACCEPT_BR);
    uint64_t before = store_counts(store)->bytes;
    struct errand *errand = store_product(store, &lookup, &now);
    ck_assert_uint_gt(store_counts(store)->bytes, before + 6000);
    errand_run(errand);
    end(errand);
    ck_assert_uint_gt(store_counts(store)->bytes, before);
    ck_assert_uint_lt(store_counts(store)->bytes, before + 1500);
}
END_TEST

static void await(struct fetcher *fetcher)
{
    struct pollfd ready = {.fd = fetcher_fd(fetcher), .events = POLLIN};
    ck_assert_int_eq(poll(&ready, 1, PATIENCE_MS), 1);
    ck_assert_ptr_null(fetcher_next(fetcher)); /* nobody waits for a product */
}

START_TEST(made_by_a_thread)
{
    struct fetcher *fetcher = fetcher_open(4, 4, store);
    fetcher_make(fetcher, begin("1.txt"));
    await(fetcher);
    ck_assert(is_coded("1.txt"));
    fetcher_close(fetcher);
}
END_TEST

/* Without a place the errand is given up. */
START_TEST(no_place)
{
    struct fetcher *fetcher = fetcher_open(1, 1, store);
    fetcher_make(fetcher, begin("1.txt"));
    fetcher_make(fetcher, begin("2.txt"));
    ck_assert_uint_eq(store_counts(store)->compress_discarded, 1);
    await(fetcher);
    ck_assert(is_coded("1.txt") && !is_coded("2.txt"));
    fetcher_close(fetcher);
}
END_TEST

/* The fetcher is closed while errands are waiting, running or done. Then nothing is lent. */
START_TEST(closed_under_way)
{
    for (int round = 0; round < 20; round++) {
        struct fetcher *fetcher = fetcher_open(4, 4, store);
        fetcher_make(fetcher, begin("1.txt"));
        fetcher_make(fetcher, begin("2.txt"));
        fetcher_close(fetcher);
        reopen();
    }
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("product");
    TCase *store_case = tcase_create("store");
    TCase *fetcher_case = tcase_create("fetcher");
    int count = (int)(sizeof(changes) / sizeof(changes[0]));
    tcase_add_checked_fixture(store_case, set_up, tear_down);
    tcase_add_test(store_case, made_and_adopted);
    tcase_add_test(store_case, metadata_of_its_own);
    tcase_add_loop_test(store_case, changed_meanwhile, 0, count);
    tcase_add_loop_test(store_case, changed_after_that, 0, count);
    tcase_add_test(store_case, not_worth_it);
    tcase_add_test(store_case, made_again);
    tcase_add_test(store_case, given_up);
    tcase_add_test(store_case, entry_is_gone);
    tcase_add_test(store_case, only_so_many_under_way);
    tcase_add_test(store_case, only_so_many_in_a_second);
    tcase_add_test(store_case, no_room);
    tcase_add_test(store_case, room_is_held);
    suite_add_tcase(s, store_case);
    tcase_add_checked_fixture(fetcher_case, set_up, tear_down);
    tcase_add_test(fetcher_case, made_by_a_thread);
    tcase_add_test(fetcher_case, no_place);
    tcase_add_test(fetcher_case, closed_under_way);
    suite_add_tcase(s, fetcher_case);
    return s;
}

int main(void)
{
    SRunner *runner = srunner_create(suite());
    srunner_set_fork_status(runner, CK_NOFORK); /* no test leaves anything behind */
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
