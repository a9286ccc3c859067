/*
 * The report for people: what the command did, what the server did, both side by side, and why they
 * differ. Lines with only zeros are left out, except those that a reader expects.
 */
#include "tool/report.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/gathered.h"
#include "tool/explain.h"
#include "tool/format.h"
#include "zcserve/close_reason.h"

#define GATHERED_BYTES_MAX (1024 * 1024)
#define TITLE_COLUMNS 14
#define FIGURE_COLUMNS 11
#define SENTENCE_COLUMNS 98

static const double shares[] = {0.5, 0.9, 0.99, 0.999, 1};
enum { SHARES = sizeof(shares) / sizeof(shares[0]) };

/* Aligns to the right by columns, because the width of printf counts bytes. */
static void right(FILE *out, const char *text)
{
    fprintf(out, "%*s%s", FIGURE_COLUMNS - format_columns(text), "", text);
}

static void title(FILE *out, const char *text)
{
    fprintf(out, "%-*s", TITLE_COLUMNS, text);
}

static double per(double part, uint64_t whole)
{
    return whole > 0 ? part / (double)whole : NAN;
}

/*
 * Adds an item to a list such as "12 finished, 3 drained", with a comma before all but the first.
 */
static void listed(FILE *out, uint64_t count, const char *word, bool *any)
{
    format_space space;
    if (count == 0) return;
    fprintf(out, "%s%s %s", *any ? ", " : "", format_count(space, (double)count), word);
    *any = true;
}

static void ended(FILE *out, bool any)
{
    fputs(any ? "\n" : "none\n", out);
}

/* ---- the command, the server, and requests --------------------------------------------------- */

/* Prints the words of the command, which may contain anything. */
static void command_print(char *const *command, FILE *out)
{
    for (char *const *word = command; *word; word++) {
        char *copy = strdup(*word);
        fprintf(out, "%s%s", word == command ? "" : " ", copy ? format_tame(copy) : "?");
        free(copy);
    }
}

static void server_print(const struct report *report, FILE *out)
{
    const struct snapshot *server = report->server;
    const struct child *child = report->child;
    format_space a, b;
    title(out, "server");
    fprintf(out, "zcserve %s at %s, model %s, %u %s, %s\n", server->version, server->listen,
            server->model, server->workers, server->workers == 1 ? "worker" : "workers",
            server->state);
    title(out, "command");
    command_print(report->command, out);
    fprintf(out, "\n");
    title(out, "");
    fprintf(out, "ended with %d after %s, and used %s of a CPU\n", child->code,
            format_ns(a, child->seconds * 1e9),
            format_percent(b, (child->user_seconds + child->system_seconds) / child->seconds));
}

static void requests_print(const struct report *report, FILE *out)
{
    const struct slot_snapshot *total = &report->interval->total;
    format_space a, b;
    bool any = false;
    title(out, "requests");
    fprintf(out, "%s (%s a second)", format_count(a, (double)total->requests),
            format_count(b, round((double)total->requests / report->child->seconds)));
    fputs(total->requests ? ": " : "", out);
    listed(out, total->answers_2xx, "2xx", &any);
    listed(out, total->answers_3xx, "3xx", &any);
    listed(out, total->answers_4xx, "4xx", &any);
    listed(out, total->answers_5xx, "5xx", &any);
    fputc('\n', out);
}

/* Prints the reasons for refused requests, if there are any. */
static void refused_print(const struct slot_snapshot *total, FILE *out)
{
    struct gathered gathered;
    bool any = false;
    FILE *list = gathered_open(&gathered, GATHERED_BYTES_MAX);
    if (!list) return;
    for (int i = 0; i < REFUSAL_COUNT; i++)
        listed(list, total->refused_for[i], refusal_name((enum refusal)i), &any);
    if (gathered_close(&gathered, list) && any) {
        title(out, "  refused for");
        fprintf(out, "%s\n", gathered.text);
    }
    free(gathered.text);
}

static void connections_print(const struct slot_snapshot *total, FILE *out)
{
    format_space space;
    bool any = false;
    title(out, "connections");
    listed(out, total->accepted, "opened", &any);
    listed(out, total->refused, "refused", &any);
    listed(out, total->crowded, "crowded out", &any);
    listed(out, total->accept_pauses, "pauses of accepting", &any);
    ended(out, any);
    any = false;
    title(out, "  closed");
    for (int i = 0; i < CLOSE_REASON_COUNT; i++)
        listed(out, total->closed[i], close_reason_name((enum close_reason)i), &any);
    ended(out, any);
    title(out, "  requests");
    if (!total->measure[MEASURE_REQUESTS] || total->measure[MEASURE_REQUESTS]->count == 0) {
        fputs("no connection ended\n", out);
        return;
    }
    fprintf(out, "each: mean %s", format_count(space, slot_measure_mean(total, MEASURE_REQUESTS)));
    static const char *const names[SHARES] = {"p50", "p90", "p99", "p99.9", "max"};
    for (int i = 0; i < SHARES; i++)
        fprintf(out, ", %s %s", names[i],
                format_count(space, round(slot_measure(total, MEASURE_REQUESTS, shares[i]))));
    fputc('\n', out);
}

/* ---- latency --------------------------------------------------------------------------------- */

static void phase_print(const struct slot_snapshot *total, enum phase phase, enum source source,
                        FILE *out)
{
    struct distribution all = {0};
    format_space space;
    slot_snapshot_latency(total, phase, source, &all);
    if (all.count == 0) return;
    fprintf(out, "  %-*s", TITLE_COLUMNS - 2, phase_name(phase));
    right(out, format_ns(space, per((double)all.sum, all.count) * HISTOGRAM_UNIT_NS));
    for (int i = 0; i < SHARES; i++)
        right(out, format_ns(space, distribution_percentile(&all, shares[i]) * HISTOGRAM_UNIT_NS));
    fputc('\n', out);
}

static void latency_of_source(const struct slot_snapshot *total, enum source source,
                              const char *name, FILE *out)
{
    static const char *const heads[] = {"mean", "p50", "p90", "p99", "p99.9", "max"};
    format_space space;
    title(out, "latency");
    for (size_t i = 0; i < sizeof(heads) / sizeof(heads[0]); i++)
        right(out, heads[i]);
    fprintf(out, "   %s: %s\n", name,
            format_count(space, (double)slot_measured(total, PHASE_TOTAL, source)));
    for (int phase = 0; phase < PHASE_COUNT; phase++)
        phase_print(total, (enum phase)phase, source, out);
}

/* Prints the latency of each source, and of all together when there are several. */
static void latency_print(const struct slot_snapshot *total, FILE *out)
{
    static const char *const names[SOURCE_COUNT] = {[SOURCE_NONE] = "no content",
                                                    [SOURCE_MEMORY] = "from memory",
                                                    [SOURCE_PAGE_CACHE] = "from the page cache",
                                                    [SOURCE_DISK] = "from the disk"};
    int sources = 0;
    for (int i = 0; i < SOURCE_COUNT; i++)
        sources += slot_measured(total, PHASE_TOTAL, (enum source)i) > 0;
    if (sources > 1) latency_of_source(total, SOURCE_COUNT, "all", out);
    for (int i = 0; i < SOURCE_COUNT; i++)
        if (slot_measured(total, PHASE_TOTAL, (enum source)i) > 0)
            latency_of_source(total, (enum source)i, names[i], out);
}

/* ---- what it cost ---------------------------------------------------------------------------- */

static void bytes_listed(FILE *out, uint64_t bytes, const char *word, bool *any)
{
    format_space space;
    if (bytes == 0) return;
    fprintf(out, "%s%s %s", *any ? ", " : "", format_bytes(space, (double)bytes), word);
    *any = true;
}

static void bytes_print(const struct slot_snapshot *total, FILE *out)
{
    bool any = false;
    title(out, "content");
    bytes_listed(out, total->memory_bytes, "from memory", &any);
    bytes_listed(out, total->page_cache_bytes, "from the page cache", &any);
    bytes_listed(out, total->disk_bytes, "from the disk", &any);
    ended(out, any);
    any = false;
    title(out, "sent");
    bytes_listed(out, total->sent_bytes - total->sent_file_bytes, "copied", &any);
    bytes_listed(out, total->sent_file_bytes, "by sendfile", &any);
    listed(out, total->short_sends, "sends taken in part", &any);
    listed(out, total->would_block, "times not ready", &any);
    ended(out, any);
}

static void cpu_print(const struct report *report, FILE *out)
{
    const struct interval *f = report->interval;
    format_space a, b, c;
    double ns = (f->user_seconds + f->system_seconds) * 1e9;
    title(out, "CPU");
    fprintf(out, "%s a request: user %s, system %s", format_ns(a, per(ns, f->total.requests)),
            format_ns(b, per(f->user_seconds * 1e9, f->total.requests)),
            format_ns(c, per(f->system_seconds * 1e9, f->total.requests)));
    fprintf(out, "; the workers used %s of one CPU", format_percent(a, ns / 1e9 / f->seconds));
    if (f->replaced > 0) fprintf(out, "; %u processes ended and are not included", f->replaced);
    fputs(ns < 2e8 ? "; too short to be exact (the kernel counts in ticks)\n" : "\n", out);
}

static void calls_print(const struct slot_snapshot *total, FILE *out)
{
    format_space space;
    title(out, "system calls");
    fprintf(out, "%s a request", format_count(space, slot_calls_per_request(total)));
    const char *before = ": ";
    for (int i = 0; i < CALL_COUNT; i++) {
        if (total->calls[i] == 0 || total->requests == 0) continue;
        double calls = per((double)total->calls[i], total->requests);
        fprintf(out, "%s%s %.*f", before, call_name((enum call)i), calls < 0.01 ? 4 : 2, calls);
        before = ", ";
    }
    fputc('\n', out);
}

static void turns_print(const struct slot_snapshot *total, FILE *out)
{
    const struct distribution *turns = total->measure[MEASURE_TURN];
    format_space a, b, c, d;
    if (!turns || turns->count == 0) return;
    title(out, "turns");
    fprintf(out, "%s, p50 %s, p99 %s, longest %s\n", format_count(a, (double)turns->count),
            format_ns(b, slot_measure(total, MEASURE_TURN, 0.5) * HISTOGRAM_UNIT_NS),
            format_ns(c, slot_measure(total, MEASURE_TURN, 0.99) * HISTOGRAM_UNIT_NS),
            format_ns(d, slot_stall_ns(total)));
    title(out, "batches");
    fprintf(out, "mean %s, p50 %s, p99 %s, max %s events a turn\n",
            format_count(a, slot_measure_mean(total, MEASURE_BATCH)),
            format_count(b, slot_measure(total, MEASURE_BATCH, 0.5)),
            format_count(c, slot_measure(total, MEASURE_BATCH, 0.99)),
            format_count(d, round(slot_measure(total, MEASURE_BATCH, 1))));
}

static void cache_print(const struct slot_snapshot *total, FILE *out)
{
    format_space space;
    bool any = true;
    title(out, "cache");
    fprintf(out, "%s hits", format_percent(space, slot_hit_share(total)));
    listed(out, total->cache_misses, "misses", &any);
    listed(out, total->cache_evictions, "evictions", &any);
    listed(out, total->cache_invalidations, "invalidations", &any);
    listed(out, total->cache_rechecks, "rechecks", &any);
    bytes_listed(out, total->cache_bytes, "held", &any);
    fputc('\n', out);
}

/* ---- beside the client ----------------------------------------------------------------------- */

static void beside(const struct report *report, enum client_figure figure, const char *name,
                   double server, FILE *out)
{
    format_space space;
    double client = report->client->figure[figure];
    if (isnan(client)) return;
    fprintf(out, "  %-*s", TITLE_COLUMNS - 2, name);
    bool is_time = figure != CLIENT_REQUESTS;
    right(out, is_time ? format_ns(space, client) : format_count(space, client));
    right(out, is_time ? format_ns(space, server) : format_count(space, server));
    fputc('\n', out);
}

static void client_print(const struct report *report, FILE *out)
{
    const struct slot_snapshot *total = &report->interval->total;
    title(out, "side by side");
    right(out, report->client->name);
    right(out, "server");
    fputc('\n', out);
    beside(report, CLIENT_REQUESTS, "requests", (double)total->requests, out);
    beside(report, CLIENT_MEAN_NS, "mean", slot_mean_ns(total, PHASE_TOTAL), out);
    static const struct {
        enum client_figure figure;
        const char *name;
        double share;
    } rows[] = {{CLIENT_P50_NS, "p50", 0.5},
                {CLIENT_P90_NS, "p90", 0.9},
                {CLIENT_P99_NS, "p99", 0.99},
                {CLIENT_MAX_NS, "max", 1}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        beside(report, rows[i].figure, rows[i].name,
               slot_percentile_ns(total, PHASE_TOTAL, SOURCE_COUNT, rows[i].share), out);
    fputc('\n', out);
}

/* Prints a text in lines of the usual width of a terminal, broken at blanks. */
static void wrapped(const char *text, FILE *out)
{
    while (*text) {
        size_t length = strcspn(text, "\n"), cut = length;
        if (length > SENTENCE_COLUMNS)
            for (cut = SENTENCE_COLUMNS; cut > 0 && text[cut] != ' ';)
                cut--;
        if (cut == 0) cut = length;
        fprintf(out, "%.*s\n", (int)cut, text);
        text += cut;
        if (cut < length) fputs("  ", out);
        text += *text != '\0';
    }
}

static void explanation_print(const struct report *report, FILE *out)
{
    struct gathered gathered;
    FILE *sentences = gathered_open(&gathered, GATHERED_BYTES_MAX);
    if (!sentences) return;
    explain(report->interval, report->client, report->child, sentences);
    if (gathered_close(&gathered, sentences)) wrapped(gathered.text, out);
    free(gathered.text);
}

void report_text(const struct report *report, FILE *out)
{
    const struct slot_snapshot *total = &report->interval->total;
    fputc('\n', out);
    server_print(report, out);
    requests_print(report, out);
    refused_print(total, out);
    connections_print(total, out);
    latency_print(total, out);
    bytes_print(total, out);
    cpu_print(report, out);
    calls_print(total, out);
    turns_print(total, out);
    cache_print(total, out);
    fputc('\n', out);
    if (report->client->name) client_print(report, out);
    explanation_print(report, out);
}
