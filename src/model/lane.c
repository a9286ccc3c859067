/*
 * Keeps account of the operations of one socket, so that closing is right in every order of
 * completions: each submission is counted, each last completion is taken off, and only then may
 * the memory of the connection serve another. A peer that keeps sending while it does
 * not read is not received from beyond a few buffers.
 */
#include "lane.h"

#include <assert.h>
#include <errno.h>
#include <sys/socket.h>

#define HELD_MAX 4 /* buffers held before the kernel is told to stop receiving */

void lane_open(struct lane *lane, void *owner, int fd)
{
    *lane = (struct lane){.tag = (uintptr_t)owner, .fd = fd, .socket = fd, .named = UINT32_MAX};
}

void lane_register(struct ring *ring, struct lane *lane, uint32_t place)
{
    lane->socket = ring_register(ring, place, &lane->fd);
    lane->named = ring->turns;
}

static uint64_t tag_next(const struct ring *ring, struct lane *lane, enum lane_operation operation)
{
    lane->named = ring->turns;
    lane->in_flight++;
    return lane->tag | operation;
}

void lane_receive(struct ring *ring, struct lane *lane)
{
    if (lane->receiving || lane->readable) return;
    lane->receiving = true;
    lane->polling = lane->starved;
    lane->starved = false;
    if (lane->polling)
        ring_await_received(ring, lane->socket, tag_next(ring, lane, LANE_RECEIVE));
    else
        ring_receive(ring, lane->socket, tag_next(ring, lane, LANE_RECEIVE));
}

static void receive_stop(struct ring *ring, struct lane *lane)
{
    ring_cancel(ring, lane->tag | LANE_RECEIVE, tag_next(ring, lane, LANE_CANCEL));
}

/* The socket said that it can be read: if that fails the peer is gone. */
static size_t take_directly(struct lane *lane, char *space, size_t size)
{
    ssize_t n = recv(lane->fd, space, size, MSG_DONTWAIT);
    lane->readable = false;
    lane->finished = n <= 0;
    return n > 0 ? (size_t)n : 0;
}

size_t lane_take(struct ring *ring, struct lane *lane, char *space, size_t size)
{
    if (lane->held.count == 0 && lane->readable) return take_directly(lane, space, size);
    return ring_take(ring, &lane->held, space, size);
}

void lane_send(struct ring *ring, struct lane *lane, const struct outgoing *out)
{
    lane->sending = true;
    lane->zero_copy =
        ring->zero_copy_bytes > 0 && out->length >= ring->zero_copy_bytes && !lane->copies;
    lane->gather =
        ring_send(ring, lane->socket, out, lane->zero_copy, tag_next(ring, lane, LANE_SEND));
}

void lane_fetch(struct ring *ring, struct lane *lane, const struct outgoing *out)
{
    lane->sending = lane->fetching = true;
    ring_fetch(ring, out->fd, out->offset, out->length, tag_next(ring, lane, LANE_FETCH));
}

void lane_await_writable(struct ring *ring, struct lane *lane)
{
    lane->sending = true;
    ring_await_writable(ring, lane->socket, tag_next(ring, lane, LANE_WRITABLE));
}

void lane_close(struct ring *ring, struct lane *lane)
{
    bool unheard =
        ring->sqpoll || lane->named == ring->turns; /* the kernel may still look for it */
    assert(lane->lent == 0);
    ring_drop(ring, &lane->held);
    if (lane->receiving) receive_stop(ring, lane);
    if (lane->socket != lane->fd)
        ring_unregister(ring, lane->socket, tag_next(ring, lane, LANE_UNREGISTER));
    if (unheard) ring_settle(ring);
}

/* shutdown(2) leaves what is not acknowledged yet where it is: in memory that is not ours. */
void lane_abort(struct lane *lane)
{
    static const struct sockaddr nowhere = {.sa_family = AF_UNSPEC};
    shutdown(lane->fd, SHUT_RDWR);
    if (lane->lent > 0 || (lane->sending && lane->zero_copy))
        connect(lane->fd, &nowhere,
                sizeof(nowhere)); /* tcp(7): drops the connection and its queue */
}

static ssize_t received(struct ring *ring, struct lane *lane, const struct io_uring_cqe *cqe)
{
    lane->receiving = (cqe->flags & IORING_CQE_F_MORE) != 0;
    if (lane->polling) {
        lane->polling = false;
        lane->readable = cqe->res != -ECANCELED;
        return 0;
    }
    if (cqe->flags & IORING_CQE_F_BUFFER) {
        ring_hold(ring, &lane->held, cqe);
        if (lane->held.count == HELD_MAX && lane->receiving) receive_stop(ring, lane);
        return 0;
    }
    if (cqe->res == 0) lane->finished = true;
    if (cqe->res == -ENOBUFS) lane->starved = true;
    return cqe->res == -ENOBUFS || cqe->res == -ECANCELED ? 0 : cqe->res;
}

/* What sends without copying cannot send at all is sent with, and so is what it copies anyway. */
static ssize_t zero_copy_sent(struct lane *lane, int result)
{
    bool again = result == -EOPNOTSUPP || result == -EINVAL || result == -ENOMEM;
    lane->copies |= again;
    return again ? 0 : result;
}

/* The kernel does not need the memory of a send any more. */
static void given_back(struct lane *lane, int usage)
{
    lane->lent--;
    lane->copies |= ((unsigned)usage & IORING_NOTIF_USAGE_ZC_COPIED) != 0;
}

static ssize_t send_completed(struct ring *ring, struct lane *lane, const struct io_uring_cqe *cqe)
{
    if (lane_is_notice(cqe)) {
        given_back(lane, cqe->res);
        return 0;
    }
    if (cqe->flags & IORING_CQE_F_MORE) lane->lent++;
    ring_sent(ring, lane->gather);
    lane->gather = NULL;
    lane->sending = false;
    return lane->zero_copy ? zero_copy_sent(lane, cqe->res) : cqe->res;
}

ssize_t lane_completed(struct ring *ring, struct lane *lane, enum lane_operation operation,
                       const struct io_uring_cqe *cqe)
{
    if (!(cqe->flags & IORING_CQE_F_MORE)) lane->in_flight--;
    switch (operation) {
    case LANE_RECEIVE: return received(ring, lane, cqe);
    case LANE_SEND: return send_completed(ring, lane, cqe);
    case LANE_FETCH: /* trouble with the file is met again when it is sent */
        lane->sending = lane->fetching = false;
        return 0;
    case LANE_WRITABLE: lane->sending = false; return cqe->res < 0 ? cqe->res : 0;
    case LANE_CANCEL:
    case LANE_UNREGISTER:
    case LANE_OPERATIONS: break;
    }
    return 0;
}
