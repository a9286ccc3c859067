/*
 * One connection to its end with calls that wait: the same drive() as an event loop's, but "would
 * block" here means that a tick has passed, because the socket gives up waiting after one. So there is
 * a moment to look at deadlines, at a stop and at those who wait, without a call for it: a request costs
 * a recv, a send, and the store's look at what changed, which an event loop needs once for many.
 *
 * The C10k lesson in small: who waits for one peer serves no other. A kept connection that says nothing
 * is a process or a thread that does nothing, so it is let go as soon as anybody else needs it.
 */
#include "zcserve/worker.h"

#include <assert.h>
#include <sys/socket.h>
#include <sys/time.h>

/* Sent in a row. A reader that takes it as slowly as it can without a tick passing holds us for 0.4 s. */
#define SERVE_BYTES (UINT64_C(256) * 1024)

/* A socket that cannot be told will wait forever, but none that was accepted refuses these. */
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

static void press(struct worker *w, struct served *served)
{
    if (!served->pressed) stats_add(&w->stats->crowded, 1);
    served->pressed = true;
}

/* Others wait. Only a connection that is quiet can be closed without cutting anything. */
static void make_room(struct worker *w, struct served *served)
{
    struct conn *c = &served->client.conn;
    bool had_turn = w->now.monotonic_ns - served->opened_ns >= SERVE_TURN_NS;
    conn_last(c, had_turn);
    if (had_turn) press(w, served);
    if (!served->quiet || conn_next(c) != CONN_RECEIVE) return;
    if (c->half_closed) {
        conn_expired(c, &w->now); /* the last answer was taken a tick ago */
    } else if (conn_idle(c) && (c->requests > 0 || had_turn)) {
        press(w, served);
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

/* Goes on from what drive() wants. False when there is nothing to do but to wait for another tick. */
static bool wait_once(struct worker *w, struct served *served, enum drive wanted)
{
    if (wanted == DRIVE_WANT_READ) served->quiet = !drive_receive(w, &served->client);
    return !served->quiet;
}

/* Bytes that were no part of a request (empty lines before one) are no reason to go on serving. */
static bool nothing_came_of_it(const struct conn *c, uint32_t requests_before)
{
    return conn_next(c) == CONN_RECEIVE && conn_idle(c) && c->requests == requests_before;
}

/* What is to be done without the peer is done first, however late it is. */
static bool is_late(struct client *client, struct worker *w)
{
    enum conn_step next = conn_next(&client->conn);
    return (next == CONN_RECEIVE || next == CONN_SEND) && client_is_late(client, w);
}

bool serve(struct worker *w, struct served *served, enum pressure pressure)
{
    struct client *client = &served->client;
    uint64_t until_ns = w->now.monotonic_ns + TICK_NS;
    uint32_t requests = client->conn.requests;
    if (is_late(client, w)) conn_expired(&client->conn, &w->now);
    pressure_apply(w, served, pressure);
    served->quiet = false;
    do {
        enum drive wanted = drive(w, client, SERVE_BYTES);
        if (wanted == DRIVE_DONE) {
            client_close(client, w);
            return true;
        }
        assert(wanted != DRIVE_WANT_DISK); /* who waits for one peer may wait for a disk, too */
        if (!wait_once(w, served, wanted)) return false;
    } while (w->now.monotonic_ns < until_ns);
    served->quiet = nothing_came_of_it(&client->conn, requests);
    return false;
}
