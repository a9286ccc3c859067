/*
 * Where connections meet the limits of quota.h: at the accept, before a lookup, and before a send. A
 * connection without a hold is not limited, and all functions here return at once.
 */
#include "limited.h"

#include "zcserve/log.h"

static void uncounted(struct worker *w)
{
    if (stats_read(&w->stats->limited_not) == 0)
        log_warn("so many addresses have connections that some are not limited; see "
                 "limits.addresses (said once; 'limited_not' counts it)");
    stats_add(&w->stats->limited_not, 1);
}

static void close_at_once(struct client *client, struct worker *w)
{
    stats_add(&w->stats->limited_connections, 1);
    client_tell(client, w, QUOTA_CONNECTIONS);
    conn_failed(&client->conn, CLOSE_ADDRESS_FULL);
}

void client_address_known(struct client *client, struct worker *w)
{
    struct ip ip;
    uint32_t hold = HOLD_NONE;
    client_address_forget(client, w);
    if (!w->quotas || !ip_of((const struct sockaddr *)&client->peer, &ip)) return;
    client->wait.who = quota_who(w->quotas, &ip);
    switch (quota_hold(w->quotas, w->index, &ip, w->now.monotonic_ns, &hold)) {
    case QUOTA_ALLOWED: break;
    case QUOTA_UNCOUNTED: uncounted(w); break;
    case QUOTA_OVER: close_at_once(client, w); break;
    }
    client->hold = hold & HOLD_NONE;
}

void client_address_forget(struct client *client, struct worker *w)
{
    if (client->hold != HOLD_NONE) quota_release(w->quotas, w->index, client->hold);
    client->hold = HOLD_NONE;
    client->wait.who = 0;
}

void client_tell(const struct client *client, struct worker *w, enum quota_kind kind)
{
    if (w->quotas)
        quota_tell(w->quotas, kind, (const struct sockaddr *)&client->peer, w->now.monotonic_ns);
}

/* ---- requests --------------------------------------------------------------------------------- */

bool client_may_ask(struct client *client, struct worker *w)
{
    if (client->charged) return true;
    client->charged = true;
    if (quota_request(w->quotas, w->index, client->hold, w->now.monotonic_ns, false)) return true;
    stats_add(&w->stats->limited_requests, 1);
    client_tell(client, w, QUOTA_REQUESTS);
    return false;
}

void client_charge(struct client *client, struct worker *w, const struct exchange *exchange)
{
    bool looked_up = exchange->refused == REFUSAL_NONE &&
                     (exchange->method == METHOD_GET || exchange->method == METHOD_HEAD);
    if (!looked_up) quota_request(w->quotas, w->index, client->hold, w->now.monotonic_ns, true);
}

/* ---- the disk --------------------------------------------------------------------------------- */

bool client_run(struct client *client, struct worker *w, struct errand *errand)
{
    if (!fetcher_run(w->fetcher, &client->wait, errand)) return false;
    if (client->wait.disk == DISK_SHARED) {
        stats_add(&w->stats->limited_cold, 1);
        client_tell(client, w, QUOTA_COLD);
    }
    return true;
}

/* ---- bandwidth -------------------------------------------------------------------------------- */

static void outgoing_cut(struct outgoing *out, uint64_t most)
{
    out->length = most;
    out->more = false;
    for (int i = 0; i < out->count; i++) {
        if (out->vector[i].iov_len >= most) {
            out->vector[i].iov_len = most;
            out->count = i + 1;
            return;
        }
        most -= out->vector[i].iov_len;
    }
}

bool client_may_send(struct client *client, struct worker *w, struct outgoing *out)
{
    uint64_t most = quota_may_send(w->quotas, w->index, client->hold, w->now.monotonic_ns);
    if (most == 0) {
        stats_add(&w->stats->limited_pauses, 1);
        client_waits(client, w, STATE_PACED);
        return false;
    }
    if (most < out->length) outgoing_cut(out, most);
    return true;
}

void client_has_sent(struct client *client, struct worker *w, uint64_t bytes)
{
    quota_sent(w->quotas, w->index, client->hold, bytes, w->now.monotonic_ns);
}

uint64_t client_pause_end(const struct client *client, const struct worker *w)
{
    return quota_pause_end(w->quotas, w->index, client->hold);
}
