/*
 * Experiment 9: asynchronous file I/O.
 *
 * Question.  How do the ways compare to have several reads of a file under way, and what do they really do?
 *
 * Expected.  Nearly all of them are threads that read. POSIX aio lets glibc start the threads, but reads of
 *            one descriptor take turns (aio(7); glibc, rt/aio_misc.c), so only one descriptor for each read
 *            helps. libuv has a pool of four threads, however many reads are asked of it (docs.libuv.org,
 *            "Thread pool work scheduling"), and Node uses libuv. Python's asyncio has no file I/O:
 *            asyncio.to_thread gives each read to a pool of CPUs + 4 threads, and the interpreter runs one
 *            of them at a time. Only with Linux aio and io_uring does the kernel do it: Linux aio only for
 *            O_DIRECT (io_submit(2) reads a buffered file at once, in the call), io_uring for all (Axboe,
 *            2019). From memory, each way costs more than the pread that it replaces.
 *
 * Vary.      --set depths=1,4,…   --set ways=pool,uring   UV_THREADPOOL_SIZE=16 in the environment (libuv,
 *            node)
 *
 * Needs.     Any Linux; io_uring from 5.6 on; counting calls from 5.3 on (PTRACE_GET_SYSCALL_INFO). Node
 *            and Python if they are installed.
 *
 * Each measurement has a process of its own. System calls are counted with ptrace(2) in a separate run,
 * because ptrace slows everything down: once with some reads, and once with three times as many. The
 * difference is the cost of the reads without the start. Threads that are slowed down meet each other at
 * other moments, so the counts of lock calls are nearly, not exactly, right.
 */
#include "../experiment.h"
#include "async_work.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { LIST = 16, BLOCK = 4096 };

static const struct column factors[] = {
    {"sweep", "text", "which question the row belongs to: speed, or beneath (calls are counted)"},
    {"way", "text",
     "pread, pool (threads), posix-aio (-fds: a descriptor a read), linux-aio, libuv, uring, node, "
     "python"},
    {"path", "text", "direct (O_DIRECT) or warm (from memory)"},
    {"under_way", "count", "reads that are under way at once"},
    {0}};

static const struct column figures[] = {
    {"threads", "count", "threads of the process at the end; in the sweep beneath: ever started"},
    {"transfer_calls", "count", "calls that read the file (pread64 and the like), per read"},
    {"ring_calls", "count", "calls of Linux aio and io_uring, per read"},
    {"lock_calls", "count", "calls that wait for or wake a thread (futex), per read"},
    {"event_calls", "count", "calls of an event loop (epoll, poll, eventfd, pipes), per read"},
    {0}};

#define WAYS "pread,pool,posix-aio,posix-aio-fds,linux-aio,libuv,uring,node,python"
static const struct parameter parameters[] = {
    {"ways", "of: pread pool posix-aio posix-aio-fds linux-aio libuv uring node python", WAYS, WAYS,
     WAYS},
    {"depths", "reads under way", "1,4,16,64", "1,16", "4"},
    {"counted", "reads whose system calls are counted, with 16 under way; 0: none", "512", "256",
     "32"},
    {0}};

static const struct plot plots[] = {
    {"direct", "Reads of 4 KiB with O_DIRECT", "under_way", "iops", "way",
     "sweep=speed path=direct", false, true, true},
    {"warm", "Reads of 4 KiB from memory", "under_way", "iops", "way", "sweep=speed path=warm",
     false, true, true},
    {"latency", "With O_DIRECT: median latency", "way", "median_us", "under_way",
     "sweep=speed path=direct", true, false, false},
    {"user", "From memory: CPU in the program", "way", "user_us_per_op", "under_way",
     "sweep=speed path=warm", true, false, false},
    {"system", "From memory: CPU in the kernel", "way", "system_us_per_op", "under_way",
     "sweep=speed path=warm", true, false, false},
    {"threads", "Threads, with 16 reads under way", "way", "threads", NULL, "sweep=beneath", true,
     false, false},
    {"calls", "System calls of a read, with 16 under way", "way", "syscalls_per_op", NULL,
     "sweep=beneath", true, false, false},
    {"locks", "Of these: waiting for or waking a thread", "way", "lock_calls", NULL,
     "sweep=beneath", true, false, false},
    {"events", "Of these: of an event loop", "way", "event_calls", NULL, "sweep=beneath", true,
     false, false},
    {0}};

/* ---- the work ---------------------------------------------------------------------------------- */

struct asked {
    const char *way;
    struct job job;
    uint64_t counted; /* reads; 0: the speed is measured */
};

static void outcome_take(struct measure *m, struct outcome *o, uint64_t block)
{
    double operations = (double)o->tally.operations, ns = (double)o->ns;
    double mib = operations * (double)block / (1 << 20);
    o->tally.bytes = o->tally.operations * block;
    o->tally.calls = 0; /* these are only a part of the calls */
    measure_join(m, &o->tally);
    if (operations == 0 || ns <= 0) return;
    measure_figure(m, "seconds", ns / 1e9); /* without the start */
    measure_figure(m, "iops", operations / ns * 1e9);
    measure_figure(m, "mb_per_s", operations * (double)block / ns * 1e3);
    measure_figure(m, "user_us_per_op", o->user_us / operations);
    measure_figure(m, "system_us_per_op", o->system_us / operations);
    measure_figure(m, "user_us_per_mib", o->user_us / mib);
    measure_figure(m, "system_us_per_mib", o->system_us / mib);
    measure_figure(m, "minor_faults", o->faults);
    measure_figure(m, "major_faults", 0); /* they are counted with the minor ones */
    measure_figure(m, "switches", o->switches);
    measure_figure(m, "threads", o->threads);
}

static int speed_run(void *context, struct measure *m)
{
    static struct outcome outcome;
    struct asked *asked = context;
    uint64_t now = measure_now();
    asked->job.ns = m->deadline_ns > now ? m->deadline_ns - now : 1;
    int result = child_run(asked->way, &asked->job, &outcome);
    if (result == 0) outcome_take(m, &outcome, asked->job.block);
    return result;
}

/* Counts the calls for one read: what three times as many reads needed more. */
static int calls_run(void *context, struct measure *m)
{
    static struct outcome outcome;
    struct asked *asked = context;
    struct calls_counted few, many;
    double more = 2 * (double)asked->counted;
    asked->job.ns = 10 * NS_PER_S;
    asked->job.limit = asked->counted;
    int result = child_count(asked->way, &asked->job, &outcome, &few);
    if (result < 0) return result;
    asked->job.limit = 3 * asked->counted;
    result = child_count(asked->way, &asked->job, &outcome, &many);
    if (result < 0) return result;
    if (outcome.tally.operations < asked->job.limit) return -ETIME;
    outcome.threads = many.threads;
    outcome_take(m, &outcome, asked->job.block);
    measure_word(m, "syscalls_by", "ptrace");
    measure_figure(m, "syscalls_per_op", fmax(0, many.all - few.all) / more);
    measure_figure(m, "transfer_calls", fmax(0, many.transfer - few.transfer) / more);
    measure_figure(m, "ring_calls", fmax(0, many.ring - few.ring) / more);
    measure_figure(m, "lock_calls", fmax(0, many.lock - few.lock) / more);
    measure_figure(m, "event_calls", fmax(0, many.event - few.event) / more);
    return 0;
}

/* ---- the cases --------------------------------------------------------------------------------- */

static void way_measure(struct lab *lab, const char *way, bool direct, uint64_t depth,
                        uint64_t counted)
{
    static struct asked asked;
    const struct data *data = lab_file(lab, lab_largest(lab));
    asked = (struct asked){.way = way,
                           .job = {.direct = direct,
                                   .depth = (unsigned)depth,
                                   .block = BLOCK,
                                   .blocks = data->bytes / BLOCK,
                                   .seed = lab_seed(lab)},
                           .counted = counted};
    snprintf(asked.job.path, sizeof asked.job.path, "%s", data->path);
    struct work work = {.context = &asked,
                        .run = counted > 0 ? calls_run : speed_run,
                        .data = data,
                        .cache = direct ? CACHE_COLD : CACHE_WARM,
                        .no_warm_up = true,
                        .time_is_not_limited = counted > 0};
    lab_measure(lab, &work, "sweep=%s way=%s path=%s under_way=%" PRIu64,
                counted > 0 ? "beneath" : "speed", way, direct ? "direct" : "warm", depth);
}

/* Returns whether a way exists here; if not, says so. */
static bool is_there(struct lab *lab, const char *way)
{
    static struct command command;
    struct job none = {.depth = 1};
    bool runtime = !strcmp(way, "node") || !strcmp(way, "python");
    if (async_way_named(way)) return true;
    if (runtime && runtime_command(way, &none, &command)) return true;
    lab_skip(lab, way, runtime ? "it is not installed" : "there is no such way");
    return false;
}

static void run(struct lab *lab)
{
    const char *way[LIST];
    uint64_t depth[LIST], counted = lab_number(lab, "counted");
    unsigned ways = lab_words(lab, "ways", way, LIST);
    unsigned depths = lab_numbers(lab, "depths", depth, LIST);
    for (int warm = 0; warm < 2; warm++)
        for (unsigned w = 0; w < ways; w++) {
            bool one = !strcmp(way[w], "pread");
            if (!is_there(lab, way[w])) continue;
            for (unsigned d = 0; d < (one ? 1 : depths); d++)
                if (depth[d] >= 1 && depth[d] <= DEPTH_MAX)
                    way_measure(lab, way[w], !warm, one ? 1 : depth[d], 0);
            if (!warm && counted > 0) way_measure(lab, way[w], true, one ? 1 : 16, counted);
        }
}

/* ---- what the figures say ---------------------------------------------------------------------- */

static void expect(struct findings *into, const struct table *t, const char *figure,
                   const char *expectation, enum verdict wanted, const char *where_a,
                   const char *where_b, const char *explanation)
{
    struct sample a = table_sample(t, figure, "%s", where_a);
    struct sample b = table_sample(t, figure, "%s", where_b);
    struct comparison c = compare(&a, &b);
    if (a.count > 0 && b.count > 0) finding_expect(into, expectation, wanted, &c, explanation);
}

#define DIRECT16 "sweep=speed path=direct under_way=16 way="
#define WARM16 "sweep=speed path=warm under_way=16 way="
#define WARM1 "sweep=speed path=warm under_way=1 way="

static void waiting_find(const struct table *t, struct findings *into)
{
    expect(into, t, "iops", "16 threads that wait for the device read more than one at a time",
           MORE, DIRECT16 "pool", "sweep=speed path=direct under_way=1 way=pread",
           "The device, or what limits it, serves one at a time.");
    expect(into, t, "iops",
           "POSIX aio on one descriptor reads no more with 16 under way than with 1, since they "
           "take turns",
           SAME, DIRECT16 "posix-aio", "sweep=speed path=direct under_way=1 way=posix-aio",
           "A C library other than glibc starts a thread for each read. Or with one read under way "
           "a thread must be woken each time, and with 16 it need not.");
    expect(into, t, "iops", "POSIX aio reads more with a descriptor for each read", MORE,
           DIRECT16 "posix-aio-fds", DIRECT16 "posix-aio",
           "The device serves one at a time, or the C library is not glibc.");
    expect(
        into, t, "iops", "libuv, with its four threads, reads less than a pool of 16", LESS,
        DIRECT16 "libuv", DIRECT16 "pool",
        "The device or the CPUs can do no more than four at once, or UV_THREADPOOL_SIZE was set.");
    expect(into, t, "iops", "io_uring and Linux aio read as much with O_DIRECT", SAME,
           DIRECT16 "uring", DIRECT16 "linux-aio",
           "One of them needs more CPU for a read, and CPU is short here.");
    finding_ratio(into, t, "iops", "io_uring (O_DIRECT, 16 under way)", DIRECT16 "uring",
                  "a pool of 16 threads", DIRECT16 "pool");
}

static void memory_find(const struct table *t, struct findings *into)
{
    expect(into, t, "iops",
           "from memory, one at a time, handing a read to a thread is slower than reading", LESS,
           WARM1 "pool", WARM1 "pread", "Waking a thread costs next to nothing here.");
    expect(into, t, "iops",
           "from memory, io_uring with 16 under way is quicker than a pool of threads", MORE,
           WARM16 "uring", WARM16 "pool",
           "The pool has CPUs to itself that the ring does not use.");
    finding_ratio(into, t, "iops", "node (from memory, 16 under way)", WARM16 "node", "libuv",
                  WARM16 "libuv");
    finding_ratio(into, t, "iops", "python (from memory, 16 under way)", WARM16 "python",
                  "a pool of threads in C", WARM16 "pool");
    finding_ratio(into, t, "user_us_per_op", "node", WARM16 "node", "libuv", WARM16 "libuv");
    finding_ratio(into, t, "user_us_per_op", "python", WARM16 "python", "a pool in C",
                  WARM16 "pool");
}

/* Says what each way really does, as counted. */
static void beneath_find(const struct table *t, struct findings *into)
{
    static const char *const kind[] = {"syscalls_per_op", "transfer_calls", "ring_calls",
                                       "lock_calls",      "event_calls",    "threads"};
    struct cell way[DISTINCT_MAX];
    unsigned ways = table_distinct(t, "way", way, "sweep=beneath");
    for (unsigned w = 0; w < ways; w++) {
        double middle[6];
        struct summary all = {0};
        for (unsigned k = 0; k < 6; k++) {
            struct sample s = table_sample(t, kind[k], "sweep=beneath way=%s", way[w].text);
            struct summary summary = summarise(&s);
            middle[k] = summary.median;
            if (k == 0) all = summary;
        }
        if (all.count == 0) continue;
        finding_add(into, FINDING_FACT,
                    "What %s does: %.2f system calls a read (%.2f to %.2f): %.2f read, %.2f are of "
                    "a ring, %.2f of locks, %.2f of an event loop; %.0f thread%s.",
                    way[w].text, middle[0], all.least, all.most, middle[1], middle[2], middle[3],
                    middle[4], middle[5], middle[5] == 1 ? "" : "s");
    }
}

static void find(const struct table *t, struct findings *into)
{
    waiting_find(t, into);
    memory_find(t, into);
    beneath_find(t, into);
}

static const struct experiment async = {
    .number = 9,
    .name = "async",
    .title = "Asynchronous file I/O",
    .question = "How do the ways compare to have several reads of a file under way, and what do "
                "they really do?",
    .expectation = "Nearly all are threads: POSIX aio (reads of one descriptor take turns, "
                   "aio(7)), libuv and Node (four), asyncio (CPUs + 4, one of which runs at a "
                   "time). With Linux aio (O_DIRECT) and io_uring the kernel does it (Axboe 2019). "
                   "From memory each way costs more than the read.",
    .floor = "any Linux; io_uring from 5.6 on, counted calls from 5.3 on; Node and Python if there",
    .full_minutes = 5.8,
    .quick_minutes = 0.6,
    .figure = "iops",
    .factors = factors,
    .figures = figures,
    .parameters = parameters,
    .plots = plots,
    .run = run,
    .find = find,
};
EXPERIMENT(async);
