/*
 * Which codings may be made of a file, which of those that are made is lent, and which is wanted.
 */
#include "store/compressible.h"

#include <check.h>
#include <stdlib.h>

enum { GZ = 1 << CODING_GZIP, BR = 1 << CODING_BR, ZST = 1 << CODING_ZSTD };

static const char *const types[] = {"text/*", "application/JSON", NULL};
static const struct compress_options options = {.codings = 3,
                                                .coding = {CODING_BR, CODING_ZSTD, CODING_GZIP},
                                                .types = types,
                                                .bytes_min = 100,
                                                .bytes_max = 1000};

static struct file file_of(const char *media_type, uint64_t size)
{
    return (struct file){.media_type = {media_type, strlen(media_type)},
                         .identity = {[CODING_IDENTITY] = {.size = size}},
                         .usable = {[CODING_IDENTITY] = true}};
}

static const struct {
    const char *media_type;
    uint64_t size;
    unsigned makeable;
    bool varies;
} files[] = {
    {"text/css", 100, GZ | BR | ZST, true},
    {"text/css; charset=utf-8", 1000, GZ | BR | ZST, true},
    {"TEXT/HTML ;charset=utf-8", 500, GZ | BR | ZST, true},
    {"application/json", 500, GZ | BR | ZST, true},
    {"text/css", 99, 0, true},
    {"text/css", 1001, 0, true},
    {"text/css", 0, 0, true},
    {"application/jsonx", 500, 0, false},
    {"application/jso", 500, 0, false},
    {"image/png", 500, 0, false},
    {"text", 500, 0, false},
};

START_TEST(judged)
{
    struct file file = file_of(files[_i].media_type, files[_i].size);
    compressible_judge(&options, &file);
    ck_assert_uint_eq(file.makeable, files[_i].makeable);
    ck_assert(file.varies == files[_i].varies);
}
END_TEST

START_TEST(off_judges_nothing)
{
    struct compress_options off = {.codings = 0, .types = NULL};
    struct file file = file_of("text/css", 500);
    compressible_judge(&off, &file);
    ck_assert(file.makeable == 0 && !file.varies);
}
END_TEST

START_TEST(sidecar_is_not_made)
{
    struct file file = file_of("text/css", 500);
    file.usable[CODING_BR] = true;
    compressible_judge(&options, &file);
    ck_assert_uint_eq(file.makeable, GZ | ZST);
}
END_TEST

/* ---- which is lent, and which is wanted ------------------------------------------------------- */

static struct variant variants[CODING_COUNT];

/* An entry of 500 bytes in memory, with the made codings in `held`: br 100 bytes, zst and gz 110. */
static struct entry entry_of(unsigned held)
{
    static const uint64_t length[CODING_COUNT] = {500, 110, 100, 110};
    struct entry entry = {.file = file_of("text/css", 500), .ripe_ns = UINT64_MAX};
    compressible_judge(&options, &entry.file);
    for (enum coding coding = CODING_IDENTITY; coding < CODING_COUNT; coding++) {
        variants[coding].representation.length = length[coding];
        variants[coding].representation.fd = -1;
        if (coding == CODING_IDENTITY || (held & 1U << coding))
            entry.variants[coding] = &variants[coding];
    }
    return entry;
}

static const struct {
    struct accepted accepted; /* identity, gzip, br, zstd */
    unsigned held;
    enum coding lent, wanted;
} choices[] = {
    {{{1, 1000, 1000, 1000}, false, false}, 0, CODING_IDENTITY, CODING_BR},
    {{{1, 1000, 0, 1000}, false, false}, 0, CODING_IDENTITY, CODING_ZSTD},
    {{{1, 1000, 0, 0}, false, false}, 0, CODING_IDENTITY, CODING_GZIP},
    {{{1, 1000, 1000, 1000}, false, false}, BR, CODING_BR, CODING_COUNT},
    {{{1, 1000, 1000, 1000}, false, false}, GZ, CODING_GZIP, CODING_BR},
    {{{1, 1000, 1000, 1000}, false, false}, GZ | BR | ZST, CODING_BR, CODING_COUNT},
    {{{1, 1000, 900, 0}, false, false}, BR, CODING_BR, CODING_GZIP},
    {{{1, 1000, 900, 0}, false, false}, BR | GZ, CODING_GZIP, CODING_COUNT},
    {{{1000, 0, 0, 0}, false, false}, BR | GZ, CODING_IDENTITY, CODING_COUNT},
    {{{1000, 500, 500, 500}, false, false}, BR | GZ, CODING_IDENTITY, CODING_COUNT},
    {{{500, 500, 0, 0}, false, false}, GZ, CODING_GZIP, CODING_COUNT},
    {{{0, 0, 1000, 0}, false, false}, 0, CODING_COUNT, CODING_BR},
    {{{0, 0, 1000, 0}, false, false}, BR, CODING_BR, CODING_COUNT},
    {{{0, 0, 1000, 0}, true, false}, 0, CODING_IDENTITY, CODING_BR},
    {{{0, 0, 0, 0}, true, false}, BR, CODING_IDENTITY, CODING_COUNT},
    {{{1, 1000, 1000, 1000}, false, true}, GZ | BR, CODING_IDENTITY, CODING_COUNT},
    {{{0, 0, 1000, 0}, false, true}, BR, CODING_COUNT, CODING_COUNT},
};

START_TEST(chosen)
{
    struct entry entry = entry_of(choices[_i].held);
    const struct accepted *accepted = &choices[_i].accepted;
    enum coding coding = file_choose(&entry.file, accepted);
    ck_assert_int_eq(compressible_choose(&entry, accepted, coding), choices[_i].lent);
    ck_assert_int_eq(compressible_wanted(&options, &entry, accepted), choices[_i].wanted);
}
END_TEST

START_TEST(sidecar_wins)
{
    struct accepted accepted = {.weight = {1, 1000, 1000, 1000}};
    struct entry entry = entry_of(BR | ZST);
    ck_assert_int_eq(compressible_choose(&entry, &accepted, CODING_GZIP), CODING_GZIP);
}
END_TEST

/* A coding that is under way is not wanted again; one that was not worth it leaves room for others. */
START_TEST(tried_before)
{
    struct accepted accepted = {.weight = {1, 1000, 1000, 0}};
    struct entry entry = entry_of(0);
    entry.making = BR;
    ck_assert_int_eq(compressible_wanted(&options, &entry, &accepted), CODING_COUNT);
    entry.making = 0;
    entry.worthless = BR;
    ck_assert_int_eq(compressible_wanted(&options, &entry, &accepted), CODING_GZIP);
    entry.worthless = BR | GZ;
    ck_assert_int_eq(compressible_wanted(&options, &entry, &accepted), CODING_COUNT);
}
END_TEST

START_TEST(not_ready)
{
    struct accepted accepted = {.weight = {1, 1000, 1000, 1000}};
    struct entry entry = entry_of(0);
    entry.ripe_ns = 1000; /* its times prove nothing yet */
    ck_assert_int_eq(compressible_wanted(&options, &entry, &accepted), CODING_COUNT);
    entry.ripe_ns = UINT64_MAX;
    entry.variants[CODING_IDENTITY] = NULL; /* it is not in memory */
    ck_assert_int_eq(compressible_wanted(&options, &entry, &accepted), CODING_COUNT);
    entry.variants[CODING_IDENTITY] = &variants[CODING_IDENTITY];
    variants[CODING_IDENTITY].representation.fd = 3; /* it is lent as a file */
    ck_assert_int_eq(compressible_wanted(&options, &entry, &accepted), CODING_COUNT);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("compressible");
    TCase *tcase = tcase_create("compressible");
    tcase_add_loop_test(tcase, judged, 0, (int)(sizeof(files) / sizeof(files[0])));
    tcase_add_test(tcase, off_judges_nothing);
    tcase_add_test(tcase, sidecar_is_not_made);
    tcase_add_loop_test(tcase, chosen, 0, (int)(sizeof(choices) / sizeof(choices[0])));
    tcase_add_test(tcase, sidecar_wins);
    tcase_add_test(tcase, tried_before);
    tcase_add_test(tcase, not_ready);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_set_fork_status(runner, CK_NOFORK); /* no test leaves anything behind */
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
