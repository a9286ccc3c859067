/*
 * How a connection moves: read this page first. The core says what is the next step. This loop
 * takes the step with a system call and tells the core the result. The loop is the same for a
 * thread that waits in the call and for an event loop that never waits. Only the caller differs: it
 * decides what to do when the call would block.
 */
#include "limited.h"
#include "probe.h"
#include "worker/front.h"
#include "zcserve/transmit.h"

#include <assert.h>
#include <errno.h>

/* Returns why a connection ends when sending or receiving failed with this error. */
static enum close_reason reason_of(int error)
{
    switch (error) {
    case ENODATA: return CLOSE_FILE_SHRANK;
    case EIO: return CLOSE_FILE_BROKEN;
    case ENOMEM:
    case ENOBUFS: return CLOSE_NO_MEMORY;
    default: return CLOSE_PEER_RESET;
    }
}

bool drive_receive(struct worker *w, struct client *client)
{
    struct conn *c = &client->conn;
    if (conn_next(c) != CONN_RECEIVE) return true;
    client_lend_work(client, w);
    struct iovec space = conn_receive_space(c);
    ssize_t n = transmit_receive(client->fd, space.iov_base, space.iov_len);
    now_read(&w->now);
    stats_call(w->stats, CALL_RECEIVE);
    if (n == -EAGAIN) {
        stats_add(&w->stats->would_block, 1);
        client_rest(client, w);
        return false;
    }
    if (n < 0) {
        conn_failed(c, reason_of((int)-n));
        return true;
    }
    worker_received(w);
    drive_received(w, client, (size_t)n);
    return true;
}

/* Returns how long the bytes had waited: since the turn of the loop began, or once queued_ns. */
static uint64_t waited_ns(struct worker *w)
{
    if (w->fetcher) return w->now.monotonic_ns - w->woke_ns;
    uint64_t queued_ns = w->queued_ns;
    w->queued_ns = 0;
    return queued_ns;
}

void drive_received(struct worker *w, struct client *client, size_t length)
{
    if (conn_idle(&client->conn)) PROBE_REQUEST_START(w->index, client->fd, length);
    stats_add(&w->stats->received_bytes, length);
    uint64_t waited = waited_ns(w);
    if (client->front == FRONT_NONE || front_received(client, w, &length))
        conn_received(&client->conn, length, waited, &w->now);
}

/* Bytes that the peer cannot have taken at the last look. */
static void untaken_add(struct client *client, uint64_t bytes)
{
    if (client->untaken == UINT32_MAX) return;
    uint64_t sum = client->untaken + bytes;
    client->untaken = sum < UINT32_MAX ? (uint32_t)sum : UINT32_MAX - 1;
}

void drive_sent(struct worker *w, struct client *client, ssize_t result, bool from_file)
{
    if (result < 0) {
        if (!client->conn.failed) conn_failed(&client->conn, reason_of((int)-result));
        return;
    }
    untaken_add(client, (uint64_t)result);
    if (w->paces) client_has_sent(client, w, (uint64_t)result);
    stats_add(&w->stats->sent_bytes, (uint64_t)result);
    if (from_file) stats_add(&w->stats->sent_file_bytes, (uint64_t)result);
    uint32_t begun = conn_sent(&client->conn, (uint64_t)result, &w->now);
    if (begun > 0) PROBE_FIRST_BYTE(w->index, client->fd, begun);
}

bool drive_send(struct worker *w, struct client *client, const struct outgoing *out,
                uint64_t *budget)
{
    bool from_file = out->count == 0;
    uint64_t asked = from_file && out->length > *budget ? *budget : out->length;
    ssize_t n = transmit(client->fd, out, asked);
    now_read(&w->now);
    stats_call(w->stats, from_file ? CALL_SENDFILE : CALL_SEND);
    if (n == -EAGAIN) {
        stats_add(&w->stats->would_block, 1);
        return false;
    }
    drive_sent(w, client, n, from_file);
    if (n < 0) return true;
    if ((uint64_t)n < asked) stats_add(&w->stats->short_sends, 1);
    if (from_file || !out->more) /* a file's head is not counted: else its last bytes would wait */
        *budget -= (uint64_t)n < *budget ? (uint64_t)n : *budget;
    return (uint64_t)n == asked; /* a short send: the socket is full */
}

/* What was fetched is sent even if it was evicted again: fetching must not go on for ever. */
bool drive_may_send(struct worker *w, struct client *client, struct outgoing *out)
{
    if (worker_is_patient(w) || out->count > 0) return true;
    uint64_t length = out->length < TURN_BYTES ? out->length : TURN_BYTES;
    length =
        residency_length(&w->residency, conn_sending(&client->conn), out->offset, length, &w->now);
    bool fetched = client->wait.disk == DISK_FETCHED;
    if (length == 0 && fetched)
        length = out->length < FETCH_RANGE_BYTES ? out->length : FETCH_RANGE_BYTES;
    if (fetched) client->wait.disk = DISK_IDLE;
    if (length > 0 && length < out->length) out->length = length;
    return length > 0;
}

static enum drive want(struct worker *w, struct client *client, enum drive wanted)
{
    client_waits(client, w, wanted == DRIVE_WANT_DISK ? STATE_DISK : STATE_SENDING);
    return wanted;
}

enum drive drive(struct worker *w, struct client *client, uint64_t budget)
{
    struct outgoing out;
    for (;;) {
        switch (worker_advance(w, client)) {
        case CONN_RECEIVE: client_rest(client, w); return DRIVE_WANT_READ;
        case CONN_PARKED: return want(w, client, DRIVE_WANT_DISK);
        case CONN_SEND:
            if (budget == 0) return want(w, client, DRIVE_WANT_WRITE);
            conn_outgoing(&client->conn, &out);
            if (w->paces && !client_may_send(client, w, &out)) return DRIVE_WANT_TIME;
            if (!drive_may_send(w, client, &out)) return want(w, client, DRIVE_WANT_DISK);
            if (!drive_send(w, client, &out, &budget)) return want(w, client, DRIVE_WANT_WRITE);
            break;
        case CONN_HALF_CLOSE: client_half_close(client, w); break;
        case CONN_CLOSE: return DRIVE_DONE;
        case CONN_RESOLVE:
        case CONN_SETTLE: assert(false && "worker_advance() takes these");
        }
    }
}
