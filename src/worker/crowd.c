/*
 * Chooses the connection that is closed when others wait and there is no place for them. It has no
 * request under way, so nothing is cut. A connection that never sent a request goes first, then a
 * kept one. A connection that lingers after its last response goes last, because the peer may still
 * be reading. In each of these groups the one that has been quiet longest goes first.
 * A new connection gets more time than a kept one: its first request may still be on the way.
 *
 * No list is kept for this while there are places, so it costs an ordinary request nothing. A
 * limited number of connections is checked, each time from where the last check ended.
 */
#include "zcserve/log.h"
#include "zcserve/worker.h"

#include <sys/ioctl.h>

#define LOOKED_AT_MAX 64
#define QUIET_NS TICK_NS /* how long a kept connection must be quiet; a new one: SERVE_TURN_NS */

/* In the order in which connections go. */
enum rank { RANK_SILENT, RANK_KEPT, RANK_LINGERS, RANK_STAYS };

struct candidate {
    struct client *client;
    enum rank rank;
    uint64_t since_ns; /* when its peer was last active */
};

/* Returns when the wait that ends at the deadline began; 0 when that is before the clock began. */
static uint64_t since_ns(const struct conn *c, uint64_t patience_ns)
{
    return c->deadline_ns > patience_ns ? c->deadline_ns - patience_ns : 0;
}

static enum rank rank_of(const struct conn *c)
{
    if (conn_next(c) != CONN_RECEIVE) return RANK_STAYS;
    if (c->half_closed) return RANK_LINGERS;
    if (!conn_idle(c)) return RANK_STAYS;
    return c->requests > 0 ? RANK_KEPT : RANK_SILENT;
}

static struct candidate candidate_of(struct client *client, const struct worker *w)
{
    const struct conn *c = &client->conn;
    const struct conn_rules *rules = c->rules;
    uint64_t now_ns = w->now.monotonic_ns;
    struct candidate k = {.client = client, .rank = rank_of(c)};
    if (k.rank == RANK_STAYS) return k;
    k.since_ns = since_ns(c, k.rank == RANK_LINGERS  ? rules->linger_ns
                             : k.rank == RANK_SILENT ? rules->head_ns
                                                     : rules->idle_ns);
    uint64_t least_ns = k.rank == RANK_SILENT ? SERVE_TURN_NS : QUIET_NS;
    if (k.since_ns + least_ns > now_ns) k.rank = RANK_STAYS;
    return k;
}

static bool goes_before(const struct candidate *a, const struct candidate *b)
{
    return a->rank < b->rank || (a->rank == b->rank && a->since_ns < b->since_ns);
}

/* Returns whether the kernel has bytes that the peer sent: then a request is under way. */
static bool has_sent(const struct client *client)
{
    int bytes = 0;
    return ioctl(client->fd, FIONREAD, &bytes) == 0 && bytes > 0;
}

struct client *crowd_choose(const struct slab *clients, uint32_t *hand, const struct worker *w,
                            bool (*may_go)(const struct client *))
{
    struct candidate best = {.rank = RANK_STAYS};
    uint32_t count = clients->touched < LOOKED_AT_MAX ? clients->touched : LOOKED_AT_MAX;
    for (; count > 0; count--) {
        *hand = *hand + 1 < clients->touched ? *hand + 1 : 0;
        struct client *client = slab_taken_at(clients, *hand);
        if (!client || !may_go(client)) continue;
        struct candidate k = candidate_of(client, w);
        if (goes_before(&k, &best) && (k.rank == RANK_LINGERS || !has_sent(client))) best = k;
    }
    return best.client;
}

void crowd_leave(struct client *client, struct worker *w)
{
    struct conn *c = &client->conn;
    if (stats_read(&w->stats->crowded) == 0)
        log_warn("all connections or descriptors are in use, so idle connections are closed while "
                 "others wait; see 'connections' and ulimit -n (said once; 'crowded' counts it)");
    stats_add(&w->stats->crowded, 1);
    if (c->half_closed)
        conn_expired(c, &w->now);
    else
        conn_failed(c, CLOSE_CROWDED);
}
