/*
 * Where the core, the store, the counters and the log meet: this file answers RESOLVE from the
 * store and turns SETTLE into counters and a log line. It touches no socket.
 */
#include "zcserve/worker.h"
#include "zcserve/log.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

static int log_open_for(struct worker *w, const struct service *service)
{
    w->log = NULL;
    if (!service->recorder) return 0;
    w->log =
        access_log_open(service->recorder->sender, service->log_format, service->log_buffer_bytes,
                        service->log_interval_ns, &w->stats->log_dropped);
    return w->log ? 0 : -1;
}

int worker_open(struct worker *w, const struct service *service, uint32_t index)
{
    char problem[256];
    *w = (struct worker){.index = index, .rules = service->rules};
    w->stats = &service->board[index];
    stats_set(&w->stats->connections, 0); /* those of a predecessor died with it */
    now_read(&w->now);
    int error = slab_open(&w->works, conn_work_size(&w->rules), service->connections_max);
    if (error != 0) {
        log_error("no memory for %u connections: %s", service->connections_max, strerror(-error));
        return -1;
    }
    w->store = store_open(&service->store, problem, sizeof(problem));
    if (!w->store) {
        log_error("%s", problem);
        return -1;
    }
    if (log_open_for(w, service) != 0) {
        log_error("no memory for the access log");
        return -1;
    }
    return 0;
}

void worker_close(struct worker *w)
{
    worker_tick(w);
    if (w->log) access_log_close(w->log);
    if (w->fetcher) /* first: errands that nobody waits for any more still use the store's options */
        fetcher_close(w->fetcher);
    store_close(w->store);
    slab_close(&w->works);
}

int worker_never_waits(struct worker *w, uint32_t clients)
{
    w->fetcher = fetcher_open(clients);
    if (!w->fetcher) log_error("no memory for the helpers that wait for the disk");
    return w->fetcher ? 0 : -1;
}

/* Parks the connection until the path is in the kernel's caches. */
static void worker_park(struct worker *w, struct client *client)
{
    struct conn *c = &client->conn;
    struct errand *errand = store_errand(w->store, conn_lookup(c));
    if (errand && fetcher_path(w->fetcher, client, errand))
        conn_parked(c);
    else
        conn_resolved(c, (struct resolution){.kind = RESOLUTION_BUSY}, &w->now);
}

static void worker_resolve(struct worker *w, struct client *client)
{
    struct conn *c = &client->conn;
    bool at_once = w->fetcher && !client->fetched;
    if (!w->store_is_current) store_refresh(w->store, &w->now);
    w->store_is_current = true;
    client->fetched = false;
    struct resolution found = at_once ? store_resolve_at_once(w->store, conn_lookup(c), &w->now)
                                      : store_resolve(w->store, conn_lookup(c), &w->now);
    if (found.kind == RESOLUTION_COLD)
        worker_park(w, client);
    else
        conn_resolved(c, found, &w->now);
}

static void source_count(struct stats_slot *stats, const struct exchange *exchange, uint64_t ns)
{
    switch (exchange->source) {
    case SOURCE_MEMORY:
        stats_add(&stats->memory_bytes, exchange->content_bytes);
        stats_add(&stats->memory_ns, ns);
        break;
    case SOURCE_PAGE_CACHE:
        stats_add(&stats->page_cache_bytes, exchange->content_bytes);
        stats_add(&stats->page_cache_ns, ns);
        break;
    case SOURCE_DISK:
        stats_add(&stats->disk_bytes, exchange->content_bytes);
        stats_add(&stats->disk_ns, ns);
        break;
    case SOURCE_NONE:
    case SOURCE_COUNT: break;
    }
}

static void exchange_count(struct stats_slot *stats, const struct exchange *exchange)
{
    stats_add(&stats->requests, 1);
    switch (exchange->status / 100) {
    case 2: stats_add(&stats->answers_2xx, 1); break;
    case 3: stats_add(&stats->answers_3xx, 1); break;
    case 4: stats_add(&stats->answers_4xx, 1); break;
    default: stats_add(&stats->answers_5xx, 1); break;
    }
}

static void exchange_log(struct worker *w, const struct client *client,
                         const struct exchange *exchange)
{
    struct access_record record = {
        .peer = (const struct sockaddr *)&client->peer,
        .method = exchange->method,
        .target = exchange->target,
        .version = exchange->version,
        .referer = exchange->referer,
        .user_agent = exchange->user_agent,
        .host = exchange->host,
        .status = exchange->status,
        .coding = exchange->coding,
        .source = exchange->source,
        .content_bytes = exchange->content_bytes,
        .duration_ns = w->now.monotonic_ns - exchange->begun_ns,
        .worker = w->index,
    };
    access_log_write(w->log, &record, &w->now);
}

static void worker_settle(struct worker *w, struct client *client)
{
    const struct exchange *exchange = conn_exchange(&client->conn);
    exchange_count(w->stats, exchange);
    source_count(w->stats, exchange, w->now.monotonic_ns - exchange->begun_ns);
    if (w->log) exchange_log(w, client, exchange);
    const struct representation *lent = conn_settled(&client->conn, &w->now);
    if (lent) store_return(w->store, lent);
}

enum conn_step worker_advance(struct worker *w, struct client *client)
{
    struct conn *c = &client->conn;
    for (;;) {
        switch (conn_next(c)) {
        case CONN_RESOLVE: worker_resolve(w, client); break;
        case CONN_SETTLE: worker_settle(w, client); break;
        case CONN_RECEIVE:
        case CONN_PARKED:
        case CONN_SEND:
        case CONN_HALF_CLOSE:
        case CONN_CLOSE: return conn_next(c);
        }
    }
}

void accept_paused(struct stats_slot *stats, const char *why)
{
    if (stats_read(&stats->accept_pauses) == 0)
        log_warn("accepting stops for a while: %s (said once, counted from now on)", why);
    stats_add(&stats->accept_pauses, 1);
}

/* A store counts from 0; the slot goes on from where a predecessor left it. */
static void counts_add(struct stats_slot *stats, struct store_counts *reported,
                       const struct store_counts *counts)
{
    stats_add(&stats->cache_hits, counts->hits - reported->hits);
    stats_add(&stats->cache_misses, counts->misses - reported->misses);
    stats_add(&stats->cache_evictions, counts->evictions - reported->evictions);
    stats_add(&stats->cache_invalidations, counts->invalidations - reported->invalidations);
    stats_set(&stats->cache_bytes, counts->bytes);
    stats_set(&stats->cache_entries, counts->entries);
    *reported = *counts;
}

bool worker_tick(struct worker *w)
{
    const char *notice;
    counts_add(w->stats, &w->reported, store_counts(w->store));
    while ((notice = store_notice(w->store)) != NULL)
        log_warn("%s", notice);
    return w->log && access_log_flush(w->log, &w->now) != UINT64_MAX;
}
