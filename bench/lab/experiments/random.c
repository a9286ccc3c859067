/*
 * Experiment 2: random reads.
 *
 * Question.  What does a read at a random place cost, and how much does it help to have several under way?
 *
 * Expected.  One at a time, only the latency of the device counts: IOPS = 1 / latency. With n reads under
 *            way, IOPS grow n times, until the device can do no more at once. From there on only latency
 *            grows (Little's law: under way = IOPS × latency). For a slow device it hardly matters whether
 *            threads or a ring keep them under way. Registered buffers and files, and polling, save about a
 *            microsecond each (Axboe, "Efficient IO with io_uring", 2019), which only a fast device shows.
 *            A buffered read of 512 bytes moves a whole page. The kernel does not read ahead of a random
 *            reader (mm/readahead.c).
 *
 * Vary.      --set depths=1,2,4,…   --set blocks=4k,256k   --set modes=one,threads,ring,fixed,sqpoll,iopoll
 *            --set samples=100,1000: how many are needed until a p99 means something.
 *
 * Needs.     Any Linux; rings from 5.6 on, SQPOLL without root from 5.11 on; IOPOLL needs a device with
 *            poll queues.
 *
 * The places are a permutation: no block is read twice in a measurement, so that a cold block is cold when
 * it is read. A measurement ends before its samples are done when its time or the file is over;
 * `operations` says how many there were.
 */
#include "../device.h"
#include "../experiment.h"
#include "../shuffle.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <liburing.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LIST = 16, DEPTH_MAX = 256, THREADS_MAX = 32 };

static const struct column factors[] = {
    {"sweep", "text", "which question the row belongs to: depth, block, samples or amplification"},
    {"mode", "text", "one (pread), threads (a pread each), ring, fixed, sqpoll or iopoll"},
    {"under_way", "count", "reads that are under way at once"},
    {"block_bytes", "bytes", "bytes of one read"},
    {"path", "text", "direct (O_DIRECT) or buffered"},
    {"samples", "count", "reads that were wanted; empty: as many as the time allows"},
    {"readahead", "text", "default, or off (POSIX_FADV_RANDOM)"},
    {0}};

static const struct parameter parameters[] = {
    {"depths", "reads under way", "1,2,4,8,16,32,64,128,256", "1,4,16,64,256", "1,4,16"},
    {"blocks", "bytes of one read", "4k,16k,64k,256k", "4k,16k,64k,256k", "4k,64k"},
    {"modes", "of: one threads ring fixed sqpoll iopoll", "one,threads,ring,fixed,sqpoll,iopoll",
     "one,threads,ring,fixed,sqpoll,iopoll", "one,threads,ring,fixed,sqpoll,iopoll"},
    {"samples", "how many reads", "100,500,1000,100000", "100,500,1000,100000", "100,500"},
    {0}};

static const struct plot plots[] = {
    {"iops", "4 KiB with O_DIRECT: reads per second", "under_way", "iops", "mode", "sweep=depth",
     false, true, true},
    {"p99", "4 KiB with O_DIRECT: p99 latency", "under_way", "p99_us", "mode", "sweep=depth", false,
     true, true},
    {"calls", "4 KiB with O_DIRECT: system calls per read", "under_way", "syscalls_per_op", "mode",
     "sweep=depth", false, true, false},
    {"blocks", "One at a time: MB/s", "block_bytes", "mb_per_s", "path", "sweep=block", false, true,
     true},
    {"samples", "p99 latency by the number of samples", "samples", "p99_us", NULL, "sweep=samples",
     false, true, false},
    {"amplification", "Bytes that the device moved for a byte asked for", "path", "amplification",
     "readahead", "sweep=amplification", true, false, false},
    {0}};

/* ---- the work ---------------------------------------------------------------------------------- */

struct reads {
    const struct data *data;
    const char *mode;
    uint64_t block, blocks, under_way, seed;
    bool direct, no_readahead;
    int fd;
    char *memory; /* under_way buffers */
    _Atomic uint64_t next;
    struct measure *measure;
};

static int reads_open(void *context)
{
    struct reads *r = context;
    size_t each = (r->block + 4095) & ~(size_t)4095;
    r->next = 0;
    r->memory = aligned_alloc(4096, each * r->under_way);
    if (!r->memory) return -ENOMEM;
    memset(r->memory, 1, each * r->under_way);
    r->fd = open(r->data->path, O_RDONLY | O_CLOEXEC | (r->direct ? O_DIRECT : 0));
    if (r->fd < 0) return -errno;
    return -posix_fadvise(r->fd, 0, 0, r->no_readahead ? POSIX_FADV_RANDOM : POSIX_FADV_NORMAL);
}

static void reads_close(void *context)
{
    struct reads *r = context;
    if (r->fd >= 0) close(r->fd);
    free(r->memory);
    r->fd = -1;
    r->memory = NULL;
}

/* Finds the place of the next read. Returns false when each block was read. */
static bool place_next(struct reads *r, uint64_t *offset)
{
    uint64_t i = r->next++;
    if (i >= r->blocks) return false;
    *offset = shuffled(i, r->blocks, r->seed) * r->block;
    return true;
}

static int one_run(void *context, struct measure *m)
{
    struct reads *r = context;
    uint64_t offset, now = measure_now();
    while (place_next(r, &offset)) {
        ssize_t moved = pread(r->fd, r->memory, r->block, (off_t)offset);
        if (moved <= 0) return moved < 0 ? -errno : -EIO;
        m->tally.calls++;
        now = tally_add(&m->tally, now, (uint64_t)moved);
        if (measure_over(m, now)) break;
    }
    return 0;
}

/* ---- threads ----------------------------------------------------------------------------------- */

struct reader {
    struct reads *reads;
    pthread_t id;
    char *buffer;
    int result;
    struct tally tally;
};

static void *reader_run(void *context)
{
    struct reader *reader = context;
    struct reads *r = reader->reads;
    uint64_t offset, now = measure_now();
    while (place_next(r, &offset)) {
        ssize_t moved = pread(r->fd, reader->buffer, r->block, (off_t)offset);
        if (moved <= 0) reader->result = moved < 0 ? -errno : -EIO;
        if (moved <= 0) break;
        reader->tally.calls++;
        now = tally_add(&reader->tally, now, (uint64_t)moved);
        if (measure_time_over(r->measure, now)) break;
    }
    return NULL;
}

static int threads_run(void *context, struct measure *m)
{
    static struct reader reader[THREADS_MAX];
    struct reads *r = context;
    unsigned started = 0;
    int result = 0;
    size_t each = (r->block + 4095) & ~(size_t)4095;
    r->measure = m;
    for (; result == 0 && started < r->under_way; started += result == 0) {
        reader[started] = (struct reader){.reads = r, .buffer = r->memory + started * each};
        result = -pthread_create(&reader[started].id, NULL, reader_run, &reader[started]);
    }
    for (unsigned i = 0; i < started; i++) {
        pthread_join(reader[i].id, NULL);
        measure_join(m, &reader[i].tally);
        if (result == 0) result = reader[i].result;
    }
    return result;
}

/* ---- rings ------------------------------------------------------------------------------------- */

struct ring_reads {
    struct reads *reads;
    struct measure *measure;
    struct io_uring ring;
    bool fixed, sqpoll;
    uint64_t begun[DEPTH_MAX];
    unsigned idle[DEPTH_MAX], idles, under_way;
};

/*
 * One thread submits and waits, so completions may be left until it waits (DEFER_TASKRUN): else the kernel
 * interrupts it for each. Kernels before 6.1 do not know the flag, and io_uring_setup(2) returns -EINVAL.
 */
static int ring_make(struct ring_reads *q)
{
    const struct reads *r = q->reads;
    struct io_uring_params params = {.flags =
                                         IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN};
    q->sqpoll = !strcmp(r->mode, "sqpoll");
    if (q->sqpoll)
        params = (struct io_uring_params){.flags = IORING_SETUP_SQPOLL, .sq_thread_idle = 100};
    if (!strcmp(r->mode, "iopoll")) params.flags = IORING_SETUP_IOPOLL;
    int result = io_uring_queue_init_params((unsigned)r->under_way, &q->ring, &params);
    if (result != -EINVAL || !(params.flags & IORING_SETUP_DEFER_TASKRUN)) return result;
    params = (struct io_uring_params){0};
    return io_uring_queue_init_params((unsigned)r->under_way, &q->ring, &params);
}

static int ring_open(struct ring_reads *q)
{
    const struct reads *r = q->reads;
    static struct iovec buffer[DEPTH_MAX];
    size_t each = (r->block + 4095) & ~(size_t)4095;
    q->fixed = strcmp(r->mode, "ring") != 0; /* all except the plain one */
    int result = ring_make(q);
    if (result < 0 || !q->fixed) return result;
    for (unsigned i = 0; i < r->under_way; i++)
        buffer[i] = (struct iovec){r->memory + i * each, each};
    result = io_uring_register_buffers(&q->ring, buffer, (unsigned)r->under_way);
    if (result == 0) result = io_uring_register_files(&q->ring, &r->fd, 1);
    if (result < 0) io_uring_queue_exit(&q->ring);
    return result;
}

/* Prepares a read for each buffer that is idle, until each block was read. */
static void ring_prepare(struct ring_reads *q, uint64_t now)
{
    struct reads *r = q->reads;
    size_t each = (r->block + 4095) & ~(size_t)4095;
    uint64_t offset;
    while (q->idles > 0 && !measure_over(q->measure, now) && place_next(r, &offset)) {
        struct io_uring_sqe *sqe = io_uring_get_sqe(&q->ring);
        if (!sqe) return;
        unsigned i = q->idle[--q->idles];
        char *buffer = r->memory + i * each;
        if (q->fixed) {
            io_uring_prep_read_fixed(sqe, 0, buffer, (unsigned)r->block, offset, (int)i);
            sqe->flags |= IOSQE_FIXED_FILE;
        } else {
            io_uring_prep_read(sqe, r->fd, buffer, (unsigned)r->block, offset);
        }
        io_uring_sqe_set_data64(sqe, i);
        q->begun[i] = now;
        q->under_way++;
    }
}

static int ring_reap(struct ring_reads *q)
{
    struct io_uring_cqe *cqe;
    int result = 0;
    uint64_t now = measure_now();
    while (io_uring_peek_cqe(&q->ring, &cqe) == 0) {
        unsigned i = (unsigned)io_uring_cqe_get_data64(cqe);
        if (cqe->res <= 0)
            result = cqe->res < 0 ? cqe->res : -EIO;
        else
            tally_latency(&q->measure->tally, now - q->begun[i], (uint64_t)cqe->res);
        q->idle[q->idles++] = i;
        q->under_way--;
        io_uring_cqe_seen(&q->ring, cqe);
    }
    return result;
}

static int ring_run(void *context, struct measure *m)
{
    static struct ring_reads q;
    struct reads *r = context;
    q = (struct ring_reads){.reads = r, .measure = m};
    int result = ring_open(&q);
    if (result < 0) return result;
    for (unsigned i = 0; i < r->under_way; i++)
        q.idle[q.idles++] = (unsigned)r->under_way - 1 - i;
    measure_restart(m); /* making a ring is not measured */
    for (uint64_t now = measure_now(); result >= 0; now = measure_now()) {
        ring_prepare(&q, now);
        if (q.under_way == 0) break;
        /* With SQPOLL only waiting needs a system call, and only when nothing has completed yet. */
        m->tally.calls += !q.sqpoll || io_uring_cq_ready(&q.ring) == 0;
        result = io_uring_submit_and_wait(&q.ring, 1);
        if (result == -EINTR) result = 0;
        if (result >= 0) result = ring_reap(&q);
    }
    io_uring_queue_exit(&q.ring); /* waits for what is under way */
    return result < 0 ? result : 0;
}

/* ---- the cases --------------------------------------------------------------------------------- */

struct wanted {
    const char *sweep, *mode;
    uint64_t under_way, block, samples;
    bool buffered, no_readahead;
};

static void reads_measure(struct lab *lab, const struct data *data, struct wanted w)
{
    static struct reads r;
    char samples[24] = "";
    r = (struct reads){.data = data,
                       .mode = w.mode,
                       .block = w.block,
                       .blocks = data->bytes / w.block,
                       .under_way = w.under_way,
                       .seed = lab_seed(lab),
                       .direct = !w.buffered,
                       .no_readahead = w.no_readahead,
                       .fd = -1};
    struct work work = {.context = &r,
                        .open = reads_open,
                        .close = reads_close,
                        .data = data,
                        .cache = CACHE_COLD,
                        .operations_max = w.samples};
    work.run = !strcmp(w.mode, "one")       ? one_run
               : !strcmp(w.mode, "threads") ? threads_run
                                            : ring_run;
    if (w.samples > 0) snprintf(samples, sizeof samples, "%" PRIu64, w.samples);
    lab_measure(lab, &work,
                "sweep=%s mode=%s under_way=%" PRIu64 " block_bytes=%" PRIu64
                " path=%s samples=%s readahead=%s",
                w.sweep, w.mode, w.under_way, w.block, w.buffered ? "buffered" : "direct", samples,
                w.no_readahead ? "off" : "default");
}

static bool polling_is_possible(struct lab *lab)
{
    char set[128];
    if (!strcmp(device_setting(lab_device(lab), "io_poll", set), "1")) return true;
    lab_skip(lab, "iopoll", "the device has no poll queues (queue/io_poll is not 1)");
    return false;
}

static void depths_walk(struct lab *lab, const struct data *data)
{
    const char *mode[LIST];
    uint64_t depth[LIST];
    unsigned modes = lab_words(lab, "modes", mode, LIST),
             depths = lab_numbers(lab, "depths", depth, LIST);
    for (unsigned m = 0; m < modes; m++)
        for (unsigned d = 0; d < depths; d++) {
            uint64_t most = !strcmp(mode[m], "one")       ? 1
                            : !strcmp(mode[m], "threads") ? THREADS_MAX
                                                          : DEPTH_MAX;
            if (depth[d] < 1 || depth[d] > most) continue;
            if (!strcmp(mode[m], "iopoll") && !polling_is_possible(lab)) continue;
            reads_measure(
                lab, data,
                (struct wanted){
                    .sweep = "depth", .mode = mode[m], .under_way = depth[d], .block = 4096});
        }
}

static void run(struct lab *lab)
{
    uint64_t block[LIST], samples[LIST];
    const struct data *data = lab_file(lab, lab_largest(lab));
    unsigned blocks = lab_numbers(lab, "blocks", block, LIST);
    unsigned counts = lab_numbers(lab, "samples", samples, LIST);
    depths_walk(lab, data);
    for (int buffered = 0; buffered < 2; buffered++)
        for (unsigned b = 0; b < blocks; b++)
            reads_measure(lab, data,
                          (struct wanted){.sweep = "block",
                                          .mode = "one",
                                          .under_way = 1,
                                          .block = block[b],
                                          .buffered = buffered});
    for (unsigned s = 0; s < counts; s++)
        reads_measure(lab, data,
                      (struct wanted){.sweep = "samples",
                                      .mode = "one",
                                      .under_way = 1,
                                      .block = 4096,
                                      .samples = samples[s]});
    for (int kind = 0; kind < 3; kind++) /* buffered, buffered without read-ahead, direct */
        reads_measure(lab, data,
                      (struct wanted){.sweep = "amplification",
                                      .mode = "one",
                                      .under_way = 1,
                                      .block = 512,
                                      .buffered = kind < 2,
                                      .no_readahead = kind == 1});
}

/* ---- what the figures say ---------------------------------------------------------------------- */

static void depth_find(const struct table *t, struct findings *into)
{
    static const char *const other[] = {"fixed", "sqpoll", "iopoll"};
    struct sample many = table_sample(t, "iops", "sweep=depth mode=ring under_way=16");
    struct sample one = table_sample(t, "iops", "sweep=depth mode=ring under_way=1");
    struct comparison c = compare(&many, &one);
    finding_scaling(into, t, "Reads under way in a ring", "under_way", "iops",
                    "sweep=depth mode=ring");
    finding_scaling(into, t, "Threads that read", "under_way", "iops", "sweep=depth mode=threads");
    finding_bend(into, t, "Reads per second over reads under way in a ring", "under_way", "iops",
                 "sweep=depth mode=ring");
    if (many.count > 0 && one.count > 0)
        finding_expect(
            into, "16 reads under way give more reads per second than 1", MORE, &c,
            "The device, or what limits it (a cloud volume's IOPS), serves one at a time.");
    finding_ratio(into, t, "iops", "a ring with 16 under way", "sweep=depth mode=ring under_way=16",
                  "16 threads", "sweep=depth mode=threads under_way=16");
    for (unsigned o = 0; o < 3; o++) {
        char mine[96];
        snprintf(mine, sizeof mine, "sweep=depth mode=%s under_way=16", other[o]);
        finding_ratio(into, t, "iops", other[o], mine, "a plain ring (16 under way)",
                      "sweep=depth mode=ring under_way=16");
    }
}

static void amplification_find(const struct table *t, struct findings *into)
{
    static const char usual[] = "sweep=amplification path=buffered readahead=default";
    struct sample a = table_sample(t, "amplification", "%s", usual);
    struct sample b =
        table_sample(t, "amplification", "sweep=amplification path=buffered readahead=off");
    struct comparison c = compare(&a, &b);
    if (a.count == 0 || b.count == 0) {
        finding_add(into, FINDING_OPEN,
                    "Read amplification is not known: the device has no counters here.");
        return;
    }
    finding_add(
        into, FINDING_FACT,
        "A buffered read of 512 bytes at a random place has the device move %.1f times as much "
        "(%.1f with read-ahead off); a page is 8 times as much.",
        summarise(&a).median, summarise(&b).median);
    finding_expect(into, "read-ahead adds nothing to a random read", SAME, &c,
                   "The kernel took some of the places for a sequence, or other programs used the "
                   "device meanwhile.");
}

static void samples_find(const struct table *t, struct findings *into)
{
    struct curve curve = curve_of(t, "samples", "p99_us", "sweep=samples");
    if (curve.count < 2 || curve.y[0].count < 2) return;
    struct summary few = summarise(&curve.y[0]), many = summarise(&curve.y[curve.count - 1]);
    finding_add(
        into, FINDING_FACT,
        "The p99 of repetitions differs by %.0f %% with %.0f samples, and by %.0f %% with %.0f.",
        100 * few.spread, curve.x[0], 100 * many.spread, curve.x[curve.count - 1]);
}

static void find(const struct table *t, struct findings *into)
{
    depth_find(t, into);
    finding_bend(into, t, "MB/s of direct reads one at a time over the block", "block_bytes",
                 "mb_per_s", "sweep=block path=direct");
    finding_ratio(into, t, "median_us", "a buffered read of 4 KiB",
                  "sweep=block path=buffered block_bytes=4096", "a direct one",
                  "sweep=block path=direct block_bytes=4096");
    amplification_find(t, into);
    samples_find(t, into);
}

static const struct experiment random_reads = {
    .number = 2,
    .name = "random",
    .title = "Random reads",
    .question = "What does a read at a random place cost, and how much does it help to have "
                "several under way?",
    .expectation = "Reads per second grow with the number under way until the device's parallelism "
                   "is used up; from there on only "
                   "latency grows (Little's law). Threads or a ring hardly matter on a slow device "
                   "(Axboe, Efficient IO with "
                   "io_uring, 2019). Read-ahead adds nothing to a random read (mm/readahead.c).",
    .floor = "any Linux; rings from 5.6 on",
    .full_minutes = 6,
    .quick_minutes = 0.8,
    .figure = "iops",
    .factors = factors,
    .parameters = parameters,
    .plots = plots,
    .run = run,
    .find = find,
};
EXPERIMENT(random_reads);
