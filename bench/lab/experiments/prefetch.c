/*
 * Experiment 11: prefetch.
 *
 * Question.  Who guesses best what a program reads next: nobody, the kernel, the program itself, or a
 *            predictor?
 *
 * Expected.  A read that finds its page in memory costs a copy; another one costs an access to the device.
 *            The kernel reads ahead when the reads look sequential (mm/readahead.c; Wu et al., "On the
 *            design of a new Linux readahead framework", 2008). So sequential reads hit, and no others do.
 *            A predictor that has seen the same distance three times hits strides too (Baer and Chen, "An
 *            effective on-chip preloading scheme", Supercomputing 1991, for the CPU's cache). At random
 *            places only knowledge helps: the program announces its reads with
 *            posix_fadvise(POSIX_FADV_WILLNEED) (Patterson et al., "Informed prefetching and caching", SOSP
 *            1995). It must announce them so early that the device is done in time: latency of the device /
 *            time from one read to the next. Earlier is of no use.
 *
 * Vary.      --set aheads=1,4,16,64 (reads that are announced ahead)   --set think_us=0 (work between two
 *            reads)
 *            --set stride=1m
 *            --set trace=FILE: a recorded trace, a page of 4 KiB on each line (see prefetch_trace.txt)
 *
 * Needs.     Any Linux. A hit is a page that mincore(2) calls resident just before the read.
 *
 * The file is cold at the beginning, and no page is read twice (except in the recorded trace), so every hit
 * comes from prefetching. Latency is that of the read alone: advising is part of the time, but not of the
 * latency. Waste is what is in memory at the end and was never read; some of it might have been read a
 * little later.
 */
#include "../experiment.h"
#include "../residency.h"
#include "../text.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { LIST = 16, PAGE = 4096, PLACES_MAX = 1 << 18, SURE = 2, TRACE_BYTES = 16 << 20 };

static const struct column factors[] = {
    {"sweep", "text", "which question the row belongs to: who, or ahead"},
    {"trace", "text", "where reads go: sequential, strided, random or recorded"},
    {"method", "text",
     "none (POSIX_FADV_RANDOM), kernel (its own read-ahead), willneed (the program announces what "
     "it "
     "will read) or predictor (of strides)"},
    {"ahead", "count", "how many reads ahead are announced; 0: none"},
    {0}};

static const struct column figures[] = {
    {"hit_rate", "share", "share of the reads whose page was in memory just before"},
    {"waste", "share", "share of what was brought into memory and not asked for"},
    {"advised", "count", "pages announced by posix_fadvise(2), per read"},
    {0}};

static const struct parameter parameters[] = {
    {"traces", "of: sequential strided random recorded", "sequential,strided,random,recorded",
     "sequential,strided,random,recorded", "sequential,strided,random,recorded"},
    {"methods", "of: none kernel willneed predictor", "none,kernel,willneed,predictor",
     "none,kernel,willneed,predictor", "none,kernel,willneed,predictor"},
    {"aheads", "how many reads ahead, at random places", "1,2,4,8,16,32,64,128", "1,4,16,64",
     "1,16"},
    {"ahead", "how many reads ahead in all other cases", "16", "16", "16"},
    {"stride", "distance of two strided reads", "64k", "64k", "64k"},
    {"think_us", "what the program does between two reads", "20", "20", "20"},
    {"trace", "a file with a recorded trace; built-in: SQLite's", "built-in", "built-in",
     "built-in"},
    {0}};

static const struct plot plots[] = {{"latency", "Latency of one read of 4 KiB: mean", "trace",
                                     "mean_us", "method", "sweep=who", true, false, false},
                                    {"hits", "Reads that found their page in memory", "trace",
                                     "hit_rate", "method", "sweep=who", true, false, false},
                                    {"waste", "Brought into memory and not asked for", "trace",
                                     "waste", "method", "sweep=who", true, false, false},
                                    {"ahead", "Random places, announced by the program", "ahead",
                                     "mean_us", NULL, "sweep=ahead", false, true, true},
                                    {"ahead-hits", "Random places: hits by reads announced ahead",
                                     "ahead", "hit_rate", NULL, "sweep=ahead", false, true, false},
                                    {0}};

/* ---- traces ------------------------------------------------------------------------------------ */

struct prefetch {
    const struct data *data;
    const char *trace, *method, *file;
    uint64_t ahead, stride, think_ns, seed;
    int fd;
    unsigned char *map;
    uint32_t *place; /* pages, in the order of the reads */
    unsigned places;
    uint64_t announced;
    struct predictor {
        int64_t last, distance, until;
        unsigned seen; /* how often the distance was the same again */
    } predictor;
};

/* The built-in trace: the assembler embeds it, as in page_style.c. */
extern const char prefetch_trace_text[];
__asm__(".pushsection .rodata\n"
        ".global prefetch_trace_text\n.hidden prefetch_trace_text\n"
        "prefetch_trace_text: .incbin \"bench/lab/experiments/prefetch_trace.txt\"\n.byte 0\n"
        ".popsection\n");

/* Returns the next line. A line ends with '\n' or at the end of the text. */
static const char *line_after(const char *line)
{
    const char *end = strchr(line, '\n');
    return end ? end + 1 : line + strlen(line);
}

/* Takes the pages of a text; pages beyond the file are left out. */
static void recorded_take(struct prefetch *p, const char *line)
{
    for (; *line && p->places < PLACES_MAX; line = line_after(line)) {
        char *end;
        unsigned long long page = strtoull(line, &end, 10);
        if (end != line && *line != '#' && page < p->data->bytes / PAGE)
            p->place[p->places++] = (uint32_t)page;
    }
}

static int recorded_read(struct prefetch *p)
{
    enum { MOST = 16 << 20 };
    if (!strcmp(p->file, "built-in")) {
        recorded_take(p, prefetch_trace_text);
        return 0;
    }
    FILE *file = fopen(p->file, "re");
    if (!file) return -errno;
    char *lines = calloc(1, MOST);
    if (lines && fread(lines, 1, MOST - 1, file) > 0) recorded_take(p, lines);
    free(lines);
    fclose(file);
    return p->places > 0 ? 0 : -ENODATA;
}

/*
 * Makes every page of the file, or every one a stride apart; then the same from one page later, until all
 * were named.
 */
static void strides_make(struct prefetch *p, uint64_t stride)
{
    uint64_t pages = p->data->bytes / PAGE;
    for (uint64_t first = 0; first < stride; first++)
        for (uint64_t page = first; page < pages && p->places < PLACES_MAX; page += stride)
            p->place[p->places++] = (uint32_t)page;
}

/* The shuffle of Fisher and Yates, with splitmix64. */
static void shuffle(struct prefetch *p)
{
    uint64_t state = p->seed;
    for (unsigned i = p->places; i > 1; i--) {
        uint64_t z = state += 0x9e3779b97f4a7c15U;
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
        z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
        unsigned other = (unsigned)((z ^ (z >> 31)) % i);
        uint32_t page = p->place[i - 1];
        p->place[i - 1] = p->place[other];
        p->place[other] = page;
    }
}

static int trace_make(struct prefetch *p)
{
    p->places = 0;
    if (!strcmp(p->trace, "recorded")) return recorded_read(p);
    bool strided = !strcmp(p->trace, "strided");
    strides_make(p, strided && p->stride >= PAGE ? p->stride / PAGE : 1);
    if (!strcmp(p->trace, "random")) shuffle(p);
    return 0;
}

/* ---- methods ----------------------------------------------------------------------------------- */

/* Has the kernel begin to read these pages. It does not wait for them. */
static void announce(struct prefetch *p, int64_t page, int64_t pages)
{
    if (page < 0 || (uint64_t)(page + pages) * PAGE > p->data->bytes) return;
    posix_fadvise(p->fd, page * PAGE, pages * PAGE, POSIX_FADV_WILLNEED);
    p->announced += (uint64_t)pages;
}

/*
 * The program knows its next reads: it announces as many as it may at first, then one more with every read.
 */
static void willneed(struct prefetch *p, unsigned i)
{
    unsigned last = i + (unsigned)p->ahead;
    for (unsigned at = i == 0 ? 1 : last; at <= last && at < p->places; at++)
        announce(p, p->place[at], 1);
}

/*
 * A predictor of strides. When the distance from the last read is the same for the third time, it announces
 * the next `ahead` pages at this distance. From then on it announces one more with every read that proves
 * it right.
 */
static void predict(struct prefetch *p, int64_t page)
{
    struct predictor *q = &p->predictor;
    int64_t distance = page - q->last;
    q->seen = distance == q->distance && distance != 0 ? q->seen + 1 : 0;
    q->distance = distance;
    q->last = page;
    if (q->seen < SURE) return;
    if (q->seen == SURE) q->until = page;
    while (llabs(q->until - page) < llabs(distance) * (int64_t)p->ahead) {
        q->until += distance;
        announce(p, q->until, 1);
    }
}

/* ---- the work ---------------------------------------------------------------------------------- */

static int prefetch_open(void *context)
{
    struct prefetch *p = context;
    p->place = malloc(PLACES_MAX * sizeof *p->place);
    if (!p->place) return -ENOMEM;
    int result = trace_make(p);
    if (result < 0) return result;
    p->fd = open(p->data->path, O_RDONLY | O_CLOEXEC);
    if (p->fd < 0) return -errno;
    p->map = mmap(NULL, p->data->bytes, PROT_READ, MAP_SHARED, p->fd, 0);
    if (p->map == MAP_FAILED) return -errno;
    bool kernel = !strcmp(p->method, "kernel");
    return -posix_fadvise(p->fd, 0, 0, kernel ? POSIX_FADV_NORMAL : POSIX_FADV_RANDOM);
}

static void prefetch_close(void *context)
{
    struct prefetch *p = context;
    if (p->map != MAP_FAILED) munmap(p->map, p->data->bytes);
    if (p->fd >= 0) close(p->fd);
    free(p->place);
}

static bool is_resident(const struct prefetch *p, uint32_t page)
{
    unsigned char in = 0;
    return mincore(p->map + (size_t)page * PAGE, PAGE, &in) == 0 && (in & 1);
}

/* The program's own work: it keeps the CPU busy. */
static void think(uint64_t ns)
{
    for (uint64_t until = measure_now() + ns; measure_now() < until;)
        continue;
}

/* Returns how many different pages the first `count` reads have read. */
static uint64_t pages_asked(const struct prefetch *p, unsigned count)
{
    uint64_t pages = p->data->bytes / PAGE, different = 0;
    unsigned char *seen = calloc(1, pages / 8 + 1);
    for (unsigned i = 0; seen && i < count; i++) {
        uint32_t page = p->place[i];
        different += !(seen[page / 8] >> page % 8 & 1);
        seen[page / 8] |= (unsigned char)(1 << page % 8);
    }
    free(seen);
    return different;
}

static void figures_set(const struct prefetch *p, struct measure *m, uint64_t hits)
{
    double n = (double)m->tally.operations;
    double resident = residency_share(p->fd, p->data->bytes) * (double)p->data->bytes / PAGE;
    double asked = (double)pages_asked(p, (unsigned)m->tally.operations);
    measure_figure(m, "hit_rate", (double)hits / n);
    if (resident > 0) measure_figure(m, "waste", fmax(0, resident - asked) / resident);
    measure_figure(m, "advised", (double)p->announced / n);
    measure_figure(m, "syscalls_per_op", 1 + (double)p->announced / n); /* without mincore() */
}

static int prefetch_run(void *context, struct measure *m)
{
    struct prefetch *p = context;
    char block[PAGE];
    bool knows = !strcmp(p->method, "willneed"), guesses = !strcmp(p->method, "predictor");
    uint64_t hits = 0, now = measure_now();
    p->announced = 0;
    p->predictor = (struct predictor){0};
    for (unsigned i = 0; i < p->places && !measure_over(m, now); i++) {
        if (knows) willneed(p, i);
        hits += is_resident(p, p->place[i]);
        uint64_t begun = measure_now();
        ssize_t got = pread(p->fd, block, PAGE, (off_t)p->place[i] * PAGE);
        if (got <= 0) return got < 0 ? -errno : -EIO;
        tally_add(&m->tally, begun, (uint64_t)got);
        if (guesses) predict(p, p->place[i]);
        think(p->think_ns);
        now = measure_now();
    }
    m->tally.calls = m->tally.operations + p->announced;
    if (!m->warming) figures_set(p, m, hits);
    return 0;
}

/* ---- the cases --------------------------------------------------------------------------------- */

static const char *file_of(struct lab *lab)
{
    const char *file[1] = {"built-in"};
    lab_words(lab, "trace", file, 1);
    return file[0];
}

static void prefetch_measure(struct lab *lab, const char *sweep, const char *trace,
                             const char *method, uint64_t ahead)
{
    static struct prefetch p;
    uint64_t largest = lab_largest(lab);
    bool advises = !strcmp(method, "willneed") || !strcmp(method, "predictor");
    p = (struct prefetch){.data = lab_file(lab, largest < TRACE_BYTES ? TRACE_BYTES : largest),
                          .trace = trace,
                          .method = method,
                          .file = file_of(lab),
                          .ahead = ahead,
                          .stride = lab_number(lab, "stride"),
                          .think_ns = lab_number(lab, "think_us") * 1000,
                          .seed = lab_seed(lab),
                          .map = MAP_FAILED,
                          .fd = -1};
    struct work work = {.context = &p,
                        .open = prefetch_open,
                        .run = prefetch_run,
                        .close = prefetch_close,
                        .data = p.data,
                        .cache = CACHE_COLD,
                        .no_warm_up = true};
    lab_measure(lab, &work, "sweep=%s trace=%s method=%s ahead=%" PRIu64, sweep, trace, method,
                advises ? ahead : 0);
}

static void run(struct lab *lab)
{
    const char *trace[LIST], *method[LIST];
    uint64_t ahead[LIST];
    unsigned traces = lab_words(lab, "traces", trace, LIST);
    unsigned methods = lab_words(lab, "methods", method, LIST);
    unsigned aheads = lab_numbers(lab, "aheads", ahead, LIST);
    for (unsigned t = 0; t < traces; t++)
        for (unsigned m = 0; m < methods; m++)
            prefetch_measure(lab, "who", trace[t], method[m], lab_number(lab, "ahead"));
    for (unsigned a = 0; a < aheads; a++)
        prefetch_measure(lab, "ahead", "random", "willneed", ahead[a]);
}

/* ---- what the figures say ---------------------------------------------------------------------- */

static void expect(const struct table *t, struct findings *into, const char *trace,
                   const char *method, enum verdict wanted, const char *expectation,
                   const char *explanation)
{
    struct sample a = table_sample(t, "mean_us", "sweep=who trace=%s method=%s", trace, method);
    struct sample b = table_sample(t, "mean_us", "sweep=who trace=%s method=none", trace);
    if (a.count == 0 || b.count == 0) return;
    struct comparison c = compare(&a, &b);
    finding_expect(into, expectation, wanted, &c, explanation);
}

static void who_find(const struct table *t, struct findings *into)
{
    expect(t, into, "sequential", "kernel", LESS,
           "the kernel's read-ahead makes sequential reads quicker than none",
           "Read-ahead is off or small here, or the device reads ahead by itself.");
    expect(t, into, "strided", "kernel", SAME,
           "the kernel's read-ahead does not see strides, so they take as long as with none",
           "The stride is within the pages that the kernel reads around, or a cache below the "
           "kernel was filled by one of the two.");
    expect(t, into, "strided", "predictor", LESS,
           "a predictor of strides makes strided reads quicker than none",
           "The device was not done when the read came (see the distance), or advising costs as "
           "much as a read of this device.");
    expect(t, into, "random", "predictor", SAME,
           "at random places a predictor of strides helps nothing",
           "That cannot come from its guesses: see how many pages it announced, and what else used "
           "the device.");
    expect(t, into, "random", "willneed", LESS,
           "at random places a program that announces its reads waits less than with none",
           "The device serves one request after the other, or advising costs as much as a read of "
           "this device.");
}

/* Says "A read of the recorded trace: none 98 µs (7 % hits, 0 % waste); kernel …". */
static void trace_find(const struct table *t, struct findings *into, const char *trace)
{
    struct cell method[DISTINCT_MAX];
    char said[FINDING_TEXT_MAX - 120] = "";
    unsigned methods = table_distinct(t, "method", method, "sweep=who trace=%s", trace);
    size_t used = 0;
    double spread = 0;
    for (unsigned i = 0; i < methods && used < sizeof said - 80; i++) {
        char where[128];
        text value;
        snprintf(where, sizeof where, "sweep=who trace=%s method=%s", trace, method[i].text);
        struct sample mean = table_sample(t, "mean_us", "%s", where);
        struct sample hit = table_sample(t, "hit_rate", "%s", where);
        struct sample waste = table_sample(t, "waste", "%s", where);
        if (mean.count == 0 || hit.count == 0 || waste.count == 0) continue;
        spread = fmax(spread, summarise(&mean).spread);
        used += (size_t)snprintf(said + used, sizeof said - used,
                                 "%s%s %s (%.0f %% hits, %.0f %% waste)", used ? "; " : "",
                                 method[i].text, text_figure(value, summarise(&mean).median, "us"),
                                 100 * summarise(&hit).median, 100 * summarise(&waste).median);
    }
    if (used > 0)
        finding_add(into, FINDING_FACT,
                    "A read of the %s trace: %s (repetitions differ by up to %.0f %%).", trace,
                    said, 100 * spread);
}

static void find(const struct table *t, struct findings *into)
{
    static const char *const trace[] = {"sequential", "strided", "random", "recorded"};
    for (unsigned i = 0; i < 4; i++)
        trace_find(t, into, trace[i]);
    who_find(t, into);
    finding_ratio(into, t, "mean_us", "the kernel's read-ahead (recorded trace)",
                  "sweep=who trace=recorded method=kernel", "none",
                  "sweep=who trace=recorded method=none");
    finding_ratio(into, t, "mean_us", "the predictor (recorded trace)",
                  "sweep=who trace=recorded method=predictor", "the kernel's read-ahead",
                  "sweep=who trace=recorded method=kernel");
    finding_best(into, t, "The best distance to announce random reads at", "ahead", "mean_us",
                 false, "sweep=ahead");
    finding_bend(into, t, "Latency of random reads over the distance they are announced at",
                 "ahead", "mean_us", "sweep=ahead");
}

static const struct experiment prefetch = {
    .number = 11,
    .name = "prefetch",
    .title = "Prefetch",
    .question = "Who guesses best what is read next: the kernel, the program, or a predictor?",
    .expectation = "The kernel recognises only sequences (mm/readahead.c), a predictor strides too "
                   "(Baer and Chen, 1991). At random places it only helps when the program "
                   "announces its reads (Patterson et al., Informed prefetching and caching, "
                   "1995), as far ahead as the device takes time.",
    .floor = "any Linux",
    .full_minutes = 5.8,
    .quick_minutes = 0.6,
    .figure = "mean_us",
    .factors = factors,
    .figures = figures,
    .parameters = parameters,
    .plots = plots,
    .run = run,
    .find = find,
};
EXPERIMENT(prefetch);
