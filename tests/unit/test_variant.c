/*
 * Variants: content that changes while it is read, entity-tags and their cost, identities, and
 * opening below a directory in both ways.
 */
#define _GNU_SOURCE
#include "store/variant.h"

#include "store/account.h"
#include "store/entry.h"
#include "store/etag.h"
#include "tree.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static struct now now;

static struct file file_named(const char *name)
{
    struct file file = {.name = name, .media_type = TEXT("text/plain"), .usable = {true}};
    ck_assert_int_eq(identity_read(AT_FDCWD, name, &file.identity[CODING_IDENTITY]), 0);
    return file;
}

static void setup(void)
{
    tree_make("printf 0123456789 > f; mkdir d d/e; printf x > d/e/g; ln -s d l; ln -s f lf;"
              "ln -s ../.. d/up; mkdir root; ln -s ../f root/out");
    now_read(&now);
}

/* The file changes after its identity was read: the bytes must not pass for the file found. */
START_TEST(changes_while_reading)
{
    static const char *const scripts[] = {"printf x >> f", "truncate -s 5 f", ": > f",
                                          "printf 9876543210 > f", "touch -d yesterday f"};
    for (size_t i = 0; i < sizeof(scripts) / sizeof(scripts[0]); i++) {
        struct file file = file_named("f");
        struct variant *variant = NULL;
        int fd = open("f", O_RDONLY);
        tree_settle(); /* so that the clock of the file system moves on */
        tree_run(scripts[i]);
        int result = variant_read(&file, CODING_IDENTITY, fd, &now, &variant);
        ck_assert_msg(result == -ESTALE, "%s: %d", scripts[i], result);
        close(fd);
    }
}
END_TEST

START_TEST(read_whole)
{
    struct file file = file_named("f");
    struct variant *variant = NULL;
    int fd = open("f", O_RDONLY);
    ck_assert_int_eq(variant_read(&file, CODING_IDENTITY, fd, &now, &variant), 0);
    close(fd);
    const struct representation *r = &variant->representation;
    ck_assert_ptr_eq(variant_of_representation(r), variant);
    ck_assert_ptr_eq(variant_of_seat(&variant->seat), variant);
    ck_assert_uint_eq(r->length, 10);
    ck_assert_int_eq(memcmp(r->content, "0123456789", 10), 0);
    variant_free(variant);
}
END_TEST

START_TEST(kept_open)
{
    struct file file = file_named("f");
    struct variant *variant = NULL;
    int fd = open("f", O_RDONLY);
    ck_assert_int_eq(variant_keep_open(&file, CODING_IDENTITY, fd, TAG_OF_IDENTITY, &now, &variant),
                     0);
    ck_assert_int_eq(variant->representation.fd, fd);
    ck_assert_ptr_null(variant->representation.content);
    variant_free(variant);
    ck_assert_int_eq(fcntl(fd, F_GETFD), -1);
}
END_TEST

/* No allocation costs more than what is charged for it, or was reserved for it. */
START_TEST(costs_are_honest)
{
    for (size_t size = 1; size < 400000; size += size < 2000 ? 1 : 997) {
        void *space = aligned_alloc(64, (size + 63) / 64 * 64);
        ck_assert_ptr_nonnull(space);
        ck_assert_uint_ge(account_bytes((size + 63) / 64 * 64), malloc_usable_size(space) + 8);
        free(space);
    }
    for (off_t length = 0; length < 300000; length = length * 2 + 1) {
        struct variant *variant = NULL;
        ck_assert_int_eq(truncate("f", length), 0);
        struct file file = file_named("f");
        int fd = open("f", O_RDONLY);
        ck_assert_int_eq(variant_read(&file, CODING_IDENTITY, fd, &now, &variant), 0);
        close(fd);
        ck_assert_uint_ge(variant->bytes, malloc_usable_size(variant) + 8);
        ck_assert_uint_ge(variant_bytes(&file, CODING_IDENTITY, true), variant->bytes);
        variant_free(variant);
    }
}
END_TEST

START_TEST(etags_differ)
{
    char tags[8][ETAG_MAX];
    struct identity identity = {.size = 10, .inode = 1, .modified_ns = 5};
    etag_of_content("one", 3, CODING_IDENTITY, tags[0]);
    etag_of_content("two", 3, CODING_IDENTITY, tags[1]);
    etag_of_content("one", 3, CODING_BR, tags[2]);
    etag_of_content("one", 3, CODING_ZSTD, tags[3]);
    etag_of_content("", 0, CODING_GZIP, tags[4]);
    etag_of_identity(&identity, CODING_IDENTITY, tags[5]);
    etag_of_identity(&identity, CODING_GZIP, tags[6]);
    identity.modified_ns++;
    etag_of_identity(&identity, CODING_IDENTITY, tags[7]);
    for (int a = 0; a < 8; a++) {
        ck_assert_int_eq(tags[a][0], '"');
        ck_assert_int_eq(tags[a][strlen(tags[a]) - 1], '"');
        for (int b = 0; b < a; b++)
            ck_assert_str_ne(tags[a], tags[b]);
    }
    identity.size = UINT64_MAX;
    ck_assert_uint_lt(etag_of_identity(&identity, CODING_ZSTD, tags[0]), ETAG_MAX);
}
END_TEST

START_TEST(settled)
{
    struct now at = {.wall_seconds = 1000, .wall_ns = 500000000};
    struct identity fine = {.changed_seconds = 1000, .changed_ns = 440000000};
    ck_assert(identity_is_settled(&fine, &at));
    fine.changed_ns = 460000000;
    ck_assert(!identity_is_settled(&fine, &at));
    fine.changed_seconds = 1001;
    ck_assert(!identity_is_settled(&fine, &at));
    struct identity coarse = {.changed_seconds = 998};
    ck_assert(!identity_is_settled(&coarse, &at));
    coarse.changed_seconds = 997;
    ck_assert(identity_is_settled(&coarse, &at));
    coarse.changed_seconds = INT64_MIN / 2;
    ck_assert(identity_is_settled(&coarse, &at));
}
END_TEST

static const struct {
    const char *path;
    int refused, followed; /* errno; 0: it can be opened */
} opens[] = {
    {"", 0, 0},
    {"f", 0, 0},
    {"d/e/g", 0, 0},
    {"d/e/", 0, 0},
    {"nope", ENOENT, ENOENT},
    {"f/x", ENOTDIR, ENOTDIR},
    {"nope/x", ENOENT, ENOENT},
    {"lf", ELOOP, 0},
    {"l/e/g", ELOOP, 0},
    {"d/up", ELOOP, EXDEV},
    {"d/up/etc", ELOOP, EXDEV},
};

static int try_open(const struct beneath *beneath, const char *path, enum links links)
{
    int fd = beneath_open(beneath, path, O_PATH, links);
    if (fd < 0) return -fd;
    ck_assert_int_eq(fcntl(fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
    close(fd);
    return 0;
}

START_TEST(opening_beneath)
{
    struct beneath kernel = {.directory = open(".", O_PATH | O_DIRECTORY), .follows = true};
    struct beneath walking = {.directory = kernel.directory, .walks = true};
    ck_assert(beneath_has_openat2(kernel.directory));
    for (size_t i = 0; i < sizeof(opens) / sizeof(opens[0]); i++) {
        const char *path = opens[i].path;
        ck_assert_msg(try_open(&kernel, path, LINKS_REFUSED) == opens[i].refused, "%s", path);
        ck_assert_msg(try_open(&walking, path, LINKS_REFUSED) == opens[i].refused, "%s", path);
        ck_assert_msg(try_open(&kernel, path, LINKS_FOLLOWED) == opens[i].followed, "%s", path);
    }
    close(kernel.directory);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("variant");
    TCase *cases = tcase_create("variant");
    tcase_add_checked_fixture(cases, setup, tree_remove);
    tcase_add_test(cases, changes_while_reading);
    tcase_add_test(cases, read_whole);
    tcase_add_test(cases, kept_open);
    tcase_add_test(cases, costs_are_honest);
    tcase_add_test(cases, etags_differ);
    tcase_add_test(cases, settled);
    tcase_add_test(cases, opening_beneath);
    suite_add_tcase(suite, cases);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
