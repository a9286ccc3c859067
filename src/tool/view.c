/*
 * Makes the lines that zcserve top shows: the server, rates, phases, sources, connections, and the
 * workers side by side. Everything above the workers is about the chosen worker, or about all. This
 * file knows no terminal: top.c draws these lines, and --once prints them.
 */
#include "tool/view.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tool/format.h"
#include "tool/order.h"

#define BAR_COLUMN 50 /* the column in which bars begin */
#define KEYS "q ends  p pauses  up/down worker  s sorts  +/- interval  ? help"

/* ---- lines ----------------------------------------------------------------------------------- */

bool view_open(struct view *view, int columns, int rows)
{
    uint32_t lines = rows > 0 ? (uint32_t)rows : VIEW_LINES_MAX;
    *view = (struct view){.columns = columns, .rows = rows, .lines_max = lines};
    view->line = calloc(lines, sizeof(*view->line));
    return view->line;
}

void view_close(struct view *view)
{
    free(view->line);
    *view = (struct view){0};
}

/* Cuts a text after `columns` characters. */
static void text_cut(char *text, int columns)
{
    for (; *text; text++) {
        bool begins = ((unsigned char)*text & 0xc0) != 0x80;
        if (begins && columns-- <= 0) *text = '\0';
        if (!*text) return;
    }
}

static struct view_line *line_add(struct view *view, enum view_tone tone, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* When the view is full, it writes to a line that is never shown. */
static struct view_line *line_add(struct view *view, enum view_tone tone, const char *format, ...)
{
    static struct view_line beyond;
    struct view_line *line = view->lines < view->lines_max ? &view->line[view->lines++] : &beyond;
    va_list values;
    va_start(values, format);
    vsnprintf(line->text, sizeof(line->text), format, values);
    va_end(values);
    text_cut(line->text, view->columns);
    line->tone = tone;
    line->bar_at = 0;
    return line;
}

/* Adds a bar to the end of a line, from column `column` on. */
static void line_bar(const struct view *view, struct view_line *line, int column, double share)
{
    char bar[3 * FORMAT_BAR_MAX + 1];
    int used = format_columns(line->text), cells = view->columns - column - 1;
    size_t length = strlen(line->text);
    if (cells < 4 || used > column || length + 256 > sizeof(line->text)) return;
    int pad = snprintf(line->text + length, sizeof(line->text) - length, "%*s", column - used, "");
    line->bar_at = (uint16_t)(length + (size_t)pad);
    stpcpy(line->text + line->bar_at, format_bar(bar, share, cells));
}

/*
 * Returns a figure aligned to the right of `columns`. The last 16 results stay valid, for one line.
 */
static const char *cell(const char *text, int columns)
{
    static char spaces[16][FORMAT_MAX + 32];
    static unsigned next;
    char *space = spaces[next++ % 16];
    int pad = columns - format_columns(text);
    snprintf(space, sizeof(spaces[0]), "%*s%s", pad > 0 ? pad : 0, "", text);
    return space;
}

static const char *ns_cell(double ns, int columns)
{
    format_space space;
    return cell(format_ns(space, ns), columns);
}

/* Returns a percentile of a phase, or a dash when nothing was measured. */
static const char *share_cell(const struct slot_snapshot *slot, enum phase phase,
                              enum source source, double share, int columns)
{
    bool any = slot_measured(slot, phase, source) > 0;
    return ns_cell(any ? slot_percentile_ns(slot, phase, source, share) : NAN, columns);
}

static const char *short_cell(double count, int columns)
{
    format_space space;
    return cell(format_short(space, count), columns);
}

/* ---- the top lines --------------------------------------------------------------------------- */

/* What the upper part is about: a worker, or all. */
struct part {
    const struct slot_snapshot *slot;
    double cpu_seconds;
    double seconds;
};

static struct part part_of(const struct interval *interval, uint32_t chosen)
{
    for (uint32_t i = 0; i < interval->workers; i++)
        if (interval->worker[i].index == chosen)
            return (struct part){&interval->worker[i], worker_cpu_seconds(interval, i),
                                 interval->seconds};
    return (struct part){&interval->total, interval->user_seconds + interval->system_seconds,
                         interval->seconds};
}

static void head_add(struct view *view, const struct snapshot *server,
                     const struct view_wishes *wishes)
{
    format_space chosen = "all workers";
    unsigned long up = (unsigned long)server->uptime_seconds;
    if (wishes->chosen != VIEW_ALL) snprintf(chosen, sizeof(chosen), "worker %u", wishes->chosen);
    line_add(view, TONE_TITLE, "zcserve %s  %s%s  %s  %.40s  up %lu:%02lu:%02lu", server->model,
             server->state, wishes->paused ? "  PAUSED" : "", chosen, server->listen, up / 3600,
             up / 60 % 60, up % 60);
}

static void rates_add(struct view *view, const struct part *part)
{
    const struct slot_snapshot *slot = part->slot;
    double seconds = part->seconds;
    format_space a, b, c, d, e;
    line_add(view, TONE_PLAIN, "requests/s %s   2xx %s  3xx %s  4xx %s  5xx %s",
             format_count(a, round((double)slot->requests / seconds)),
             format_short(b, round((double)slot->answers_2xx / seconds)),
             format_short(c, round((double)slot->answers_3xx / seconds)),
             format_short(d, round((double)slot->answers_4xx / seconds)),
             format_short(e, round((double)slot->answers_5xx / seconds)));
    double cpu_ns = slot->requests ? part->cpu_seconds * 1e9 / (double)slot->requests : NAN;
    line_add(view, TONE_PLAIN, "a request: %s of CPU, %s calls   cache %s hits, %s in %s entries",
             format_ns(a, cpu_ns), format_count(b, slot_calls_per_request(slot)),
             format_percent(c, slot_hit_share(slot)), format_bytes(d, (double)slot->cache_bytes),
             format_count(e, (double)slot->cache_entries));
}

static void loop_add(struct view *view, const struct part *part)
{
    const struct slot_snapshot *slot = part->slot;
    format_space a, b, c, d;
    double stall = slot_stall_ns(slot);
    line_add(view, TONE_PLAIN, "longest turn %s   events a turn %s   sent %s/s, received %s/s",
             format_ns(a, stall > 0 ? stall : NAN),
             format_count(b, stall > 0 ? slot_measure_mean(slot, MEASURE_BATCH) : NAN),
             format_bytes(c, (double)slot->sent_bytes / part->seconds),
             format_bytes(d, (double)slot->received_bytes / part->seconds));
}

static void connections_add(struct view *view, const struct part *part)
{
    const struct slot_snapshot *slot = part->slot;
    char text[STATE_COUNT * 48];
    size_t used = 0;
    format_space space;
    uint64_t closed = 0;
    for (int i = 0; i < STATE_COUNT; i++)
        used += (size_t)snprintf(text + used, sizeof(text) - used, "  %s %s",
                                 connection_state_name((enum connection_state)i),
                                 format_short(space, (double)slot->connections_in[i]));
    for (int i = 0; i < CLOSE_REASON_COUNT; i++)
        closed += slot->closed[i];
    line_add(view, TONE_PLAIN, "connections %s:%s   +%s -%s /s",
             short_cell((double)slot->connections, 0), text,
             short_cell(round((double)slot->accepted / part->seconds), 0),
             short_cell(round((double)closed / part->seconds), 0));
}

/* ---- tables ---------------------------------------------------------------------------------- */

static void phases_add(struct view *view, const struct part *part)
{
    double total = slot_mean_ns(part->slot, PHASE_TOTAL);
    line_add(view, TONE_HEAD, "%-11s%9s%9s%9s%9s   share of the mean", "phase", "mean", "p50",
             "p99", "p99.9");
    for (int i = 0; i < PHASE_COUNT; i++) {
        enum phase phase = (enum phase)i;
        double mean = slot_mean_ns(part->slot, phase);
        struct view_line *line =
            line_add(view, TONE_PLAIN, "%-11s%s%s%s%s", phase_name(phase),
                     ns_cell(slot_measured(part->slot, phase, SOURCE_COUNT) ? mean : NAN, 9),
                     share_cell(part->slot, phase, SOURCE_COUNT, 0.5, 9),
                     share_cell(part->slot, phase, SOURCE_COUNT, 0.99, 9),
                     share_cell(part->slot, phase, SOURCE_COUNT, 0.999, 9));
        line_bar(view, line, BAR_COLUMN, total > 0 ? mean / total : 0);
    }
}

static uint64_t source_bytes(const struct slot_snapshot *slot, enum source source)
{
    switch (source) {
    case SOURCE_MEMORY: return slot->memory_bytes;
    case SOURCE_PAGE_CACHE: return slot->page_cache_bytes;
    case SOURCE_DISK: return slot->disk_bytes;
    case SOURCE_NONE:
    case SOURCE_COUNT: break;
    }
    return 0;
}

static void sources_add(struct view *view, const struct part *part)
{
    uint64_t all = slot_measured(part->slot, PHASE_TOTAL, SOURCE_COUNT);
    line_add(view, TONE_HEAD, "%-11s%9s%9s%9s%9s   share of the requests", "source", "req/s", "p50",
             "p99", "bytes/s");
    for (int i = 0; i < SOURCE_COUNT; i++) {
        enum source source = (enum source)i;
        format_space space;
        uint64_t count = slot_measured(part->slot, PHASE_TOTAL, source);
        double bytes = (double)source_bytes(part->slot, source) / part->seconds;
        struct view_line *line = line_add(view, TONE_PLAIN, "%-11s%s%s%s%s",
                                          source == SOURCE_NONE ? "none" : source_name(source),
                                          short_cell(round((double)count / part->seconds), 9),
                                          share_cell(part->slot, PHASE_TOTAL, source, 0.5, 9),
                                          share_cell(part->slot, PHASE_TOTAL, source, 0.99, 9),
                                          cell(format_bytes(space, bytes), 9));
        line_bar(view, line, BAR_COLUMN, all > 0 ? (double)count / (double)all : 0);
    }
}

static void worker_add(struct view *view, const struct interval *interval, uint32_t at, bool chosen)
{
    const struct slot_snapshot *slot = &interval->worker[at];
    format_space space;
    double cpu = worker_cpu_seconds(interval, at) / interval->seconds, stall = slot_stall_ns(slot);
    line_add(view, chosen ? TONE_CHOSEN : TONE_PLAIN, "%c%-6u%8llu%s%s%s%s%s%s", chosen ? '>' : ' ',
             slot->index, (unsigned long long)slot->process,
             short_cell(round((double)slot->requests / interval->seconds), 8),
             share_cell(slot, PHASE_TOTAL, SOURCE_COUNT, 0.5, 9),
             share_cell(slot, PHASE_TOTAL, SOURCE_COUNT, 0.99, 9),
             cell(format_percent(space, cpu), 8), ns_cell(stall > 0 ? stall : NAN, 9),
             short_cell((double)slot->connections, 7));
}

/* Adds as many workers as fit, among them the chosen one. */
static void workers_add(struct view *view, const struct interval *interval,
                        const struct view_wishes *wishes)
{
    line_add(view, TONE_HEAD, "%-7s%8s%8s%9s%9s%8s%9s%7s  by %s", "worker", "process", "req/s",
             "p50", "p99", "CPU", "longest", "conns", view_sort_name(wishes->sort));
    uint32_t count, *order = workers_order(interval, wishes->sort, &count);
    uint32_t room = view->lines_max - view->lines - 1, first = 0;
    for (uint32_t i = 0; i < count; i++)
        if (interval->worker[order[i]].index == wishes->chosen && i >= room) first = i - room + 1;
    for (uint32_t i = first; i < count && i - first < room; i++)
        worker_add(view, interval, order[i], interval->worker[order[i]].index == wishes->chosen);
    free(order);
}

static void keys_add(struct view *view, const struct view_wishes *wishes)
{
    if (view->rows == 0) return;
    while (view->lines + 1 < view->lines_max)
        line_add(view, TONE_PLAIN, "%s", "");
    if (wishes->message)
        line_add(view, TONE_ALARM, "%s", wishes->message);
    else
        line_add(view, TONE_HEAD, "%s   every %.1f s", KEYS, wishes->delay_seconds);
}

void view_draw(struct view *view, const struct snapshot *server, const struct interval *interval,
               const struct view_wishes *wishes)
{
    struct part part = part_of(interval, wishes->chosen);
    view->lines = 0;
    head_add(view, server, wishes);
    rates_add(view, &part);
    loop_add(view, &part);
    connections_add(view, &part);
    phases_add(view, &part);
    sources_add(view, &part);
    workers_add(view, interval, wishes);
    keys_add(view, wishes);
}

void view_draw_help(struct view *view)
{
    static const char *const lines[] = {
        "q        ends",
        "p        pauses; p again goes on",
        "up down  choose a worker: the lines above the table are about it; also tab, j, k",
        "s        sorts the workers by the next column; also left and right",
        "+ -      make the interval longer and shorter",
        "^L       draws everything again",
        "?        shows this help; any key goes back",
        "",
        "All figures are of the last interval. Each phase ends where the next begins:",
        "queue        from when the worker learned of bytes until it took the first",
        "head         until the whole request was there",
        "resolve      until its response was ready, disk waits included",
        "first_byte   until the kernel took the first byte of the response",
        "send         until the kernel took the last byte",
        "total        the sum; the time outside of it is only in a client's figure",
        "Sources are where content came from; none: a response without content.",
        "A turn of an event loop lasts from when it wakes until it waits again. All other",
        "requests wait for its end. Blocking models have no turns.",
        "Workers that share a process (threads) have no CPU time of their own.",
    };
    view->lines = 0;
    line_add(view, TONE_TITLE, "zcserve top");
    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
        line_add(view, TONE_PLAIN, "%s", lines[i]);
}
