/*
 * A connection with its socket: how it begins and how it ends, in all models.
 */
#include "worker/front.h"
#include "limited.h"

#include <assert.h>
#include <linux/sockios.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

static void peer_copy(struct sockaddr_in6 *peer, const struct sockaddr_storage *from)
{
    if (from->ss_family == AF_INET || from->ss_family == AF_INET6)
        memcpy(peer, from, sizeof(*peer));
    else
        peer->sin6_family = AF_UNIX;
}

static void peer_ask(struct sockaddr_in6 *peer, int fd)
{
    struct sockaddr_storage address = {.ss_family = AF_UNSPEC};
    socklen_t length = sizeof(address);
    if (getpeername(fd, (struct sockaddr *)&address, &length) == 0) peer_copy(peer, &address);
}

/* Whether rules ask for the address of the peer, or for users, whose checks are bounded for each. */
static bool asks_peer(const struct worker *w)
{
    return w->rules->sites && w->rules->sites->by_address;
}

/* The address "::" stands for a peer that has left before it was asked. */
void client_peer_tell(struct client *client, const struct worker *w)
{
    struct origin peer = {.local = client->peer.sin6_family == AF_UNIX};
    if (!asks_peer(w) || !client->conn.work) return;
    ip_of((const struct sockaddr *)&client->peer, &peer.ip);
    conn_from(&client->conn, &peer);
}

/* ---- deadlines ------------------------------------------------------------------------------- */

/* Who waits for the disk is not late, whatever its deadline; a slow reader is looked at once a second. */
static void client_watch(struct client *client, struct worker *w)
{
    uint64_t at_ns = conn_deadline_ns(&client->conn), soon_ns = w->now.monotonic_ns + NS_PER_SECOND;
    bool slow = client->state == STATE_SENDING && client->untaken == UINT32_MAX;
    if (!w->fetcher) return; /* looks at its only client itself */
    if (client->state == STATE_PACED) at_ns = client_pause_end(client, w);
    if (at_ns <= w->now.monotonic_ns || (slow && at_ns > soon_ns)) at_ns = soon_ns;
    deadline_set(&w->deadlines, &client->deadline, at_ns);
}

struct client *clients_late(struct worker *w)
{
    struct deadline *next;
    while ((next = deadlines_next(&w->deadlines, w->now.monotonic_ns)) != NULL) {
        struct client *client = (void *)((char *)next - offsetof(struct client, deadline));
        bool late = client_is_late(client, w);
        client_watch(client, w);
        if (late) return client;
    }
    return NULL;
}

/* ---- a connection with its socket ------------------------------------------------------------ */

void client_open(struct client *client, struct worker *w, int fd,
                 const struct sockaddr_storage *peer)
{
    client->fd = fd;
    client->wait = (struct wait){.disk = DISK_IDLE};
    client->parked = NULL;
    client->deadline = (struct deadline){.tick = 0};
    client->untaken = UINT32_MAX;
    client->peer = (struct sockaddr_in6){.sin6_family = AF_UNSPEC};
    client->front = FRONT_NONE;
    if (peer)
        peer_copy(&client->peer, peer);
    else if (w->log || w->front || w->quotas || asks_peer(w))
        peer_ask(&client->peer, fd);
    conn_open(&client->conn, w->rules, &w->now);
    if (w->front) front_open(client, w);
    conn_last(&client->conn, w->draining);
    client->charged = false;
    client->hold = HOLD_NONE;
    if (client->front != FRONT_HEADER)
        client_address_known(client, w); /* else the header tells it */
    client->state = STATE_IDLE;
    client_watch(client, w);
    stats_add(&w->stats->connections_in[STATE_IDLE], 1);
    stats_add(&w->stats->accepted, 1);
    stats_add(&w->stats->connections, 1);
}

void client_lend_work(struct client *client, struct worker *w)
{
    if (client->conn.work) return;
    void *work = slab_take(&w->works);
    assert(work); /* there are as many as connections */
    conn_lend_work(&client->conn, work);
    if (w->rules->request_id) conn_ids(&client->conn, &w->ids);
    if (asks_peer(w)) client_peer_tell(client, w);
}

void client_waits(struct client *client, struct worker *w, enum connection_state state)
{
    if (client->state != state) {
        stats_less(&w->stats->connections_in[client->state]);
        stats_add(&w->stats->connections_in[state], 1);
        client->state = (uint8_t)state;
    }
    client_watch(client, w);
}

void client_rest(struct client *client, struct worker *w)
{
    struct conn *c = &client->conn;
    bool idle = conn_idle(c);
    client->untaken = UINT32_MAX;
    client_waits(client, w, c->half_closed ? STATE_LINGERING : idle ? STATE_IDLE : STATE_READING);
    if (c->work && idle) slab_put(&w->works, conn_return_work(c));
}

/* Returns the bytes that were sent and not acknowledged: SIOCOUTQ of tcp(7) and unix(7). */
static uint32_t untaken_now(int fd)
{
    int bytes = 0;
    return ioctl(fd, SIOCOUTQ, &bytes) == 0 ? (uint32_t)bytes : UINT32_MAX;
}

bool client_is_late(struct client *client, struct worker *w)
{
    struct conn *c = &client->conn;
    if (client->state == STATE_PACED) return client_pause_end(client, w) <= w->now.monotonic_ns;
    bool waits =
        wait_goes_on(&client->wait) && !c->failed; /* for the disk, which is no fault of the peer */
    bool late = conn_deadline_ns(c) <= w->now.monotonic_ns && !waits;
    uint32_t before = client->untaken;
    /* In SETTLE and RESOLVE, a late connection waits for the peer to take bytes from our memory. */
    enum conn_step next = conn_next(c);
    if (next != CONN_SEND && next != CONN_SETTLE && next != CONN_RESOLVE) return late;
    if (late || before == UINT32_MAX) client->untaken = untaken_now(client->fd);
    if (late && client->untaken < before) {
        conn_taken(c, before - client->untaken, &w->now);
        late = conn_deadline_ns(c) <= w->now.monotonic_ns;
    }
    return late;
}

bool client_fetch(struct client *client, struct worker *w)
{
    struct outgoing out;
    if (wait_goes_on(&client->wait)) /* for a path: a connection fetches one thing at a time */
        return true;
    conn_outgoing(&client->conn, &out);
    uint64_t length = out.length < FETCH_RANGE_BYTES ? out.length : FETCH_RANGE_BYTES;
    struct errand *errand = store_errand_range(out.fd, out.offset, length);
    if (errand && client_run(client, w, errand)) return true;
    conn_failed(&client->conn, CLOSE_NO_MEMORY);
    return false;
}

void client_range_fetched(struct client *client, struct worker *w)
{
    assert(!wait_goes_on(&client->wait)); /* the fetcher has it in a list */
    client->wait.disk = DISK_FETCHED;
    conn_fetched(&client->conn, &w->now);
}

void client_fetched(struct client *client, struct worker *w)
{
    struct stream *s = client->parked;
    client->parked = NULL;
    if (s)
        conn_unparked(&client->conn, s, client->wait.disk == DISK_FETCHED);
    else if (conn_next(&client->conn) == CONN_SEND && client->wait.disk == DISK_FETCHED)
        client_range_fetched(client, w);
}

void client_half_close(struct client *client, struct worker *w)
{
    shutdown(client->fd, SHUT_WR);
    stats_call(w->stats, CALL_CLOSE);
    conn_half_closed(&client->conn, &w->now);
}

void clients_drain(const struct slab *clients, struct worker *w)
{
    w->draining = true;
    for (uint32_t i = 0; i < clients->touched; i++) {
        struct client *client = slab_taken_at(clients, i);
        if (!client) continue;
        conn_draining(&client->conn, &w->now);
        client_watch(client, w);
    }
}

static void close_tell(const struct client *client, struct worker *w)
{
    if (conn_close_reason(&client->conn) == CLOSE_SEND_SLOW)
        client_tell(client, w, QUOTA_SEND_RATE);
}

void client_close(struct client *client, struct worker *w)
{
    struct conn *c = &client->conn;
    assert(conn_next(c) == CONN_CLOSE);
    if (wait_goes_on(&client->wait)) fetcher_forget(w->fetcher, &client->wait);
    client_rest(client, w);
    close_tell(client, w);
    client_address_forget(client, w);
    deadline_forget(&w->deadlines, &client->deadline);
    close(client->fd);
    stats_call(w->stats, CALL_CLOSE);
    stats_measure(w->stats, MEASURE_REQUESTS, c->requests);
    stats_less(&w->stats->connections_in[client->state]);
    stats_add(&w->stats->closed[conn_close_reason(c)], 1);
    stats_less(&w->stats->connections);
}
