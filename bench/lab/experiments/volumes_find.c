/* Experiment 13, cloud volumes: what its figures mean. Pure; the lesson is in volumes.c. */
#include "volumes.h"

#include "../text.h"

#include <math.h>
#include <string.h>

#define NEAR 0.1 /* a limit counts as reached and as kept within a tenth */

/* Says whether a limit is reached and kept: "of_iops" or "of_mb_per_s" is 1. */
static void limit_find(const struct table *t, struct findings *into, const char *type,
                       const char *of, const char *figure, const char *limit, double block)
{
    char where[120];
    text at, measured, allowed;
    snprintf(where, sizeof where, "sweep=block type=%s block_bytes=%.10g", type, block);
    struct sample share = table_sample(t, of, "%s", where);
    struct sample came = table_sample(t, figure, "%s", where);
    struct sample limits = table_sample(t, limit, "%s", where);
    if (share.count == 0 || came.count == 0 || limits.count == 0) return;
    struct summary s = summarise(&share);
    bool iops = !strcmp(figure, "iops");
    text_bytes(at, block);
    text_figure(measured, summarise(&came).median, iops ? "IOPS" : "MB/s");
    text_figure(allowed, summarise(&limits).median, iops ? "IOPS" : "MB/s");
    if (s.least < 1 - NEAR && s.most > 1 - NEAR)
        finding_add(
            into, FINDING_OPEN,
            "Expected: a %s volume reaches its %s with blocks of %s. It is too noisy to tell "
            "(%s; repetitions differ by %.0f %%).",
            type, allowed, at, measured, 100 * s.spread);
    else if (s.median < 1 - NEAR)
        finding_add(into, FINDING_NOT_HELD,
                    "Expected: a %s volume reaches its %s with blocks of %s. It did not hold: %s. "
                    "This machine's own disk gives no more.",
                    type, allowed, at, measured);
    else if (s.median > 1 + NEAR)
        finding_add(
            into, FINDING_NOT_HELD,
            "Expected: a %s volume keeps to its %s with blocks of %s. It did not hold: %s. The "
            "throttle also grants what was not used before, so the measurement was too short.",
            type, allowed, at, measured);
    else
        finding_add(into, FINDING_HELD,
                    "Expected: a %s volume gives its %s with blocks of %s, no more and no less. It "
                    "held: %s (repetitions differ by %.0f %%).",
                    type, allowed, at, measured, 100 * s.spread);
}

static void block_find(const struct table *t, struct findings *into, const char *type)
{
    char where[64], subject[64];
    struct cell block[DISTINCT_MAX];
    snprintf(where, sizeof where, "sweep=block type=%s", type);
    unsigned blocks = table_distinct(t, "block_bytes", block, "%s", where);
    if (blocks == 0) return;
    limit_find(t, into, type, "of_iops", "iops", "limit_iops", block[0].number);
    if (blocks > 1)
        limit_find(t, into, type, "of_mb_per_s", "mb_per_s", "limit_mb_per_s",
                   block[blocks - 1].number);
    snprintf(subject, sizeof subject, "MB/s of a %s volume over the block", type);
    finding_bend(into, t, subject, "block_bytes", "mb_per_s", where);
}

/* Compares the knee, where the other limit begins to count, with bytes per second / IOPS. */
static void knee_find(const struct table *t, struct findings *into)
{
    static const char where[] = "sweep=block type=general";
    struct curve curve = curve_of(t, "block_bytes", "mb_per_s", where);
    struct bend bend = bend_find(&curve);
    struct sample iops = table_sample(t, "limit_iops", "%s", where);
    struct sample mb = table_sample(t, "limit_mb_per_s", "%s", where);
    if (curve.count < 4 || iops.count == 0 || mb.count == 0) return;
    double knee = summarise(&mb).median * 1e6 / summarise(&iops).median;
    double below = 0, above = INFINITY; /* the points on both sides of it */
    for (unsigned i = 0; i < curve.count; i++) {
        if (curve.x[i] <= knee) below = curve.x[i];
        if (curve.x[i] >= knee && isinf(above)) above = curve.x[i];
    }
    text at, wanted;
    text_bytes(at, bend.x);
    text_bytes(wanted, round(knee / 1024) * 1024);
    if (!bend.found)
        finding_add(into, FINDING_NOT_HELD,
                    "Expected: the limit changes from IOPS to bytes per second at %s (bytes per "
                    "second / IOPS). It did not hold: there is no bend beyond the noise. This "
                    "machine's own disk may be slower than both limits.",
                    wanted);
    else if (bend.x >= below && bend.x <= above)
        finding_add(into, FINDING_HELD,
                    "Expected: the limit changes from IOPS to bytes per second at %s (bytes per "
                    "second / IOPS). It held: of the blocks tried the bend is at %s.",
                    wanted, at);
    else
        finding_add(into, FINDING_NOT_HELD,
                    "Expected: the limit changes from IOPS to bytes per second at %s (bytes per "
                    "second / IOPS). It did not hold: the bend is at %s. Something else limits it "
                    "too, or one read here is several reads for the device.",
                    wanted, at);
}

static void depth_find(const struct table *t, struct findings *into)
{
    static const char where[] = "sweep=depth type=general";
    struct curve rate = curve_of(t, "under_way", "iops", where);
    struct curve latency = curve_of(t, "under_way", "mean_us", where);
    char expectation[160];
    if (rate.count < 2 || latency.count < 2) return;
    unsigned last = rate.count - 1, middle = (rate.count - 1) / 2;
    struct comparison c = compare(&rate.y[last], &rate.y[middle]);
    snprintf(expectation, sizeof expectation,
             "at the limit %.0f reads under way give no more IOPS than %.0f", rate.x[last],
             rate.x[middle]);
    finding_expect(into, expectation, SAME, &c,
                   "The volume was not at its limit with fewer: its latency is longer than they "
                   "permit.");
    c = compare(&latency.y[latency.count - 1], &latency.y[(latency.count - 1) / 2]);
    snprintf(expectation, sizeof expectation,
             "at the limit %.0f reads under way only take longer than %.0f (latency = under way / "
             "IOPS)",
             rate.x[last], rate.x[middle]);
    finding_expect(into, expectation, MORE, &c, "The volume was not at its limit with either.");
}

static void stripe_find(const struct table *t, struct findings *into)
{
    static const double block[] = {4096, 262144};
    for (unsigned i = 0; i < 2; i++) {
        char where[96], subject[96], expectation[160];
        text bytes;
        text_bytes(bytes, block[i]);
        snprintf(where, sizeof where, "sweep=stripe type=general block_bytes=%.10g", block[i]);
        snprintf(subject, sizeof subject, "Striped volumes, blocks of %s", bytes);
        struct curve curve = curve_of(t, "volumes", "mb_per_s", where);
        if (curve.count < 2) continue;
        finding_scaling(into, t, subject, "volumes", i ? "mb_per_s" : "iops", where);
        struct comparison c = compare(&curve.y[curve.count - 1], &curve.y[0]);
        snprintf(expectation, sizeof expectation,
                 "%.0f striped volumes move more than %.0f in blocks of %s",
                 curve.x[curve.count - 1], curve.x[0], bytes);
        finding_expect(into, expectation, MORE, &c,
                       "All of them are on one disk here, and it gives no more.");
    }
}

static void burst_find(const struct table *t, struct findings *into)
{
    struct curve curve = curve_of(t, "asked", "iops", "sweep=burst");
    struct sample lasted = table_sample(t, "burst_s", "sweep=burst");
    if (curve.count < 2) return;
    unsigned last = curve.count - 1;
    struct comparison c = compare(&curve.y[0], &curve.y[last]);
    text few, many;
    text_number(few, summarise(&curve.y[0]).median);
    text_number(many, summarise(&curve.y[last]).median);
    if (lasted.count > 0)
        finding_add(into, FINDING_FACT,
                    "Burst credit lasted %.2f s: %.0f reads came with %s IOPS, %.0f with %s on "
                    "average.",
                    summarise(&lasted).median, curve.x[0], few, curve.x[last], many);
    finding_expect(into,
                   "a short run, for which the credit lasts, gives more IOPS than a long one, for "
                   "which it does not",
                   MORE, &c,
                   "The credit lasted for both, or this machine's disk is slower than the burst "
                   "rate: ask for more reads.");
}

void volumes_find(const struct table *t, struct findings *into)
{
    block_find(t, into, "general");
    knee_find(t, into);
    block_find(t, into, "provisioned");
    block_find(t, into, "local");
    depth_find(t, into);
    stripe_find(t, into);
    burst_find(t, into);
    finding_ratio(into, t, "mean_us", "4 KiB from a general volume (32 under way)",
                  "sweep=block type=general block_bytes=4096", "from the local disk",
                  "sweep=block type=local block_bytes=4096");
}
