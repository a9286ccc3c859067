/*
 * Experiment 6: rings.
 *
 * Question.  How should threads share io_uring, and what does a ring gain over read(2)?
 *
 *            sync      no ring: each thread calls pread(2)
 *            shared    one ring and one lock: the thread that holds it submits, waits, and passes
 *                      on completions of others
 *            split     one ring, a lock for each of its two queues: one thread submits while another one waits
 *            mixed     a submission queue for each thread, and one completion queue that a further thread reads. Linux
 *                      makes queues in pairs. The closest to it is a ring for each thread, where every request is
 *                      linked to an IORING_OP_MSG_RING that posts its end to the reader's ring (Linux 5.18)
 *            private   a ring for each thread, and nothing shared: the kernel may assume a single issuer, and finish
 *                      requests when it is asked to (DEFER_TASKRUN, Linux 6.1)
 *
 * Expected.  A ring saves system calls: a batch of n takes one call, so calls per request fall as 1/n. The
 *            cost of a call (0.1 to 1 µs) is what can be gained on a cached read, until only the copying of
 *            4 KiB is left. The latency of a request grows with its batch, because all wait for the last
 *            one. With more than one thread, private rings do most, because a lock lets only one thread
 *            into the kernel at a time. With one thread the layouts hardly differ. On a device, the number
 *            of requests under way counts.
 *            A published project claims for its ring: 80 % more IOPS than read(2), 77 % less latency, 1/4096 of
 *            the system calls, and factors of 1,000 and 100 between such layouts. The figures judge each claim.
 *
 * Vary.      --set batches=1,2,4,…   --set threads=1,2,4   --set layouts=shared,private   --set
 *            requests=100000
 *
 * Needs.     Linux 5.6; mixed from 5.18; private with deferred completions from 6.1, else without them.
 *
 * A batch is prepared, submitted with one call, and awaited completely before the next one. The latency of
 * a request is the time from the beginning of its batch until its completion was read. Each request of a
 * batch has 4 KiB of its own, so large batches do not fit into the CPU's cache. Threads and rings are made
 * before the clock runs.
 */
#include "rings_team.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

enum { LIST = 16, USUAL_BATCH = 32 };

static const struct column factors[] = {
    {"sweep", "text", "which question the row belongs to: batch, threads or device"},
    {"work", "text",
     "nop (nothing is done), cached (4 KiB of the page cache) or direct (O_DIRECT)"},
    {"layout", "text", "sync, shared, split, mixed or private"},
    {"threads", "count", "threads that ask for reads"},
    {"batch", "count", "requests of a thread that are submitted together"},
    {0}};

static const struct parameter parameters[] = {
    {"layouts", "of: sync shared split mixed private", "sync,shared,split,mixed,private",
     "sync,shared,split,mixed,private", "sync,shared,split,mixed,private"},
    {"batches", "requests submitted together", "1,2,4,8,16,32,64,128,256,512,1024,2048,4096",
     "1,8,64,512,4096", "1,64,4096"},
    {"threads", "threads that ask", "1,2,4,8,16", "1,2,4", "1,2"},
    {"device_batches", "the same with O_DIRECT", "1,4,16,64,256", "1,32,256", "1,32"},
    {"requests", "of one measurement, if its time suffices", "100000", "100000", "20000"},
    {0}};

static const struct plot plots[] = {
    {"batch", "Cached reads of 4 KiB: requests per second", "batch", "iops", "layout",
     "sweep=batch", false, true, true},
    {"latency", "Cached reads of 4 KiB: mean latency", "batch", "mean_us", "layout", "sweep=batch",
     false, true, true},
    {"calls", "Cached reads of 4 KiB: system calls per request", "batch", "syscalls_per_op",
     "layout", "sweep=batch", false, true, true},
    {"threads", "Cached reads of 4 KiB by threads, batches of 32", "threads", "iops", "layout",
     "sweep=threads work=cached", false, true, true},
    {"nop", "Requests that do nothing by threads, batches of 32", "threads", "iops", "layout",
     "sweep=threads work=nop", false, true, true},
    {"device", "Reads of 4 KiB with O_DIRECT: requests per second", "batch", "iops", "layout",
     "sweep=device", false, true, true},
    {0}};

/* ---- the cases --------------------------------------------------------------------------------- */

struct wanted {
    const char *sweep, *work, *layout;
    uint64_t threads, batch;
};

static void team_measure(struct lab *lab, struct wanted w)
{
    static struct team team;
    bool direct = !strcmp(w.work, "direct"), nop = !strcmp(w.work, "nop");
    uint64_t largest = lab_largest(lab), cached = 64 << 20, each = w.threads * w.batch;
    const struct data *data = lab_file(lab, direct ? largest : cached < largest ? cached : largest);
    memset(&team, 0, sizeof team);
    team.fd = -1;
    team.data = nop ? NULL : data;
    team.layout = w.layout;
    team.threads = (unsigned)w.threads;
    team.batch = (unsigned)w.batch;
    team.batches = (lab_number(lab, "requests") + each - 1) / each;
    team.direct = direct;
    struct work work = {.context = &team,
                        .open = team_open,
                        .run = team_run,
                        .close = team_close,
                        .data = team.data,
                        .cache = nop      ? CACHE_AS_IT_IS
                                 : direct ? CACHE_COLD
                                          : CACHE_WARM};
    lab_measure(lab, &work, "sweep=%s work=%s layout=%s threads=%" PRIu64 " batch=%" PRIu64,
                w.sweep, w.work, w.layout, w.threads, w.batch);
}

/* Returns the threads for sweeps over batches: as many as CPUs, 2 to 4. */
static unsigned usual_threads(void)
{
    int cpu[4];
    unsigned cpus = lab_cpus(cpu, 4);
    return cpus < 2 ? 2 : cpus;
}

/* Without a ring there are no batches: it is measured once, with batch 1. */
static void batches_walk(struct lab *lab, const char *sweep, const char *work, const char *list)
{
    const char *layout[LIST];
    uint64_t batch[LIST];
    unsigned layouts = lab_words(lab, "layouts", layout, LIST),
             batches = lab_numbers(lab, list, batch, LIST);
    for (unsigned b = 0; b < batches; b++)
        for (unsigned l = 0; l < layouts; l++) {
            if (batch[b] < 1 || batch[b] > BATCH_MAX) continue;
            if (!strcmp(layout[l], "sync") && b > 0) continue;
            bool sync = !strcmp(layout[l], "sync");
            team_measure(lab, (struct wanted){.sweep = sweep,
                                              .work = work,
                                              .layout = layout[l],
                                              .threads = usual_threads(),
                                              .batch = sync ? 1 : batch[b]});
        }
}

static void threads_walk(struct lab *lab, const char *work)
{
    const char *layout[LIST];
    uint64_t threads[LIST];
    unsigned layouts = lab_words(lab, "layouts", layout, LIST),
             counts = lab_numbers(lab, "threads", threads, LIST);
    for (unsigned c = 0; c < counts; c++)
        for (unsigned l = 0; l < layouts; l++) {
            bool sync = !strcmp(layout[l], "sync");
            if (threads[c] < 1 || threads[c] > TEAM_MAX) continue;
            if (sync && !strcmp(work, "nop")) continue; /* read(2) of nothing is no match */
            team_measure(lab, (struct wanted){.sweep = "threads",
                                              .work = work,
                                              .layout = layout[l],
                                              .threads = threads[c],
                                              .batch = sync ? 1 : USUAL_BATCH});
        }
}

static void run(struct lab *lab)
{
    batches_walk(lab, "batch", "cached", "batches");
    threads_walk(lab, "cached");
    threads_walk(lab, "nop");
    batches_walk(lab, "device", "direct", "device_batches");
}

/* ---- what the figures say ---------------------------------------------------------------------- */

enum { WHERE_MAX = 160 };

/*
 * Finds the rows of the batch with which private rings do best: most or least of `figure`. Returns false
 * when there are none.
 */
static bool best_where(const struct table *t, const char *sweep, const char *figure, bool most,
                       char where[WHERE_MAX], double *batch)
{
    int best, first;
    snprintf(where, WHERE_MAX, "sweep=%s layout=private", sweep);
    struct curve curve = curve_of(t, "batch", figure, where);
    best_find(&curve, most, &best, &first);
    if (best < 0) return false;
    *batch = curve.x[best];
    snprintf(where, WHERE_MAX, "sweep=%s layout=private batch=%.0f", sweep, *batch);
    return true;
}

/*
 * Judges a claim that the ratio is at least `wanted`; when `wanted` is below 1, that it is at most
 * `wanted`.
 */
static void claim_judge(struct findings *into, const char *claim, double wanted,
                        const struct comparison *c, const char *measured, const char *why_not)
{
    bool known = !isnan(c->low);
    bool holds = known && (wanted > 1 ? c->low >= wanted : c->high <= wanted);
    bool fails = known && (wanted > 1 ? c->high < wanted : c->low > wanted);
    if (holds)
        finding_add(into, FINDING_HELD, "Claimed: %s. Here it holds: %s is %.3g (%.3g to %.3g).",
                    claim, measured, c->ratio, c->low, c->high);
    else if (fails)
        finding_add(into, FINDING_NOT_HELD,
                    "Claimed: %s. Here it does not hold: %s is %.3g (%.3g to %.3g). %s", claim,
                    measured, c->ratio, c->low, c->high, why_not);
    else if (known)
        finding_add(into, FINDING_OPEN, "Claimed: %s. It is too noisy to tell: %s is %.3g to %.3g.",
                    claim, measured, c->low, c->high);
    else
        finding_add(into, FINDING_OPEN, "Claimed: %s. It was not measured often enough to tell.",
                    claim);
}

static struct comparison against_sync(const struct table *t, const char *sweep, const char *figure,
                                      const char *where)
{
    struct sample ring = table_sample(t, figure, "%s", where);
    struct sample sync = table_sample(t, figure, "sweep=%s layout=sync", sweep);
    return compare(&ring, &sync);
}

static void rate_claim(const struct table *t, struct findings *into, const char *sweep,
                       const char *what, const char *why_not)
{
    char where[WHERE_MAX], measured[WHERE_MAX];
    double batch;
    if (table_sample(t, "iops", "sweep=%s layout=sync", sweep).count == 0) return;
    if (!best_where(t, sweep, "iops", true, where, &batch)) return;
    struct comparison c = against_sync(t, sweep, "iops", where);
    snprintf(measured, sizeof measured,
             "for %s, IOPS by private rings in the best batches, %.0f, over those by pread", what,
             batch);
    claim_judge(into, "80 % more IOPS than synchronous reads", 1.8, &c, measured, why_not);
}

static void latency_claim(const struct table *t, struct findings *into, const char *sweep,
                          const char *what)
{
    char where[WHERE_MAX], measured[WHERE_MAX];
    double batch;
    if (table_sample(t, "mean_us", "sweep=%s layout=sync", sweep).count == 0) return;
    if (!best_where(t, sweep, "mean_us", false, where, &batch)) return;
    struct comparison c = against_sync(t, sweep, "mean_us", where);
    snprintf(measured, sizeof measured,
             "for %s, the least mean latency by private rings, in batches of %.0f, over that by "
             "pread",
             what, batch);
    claim_judge(into, "77 % less latency than synchronous reads", 0.23, &c, measured,
                "It cannot: a request alone takes the same copy or the same device, and in a batch "
                "it waits for the others, too.");
}

static void calls_claim(const struct table *t, struct findings *into)
{
    static const char most[] = "sweep=batch layout=private batch=4096";
    struct comparison c = against_sync(t, "batch", "syscalls_per_op", most);
    if (table_sample(t, "syscalls_per_op", most).count == 0) return;
    claim_judge(into, "system calls down to 1/4096 (0.000244)", 1.5 / 4096, &c,
                "in batches of 4096, system calls per request over those of pread",
                "Starting and ending the threads' work costs calls, too, and weighs more the fewer "
                "batches there are.");
}

/* The largest ratio of requests per second between two layouts, for any work and batch. */
struct gap {
    const char *above, *below;
    double ratio;
    struct comparison comparison;
    char where[WHERE_MAX];
};

static void gap_widen(struct gap *gap, const struct table *t, const char *where)
{
    struct sample above = table_sample(t, "iops", "%s layout=%s", where, gap->above);
    struct sample below = table_sample(t, "iops", "%s layout=%s", where, gap->below);
    struct comparison c = compare(&above, &below);
    if (isnan(c.ratio) || !(c.ratio > gap->ratio)) return;
    gap->ratio = c.ratio;
    gap->comparison = c;
    snprintf(gap->where, sizeof gap->where, "%.150s", where);
}

static void gap_find(struct gap *gap, const struct table *t)
{
    static const char *const along[][2] = {{"sweep=batch work=cached", "batch"},
                                           {"sweep=device work=direct", "batch"},
                                           {"sweep=threads work=cached", "threads"},
                                           {"sweep=threads work=nop", "threads"}};
    for (unsigned a = 0; a < 4; a++) {
        struct cell x[DISTINCT_MAX];
        unsigned count = table_distinct(t, along[a][1], x, "%s", along[a][0]);
        for (unsigned i = 0; i < count; i++) {
            char where[WHERE_MAX];
            snprintf(where, sizeof where, "%s %s=%.0f", along[a][0], along[a][1], x[i].number);
            gap_widen(gap, t, where);
        }
    }
}

static void gap_claim(const struct table *t, struct findings *into, const char *below,
                      double wanted, const char *claim)
{
    char measured[2 * WHERE_MAX], why[2 * WHERE_MAX] = "";
    struct gap gap = {.above = "private", .below = below};
    struct sample one = table_sample(t, "iops", "sweep=threads work=nop layout=private threads=1");
    gap_find(&gap, t);
    if (!(gap.ratio > 0)) return;
    snprintf(measured, sizeof measured,
             "the largest ratio of IOPS between private and %s that was found (%s)", below,
             gap.where);
    if (one.count > 0) {
        double ns = 1e9 / summarise(&one).median;
        snprintf(
            why, sizeof why,
            "It cannot: a request that does nothing costs a private ring %.0f ns, so the other "
            "layout would have to waste %.0f µs on each; a lock or a message costs a few at "
            "most.",
            ns, wanted * ns / 1000);
    }
    claim_judge(into, claim, wanted, &gap.comparison, measured, why);
}

static void claims_find(const struct table *t, struct findings *into)
{
    rate_claim(t, into, "batch", "cached reads",
               "What a ring can spare is the call; the copy of 4 KiB and the look-up in the page "
               "cache stay.");
    rate_claim(t, into, "device", "direct reads",
               "The device, or what limits it, does not reward more requests under way than there "
               "are threads.");
    latency_claim(t, into, "batch", "cached reads");
    latency_claim(t, into, "device", "direct reads");
    calls_claim(t, into);
    gap_claim(t, into, "shared", 1000, "1,000 times between private rings and a shared one");
    gap_claim(t, into, "mixed", 100,
              "100 times between private rings and a common completion queue");
}

/* Compares private rings with a lock, with as many threads as were measured. */
static void lock_find(const struct table *t, struct findings *into)
{
    struct cell threads[DISTINCT_MAX];
    char mine[WHERE_MAX], shared[WHERE_MAX], expectation[WHERE_MAX];
    unsigned count = table_distinct(t, "threads", threads, "sweep=threads work=nop");
    if (count == 0) return;
    double most = threads[count - 1].number;
    snprintf(mine, sizeof mine, "sweep=threads work=nop layout=private threads=%.0f", most);
    snprintf(shared, sizeof shared, "sweep=threads work=nop layout=shared threads=%.0f", most);
    struct sample a = table_sample(t, "iops", "%s", mine),
                  b = table_sample(t, "iops", "%s", shared);
    struct comparison c = compare(&a, &b);
    if (a.count == 0 || b.count == 0) return;
    snprintf(expectation, sizeof expectation,
             "with %.0f threads, private rings do more requests that do nothing than one ring "
             "under a lock",
             most);
    if (most > 1)
        finding_expect(into, expectation, MORE, &c,
                       "Either there is one CPU for all of them, so that nobody else could run "
                       "while one holds the lock, or others took the CPUs.");
    finding_ratio(into, t, "iops", "a private ring with one thread",
                  "sweep=threads work=nop layout=private threads=1",
                  "a shared one with one thread (requests that do nothing)",
                  "sweep=threads work=nop layout=shared threads=1");
}

static void find(const struct table *t, struct findings *into)
{
    claims_find(t, into);
    lock_find(t, into);
    finding_ratio(into, t, "iops", "one ring with two locks (direct, batches of 32)",
                  "sweep=device layout=split batch=32", "one with one lock",
                  "sweep=device layout=shared batch=32");
    finding_best(into, t, "The best batch for cached reads by private rings", "batch", "iops", true,
                 "sweep=batch layout=private");
    finding_bend(into, t, "IOPS of cached reads by private rings over the batch", "batch", "iops",
                 "sweep=batch layout=private");
    finding_bend(into, t, "Mean latency of cached reads by private rings over the batch", "batch",
                 "mean_us", "sweep=batch layout=private");
    finding_scaling(into, t, "Threads with private rings, cached reads", "threads", "iops",
                    "sweep=threads work=cached layout=private");
    finding_scaling(into, t, "Threads with one ring under a lock, cached reads", "threads", "iops",
                    "sweep=threads work=cached layout=shared");
}

static const struct experiment rings = {
    .number = 6,
    .name = "rings",
    .title = "Rings",
    .question = "How should threads share io_uring, and what does a ring gain over read(2)?",
    .expectation =
        "System calls per request fall as 1 / batch; a cached read gains what the call costs (0.1 "
        "to 1 µs), and its latency grows with the batch, since all wait for the last one. With "
        "several threads a ring for each does most, since a lock lets one at a time into the "
        "kernel. A published project claims 80 % more IOPS, 77 % less latency, 1/4096 of the "
        "calls, and 1,000 and 100 times between the layouts: each is judged.",
    .floor = "Linux 5.6; mixed from 5.18; deferred completions from 6.1",
    .full_minutes = 5.8,
    .quick_minutes = 0.6,
    .figure = "iops",
    .factors = factors,
    .parameters = parameters,
    .plots = plots,
    .run = run,
    .find = find,
};
EXPERIMENT(rings);
