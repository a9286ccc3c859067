/*
 * Tests of what experiment 3 says of made-up figures: each outcome gives its sentence and no other.
 */
#include "lab.h"

#include <stdlib.h>

static const char again[] = "Expected: read again and again from memory";
static const char populating[] = "Expected: a call that enters many pages at once";
static const char around[] = "Expected: cold and at random, a mapping has the device move more";
static const char advice[] = "Expected: MADV_RANDOM takes that reading around away";
static const char nothing_out[] = "Expected: larger than memory, O_DIRECT takes less CPU";
static const char table_out[] = "Expected: larger than memory, a mapping takes more CPU";
static const char as_many[] = "Expected: larger than memory or not, O_DIRECT reads as many";

/* Sets a pair of cases for each expectation, with figures as expected or not. */
static void everything(bool as_expected, double noise)
{
    double x = as_expected ? 4 : 1;
    lab_given("mapping");
    lab_case("pattern=repeated method=mmap block_bytes=512", "mb_per_s", 1000 * x, noise);
    lab_case("pattern=repeated method=pread block_bytes=512", "mb_per_s", 1000, noise);
    lab_case("pattern=touch method=populate", "mb_per_s", 1000 * x, noise);
    lab_case("pattern=touch method=mmap", "mb_per_s", 1000, noise);
    lab_case("pattern=random memory=cold method=mmap", "amplification", 8 * x, noise);
    lab_case("pattern=random memory=cold method=advised", "amplification", 8, noise);
    lab_case("pattern=random memory=cold method=pread", "amplification", 8, noise);
    lab_case("pattern=sequential memory=limited method=mmap", "system_us_per_mib", 100 * x, noise);
    lab_case("pattern=sequential memory=limited method=direct", "system_us_per_mib", 100, noise);
    lab_case("pattern=sequential memory=limited method=pread", "system_us_per_mib", 100, noise);
    lab_case("pattern=random memory=limited method=direct", "iops", as_expected ? 900 : 300, noise);
    lab_case("pattern=random memory=cold method=direct", "iops", 900, noise);
    lab_find("mapping");
}

static void all_are(enum finding_kind kind)
{
    static const char *const sentence[] = {again,       populating, around, advice,
                                           nothing_out, table_out,  as_many};
    lab_each_said(kind, sentence, sizeof sentence / sizeof *sentence);
    ck_assert_uint_eq(lab_said(-1, "Expected"), 7);
}

START_TEST(all_holds)
{
    everything(true, 1);
    all_are(FINDING_HELD);
}
END_TEST

START_TEST(all_is_contradicted)
{
    everything(false, 1);
    all_are(FINDING_NOT_HELD);
    ck_assert_uint_eq(lab_said(FINDING_NOT_HELD, "costs more than calls and copies here"), 1);
    ck_assert_uint_eq(lab_said(FINDING_NOT_HELD, "large folios"), 1);
    ck_assert_uint_eq(lab_said(FINDING_NOT_HELD, "is a page or less, or most faults"), 1);
    ck_assert_uint_eq(lab_said(FINDING_NOT_HELD, "There was nothing to switch off"), 1);
    ck_assert_uint_eq(lab_said(FINDING_NOT_HELD, "a request of its own"), 1);
    ck_assert_uint_eq(lab_said(FINDING_NOT_HELD, "The copy that pread makes"), 1);
    ck_assert_uint_eq(lab_said(FINDING_NOT_HELD, "The two files differ in size"), 1);
}
END_TEST

START_TEST(noise_decides_nothing)
{
    everything(true, 90);
    all_are(FINDING_OPEN);
    ck_assert_uint_eq(lab_said(FINDING_HELD, ""), 0);
    ck_assert_uint_eq(lab_said(FINDING_NOT_HELD, ""), 0);
}
END_TEST

START_TEST(faults_are_counted_and_cpu_told_apart)
{
    lab_given("mapping");
    for (int r = 0; r < 3; r++) {
        table_add(&lab_table,
                  "pattern=touch method=mmap mb_per_s=%d faults_per_mib=16 "
                  "user_us_per_mib=%d system_us_per_mib=%d",
                  2000 + r, 300 + r, 50 + r);
        table_add(&lab_table,
                  "pattern=touch method=pread mb_per_s=%d faults_per_mib=0 "
                  "user_us_per_mib=%d system_us_per_mib=%d",
                  1000 + r, 300 + r, 200 + r);
    }
    lab_find("mapping");
    ck_assert_uint_eq(lab_said(FINDING_FACT, "takes 16 page faults per MiB (256 pages): one enters "
                                             "about 16 pages."),
                      1);
    ck_assert_uint_eq(lab_said(FINDING_FACT, "a mapping made anew for each pass has 2 times the "
                                             "MB/s of pread"),
                      1);
    ck_assert_uint_eq(lab_said(FINDING_FACT, "such a mapping has 0.254 times the system CPU"), 1);
    ck_assert_uint_eq(lab_said(FINDING_FACT, "do not differ in user CPU per MiB"), 1);
    ck_assert_uint_eq(lab_findings.count, 4);
}
END_TEST

/* With one size of block nothing is said twice. With two, the largest is compared. */
START_TEST(blocks)
{
    lab_given("mapping");
    lab_case("pattern=repeated method=mmap block_bytes=4096", "mb_per_s", 2000, 1);
    lab_case("pattern=repeated method=pread block_bytes=4096", "mb_per_s", 1000, 1);
    lab_case("pattern=repeated method=mmap block_bytes=65536", "mb_per_s", 2000, 1);
    lab_case("pattern=repeated method=pread block_bytes=65536", "mb_per_s", 2000, 1);
    lab_find("mapping");
    ck_assert_uint_eq(lab_said(FINDING_HELD, again), 1);
    ck_assert_uint_eq(lab_said(FINDING_FACT, "(65536 bytes at a time) and pread do not differ"), 1);
    ck_assert_uint_eq(lab_findings.count, 2);
}
END_TEST

START_TEST(nothing_measured)
{
    lab_given("mapping");
    lab_find("mapping");
    ck_assert_uint_eq(lab_findings.count, 1);
    ck_assert_uint_eq(lab_said(FINDING_OPEN, "Nothing was measured."), 1);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("lab_mapping");
    TCase *cases = tcase_create("findings");
    tcase_add_test(cases, all_holds);
    tcase_add_test(cases, all_is_contradicted);
    tcase_add_test(cases, noise_decides_nothing);
    tcase_add_test(cases, faults_are_counted_and_cpu_told_apart);
    tcase_add_test(cases, blocks);
    tcase_add_test(cases, nothing_measured);
    suite_add_tcase(suite, cases);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
