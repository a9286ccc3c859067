/*
 * Experiment 5: writes that last.
 *
 * Question.  What does it cost to make a write survive a crash, and what is lost when it was not made to
 *            survive?
 *
 * Expected.  A write(2) ends in the page cache. A flush of the device's own cache makes it last, and a
 *            flush costs the same for 4 KiB as for much more. So one flush for every 8 or 64 writes, or
 *            larger writes, gain nearly in proportion (group commit; Gray and Reuter, "Transaction
 *            processing", 1993). Overwriting needs no new size in the inode; an append has to commit the
 *            size to the journal (fdatasync(2), ext4: jbd2). fsync(2) commits the time of change as well.
 *            O_DSYNC is an fdatasync(2) in every write (open(2)). O_DIRECT alone makes nothing last: the
 *            data have only left the page cache. Records that the program gathers before it writes them
 *            (coalescing) need fewer calls and flushes. When the program is killed, what it has gathered is
 *            lost, and nothing else. A power cut takes everything that no flush has covered (Pillai et al.,
 *            "All file systems are not created equal", OSDI 2014).
 *
 * Vary.      --set blocks=4k,…   --set sizes=0,4k,64k   --set intervals=1,10 (milliseconds)   --set
 *            kills=20
 *
 * Needs.     Any Linux. The device decides what a flush costs: /sys/block/…/queue/write_cache says whether
 *            it has a cache.
 *
 * at_risk_bytes is what a power cut at the end could have taken. It follows from the rules and is not
 * tried. The kill is tried.
 */
#include "../text.h"
#include "durable_killed.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LIST = 16, PIECE = 1 << 20, BLOCK = 4096 };

static const struct column factors[] = {
    {"sweep", "text", "which question the row belongs to: policy, block or gather"},
    {"policy", "text",
     "what makes writes last: nothing, a flush after each, after 8, …, or a flag"},
    {"place", "text", "append, or overwrite (of a file that is there, from its beginning on)"},
    {"block_bytes", "bytes", "bytes of one write; of one record, when they are gathered"},
    {"gathered", "text", "when records are written: at-once, or by their size or their age"},
    {"pace", "1/s", "records that come per second; empty: as many as can be accepted"},
    {0}};

static const struct column figures[] = {
    {"lost_bytes", "bytes", "what a kill of the program took, on average"},
    {"lost_most_bytes", "bytes", "what the worst of the kills took"},
    {"at_risk_bytes", "bytes", "what no flush had covered, though its writer believed it written"},
    {"held_us", "us", "how long the oldest record had waited when it was written, on average"},
    {0}};

static const struct parameter parameters[] = {
    {"blocks", "bytes of one write that is flushed", "4k,16k,64k,256k,1m", "4k,64k,1m", "4k,64k"},
    {"sizes", "records are written when they are so many bytes; 0: at once", "0,4k,64k,1m",
     "0,4k,64k,1m", "0,4k"},
    {"intervals", "or when the oldest is so old, in ms", "1,10,50", "1,10,50", "5"},
    {"pace", "records per second that come when they are gathered by age", "100000", "100000",
     "100000"},
    {"kills", "how often the program is killed in one measurement", "5", "3", "1"},
    {"file", "bytes of the file that is overwritten; the most that is appended to a file", "64m",
     "16m", "2m"},
    {0}};

static const struct plot plots[] = {{"median", "4 KiB: median latency of a write", "policy",
                                     "median_us", "place", "sweep=policy", true, false, false},
                                    {"p99", "4 KiB: p99 latency of a write", "policy", "p99_us",
                                     "place", "sweep=policy", true, false, false},
                                    {"iops", "4 KiB: writes per second", "policy", "iops", "place",
                                     "sweep=policy", true, false, false},
                                    {"blocks", "Written over, each write flushed", "block_bytes",
                                     "mb_per_s", "policy", "sweep=block", false, true, true},
                                    {"gather", "Records of 128 bytes per second", "gathered",
                                     "iops", "policy", "sweep=gather", true, false, false},
                                    {"gather-mean", "Records: mean latency", "gathered", "mean_us",
                                     "policy", "sweep=gather", true, false, false},
                                    {"gather-max", "Records: longest latency", "gathered", "max_us",
                                     "policy", "sweep=gather", true, false, false},
                                    {"held", "Records: how long the oldest had waited", "gathered",
                                     "held_us", "policy", "sweep=gather", true, false, false},
                                    {"lost", "Records: what a kill took", "gathered", "lost_bytes",
                                     "policy", "sweep=gather", true, false, false},
                                    {"risk", "Records: what a power cut could take", "gathered",
                                     "at_risk_bytes", "policy", "sweep=gather", true, false, false},
                                    {0}};

/* ---- ways to make writes last ------------------------------------------------------------------ */

static const struct policy {
    const char *name;
    int flags;            /* of open(2) */
    int (*flush)(int fd); /* called after `every` writes; NULL: never */
    uint64_t every;
} policies[] = {{"nothing", 0, NULL, 0},
                {"fdatasync", 0, fdatasync, 1},
                {"fdatasync/8", 0, fdatasync, 8},
                {"fdatasync/64", 0, fdatasync, 64},
                {"fsync", 0, fsync, 1},
                {"dsync", O_DSYNC, NULL, 1},
                {"direct", O_DIRECT, NULL, 0},
                {"direct+dsync", O_DIRECT | O_DSYNC, NULL, 1},
                {"direct+fdatasync", O_DIRECT, fdatasync, 1}};
enum { POLICIES = sizeof policies / sizeof *policies };

struct writes {
    const struct data *data;
    const struct policy *policy;
    bool append;
    uint64_t block;
    int fd;
    char *buffer;
};

/* Makes contents that cannot be compressed. */
static char *buffer_make(size_t bytes, uint64_t seed)
{
    char *buffer = aligned_alloc(4096, bytes);
    for (size_t at = 0; buffer && at + 8 <= bytes; at += 8) {
        seed = seed * 6364136223846793005U + 1442695040888963407U;
        memcpy(buffer + at, &seed, 8);
    }
    return buffer;
}

/* Makes the file that is overwritten, once in a run: complete, and on the device. */
static int file_make(const struct data *data)
{
    struct stat status;
    if (stat(data->path, &status) == 0 && (uint64_t)status.st_size == data->bytes) return 0;
    int fd = open(data->path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    char *piece = buffer_make(PIECE, 7);
    int result = fd < 0 ? -errno : piece ? 0 : -ENOMEM;
    for (uint64_t at = 0; result == 0 && at < data->bytes; at += PIECE) {
        size_t length = data->bytes - at < PIECE ? (size_t)(data->bytes - at) : PIECE;
        if (measure_stopped)
            result = -EINTR;
        else if (write(fd, piece, length) != (ssize_t)length)
            result = errno ? -errno : -ENOSPC;
    }
    if (result == 0 && fsync(fd) < 0) result = -errno;
    if (fd >= 0) close(fd);
    free(piece);
    if (result < 0) unlink(data->path);
    return result;
}

static int writes_open(void *context)
{
    struct writes *w = context;
    int result = w->append ? 0 : file_make(w->data);
    if (result < 0) return result;
    w->buffer = buffer_make(w->block, w->block);
    if (!w->buffer) return -ENOMEM;
    w->fd =
        open(w->data->path,
             O_WRONLY | O_CLOEXEC | w->policy->flags | (w->append ? O_CREAT | O_TRUNC : 0), 0644);
    return w->fd < 0 ? -errno : 0;
}

/* What is still dirty must not become a part of the next case: it is flushed, or never written. */
static void writes_close(void *context)
{
    struct writes *w = context;
    if (w->append)
        unlink(w->data->path);
    else if (w->fd >= 0)
        fdatasync(w->fd);
    if (w->fd >= 0) close(w->fd);
    free(w->buffer);
    w->fd = -1;
    w->buffer = NULL;
}

static int writes_run(void *context, struct measure *m)
{
    struct writes *w = context;
    const struct policy *p = w->policy;
    uint64_t now = measure_now(), at = 0, open_writes = 0, most = 0;
    do {
        ssize_t wrote = pwrite(w->fd, w->buffer, w->block, (off_t)at);
        if (wrote < 0) return -errno;
        m->tally.calls++;
        open_writes++;
        if (p->flush && open_writes >= p->every) {
            m->tally.calls++;
            if (p->flush(w->fd) < 0) return -errno;
            open_writes = 0;
        } else if (p->every > 0 && !p->flush) {
            open_writes = 0; /* the flag of open(2) has flushed */
        }
        most = open_writes > most ? open_writes : most;
        now = tally_add(&m->tally, now, (uint64_t)wrote);
        at += w->block;
        if (at + w->block > w->data->bytes && w->append) break;
        if (at + w->block > w->data->bytes) at = 0;
    } while (!measure_over(m, now));
    measure_figure(m, "at_risk_bytes", (double)(most * w->block));
    return 0;
}

/* ---- the cases --------------------------------------------------------------------------------- */

static void policy_measure(struct lab *lab, const char *sweep, const struct policy *policy,
                           const struct data *data, bool append, uint64_t block)
{
    static struct writes w;
    w = (struct writes){.data = data, .policy = policy, .append = append, .block = block, .fd = -1};
    struct work work = {
        .context = &w, .open = writes_open, .run = writes_run, .close = writes_close, .data = data};
    if (block < 512 || block % 512 != 0 || block > data->bytes)
        lab_skip(lab, "a block", "not a multiple of 512 bytes, or larger than the file");
    else
        lab_measure(lab, &work,
                    "sweep=%s policy=%s place=%s block_bytes=%" PRIu64 " gathered=at-once", sweep,
                    policy->name, append ? "append" : "overwrite", block);
}

static void gather_measure(struct lab *lab, const struct data *data, uint64_t bytes, uint64_t ms,
                           bool synced)
{
    static struct gathering g;
    char gathered[32] = "at-once", pace[24] = "";
    if (ms > 0)
        snprintf(gathered, sizeof gathered, "%" PRIu64 "-ms", ms);
    else if (bytes > 0)
        snprintf(gathered, sizeof gathered, "%" PRIu64 "-%s", bytes >> (bytes < PIECE ? 10 : 20),
                 bytes < PIECE ? "KiB" : "MiB");
    uint64_t come = ms > 0 ? lab_number(lab, "pace") : 0;
    if (come > 0) snprintf(pace, sizeof pace, "%" PRIu64, come);
    g = (struct gathering){.data = data,
                           .gather_bytes = bytes,
                           .gather_ns = ms * 1000000,
                           .pace = come,
                           .synced = synced,
                           .kills = (unsigned)lab_number(lab, "kills"),
                           .seed = lab_seed(lab),
                           .fd = -1};
    struct work work = {.context = &g,
                        .open = gathering_open,
                        .run = gathering_run,
                        .close = gathering_close,
                        .data = data,
                        .no_warm_up = true};
    if (g.kills < 1 || g.kills > 100 || bytes > PIECE || ms > 1000)
        lab_skip(lab, gathered, "1 to 100 kills, at most 1 MiB and 1000 ms are possible");
    else
        lab_measure(lab, &work,
                    "sweep=gather policy=%s place=append block_bytes=%d gathered=%s pace=%s",
                    synced ? "fdatasync" : "nothing", RECORD_BYTES, gathered, pace);
}

static void run(struct lab *lab)
{
    uint64_t block[LIST], size[LIST], interval[LIST];
    unsigned blocks = lab_numbers(lab, "blocks", block, LIST);
    unsigned sizes = lab_numbers(lab, "sizes", size, LIST);
    unsigned intervals = lab_numbers(lab, "intervals", interval, LIST);
    uint64_t bytes = lab_number(lab, "file") & ~UINT64_C(4095);
    if (bytes < 2 * PIECE) bytes = 2 * PIECE;
    const struct data *over = lab_scratch(lab, "over", bytes);
    const struct data *appended = lab_scratch(lab, "appended", bytes);
    for (int append = 0; append < 2; append++)
        for (unsigned p = 0; p < POLICIES; p++)
            policy_measure(lab, "policy", &policies[p], append ? appended : over, append, BLOCK);
    for (unsigned b = 0; b < blocks; b++) {
        policy_measure(lab, "block", &policies[1], over, false, block[b]);
        policy_measure(lab, "block", &policies[7], over, false, block[b]);
    }
    for (int synced = 0; synced < 2; synced++) {
        for (unsigned s = 0; s < sizes; s++)
            gather_measure(lab, appended, size[s], 0, synced);
        for (unsigned i = 0; i < intervals; i++)
            gather_measure(lab, appended, 0, interval[i], synced);
    }
}

/* ---- what the figures say ---------------------------------------------------------------------- */

#define OVER "sweep=policy place=overwrite policy="
#define APPEND "sweep=policy place=append policy="
#define GATHER "sweep=gather policy="

static void expect(struct findings *into, const struct table *t, const char *figure,
                   const char *expectation, enum verdict wanted, const char *where_a,
                   const char *where_b, const char *explanation)
{
    struct sample a = table_sample(t, figure, "%s", where_a);
    struct sample b = table_sample(t, figure, "%s", where_b);
    struct comparison c = compare(&a, &b);
    if (a.count > 0 && b.count > 0) finding_expect(into, expectation, wanted, &c, explanation);
}

static void policy_find(const struct table *t, struct findings *into)
{
    expect(into, t, "iops", "a flush after each write of 4 KiB leaves fewer writes per second",
           LESS, OVER "fdatasync", OVER "nothing",
           "The data lie in memory, or the device says that it has flushed when it has not.");
    expect(into, t, "iops", "a flush after every 8 writes gives more than one after each", MORE,
           OVER "fdatasync/8", OVER "fdatasync",
           "The device takes as long for each block as for a flush, or flushing costs nothing.");
    expect(into, t, "iops",
           "with a flush after each write, overwriting is faster than appending, which commits a "
           "new size",
           MORE, OVER "fdatasync", APPEND "fdatasync",
           "The flush of the device takes much longer than the journal's commit, or the file "
           "system writes the data and the size in one place.");
    expect(into, t, "iops",
           "overwriting with fdatasync is faster than with fsync, which commits the time of change",
           MORE, OVER "fdatasync", OVER "fsync",
           "The clock of the file system had not moved on between most writes, or the time is kept "
           "in memory (mount option lazytime).");
    expect(into, t, "iops", "O_DSYNC gives as many as fdatasync after each", SAME, OVER "dsync",
           OVER "fdatasync", "One of them flushes with a request that carries the data (FUA).");
    finding_ratio(into, t, "iops", "O_DIRECT with O_DSYNC", OVER "direct+dsync",
                  "fdatasync after each", OVER "fdatasync");
    finding_ratio(into, t, "median_us", "O_DIRECT alone (which makes nothing last)", OVER "direct",
                  "O_DIRECT with O_DSYNC", OVER "direct+dsync");
}

static void block_find(const struct table *t, struct findings *into)
{
    finding_best(into, t, "The best block for writes that are each flushed", "block_bytes",
                 "mb_per_s", true, "sweep=block policy=fdatasync");
    finding_bend(into, t, "MB/s of writes that are each flushed over the block", "block_bytes",
                 "mb_per_s", "sweep=block policy=fdatasync");
}

/* Says what the kills took with one way to gather: never more than it may hold. */
static void lost_find(const struct table *t, struct findings *into, const char *gathered)
{
    struct sample lost = table_sample(t, "lost_bytes", GATHER "nothing gathered=%s", gathered);
    struct sample most = table_sample(t, "lost_most_bytes", GATHER "nothing gathered=%s", gathered);
    struct sample risk = table_sample(t, "at_risk_bytes", GATHER "nothing gathered=%s", gathered);
    char unit[8] = "";
    text took, worst, cut;
    double number = 0;
    if (lost.count == 0 || most.count == 0 || risk.count == 0) return;
    bool at_once = sscanf(gathered, "%lf-%7s", &number, unit) != 2, by_age = !strcmp(unit, "ms");
    bool mib = !strcmp(unit, "MiB");
    double limit = at_once ? 0 : by_age ? INFINITY : number * (mib ? 1 << 20 : 1 << 10);
    enum finding_kind kind = by_age                           ? FINDING_FACT
                             : summarise(&most).most <= limit ? FINDING_HELD
                                                              : FINDING_NOT_HELD;
    char words[64] = "at once";
    if (!at_once)
        snprintf(words, sizeof words, "when they are %g %s%s", number, unit, by_age ? " old" : "");
    text_bytes(took, summarise(&lost).median);
    text_bytes(worst, summarise(&most).most);
    text_bytes(cut, summarise(&risk).median);
    finding_add(into, kind,
                "%sRecords written %s: kills took %s (median of %u measurements), at most %s; no "
                "flush had covered %s.%s",
                kind == FINDING_FACT ? ""
                : at_once            ? "Expected: what is written at once is not lost by a kill. "
                                     : "Expected: a kill takes no more than is gathered. ",
                words, took, lost.count, worst, cut,
                kind != FINDING_NOT_HELD ? ""
                : at_once
                    ? " It did not hold: was the file system full, or did another program write to "
                      "the file?"
                    : " It did not hold: more was under way than the size that was asked for.");
}

static void gather_find(const struct table *t, struct findings *into)
{
    struct cell gathered[DISTINCT_MAX];
    unsigned ways = table_distinct(t, "gathered", gathered, "sweep=gather");
    expect(into, t, "iops",
           "records gathered to 64 KiB are accepted faster than records written at once", MORE,
           GATHER "nothing gathered=64-KiB", GATHER "nothing gathered=at-once",
           "A call costs almost nothing compared with making and counting a record.");
    expect(into, t, "iops",
           "with a flush for each write, records gathered to 64 KiB are accepted faster than "
           "records written at once",
           MORE, GATHER "fdatasync gathered=64-KiB", GATHER "fdatasync gathered=at-once",
           "Flushes cost nothing here, so the data may not be safe after one.");
    finding_ratio(into, t, "mean_us", "a flushed record gathered for 10 ms",
                  GATHER "fdatasync gathered=10-ms", "one written and flushed at once",
                  GATHER "fdatasync gathered=at-once");
    for (unsigned i = 0; i < ways; i++)
        lost_find(t, into, gathered[i].text);
}

static void find(const struct table *t, struct findings *into)
{
    policy_find(t, into);
    block_find(t, into);
    gather_find(t, into);
}

static const struct experiment durable = {
    .number = 5,
    .name = "durable",
    .title = "Writes that last",
    .question = "What does it cost to make a write survive a crash, and what is lost when it was "
                "not made to survive?",
    .expectation =
        "A flush costs the same for few bytes as for many, so fewer flushes or larger writes gain "
        "nearly in proportion (group commit; Gray and Reuter 1993). An append commits a new size "
        "(fdatasync(2)). A kill takes what the program had gathered and nothing else, a power cut "
        "all that no flush covered (Pillai et al., OSDI 2014).",
    .floor = "any Linux",
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
EXPERIMENT(durable);
