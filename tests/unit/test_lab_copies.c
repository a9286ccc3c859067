/*
 * Tests of what experiment 7 says of made-up figures: each outcome gives its sentence and no other.
 */
#include "lab.h"

#include <stdlib.h>

/* Sets the CPU time per MiB at 1 KiB to 4 MiB: `call` µs for an operation, `copy` µs for a MiB. */
static void sizes(const char *route, const char *way, double call, double copy, double noise)
{
    char factors[128];
    for (int kib = 1; kib <= 4096; kib *= 16) {
        snprintf(factors, sizeof factors, "sweep=size route=%s way=%s size_bytes=%d", route, way,
                 kib * 1024);
        lab_case(factors, "cpu_us_per_mib", call * 1024 / kib + copy, noise);
    }
}

static const char expected[] = "Expected: file-socket by sendfile takes less CPU";

START_TEST(sendfile_pays_from_a_size_on)
{
    lab_given("copies");
    sizes("file-socket", "readwrite", 1, 300, 1);
    sizes("file-socket", "sendfile", 2, 100, 1);
    lab_find("copies");
    ck_assert_uint_eq(lab_said(FINDING_HELD, expected), 1);
    ck_assert_uint_eq(lab_said(FINDING_FACT, "file-socket by sendfile takes 0.33 times the CPU per "
                                             "MiB of readwrite at 4 MiB"),
                      1);
    ck_assert_uint_eq(lab_said(FINDING_FACT, "it takes less from 16 KiB on."), 1);
    ck_assert_uint_eq(lab_findings.count, 2);
}
END_TEST

START_TEST(sendfile_does_not_pay)
{
    for (int same = 0; same < 2; same++) {
        lab_given("copies");
        sizes("file-socket", "readwrite", 1, 300, 1);
        sizes("file-socket", "sendfile", 1, same ? 300 : 600, 1);
        lab_find("copies");
        ck_assert_uint_eq(lab_said(FINDING_NOT_HELD, expected), 1);
        ck_assert_uint_eq(lab_said(FINDING_FACT, "it does not pay there"), 1);
        ck_assert_uint_eq(lab_said(FINDING_FACT, "takes as much CPU per MiB as readwrite at 4 MiB"),
                          same == 1);
        ck_assert_uint_eq(lab_said(FINDING_FACT, "takes 2.00 times the CPU"), same == 0);
        ck_assert_uint_eq(lab_said(-1, "it takes less from"), 0);
    }
}
END_TEST

START_TEST(noise_decides_nothing)
{
    lab_given("copies");
    sizes("file-file", "readwrite", 1, 300, 60);
    sizes("file-file", "copy_range", 1, 200, 60);
    sizes("file-file", "mmap", 1, 200, 60);
    lab_find("copies");
    ck_assert_uint_eq(lab_said(FINDING_OPEN, "to tell them apart"), 2);
    ck_assert_uint_eq(lab_said(FINDING_OPEN, "Expected: file-file by copy_range"), 1);
    ck_assert_uint_eq(lab_findings.count, 3);
}
END_TEST

START_TEST(nothing_to_compare_with)
{
    lab_given("copies");
    sizes("pipe-pipe", "splice", 1, 100, 1);
    lab_find("copies");
    ck_assert_uint_eq(lab_findings.count, 0);
}
END_TEST

START_TEST(zero_copy_copied_or_not)
{
    static const char *const said[] = {"zerocopy: the kernel says that it never copied",
                                       "zerocopy: the kernel says that it copied in each",
                                       "zerocopy: the kernel says that it copied in some"};
    static const int copies[][2] = {{1, 1}, {2, 2}, {1, 2}};
    for (int i = 0; i < 3; i++) {
        lab_given("copies");
        for (int r = 0; r < 2; r++)
            table_add(&lab_table,
                      "sweep=size route=file-socket way=zerocopy size_bytes=%d copies=%d",
                      1024 << r, copies[i][r]);
        lab_find("copies");
        ck_assert_uint_eq(lab_said(FINDING_FACT, said[i]), 1);
        ck_assert_uint_eq(lab_findings.count, 1);
    }
}
END_TEST

START_TEST(copies_are_told)
{
    lab_given("copies");
    sizes("pipe-pipe", "readwrite", 1, 300, 1);
    sizes("pipe-pipe", "splice", 1, 100, 1);
    table_add(&lab_table, "sweep=size route=pipe-pipe way=splice size_bytes=1024 copies=0");
    lab_find("copies");
    ck_assert_uint_eq(lab_said(FINDING_FACT, "copies: 0."), 1);
    ck_assert_uint_eq(lab_said(FINDING_HELD, "Expected: pipe-pipe by splice"), 1);
}
END_TEST

START_TEST(buffers_bend_or_do_not)
{
    for (int bends = 0; bends < 2; bends++) {
        lab_given("copies");
        for (int bytes = 1024; bytes <= 4 << 20; bytes *= 4) {
            char factors[96];
            double most = bends && bytes > 65536 ? 65536 : bytes;
            snprintf(factors, sizeof factors, "sweep=buffer route=file-file buffer_bytes=%d",
                     bytes);
            lab_case(factors, "cpu_us_per_mib", 1e8 / most, 1);
        }
        lab_find("copies");
        ck_assert_uint_eq(lab_said(FINDING_FACT, "over the buffer bends at 64 KiB"), bends == 1);
        ck_assert_uint_eq(lab_said(FINDING_FACT, "over the buffer bends nowhere"), bends == 0);
        ck_assert_uint_eq(
            lab_said(FINDING_FACT, "The best buffer for read and write, file to file"), 1);
        ck_assert_uint_eq(lab_findings.count, 2);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("lab_copies");
    TCase *cases = tcase_create("findings");
    tcase_add_test(cases, sendfile_pays_from_a_size_on);
    tcase_add_test(cases, sendfile_does_not_pay);
    tcase_add_test(cases, noise_decides_nothing);
    tcase_add_test(cases, nothing_to_compare_with);
    tcase_add_test(cases, zero_copy_copied_or_not);
    tcase_add_test(cases, copies_are_told);
    tcase_add_test(cases, buffers_bend_or_do_not);
    suite_add_tcase(suite, cases);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
