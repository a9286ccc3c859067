/*
 * Serves one connection to its end with calls that wait. drive() is the same as in an event loop,
 * but "would block" means here that a tick has passed, because the socket stops waiting after a
 * tick. Then there is time to look at deadlines, at a stop, and at connections that wait, and no
 * extra call is needed. A request costs a recv, a send, and a system call of the store to see what
 * changed, which an event loop makes once for many requests.
 *
 * The C10k lesson in small: a worker that waits for one peer serves no other. A kept connection
 * without requests occupies a whole process or thread, so it is closed as soon as others need it.
 */
#include "zcserve/worker.h"

#include <assert.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/time.h>

/* Bytes sent in a row. The slowest reader that never makes a send wait for a tick takes 0.4 s. */
#define SERVE_BYTES (UINT64_C(256) * 1024)

/* Makes recv and send stop waiting after a tick. Accepted sockets do not refuse these options. */
static void ticks_set(int fd)
{
    struct timeval tick = {.tv_usec = TICK_NS / 1000};
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tick, sizeof(tick));
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &tick, sizeof(tick));
}

void serve_open(struct served *served, struct worker *w, int fd,
                const struct sockaddr_storage *peer)
{
    ticks_set(fd);
    now_read(&w->now);
    client_open(&served->client, w, fd, peer);
    served->opened_ns = w->now.monotonic_ns;
    served->quiet = served->pressed = false;
}

/* Others wait. Only a quiet connection can be closed without cutting a response. */
static void make_room(struct worker *w, struct served *served)
{
    struct conn *c = &served->client.conn;
    bool had_turn = w->now.monotonic_ns - served->opened_ns >= SERVE_TURN_NS;
    conn_last(c, had_turn);
    served->pressed = had_turn;
    if (!served->quiet || conn_next(c) != CONN_RECEIVE) return;
    if (c->half_closed) {
        conn_expired(c, &w->now); /* the last response was taken a tick ago */
    } else if (conn_idle(c) && (c->requests > 0 || had_turn)) {
        served->pressed = true;
        conn_failed(c, CLOSE_CROWDED);
    }
}

static void pressure_apply(struct worker *w, struct served *served, enum pressure pressure)
{
    conn_last(&served->client.conn, pressure >= PRESSURE_DRAINING);
    switch (pressure) {
    case PRESSURE_NONE: break;
    case PRESSURE_CROWDED: make_room(w, served); break;
    case PRESSURE_DRAINING: conn_draining(&served->client.conn, &w->now); break;
    case PRESSURE_STOPPING: conn_failed(&served->client.conn, CLOSE_DRAINED); break;
    }
}

/* Waits for the end of a pause, but for a tick at most. Returns whether the pause is over. */
static bool pause_wait(struct worker *w, const struct client *client)
{
    uint64_t end_ns = client_pause_end(client, w), now_ns = w->now.monotonic_ns;
    uint64_t left_ns = end_ns > now_ns ? end_ns - now_ns : 0;
    poll(NULL, 0, (int)((left_ns < TICK_NS ? left_ns : TICK_NS) / NS_PER_MS) + 1);
    now_read(&w->now);
    return left_ns < TICK_NS;
}

/* Receives if drive() wants to read. Returns false when a tick passed without any bytes. */
static bool wait_once(struct worker *w, struct served *served, enum drive wanted)
{
    if (wanted == DRIVE_WANT_TIME) return pause_wait(w, &served->client);
    if (wanted == DRIVE_WANT_READ) served->quiet = !drive_receive(w, &served->client);
    return !served->quiet;
}

/*
 * Returns whether the bytes received were no part of a request, as empty lines before one are not.
 * They are no reason to go on serving.
 */
static bool nothing_came_of_it(const struct conn *c, uint32_t requests_before)
{
    return conn_next(c) == CONN_RECEIVE && conn_idle(c) && c->requests == requests_before;
}

/* What is to be done without the peer is done first, however late it is. */
static bool is_late(struct client *client, struct worker *w)
{
    enum conn_step next = conn_next(&client->conn);
    if (client->state == STATE_PACED) return false;
    return (next == CONN_RECEIVE || next == CONN_SEND) && client_is_late(client, w);
}

/* A connection that ended for another reason did not end because others waited. */
static void crowded_count(struct worker *w, const struct served *served)
{
    enum close_reason why = conn_close_reason(&served->client.conn);
    bool answered = why == CLOSE_FINISHED || why == CLOSE_LINGER_TIMEOUT;
    if (served->pressed && (answered || why == CLOSE_CROWDED)) stats_add(&w->stats->crowded, 1);
}

bool serve(struct worker *w, struct served *served, enum pressure pressure)
{
    struct client *client = &served->client;
    uint64_t until_ns = w->now.monotonic_ns + TICK_NS;
    uint32_t requests = client->conn.requests;
    stats_awake(w->stats, w->now.monotonic_ns);
    if (is_late(client, w)) conn_expired(&client->conn, &w->now);
    pressure_apply(w, served, pressure);
    served->quiet = false;
    do {
        enum drive wanted = drive(w, client, SERVE_BYTES);
        if (wanted == DRIVE_DONE) {
            crowded_count(w, served);
            client_close(client, w);
            stats_awake(w->stats, 0);
            return true;
        }
        assert(wanted != DRIVE_WANT_DISK); /* this worker may wait for the disk */
        if (!wait_once(w, served, wanted)) return false;
    } while (w->now.monotonic_ns < until_ns);
    served->quiet = nothing_came_of_it(&client->conn, requests);
    return false;
}
