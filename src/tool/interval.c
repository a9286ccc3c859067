/*
 * Subtracts an earlier reading from a later one, and computes figures from the difference. While
 * one server runs, counters never decrease, so a counter that decreased means that the server was
 * restarted. A figure that is not known (the CPU time of one thread of a pool) is NAN.
 */
#include "tool/interval.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- differences ----------------------------------------------------------------------------- */

/* Subtracts. Returns NULL, or `name` when the counter decreased. */
static const char *less_since(uint64_t *counter, uint64_t before, const char *name)
{
    if (*counter < before) return name;
    *counter -= before;
    return NULL;
}

static const char *counters_since(struct slot_snapshot *slot, const struct slot_snapshot *before)
{
    const char *shrank = NULL;
#define COUNTER(name, unit, help) \
    if (!shrank) shrank = less_since(&slot->name, before->name, #name);
#define GAUGE(name, unit, help)
#include "zcserve/counters.def"
#undef COUNTER
#undef GAUGE
    for (int i = 0; i < CLOSE_REASON_COUNT && !shrank; i++)
        shrank = less_since(&slot->closed[i], before->closed[i], "closed");
    for (int i = 0; i < REFUSAL_COUNT && !shrank; i++)
        shrank = less_since(&slot->refused_for[i], before->refused_for[i], "refused_for");
    for (int i = 0; i < CALL_COUNT && !shrank; i++)
        shrank = less_since(&slot->calls[i], before->calls[i], "calls");
    return shrank;
}

/* Subtracts. A sum may seem to decrease by one unit, because it was rounded when it was printed. */
static const char *since(struct distribution *now, const struct distribution *before)
{
    if (!before) return NULL;
    if (!now) return "a histogram";
    for (uint32_t i = 0; i < HISTOGRAM_BUCKETS; i++)
        if (now->bucket[i] < before->bucket[i]) return "a histogram";
    if (now->sum < before->sum) now->sum = before->sum;
    distribution_since(now, before);
    return NULL;
}

static const char *distributions_since(struct slot_snapshot *slot,
                                       const struct slot_snapshot *before)
{
    const char *shrank = NULL;
    for (int phase = 0; phase < PHASE_COUNT; phase++)
        for (int source = 0; source < SOURCE_COUNT && !shrank; source++)
            shrank = since(slot->latency[phase][source], before->latency[phase][source]);
    for (int i = 0; i < MEASURE_COUNT && !shrank; i++)
        shrank = since(slot->measure[i], before->measure[i]);
    return shrank;
}

static struct distribution *copied(const struct distribution *from)
{
    struct distribution *copy = from ? malloc(sizeof(*copy)) : NULL;
    if (copy) *copy = *from;
    return copy;
}

static void slot_copy(struct slot_snapshot *into, const struct slot_snapshot *from)
{
    *into = *from;
    for (int phase = 0; phase < PHASE_COUNT; phase++)
        for (int source = 0; source < SOURCE_COUNT; source++)
            into->latency[phase][source] = copied(from->latency[phase][source]);
    for (int i = 0; i < MEASURE_COUNT; i++)
        into->measure[i] = copied(from->measure[i]);
}

static const char *slot_since(struct slot_snapshot *out, const struct slot_snapshot *now,
                              const struct slot_snapshot *before)
{
    slot_copy(out, now);
    if (!before) return NULL;
    const char *shrank = counters_since(out, before);
    return shrank ? shrank : distributions_since(out, before);
}

static const struct slot_snapshot *worker_find(const struct snapshot *snapshot, uint32_t index)
{
    for (uint32_t i = 0; i < snapshot->workers; i++)
        if (snapshot->worker[i].index == index) return &snapshot->worker[i];
    return NULL;
}

static const char *workers_since(struct interval *out, const struct snapshot *before,
                                 const struct snapshot *now)
{
    const char *shrank = NULL;
    out->worker = calloc(now->workers + 1, sizeof(*out->worker));
    if (!out->worker) return "memory";
    for (uint32_t i = 0; i < now->workers && !shrank; i++)
        shrank = slot_since(&out->worker[out->workers++], &now->worker[i],
                            worker_find(before, now->worker[i].index));
    return shrank;
}

/* ---- CPU ------------------------------------------------------------------------------------- */

static const struct process_snapshot *process_find(const struct snapshot *snapshot, uint64_t pid)
{
    for (uint32_t i = 0; i < snapshot->processes; i++)
        if (snapshot->process[i].pid == pid) return &snapshot->process[i];
    return NULL;
}

static void process_since(struct interval *out, const struct process_snapshot *now,
                          const struct process_snapshot *before)
{
    struct process_cpu *cpu = &out->process[out->processes++];
    *cpu = (struct process_cpu){.index = now->index, .pid = now->pid};
    memcpy(cpu->name, now->name, sizeof(cpu->name));
    cpu->user_seconds = fmax(0, now->user_seconds - (before ? before->user_seconds : 0));
    cpu->system_seconds = fmax(0, now->system_seconds - (before ? before->system_seconds : 0));
    if (strcmp(cpu->name, "worker") != 0) return;
    out->user_seconds += cpu->user_seconds;
    out->system_seconds += cpu->system_seconds;
}

static const char *processes_since(struct interval *out, const struct snapshot *before,
                                   const struct snapshot *now)
{
    out->process = calloc(now->processes + 1, sizeof(*out->process));
    if (!out->process) return "memory";
    for (uint32_t i = 0; i < now->processes; i++)
        process_since(out, &now->process[i], process_find(before, now->process[i].pid));
    for (uint32_t i = 0; i < before->processes; i++)
        if (!process_find(now, before->process[i].pid)) out->replaced++;
    return NULL;
}

/* ---- both readings --------------------------------------------------------------------------- */

static int not_further(struct interval *out, char *problem, const char *why)
{
    snprintf(problem, INTERVAL_PROBLEM_MAX, "the two readings cannot be compared: %s", why);
    interval_free(out);
    return -1;
}

int interval_between(struct interval *out, const struct snapshot *before,
                     const struct snapshot *now, char *problem)
{
    char why[128];
    *out = (struct interval){.seconds = now->monotonic_seconds - before->monotonic_seconds};
    if (fabs(now->started_seconds - before->started_seconds) > 0.5 || !(out->seconds > 0))
        return not_further(out, problem, "the server was started again between them");
    const char *shrank = slot_since(&out->total, &now->total, &before->total);
    if (!shrank) shrank = workers_since(out, before, now);
    if (!shrank) shrank = processes_since(out, before, now);
    if (!shrank) return 0;
    snprintf(why, sizeof(why), "%s decreased: was the server started again between them?", shrank);
    return not_further(out, problem, why);
}

void interval_free(struct interval *interval)
{
    slot_snapshot_free(&interval->total);
    for (uint32_t i = 0; i < interval->workers; i++)
        slot_snapshot_free(&interval->worker[i]);
    free(interval->worker);
    free(interval->process);
    *interval = (struct interval){0};
}

/* ---- what is computed from them -------------------------------------------------------------- */

static struct distribution latency_of(const struct slot_snapshot *slot, enum phase phase,
                                      enum source source)
{
    struct distribution all = {0};
    slot_snapshot_latency(slot, phase, source, &all);
    return all;
}

static double mean_of(const struct distribution *distribution)
{
    bool any = distribution && distribution->count > 0;
    return any ? (double)distribution->sum / (double)distribution->count : 0;
}

double slot_percentile_ns(const struct slot_snapshot *slot, enum phase phase, enum source source,
                          double share)
{
    struct distribution all = latency_of(slot, phase, source);
    return all.count > 0 ? distribution_percentile(&all, share) * HISTOGRAM_UNIT_NS : 0;
}

double slot_mean_ns(const struct slot_snapshot *slot, enum phase phase)
{
    struct distribution all = latency_of(slot, phase, SOURCE_COUNT);
    return mean_of(&all) * HISTOGRAM_UNIT_NS;
}

uint64_t slot_measured(const struct slot_snapshot *slot, enum phase phase, enum source source)
{
    return latency_of(slot, phase, source).count;
}

double slot_measure(const struct slot_snapshot *slot, enum measure measure, double share)
{
    const struct distribution *all = slot->measure[measure];
    return all && all->count > 0 ? distribution_percentile(all, share) : 0;
}

double slot_measure_mean(const struct slot_snapshot *slot, enum measure measure)
{
    return mean_of(slot->measure[measure]);
}

double slot_stall_ns(const struct slot_snapshot *slot)
{
    return slot_measure(slot, MEASURE_TURN, 1) * HISTOGRAM_UNIT_NS;
}

double slot_calls_per_request(const struct slot_snapshot *slot)
{
    uint64_t calls = 0;
    for (int i = 0; i < CALL_COUNT; i++)
        calls += slot->calls[i];
    return slot->requests > 0 ? (double)calls / (double)slot->requests : NAN;
}

double slot_hit_share(const struct slot_snapshot *slot)
{
    double lookups = (double)slot->cache_hits + (double)slot->cache_misses;
    return lookups > 0 ? (double)slot->cache_hits / lookups : NAN;
}

double worker_cpu_seconds(const struct interval *interval, uint32_t worker)
{
    uint64_t pid = interval->worker[worker].process;
    for (uint32_t i = 0; i < interval->workers; i++)
        if (i != worker && interval->worker[i].process == pid) return NAN;
    for (uint32_t i = 0; i < interval->processes && pid > 0; i++)
        if (interval->process[i].pid == pid)
            return interval->process[i].user_seconds + interval->process[i].system_seconds;
    return NAN;
}
