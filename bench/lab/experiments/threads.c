/*
 * Experiment 4: threads that read.
 *
 * Question.  How much do 1 to 16 threads read together, how much is left for each, and from where on does
 *            one more thread not help?
 *
 * Expected.  Warm, a read is CPU work: the threads together get faster until each CPU has one, and then
 *            stay there (Amdahl's law, AFIPS 1967, with nothing serial in it). With O_DIRECT a reader waits
 *            for the device, so threads help until the device can do no more at once, whatever the number
 *            of CPUs (Little's law). Cold streams each have a read-ahead under way and behave like that
 *            too, if the device has no heads to move. One file or many makes no difference: readers share
 *            the lock of the inode, and the page cache is looked up without a lock (RCU). But threads that
 *            use one descriptor and its position take turns: read(2) holds the lock of that position while
 *            it copies (fdget_pos() in fs/file.c, since Linux 3.14).
 *
 * Vary.      --set threads=1,2,…    --set works=warm,direct,streams   --set files=one,many,shared
 *            --set block=64k: a longer copy for each call; --set block=512 --set works=warm: nearly only calls.
 *
 * Needs.     Any Linux.
 *
 * `efficiency` compares with one thread alone, measured in the same case just before. The threads begin
 * together. Cold streams end when the first of them has nothing left to read, so that none is measured
 * alone.
 */
#include "../experiment.h"
#include "../shuffle.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LIST = 16, THREADS_MAX = 64, SPANS = 16, SPAN_MAX = 16 << 20 };

static const struct column factors[] = {
    {"work", "text", "warm (random, from memory), direct (random, O_DIRECT) or streams (cold)"},
    {"files", "text",
     "one (a descriptor each), many (a file each), or shared (one descriptor, its position)"},
    {"threads", "count", "threads that read at once"},
    {"block_bytes", "bytes", "bytes of one read"},
    {0}};

static const struct column figures[] = {
    {"per_thread", "MB/s", "all threads together / how many they are"},
    {"efficiency", "ratio", "all together / (threads x one alone just before); 1 is ideal"},
    {"slowest", "ratio", "what the slowest thread read / what each read on average"},
    {"cpus", "count", "CPUs that this program may use"},
    {0}};

static const struct parameter parameters[] = {
    {"threads", "how many read at once; the number of CPUs is added", "1,2,3,4,6,8,12,16",
     "1,2,4,8,16", "1,2"},
    {"works", "of: warm direct streams", "warm,direct,streams", "warm,direct,streams",
     "warm,direct,streams"},
    {"files", "of: one many shared", "one,many,shared", "one,many,shared", "one,many,shared"},
    {"block", "bytes of one random read", "4k", "4k", "4k"},
    {"stream_block", "bytes of one read of a stream", "64k", "64k", "64k"},
    {0}};

static const struct plot plots[] = {
    {"warm", "Warm reads: all threads together", "threads", "mb_per_s", "files", "work=warm", false,
     true, false},
    {"direct", "Random reads with O_DIRECT: all threads together", "threads", "mb_per_s", "files",
     "work=direct", false, true, false},
    {"streams", "Cold streams: all threads together", "threads", "mb_per_s", "files",
     "work=streams", false, true, false},
    {"efficiency", "One file: all threads / (threads × one alone)", "threads", "efficiency", "work",
     "files=one", false, true, false},
    {"each", "One file: what is left for each thread", "threads", "per_thread", "work", "files=one",
     false, true, true},
    {"latency", "One file: p99 latency of a read", "threads", "p99_us", "work", "files=one", false,
     true, true},
    {0}};

/* ---- the work ---------------------------------------------------------------------------------- */

struct reader {
    struct readers *all;
    pthread_t id;
    unsigned index;
    char *buffer;
    uint64_t done; /* reads of random work; bytes of a stream, which continues there */
    int result;
    struct tally tally;
};

struct readers {
    const struct data *data;
    bool streams, direct, many, shared;
    unsigned threads, cpus;
    uint64_t block, span, seed;
    int fd[THREADS_MAX]; /* one: for each reader; many: for each file; shared: the first */
    char *memory;
    struct measure *measure;
    uint64_t begun_ns;    /* when all began together */
    uint64_t most;        /* bytes that a stream may read while one runs alone */
    pthread_mutex_t gate; /* held until all have been started */
    bool called_off;
    atomic_bool ended; /* a stream has nothing left to read */
    struct reader reader[THREADS_MAX];
};

static int readers_open(void *context)
{
    struct readers *a = context;
    unsigned fds = a->shared ? 1 : a->many ? SPANS : a->threads;
    a->memory = aligned_alloc(4096, a->block * a->threads);
    a->ended = false;
    if (!a->memory) return -ENOMEM;
    memset(a->memory, 1, a->block * a->threads);
    for (unsigned i = 0; i < fds; i++) {
        char path[280];
        snprintf(path, sizeof path, a->many ? "%s/%u" : "%s", a->data->path, i);
        a->fd[i] = open(path, O_RDONLY | O_CLOEXEC | (a->direct ? O_DIRECT : 0));
        if (a->fd[i] < 0) return -errno;
    }
    for (unsigned i = 0; i < a->threads; i++)
        a->reader[i] = (struct reader){.all = a, .index = i, .buffer = a->memory + i * a->block};
    return 0;
}

static void readers_close(void *context)
{
    struct readers *a = context;
    for (unsigned i = 0; i < THREADS_MAX; i++) {
        if (a->fd[i] >= 0) close(a->fd[i]);
        a->fd[i] = -1;
    }
    free(a->memory);
    a->memory = NULL;
}

/* Finds the place of a random read. Each reader has places of its own, so that they share no counter. */
static int random_place(const struct reader *r, uint64_t *offset)
{
    const struct readers *a = r->all;
    uint64_t blocks = a->span / a->block * (a->many ? 1 : SPANS);
    uint64_t i = a->many ? r->done : r->done * a->threads + r->index;
    *offset = shuffled(i % blocks, blocks, a->seed + (a->many ? r->index : 0)) * a->block;
    return a->fd[a->many ? r->index % SPANS : r->index];
}

/*
 * Finds where a stream continues: span after span, each reader takes every n-th of them; -1 when none is
 * left.
 */
static int stream_place(const struct reader *r, uint64_t *offset)
{
    const struct readers *a = r->all;
    uint64_t span = r->done / a->span * a->threads + r->index;
    if (span >= SPANS || r->done >= a->most) return -1;
    *offset = r->done % a->span + (a->many ? 0 : span * a->span);
    return a->fd[a->many ? span : r->index];
}

/* Returns bytes read; 0: the stream is over; or -errno. */
static ssize_t reader_read(struct reader *r)
{
    const struct readers *a = r->all;
    uint64_t offset;
    ssize_t moved;
    r->tally.calls++;
    if (a->shared) {
        moved = read(a->fd[0], r->buffer, a->block);
        if (moved == 0 && lseek(a->fd[0], 0, SEEK_SET) == 0) /* starts again from the beginning */
            moved = read(a->fd[0], r->buffer, a->block);
    } else {
        int fd = a->streams ? stream_place(r, &offset) : random_place(r, &offset);
        if (fd < 0) return 0;
        moved = pread(fd, r->buffer, a->block, (off_t)offset);
    }
    if (moved > 0) r->done += a->streams ? (uint64_t)moved : 1;
    return moved > 0 ? moved : moved < 0 ? -errno : -EIO;
}

static void reader_run(struct reader *r)
{
    struct readers *a = r->all;
    uint64_t now = measure_now();
    do {
        ssize_t moved = reader_read(r);
        if (moved < 0) r->result = (int)moved;
        if (moved <= 0) a->ended = true;
        if (moved <= 0) return;
        now = tally_add(&r->tally, now, (uint64_t)moved);
    } while (!a->ended && !measure_time_over(a->measure, now));
}

static void *reader_main(void *context)
{
    struct reader *r = context;
    pthread_mutex_lock(&r->all->gate);
    pthread_mutex_unlock(&r->all->gate);
    if (!r->all->called_off) reader_run(r);
    return NULL;
}

/*
 * Returns what the first reader moves alone, in bytes per ns. A stream keeps at least half of its first
 * span.
 */
static double alone_run(struct readers *a, struct measure *m)
{
    uint64_t begun = measure_now(), deadline = m->deadline_ns;
    m->deadline_ns = begun + (deadline - begun) / 4;
    a->most = a->span / 2;
    reader_run(&a->reader[0]);
    m->deadline_ns = deadline;
    return (double)a->reader[0].tally.bytes / (double)(measure_now() - begun);
}

/* Runs all together. The clock starts when all have been started. */
static int together_run(struct readers *a, struct measure *m)
{
    unsigned started = 0;
    int result = 0;
    a->most = UINT64_MAX;
    a->ended = false;
    pthread_mutex_lock(&a->gate);
    for (; result == 0 && started < a->threads; started += result == 0) {
        struct reader *r = &a->reader[started];
        memset(&r->tally, 0, sizeof r->tally);
        result = -pthread_create(&r->id, NULL, reader_main, r);
    }
    a->called_off = result < 0;
    measure_restart(m);
    a->begun_ns = measure_now();
    pthread_mutex_unlock(&a->gate);
    for (unsigned i = 0; i < started; i++) {
        pthread_join(a->reader[i].id, NULL);
        measure_join(m, &a->reader[i].tally);
        if (result == 0) result = a->reader[i].result;
    }
    return result;
}

static int readers_run(void *context, struct measure *m)
{
    struct readers *a = context;
    a->measure = m;
    double alone = a->threads > 1 ? alone_run(a, m) : NAN, least = INFINITY;
    if (a->reader[0].result < 0) return a->reader[0].result;
    int result = together_run(a, m);
    double ns = (double)(measure_now() - a->begun_ns), bytes = (double)m->tally.bytes;
    for (unsigned i = 0; i < a->threads; i++)
        least = fmin(least, (double)a->reader[i].tally.bytes);
    measure_figure(m, "per_thread", bytes / ns * 1e3 / a->threads);
    measure_figure(m, "efficiency", a->threads > 1 ? bytes / ns / alone / a->threads : 1);
    measure_figure(m, "slowest", least * a->threads / bytes);
    measure_figure(m, "cpus", a->cpus);
    return result;
}

/* ---- the cases --------------------------------------------------------------------------------- */

static void readers_measure(struct lab *lab, const char *work_name, const char *files,
                            uint64_t threads)
{
    static struct readers a;
    int cpu[THREADS_MAX];
    bool streams = !strcmp(work_name, "streams"), warm = !strcmp(work_name, "warm");
    bool many = !strcmp(files, "many"), shared = !strcmp(files, "shared");
    uint64_t largest = lab_largest(lab) / SPANS & ~UINT64_C(4095);
    uint64_t span = largest < SPAN_MAX ? largest : SPAN_MAX;
    a = (struct readers){.data = many ? lab_files(lab, SPANS, span) : lab_file(lab, span * SPANS),
                         .streams = streams,
                         .direct = !streams && !warm,
                         .many = many,
                         .shared = shared,
                         .threads = (unsigned)threads,
                         .cpus = lab_cpus(cpu, THREADS_MAX),
                         .block = lab_number(lab, streams ? "stream_block" : "block"),
                         .span = span,
                         .seed = lab_seed(lab),
                         .gate = PTHREAD_MUTEX_INITIALIZER};
    for (unsigned i = 0; i < THREADS_MAX; i++)
        a.fd[i] = -1;
    struct work work = {.context = &a,
                        .open = readers_open,
                        .run = readers_run,
                        .close = readers_close,
                        .data = a.data,
                        .cache = warm ? CACHE_WARM : CACHE_COLD,
                        .no_warm_up = streams};
    if (a.block >= 512 && a.block <= span)
        lab_measure(lab, &work, "work=%s files=%s threads=%" PRIu64 " block_bytes=%" PRIu64,
                    work_name, files, threads, a.block);
    else
        lab_skip(lab, work_name, "its block is smaller than 512 bytes or larger than a file");
}

/* Takes the list of --set threads and adds the number of CPUs, where warm reads should bend. */
static unsigned counts_take(const struct lab *lab, uint64_t count[LIST + 1])
{
    int cpu[THREADS_MAX];
    uint64_t cpus = lab_cpus(cpu, THREADS_MAX);
    unsigned counts = lab_numbers(lab, "threads", count, LIST), at = 0;
    while (at < counts && count[at] < cpus)
        at++;
    if (at == counts || count[at] == cpus) return counts;
    memmove(count + at + 1, count + at, (counts - at) * sizeof *count);
    count[at] = cpus;
    return counts + 1;
}

/* Cold cases come first: so the data are read into memory once, not again for each case. */
static void run(struct lab *lab)
{
    const char *work[LIST], *files[LIST];
    uint64_t threads[LIST + 1];
    unsigned works = lab_words(lab, "works", work, LIST);
    unsigned ways = lab_words(lab, "files", files, LIST);
    unsigned counts = counts_take(lab, threads);
    for (unsigned i = 0; i < 2 * works * ways * counts; i++) {
        const char *w = work[i / (ways * counts) % works], *f = files[i / counts % ways];
        bool warm = !strcmp(w, "warm");
        if (warm != (i >= works * ways * counts)) continue;
        if (!strcmp(f, "shared") && !warm) continue; /* only where the CPU is the question */
        if (threads[i % counts] > 0 && threads[i % counts] <= THREADS_MAX)
            readers_measure(lab, w, f, threads[i % counts]);
    }
}

/* ---- what the figures say ---------------------------------------------------------------------- */

static struct comparison between(const struct table *t, const char *where, double threads,
                                 const char *other, double others)
{
    struct sample a = table_sample(t, "mb_per_s", "%s threads=%.10g", where, threads);
    struct sample b = table_sample(t, "mb_per_s", "%s threads=%.10g", other, others);
    return compare(&a, &b);
}

static void warm_find(const struct table *t, struct findings *into, double cpus, double most)
{
    static const char one[] = "work=warm files=one", shared[] = "work=warm files=shared";
    struct comparison c = between(t, one, cpus, one, 1);
    if (cpus > 1)
        finding_expect(
            into, "warm, as many readers as there are CPUs move more bytes than one", MORE, &c,
            "The CPUs may be hyper-threads of one core, other programs may use them, or one "
            "reader already takes all that the memory gives.");
    c = between(t, one, most, one, cpus);
    if (most > cpus)
        finding_expect(
            into, "warm, more readers than CPUs move no more than one for each CPU", SAME, &c,
            "More threads take CPU from other programs that want it (then more), or they "
            "fill each other's caches (then less).");
    c = between(t, shared, cpus, shared, 1);
    if (cpus > 1 && table_sample(t, "mb_per_s", "%s", shared).count > 0)
        finding_expect(
            into,
            "readers that share a descriptor and its position move no more together than one of "
            "them alone, since they take turns",
            c.verdict == LESS ? LESS : SAME, &c,
            "What lies outside of the turns (entering the kernel, finding the file) is most of a "
            "call here, or the kernel is older than 3.14 and takes no turns (then positions are "
            "lost).");
}

static void waiting_find(const struct table *t, struct findings *into, double most)
{
    static const char direct[] = "work=direct files=one", streams[] = "work=streams files=one";
    struct comparison c = between(t, direct, most, direct, 1);
    if (most > 1 && table_sample(t, "mb_per_s", "%s", direct).count > 0)
        finding_expect(
            into,
            "with O_DIRECT the most readers move more bytes than one, since they wait at once",
            MORE, &c,
            "The device, or what limits it (a cloud volume's IOPS), serves one at a time; or it is "
            "so quick that the CPU is what is short.");
    c = between(t, streams, most, streams, 1);
    if (most > 1 && table_sample(t, "mb_per_s", "%s", streams).count > 0)
        finding_expect(
            into, "the most cold streams move more bytes than one, since each reads ahead", MORE,
            &c,
            "One stream's read-ahead is enough for all that the device gives, or its heads move "
            "between the streams.");
}

static void files_find(const struct table *t, struct findings *into, double most)
{
    static const char *const work[] = {"warm", "direct"};
    for (unsigned w = 0; w < 2; w++) {
        char one[48], many[48], expectation[96];
        snprintf(one, sizeof one, "work=%s files=one", work[w]);
        snprintf(many, sizeof many, "work=%s files=many", work[w]);
        if (table_sample(t, "mb_per_s", "%s", many).count == 0) continue;
        struct comparison c = between(t, many, most, one, most);
        snprintf(expectation, sizeof expectation,
                 "%s, the most readers move as much of many files as of one",
                 w ? "with O_DIRECT" : "warm");
        finding_expect(into, expectation, SAME, &c,
                       "The file system takes a lock for each file that readers wait for, or the "
                       "files are at other places of the device.");
    }
}

static void find(const struct table *t, struct findings *into)
{
    static const char *const work[][2] = {{"warm", "Warm readers of one file"},
                                          {"direct", "Readers of one file with O_DIRECT"},
                                          {"streams", "Cold streams of one file"}};
    struct cell threads[DISTINCT_MAX];
    unsigned counts = table_distinct(t, "threads", threads, "%s", "");
    struct sample cpus = table_sample(t, "cpus", "%s", "");
    for (unsigned w = 0; w < 3; w++) {
        char where[48], subject[96];
        snprintf(where, sizeof where, "work=%s files=one", work[w][0]);
        snprintf(subject, sizeof subject, "MB/s over threads: %s", work[w][1]);
        finding_scaling(into, t, work[w][1], "threads", "mb_per_s", where);
        finding_bend(into, t, subject, "threads", "mb_per_s", where);
    }
    if (counts == 0 || cpus.count == 0) return;
    double most = threads[counts - 1].number;
    if (table_sample(t, "mb_per_s", "work=warm files=one").count > 0)
        warm_find(t, into, summarise(&cpus).median, most);
    waiting_find(t, into, most);
    files_find(t, into, most);
}

static const struct experiment threads = {
    .number = 4,
    .name = "threads",
    .title = "Threads that read",
    .question =
        "How much do 1 to 16 threads read together, and from where on does one more not help?",
    .expectation =
        "Warm, more threads help until each CPU has one (Amdahl 1967); with O_DIRECT or cold, "
        "until the device can do no more at once (Little's law). One file is as good as many, but "
        "a shared descriptor's position is a lock (fdget_pos() in fs/file.c).",
    .floor = "any Linux",
    .full_minutes = 5.8,
    .quick_minutes = 0.6,
    .figure = "mb_per_s",
    .factors = factors,
    .figures = figures,
    .parameters = parameters,
    .plots = plots,
    .run = run,
    .find = find,
};
EXPERIMENT(threads);
