/*
 * Counts the operations of one socket, so that a connection can be closed whatever the order of completions:
 * each submission adds one, and each last completion takes one off. At 0 the memory of the connection may be
 * used for another one. From a peer that keeps sending while it does not read, only a few buffers
 * are received.
 */
#include "lane.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
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
    switch ((enum lane_receiving)lane->receiving) {
    case RECEIVE_STOPPED:
        ring_receive(ring, lane->socket, tag_next(ring, lane, LANE_RECEIVE));
        lane->receiving = RECEIVE_ARMED;
        return;
    case RECEIVE_STARVED:
        ring_await_received(ring, lane->socket, tag_next(ring, lane, LANE_RECEIVE));
        lane->receiving = RECEIVE_POLLED;
        return;
    case RECEIVE_ARMED:
    case RECEIVE_POLLED:
    case RECEIVE_READABLE: return;
    }
}

static void receive_stop(struct ring *ring, struct lane *lane)
{
    ring_cancel(ring, lane->tag | LANE_RECEIVE, tag_next(ring, lane, LANE_CANCEL));
}

/* The poll said that the socket is readable. There may be nothing after all: then -EAGAIN is returned. */
static ssize_t take_directly(struct lane *lane, char *space, size_t size)
{
    ssize_t n = recv(lane->fd, space, size, MSG_DONTWAIT);
    lane->receiving = RECEIVE_STOPPED;
    lane->finished = n == 0;
    if (n >= 0) return n;
    return errno == EINTR ? -EAGAIN : -errno;
}

ssize_t lane_take(struct ring *ring, struct lane *lane, char *space, size_t size)
{
    if (lane_takes_directly(lane)) return take_directly(lane, space, size);
    return (ssize_t)ring_take(ring, &lane->held, space, size);
}

void lane_send(struct ring *ring, struct lane *lane, const struct outgoing *out)
{
    lane->sending = LANE_IN_SEND;
    bool zero_copy = zero_copy_begin(&lane->zero_copy, ring, out->length);
    lane->gather = ring_send(ring, lane->socket, out, zero_copy, tag_next(ring, lane, LANE_SEND));
}

void lane_fetch(struct ring *ring, struct lane *lane, const struct outgoing *out)
{
    lane->sending = LANE_IN_FETCH;
    ring_fetch(ring, out->fd, out->offset, out->length, tag_next(ring, lane, LANE_FETCH));
}

void lane_await_writable(struct ring *ring, struct lane *lane)
{
    lane->sending = LANE_FULL;
    lane->watching = lane->half_open;
    ring_await_writable(ring, lane->socket, lane->watching, tag_next(ring, lane, LANE_WRITABLE));
}

/* The socket has room but the system has no memory. A poll would report at once every time, so a timer waits. */
static void pause_begin(struct ring *ring, struct lane *lane)
{
    lane->sending = LANE_PAUSED;
    ring_pause(ring, tag_next(ring, lane, LANE_PAUSE));
}

/* A later poll of the same socket has the same tag, but this cancellation is submitted before it. */
static void watch_stop(struct ring *ring, struct lane *lane)
{
    lane->watching = false;
    lane->stopped++;
    ring_cancel(ring, lane->tag | LANE_WRITABLE, tag_next(ring, lane, LANE_CANCEL));
}

void lane_close(struct ring *ring, struct lane *lane)
{
    if (lane->watching) watch_stop(ring, lane);
    bool unheard =
        ring->sqpoll || lane->named == ring->turns; /* a submission not yet taken may name it */
    assert(!lane_lends(lane));
    ring_drop(ring, &lane->held);
    if (lane->receiving == RECEIVE_ARMED || lane->receiving == RECEIVE_POLLED)
        receive_stop(ring, lane);
    if (lane->socket != lane->fd)
        ring_unregister(ring, lane->socket, tag_next(ring, lane, LANE_UNREGISTER));
    if (unheard) ring_settle(ring);
}

/*
 * shutdown(2) keeps the bytes that the peer has not acknowledged, so the kernel would still read the memory
 * of zero-copy sends. For these, connect() to AF_UNSPEC drops the connection and its queue (tcp(7)).
 */
void lane_abort(struct lane *lane)
{
    static const struct sockaddr nowhere = {.sa_family = AF_UNSPEC};
    static const socklen_t length =
        sizeof(nowhere.sa_family); /* the sandbox allows no longer one */
    shutdown(lane->fd, SHUT_RDWR);
    if (lane_lends(lane) || (lane->sending == LANE_IN_SEND && lane->zero_copy.used))
        connect(lane->fd, &nowhere, length);
}

/* Returns whether the operation was not done, for a reason that has nothing to do with the peer or with us. */
static bool is_to_be_done_again(int result)
{
    return result == -EAGAIN || result == -EINTR || result == -ECANCELED;
}

/* The poll that stands in for a receive reported. */
static void poll_received(struct lane *lane, int result)
{
    lane->receiving = is_to_be_done_again(result) ? RECEIVE_STOPPED : RECEIVE_READABLE;
}

static ssize_t received(struct ring *ring, struct lane *lane, const struct io_uring_cqe *cqe)
{
    if (lane->receiving == RECEIVE_POLLED) {
        poll_received(lane, cqe->res);
        return 0;
    }
    bool goes_on = (cqe->flags & IORING_CQE_F_MORE) != 0;
    lane->receiving = goes_on ? RECEIVE_ARMED : RECEIVE_STOPPED;
    if (cqe->flags & IORING_CQE_F_BUFFER) {
        ring_hold(ring, &lane->held, cqe);
        if (lane->held.count == HELD_MAX && goes_on) receive_stop(ring, lane);
        return 0;
    }
    if (cqe->res == 0) lane->finished = true;
    if (cqe->res == -ENOBUFS) lane->receiving = RECEIVE_STARVED;
    return cqe->res == -ENOBUFS || is_to_be_done_again(cqe->res) ? 0 : cqe->res;
}

static bool is_short_of_memory(int result)
{
    return result == -ENOBUFS || result == -ENOMEM;
}

static ssize_t send_completed(struct ring *ring, struct lane *lane, const struct io_uring_cqe *cqe)
{
    if (zero_copy_is_notice(cqe)) {
        zero_copy_given_back(&lane->zero_copy, cqe->res);
        return 0;
    }
    if (cqe->flags & IORING_CQE_F_MORE) lane->zero_copy.lent++;
    ring_sent(ring, lane->gather);
    lane->gather = NULL;
    lane->sending = LANE_FREE;
    if (cqe->res == -EAGAIN) lane_await_writable(ring, lane);
    if (is_to_be_done_again(cqe->res)) return 0;
    if (lane->zero_copy.used) return zero_copy_sent(&lane->zero_copy, cqe->res);
    if (!is_short_of_memory(cqe->res)) return cqe->res;
    pause_begin(ring, lane);
    return 0;
}

/*
 * A poll has reported. It may be a poll that was stopped and completes only now: that is not the end of the
 * poll that was armed since. But when it reports room, there is room.
 */
static ssize_t poll_reported(struct ring *ring, struct lane *lane, const struct io_uring_cqe *cqe)
{
    bool ended = (cqe->flags & IORING_CQE_F_MORE) == 0;
    bool stopped = ended && lane->stopped > 0;
    if (stopped)
        lane->stopped--;
    else if (ended)
        lane->watching = false;
    if (lane->sending != LANE_FULL) return 0;
    if (cqe->res < 0 && !is_to_be_done_again(cqe->res)) return cqe->res;
    if (cqe->res >= 0 && (cqe->res & (POLLOUT | POLLERR | POLLHUP))) {
        lane->sending = LANE_FREE;
        if (lane->watching) watch_stop(ring, lane);
        return 0;
    }
    if (cqe->res >= 0) lane->half_open = true;
    if (ended && !stopped) lane_await_writable(ring, lane);
    return 0;
}

/* The poll itself may fail: then nothing is waited for any longer, and the error is returned. */
static ssize_t became_writable(struct ring *ring, struct lane *lane, const struct io_uring_cqe *cqe)
{
    ssize_t result = poll_reported(ring, lane, cqe);
    if (result < 0) lane->sending = LANE_FREE;
    return result;
}

ssize_t lane_completed(struct ring *ring, struct lane *lane, enum lane_operation operation,
                       const struct io_uring_cqe *cqe)
{
    if (!(cqe->flags & IORING_CQE_F_MORE)) lane->in_flight--;
    switch (operation) {
    case LANE_RECEIVE: return received(ring, lane, cqe);
    case LANE_SEND: return send_completed(ring, lane, cqe);
    case LANE_FETCH: /* an error of the file comes again when the file is sent */
    case LANE_PAUSE: lane->sending = LANE_FREE; return 0;
    case LANE_WRITABLE: return became_writable(ring, lane, cqe);
    case LANE_CANCEL:
    case LANE_UNREGISTER:
    case LANE_OPERATIONS: break;
    }
    return 0;
}
