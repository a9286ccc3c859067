/*
 * The page to read first: how a connection moves. The core says what is next, this loop does it
 * with a system call and tells the core what came of it. The same for a thread that waits in the call
 * and for an event loop that never does; only what "would block" leads to differs, and that
 * is the caller's.
 */
#include "zcserve/transmit.h"
#include "zcserve/worker.h"

#include <assert.h>
#include <errno.h>
#include <sys/socket.h>

/* What became of the connection when sending or receiving gave this error. */
static enum close_reason reason_of(int error)
{
    switch (error) {
    case ENODATA:
        return CLOSE_FILE_SHRANK;
    case EIO:
        return CLOSE_FILE_BROKEN;
    case ENOMEM:
    case ENOBUFS:
        return CLOSE_NO_MEMORY;
    default:
        return CLOSE_PEER_RESET;
    }
}

/* An idle connection costs no work area. */
static void rest(struct worker *w, struct conn *c)
{
    if (c->work && conn_idle(c))
        slab_put(&w->works, conn_return_work(c));
}

bool drive_receive(struct worker *w, struct client *client)
{
    struct conn *c = &client->conn;
    if (conn_next(c) != CONN_RECEIVE)
        return true;
    if (!c->work) {
        void *work = slab_take(&w->works);
        assert(work); /* there are as many as connections */
        conn_lend_work(c, work);
    }
    struct iovec space = conn_receive_space(c);
    ssize_t n = transmit_receive(client->fd, space.iov_base, space.iov_len);
    now_read(&w->now);
    if (n == -EAGAIN) {
        rest(w, c);
        return false;
    }
    if (n < 0) {
        conn_failed(c, reason_of((int)-n));
        return true;
    }
    stats_add(&w->stats->received_bytes, (uint64_t)n);
    w->store_is_current = false;
    conn_received(c, (size_t)n, &w->now);
    return true;
}

/* Sends the next stretch. Bytes taken or -errno; *asked is what one call could have carried. */
static ssize_t send_next(struct worker *w, struct client *client, uint64_t budget, uint64_t *asked)
{
    struct outgoing out;
    conn_outgoing(&client->conn, &out);
    *asked = out.count == 0 && out.length > budget ? budget : out.length;
    ssize_t n = transmit(client->fd, &out, budget);
    now_read(&w->now);
    if (n <= 0)
        return n;
    stats_add(&w->stats->sent_bytes, (uint64_t)n);
    if (out.count == 0)
        stats_add(&w->stats->sent_file_bytes, (uint64_t)n);
    conn_sent(&client->conn, (uint64_t)n, &w->now);
    return n;
}

enum drive drive(struct worker *w, struct client *client, uint64_t budget)
{
    for (;;) {
        switch (worker_advance(w, client)) {
        case CONN_RECEIVE:
            rest(w, &client->conn);
            return DRIVE_WANT_READ;
        case CONN_SEND: {
            uint64_t asked;
            ssize_t n = send_next(w, client, budget, &asked);
            if (n == -EAGAIN)
                return DRIVE_WANT_WRITE;
            if (n < 0) {
                conn_failed(&client->conn, reason_of((int)-n));
                break;
            }
            budget -= (uint64_t)n < budget ? (uint64_t)n : budget;
            if ((uint64_t)n < asked || (budget == 0 && conn_next(&client->conn) == CONN_SEND))
                return DRIVE_WANT_WRITE; /* a short send: the socket is full */
            break;
        }
        case CONN_HALF_CLOSE:
            shutdown(client->fd, SHUT_WR);
            conn_half_closed(&client->conn, &w->now);
            break;
        case CONN_CLOSE:
            return DRIVE_DONE;
        case CONN_RESOLVE:
        case CONN_SETTLE:
            assert(false && "worker_advance() takes these");
        }
    }
}
