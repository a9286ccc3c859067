/*
 * How the epoll model accepts connections, and what it does when descriptors or places run out.
 */
#include "epoll.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#define ACCEPT_MAX 64 /* connections accepted in a row */

void epoll_accepting_set(struct epoll_loop *l, bool accepting)
{
    l->accepting = accepting;
    for (uint32_t i = 0; i < l->listeners; i++)
        if (accepting && service_accepts(l->service, l->worker.index, i))
            ev_io_start(l->loop, &l->listener[i]);
        else
            ev_io_stop(l->loop, &l->listener[i]);
}

static void connection_open(struct epoll_loop *l, int fd, const struct sockaddr_storage *peer)
{
    struct epoll_client *k = slab_take(&l->clients);
    assert(k);
    now_read(&l->worker.now);
    client_open(&k->client, &l->worker, fd, peer);
    epoll_connection_begin(l, k);
}

/*
 * Descriptors or places for connections ran out. New connections stay in the kernel's queue until one of
 * this worker ends, or until the next tick.
 */
static void accepting_pause(struct epoll_loop *l, const char *why)
{
    accept_paused(l->worker.stats, why);
    epoll_accepting_set(l, false);
    epoll_tick_start(l);
}

static bool may_go(const struct client *client)
{
    return !((const struct epoll_client *)client)->queued;
}

/*
 * When a connection waits to be accepted, closes an idle one to make room for it, and returns true. When
 * none can be closed, pauses accepting. Returns false then, and when none waits.
 */
static bool room_make(struct epoll_loop *l, int listener, const char *why)
{
    if (!listener_is_awaited(listener)) return false;
    now_read(&l->worker.now);
    struct client *client = crowd_choose(&l->clients, &l->hand, &l->worker, may_go);
    if (!client) {
        accepting_pause(l, why);
        return false;
    }
    crowd_leave(client, &l->worker);
    epoll_connection_drive(l, (struct epoll_client *)client);
    return true;
}

/* Accepts one connection. Returns false when there is none to be had now. */
static bool accept_one(struct epoll_loop *l, int listener)
{
    struct sockaddr_storage peer;
    if (l->clients.used == l->clients.count &&
        !room_make(l, listener, "all connections are in use; see 'connections'"))
        return false;
    int fd = listener_accept(listener, true, &peer);
    stats_call(l->worker.stats, CALL_ACCEPT);
    if (fd >= 0)
        connection_open(l, fd, &peer);
    else if (listener_lacks_descriptor(fd))
        return room_make(l, listener, strerror(-fd));
    else if (fd != -EAGAIN && fd != -ECONNABORTED)
        accepting_pause(l, strerror(-fd));
    return fd >= 0 || fd == -ECONNABORTED;
}

static void on_connection(struct ev_loop *loop, ev_io *watcher, int events)
{
    struct epoll_loop *l = ev_userdata(loop);
    (void)events;
    for (int i = 0; i < ACCEPT_MAX && accept_one(l, watcher->fd); i++)
        continue;
}

void epoll_listeners_open(struct epoll_loop *l)
{
    l->listeners = l->service->listeners;
    for (uint32_t i = 0; i < l->listeners; i++)
        ev_io_init(&l->listener[i], on_connection, l->service->listener[i].fd, EV_READ);
    epoll_accepting_set(l, true);
}

void epoll_listeners_close(struct epoll_loop *l)
{
    epoll_accepting_set(l, false);
    for (uint32_t i = 0; i < l->listeners; i++)
        while (accept_one(l, l->listener[i].fd)) /* the last close of a listener resets its queue */
            continue;
    service_listeners_leave(l->service);
    l->listeners = 0;
    l->accepting = false;
}
