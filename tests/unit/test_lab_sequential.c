/*
 * Tests of what experiment 1 says of made-up figures: each outcome gives its sentence and no other.
 */
#include "lab.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

static double growing(double block)
{
    return 100 * pow(block / 4096, 0.9);
}

static double saturating(double block)
{
    return block < 65536 ? growing(block) : growing(65536);
}

static double flat(double block)
{
    return 500 + 0 * block;
}

/* Sets warm or cold reads by pread with blocks of 4 KiB to 4 MiB. */
static void sweep(const char *cache, double (*f)(double), double noise)
{
    char factors[160];
    for (uint64_t block = 4096; block <= 4 << 20; block *= 4) {
        snprintf(factors, sizeof factors, "sweep=block cache=%s method=pread block_bytes=%" PRIu64,
                 cache, block);
        lab_case(factors, "mb_per_s", f((double)block), noise);
    }
}

static const char bends[] = "MB/s of warm reads by pread over the block bends at 64 KiB";
static const char nowhere[] = "MB/s of warm reads by pread over the block bends nowhere";
static const char warm[] = "Expected: warm, the largest block";
static const char cold[] = "Expected: cold, the largest block";

START_TEST(bend_is_told_where_it_is)
{
    lab_given("sequential");
    sweep("warm", saturating, 1);
    lab_find("sequential");
    ck_assert_uint_eq(lab_said(FINDING_FACT, bends), 1);
    ck_assert_uint_eq(lab_said(-1, "bends nowhere"), 0);
    ck_assert_uint_eq(lab_said(FINDING_FACT, "The best block for warm reads by pread is"), 1);
    ck_assert_uint_eq(lab_said(FINDING_FACT, "is 64 KiB with"), 1);
    ck_assert_uint_eq(lab_said(FINDING_HELD, warm), 1);
    ck_assert_uint_eq(lab_said(FINDING_NOT_HELD, ""), 0);
}
END_TEST

/* 4 MiB is best, but by less than the noise: a smaller block is as good. */
static double nearly_flat(double block)
{
    return 500 + block / (1 << 20);
}

START_TEST(smaller_block_is_as_good)
{
    lab_given("sequential");
    sweep("cold", nearly_flat, 2);
    lab_find("sequential");
    ck_assert_uint_eq(
        lab_said(FINDING_FACT,
                 "is 4 MiB with 504 MB/s (repetitions differ by 4 %); 4 KiB is as good"),
        1);
}
END_TEST

START_TEST(bend_is_told_nowhere)
{
    lab_given("sequential");
    sweep("warm", growing, 1);
    lab_find("sequential");
    ck_assert_uint_eq(lab_said(FINDING_FACT, nowhere), 1);
    ck_assert_uint_eq(lab_said(FINDING_FACT, "it grows as x^0.90"), 1);
    ck_assert_uint_eq(lab_said(-1, "bends at"), 0);
    ck_assert_uint_eq(lab_said(FINDING_FACT, "is 4 MiB with"), 1);
    ck_assert_uint_eq(lab_said(-1, "is as good within the noise"), 0);
}
END_TEST

START_TEST(noise_decides_nothing)
{
    lab_given("sequential");
    sweep("warm", flat, 60);
    sweep("cold", flat, 60);
    lab_find("sequential");
    ck_assert_uint_eq(lab_said(FINDING_OPEN, warm), 1);
    ck_assert_uint_eq(lab_said(FINDING_OPEN, cold), 1);
    ck_assert_uint_eq(lab_said(FINDING_HELD, ""), 0);
    ck_assert_uint_eq(lab_said(FINDING_NOT_HELD, ""), 0);
    ck_assert_uint_eq(lab_said(FINDING_OPEN, "seems to be"), 2);
    ck_assert_uint_eq(lab_said(-1, "bends at"), 0);
}
END_TEST

START_TEST(contradictions_are_told_and_explained)
{
    lab_given("sequential");
    sweep("warm", flat, 1);
    sweep("cold", growing, 1);
    lab_find("sequential");
    ck_assert_uint_eq(lab_said(FINDING_NOT_HELD, warm), 1);
    ck_assert_uint_eq(lab_said(FINDING_NOT_HELD, "The copy is all that costs here"), 1);
    ck_assert_uint_eq(lab_said(FINDING_NOT_HELD, cold), 1);
    ck_assert_uint_eq(lab_said(FINDING_NOT_HELD, "Either read-ahead is small"), 1);
    ck_assert_uint_eq(lab_said(FINDING_HELD, ""), 0);
}
END_TEST

START_TEST(cold_blocks_alike_hold)
{
    lab_given("sequential");
    sweep("cold", flat, 1);
    lab_find("sequential");
    ck_assert_uint_eq(lab_said(FINDING_HELD, cold), 1);
    ck_assert_uint_eq(lab_said(FINDING_OPEN, warm), 1); /* was not measured */
    ck_assert_uint_eq(lab_said(FINDING_NOT_HELD, ""), 0);
}
END_TEST

START_TEST(readahead_off_is_slower_or_not)
{
    static const double off[] = {50, 500};
    for (int i = 0; i < 2; i++) {
        lab_given("sequential");
        lab_case("sweep=readahead readahead=default block_bytes=16384", "mb_per_s", 500, 1);
        lab_case("sweep=readahead readahead=off block_bytes=16384", "mb_per_s", off[i], 1);
        lab_find("sequential");
        ck_assert_uint_eq(lab_said(FINDING_HELD, "without read-ahead"), i == 0);
        ck_assert_uint_eq(lab_said(FINDING_NOT_HELD, "without read-ahead"), i == 1);
        ck_assert_uint_eq(lab_findings.count, 1);
    }
}
END_TEST

START_TEST(methods_and_classes_are_compared)
{
    lab_given("sequential");
    lab_case("sweep=block cache=warm method=pread block_bytes=4096", "mb_per_s", 1000, 1);
    lab_case("sweep=block cache=warm method=mmap block_bytes=4096", "mb_per_s", 2000, 1);
    lab_case("sweep=block cache=warm method=uring block_bytes=4096", "mb_per_s", 1005, 1);
    lab_case("sweep=file cache=warm method=pread file_class=small", "mb_per_s", 250, 1);
    lab_case("sweep=file cache=warm method=pread file_class=large", "mb_per_s", 1000, 1);
    lab_find("sequential");
    ck_assert_uint_eq(lab_said(FINDING_FACT, "mmap (warm, 4 KiB) has 2 times the MB/s of pread"),
                      1);
    ck_assert_uint_eq(lab_said(FINDING_FACT, "uring (warm, 4 KiB) and pread do not differ"), 1);
    ck_assert_uint_eq(lab_said(FINDING_FACT, "reading small files (warm, pread) has 0.25 times"),
                      1);
    ck_assert_uint_eq(lab_said(-1, "stdio"), 0);
}
END_TEST

START_TEST(nothing_measured_and_warnings)
{
    lab_given("sequential");
    lab_find("sequential");
    ck_assert_uint_eq(lab_findings.count, 1);
    ck_assert_uint_eq(lab_said(FINDING_OPEN, "Nothing was measured."), 1);
    table_add(&lab_table, "sweep=file mb_per_s=1 warnings=load");
    table_add(&lab_table, "sweep=file mb_per_s=1");
    lab_find("sequential");
    ck_assert_uint_eq(lab_findings.count, 1);
    ck_assert_uint_eq(lab_said(FINDING_OPEN, "1 of 2 measurements: other programs"), 1);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("lab_sequential");
    TCase *cases = tcase_create("findings");
    tcase_add_test(cases, bend_is_told_where_it_is);
    tcase_add_test(cases, smaller_block_is_as_good);
    tcase_add_test(cases, bend_is_told_nowhere);
    tcase_add_test(cases, noise_decides_nothing);
    tcase_add_test(cases, contradictions_are_told_and_explained);
    tcase_add_test(cases, cold_blocks_alike_hold);
    tcase_add_test(cases, readahead_off_is_slower_or_not);
    tcase_add_test(cases, methods_and_classes_are_compared);
    tcase_add_test(cases, nothing_measured_and_warnings);
    suite_add_tcase(suite, cases);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
