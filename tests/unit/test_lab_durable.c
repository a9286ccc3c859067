/*
 * Tests of what experiment 5 says of made-up figures: each outcome gives its sentence and no other.
 */
#include "lab.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

static const char flush[] = "Expected: a flush after each write of 4 KiB";
static const char group[] = "Expected: a flush after every 8 writes";
static const char append[] = "Expected: with a flush after each write, overwriting";
static const char time_of_change[] =
    "Expected: overwriting with fdatasync is faster than with fsync";
static const char flag[] = "Expected: O_DSYNC gives as many";
static const char gathering[] = "Expected: records gathered to 64 KiB";
static const char gathering_flushed[] = "Expected: with a flush for each write, records gathered";

static void policy(const char *place, const char *name, double iops, double noise)
{
    char factors[120];
    snprintf(factors, sizeof factors, "sweep=policy place=%s policy=%s", place, name);
    lab_case(factors, "iops", iops, noise);
}

static void gathered(const char *policy, const char *how, double iops, double noise)
{
    char factors[120];
    snprintf(factors, sizeof factors, "sweep=gather policy=%s gathered=%s", policy, how);
    lab_case(factors, "iops", iops, noise);
}

static void everything(bool as_expected, double noise)
{
    double x = as_expected ? 8 : 1;
    lab_given("durable");
    policy("overwrite", "nothing", 1000 * x, noise);
    policy("overwrite", "fdatasync", 1000, noise);
    policy("overwrite", "fdatasync/8", 1000 * x, noise);
    policy("append", "fdatasync", 1000 / x, noise);
    policy("overwrite", "fsync", 1000 / x, noise);
    policy("overwrite", "dsync", as_expected ? 1000 : 3000, noise);
    gathered("nothing", "64-KiB", 1000 * x, noise);
    gathered("nothing", "at-once", 1000, noise);
    gathered("fdatasync", "64-KiB", 1000 * x, noise);
    gathered("fdatasync", "at-once", 1000, noise);
    lab_find("durable");
}

static void all_are(enum finding_kind kind)
{
    static const char *const sentence[] = {flush, group,     append,           time_of_change,
                                           flag,  gathering, gathering_flushed};
    lab_each_said(kind, sentence, sizeof sentence / sizeof *sentence);
    ck_assert_uint_eq(lab_said(-1, ""), 7);
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
    ck_assert_uint_eq(lab_said(FINDING_NOT_HELD, "says that it has flushed when it has not"), 1);
    ck_assert_uint_eq(lab_said(FINDING_NOT_HELD, "or flushing costs nothing"), 1);
    ck_assert_uint_eq(lab_said(FINDING_NOT_HELD, "the journal's commit"), 1);
    ck_assert_uint_eq(lab_said(FINDING_NOT_HELD, "lazytime"), 1);
    ck_assert_uint_eq(lab_said(FINDING_NOT_HELD, "(FUA)"), 1);
    ck_assert_uint_eq(lab_said(FINDING_NOT_HELD, "making and counting a record"), 1);
    ck_assert_uint_eq(lab_said(FINDING_NOT_HELD, "may not be safe after one"), 1);
}
END_TEST

START_TEST(noise_decides_nothing)
{
    everything(true, 95);
    all_are(FINDING_OPEN);
}
END_TEST

static void lost(const char *how, double bytes, double most, double risk)
{
    for (int r = 1; r <= 3; r++)
        table_add(&lab_table,
                  "sweep=gather policy=nothing gathered=%s repetition=%d lost_bytes=%.10g "
                  "lost_most_bytes=%.10g at_risk_bytes=%.10g",
                  how, r, bytes, most, risk);
}

START_TEST(kills_take_what_was_gathered)
{
    lab_given("durable");
    lost("at-once", 0, 0, 1 << 20);
    lost("64-KiB", 32 << 10, 65536 - 128, 2 << 20);
    lost("1-MiB", 500 << 10, 1000 << 10, 8 << 20);
    lost("10-ms", 1 << 20, 2 << 20, 8 << 20);
    lab_find("durable");
    ck_assert_uint_eq(lab_said(FINDING_HELD,
                               "is not lost by a kill. Records written at once: kills took 0 bytes "
                               "(median of 3 measurements), at most 0 bytes; no flush had covered "
                               "1 MiB."),
                      1);
    ck_assert_uint_eq(lab_said(FINDING_HELD, "no more than is gathered. Records written when they "
                                             "are 64 KiB: kills took 32 KiB"),
                      1);
    ck_assert_uint_eq(lab_said(FINDING_FACT, "Records written when they are 10 ms old: kills took "
                                             "1 MiB (median of 3 measurements), at most 2 MiB"),
                      1);
    ck_assert_uint_eq(lab_said(FINDING_HELD, "Records written when they are 1 MiB: kills took 500 "
                                             "KiB"),
                      1);
    ck_assert_uint_eq(lab_findings.count, 4);
}
END_TEST

START_TEST(kills_take_more)
{
    lab_given("durable");
    lost("at-once", 128, 256, 1 << 20);
    lost("64-KiB", 60000, 65536 + 128, 2 << 20);
    lab_find("durable");
    ck_assert_uint_eq(lab_said(FINDING_NOT_HELD, "is not lost by a kill."), 1);
    ck_assert_uint_eq(lab_said(FINDING_NOT_HELD, "or did another program write to the file?"), 1);
    ck_assert_uint_eq(lab_said(FINDING_NOT_HELD, "a kill takes no more than is gathered."), 1);
    ck_assert_uint_eq(lab_said(FINDING_NOT_HELD, "more was under way"), 1);
    ck_assert_uint_eq(lab_findings.count, 2);
}
END_TEST

/* MB/s of flushed blocks are proportional to their size up to 64 KiB, or for all sizes. */
START_TEST(blocks_bend_or_not)
{
    for (unsigned bends = 0; bends < 2; bends++) {
        lab_given("durable");
        for (uint64_t block = 4096; block <= 1 << 20; block *= 4) {
            char factors[96];
            snprintf(factors, sizeof factors, "sweep=block policy=fdatasync block_bytes=%" PRIu64,
                     block);
            lab_case(factors, "mb_per_s", (double)(bends && block > 65536 ? 65536 : block) / 1000,
                     1);
        }
        lab_find("durable");
        ck_assert_uint_eq(lab_said(FINDING_FACT, "over the block bends at 64 KiB"), bends);
        ck_assert_uint_eq(lab_said(FINDING_FACT, "over the block bends nowhere"), !bends);
        ck_assert_uint_eq(lab_said(FINDING_FACT, "The best block for writes that are each flushed"),
                          1);
        ck_assert_uint_eq(lab_findings.count, 2);
    }
}
END_TEST

START_TEST(gathering_is_compared_by_its_mean)
{
    lab_given("durable");
    lab_case("sweep=gather policy=fdatasync gathered=10-ms", "mean_us", 5, 1);
    lab_case("sweep=gather policy=fdatasync gathered=at-once", "mean_us", 1000, 1);
    lab_find("durable");
    ck_assert_uint_eq(lab_said(FINDING_FACT, "a flushed record gathered for 10 ms has 0.005 times "
                                             "the mean latency of one written and flushed at once"),
                      1);
    ck_assert_uint_eq(lab_findings.count, 1);
}
END_TEST

START_TEST(nothing_measured)
{
    lab_given("durable");
    lab_find("durable");
    ck_assert_uint_eq(lab_findings.count, 1);
    ck_assert_uint_eq(lab_said(FINDING_OPEN, "Nothing was measured."), 1);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("lab_durable");
    TCase *cases = tcase_create("findings");
    tcase_add_test(cases, all_holds);
    tcase_add_test(cases, all_is_contradicted);
    tcase_add_test(cases, noise_decides_nothing);
    tcase_add_test(cases, kills_take_what_was_gathered);
    tcase_add_test(cases, kills_take_more);
    tcase_add_test(cases, blocks_bend_or_not);
    tcase_add_test(cases, gathering_is_compared_by_its_mean);
    tcase_add_test(cases, nothing_measured);
    suite_add_tcase(suite, cases);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
