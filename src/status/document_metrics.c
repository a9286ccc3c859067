/*
 * Writes /metrics, in the text format of Prometheus, from the tables of counters. A figure that
 * consists of labelled parts (requests by method, content by source) is shown only by these parts.
 *
 * A histogram here has few buckets; the counted one has many. To keep every count exact, a bound is
 * not 10 µs but the nearest limit of a counted bucket, which is less than 1 % away: le="1.0111e-05"
 * counts what took less than 10.112 µs, with a clock of whole nanoseconds.
 */
#include "status/document.h"
#include "status/proc.h"

#include <inttypes.h>
#include <string.h>

#define PREFIX "zcserve_"
#define UNIT_SECONDS (HISTOGRAM_UNIT_NS * 1e-9)

static void family_write(FILE *out, const char *name, const char *type, const char *help)
{
    fprintf(out, "# HELP " PREFIX "%s %s\n# TYPE " PREFIX "%s %s\n", name, help, name, type);
}

/* ---- counters and gauges ---------------------------------------------------------------------- */

/* Figures that are parts of one metric, with a label each. The parts of one family are adjacent. */
static const struct part {
    enum figure figure;
    const char *family, *label, *value, *help;
} parts[] = {
    {FIGURE_requests_get, "requests_by_method_total", "method", "GET",
     "requests by method; other: another method, or refused before the method was read"},
    {FIGURE_requests_head, "requests_by_method_total", "method", "HEAD", NULL},
    {FIGURE_requests_options, "requests_by_method_total", "method", "OPTIONS", NULL},
    {FIGURE_requests_other, "requests_by_method_total", "method", "other", NULL},
    {FIGURE_answers_2xx, "responses_total", "class", "2xx", "responses, by class of their status"},
    {FIGURE_answers_3xx, "responses_total", "class", "3xx", NULL},
    {FIGURE_answers_4xx, "responses_total", "class", "4xx", NULL},
    {FIGURE_answers_5xx, "responses_total", "class", "5xx", NULL},
    {FIGURE_memory_bytes, "content_bytes_total", "source", "memory",
     "content sent, by where it came from; disk: the request waited for the disk"},
    {FIGURE_page_cache_bytes, "content_bytes_total", "source", "pagecache", NULL},
    {FIGURE_disk_bytes, "content_bytes_total", "source", "disk", NULL},
};
#define PARTS (sizeof(parts) / sizeof(parts[0]))

/*
 * Returns whether its parts are shown instead: connections by state, requests by method, and
 * parts[].
 */
static bool is_shown_in_parts(enum figure figure)
{
    if (figure == FIGURE_connections || figure == FIGURE_requests) return true;
    for (size_t i = 0; i < PARTS; i++)
        if (parts[i].figure == figure) return true;
    return false;
}

static void figure_write(FILE *out, const struct reading *reading, enum figure figure)
{
    const struct figure_row *row = &figure_rows[figure];
    const char *suffix = row->gauge ? "" : "_total";
    char name[64];
    snprintf(name, sizeof(name), "%s%s", row->name, suffix);
    family_write(out, name, row->gauge ? "gauge" : "counter", row->help);
    for (uint32_t i = 0; i < reading->slots; i++)
        if (reading_has(reading, i))
            fprintf(out, PREFIX "%s{worker=\"%u\"} %" PRIu64 "\n", name, i,
                    reading->slot[i].figure[figure]);
}

static void part_write(FILE *out, const struct reading *reading, const struct part *part)
{
    if (part->help) family_write(out, part->family, "counter", part->help);
    for (uint32_t i = 0; i < reading->slots; i++)
        if (reading_has(reading, i))
            fprintf(out, PREFIX "%s{worker=\"%u\",%s=\"%s\"} %" PRIu64 "\n", part->family, i,
                    part->label, part->value, reading->slot[i].figure[part->figure]);
}

static void words_write(FILE *out, const struct reading *reading, const struct figure_words *words)
{
    family_write(out, words->family, words->type, words->help);
    for (uint32_t i = 0; i < reading->slots; i++)
        for (uint32_t k = words->first; k < words->count && reading_has(reading, i); k++)
            fprintf(out, PREFIX "%s{worker=\"%u\",%s=\"%s\"} %" PRIu64 "\n", words->family, i,
                    words->label, words->word[k], figure_of_word(&reading->slot[i], words, k));
}

static void figures_write(FILE *out, const struct reading *reading)
{
    for (int i = 0; i < FIGURE_COUNT; i++)
        if (!is_shown_in_parts((enum figure)i)) figure_write(out, reading, (enum figure)i);
    for (size_t i = 0; i < PARTS; i++)
        part_write(out, reading, &parts[i]);
    for (int i = 0; i < FIGURE_WORDS_COUNT; i++)
        words_write(out, reading, &figure_words[i]);
}

/* ---- histograms ------------------------------------------------------------------------------- */

/* The bounds of times: 1, 2 and 5 times each power of ten, from 10 µs to 10 s. */
static const uint64_t bounds_ns[] = {10000,      20000,      50000,      100000,     200000,
                                     500000,     1000000,    2000000,    5000000,    10000000,
                                     20000000,   50000000,   100000000,  200000000,  500000000,
                                     1000000000, 2000000000, 5000000000, 10000000000};
#define BOUNDS_NS (sizeof(bounds_ns) / sizeof(bounds_ns[0]))
#define BOUNDS_ONES 16 /* how many bounds numbers have: 1, 3, 7 … 65535 */

/* Returns the value nearest to `value` at which a bucket of the histogram begins. */
static uint64_t bucket_limit(uint64_t value)
{
    uint32_t bucket = histogram_bucket(value);
    uint64_t below = histogram_least(bucket), above = below + histogram_width(bucket);
    return value - below < above - value ? below : above;
}

static void histogram_end(FILE *out, const char *name, const char *labels,
                          const struct distribution *d, double sum)
{
    fprintf(out,
            PREFIX "%s_bucket{%s,le=\"+Inf\"} %" PRIu64 "\n" PREFIX "%s_sum{%s} %.9g\n" PREFIX
                   "%s_count{%s} %" PRIu64 "\n",
            name, labels, d->count, name, labels, sum, name, labels, d->count);
}

static void times_write(FILE *out, const char *name, const char *labels,
                        const struct distribution *d)
{
    for (size_t i = 0; i < BOUNDS_NS; i++) {
        uint64_t limit = bucket_limit(bounds_ns[i] / HISTOGRAM_UNIT_NS);
        fprintf(out, PREFIX "%s_bucket{%s,le=\"%.11g\"} %" PRIu64 "\n", name, labels,
                (double)(limit * HISTOGRAM_UNIT_NS - 1) * 1e-9, distribution_below(d, limit));
    }
    histogram_end(out, name, labels, d, (double)d->sum * UNIT_SECONDS);
}

static void ones_write(FILE *out, const char *name, const char *labels,
                       const struct distribution *d)
{
    for (int i = 1; i <= BOUNDS_ONES; i++) {
        uint64_t limit = UINT64_C(1) << i;
        fprintf(out, PREFIX "%s_bucket{%s,le=\"%" PRIu64 "\"} %" PRIu64 "\n", name, labels,
                limit - 1, distribution_below(d, limit));
    }
    histogram_end(out, name, labels, d, (double)d->sum);
}

/* Skips empty histograms: a worker has 24 pairs of phase and source, and uses few of them. */
static void worker_latency_write(FILE *out, uint32_t worker, const struct spreads *spreads)
{
    char labels[96];
    for (int phase = 0; phase < PHASE_COUNT; phase++) {
        for (int source = 0; source < SOURCE_COUNT; source++) {
            const struct distribution *d = &spreads->latency[phase][source];
            if (d->count == 0) continue;
            snprintf(labels, sizeof(labels), "worker=\"%u\",phase=\"%s\",source=\"%s\"", worker,
                     phase_name((enum phase)phase), source_word((enum source)source));
            times_write(out, "request_seconds", labels, d);
        }
    }
}

static void latency_write(FILE *out, struct document *document)
{
    const struct reading *reading = &document->reading;
    family_write(out, "request_seconds", "histogram",
                 "phases of requests that got a complete response, by where the content came from");
    for (uint32_t i = 0; i < reading->slots; i++) {
        if (!reading_has(reading, i)) continue;
        spreads_read(&document->one, &reading->board[i]);
        worker_latency_write(out, i, &document->one);
    }
}

static void measure_write(FILE *out, struct document *document, enum measure measure,
                          const char *name, const char *help)
{
    const struct reading *reading = &document->reading;
    family_write(out, name, "histogram", help);
    for (uint32_t i = 0; i < reading->slots; i++) {
        struct distribution d = {0};
        char labels[32];
        if (!reading_has(reading, i)) continue;
        stats_measure_read(&reading->board[i], measure, &d);
        snprintf(labels, sizeof(labels), "worker=\"%u\"", i);
        if (measure == MEASURE_TURN)
            times_write(out, name, labels, &d);
        else
            ones_write(out, name, labels, &d);
    }
}

/* ---- the server and its processes ------------------------------------------------------------- */

static void text_write(FILE *out, const char *text)
{
    for (; *text; text++) {
        if (*text == '"' || *text == '\\') putc_unlocked('\\', out);
        putc_unlocked(*text, out);
    }
}

static void server_write(FILE *out, const struct document *document)
{
    const struct status_subject *subject = document->subject;
    family_write(out, "build_info", "gauge", "always 1; its labels are the version and the model");
    fputs(PREFIX "build_info{version=\"", out);
    text_write(out, subject->version);
    fprintf(out, "\",model=\"%s\"} 1\n", subject->model);
    family_write(out, "start_time_seconds", "gauge", "when the server was started, in Unix time");
    fprintf(out, PREFIX "start_time_seconds %.3f\n", subject->started_seconds);
    family_write(out, "draining", "gauge", "1 while the server is stopping, else 0");
    fprintf(out, PREFIX "draining %d\n", document_draining(document));
    family_write(out, "generation", "gauge", "which configuration serves; the first is 1");
    fprintf(out, PREFIX "generation %" PRIu32 "\n", subject->shared->generation);
    family_write(out, "reloads_total", "counter", "reloads that are over");
    fprintf(out, PREFIX "reloads_total %" PRIu32 "\n", subject->shared->reloads);
    family_write(out, "reload_failures_total", "counter", "reloads that changed nothing");
    fprintf(out, PREFIX "reload_failures_total %" PRIu32 "\n", subject->shared->reloads_failed);
    family_write(out, "upgrade_failures_total", "counter",
                 "upgrades after which the old program went on");
    fprintf(out, PREFIX "upgrade_failures_total %" PRIu32 "\n", subject->shared->upgrades_failed);
}

static const char *const process_families[][3] = {
    {"process_cpu_seconds_total", "counter", "CPU time used, by process and mode"},
    {"process_resident_bytes", "gauge", "resident memory of a process, shared pages included"},
    {"process_open_descriptors", "gauge", "open descriptors of a process"},
};

static void process_write(FILE *out, int family, const char *name, uint32_t index, pid_t pid)
{
    struct proc proc;
    char labels[64];
    const char *const *words = process_families[family];
    if (!proc_read(pid, &proc)) return;
    snprintf(labels, sizeof(labels), "process=\"%s\",index=\"%u\"", name, index);
    if (family == 0)
        fprintf(out, PREFIX "%s{%s,mode=\"user\"} %.2f\n" PREFIX "%s{%s,mode=\"system\"} %.2f\n",
                words[0], labels, proc.cpu_user_seconds, words[0], labels, proc.cpu_system_seconds);
    else
        fprintf(out, PREFIX "%s{%s} %" PRIu64 "\n", words[0], labels,
                family == 1 ? proc.resident_bytes : proc.descriptors);
}

static void processes_write(FILE *out, const struct document *document)
{
    const struct status_shared *shared = document->subject->shared;
    for (int family = 0; family < 3; family++) {
        const char *const *words = process_families[family];
        family_write(out, words[0], words[1], words[2]);
        process_write(out, family, "supervisor", 0, document->subject->supervisor);
        for (uint32_t i = 0; i < shared->count; i++)
            process_write(out, family, shared->process[i].name, shared->process[i].index,
                          shared->process[i].pid);
    }
}

void document_metrics(struct document *document, FILE *out)
{
    reading_take(&document->reading);
    server_write(out, document);
    figures_write(out, &document->reading);
    latency_write(out, document);
    measure_write(out, document, MEASURE_TURN, "turn_seconds",
                  "turns of an event loop: from when it wakes until it waits again");
    measure_write(out, document, MEASURE_BATCH, "batch_events",
                  "events or completions that one wake-up brought");
    measure_write(out, document, MEASURE_REQUESTS, "connection_requests",
                  "requests on one connection, counted when it ends");
    processes_write(out, document);
}
