/*
 * Reads status.json with jansson, which checks UTF-8 and nesting, and keeps counts as 64-bit
 * integers (a double is not exact above 2^53). The tables of stats.h say what to read: every
 * counter, reason, call, state, phase and source is looked up by its name. Everything that is read
 * is checked (snapshot.h).
 */
#include "tool/snapshot.h"

#include <jansson.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "tool/format.h"
#include "zcserve/close_reason.h"

/* The state of reading. The first problem is kept, and reading stops. */
struct reader {
    char *problem;
    bool failed;
    double unit_seconds;
};

static void problem_tell(struct reader *r, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void problem_tell(struct reader *r, const char *format, ...)
{
    if (r->failed) return;
    va_list values;
    va_start(values, format);
    vsnprintf(r->problem, SNAPSHOT_PROBLEM_MAX, format, values);
    va_end(values);
    r->failed = true;
}

/* ---- single values: an absent one is 0, a wrong one is a problem ----------------------------- */

static uint64_t count_of(struct reader *r, const json_t *value, const char *name)
{
    if (!value || json_is_null(value)) return 0;
    if (json_is_integer(value) && json_integer_value(value) >= 0)
        return (uint64_t)json_integer_value(value);
    problem_tell(r, "\"%.60s\" is not a count", name);
    return 0;
}

static uint64_t count_read(struct reader *r, const json_t *object, const char *name)
{
    return count_of(r, json_object_get(object, name), name);
}

static double number_read(struct reader *r, const json_t *object, const char *name)
{
    const json_t *value = json_object_get(object, name);
    if (!value || json_is_null(value)) return 0;
    double number = json_number_value(value);
    if (json_is_number(value) && isfinite(number) && number >= 0) return number;
    problem_tell(r, "\"%.60s\" is not a number", name);
    return 0;
}

/* Copies as much of a text as fits. Characters that could control a terminal become "?". */
static void text_of(struct reader *r, const json_t *value, const char *name, char *space,
                    size_t size)
{
    space[0] = '\0';
    if (!value || json_is_null(value)) return;
    if (!json_is_string(value)) {
        problem_tell(r, "\"%.60s\" is not a text", name);
        return;
    }
    snprintf(space, size, "%s", json_string_value(value));
    format_tame(space);
}

static void text_read(struct reader *r, const json_t *object, const char *name, char *space,
                      size_t size)
{
    text_of(r, json_object_get(object, name), name, space, size);
}

/* Returns a part, which must be an object; NULL when it is absent. */
static const json_t *object_read(struct reader *r, const json_t *object, const char *name)
{
    const json_t *value = json_object_get(object, name);
    if (!value || json_is_null(value)) return NULL;
    if (!json_is_object(value)) problem_tell(r, "\"%.60s\" is not an object", name);
    return value;
}

/* Finds a list. Returns its length; 0 when it is absent. */
static uint32_t list_read(struct reader *r, const json_t *object, const char *name,
                          const json_t **list)
{
    *list = json_object_get(object, name);
    if (*list && !json_is_array(*list)) problem_tell(r, "\"%.60s\" is not a list", name);
    size_t length = json_array_size(*list);
    if (length > SNAPSHOT_WORKERS_MAX)
        problem_tell(r, "\"%.60s\" has too many members: %zu", name, length);
    return r->failed ? 0 : (uint32_t)length;
}

/* ---- histograms ------------------------------------------------------------------------------ */

static void bucket_read(struct reader *r, const json_t *pair, struct distribution *into)
{
    if (json_array_size(pair) != 2) {
        problem_tell(r, "a bucket is not a pair");
        return;
    }
    uint64_t index = count_of(r, json_array_get(pair, 0), "buckets");
    uint64_t count = count_of(r, json_array_get(pair, 1), "buckets");
    if (index >= HISTOGRAM_BUCKETS || count > UINT64_MAX - into->count) {
        problem_tell(r, "bucket %llu cannot have the count %llu", (unsigned long long)index,
                     (unsigned long long)count);
        return;
    }
    into->bucket[index] += count;
    into->count += count;
}

/*
 * Reads a histogram; its count is the sum of its buckets, so that both agree. NULL when it is
 * empty.
 */
static struct distribution *distribution_read(struct reader *r, const json_t *object, bool of_time)
{
    const json_t *buckets = json_object_get(object, "buckets");
    if (r->failed || !object || count_read(r, object, "count") == 0) return NULL;
    if (!json_is_array(buckets)) problem_tell(r, "a histogram has no buckets");
    double sum = of_time ? number_read(r, object, "sum_seconds") / r->unit_seconds
                         : number_read(r, object, "sum");
    if (sum >= 0x1p63) problem_tell(r, "a histogram's sum is too large");
    struct distribution *into = r->failed ? NULL : calloc(1, sizeof(*into));
    if (!into) {
        problem_tell(r, "no memory");
        return NULL;
    }
    into->sum = (uint64_t)llround(sum);
    for (size_t i = 0; i < json_array_size(buckets) && !r->failed; i++)
        bucket_read(r, json_array_get(buckets, i), into);
    return into;
}

static void latency_read(struct reader *r, const json_t *latency, struct slot_snapshot *slot)
{
    for (int phase = 0; phase < PHASE_COUNT; phase++) {
        const json_t *sources = object_read(r, latency, phase_name((enum phase)phase));
        for (int source = 0; source < SOURCE_COUNT; source++) {
            const char *name = source == SOURCE_NONE ? "none" : source_name((enum source)source);
            slot->latency[phase][source] =
                distribution_read(r, object_read(r, sources, name), true);
        }
    }
}

/* ---- a slot ---------------------------------------------------------------------------------- */

static void slot_read(struct reader *r, const json_t *object, struct slot_snapshot *slot)
{
    const json_t *part = object_read(r, object, "counters");
#define COUNTER(name, unit, help) slot->name = count_read(r, part, #name);
#define GAUGE(name, unit, help)
#include "zcserve/counters.def"
#undef COUNTER
#undef GAUGE
    part = object_read(r, object, "gauges");
#define COUNTER(name, unit, help)
#define GAUGE(name, unit, help) slot->name = count_read(r, part, #name);
#include "zcserve/counters.def"
#undef COUNTER
#undef GAUGE
    part = object_read(r, object, "closed");
    for (int i = 0; i < CLOSE_REASON_COUNT; i++)
        slot->closed[i] = count_read(r, part, close_reason_name((enum close_reason)i));
    part = object_read(r, object, "refused_for");
    for (int i = 0; i < REFUSAL_COUNT; i++)
        slot->refused_for[i] = count_read(r, part, refusal_name((enum refusal)i));
    part = object_read(r, object, "calls");
    for (int i = 0; i < CALL_COUNT; i++)
        slot->calls[i] = count_read(r, part, call_name((enum call)i));
    part = object_read(r, object, "connections");
    for (int i = 0; i < STATE_COUNT; i++)
        slot->connections_in[i] =
            count_read(r, part, connection_state_name((enum connection_state)i));
    latency_read(r, object_read(r, object, "latency"), slot);
    slot->measure[MEASURE_TURN] = distribution_read(r, object_read(r, object, "turn"), true);
    slot->measure[MEASURE_BATCH] = distribution_read(r, object_read(r, object, "batch"), false);
    slot->measure[MEASURE_REQUESTS] =
        distribution_read(r, object_read(r, object, "requests_per_connection"), false);
}

static void workers_read(struct reader *r, const json_t *root, struct snapshot *out)
{
    const json_t *list;
    uint32_t length = list_read(r, root, "workers", &list);
    out->worker = calloc(length + 1, sizeof(*out->worker));
    if (!out->worker) {
        problem_tell(r, "no memory");
        return;
    }
    for (uint32_t i = 0; i < length && !r->failed; i++) {
        const json_t *object = json_array_get(list, i);
        if (!json_is_object(object)) problem_tell(r, "a worker is not an object");
        struct slot_snapshot *slot = &out->worker[out->workers++];
        slot->index = (uint32_t)count_read(r, object, "index");
        slot->process = count_read(r, object, "pid");
        slot_read(r, object, slot);
    }
}

/* ---- the rest -------------------------------------------------------------------------------- */

static void process_read(struct reader *r, const json_t *object, struct process_snapshot *process)
{
    text_read(r, object, "name", process->name, sizeof(process->name));
    process->index = (uint32_t)count_read(r, object, "index");
    process->pid = count_read(r, object, "pid");
    process->resident_bytes = count_read(r, object, "resident_bytes");
    process->proportional_bytes = count_read(r, object, "proportional_bytes");
    process->descriptors = count_read(r, object, "descriptors");
    process->threads = count_read(r, object, "threads");
    process->user_seconds = number_read(r, object, "cpu_user_seconds");
    process->system_seconds = number_read(r, object, "cpu_system_seconds");
}

static void processes_read(struct reader *r, const json_t *root, struct snapshot *out)
{
    const json_t *list;
    uint32_t length = list_read(r, root, "processes", &list);
    out->process = calloc(length + 1, sizeof(*out->process));
    if (!out->process) {
        problem_tell(r, "no memory");
        return;
    }
    for (uint32_t i = 0; i < length && !r->failed; i++)
        process_read(r, json_array_get(list, i), &out->process[out->processes++]);
}

static void server_read(struct reader *r, const json_t *server, struct snapshot *out)
{
    text_read(r, server, "version", out->version, sizeof(out->version));
    text_read(r, server, "model", out->model, sizeof(out->model));
    text_read(r, server, "state", out->state, sizeof(out->state));
    text_read(r, server, "root", out->root, sizeof(out->root));
    text_of(r, json_array_get(json_object_get(server, "listen"), 0), "listen", out->listen,
            sizeof(out->listen));
    out->started_seconds = number_read(r, server, "started_seconds");
    out->uptime_seconds = number_read(r, server, "uptime_seconds");
    out->pid = count_read(r, server, "pid");
    out->generation = count_read(r, server, "generation");
    out->reloads = count_read(r, server, "reloads");
    out->reloads_failed = count_read(r, server, "reloads_failed");
    if (json_is_string(json_object_get(server, "reload_problem")))
        text_read(r, server, "reload_problem", out->reload_problem, sizeof(out->reload_problem));
    out->upgrades_failed = count_read(r, server, "upgrades_failed");
    if (json_is_string(json_object_get(server, "upgrade_problem")))
        text_read(r, server, "upgrade_problem", out->upgrade_problem, sizeof(out->upgrade_problem));
    out->cache_bytes_max = count_read(r, server, "cache_bytes_max");
}

/* Checks what the meaning of the buckets depends on. */
static void layout_check(struct reader *r, const json_t *root)
{
    uint64_t schema = count_read(r, root, "schema");
    r->unit_seconds = number_read(r, root, "unit_seconds");
    if (!json_is_object(root) || !json_object_get(root, "schema"))
        problem_tell(r, "this is not a status of zcserve");
    else if (schema != SNAPSHOT_SCHEMA)
        problem_tell(r, "the status has schema %llu, but this program reads %d",
                     (unsigned long long)schema, SNAPSHOT_SCHEMA);
    else if (fabs(r->unit_seconds * 1e9 - HISTOGRAM_UNIT_NS) > 1e-6 ||
             count_read(r, root, "sub_buckets") != HISTOGRAM_SPLIT ||
             count_read(r, root, "exact_below") != HISTOGRAM_EXACT)
        problem_tell(r, "the status has another layout of histograms than this program");
    else if (!json_is_object(json_object_get(root, "total")))
        problem_tell(r, "the status has no total");
}

static void root_read(struct reader *r, const json_t *root, struct snapshot *out)
{
    layout_check(r, root);
    if (r->failed) return;
    out->time_seconds = number_read(r, root, "time_seconds");
    out->monotonic_seconds = number_read(r, root, "monotonic_seconds");
    server_read(r, object_read(r, root, "server"), out);
    slot_read(r, json_object_get(root, "total"), &out->total);
    workers_read(r, root, out);
    processes_read(r, root, out);
}

int snapshot_parse(const char *text, size_t length, struct snapshot *out, char *problem)
{
    json_error_t error;
    struct reader r = {.problem = problem};
    *out = (struct snapshot){0};
    json_t *root = json_loadb(text, length, JSON_REJECT_DUPLICATES, &error);
    if (!root) {
        snprintf(problem, SNAPSHOT_PROBLEM_MAX, "the status is not JSON: line %d: %s", error.line,
                 error.text);
        format_tame(problem); /* it quotes the text */
        return -1;
    }
    root_read(&r, root, out);
    json_decref(root);
    if (r.failed) snapshot_free(out);
    return r.failed ? -1 : 0;
}

void slot_snapshot_free(struct slot_snapshot *slot)
{
    for (int phase = 0; phase < PHASE_COUNT; phase++)
        for (int source = 0; source < SOURCE_COUNT; source++) {
            free(slot->latency[phase][source]);
            slot->latency[phase][source] = NULL;
        }
    for (int i = 0; i < MEASURE_COUNT; i++) {
        free(slot->measure[i]);
        slot->measure[i] = NULL;
    }
}

void snapshot_free(struct snapshot *snapshot)
{
    slot_snapshot_free(&snapshot->total);
    for (uint32_t i = 0; i < snapshot->workers; i++)
        slot_snapshot_free(&snapshot->worker[i]);
    free(snapshot->worker);
    free(snapshot->process);
    *snapshot = (struct snapshot){0};
}

void slot_snapshot_latency(const struct slot_snapshot *slot, enum phase phase, enum source source,
                           struct distribution *into)
{
    for (int i = 0; i < SOURCE_COUNT; i++)
        if ((source == SOURCE_COUNT || i == (int)source) && slot->latency[phase][i])
            distribution_merge(into, slot->latency[phase][i]);
}
