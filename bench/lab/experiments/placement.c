/*
 * Experiment 12: placement.
 *
 * Question.  What does it matter on which CPU something runs, and what do neighbours do to it?
 *
 * Expected.  Two threads that take turns gain nothing from two CPUs. On one CPU, a round trip by pipe needs
 *            only a switch. On two, an interrupt has to wake the other CPU, and in a virtual machine that
 *            leaves the machine (McVoy and Staelin, "lmbench", 1996). Spinning on two cores takes as long
 *            as a cache line needs there and back: 0.1 to 0.5 µs, less within one core (hyper-threads),
 *            more between nodes. On one CPU, each thread spins until its time slice is over. A neighbour
 *            that computes on the same CPU takes half of it, and a thread that sleeps has to wait until
 *            that neighbour is descheduled. On another core it should have no effect, unless the two are
 *            hyper-threads or share a CPU of the hypervisor. A neighbour on the disk makes each read wait
 *            behind its own reads. The CPU that gets the interrupts of the device needs to wake no other
 *            one.
 *
 * Vary.      --set means=spin,futex,pipe,stream   --set works=compute,wake,read
 *
 * Needs.     Any Linux. Hyper-threads and nodes are measured where there are any; most cases need two CPUs.
 *
 * Sweep `pair`: two threads, not pinned (free), on one CPU (same), on two threads of one core (sibling), on
 * two cores (core), on two memory nodes (node). An operation of a stream is 64 KiB through a pipe, else it
 * is a round trip.
 *
 * Sweep `neighbour`: one thread on a CPU computes, sleeps for 200 µs (the latency is how late it wakes), or
 * reads 4 KiB with O_DIRECT. Sweep `interrupt`: such reads from each CPU. CPU figures are of all threads.
 */
#include "../device.h"
#include "placement_work.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { LIST = 16, WHERE_MAX = 128, IRQ_CPUS_MAX = 4 };

static const struct column factors[] = {
    {"sweep", "text", "which question the row belongs to: pair, neighbour or interrupt"},
    {"work", "text", "spin, futex, pipe, stream; compute, wake or read"},
    {"place", "text", "of two threads: free, same, sibling, core or node; else pinned"},
    {"neighbour", "text", "none, same_cpu, sibling, other_cpu or disk"},
    {"cpu", "count", "the CPU of the thread that is measured; empty: not pinned"},
    {0}};

static const struct column figures[] = {
    {"interrupts_here", "share", "of the device's interrupts: those that this CPU got"}, {0}};

static const struct parameter parameters[] = {
    {"means", "of: spin futex pipe stream", "spin,futex,pipe,stream", "spin,futex,pipe,stream",
     "spin,futex,pipe,stream"},
    {"works", "of: compute wake read", "compute,wake,read", "compute,wake,read",
     "compute,wake,read"},
    {0}};

static const struct plot plots[] = {
    {"trip", "Round trip between two threads by pipe", "place", "median_us", NULL,
     "sweep=pair work=pipe", true, false, false},
    {"spin", "Round trip by spinning", "place", "median_us", NULL, "sweep=pair work=spin", true,
     false, false},
    {"stream", "64 KiB at a time through a pipe", "place", "mb_per_s", NULL,
     "sweep=pair work=stream", true, false, false},
    {"compute", "Computing beside neighbours", "neighbour", "iops", NULL,
     "sweep=neighbour work=compute", true, false, false},
    {"wake", "How late a sleeper wakes up: p99", "neighbour", "p99_us", NULL,
     "sweep=neighbour work=wake", true, false, false},
    {"read", "Direct reads of 4 KiB beside neighbours: p99", "neighbour", "p99_us", NULL,
     "sweep=neighbour work=read", true, false, false},
    {"interrupt", "Direct reads of 4 KiB from each CPU", "cpu", "median_us", NULL,
     "sweep=interrupt", true, false, false},
    {0}};

/* ---- the cases --------------------------------------------------------------------------------- */

static void pair_measure(struct lab *lab, const char *means, const char *place, int a, int b)
{
    static struct trip x;
    char cpu[16] = "";
    memset(&x, 0, sizeof x);
    x.means = means;
    x.cpu[0] = a;
    x.cpu[1] = b;
    struct work work = {.context = &x, .open = trip_open, .run = trip_run, .close = trip_close};
    if (a >= 0) snprintf(cpu, sizeof cpu, "%d", a);
    lab_measure(lab, &work, "sweep=pair work=%s place=%s neighbour=none cpu=%s", means, place, cpu);
}

static void pairs_walk(struct lab *lab, int first)
{
    static const struct {
        const char *name;
        enum distance distance;
        const char *why_not;
    } place[] = {{"same", SAME_CPU, ""},
                 {"sibling", SIBLING, "no core here has two hardware threads"},
                 {"core", OTHER_CORE, "there is no other core in this node that may be used"},
                 {"node", OTHER_NODE, "there is one memory node"}};
    const char *means[LIST];
    unsigned count = lab_words(lab, "means", means, LIST);
    for (unsigned p = 0; p < 4; p++) {
        int other = cpu_at(first, place[p].distance);
        if (other < 0) lab_skip(lab, place[p].name, place[p].why_not);
        for (unsigned m = 0; m < count && other >= 0; m++)
            pair_measure(lab, means[m], place[p].name, first, other);
    }
    for (unsigned m = 0; m < count; m++)
        pair_measure(lab, means[m], "free", -1, -1);
}

struct neighbour {
    const char *name;
    int cpu;
    bool disk;
};

static void victim_measure(struct lab *lab, const char *sweep, const char *what, int cpu,
                           struct neighbour neighbour)
{
    static struct victim x;
    const struct data *data = lab_file(lab, lab_largest(lab));
    bool reads = !strcmp(what, "read");
    memset(&x, 0, sizeof x);
    x.work = what;
    x.cpu = cpu;
    x.hog_cpu = neighbour.cpu;
    x.hog_disk = neighbour.disk;
    x.data = reads ? data : NULL;
    x.device = reads ? lab_device(lab)->name : NULL;
    struct work work = {.context = &x,
                        .open = victim_open,
                        .run = victim_run,
                        .close = victim_close,
                        .data = x.data,
                        .cache = reads ? CACHE_COLD : CACHE_AS_IT_IS};
    lab_measure(lab, &work, "sweep=%s work=%s place=pinned neighbour=%s cpu=%d", sweep, what,
                neighbour.name, cpu);
}

static void neighbours_walk(struct lab *lab, int first)
{
    const char *what[LIST];
    unsigned count = lab_words(lab, "works", what, LIST);
    int sibling = cpu_at(first, SIBLING), other = cpu_at(first, OTHER_CORE);
    if (other < 0) other = cpu_at(first, OTHER_NODE);
    for (unsigned w = 0; w < count; w++) {
        bool known =
            !strcmp(what[w], "compute") || !strcmp(what[w], "wake") || !strcmp(what[w], "read");
        if (!known) continue;
        victim_measure(lab, "neighbour", what[w], first, (struct neighbour){"none", -1, false});
        victim_measure(lab, "neighbour", what[w], first,
                       (struct neighbour){"same_cpu", first, false});
        if (sibling >= 0)
            victim_measure(lab, "neighbour", what[w], first,
                           (struct neighbour){"sibling", sibling, false});
        if (other >= 0)
            victim_measure(lab, "neighbour", what[w], first,
                           (struct neighbour){"other_cpu", other, false});
        if (!strcmp(what[w], "read"))
            victim_measure(lab, "neighbour", "read", first, (struct neighbour){"disk", -1, true});
    }
}

static void run(struct lab *lab)
{
    int cpu[IRQ_CPUS_MAX];
    unsigned cpus = lab_cpus(cpu, IRQ_CPUS_MAX);
    pairs_walk(lab, cpu[0]);
    neighbours_walk(lab, cpu[0]);
    for (unsigned i = 0; i < cpus; i++)
        victim_measure(lab, "interrupt", "read", cpu[i], (struct neighbour){"none", -1, false});
}

/* ---- what the figures say ---------------------------------------------------------------------- */

static void expect(const struct table *t, struct findings *into, const char *figure,
                   const char *where_a, const char *where_b, enum verdict wanted,
                   const char *expectation, const char *explanation)
{
    struct sample a = table_sample(t, figure, "%s", where_a);
    struct sample b = table_sample(t, figure, "%s", where_b);
    if (a.count == 0 || b.count == 0) return;
    struct comparison c = compare(&a, &b);
    finding_expect(into, expectation, wanted, &c, explanation);
}

static void pairs_find(const struct table *t, struct findings *into)
{
    static const char *const means[] = {"pipe", "futex"};
    static const char *const place[][2] = {{"sibling", "two threads of one core"},
                                           {"node", "two memory nodes"},
                                           {"free", "wherever the kernel puts them"}};
    expect(t, into, "median_us", "sweep=pair work=pipe place=same",
           "sweep=pair work=pipe place=core", LESS,
           "a round trip by pipe takes less on one CPU than between two cores",
           "The other CPU was awake already (polling while idle, or busy), so a switch costs more "
           "than a wake-up.");
    expect(t, into, "median_us", "sweep=pair work=spin place=core",
           "sweep=pair work=pipe place=core", LESS,
           "spinning between two cores takes less than waking each other up by pipe",
           "One of the two did not really have its CPU: others, or the hypervisor, took it.");
    expect(t, into, "mean_us", "sweep=pair work=spin place=same", "sweep=pair work=pipe place=same",
           MORE,
           "spinning on one CPU takes longer than a pipe, since each thread waits for the end of "
           "the other's time slice",
           "The kernel switched between the two more often than by time slices.");
    for (unsigned m = 0; m < 2; m++)
        for (unsigned p = 0; p < 3; p++) {
            char mine[WHERE_MAX], core[WHERE_MAX], words[WHERE_MAX];
            snprintf(mine, sizeof mine, "sweep=pair work=%s place=%s", means[m], place[p][0]);
            snprintf(core, sizeof core, "sweep=pair work=%s place=core", means[m]);
            snprintf(words, sizeof words, "a round trip by %s (%s)", means[m], place[p][1]);
            finding_ratio(into, t, "median_us", words, mine, "one between two cores", core);
        }
    finding_ratio(into, t, "mb_per_s", "a stream between two cores",
                  "sweep=pair work=stream place=core", "one on one CPU",
                  "sweep=pair work=stream place=same");
}

static void neighbours_find(const struct table *t, struct findings *into)
{
    expect(
        t, into, "iops", "sweep=neighbour work=compute neighbour=same_cpu",
        "sweep=neighbour work=compute neighbour=none", LESS,
        "a thread computes less beside a neighbour on the same CPU",
        "The measurement was shorter than a few time slices, or the kernel favoured the thread.");
    expect(t, into, "iops", "sweep=neighbour work=compute neighbour=other_cpu",
           "sweep=neighbour work=compute neighbour=none", SAME,
           "a neighbour on another core does not slow down a thread that computes",
           "The two CPUs may be threads of one core that the machine does not report, or share a "
           "hypervisor's CPU time, a clock that depends on load, or other programs.");
    expect(t, into, "p99_us", "sweep=neighbour work=wake neighbour=same_cpu",
           "sweep=neighbour work=wake neighbour=none", MORE,
           "a thread that sleeps wakes up later (p99) beside a neighbour on the same CPU",
           "The scheduler lets who slept run at once.");
    finding_ratio(into, t, "iops", "computing beside a neighbour on the same CPU",
                  "sweep=neighbour work=compute neighbour=same_cpu", "computing alone",
                  "sweep=neighbour work=compute neighbour=none");
    finding_ratio(into, t, "iops", "computing beside a neighbour on the core's other thread",
                  "sweep=neighbour work=compute neighbour=sibling", "computing alone",
                  "sweep=neighbour work=compute neighbour=none");
    expect(t, into, "mean_us", "sweep=neighbour work=read neighbour=disk",
           "sweep=neighbour work=read neighbour=none", MORE,
           "a direct read takes longer beside neighbours that read 1 MiB at a time",
           "The device serves both at once, or its limit is one of requests and not of bytes.");
    finding_ratio(into, t, "median_us", "a direct read beside a neighbour on the same CPU",
                  "sweep=neighbour work=read neighbour=same_cpu", "one alone",
                  "sweep=neighbour work=read neighbour=none");
}

/* Compares the CPU that got most interrupts of its own reads with the one that got fewest. */
static void interrupts_find(const struct table *t, struct findings *into)
{
    struct cell cpu[DISTINCT_MAX];
    unsigned count = table_distinct(t, "cpu", cpu, "sweep=interrupt");
    double most = -1, least = 2, at_most = -1, at_least = -1;
    for (unsigned i = 0; i < count; i++) {
        struct sample here =
            table_sample(t, "interrupts_here", "sweep=interrupt cpu=%.0f", cpu[i].number);
        if (here.count == 0) continue;
        double share = summarise(&here).median;
        if (share > most) at_most = cpu[i].number;
        if (share > most) most = share;
        if (share < least) at_least = cpu[i].number;
        if (share < least) least = share;
    }
    if (count > 0 && at_most < 0) {
        finding_add(into, FINDING_OPEN,
                    "Where the device's interrupts arrive is not known: /proc/interrupts does not "
                    "name it, or the device has none.");
        return;
    }
    if (count < 2 || at_most == at_least) return;
    finding_add(into, FINDING_FACT,
                "Of the device's interrupts CPU %.0f got %.0f %% while it read, CPU %.0f %.0f %%.",
                at_most, 100 * most, at_least, 100 * least);
    char a[2][WHERE_MAX], words[2][WHERE_MAX];
    for (int i = 0; i < 2; i++) {
        snprintf(a[i], WHERE_MAX, "sweep=interrupt cpu=%.0f", i ? at_least : at_most);
        snprintf(words[i], WHERE_MAX, "a direct read from CPU %.0f", i ? at_least : at_most);
    }
    if (most - least > 0.5)
        finding_ratio(into, t, "median_us", words[0], a[0], words[1], a[1]);
    else
        finding_add(into, FINDING_FACT,
                    "They are spread so evenly that a read is as fast from each CPU.");
}

static void find(const struct table *t, struct findings *into)
{
    pairs_find(t, into);
    neighbours_find(t, into);
    interrupts_find(t, into);
}

static const struct experiment placement = {
    .number = 12,
    .name = "placement",
    .title = "Placement",
    .question = "What does it matter on which CPU something runs, and what do neighbours do to it?",
    .expectation =
        "Two threads that take turns are quicker on one CPU than on two, where an interrupt has to "
        "wake the other (lmbench, 1996); spinning is quickest between two cores and worst on one "
        "CPU. A neighbour on the same CPU takes half of it; on another core it has no effect; on "
        "the disk each read waits behind the neighbour's reads.",
    .floor = "any Linux; two CPUs for most",
    .full_minutes = 5.8,
    .quick_minutes = 0.6,
    .figure = "median_us",
    .factors = factors,
    .figures = figures,
    .parameters = parameters,
    .plots = plots,
    .run = run,
    .find = find,
};
EXPERIMENT(placement);
