/*
 * Experiment 3: a mapping, a read, or direct I/O.
 *
 * Question.  When is it better to map a file into memory (mmap), to read it (pread), or to read it past the
 *            page cache?
 *
 * Expected.  Each way ends with the sum of all bytes, because a program uses what it reads. When memory is
 *            read again and again, a mapping needs neither a call nor a copy: so the smaller the reads are,
 *            the more it wins. When a page is touched for the first time, it must be entered into the page
 *            table: one fault for every 16 pages (fault-around, mm/memory.c), or one call for many pages
 *            (MADV_POPULATE_READ). Cold and at random places, a fault also reads the pages around it
 *            (do_sync_mmap_readahead() in mm/filemap.c), unless MADV_RANDOM forbids it; pread reads one
 *            page. When the file is larger than memory, each page that comes in must evict another one.
 *            That costs CPU, and more for a mapped page (Crotty, Leis and Pavlo, "Are you sure you want to
 *            use MMAP in your database management system?", CIDR 2022). O_DIRECT has nothing to evict.
 *
 * Vary.      --set blocks=512,4k,…   --set methods=pread,mmap   --set limited=2g (its memory is a quarter
 *            of that)
 *            Read-ahead of the device: /sys/block/…/queue/read_ahead_kb is how much a fault reads around it.
 *
 * Needs.     Any Linux; MADV_POPULATE_READ from 5.14 on; less memory needs root and a control group.
 */
#include "../control_group.h"
#include "../experiment.h"
#include "../shuffle.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#ifndef MADV_POPULATE_READ
#define MADV_POPULATE_READ 22
#endif

enum { LIST = 16, WINDOW = 1 << 20, MEMORY_LEAST = 16 << 20 };

static const struct column factors[] = {
    {"pattern", "text",
     "sequential, random, touch (sequential, mapped anew for each pass) or repeated"},
    {"memory", "text", "cold, warm, or limited (the file is larger than memory)"},
    {"method", "text",
     "pread, mmap, advised (mmap and madvise), populate (mmap, 1 MiB faulted in by a call) or "
     "direct"},
    {"block_bytes", "bytes", "bytes of one read, which are then summed up"},
    {"file_bytes", "bytes", "size of the file"},
    {0}};

static const struct column figures[] = {
    {"faults_per_mib", "count", "page faults, per MiB that was read"},
    {"waits_per_mib", "count", "page faults that waited for the disk, per MiB that was read"},
    {0}};

static const struct parameter parameters[] = {
    {"methods", "of: pread mmap advised populate direct", "pread,mmap,advised,populate,direct",
     "pread,mmap,advised,populate,direct", "pread,mmap,advised,populate,direct"},
    {"blocks", "bytes of one read, when repeated", "512,4k,16k,64k,256k,1m", "512,4k,64k",
     "512,64k"},
    {"limited", "size of the file that is larger than memory", "512m", "128m", "24m"},
    {0}};

static const struct plot plots[] = {
    {"sequential", "From beginning to end, blocks of 64 KiB", "method", "mb_per_s", "memory",
     "pattern=sequential", true, false, false},
    {"random", "At random, 4 KiB", "method", "iops", "memory", "pattern=random", true, false,
     false},
    {"amplification", "At random, 4 KiB: bytes that the device moved", "method", "amplification",
     "memory", "pattern=random", true, false, false},
    {"repeated", "From memory, again and again", "block_bytes", "mb_per_s", "method",
     "pattern=repeated", false, true, true},
    {"touch", "From memory, mapped anew for each pass", "method", "mb_per_s", NULL, "pattern=touch",
     true, false, false},
    {"user", "CPU in the program itself", "method", "user_us_per_mib", "pattern",
     "memory=warm block_bytes=65536", true, false, false},
    {"system", "CPU in the kernel", "method", "system_us_per_mib", "pattern",
     "memory=warm block_bytes=65536", true, false, false},
    {"faults", "Page faults per MiB, cold", "method", "faults_per_mib", "pattern", "memory=cold",
     true, false, false},
    {"faults-warm", "Page faults per MiB, from memory", "method", "faults_per_mib", "pattern",
     "memory=warm block_bytes=65536", true, false, false},
    {0}};

/* ---- the work ---------------------------------------------------------------------------------- */

struct reads {
    const struct data *data;
    bool random, again, touch, limited, mapped, direct, advised, populate;
    uint64_t block, blocks, memory, seed;
    struct control_group group;
    int fd;
    char *buffer, *map;
    uint64_t populated; /* bytes of the file that a call has faulted in */
    uint64_t calls;
};

static volatile uint64_t sum_kept; /* so that no compiler removes the sum */

static void bytes_use(const char *bytes, uint64_t length)
{
    uint64_t sum = 0, word;
    for (uint64_t at = 0; at + sizeof word <= length; at += sizeof word) {
        memcpy(&word, bytes + at, sizeof word);
        sum += word;
    }
    sum_kept = sum;
}

static int map_make(struct reads *r)
{
    void *map = mmap(NULL, r->data->bytes, PROT_READ, MAP_SHARED, r->fd, 0);
    r->calls++;
    r->populated = 0;
    if (map == MAP_FAILED) return -errno;
    r->map = map;
    if (!r->advised) return 0;
    r->calls++;
    int advice = r->random ? MADV_RANDOM : MADV_SEQUENTIAL;
    return madvise(r->map, r->data->bytes, advice) < 0 ? -errno : 0;
}

static void map_drop(struct reads *r)
{
    if (r->map) munmap(r->map, r->data->bytes);
    r->calls += r->map != NULL;
    r->map = NULL;
}

/* Fills the little memory that there is, so that even the first read must evict something. */
static int memory_fill(const struct reads *r)
{
    char *buffer = malloc(WINDOW);
    int result = buffer ? 0 : -ENOMEM;
    for (uint64_t at = 0; result == 0 && at < r->memory && at < r->data->bytes; at += WINDOW)
        if (measure_stopped || pread(r->fd, buffer, WINDOW, (off_t)at) < 0) result = -EINTR;
    free(buffer);
    return result;
}

static int memory_limit(struct control_group *group, uint64_t bytes)
{
    int result = control_group_open(group, CONTROLLER_MEMORY, CONTROL_GROUP_MOUNTS);
    if (result == 0) result = control_group_memory(group, bytes);
    return result == 0 ? control_group_enter(group) : result;
}

static int reads_open(void *context)
{
    struct reads *r = context;
    r->calls = 0;
    int result = r->limited ? memory_limit(&r->group, r->memory) : 0;
    if (result < 0) return result;
    r->buffer = aligned_alloc(4096, (r->block + 4095) & ~(size_t)4095);
    if (!r->buffer) return -ENOMEM;
    memset(r->buffer, 1, r->block);
    r->fd = open(r->data->path, O_RDONLY | O_CLOEXEC | (r->direct ? O_DIRECT : 0));
    if (r->fd < 0) return -errno;
    if (r->limited && r->random && !r->direct) result = memory_fill(r);
    if (result == 0 && r->mapped) result = map_make(r);
    if (result == 0 && r->mapped && r->again && !r->limited &&
        !r->touch) /* repeated: every page is in the page table */
        bytes_use(r->map, r->data->bytes);
    return result;
}

static void reads_close(void *context)
{
    struct reads *r = context;
    map_drop(r);
    if (r->fd >= 0) close(r->fd);
    free(r->buffer);
    r->fd = -1;
    r->buffer = NULL;
    control_group_close(&r->group);
}

/* Reads one block and uses it. Returns bytes or -errno. */
static ssize_t block_read(struct reads *r, uint64_t offset)
{
    if (!r->mapped) {
        ssize_t moved = pread(r->fd, r->buffer, r->block, (off_t)offset);
        r->calls++;
        if (moved <= 0) return moved < 0 ? -errno : -EIO;
        bytes_use(r->buffer, (uint64_t)moved);
        return moved;
    }
    if (r->populate && offset >= r->populated) {
        uint64_t rest = r->data->bytes - r->populated, length = rest < WINDOW ? rest : WINDOW;
        r->calls++;
        if (madvise(r->map + r->populated, length, MADV_POPULATE_READ) < 0) return -errno;
        r->populated += length;
    }
    bytes_use(r->map + offset, r->block);
    return (ssize_t)r->block;
}

static double faults(double *waited)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    *waited = (double)usage.ru_majflt;
    return (double)(usage.ru_minflt + usage.ru_majflt);
}

static int reads_run(void *context, struct measure *m)
{
    struct reads *r = context;
    double waited, waited_before, before = faults(&waited_before);
    r->calls = 0;
    uint64_t now = measure_now(), next = 0;
    int result = 0;
    do {
        if (next == r->blocks && r->touch) map_drop(r);
        if (next == r->blocks) next = 0;
        if (r->touch && r->mapped && !r->map) result = map_make(r);
        uint64_t place = r->random ? shuffled(next, r->blocks, r->seed) : next;
        ssize_t moved = result < 0 ? result : block_read(r, place * r->block);
        if (moved < 0) return (int)moved;
        now = tally_add(&m->tally, now, (uint64_t)moved);
        next++;
    } while (!measure_over(m, now) && (next < r->blocks || r->again));
    double mib = (double)m->tally.bytes / (1 << 20), after = faults(&waited);
    measure_figure(m, "faults_per_mib", (after - before) / mib);
    measure_figure(m, "waits_per_mib", (waited - waited_before) / mib);
    m->tally.calls = r->calls;
    if (r->calls == 0) measure_figure(m, "syscalls_per_op", 0);
    return 0;
}

/* ---- the cases --------------------------------------------------------------------------------- */

struct wanted {
    const char *pattern, *memory;
    uint64_t block;
};

static void reads_measure(struct lab *lab, const struct data *data, const char *method,
                          struct wanted w)
{
    static struct reads r;
    bool warm = !strcmp(w.memory, "warm"), limited = !strcmp(w.memory, "limited");
    uint64_t quarter = data->bytes / 4;
    r = (struct reads){.data = data,
                       .random = !strcmp(w.pattern, "random"),
                       .again = warm || limited,
                       .touch = !strcmp(w.pattern, "touch"),
                       .limited = limited,
                       .mapped = strcmp(method, "pread") != 0 && strcmp(method, "direct") != 0,
                       .direct = !strcmp(method, "direct"),
                       .advised = !strcmp(method, "advised"),
                       .populate = !strcmp(method, "populate"),
                       .block = w.block,
                       .blocks = data->bytes / w.block,
                       .memory = quarter > MEMORY_LEAST ? quarter : MEMORY_LEAST,
                       .seed = lab_seed(lab),
                       .fd = -1};
    struct work work = {.context = &r,
                        .open = reads_open,
                        .run = reads_run,
                        .close = reads_close,
                        .data = data,
                        .cache = warm ? CACHE_WARM : CACHE_COLD,
                        .no_warm_up = !warm};
    if (r.blocks > 0)
        lab_measure(lab, &work,
                    "pattern=%s memory=%s method=%s block_bytes=%" PRIu64 " file_bytes=%" PRIu64,
                    w.pattern, w.memory, method, w.block, data->bytes);
}

/*
 * Returns whether a method makes sense for a pattern: O_DIRECT is never warm, and populating needs an
 * order.
 */
static bool makes_sense(const char *method, const char *pattern, const char *memory)
{
    bool direct = !strcmp(method, "direct"), advised = !strcmp(method, "advised");
    bool populate = !strcmp(method, "populate");
    if (!strcmp(pattern, "repeated")) return !direct && !advised && !populate;
    if (!strcmp(memory, "warm")) return !direct && !advised;
    return !populate || (!strcmp(pattern, "sequential") && !strcmp(memory, "cold"));
}

/* Returns why memory cannot be limited here; NULL: it can. */
static const char *memory_hindrance(void)
{
    static struct control_group group;
    int result = memory_limit(&group, MEMORY_LEAST);
    control_group_close(&group);
    return result < 0 ? group.why : NULL;
}

static void run(struct lab *lab)
{
    static const struct wanted wanted[] = {
        {"sequential", "cold", 64 << 10},    {"random", "cold", 4 << 10},
        {"sequential", "limited", 64 << 10}, {"random", "limited", 4 << 10},
        {"touch", "warm", 64 << 10},         {"repeated", "warm", 0}};
    const char *method[LIST], *why = memory_hindrance();
    uint64_t block[LIST];
    unsigned methods = lab_words(lab, "methods", method, LIST);
    unsigned blocks = lab_numbers(lab, "blocks", block, LIST);
    const struct data *file = lab_file(lab, lab_largest(lab));
    const struct data *larger = why ? NULL : lab_file(lab, lab_number(lab, "limited"));
    if (why) lab_skip(lab, "a file larger than memory", why);
    for (unsigned w = 0; w < sizeof wanted / sizeof *wanted; w++)
        for (unsigned i = 0; i < methods; i++) {
            struct wanted one = wanted[w];
            bool limited = !strcmp(one.memory, "limited");
            if (!makes_sense(method[i], one.pattern, one.memory) || (limited && why)) continue;
            unsigned times = one.block ? 1 : blocks;
            for (unsigned b = 0; b < times; b++) {
                if (times > 1 || !one.block) one.block = block[b];
                reads_measure(lab, limited ? larger : file, method[i], one);
            }
        }
}

/* ---- what the figures say ---------------------------------------------------------------------- */

/* Compares a ratio of two cases with an expectation. Says nothing about what was not measured. */
static void expect(struct findings *into, const struct table *t, const char *figure,
                   const char *expectation, enum verdict wanted, const char *where_a,
                   const char *where_b, const char *explanation)
{
    struct sample a = table_sample(t, figure, "%s", where_a);
    struct sample b = table_sample(t, figure, "%s", where_b);
    struct comparison c = compare(&a, &b);
    if (a.count > 0 && b.count > 0) finding_expect(into, expectation, wanted, &c, explanation);
}

static void repeated_find(const struct table *t, struct findings *into)
{
    struct cell block[DISTINCT_MAX];
    unsigned blocks = table_distinct(t, "block_bytes", block, "pattern=repeated");
    for (unsigned i = 0; i < 2 && i < blocks; i++) {
        double bytes = block[i ? blocks - 1 : 0].number;
        char mapped[96], read[96], name[64];
        snprintf(mapped, sizeof mapped, "pattern=repeated method=mmap block_bytes=%.10g", bytes);
        snprintf(read, sizeof read, "pattern=repeated method=pread block_bytes=%.10g", bytes);
        snprintf(name, sizeof name, "a mapping read again (%.10g bytes at a time)", bytes);
        if (i == 0)
            expect(into, t, "mb_per_s",
                   "read again and again from memory in the smallest blocks, a mapping moves more "
                   "MB/s than pread, since it needs neither call nor copy",
                   MORE, mapped, read,
                   "What the program does with the bytes costs more than calls and copies here.");
        else
            finding_ratio(into, t, "mb_per_s", name, mapped, "pread", read);
    }
}

static void faults_find(const struct table *t, struct findings *into)
{
    static const char mapped[] = "pattern=touch method=mmap", read[] = "pattern=touch method=pread";
    static const char populated[] = "pattern=touch method=populate";
    struct sample faults = table_sample(t, "faults_per_mib", "%s", mapped);
    finding_ratio(into, t, "mb_per_s", "a mapping made anew for each pass", mapped, "pread", read);
    finding_ratio(into, t, "system_us_per_mib", "such a mapping", mapped, "pread", read);
    finding_ratio(into, t, "user_us_per_mib", "such a mapping", mapped, "pread", read);
    if (faults.count > 0)
        finding_add(into, FINDING_FACT,
                    "A mapping that is touched for the first time takes %.3g page faults per MiB "
                    "(256 pages): one enters about %.0f pages.",
                    summarise(&faults).median, 256 / summarise(&faults).median);
    expect(into, t, "mb_per_s",
           "a call that enters many pages at once moves more MB/s than a fault for each few", MORE,
           populated, mapped,
           "Here faults are cheap compared with adding up the bytes, or the page cache holds large "
           "folios, of which a fault enters more.");
}

static void cold_find(const struct table *t, struct findings *into)
{
    static const char mapped[] = "pattern=random memory=cold method=mmap";
    static const char advised[] = "pattern=random memory=cold method=advised";
    static const char read[] = "pattern=random memory=cold method=pread";
    finding_ratio(into, t, "mb_per_s", "mmap (cold, in order)",
                  "pattern=sequential memory=cold method=mmap", "pread",
                  "pattern=sequential memory=cold method=pread");
    finding_ratio(into, t, "mb_per_s", "O_DIRECT with blocks of 64 KiB (cold, in order)",
                  "pattern=sequential memory=cold method=direct", "pread",
                  "pattern=sequential memory=cold method=pread");
    expect(into, t, "amplification",
           "cold and at random, a mapping has the device move more bytes than pread, since a fault "
           "reads around it",
           MORE, mapped, read,
           "The device's read_ahead_kb is a page or less, or most faults found what an earlier one "
           "had read around it.");
    expect(into, t, "amplification", "MADV_RANDOM takes that reading around away", LESS, advised,
           mapped, "There was nothing to switch off: read_ahead_kb is a page or less.");
    finding_ratio(into, t, "iops", "mmap (cold, at random)", mapped, "pread", read);
    finding_ratio(into, t, "iops", "mmap with MADV_RANDOM (cold, at random)", advised, "pread",
                  read);
}

static void limited_find(const struct table *t, struct findings *into)
{
    static const char mapped[] = "pattern=sequential memory=limited method=mmap";
    static const char direct[] = "pattern=sequential memory=limited method=direct";
    static const char read[] = "pattern=sequential memory=limited method=pread";
    expect(into, t, "system_us_per_mib",
           "larger than memory, O_DIRECT takes less CPU in the kernel than a mapping, since it has "
           "nothing to evict",
           LESS, direct, mapped,
           "Each O_DIRECT read is a call and a request of its own, which costs more here than "
           "evicting pages.");
    expect(into, t, "system_us_per_mib",
           "larger than memory, a mapping takes more CPU in the kernel than pread, since its pages "
           "must be taken out of the page table",
           MORE, mapped, read, "The copy that pread makes costs as much as that or more.");
    expect(into, t, "iops", "larger than memory or not, O_DIRECT reads as many at random", SAME,
           "pattern=random memory=limited method=direct",
           "pattern=random memory=cold method=direct",
           "The two files differ in size, so the device finds one more quickly.");
    finding_ratio(into, t, "iops", "mmap (at random, larger than memory)",
                  "pattern=random memory=limited method=mmap", "pread",
                  "pattern=random memory=limited method=pread");
}

static void find(const struct table *t, struct findings *into)
{
    repeated_find(t, into);
    faults_find(t, into);
    cold_find(t, into);
    limited_find(t, into);
}

static const struct experiment mapping = {
    .number = 3,
    .name = "mapping",
    .title = "A mapping, a read, or direct I/O",
    .question = "When is it better to map a file into memory, to read it, or to read it past the "
                "page cache?",
    .expectation = "When memory is read again and again, a mapping saves the call and the copy. "
                   "Pages that are touched for the first time cost faults (mm/memory.c). Cold and "
                   "at random, a mapping reads too much (mm/filemap.c). When the file is larger "
                   "than memory, evicting pages costs CPU (Crotty et al., CIDR 2022).",
    .floor = "any Linux; MADV_POPULATE_READ from 5.14 on; less memory: root, cgroups of version 2",
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
EXPERIMENT(mapping);
