/*
 * Experiment 7: ways to copy.
 *
 * Question.  How often is a byte copied on its way, what does that cost, and from which size on is each way
 *            worth it?
 *
 *            readwrite   read(2) into a buffer, write(2) from it: two copies, whatever the two ends are
 *            mmap        the file is mapped, written from there, and unmapped: one copy, and page faults
 *            sendfile    the kernel gives pages of the page cache to the socket: no copy; to a file: one
 *            splice      pages go through a pipe: no copy; into a file: one
 *            copy_range  copy_file_range(2), file to file: one copy; none where files may share blocks (XFS, btrfs)
 *            zerocopy    read(2), then send(2) with MSG_ZEROCOPY: a notice instead of the second copy
 *            send_zc     the same with io_uring: IORING_OP_SEND_ZC
 *
 * Expected.  A copy costs 50 to 200 µs of CPU per MiB. A call costs 0.1 to 1 µs, whatever the size. So
 *            copies matter for large sizes, and calls for small ones. mmap is worth it only for large
 *            sizes, because mapping and faults cost more than copying a page (McVoy and Staelin, "lmbench",
 *            1996). MSG_ZEROCOPY "is generally only effective at writes over around 10 KB" (the kernel's
 *            documentation, msg_zerocopy), and on loopback not at all: there the kernel copies after all,
 *            and says so. A larger buffer helps up to the size of the CPU's cache, a larger pipe up to 1
 *            MiB.
 *
 * Vary.      --set sizes=1k,…,64m   --set ways=readwrite,sendfile   --set routes=file-socket
 *            --set buffers=512,…,4m   --set pipes=4k,…,1m
 *
 * Needs.     Linux 4.14 for MSG_ZEROCOPY with TCP, 5.3 for copy_file_range, 6.0 for SEND_ZC (6.2 to tell
 *            whether it copied).
 *
 * Files are warm. Sockets are TCP on loopback. Threads of their own feed and drain the other ends, and do
 * not copy what they throw away. CPU figures are of the moving thread alone; MB/s are of all together.
 * `copies` says how often the CPU copies each byte on the mover's side: for the usual ways from the
 * kernel's code, for zero copy from its notices. Where they are not varied, the buffers of readwrite and
 * the pipes have 64 KiB.
 */
#include "../text.h"
#include "copies_ways.h"

#include "../device.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

enum { LIST = 16, WHERE_MAX = 160 };

static const struct column factors[] = {
    {"sweep", "text", "which question the row belongs to: size, buffer or pipe"},
    {"route", "text", "file-socket, socket-socket, pipe-pipe or file-file"},
    {"way", "text", "readwrite, mmap, sendfile, splice, copy_range, zerocopy or send_zc"},
    {"size_bytes", "bytes", "bytes of one operation"},
    {"buffer_bytes", "bytes", "bytes that are read and written at a time"},
    {"pipe_bytes", "bytes", "what the pipe holds"},
    {0}};

static const struct column figures[] = {
    {"cpu_us_per_mib", "us", "CPU of the moving thread, user and system, per MiB"},
    {"copies", "count", "how often the CPU copies each byte on the mover's side"},
    {0}};

static const struct parameter parameters[] = {
    {"routes", "of: file-socket socket-socket pipe-pipe file-file",
     "file-socket,socket-socket,pipe-pipe,file-file",
     "file-socket,socket-socket,pipe-pipe,file-file",
     "file-socket,socket-socket,pipe-pipe,file-file"},
    {"ways", "of: readwrite mmap sendfile splice copy_range zerocopy send_zc",
     "readwrite,mmap,sendfile,splice,copy_range,zerocopy,send_zc",
     "readwrite,mmap,sendfile,splice,copy_range,zerocopy,send_zc",
     "readwrite,mmap,sendfile,splice,copy_range,zerocopy,send_zc"},
    {"sizes", "bytes of one operation", "1k,4k,16k,64k,256k,1m,4m,16m,64m", "1k,16k,256k,4m,64m",
     "1k,256k"},
    {"buffers", "bytes of the buffer of readwrite", "512,1k,4k,16k,64k,256k,1m,4m",
     "512,4k,32k,256k,2m", "4k,256k"},
    {"pipes", "bytes of the pipe of splice", "4k,16k,64k,256k,1m", "4k,64k,1m", "4k,64k"},
    {0}};

static const struct plot plots[] = {
    {"file_socket", "File to socket: CPU per MiB", "size_bytes", "cpu_us_per_mib", "way",
     "sweep=size route=file-socket", false, true, true},
    {"socket_socket", "Socket to socket: CPU per MiB", "size_bytes", "cpu_us_per_mib", "way",
     "sweep=size route=socket-socket", false, true, true},
    {"pipe_pipe", "Pipe to pipe: CPU per MiB", "size_bytes", "cpu_us_per_mib", "way",
     "sweep=size route=pipe-pipe", false, true, true},
    {"file_file", "File to file: CPU per MiB", "size_bytes", "cpu_us_per_mib", "way",
     "sweep=size route=file-file", false, true, true},
    {"rate", "File to socket: MB/s", "size_bytes", "mb_per_s", "way",
     "sweep=size route=file-socket", false, true, true},
    {"buffer", "Read and write by the size of the buffer: CPU per MiB", "buffer_bytes",
     "cpu_us_per_mib", "route", "sweep=buffer", false, true, true},
    {"pipe", "Splice by the size of the pipe: CPU per MiB", "pipe_bytes", "cpu_us_per_mib", "route",
     "sweep=pipe", false, true, true},
    {0}};

/* ---- the cases --------------------------------------------------------------------------------- */

struct wanted {
    const char *sweep;
    const struct copy_route *route;
    const struct copy_way *way;
    uint64_t bytes, buffer, pipe;
};

static uint64_t file_bytes(const struct lab *lab)
{
    uint64_t largest = lab_largest(lab), most = 64 << 20;
    return largest < most ? largest : most;
}

static void copy_measure(struct lab *lab, struct wanted w)
{
    static struct copy c;
    uint64_t most = file_bytes(lab);
    const char *system = lab_device(lab)->file_system;
    memset(&c, 0, sizeof c);
    c.data = lab_file(lab, most);
    c.scratch = lab_scratch(lab, "copies", most);
    c.way = w.way;
    c.route = w.route;
    c.bytes = w.bytes;
    c.buffer_bytes = w.buffer;
    c.pipe_bytes = w.pipe;
    c.may_share_blocks = !strcmp(w.way->name, "copy_range") && strncmp(system, "ext", 3) != 0 &&
                         strcmp(system, "tmpfs") != 0;
    struct work work = {.context = &c,
                        .open = copy_open,
                        .run = copy_run,
                        .close = copy_close,
                        .data = c.data,
                        .cache = CACHE_WARM};
    lab_measure(lab, &work,
                "sweep=%s route=%s way=%s size_bytes=%" PRIu64 " buffer_bytes=%" PRIu64
                " pipe_bytes=%" PRIu64,
                w.sweep, w.route->name, w.way->name, w.bytes, w.buffer, w.pipe);
}

static const struct copy_way *way_named(const char *name)
{
    for (const struct copy_way *way = copy_ways; way->name; way++)
        if (!strcmp(way->name, name)) return way;
    return NULL;
}

static const struct copy_route *route_named(const char *name)
{
    for (unsigned r = 0; r < 4; r++)
        if (!strcmp(copy_routes[r].name, name)) return &copy_routes[r];
    return NULL;
}

static void route_walk(struct lab *lab, const struct copy_route *route)
{
    const char *name[LIST];
    uint64_t size[LIST];
    unsigned ways = lab_words(lab, "ways", name, LIST),
             sizes = lab_numbers(lab, "sizes", size, LIST);
    for (unsigned s = 0; s < sizes; s++)
        for (unsigned w = 0; w < ways; w++) {
            const struct copy_way *way = way_named(name[w]);
            if (!way || way->copies[route - copy_routes] < 0) continue;
            if (size[s] < 1 || size[s] > file_bytes(lab)) continue;
            copy_measure(lab,
                         (struct wanted){"size", route, way, size[s], USUAL_BUFFER, USUAL_BUFFER});
        }
}

/* Moves 4 MiB at a time, with buffers or pipes of different sizes. */
static void sizes_walk(struct lab *lab, const char *sweep, const char *list, const char *way)
{
    static const char *const route[] = {"file-socket", "file-file"};
    uint64_t size[LIST], bytes = file_bytes(lab) < BUFFER_MAX ? file_bytes(lab) : BUFFER_MAX;
    bool buffers = !strcmp(list, "buffers");
    unsigned sizes = lab_numbers(lab, list, size, LIST);
    for (unsigned s = 0; s < sizes; s++)
        for (unsigned r = 0; r < 2; r++) {
            if (size[s] < 1 || size[s] > BUFFER_MAX) continue;
            copy_measure(lab, (struct wanted){sweep, route_named(route[r]), way_named(way), bytes,
                                              buffers ? size[s] : USUAL_BUFFER,
                                              buffers ? USUAL_BUFFER : size[s]});
        }
}

static void run(struct lab *lab)
{
    const char *name[LIST];
    unsigned routes = lab_words(lab, "routes", name, LIST);
    for (unsigned r = 0; r < routes; r++)
        if (route_named(name[r])) route_walk(lab, route_named(name[r]));
    sizes_walk(lab, "buffer", "buffers", "readwrite");
    sizes_walk(lab, "pipe", "pipes", "splice");
}

/* ---- what the figures say ---------------------------------------------------------------------- */

static struct sample cpu_sample(const struct table *t, const char *route, const char *way,
                                double size)
{
    return table_sample(t, "cpu_us_per_mib", "sweep=size route=%s way=%s size_bytes=%.0f", route,
                        way, size);
}

/*
 * Returns the size from which on a way takes less CPU than readwrite, up to the largest; 0: not at the
 * largest.
 */
static double pays_from(const struct table *t, const char *route, const struct curve *curve)
{
    double from = 0;
    for (unsigned i = 0; i < curve->count; i++) {
        struct sample usual = cpu_sample(t, route, "readwrite", curve->x[i]);
        struct comparison c = compare(&curve->y[i], &usual);
        if (c.verdict == LESS && from == 0) from = curve->x[i];
        if (c.verdict != LESS) from = 0;
    }
    return from;
}

/*
 * Makes one sentence for a way of a route: its ratio at the largest size, and the size from which on it is
 * worth it.
 */
static void way_find(const struct table *t, struct findings *into, const char *route,
                     const char *way)
{
    char where[WHERE_MAX], pays[WHERE_MAX];
    snprintf(where, sizeof where, "sweep=size route=%s way=%s", route, way);
    struct curve curve = curve_of(t, "size_bytes", "cpu_us_per_mib", where);
    if (curve.count == 0) return;
    unsigned last = curve.count - 1;
    struct sample usual = cpu_sample(t, route, "readwrite", curve.x[last]);
    if (usual.count == 0) return;
    struct comparison c = compare(&curve.y[last], &usual);
    double from = pays_from(t, route, &curve);
    struct sample copies = table_sample(t, "copies", "%s", where);
    text largest, size, a, b;
    text_figure(largest, curve.x[last], "bytes");
    if (from > 0)
        snprintf(pays, sizeof pays, "it takes less from %s on", text_figure(size, from, "bytes"));
    else
        snprintf(pays, sizeof pays, "it does not pay there");
    if (copies.count > 0)
        snprintf(pays + strlen(pays), sizeof pays - strlen(pays), "; copies: %.0f",
                 summarise(&copies).median);
    text_figure(a, summarise(&curve.y[last]).median, "us");
    text_figure(b, summarise(&usual).median, "us");
    if (c.verdict == UNKNOWN)
        finding_add(into, FINDING_OPEN,
                    "%s by %s: %s of CPU per MiB at %s, %s by readwrite; that is too noisy, or was "
                    "measured too seldom, to tell them apart.",
                    route, way, a, largest, b);
    else if (c.verdict == SAME)
        finding_add(into, FINDING_FACT,
                    "%s by %s takes as much CPU per MiB as readwrite at %s, within the noise (%s "
                    "and %s; ratio %.2f to %.2f); %s.",
                    route, way, largest, a, b, c.low, c.high, pays);
    else
        finding_add(into, FINDING_FACT,
                    "%s by %s takes %.2f times the CPU per MiB of readwrite at %s (%s against %s; "
                    "ratio %.2f to %.2f); %s.",
                    route, way, c.ratio, largest, a, b, c.low, c.high, pays);
}

static double largest_size(const struct table *t, const char *route)
{
    struct cell size[DISTINCT_MAX];
    unsigned count = table_distinct(t, "size_bytes", size, "sweep=size route=%s", route);
    return count > 0 ? size[count - 1].number : 0;
}

/* Expects that fewer copies take less CPU at the largest size. */
static void fewer_expect(const struct table *t, struct findings *into, const char *route,
                         const char *way, const char *explanation)
{
    char expectation[WHERE_MAX];
    text words;
    double size = largest_size(t, route);
    struct sample mine = cpu_sample(t, route, way, size);
    struct sample usual = cpu_sample(t, route, "readwrite", size);
    struct comparison c = compare(&mine, &usual);
    if (mine.count == 0 || usual.count == 0) return;
    snprintf(expectation, sizeof expectation,
             "%s by %s takes less CPU than by readwrite at %s, since it copies less", route, way,
             text_figure(words, size, "bytes"));
    finding_expect(into, expectation, LESS, &c, explanation);
}

/* Says what the kernel reported about zero copy. */
static void zero_find(const struct table *t, struct findings *into)
{
    static const char *const way[] = {"zerocopy", "send_zc"};
    for (unsigned w = 0; w < 2; w++) {
        struct sample copies = table_sample(t, "copies", "sweep=size way=%s", way[w]);
        if (copies.count == 0) continue;
        struct summary s = summarise(&copies);
        if (s.least >= 2)
            finding_add(
                into, FINDING_FACT,
                "%s: the kernel says that it copied in each measurement, as it does on loopback.",
                way[w]);
        else if (s.most < 2)
            finding_add(into, FINDING_FACT, "%s: the kernel says that it never copied.", way[w]);
        else
            finding_add(into, FINDING_FACT,
                        "%s: the kernel says that it copied in some measurements.", way[w]);
    }
}

static void find(const struct table *t, struct findings *into)
{
    for (unsigned r = 0; r < 4; r++)
        for (const struct copy_way *way = copy_ways + 1; way->name; way++)
            way_find(t, into, copy_routes[r].name, way->name);
    fewer_expect(t, into, "file-socket", "sendfile",
                 "The work of loopback itself is so large that copies hardly matter, or the "
                 "figures were disturbed.");
    fewer_expect(t, into, "pipe-pipe", "splice",
                 "The pipe was nearly empty each time, so that calls and wake-ups cost more than "
                 "copies, or the figures were disturbed.");
    fewer_expect(t, into, "file-file", "copy_range",
                 "Here it moves page after page through the same code as splice, which may be "
                 "slower than copying large pieces.");
    zero_find(t, into);
    finding_best(into, t, "The best buffer for read and write, file to socket", "buffer_bytes",
                 "cpu_us_per_mib", false, "sweep=buffer route=file-socket");
    finding_best(into, t, "The best buffer for read and write, file to file", "buffer_bytes",
                 "cpu_us_per_mib", false, "sweep=buffer route=file-file");
    finding_bend(into, t, "CPU per MiB of read and write, file to file, over the buffer",
                 "buffer_bytes", "cpu_us_per_mib", "sweep=buffer route=file-file");
    finding_best(into, t, "The best pipe for splice, file to socket", "pipe_bytes",
                 "cpu_us_per_mib", false, "sweep=pipe route=file-socket");
}

static const struct experiment copies = {
    .number = 7,
    .name = "copies",
    .title = "Ways to copy",
    .question = "How often is a byte copied on its way, what does that cost, and from which size "
                "on is each way worth it?",
    .expectation = "For large sizes copies matter (50 to 200 µs of CPU per MiB each), for small "
                   "ones calls. sendfile and splice need no copy to a socket. mmap is worth it "
                   "only for large sizes, because faults cost more than copying a page (McVoy and "
                   "Staelin, lmbench, 1996). MSG_ZEROCOPY is worth it above about 10 KB "
                   "(msg_zerocopy of the kernel's documentation), and not on loopback.",
    .floor = "Linux 5.3; SEND_ZC from 6.2",
    .full_minutes = 5.8,
    .quick_minutes = 0.6,
    .figure = "cpu_us_per_mib",
    .factors = factors,
    .figures = figures,
    .parameters = parameters,
    .plots = plots,
    .run = run,
    .find = find,
};
EXPERIMENT(copies);
