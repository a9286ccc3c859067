/*
 * Where the core, the store, the counters and the log meet: answers RESOLVE from the store, and
 * counts and logs each exchange at SETTLE. No socket is used here.
 */
#include "worker/front.h"
#include "admission.h"
#include "limited.h"
#include "park.h"
#include "probe.h"
#include "zcserve/log.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int log_open_for(struct worker *w, const struct service *service)
{
    w->log = NULL;
    if (!service->recorder) return 0;
    w->log = access_log_open(service->recorder->sender, service->log_format, w->index,
                             service->log_buffer_bytes, service->log_interval_ns,
                             &w->stats->log_dropped);
    return w->log ? 0 : -1;
}

static void stats_begin(struct stats_slot *stats)
{
    stats_begin_anew(stats);
    stats_set(&stats->pid, (uint64_t)getpid());
    stats_add(&stats->starts, 1);
}

static void worker_product_end(struct worker *w)
{
    store_adopt(w->store, w->product);
    errand_free(w->product);
    w->product = NULL;
}

static void parts_close(struct worker *w)
{
    if (w->product) worker_product_end(w);
    if (w->log) access_log_close(w->log);
    if (w->fetcher) /* first: running errands still use the options of the store */
        fetcher_close(w->fetcher);
    if (w->store) store_close(w->store);
    guard_close(w->guard);
    slab_close(&w->works);
}

static int parts_open(struct worker *w, const struct service *service)
{
    char problem[256];
    int error = slab_open(&w->works, conn_work_size(w->rules), service->connections_max);
    if (error != 0) {
        log_error("not enough memory for %u connections (%s); lower 'connections'",
                  service->connections_max, strerror(-error));
        return -1;
    }
    w->store = store_open(&service->store, problem, sizeof(problem));
    if (!w->store) {
        log_error("%s", problem);
        return -1;
    }
    if (service->guard_memory && !(w->guard = guard_open(service->guard_memory))) {
        log_error("not enough memory to remember passwords");
        return -1;
    }
    if (log_open_for(w, service) != 0) {
        log_error("not enough memory for the access log");
        return -1;
    }
    return 0;
}

int worker_open(struct worker *w, const struct service *service, uint32_t index)
{
    *w = (struct worker){.index = index,
                         .rules = &service->rules,
                         .quotas = service->quotas,
                         .limits_requests = service->quotas && service->quota.requests > 0,
                         .paces = service->quotas && service->quota.bandwidth > 0,
                         .fetches_of_one = service->fetches_of_one,
                         .waits_for_disk = service->waits_for_disk};
    w->front = front_asks(service) ? service : NULL;
    if (w->rules->request_id) arc4random_buf(&w->ids.base, sizeof(w->ids.base));
    if (w->quotas) quotas_worker_ended(w->quotas, index); /* gives back what an earlier one held */
    w->stats = &service->board[index];
    stats_begin(w->stats);
    now_read(&w->now);
    w->woke_ns = w->now.monotonic_ns;
    int result = parts_open(w, service);
    if (result != 0) parts_close(w);
    return result;
}

void worker_close(struct worker *w)
{
    worker_tick(w);
    stats_set(&w->stats->pid, 0);
    parts_close(w);
}

int worker_never_waits(struct worker *w, uint32_t fetches)
{
    deadlines_open(&w->deadlines, w->now.monotonic_ns);
    w->fetcher = fetcher_open(fetches, w->fetches_of_one, w->store);
    if (!w->fetcher)
        log_error("memory or descriptors ran out while preparing the threads that read the disk");
    return w->fetcher ? 0 : -1;
}

static void answer(struct worker *w, struct client *client, struct stream *s,
                   struct resolution found)
{
    if (w->rules->server_timing) now_read(&w->now);
    const struct representation *unneeded = conn_resolved(&client->conn, s, found, &w->now);
    client->charged = conn_asks_again(s);
    if (unneeded) store_return(w->store, unneeded);
}

/* Answers the stream's lookup with BUSY: what it asks for is not available now. */
static void worker_give_up(struct worker *w, struct client *client, struct stream *s)
{
    answer(w, client, s, (struct resolution){.kind = RESOLUTION_BUSY});
}

/* Parks the stream until its path is in the kernel's caches. */
static void worker_park(struct worker *w, struct client *client, struct stream *s)
{
    struct errand *errand = store_errand(w->store, conn_lookup(s));
    if (errand && client_run(client, w, errand))
        client_park(client, s);
    else
        worker_give_up(w, client, s);
}

/* Too many files are lent open. */
static void worker_wait(struct worker *w, struct client *client, struct stream *s)
{
    if (!client_awaits_place(client, w, s, conn_deadline_ns(&client->conn)))
        worker_give_up(w, client, s);
}

/* Runs an errand with a product here and now. */
static void worker_make(struct worker *w)
{
    errand_run(w->product);
    worker_product_end(w);
}

/*
 * Has a shorter coding made, while the client gets what there is. A worker that has no threads for it
 * does it itself, after the response.
 */
static void worker_improve(struct worker *w, const struct lookup *lookup)
{
    if (w->product) return;
    struct errand *errand = store_product(w->store, lookup, &w->now);
    if (errand && w->fetcher)
        fetcher_make(w->fetcher, errand);
    else
        w->product = errand;
}

static void worker_look_up(struct worker *w, struct client *client, struct stream *s)
{
    const struct lookup *lookup = conn_lookup(s);
    bool fetched = client->wait.disk == DISK_FETCHED;
    enum patience patience = worker_is_patient(w) || fetched ? MAY_WAIT : AT_ONCE;
    if (!w->store_is_current) store_refresh(w->store, &w->now);
    w->store_is_current = true;
    if (fetched) client->wait.disk = DISK_IDLE;
    struct resolution found = store_resolve(w->store, lookup, patience, &w->now);
    if (found.improvable) worker_improve(w, lookup);
    PROBE_RESOLVE(w->index, client->fd, found.kind, lookup->path);
    if (found.kind == RESOLUTION_COLD)
        worker_park(w, client, s);
    else if (found.kind == RESOLUTION_CROWDED)
        worker_wait(w, client, s);
    else
        answer(w, client, s, found);
}

/* Answers a request that asks: its credentials, then its lookup. */
static void worker_resolve(struct worker *w, struct client *client)
{
    struct stream *s = conn_asking(&client->conn);
    const struct credentials *credentials = w->guard ? conn_credentials(&client->conn, s) : NULL;
    bool may_ask = !w->limits_requests || client_may_ask(client, w);
    if (credentials)
        client_admit(client, w, s, may_ask ? credentials : NULL);
    else if (may_ask)
        worker_look_up(w, client, s);
    else
        answer(w, client, s, (struct resolution){.kind = RESOLUTION_LIMITED});
}

static void exchange_trace(const struct worker *w, const struct client *client,
                           const struct exchange *x)
{
    if (x->whole)
        PROBE_PHASES(x->queue_ns, x->headed_ns - x->begun_ns, x->ready_ns - x->headed_ns,
                     x->first_ns - x->ready_ns, x->done_ns - x->first_ns);
    PROBE_REQUEST_DONE(w->index, client->fd, x->status, x->source, x->done_ns - x->begun_ns,
                       x->target);
}

static void worker_settle(struct worker *w, struct client *client)
{
    const struct exchange *exchange = conn_exchange(&client->conn, &w->now);
    const struct representation *lent = exchange->lent;
    stats_exchange(w->stats, exchange);
    if (w->limits_requests) client_charge(client, w, exchange);
    exchange_trace(w, client, exchange);
    if (exchange->refused != REFUSAL_NONE) front_refused(client, exchange->refused);
    if (w->log) access_log_write(w->log, exchange, (const struct sockaddr *)&client->peer, &w->now);
    conn_settled(&client->conn, &w->now);
    if (lent) store_return(w->store, lent);
    if (w->product) worker_make(w);
}

enum conn_step worker_advance(struct worker *w, struct client *client)
{
    struct conn *c = &client->conn;
    bool resolved = false;
    for (;;) {
        switch (conn_next(c)) {
        case CONN_RESOLVE:
            worker_resolve(w, client);
            resolved = true;
            break;
        case CONN_SETTLE: worker_settle(w, client); break;
        case CONN_SEND:
            if (resolved &&
                STATS_MEASURES) { /* one reading of the clock for all responses sent together */
                now_read(&w->now);
                conn_gathered(c, &w->now);
            }
            return CONN_SEND;
        case CONN_RECEIVE:
        case CONN_PARKED:
        case CONN_HALF_CLOSE:
        case CONN_CLOSE: return conn_next(c);
        }
    }
}

int worker_watch_fd(const struct worker *w)
{
    return store_watch_fd(w->store);
}

void worker_changed(struct worker *w)
{
    now_read(&w->now);
    store_refresh(w->store, &w->now);
}

void accept_paused(struct stats_slot *stats, const char *why)
{
    if (stats_read(&stats->accept_pauses) == 0)
        log_warn("accepting paused: %s (said once; 'accept_pauses' counts it)", why);
    stats_add(&stats->accept_pauses, 1);
}

/* A store counts from 0. The slot goes on from the counts of an earlier worker. */
static void counts_add(struct stats_slot *stats, struct store_counts *reported,
                       const struct store_counts *counts)
{
    stats_add(&stats->cache_hits, counts->hits - reported->hits);
    stats_add(&stats->cache_misses, counts->misses - reported->misses);
    stats_add(&stats->cache_evictions, counts->evictions - reported->evictions);
    stats_add(&stats->cache_invalidations, counts->invalidations - reported->invalidations);
    stats_add(&stats->cache_rechecks, counts->rechecks - reported->rechecks);
    stats_add(&stats->listings, counts->listings - reported->listings);
    stats_add(&stats->compressed, counts->compressed - reported->compressed);
    stats_add(&stats->compress_worthless,
              counts->compress_worthless - reported->compress_worthless);
    stats_add(&stats->compress_discarded,
              counts->compress_discarded - reported->compress_discarded);
    stats_add(&stats->compress_in_bytes, counts->compress_in_bytes - reported->compress_in_bytes);
    stats_add(&stats->compress_out_bytes,
              counts->compress_out_bytes - reported->compress_out_bytes);
    stats_add(&stats->calls[CALL_REFRESH], counts->refreshes - reported->refreshes);
    stats_set(&stats->cache_descriptors, counts->descriptors);
    stats_set(&stats->cache_watches, counts->watches);
    stats_set(&stats->cache_bytes, counts->bytes);
    stats_set(&stats->cache_entries, counts->entries);
    *reported = *counts;
}

void worker_waits(struct worker *w)
{
    if (STATS_MEASURES) now_read(&w->now);
    uint64_t turn_ns = w->now.monotonic_ns - w->woke_ns;
    if (turn_ns > PROBE_STALL_NS) PROBE_STALL(w->index, turn_ns);
    stats_measure(w->stats, MEASURE_TURN, turn_ns / HISTOGRAM_UNIT_NS);
    stats_call(w->stats, CALL_WAIT);
    stats_awake(w->stats, 0);
}

void worker_woke(struct worker *w, uint64_t events)
{
    now_read(&w->now);
    w->woke_ns = w->now.monotonic_ns;
    stats_awake(w->stats, w->woke_ns);
    stats_measure(w->stats, MEASURE_BATCH, events);
}

bool worker_tick(struct worker *w)
{
    const char *notice;
    if (w->fetcher) fetcher_tick(w->fetcher);
    counts_add(w->stats, &w->reported, store_counts(w->store));
    if (w->guard) checks_count(w);
    while ((notice = store_notice(w->store)) != NULL)
        log_warn("%s", notice);
    return w->log && access_log_flush(w->log, &w->now) != UINT64_MAX;
}
