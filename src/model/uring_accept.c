/*
 * How the io_uring model accepts connections. While there is plenty of room, one submission for each listener
 * accepts connection after connection. When few places or descriptors are left, the listener is polled
 * instead, and connections are accepted one at a time. So no connection is taken from the kernel's queue that
 * would then be closed at once, and the worker knows whether one waits for which an idle one must be closed.
 */
#include "uring.h"
#include "zcserve/listener.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PLENTY 64     /* places: one turn hardly ever brings as many connections   */
#define ACCEPT_MAX 64 /* connections accepted in a row                             */
#define VAIN_MAX 64   /* failed accepts between two ticks; then listeners are polled */

static uint32_t room(const struct uring_loop *l)
{
    return l->clients.count - l->clients.used;
}

static void listener_await(struct uring_loop *l, uint32_t index, bool poll)
{
    struct uring_listener *listener = &l->listener[index];
    uint64_t tag = (uint64_t)index * TAG_UNIT | OP_ACCEPT;
    if (poll)
        ring_await_received(&l->ring, listener->fd, tag);
    else
        ring_accept(&l->ring, listener->fd, true, tag);
    listener->accepts = true;
    listener->polls = poll;
}

void uring_accept(struct uring_loop *l, uint32_t index)
{
    if (!l->listener[index].accepts && service_accepts(l->service, l->worker.index, index))
        listener_await(l, index,
                       room(l) <= PLENTY || service_shares(l->service, l->worker.index, index));
}

void uring_accept_resume(struct uring_loop *l)
{
    l->paused = false;
    for (uint32_t i = 0; i < l->listeners; i++)
        uring_accept(l, i);
}

static void accept_stop(struct uring_loop *l, uint32_t index)
{
    if (l->listener[index].accepts)
        ring_cancel(&l->ring, (uint64_t)index * TAG_UNIT | OP_ACCEPT, OP_CANCEL);
}

static void accepts_stop(struct uring_loop *l)
{
    for (uint32_t i = 0; i < l->listeners; i++)
        if (!l->listener[i].polls) accept_stop(l, i);
}

bool uring_listeners_open(struct uring_loop *l)
{
    l->listeners = l->service->listeners;
    l->listener = calloc(l->listeners, sizeof(*l->listener));
    if (!l->listener) return false;
    for (uint32_t i = 0; i < l->listeners; i++)
        l->listener[i].fd = l->service->listener[i].fd;
    return true;
}

/*
 * When several workers wait on a listener, the kernel wakes one of them (io_uring waits with EPOLLEXCLUSIVE,
 * epoll_ctl(2)). When that worker dies, or its wait is being cancelled, nobody takes the connection. So
 * whenever a worker has come or gone, each one starts to wait again, which takes what is in the queue. And
 * a worker that gives up a listener looks at its queue once more.
 * The worker that the kernel wakes may also be one that is stopped, which takes nothing. A poll is always woken,
 * beside it; so while a worker is absent, those who wait on a listener with it poll.
 */
void uring_listeners_look(struct uring_loop *l)
{
    for (uint32_t i = 0; i < l->listeners; i++) {
        accept_stop(l, i); /* uring_accepted() begins again */
        uring_accept(l, i);
    }
}

/* New connections stay in the kernel's queue until a connection has ended or a tick comes. */
static void accepting_pause(struct uring_loop *l, const char *why)
{
    accept_paused(l->worker.stats, why);
    l->paused = true;
}

static void connection_open(struct uring_loop *l, int fd)
{
    struct uring_client *k = l->stopping ? NULL : slab_take(&l->clients);
    if (!k) { /* it was accepted before the kernel was told to stop */
        stats_add(&l->worker.stats->refused, 1);
        close(fd);
        return;
    }
    *k = (struct uring_client){.queued = false};
    client_open(&k->client, &l->worker, fd, NULL);
    lane_open(&k->lane, k, fd);
    if (l->service->uring.registered_files)
        lane_register(&l->ring, &k->lane, slab_index(&l->clients, k));
    if (conn_next(&k->client.conn) == CONN_RECEIVE)
        lane_receive(&l->ring, &k->lane);
    else
        client_queue(l, k);                 /* its address has too many connections */
    if (room(l) == PLENTY) accepts_stop(l); /* from now on one at a time */
}

/* ---- few places ----------------------------------------------------------------------------- */

static bool may_go(const struct client *client)
{
    const struct uring_client *k = (const struct uring_client *)client;
    return !k->closed && !k->queued && !lane_lends(&k->lane) && !lane_has_received(&k->lane);
}

/*
 * Returns whether a connection is being closed to make room. Its place is free a turn later, when the kernel
 * has finished its operations.
 */
static bool is_leaving(const struct uring_loop *l)
{
    const struct uring_client *k =
        l->leaving < l->clients.touched ? slab_taken_at(&l->clients, l->leaving) : NULL;
    return k && k->leaves;
}

/*
 * When a connection waits to be accepted, has an idle one closed to make room for it. When none can be
 * closed, pauses accepting and returns false.
 */
static bool room_make(struct uring_loop *l, int listener, const char *why)
{
    if (is_leaving(l)) return true;
    if (!listener_is_awaited(listener)) return true;
    struct uring_client *k =
        (struct uring_client *)crowd_choose(&l->clients, &l->hand, &l->worker, may_go);
    if (!k) {
        accepting_pause(l, why);
        return false;
    }
    l->leaving = slab_index(&l->clients, k);
    k->leaves = true;
    crowd_leave(&k->client, &l->worker);
    client_queue(l, k);
    return true;
}

/* Accepts one connection. Returns false when there is none to be had now. */
static bool accept_one(struct uring_loop *l, int listener)
{
    if (room(l) == 0) {
        room_make(l, listener, "all connections are in use; see 'connections'");
        return false;
    }
    int fd = listener_accept(listener, true, NULL);
    stats_call(l->worker.stats, CALL_ACCEPT);
    if (fd >= 0)
        connection_open(l, fd);
    else if (listener_lacks_descriptor(fd))
        room_make(l, listener, strerror(-fd));
    else if (fd != -EAGAIN && fd != -ECONNABORTED)
        accepting_pause(l, strerror(-fd));
    return fd >= 0 || fd == -ECONNABORTED;
}

static void accept_some(struct uring_loop *l, int listener)
{
    for (int i = 0; i < ACCEPT_MAX && accept_one(l, listener); i++)
        continue;
}

/* ---- completions ---------------------------------------------------------------------------- */

/*
 * Returns whether the error says nothing about the next connection, so that accepting goes on at once. That
 * is so VAIN_MAX times between two ticks, so that it cannot go on without end.
 */
static bool passes(struct uring_loop *l, int result)
{
    bool of_one = result == -EAGAIN || result == -EINTR || listener_is_trouble_of_one(-result);
    return of_one && l->vain++ < VAIN_MAX;
}

/* Returns whether the kernel cannot accept. Then the listener is polled, and each accept tells the reason. */
static bool has_trouble(struct uring_loop *l, int result)
{
    return result < 0 && result != -ECANCELED && !passes(l, result);
}

void uring_accepted(struct uring_loop *l, uint32_t index, const struct io_uring_cqe *cqe)
{
    struct uring_listener *listener = &l->listener[index];
    bool polled = listener->polls;
    listener->accepts = (cqe->flags & IORING_CQE_F_MORE) != 0;
    if (!polled && cqe->res >= 0) connection_open(l, cqe->res);
    if (l->draining) return;
    if (polled && cqe->res > 0) accept_some(l, listener->fd);
    if (!service_accepts(l->service, l->worker.index, index))
        accept_some(l, listener->fd);
    else if (!polled && has_trouble(l, cqe->res))
        listener_await(l, index, true);
    else if (!l->paused)
        uring_accept(l, index);
}

/* The last close of a listener resets the connections in its queue, so those are taken first. */
void uring_listeners_close(struct uring_loop *l)
{
    for (uint32_t i = 0; i < l->listeners; i++) {
        int fd, listener = l->listener[i].fd;
        accept_stop(l, i);
        while ((fd = listener_accept(listener, true, NULL)) >= 0)
            connection_open(l, fd);
    }
    service_listeners_leave(l->service);
    l->listeners = 0;
}
