/*
 * What the two files of the epoll model have in common: its loop, and a connection of it. epoll.c is the one to read
 * first; epoll_accept.c brings it connections.
 */
#ifndef ZCSERVE_MODEL_EPOLL_H
#define ZCSERVE_MODEL_EPOLL_H

#include "zcserve/model.h"

#include <ev.h>

#define BATCH_MAX 32 /* connections gathered before their requests are answered */

struct epoll_client {
    struct client client;
    bool queued;
    ev_io watcher;
};

struct epoll_loop {
    struct worker worker;
    const struct service *service;
    struct ev_loop *loop;
    struct slab clients;
    struct epoll_client *batch[BATCH_MAX];
    uint32_t batched;
    uint32_t hand; /* kept for crowd_choose() */
    bool accepting, draining;
    uint64_t drain_deadline_ns;
    uint32_t listeners;
    ev_io *listener; /* one for each listener, by its number; see service.h */
    int signal_fd;
    ev_io signals, fetched;
    ev_io changes; /* of files; read while idle too, so that the kernel's queue does not fill */
    ev_prepare waits;
    ev_check woke; /* runs first in every turn */
    ev_check turn; /* runs last in every turn  */
    ev_timer tick;
};

/* Starts the timer of the loop, unless it runs already. */
static inline void epoll_tick_start(struct epoll_loop *l)
{
    if (!ev_is_active(&l->tick)) ev_timer_again(l->loop, &l->tick);
}

/* ---- epoll.c --------------------------------------------------------------------------------- */

/* A connection was accepted and opened: watches its socket, or takes what has arrived already. */
void epoll_connection_begin(struct epoll_loop *l, struct epoll_client *k);

/* Takes all steps of a connection that are possible without waiting. */
void epoll_connection_drive(struct epoll_loop *l, struct epoll_client *k);

/* ---- epoll_accept.c -------------------------------------------------------------------------- */

/* Begins to accept from each listener that service_accepts() names for this worker, or stops accepting. */
void epoll_accepting_set(struct epoll_loop *l, bool accepting);

void epoll_listeners_open(struct epoll_loop *l);

/* Accepts the connections that wait in the kernel's queues, and closes the listeners. */
void epoll_listeners_close(struct epoll_loop *l);

#endif
