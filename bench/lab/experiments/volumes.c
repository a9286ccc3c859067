/*
 * Experiment 13: cloud volumes.
 *
 * Question.  What does a volume give that is limited in IOPS and in bytes per second, and what do several
 *            give side by side?
 *
 * Expected.  There are two limits, and the lower one counts. With small blocks IOPS are used up, and MB/s
 *            grow with the block. With large blocks MB/s are used up, and IOPS fall. The knee is where
 *            block = bytes per second / IOPS: 41 KiB for 3,000 IOPS and 125 MB/s, the base of a general
 *            purpose volume (Amazon EBS user guide, "gp3"). Beyond the limit nothing is lost, but all
 *            requests wait: latency = requests under way / IOPS (Little's law), so more depth only adds
 *            latency. Volumes striped as RAID 0 (Patterson, Gibson and Katz, SIGMOD 1988) add their limits,
 *            up to the machine's own limit. Burst credit (EBS "gp2", Azure) is a bucket of I/Os that fills
 *            at the base rate; while there are some in it, the volume runs at the burst rate.
 *
 * Vary.      --set general_iops=3000 --set general_mb=125 --set provisioned_iops=16000 --set
 *            provisioned_mb=1000
 *            --set types=general,local   --set stripes=1,8   --set depths=1,64   --set blocks=4k,16k,64k
 *
 * Needs.     Linux 5.8 for loop devices as used here, and control groups with blkio (version 1) or io
 *            (version 2). Limited volumes need root. "local" is the file on this machine's disk as it is,
 *            and needs nothing.
 *
 * The limit is the throttle of the block layer on a loop device over a file, with direct I/O, so there is
 * no page cache above or below. It grants unused I/O in slices of 20 to 100 ms, so a measurement begins
 * after some of them. Real volumes have more: the latency of a network, and limits of the machine type
 * besides those of a volume.
 */
#include "volumes.h"

#include <errno.h>
#include <inttypes.h>
#include <libaio.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { LIST = 16, DEPTH_MAX = 256, SETTLE_MS = 150, WAIT_S = 5 };

static const struct column factors[] = {
    {"sweep", "text", "which question the row belongs to: block, depth, stripe or burst"},
    {"type", "text", "general, provisioned (limited), burst (by credit) or local (as it is)"},
    {"volumes", "count", "volumes side by side, striped"},
    {"under_way", "count", "reads that are under way at once, over all volumes"},
    {"block_bytes", "bytes", "bytes of one read, at random places"},
    {"asked", "count", "reads that are done one after the other until it is over; burst alone"},
    {0}};

static const struct column figures[] = {
    {"limit_iops", "1/s", "what all volumes together may do; empty: not limited"},
    {"limit_mb_per_s", "MB/s", "what all volumes together may move; empty: not limited"},
    {"of_iops", "ratio", "operations per second / limit_iops"},
    {"of_mb_per_s", "ratio", "MB/s / limit_mb_per_s"},
    {"burst_s", "s", "how long the credit lasted"},
    {0}};

static const struct parameter parameters[] = {
    {"types", "of: general provisioned local", "general,provisioned,local",
     "general,provisioned,local", "general,provisioned,local"},
    {"blocks", "bytes of one read", "4k,8k,16k,32k,64k,128k,256k,1m", "4k,16k,64k,256k", "4k,256k"},
    {"depths", "reads under way", "1,2,4,8,16,32,64,128", "1,8,64", "1,16"},
    {"stripes", "volumes side by side", "1,2,4,8", "1,2,8", "1,2"},
    {"volume", "bytes of each volume", "64m", "32m", "1m"},
    {"general_iops", "of a general purpose volume", "3000", "3000", "3000"},
    {"general_mb", "millions of bytes per second of it", "125", "125", "125"},
    {"provisioned_iops", "of a provisioned volume", "16000", "16000", "16000"},
    {"provisioned_mb", "millions of bytes per second of it", "1000", "1000", "1000"},
    {"burst_iops", "with credit", "3000", "3000", "3000"},
    {"base_iops", "without credit; and credits that are earned per second", "1000", "1000", "1000"},
    {"credits", "I/Os in the full bucket", "1000", "500", "100"},
    {"asked", "reads that are asked for", "500,1000,2000,4000", "300,750,1500", "100,300"},
    {0}};

static const struct plot plots[] = {{"mb", "MB/s over the block, 32 under way", "block_bytes",
                                     "mb_per_s", "type", "sweep=block", false, true, true},
                                    {"iops", "Reads per second over the block, 32 under way",
                                     "block_bytes", "iops", "type", "sweep=block", false, true,
                                     true},
                                    {"depth-iops", "General purpose, 4 KiB: reads per second",
                                     "under_way", "iops", NULL, "sweep=depth", false, true, false},
                                    {"depth-latency", "General purpose, 4 KiB: p99 latency",
                                     "under_way", "p99_us", NULL, "sweep=depth", false, true, true},
                                    {"stripe", "Striped general purpose volumes: MB/s", "volumes",
                                     "mb_per_s", "block_bytes", "sweep=stripe", false, true, true},
                                    {"burst", "Burst credit: mean reads per second", "asked",
                                     "iops", NULL, "sweep=burst", false, true, false},
                                    {0}};

/* ---- the work ---------------------------------------------------------------------------------- */

struct read_under_way {
    struct iocb call;
    uint64_t begun;
};

struct striped {
    const struct data *files;
    struct limits limits, base; /* base.iops: what is left without credit; 0: there is no credit */
    uint64_t block, under_way, random;
    unsigned count;
    double credits, credits_most;
    int failed;
    struct volumes volumes;
    io_context_t aio;
    char *memory;
    struct read_under_way read[DEPTH_MAX];
    unsigned waiting; /* how many reads are under way */
};

static int striped_open(void *context)
{
    struct striped *s = context;
    s->waiting = 0;
    s->aio = NULL;
    s->credits = s->credits_most;
    s->memory = aligned_alloc(4096, s->under_way * s->block);
    s->failed = volumes_open(&s->volumes, s->files, s->count, &s->limits); /* run() reports it */
    if (!s->memory) return -ENOMEM;
    return io_setup((int)s->under_way, &s->aio);
}

static void striped_close(void *context)
{
    struct striped *s = context;
    if (s->volumes.limited && s->failed == 0)
        volumes_limit(&s->volumes, &(struct limits){0}); /* frees what waits for the throttle */
    if (s->aio) io_destroy(s->aio);                      /* waits for what is under way */
    volumes_close(&s->volumes);
    free(s->memory);
    s->memory = NULL;
}

/* A stripe is one block wide: block number n of the whole is on volume n modulo the count. */
static int read_begin(struct striped *s, struct read_under_way *r)
{
    struct iocb *call = &r->call;
    uint64_t z = s->random += 0x9e3779b97f4a7c15U;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
    uint64_t number = (z ^ z >> 31) % (s->files->bytes / s->block * s->count);
    char *into = s->memory + (size_t)(r - s->read) * s->block;
    io_prep_pread(call, s->volumes.fd[number % s->count], into, s->block,
                  (long long)(number / s->count * s->block));
    r->begun = measure_now();
    int submitted = io_submit(s->aio, 1, &call);
    if (submitted != 1) return submitted < 0 ? submitted : -EAGAIN;
    s->waiting++;
    return 0;
}

/*
 * The bucket: each read takes one, and the base rate adds some. Returns true when it has just become empty.
 */
static bool credit_take(struct striped *s, double seconds)
{
    bool had = s->credits > 0;
    if (!had || s->base.iops == 0) return false;
    s->credits = fmin(s->credits_most, s->credits + seconds * (double)s->base.iops) - 1;
    return s->credits <= 0;
}

static int reap(struct striped *s, struct measure *m, struct read_under_way *done[],
                unsigned *count)
{
    struct io_event event[DEPTH_MAX];
    struct timespec limit = {.tv_sec = WAIT_S};
    int got = io_getevents(s->aio, 1, (long)s->under_way, event, &limit);
    uint64_t now = measure_now();
    *count = 0;
    if (got <= 0)
        return got < 0 && got != -EINTR ? got : measure_stopped ? 0 : got < 0 ? 0 : -ETIME;
    for (int i = 0; i < got; i++) {
        struct read_under_way *r = (struct read_under_way *)(void *)event[i].obj;
        int64_t moved = (int64_t)event[i].res;
        s->waiting--;
        if (moved != (int64_t)s->block) return moved < 0 ? (int)moved : -EIO;
        tally_latency(&m->tally, now - r->begun, s->block);
        done[(*count)++] = r;
    }
    return 0;
}

/* Does what a volume with a bucket does when it is empty: continues at the base rate. */
static int credits_spend(struct striped *s, struct measure *m, unsigned reads, uint64_t *since,
                         uint64_t begun)
{
    uint64_t now = measure_now();
    double each = (double)(now - *since) / 1e9 / (reads ? reads : 1);
    int result = 0;
    *since = now;
    for (unsigned i = 0; i < reads && result == 0; i++)
        if (credit_take(s, each)) {
            measure_figure(m, "burst_s", (double)(now - begun) / 1e9);
            result = volumes_limit(&s->volumes, &s->base);
        }
    return result;
}

static void limits_set(const struct striped *s, struct measure *m, uint64_t ns)
{
    double seconds = (double)ns / 1e9, iops = (double)s->limits.iops * s->count;
    double mb = (double)s->limits.bytes_per_s * s->count / 1e6;
    if (iops > 0) measure_figure(m, "limit_iops", iops);
    if (mb > 0) measure_figure(m, "limit_mb_per_s", mb);
    if (iops > 0) measure_figure(m, "of_iops", (double)m->tally.operations / seconds / iops);
    if (mb > 0) measure_figure(m, "of_mb_per_s", (double)m->tally.bytes / 1e6 / seconds / mb);
    m->tally.calls = m->tally.operations * 2;
}

static int striped_run(void *context, struct measure *m)
{
    struct striped *s = context;
    struct read_under_way *done[DEPTH_MAX];
    unsigned count = (unsigned)s->under_way;
    int result = s->failed;
    if (result < 0) lab_skip(m->lab, s->limits.iops ? "limited volumes" : "local", s->volumes.why);
    for (unsigned i = 0; i < count; i++)
        done[i] = &s->read[i];
    uint64_t begun = measure_now(), since = begun, now = begun, settle_ns = SETTLE_MS * 1000000U;
    if (m->deadline_ns - begun < settle_ns) settle_ns = m->deadline_ns - begun;
    bool settled = s->limits.iops == 0;
    while (result == 0 && !measure_stopped) {
        for (unsigned i = 0; i < count && result == 0; i++)
            result = read_begin(s, done[i]);
        if (result == 0) result = reap(s, m, done, &count);
        if (result == 0 && s->base.iops > 0 && settled)
            result = credits_spend(s, m, count, &since, begun);
        now = measure_now();
        if (!settled && now - begun >= settle_ns) {
            settled = true;
            measure_restart(m);
            begun = since = measure_now();
        } else if (settled && measure_over(m, now)) {
            break;
        }
    }
    if (result == 0) limits_set(s, m, measure_now() - begun);
    return result;
}

/* ---- the cases --------------------------------------------------------------------------------- */

struct wanted {
    const char *sweep, *type;
    uint64_t volumes, under_way, block, asked;
};

static struct limits limits_of(struct lab *lab, const char *type)
{
    struct limits limits = {0};
    bool general = !strcmp(type, "general");
    if (!strcmp(type, "local")) return limits;
    if (!strcmp(type, "burst")) return (struct limits){.iops = lab_number(lab, "burst_iops")};
    limits.iops = lab_number(lab, general ? "general_iops" : "provisioned_iops");
    limits.bytes_per_s = lab_number(lab, general ? "general_mb" : "provisioned_mb") * 1000000;
    return limits;
}

static void striped_measure(struct lab *lab, struct wanted w)
{
    static struct striped s;
    char asked[24] = "";
    bool burst = !strcmp(w.type, "burst"), local = !strcmp(w.type, "local");
    const struct data *files = lab_files(lab, VOLUMES_MAX, lab_number(lab, "volume"));
    s = (struct striped){.files = files,
                         .limits = limits_of(lab, w.type),
                         .block = w.block,
                         .under_way = w.under_way,
                         .random = lab_seed(lab),
                         .count = (unsigned)w.volumes,
                         .credits_most = (double)lab_number(lab, "credits")};
    if (burst) s.base.iops = lab_number(lab, "base_iops");
    struct work work = {.context = &s,
                        .open = striped_open,
                        .run = striped_run,
                        .close = striped_close,
                        .data = files,
                        .cache = CACHE_COLD,
                        .operations_max = w.asked,
                        .time_is_not_limited = burst,
                        .no_warm_up = true}; /* a limited volume settles first */
    if (!local && !lab_is_root()) {
        lab_skip(lab, "limited volumes", "loop devices and control groups need root");
        return;
    }
    if (w.block < 4096 || w.block > files->bytes || w.under_way < 1 || w.under_way > DEPTH_MAX ||
        w.volumes < 1 || w.volumes > VOLUMES_MAX)
        return;
    if (w.asked > 0) snprintf(asked, sizeof asked, "%" PRIu64, w.asked);
    lab_measure(lab, &work,
                "sweep=%s type=%s volumes=%" PRIu64 " under_way=%" PRIu64 " block_bytes=%" PRIu64
                " asked=%s",
                w.sweep, w.type, w.volumes, w.under_way, w.block, asked);
}

static void run(struct lab *lab)
{
    const char *type[LIST];
    uint64_t block[LIST], depth[LIST], stripe[LIST], asked[LIST];
    unsigned types = lab_words(lab, "types", type, LIST);
    unsigned blocks = lab_numbers(lab, "blocks", block, LIST);
    unsigned depths = lab_numbers(lab, "depths", depth, LIST);
    unsigned stripes = lab_numbers(lab, "stripes", stripe, LIST);
    unsigned lengths = lab_numbers(lab, "asked", asked, LIST);
    for (unsigned t = 0; t < types; t++)
        for (unsigned b = 0; b < blocks; b++)
            striped_measure(lab, (struct wanted){"block", type[t], 1, 32, block[b], 0});
    for (unsigned d = 0; d < depths; d++)
        striped_measure(lab, (struct wanted){"depth", "general", 1, depth[d], 4096, 0});
    for (unsigned i = 0; i < 2 && stripes > 0; i++)
        for (unsigned v = 0; v < stripes; v++)
            striped_measure(
                lab, (struct wanted){"stripe", "general", stripe[v], 128, i ? 256 << 10 : 4096, 0});
    for (unsigned a = 0; a < lengths; a++)
        striped_measure(lab, (struct wanted){"burst", "burst", 1, 8, 4096, asked[a]});
}

static const struct experiment volumes = {
    .number = 13,
    .name = "volumes",
    .title = "Cloud volumes",
    .question = "What does a volume give that is limited in IOPS and bytes/s, and what do several?",
    .expectation =
        "Small blocks use up the IOPS, large ones the MB/s; the knee is at bytes per second / "
        "IOPS. Beyond it latency = reads under way / IOPS (Little's law). Striped volumes add "
        "their limits (RAID 0; Patterson, Gibson and Katz, 1988) up to the machine's own limit.",
    .floor = "Linux 5.8 and root for limited volumes; local ones need nothing",
    .needs = NEEDS_DISK,
    .full_minutes = 5.8,
    .quick_minutes = 0.6,
    .figure = "iops",
    .factors = factors,
    .figures = figures,
    .parameters = parameters,
    .plots = plots,
    .run = run,
    .find = volumes_find,
};
EXPERIMENT(volumes);
