/*
 * The report for programs: what happened while the command ran, with the names and units of
 * status.json. What was not measured, or not printed by the client, is null.
 */
#include "tool/report.h"

#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/gathered.h"
#include "tool/explain.h"
#include "zcserve/close_reason.h"

#define GATHERED_BYTES_MAX (1024 * 1024)
#define REPORT_SCHEMA 1

/* Sets a number, or null when it is not finite. */
static void number_set(json_t *object, const char *name, double number)
{
    json_object_set_new(object, name, isfinite(number) ? json_real(number) : json_null());
}

static void count_set(json_t *object, const char *name, uint64_t count)
{
    json_object_set_new(object, name, json_integer((json_int_t)count));
}

static json_t *distribution_json(const struct distribution *all, double unit, const char *suffix)
{
    static const struct {
        const char *name;
        double share;
    } shares[] = {{"p50", 0.5}, {"p90", 0.9}, {"p99", 0.99}, {"p999", 0.999}, {"max", 1}};
    char name[32];
    if (!all || all->count == 0) return json_null();
    json_t *object = json_object();
    count_set(object, "count", all->count);
    snprintf(name, sizeof(name), "mean%s", suffix);
    number_set(object, name, (double)all->sum / (double)all->count * unit);
    for (size_t i = 0; i < sizeof(shares) / sizeof(shares[0]); i++) {
        snprintf(name, sizeof(name), "%s%s", shares[i].name, suffix);
        number_set(object, name, distribution_percentile(all, shares[i].share) * unit);
    }
    return object;
}

static json_t *seconds_json(const struct distribution *all)
{
    return distribution_json(all, HISTOGRAM_UNIT_NS / 1e9, "_seconds");
}

static json_t *phase_json(const struct slot_snapshot *total, enum phase phase)
{
    json_t *object = json_object();
    struct distribution all = {0};
    slot_snapshot_latency(total, phase, SOURCE_COUNT, &all);
    json_object_set_new(object, "all", seconds_json(&all));
    for (int i = 0; i < SOURCE_COUNT; i++) {
        const char *name = i == SOURCE_NONE ? "none" : source_name((enum source)i);
        if (total->latency[phase][i] && total->latency[phase][i]->count > 0)
            json_object_set_new(object, name, seconds_json(total->latency[phase][i]));
    }
    return object;
}

static json_t *counters_json(const struct slot_snapshot *total)
{
    json_t *object = json_object();
#define COUNTER(name, unit, help) count_set(object, #name, total->name);
#define GAUGE(name, unit, help)
#include "zcserve/counters.def"
#undef COUNTER
#undef GAUGE
    return object;
}

static json_t *closed_json(const struct slot_snapshot *total)
{
    json_t *object = json_object();
    for (int i = 0; i < CLOSE_REASON_COUNT; i++)
        if (i != CLOSE_NONE)
            count_set(object, close_reason_name((enum close_reason)i), total->closed[i]);
    return object;
}

static json_t *refused_json(const struct slot_snapshot *total)
{
    json_t *object = json_object();
    for (int i = 0; i < REFUSAL_COUNT; i++)
        if (i != REFUSAL_NONE)
            count_set(object, refusal_name((enum refusal)i), total->refused_for[i]);
    return object;
}

static json_t *calls_json(const struct slot_snapshot *total)
{
    json_t *object = json_object();
    for (int i = 0; i < CALL_COUNT; i++)
        count_set(object, call_name((enum call)i), total->calls[i]);
    return object;
}

static json_t *latency_json(const struct slot_snapshot *total)
{
    json_t *object = json_object();
    for (int i = 0; i < PHASE_COUNT; i++)
        json_object_set_new(object, phase_name((enum phase)i), phase_json(total, (enum phase)i));
    return object;
}

static json_t *server_json(const struct snapshot *server)
{
    json_t *object = json_object();
    json_object_set_new(object, "version", json_string(server->version));
    json_object_set_new(object, "model", json_string(server->model));
    json_object_set_new(object, "state", json_string(server->state));
    json_object_set_new(object, "listen", json_string(server->listen));
    count_set(object, "workers", server->workers);
    return object;
}

static json_t *command_json(const struct report *report)
{
    json_t *object = json_object(), *words = json_array();
    for (char *const *word = report->command; *word; word++) {
        json_t *text = json_string(*word); /* NULL when it is not UTF-8 */
        json_array_append_new(words, text ? text : json_null());
    }
    json_object_set_new(object, "arguments", words);
    json_object_set_new(object, "exit_code", json_integer(report->child->code));
    number_set(object, "seconds", report->child->seconds);
    number_set(object, "cpu_user_seconds", report->child->user_seconds);
    number_set(object, "cpu_system_seconds", report->child->system_seconds);
    return object;
}

static json_t *client_json(const struct load_client *client)
{
    if (!client->name) return json_null();
    json_t *object = json_object();
    json_object_set_new(object, "name", json_string(client->name));
    number_set(object, "resolution_seconds", client->resolution_ns / 1e9);
    for (int i = 0; i < CLIENT_FIGURES; i++) {
        bool is_time = i >= CLIENT_MEAN_NS;
        number_set(object, client_figure_name((enum client_figure)i),
                   client->figure[i] / (is_time ? 1e9 : 1));
    }
    return object;
}

static json_t *explanation_json(const struct report *report)
{
    struct gathered gathered;
    char *rest = NULL;
    json_t *lines = json_array();
    FILE *out = gathered_open(&gathered, GATHERED_BYTES_MAX);
    if (!out) return lines;
    explain(report->interval, report->client, report->child, out);
    if (!gathered_close(&gathered, out)) return lines;
    for (char *line = strtok_r(gathered.text, "\n", &rest); line;
         line = strtok_r(NULL, "\n", &rest))
        json_array_append_new(lines, json_string(line));
    free(gathered.text);
    return lines;
}

static void per_request_set(json_t *root, const struct interval *f)
{
    json_t *object = json_object();
    double requests = f->total.requests > 0 ? (double)f->total.requests : NAN;
    number_set(object, "cpu_user_seconds", f->user_seconds / requests);
    number_set(object, "cpu_system_seconds", f->system_seconds / requests);
    number_set(object, "calls", slot_calls_per_request(&f->total));
    json_object_set_new(root, "per_request", object);
}

static json_t *report_object(const struct report *report)
{
    const struct interval *f = report->interval;
    const struct slot_snapshot *total = &f->total;
    json_t *root = json_object();
    count_set(root, "schema", REPORT_SCHEMA);
    number_set(root, "seconds", f->seconds);
    json_object_set_new(root, "server", server_json(report->server));
    json_object_set_new(root, "command", command_json(report));
    json_object_set_new(root, "counters", counters_json(total));
    json_object_set_new(root, "closed", closed_json(total));
    json_object_set_new(root, "refused_for", refused_json(total));
    json_object_set_new(root, "calls", calls_json(total));
    json_object_set_new(root, "latency", latency_json(total));
    json_object_set_new(root, "turn", seconds_json(total->measure[MEASURE_TURN]));
    json_object_set_new(root, "batch", distribution_json(total->measure[MEASURE_BATCH], 1, ""));
    json_object_set_new(root, "requests_per_connection",
                        distribution_json(total->measure[MEASURE_REQUESTS], 1, ""));
    number_set(root, "cpu_user_seconds", f->user_seconds);
    number_set(root, "cpu_system_seconds", f->system_seconds);
    per_request_set(root, f);
    number_set(root, "cache_hit_share", slot_hit_share(total));
    number_set(root, "turn_share", turn_share(f));
    json_object_set_new(root, "client", client_json(report->client));
    json_object_set_new(root, "explanation", explanation_json(report));
    return root;
}

bool report_json(const struct report *report, FILE *out)
{
    json_t *root = report_object(report);
    bool written =
        json_dumpf(root, out, JSON_COMPACT | JSON_ENSURE_ASCII | JSON_REAL_PRECISION(9)) == 0;
    json_decref(root);
    return written && fputc('\n', out) != EOF;
}
