/*
 * Experiment 1: sequential reads and writes.
 *
 * Question.  How do the size of a block, the size of a file, the method and the page cache decide how fast
 *            a file is read or written from its beginning to its end?
 *
 * Expected.  Warm, a read is a system call and a copy. The call costs the same for 4 KiB and for 4 MiB. So
 *            MB/s grow with the block until only the copy is left, and fall again when the block no longer
 *            fits into a cache of the CPU (McVoy and Staelin, "lmbench", USENIX 1996). Cold, the kernel
 *            reads ahead of a sequential reader, so the device always has a large request and the block
 *            hardly matters (Documentation/admin-guide/mm, readahead; man posix_fadvise). Small blocks cost
 *            something only with O_DIRECT, which has no read-ahead, and when read-ahead is switched off.
 *
 * Vary.      --set blocks=4k,64k,1m   --set methods=pread,mmap   --set files=1k,1m,max
 *            --set blocks=512 shows what a call costs; --set methods=direct what read-ahead does for the others.
 *
 * Needs.     Any Linux; io_uring from 5.6 on. With root, the read-ahead of the device is set, and set back.
 *
 * Writes end with fdatasync(2), which is a part of the time: what is measured is bytes on the device, not
 * in memory.
 */
#include "../device.h"
#include "../engine.h"
#include "../experiment.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>

enum { LIST = 16, FILES = 64, DEVICE_LARGE_KIB = 4096 };

static const struct column factors[] = {
    {"sweep", "text", "which question the row belongs to: block, file, readahead or write"},
    {"direction", "text", "read or write"},
    {"method", "text", "how the kernel is called"},
    {"block_bytes", "bytes", "bytes of one call"},
    {"file_bytes", "bytes", "size of the file, or of each of several small ones"},
    {"file_class", "text", "small (to 64 KiB), medium (to 16 MiB) or large"},
    {"cache", "text", "cold, warm, or synced (written, then fdatasync)"},
    {"readahead", "text",
     "off, default or large by fadvise; device-off, device-large by the device's setting"},
    {0}};

static const struct parameter parameters[] = {
    {"blocks", "bytes of one call", "4k,16k,64k,256k,1m,4m", "4k,64k,1m", "4k,64k"},
    {"files", "sizes of file read with blocks of 64 KiB", "1k,16k,256k,4m,64m,max", "1k,256k,max",
     "1k,256k"},
    {"methods", "of: read pread readv mmap direct uring stdio",
     "read,pread,readv,mmap,direct,uring,stdio", "read,pread,readv,mmap,direct,uring,stdio",
     "read,pread,readv,mmap,direct,uring,stdio"},
    {"readaheads", "of: off default large device-off device-large",
     "off,default,large,device-off,device-large", "off,default,large,device-off,device-large",
     "off,default,large"},
    {"write_file", "bytes that are written, then synced", "128m", "16m", "1m"},
    {0}};

static const struct plot plots[] = {
    {"cold", "Cold reads of a large file", "block_bytes", "mb_per_s", "method",
     "sweep=block cache=cold", false, true, false},
    {"warm", "Warm reads of a large file", "block_bytes", "mb_per_s", "method",
     "sweep=block cache=warm", false, true, false},
    {"cpu", "CPU in the kernel for a MiB, warm", "block_bytes", "system_us_per_mib", "method",
     "sweep=block cache=warm", false, true, true},
    {"files-cold", "Cold files of different sizes, blocks of 64 KiB", "file_bytes", "mb_per_s",
     "method", "sweep=file cache=cold", false, true, true},
    {"files-warm", "Warm files of different sizes, blocks of 64 KiB", "file_bytes", "mb_per_s",
     "method", "sweep=file cache=warm", false, true, true},
    {"readahead", "Cold reads with pread, by read-ahead", "readahead", "mb_per_s", "block_bytes",
     "sweep=readahead", true, false, false},
    {"write", "Writes that end with fdatasync", "block_bytes", "mb_per_s", "method", "sweep=write",
     false, true, false},
    {0}};

/* ---- the work ---------------------------------------------------------------------------------- */

struct sequential {
    const struct engine *engine;
    const struct data *data;
    const struct device *device;
    const char *readahead;
    uint64_t block;
    bool again; /* warm: starts again from the beginning until the time is over */
    unsigned files;
    struct channel channel[FILES];
};

static int advise(struct channel *channel, const char *readahead)
{
    int advice = !strcmp(readahead, "off")     ? POSIX_FADV_RANDOM
                 : !strcmp(readahead, "large") ? POSIX_FADV_SEQUENTIAL
                                               : POSIX_FADV_NORMAL;
    return -posix_fadvise(channel->fd, 0, 0, advice);
}

/* A file takes the setting of the device when it is opened. */
static int device_set(const struct sequential *s)
{
    if (strncmp(s->readahead, "device-", 7) != 0) return 0;
    return device_read_ahead_set(s->device,
                                 !strcmp(s->readahead, "device-off") ? 0 : DEVICE_LARGE_KIB);
}

static int read_open(void *context)
{
    struct sequential *s = context;
    s->files = s->data->count ? s->data->count : 1;
    int result = device_set(s);
    for (unsigned i = 0; i < s->files; i++)
        s->channel[i] = (struct channel){.fd = -1, .lender = i ? &s->channel[0] : NULL};
    for (unsigned i = 0; result == 0 && i < s->files; i++) {
        char path[280];
        snprintf(path, sizeof path, s->data->count ? "%s/%u" : "%s", s->data->path, i);
        result = channel_open(&s->channel[i], s->engine, path, false, 0, s->block);
        if (result == 0) result = advise(&s->channel[i], s->readahead);
    }
    return result;
}

static int read_run(void *context, struct measure *m)
{
    struct sequential *s = context;
    uint64_t now = measure_now(), calls = 0;
    bool over = false;
    while (!over) {
        for (unsigned i = 0; !over && i < s->files; i++) {
            struct channel *channel = &s->channel[i];
            channel->calls = 0;
            for (uint64_t at = 0; !over && at < s->data->bytes;) {
                ssize_t moved = s->engine->read(channel, at, s->block);
                if (moved <= 0) return moved < 0 ? (int)moved : -EIO;
                now = tally_add(&m->tally, now, (uint64_t)moved);
                at += (uint64_t)moved;
                over = measure_over(m, now);
            }
            calls += channel->calls;
        }
        over |= !s->again;
    }
    m->tally.calls = calls;
    if (!strcmp(s->engine->name, "mmap")) measure_figure(m, "syscalls_per_op", 0);
    return 0;
}

static void all_close(void *context)
{
    struct sequential *s = context;
    for (unsigned i = 0; i < s->files; i++)
        channel_close(&s->channel[i]);
    device_read_ahead_restore();
}

static int write_open(void *context)
{
    struct sequential *s = context;
    s->files = 1;
    int result =
        channel_open(&s->channel[0], s->engine, s->data->path, true, s->data->bytes, s->block);
    if (result == 0) channel_fill(&s->channel[0], s->block);
    return result;
}

static int write_run(void *context, struct measure *m)
{
    struct sequential *s = context;
    struct channel *channel = &s->channel[0];
    uint64_t now = measure_now();
    for (uint64_t at = 0; at < s->data->bytes && !measure_stopped;) {
        ssize_t moved = s->engine->write(channel, at, s->block);
        if (moved <= 0) return moved < 0 ? (int)moved : -EIO;
        now = tally_add(&m->tally, now, (uint64_t)moved);
        at += (uint64_t)moved;
        if (m->warming) break;
    }
    m->tally.calls = channel->calls;
    return channel_sync(channel);
}

/* ---- the cases --------------------------------------------------------------------------------- */

static const char *class_of(uint64_t bytes)
{
    return bytes <= 64 << 10 ? "small" : bytes <= 16 << 20 ? "medium" : "large";
}

static void read_measure(struct lab *lab, const char *sweep, const char *method, uint64_t block,
                         const struct data *data, bool cold, const char *readahead)
{
    static struct sequential s;
    s = (struct sequential){.engine = engine_named(method),
                            .data = data,
                            .device = lab_device(lab),
                            .readahead = readahead,
                            .block = block,
                            .again = !cold};
    struct work work = {.context = &s,
                        .open = read_open,
                        .run = read_run,
                        .close = all_close,
                        .data = data,
                        .cache = cold ? CACHE_COLD : CACHE_WARM,
                        .no_warm_up = cold};
    if (!s.engine) {
        lab_skip(lab, method, "there is no such method");
        return;
    }
    if (!cold && s.engine->open_flags) return; /* O_DIRECT never reads from the page cache */
    lab_measure(lab, &work,
                "sweep=%s direction=read method=%s block_bytes=%" PRIu64 " file_bytes=%" PRIu64
                " file_class=%s cache=%s readahead=%s",
                sweep, method, block, data->bytes, class_of(data->bytes), cold ? "cold" : "warm",
                readahead);
}

static void write_measure(struct lab *lab, const char *method, uint64_t block,
                          const struct data *data)
{
    static struct sequential s;
    s = (struct sequential){
        .engine = engine_named(method), .data = data, .readahead = "default", .block = block};
    struct work work = {
        .context = &s, .open = write_open, .run = write_run, .close = all_close, .data = data};
    if (s.engine && data->bytes % block == 0)
        lab_measure(lab, &work,
                    "sweep=write direction=write method=%s block_bytes=%" PRIu64
                    " file_bytes=%" PRIu64 " file_class=%s cache=synced readahead=default",
                    method, block, data->bytes, class_of(data->bytes));
}

/*
 * Walks through all cold reads first: so the large file is read into memory once, not again for each case.
 */
static void reads_walk(struct lab *lab, bool cold)
{
    const char *method[LIST], *readahead[LIST];
    uint64_t block[LIST], file[LIST];
    unsigned methods = lab_words(lab, "methods", method, LIST);
    unsigned blocks = lab_numbers(lab, "blocks", block, LIST);
    unsigned files = lab_numbers(lab, "files", file, LIST);
    unsigned readaheads = lab_words(lab, "readaheads", readahead, LIST);
    const struct data *large = lab_file(lab, lab_largest(lab));
    for (unsigned m = 0; m < methods; m++)
        for (unsigned b = 0; b < blocks; b++)
            read_measure(lab, "block", method[m], block[b], large, cold, "default");
    for (unsigned m = 0; m < methods; m++)
        for (unsigned f = 0; f < files; f++)
            read_measure(lab, "file", method[m], 64 << 10,
                         file[f] <= 256 << 10 ? lab_files(lab, FILES, file[f])
                                              : lab_file(lab, file[f]),
                         cold, "default");
    for (unsigned r = 0; cold && r < readaheads; r++) {
        bool of_device = !strncmp(readahead[r], "device-", 7);
        if (of_device && !lab_is_root()) lab_skip(lab, readahead[r], "it needs root");
        for (unsigned b = 0; b < 2 && (!of_device || lab_is_root()); b++)
            read_measure(lab, "readahead", "pread", b ? 256 << 10 : 16 << 10, large, true,
                         readahead[r]);
    }
}

static void run(struct lab *lab)
{
    const char *method[LIST];
    uint64_t block[LIST];
    unsigned methods = lab_words(lab, "methods", method, LIST);
    unsigned blocks = lab_numbers(lab, "blocks", block, LIST);
    const struct data *written = lab_scratch(lab, "written", lab_number(lab, "write_file"));
    reads_walk(lab, true);
    reads_walk(lab, false);
    for (unsigned m = 0; m < methods; m++)
        for (unsigned b = 0; b < blocks; b++)
            write_measure(lab, method[m], block[b], written);
}

/* ---- what the figures say ---------------------------------------------------------------------- */

static void block_find(const struct table *t, struct findings *into)
{
    struct cell block[DISTINCT_MAX];
    char least[160], most[160];
    static const char warm[] = "sweep=block cache=warm method=pread";
    static const char cold[] = "sweep=block cache=cold method=pread";
    unsigned blocks = table_distinct(t, "block_bytes", block, "sweep=block");
    finding_best(into, t, "The best block for warm reads by pread", "block_bytes", "mb_per_s", true,
                 warm);
    finding_best(into, t, "The best block for cold reads by pread", "block_bytes", "mb_per_s", true,
                 cold);
    finding_bend(into, t, "MB/s of warm reads by pread over the block", "block_bytes", "mb_per_s",
                 warm);
    if (blocks < 2) return;
    for (int is_cold = 0; is_cold < 2; is_cold++) {
        snprintf(least, sizeof least, "%s block_bytes=%.10g", is_cold ? cold : warm,
                 block[0].number);
        snprintf(most, sizeof most, "%s block_bytes=%.10g", is_cold ? cold : warm,
                 block[blocks - 1].number);
        struct sample a = table_sample(t, "mb_per_s", "%s", most);
        struct sample b = table_sample(t, "mb_per_s", "%s", least);
        struct comparison c = compare(&a, &b);
        if (is_cold)
            finding_expect(
                into,
                "cold, the largest block is as fast as the smallest, since the kernel reads ahead",
                SAME, &c,
                "Either read-ahead is small against what the device can take, or the device is so "
                "fast that the cost of a call shows.");
        else
            finding_expect(
                into,
                "warm, the largest block moves more MB/s than the smallest, since a call is paid "
                "less often",
                MORE, &c,
                "The copy is all that costs here, or the largest block no longer fits a cache of "
                "the CPU.");
    }
}

static void method_find(const struct table *t, struct findings *into)
{
    static const char *const other[] = {"read", "readv", "mmap", "direct", "uring", "stdio"};
    struct cell block[DISTINCT_MAX];
    char mine[160], theirs[160], name[48];
    unsigned blocks = table_distinct(t, "block_bytes", block, "sweep=block");
    if (blocks == 0) return;
    for (unsigned o = 0; o < sizeof other / sizeof *other; o++) {
        const char *cache = !strcmp(other[o], "direct") ? "cold" : "warm";
        double bytes = block[!strcmp(other[o], "direct") ? blocks - 1 : 0].number;
        snprintf(mine, sizeof mine, "sweep=block cache=%s method=%s block_bytes=%.10g", cache,
                 other[o], bytes);
        snprintf(theirs, sizeof theirs, "sweep=block cache=%s method=pread block_bytes=%.10g",
                 cache, bytes);
        snprintf(name, sizeof name, "%s (%s, %.10g KiB)", other[o], cache, bytes / 1024);
        finding_ratio(into, t, "mb_per_s", name, mine, "pread", theirs);
    }
}

static void readahead_find(const struct table *t, struct findings *into)
{
    static const char off[] = "sweep=readahead readahead=off block_bytes=16384";
    static const char usual[] = "sweep=readahead readahead=default block_bytes=16384";
    struct sample a = table_sample(t, "mb_per_s", "%s", off);
    struct sample b = table_sample(t, "mb_per_s", "%s", usual);
    struct comparison c = compare(&a, &b);
    if (a.count == 0 || b.count == 0) return;
    finding_expect(
        into, "without read-ahead cold reads of 16 KiB are slower", LESS, &c,
        "The device may read ahead itself, or its data were in a cache below the kernel (a "
        "hypervisor's), where waiting is short.");
    finding_ratio(into, t, "mb_per_s", "read-ahead doubled by POSIX_FADV_SEQUENTIAL",
                  "sweep=readahead readahead=large block_bytes=16384", "the default", usual);
    finding_ratio(into, t, "mb_per_s", "a read-ahead of 4 MiB set on the device",
                  "sweep=readahead readahead=device-large block_bytes=16384", "the device's own",
                  usual);
}

static void class_find(const struct table *t, struct findings *into)
{
    finding_ratio(into, t, "mb_per_s", "reading small files (warm, pread)",
                  "sweep=file cache=warm method=pread file_class=small", "reading large ones",
                  "sweep=file cache=warm method=pread file_class=large");
    finding_ratio(into, t, "mb_per_s", "reading small files (cold, pread)",
                  "sweep=file cache=cold method=pread file_class=small", "reading large ones",
                  "sweep=file cache=cold method=pread file_class=large");
}

static void find(const struct table *t, struct findings *into)
{
    block_find(t, into);
    readahead_find(t, into);
    method_find(t, into);
    class_find(t, into);
    finding_best(into, t, "The best block for writes by pwrite that are synced", "block_bytes",
                 "mb_per_s", true, "sweep=write method=pread");
}

static const struct experiment sequential = {
    .number = 1,
    .name = "sequential",
    .title = "Sequential reads and writes",
    .question = "How do block, file, method and page cache decide how fast a file is read from "
                "beginning to end?",
    .expectation = "Warm, MB/s grow with the block until the copy is all that costs (lmbench, "
                   "McVoy and Staelin 1996). Cold, "
                   "read-ahead makes the block unimportant, except with O_DIRECT or without "
                   "read-ahead (posix_fadvise(2)).",
    .floor = "any Linux; io_uring from 5.6 on",
    .full_minutes = 8,
    .quick_minutes = 1.2,
    .figure = "mb_per_s",
    .factors = factors,
    .parameters = parameters,
    .plots = plots,
    .run = run,
    .find = find,
};
EXPERIMENT(sequential);
