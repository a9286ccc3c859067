/*
 * Adds an exchange to the counters of its worker.
 */
#include "zcserve/stats.h"

static void method_count(struct stats_slot *slot, enum method method)
{
    switch (method) {
    case METHOD_GET: stats_add(&slot->requests_get, 1); break;
    case METHOD_HEAD: stats_add(&slot->requests_head, 1); break;
    case METHOD_OPTIONS: stats_add(&slot->requests_options, 1); break;
    case METHOD_CONNECT:
    case METHOD_OTHER: stats_add(&slot->requests_other, 1); break;
    }
}

static void status_count(struct stats_slot *slot, uint16_t status)
{
    switch (status / 100) {
    case 2: stats_add(&slot->answers_2xx, 1); break;
    case 3: stats_add(&slot->answers_3xx, 1); break;
    case 4: stats_add(&slot->answers_4xx, 1); break;
    default: stats_add(&slot->answers_5xx, 1); break;
    }
}

static void source_count(struct stats_slot *slot, const struct exchange *x)
{
    switch (x->source) {
    case SOURCE_MEMORY: stats_add(&slot->memory_bytes, x->content_bytes); break;
    case SOURCE_PAGE_CACHE: stats_add(&slot->page_cache_bytes, x->content_bytes); break;
    case SOURCE_DISK: stats_add(&slot->disk_bytes, x->content_bytes); break;
    case SOURCE_NONE:
    case SOURCE_COUNT: break;
    }
}

/*
 * Counts only complete responses: the phases of one that was cut do not show how fast responses
 * are.
 */
static void phases_count(struct stats_slot *slot, const struct exchange *x)
{
    enum source source = x->source;
    if (!x->whole) return;
    stats_phase(slot, PHASE_QUEUE, source, x->queue_ns);
    stats_phase(slot, PHASE_HEAD, source, x->headed_ns - x->begun_ns);
    stats_phase(slot, PHASE_RESOLVE, source, x->ready_ns - x->headed_ns);
    stats_phase(slot, PHASE_FIRST, source, x->first_ns - x->ready_ns);
    stats_phase(slot, PHASE_SEND, source, x->done_ns - x->first_ns);
    stats_phase(slot, PHASE_TOTAL, source, x->queue_ns + x->done_ns - x->begun_ns);
}

void stats_exchange(struct stats_slot *slot, const struct exchange *x)
{
    stats_add(&slot->requests, 1);
    method_count(slot, x->method);
    status_count(slot, x->status);
    if (x->refused != REFUSAL_NONE) stats_add(&slot->refused_for[x->refused], 1);
    source_count(slot, x);
    phases_count(slot, x);
}

void stats_begin_anew(struct stats_slot *slot)
{
    stats_set(&slot->connections, 0);
    for (int state = 0; state < STATE_COUNT; state++)
        stats_set(&slot->connections_in[state], 0);
    stats_awake(slot, 0);
}
