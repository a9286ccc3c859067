/*
 * Tests of what experiment 10 says of made-up figures: each outcome gives its sentence and no
 * other.
 */
#include "lab.h"

#include <stdlib.h>

static void rows_given(const char *format, const char *packing, const char *question,
                       const char *cache, const char *figure, double value, double noise)
{
    char factors[160];
    snprintf(factors, sizeof factors, "sweep=table format=%s packing=%s question=%s cache=%s",
             format, packing, question, cache);
    lab_case(factors, figure, value, noise);
}

static const char slower[] = "many small files are read more slowly than one large one";
static const char parsed[] = "parsed text gives fewer rows per second than binary rows";
static const char column[] = "one column, cold, is read faster from columns than from rows";

START_TEST(small_files)
{
    static const double many[] = {400, 4000, 4000};
    static const double noise[] = {1, 1, 70};
    static const int kind[] = {FINDING_HELD, FINDING_NOT_HELD, FINDING_OPEN};
    for (int i = 0; i < 3; i++) {
        lab_given("formats");
        lab_case("sweep=files format=one-file cache=warm", "mb_per_s", 4000, noise[i]);
        lab_case("sweep=files format=many-files cache=warm", "mb_per_s", many[i], noise[i]);
        lab_find("formats");
        ck_assert_uint_eq(lab_said(kind[i], slower), 1);
        ck_assert_uint_eq(lab_said(-1, slower), 1);
        ck_assert_uint_eq(lab_said(FINDING_FACT, "reading 4 KiB of one file (warm) has 10 times"),
                          i == 0);
        ck_assert_uint_eq(lab_findings.count, 2);
    }
}
END_TEST

static void depths(const char *cache, double each, double noise)
{
    char factors[96];
    for (int depth = 1; depth <= 16; depth *= 4) {
        snprintf(factors, sizeof factors, "sweep=names question=open directories=%d cache=%s",
                 depth, cache);
        lab_case(factors, "mean_us", 2 + each * depth, noise);
    }
}

START_TEST(depth_of_names)
{
    static const double each[] = {1, 0, 1};
    static const double noise[] = {1, 1, 95};
    static const int kind[] = {FINDING_HELD, FINDING_NOT_HELD, FINDING_OPEN};
    for (int i = 0; i < 3; i++) {
        lab_given("formats");
        depths("warm", each[i], noise[i]);
        depths("cold", 100 * each[i], noise[i]);
        lab_find("formats");
        ck_assert_uint_eq(lab_said(kind[i], "with a warm name cache a file below 16 directories is "
                                            "opened more slowly than below 1"),
                          1);
        ck_assert_uint_eq(lab_said(kind[i], "with a cold name cache"), 1);
        ck_assert_uint_eq(
            lab_said(FINDING_FACT, "opening a name that is in no cache (depth 4) has 67 times"),
            i == 0);
        ck_assert_uint_eq(lab_findings.count, 3);
    }
}
END_TEST

START_TEST(formats_are_compared)
{
    static const double csv[] = {1e6, 4e7, 4e7};
    static const double noise[] = {1, 1, 70};
    static const int kind[] = {FINDING_HELD, FINDING_NOT_HELD, FINDING_OPEN};
    for (int i = 0; i < 3; i++) {
        lab_given("formats");
        rows_given("csv", "plain", "scan", "warm", "million_rows_per_s", csv[i], noise[i]);
        rows_given("rows", "plain", "scan", "warm", "million_rows_per_s", 4e7, noise[i]);
        lab_find("formats");
        ck_assert_uint_eq(lab_said(kind[i], parsed), 1);
        ck_assert_uint_eq(lab_said(FINDING_FACT, "a scan of csv (warm, plain) has 0.025 times"),
                          i == 0);
        ck_assert_uint_eq(lab_said(FINDING_FACT, "do not differ in million rows per second"),
                          i == 1);
        ck_assert_uint_eq(lab_findings.count, 2);
    }
}
END_TEST

START_TEST(one_column_and_one_row)
{
    static const double columns[] = {5e7, 1e7};
    for (int i = 0; i < 2; i++) {
        lab_given("formats");
        rows_given("columns", "plain", "column", "cold", "million_rows_per_s", columns[i], 1);
        rows_given("rows", "plain", "column", "cold", "million_rows_per_s", 1e7, 1);
        rows_given("csv", "plain", "row", "warm", "median_us", 900, 1);
        rows_given("rows", "plain", "row", "warm", "median_us", 3, 1);
        lab_find("formats");
        ck_assert_uint_eq(lab_said(FINDING_HELD, column), i == 0);
        ck_assert_uint_eq(lab_said(FINDING_NOT_HELD, column), i == 1);
        ck_assert_uint_eq(lab_said(FINDING_FACT, "one row out of CSV (warm, plain) has 300 times "
                                                 "the median latency of one out of fixed rows"),
                          1);
        ck_assert_uint_eq(lab_findings.count, 2);
    }
}
END_TEST

/* The device reads 100 MB/s of rows, the CPU unpacks `unpacks`; packed rows are `times` as fast. */
static void packed(double unpacks, double times, double noise)
{
    lab_given("formats");
    for (int i = 0; i < 2; i++) {
        static const char *const cache[] = {"cold", "warm"};
        static const char *const packing[] = {"plain", "zstd"};
        rows_given("rows", packing[i], "scan", cache[i], "mb_per_s", i ? unpacks : 100, noise);
        rows_given("rows", packing[i], "scan", cache[i], "size_on_disk_bytes", i ? 30 : 100, 0);
        rows_given("rows", packing[i], "scan", "cold", "million_rows_per_s", i ? 1e6 * times : 1e6,
                   noise);
    }
    lab_find("formats");
}

static const char faster[] = "since the CPU unpacks zstd faster than the device reads";
static const char slowly[] = "since the CPU unpacks zstd more slowly than the device reads";

START_TEST(packing_pays_or_not)
{
    packed(800, 2.5, 1);
    ck_assert_uint_eq(lab_said(FINDING_FACT,
                               "packed by zstd have 30 % of the size; unpacked from memory they "
                               "come at 800 MB/s, plain ones from the device at 100 MB/s"),
                      1);
    ck_assert_uint_eq(lab_said(FINDING_HELD, faster), 1);
    packed(800, 0.7, 1);
    ck_assert_uint_eq(lab_said(FINDING_NOT_HELD, faster), 1);
    packed(20, 0.2, 1);
    ck_assert_uint_eq(lab_said(FINDING_HELD, slowly), 1);
    packed(20, 1, 1);
    ck_assert_uint_eq(lab_said(FINDING_HELD, slowly), 1);
    packed(20, 2, 1);
    ck_assert_uint_eq(lab_said(FINDING_NOT_HELD, slowly), 1);
    ck_assert_uint_eq(lab_said(-1, "since the CPU"), 1);
    ck_assert_uint_eq(lab_findings.count, 2);
}
END_TEST

START_TEST(packing_within_the_noise)
{
    packed(101, 2, 5);
    ck_assert_uint_eq(lab_said(FINDING_OPEN, "Whether the CPU unpacks zstd faster than this device "
                                             "reads cannot be told"),
                      1);
    ck_assert_uint_eq(lab_said(-1, "since the CPU"), 0);
    ck_assert_uint_eq(lab_said(FINDING_HELD, ""), 0);
    ck_assert_uint_eq(lab_findings.count, 2);
}
END_TEST

START_TEST(nothing_measured)
{
    lab_given("formats");
    lab_find("formats");
    ck_assert_uint_eq(lab_findings.count, 1);
    ck_assert_uint_eq(lab_said(FINDING_OPEN, "Nothing was measured."), 1);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("lab_formats");
    TCase *cases = tcase_create("findings");
    tcase_add_test(cases, small_files);
    tcase_add_test(cases, depth_of_names);
    tcase_add_test(cases, formats_are_compared);
    tcase_add_test(cases, one_column_and_one_row);
    tcase_add_test(cases, packing_pays_or_not);
    tcase_add_test(cases, packing_within_the_noise);
    tcase_add_test(cases, nothing_measured);
    suite_add_tcase(suite, cases);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
