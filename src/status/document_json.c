/*
 * Writes /status.json. Everything is cumulative since the server started: a reader takes two
 * documents and subtracts to get rates. With buckets, the histograms of an interval, and so its
 * percentiles, are computed in the same way.
 * The workers come before the total, so that only one worker's histograms are in memory at a time.
 */
#include "status/document.h"
#include "status/json.h"
#include "status/proc.h"

#include <time.h>

#define UNIT_SECONDS (HISTOGRAM_UNIT_NS * 1e-9)

static double clock_seconds(clockid_t clock)
{
    struct timespec now = {0};
    clock_gettime(clock, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

/* ---- histograms ------------------------------------------------------------------------------- */

static const struct {
    const char *plain, *timed; /* the key for numbers, and for times */
    double share;
} percentiles[] = {{"p50", "p50_seconds", 0.5},        {"p90", "p90_seconds", 0.9},
                   {"p99", "p99_seconds", 0.99},       {"p999", "p999_seconds", 0.999},
                   {"p9999", "p9999_seconds", 0.9999}, {"max", "max_seconds", 1}};
#define PERCENTILES (sizeof(percentiles) / sizeof(percentiles[0]))

static void buckets_write(struct json *json, const struct distribution *d)
{
    json_open(json, "buckets", '[');
    for (uint32_t i = 0; i < HISTOGRAM_BUCKETS && d->count > 0; i++) {
        if (d->bucket[i] == 0) continue;
        json_open(json, NULL, '[');
        json_count(json, NULL, i);
        json_count(json, NULL, d->bucket[i]);
        json_close(json, ']');
    }
    json_close(json, ']');
}

static void times_write(struct json *json, const char *key, const struct distribution *d,
                        bool buckets)
{
    json_open(json, key, '{');
    json_count(json, "count", d->count);
    json_number(json, "sum_seconds", (double)d->sum * UNIT_SECONDS);
    for (size_t i = 0; i < PERCENTILES; i++)
        json_number(json, percentiles[i].timed,
                    distribution_percentile(d, percentiles[i].share) * UNIT_SECONDS);
    if (buckets) buckets_write(json, d);
    json_close(json, '}');
}

static void sizes_write(struct json *json, const char *key, const struct distribution *d,
                        bool buckets)
{
    json_open(json, key, '{');
    json_count(json, "count", d->count);
    json_count(json, "sum", d->sum);
    for (size_t i = 0; i < PERCENTILES; i++)
        json_number(json, percentiles[i].plain, distribution_percentile(d, percentiles[i].share));
    if (buckets) buckets_write(json, d);
    json_close(json, '}');
}

/* The histograms of which buckets are written. */
struct depth {
    bool every, sources, phases, total, turn;
};

static struct depth depth_of(enum document_buckets buckets, bool of_all_workers)
{
    bool every = buckets == BUCKETS_ALL;
    bool drawn = every || (buckets == BUCKETS_PAGE && of_all_workers);
    return (struct depth){every, drawn, drawn, buckets != BUCKETS_NONE, drawn};
}

static void phase_write(struct json *json, enum phase phase, const struct distribution *by_source,
                        struct depth depth)
{
    bool buckets = depth.phases || (depth.total && phase == PHASE_TOTAL);
    struct distribution all = {0};
    json_open(json, phase_name(phase), '{');
    for (int source = 0; source < SOURCE_COUNT; source++) {
        if (by_source[source].count == 0) continue;
        times_write(json, source_word((enum source)source), &by_source[source], depth.sources);
        distribution_merge(&all, &by_source[source]);
    }
    times_write(json, "all", &all, buckets);
    json_close(json, '}');
}

static void spreads_write(struct json *json, const struct spreads *spreads, struct depth depth)
{
    json_open(json, "latency", '{');
    for (int phase = 0; phase < PHASE_COUNT; phase++)
        phase_write(json, (enum phase)phase, spreads->latency[phase], depth);
    json_close(json, '}');
    times_write(json, "turn", &spreads->measure[MEASURE_TURN], depth.turn);
    sizes_write(json, "batch", &spreads->measure[MEASURE_BATCH], depth.every);
    sizes_write(json, "requests_per_connection", &spreads->measure[MEASURE_REQUESTS], depth.every);
}

/* ---- figures ---------------------------------------------------------------------------------- */

static void kind_write(struct json *json, const char *key, const struct figures *figures,
                       bool gauge)
{
    json_open(json, key, '{');
    for (int i = 0; i < FIGURE_COUNT; i++)
        if (figure_rows[i].gauge == gauge && i != FIGURE_pid)
            json_count(json, figure_rows[i].name, figures->figure[i]);
    json_close(json, '}');
}

static void figures_write(struct json *json, const struct figures *figures)
{
    kind_write(json, "counters", figures, false);
    kind_write(json, "gauges", figures, true);
    for (int i = 0; i < FIGURE_WORDS_COUNT; i++) {
        const struct figure_words *words = &figure_words[i];
        json_open(json, words->key, '{');
        for (uint32_t k = words->first; k < words->count; k++)
            json_count(json, words->word[k], figure_of_word(figures, words, k));
        json_close(json, '}');
    }
}

/* Returns whether the slot has a worker, or is one of the generation that serves. */
static bool is_shown(const struct document *document, uint32_t slot)
{
    const struct service *service = document->subject->service;
    uint64_t first = (uint64_t)(service->board - document->reading.board);
    return document->reading.slot[slot].figure[FIGURE_pid] > 0 ||
           (slot >= first && slot < first + service->workers);
}

static void worker_write(struct json *json, struct document *document, uint32_t slot,
                         enum document_buckets buckets)
{
    const struct figures *figures = &document->reading.slot[slot];
    json_open(json, NULL, '{');
    json_count(json, "index", slot);
    json_count(json, "pid", figures->figure[FIGURE_pid]);
    figures_write(json, figures);
    spreads_write(json, &document->one, depth_of(buckets, false));
    json_close(json, '}');
}

/* Workers of earlier generations that have ended are counted in the total only. */
static void workers_write(struct json *json, struct document *document,
                          enum document_buckets buckets)
{
    const struct reading *reading = &document->reading;
    spreads_clear(&document->total);
    json_open(json, "workers", '[');
    for (uint32_t i = 0; i < reading->slots; i++) {
        if (!reading_has(reading, i)) continue;
        spreads_read(&document->one, &reading->board[i]);
        spreads_merge(&document->total, &document->one);
        if (is_shown(document, i)) worker_write(json, document, i, buckets);
    }
    json_close(json, ']');
}

static void total_write(struct json *json, const struct document *document,
                        enum document_buckets buckets)
{
    json_open(json, "total", '{');
    figures_write(json, &document->reading.total);
    spreads_write(json, &document->total, depth_of(buckets, true));
    json_close(json, '}');
}

/* ---- the server and its processes ------------------------------------------------------------- */

static void addresses_write(struct json *json, const struct service *service)
{
    json_open(json, "listen", '[');
    for (uint32_t i = 0; i < service->addresses; i++) {
        char address[LISTEN_ADDRESS_TEXT_MAX], text[LISTEN_ADDRESS_TEXT_MAX + 16];
        bool local = service->address[i].address.ss_family == AF_UNIX;
        listen_address_format(&service->address[i], address, sizeof(address));
        snprintf(text, sizeof(text), local ? "%s" : "http://%s", address);
        json_text(json, NULL, text);
    }
    json_close(json, ']');
}

static void reloads_write(struct json *json, const struct status_shared *shared)
{
    json_count(json, "generation", shared->generation);
    json_count(json, "reloads", shared->reloads);
    json_count(json, "reloads_failed", shared->reloads_failed);
    if (*shared->problem)
        json_text(json, "reload_problem", shared->problem);
    else
        json_absent(json, "reload_problem");
    json_count(json, "upgrades_failed", shared->upgrades_failed);
    if (*shared->upgrade_problem)
        json_text(json, "upgrade_problem", shared->upgrade_problem);
    else
        json_absent(json, "upgrade_problem");
}

static void server_write(struct json *json, const struct document *document, double monotonic)
{
    const struct status_subject *subject = document->subject;
    const struct service *service = subject->service;
    json_open(json, "server", '{');
    json_text(json, "version", subject->version);
    json_text(json, "model", subject->model);
    json_text(json, "state", document_draining(document) ? "draining" : "serving");
    json_count(json, "pid", (uint64_t)subject->supervisor);
    reloads_write(json, subject->shared);
    json_time(json, "started_seconds", subject->started_seconds);
    json_time(json, "uptime_seconds", monotonic - (double)subject->started_ns * 1e-9);
    json_count(json, "workers", service->workers);
    json_count(json, "processes", service->processes);
    json_count(json, "connections_max", service->connections_max);
    addresses_write(json, service);
    json_text(json, "root", subject->root);
    json_count(json, "cache_bytes_max", service->store.memory_bytes_max);
    json_count(json, "memory_bytes_max", service->memory_most);
    json_close(json, '}');
}

static void process_write(struct json *json, const char *name, uint32_t index, pid_t pid,
                          bool proportional)
{
    struct proc proc;
    uint64_t bytes = 0;
    if (!proc_read(pid, &proc)) return;
    json_open(json, NULL, '{');
    json_text(json, "name", name);
    json_count(json, "index", index);
    json_count(json, "pid", (uint64_t)pid);
    json_number(json, "cpu_user_seconds", proc.cpu_user_seconds);
    json_number(json, "cpu_system_seconds", proc.cpu_system_seconds);
    json_count(json, "resident_bytes", proc.resident_bytes);
    if (proportional && proc_read_proportional(pid, &bytes))
        json_count(json, "proportional_bytes", bytes);
    else
        json_absent(json, "proportional_bytes");
    json_count(json, "descriptors", proc.descriptors);
    json_count(json, "threads", proc.threads);
    json_count(json, "voluntary_switches", proc.voluntary_switches);
    json_count(json, "involuntary_switches", proc.involuntary_switches);
    json_close(json, '}');
}

static void processes_write(struct json *json, const struct document *document, bool proportional)
{
    const struct status_shared *shared = document->subject->shared;
    json_open(json, "processes", '[');
    process_write(json, "supervisor", 0, document->subject->supervisor, proportional);
    for (uint32_t i = 0; i < shared->count; i++)
        process_write(json, shared->process[i].name, shared->process[i].index,
                      shared->process[i].pid, proportional);
    json_close(json, ']');
}

void document_json(struct document *document, struct document_wishes wishes, FILE *out)
{
    struct json json = {.out = out};
    double monotonic = clock_seconds(CLOCK_MONOTONIC);
    reading_take(&document->reading);
    json_open(&json, NULL, '{');
    json_count(&json, "schema", 1);
    server_write(&json, document, monotonic);
    json_time(&json, "time_seconds", clock_seconds(CLOCK_REALTIME));
    json_time(&json, "monotonic_seconds", monotonic);
    json_number(&json, "unit_seconds", UNIT_SECONDS);
    json_count(&json, "sub_buckets", HISTOGRAM_SPLIT);
    json_count(&json, "exact_below", HISTOGRAM_EXACT);
    workers_write(&json, document, wishes.buckets);
    total_write(&json, document, wishes.buckets);
    processes_write(&json, document, wishes.processes);
    json_close(&json, '}');
    putc_unlocked('\n', out);
}
