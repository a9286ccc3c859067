/*
 * What the files of the io_uring model have in common: the struct of its loop and the struct of a connection.
 * Read uring.c first; uring_accept.c accepts the connections.
 */
#ifndef ZCSERVE_MODEL_URING_H
#define ZCSERVE_MODEL_URING_H

#include "lane.h"
#include "pace.h"
#include "zcserve/model.h"

/* Operations besides those of lanes. The rest of the tag of OP_ACCEPT is the index of the listener. */
enum operation { OP_ACCEPT = LANE_OPERATIONS, OP_CANCEL, OP_SIGNAL, OP_CHANGES, OP_FETCHED };

struct uring_client {
    struct client client;
    struct lane lane;
    struct uring_client *next; /* in the list of clients to be driven                     */
    uint32_t heard;            /* kept for pace_received()                                */
    bool queued;               /* is in that list                                         */
    bool closed;               /* its socket is closed; operations may still be in flight */
    bool leaves;               /* it was chosen to make room for another connection       */
};

struct uring_loop {
    struct worker worker;
    const struct service *service;
    struct ring ring;
    struct pace pace;
    struct slab clients;
    struct uring_client *first, **last; /* the list of clients to be driven in this turn */
    uint64_t ticked_ns, drain_deadline_ns;
    bool draining, stopping;
    bool paused;        /* accepting pauses until a connection ends or a tick comes */
    uint32_t hand;      /* kept for crowd_choose()                                  */
    uint32_t leaving;   /* index of the client that is being closed to make room    */
    uint32_t unwatched; /* one bit for each OP_…: watch it again at the next tick   */
    uint32_t vain;      /* failed accepts since the last tick: trouble of one connection */
    uint32_t listeners;
    struct uring_listener {
        int fd;
        bool accepts; /* an accept or a poll is armed                       */
        bool polls;   /* it is a poll, because few places are left          */
    } * listener;     /* one for each listener, by its number; see service.h */
    int signals;
};

/* Adds the client to those that are driven in this turn. */
static inline void client_queue(struct uring_loop *l, struct uring_client *k)
{
    if (k->queued) return;
    k->queued = true;
    k->next = NULL;
    *l->last = k;
    l->last = &k->next;
}

/* Makes the list of listeners; uring_listeners_look() starts to accept. Returns false when memory is short. */
bool uring_listeners_open(struct uring_loop *l);

/* Starts or stops accepting on each listener, as service_accepts() says now. */
void uring_listeners_look(struct uring_loop *l);

/*
 * Starts to accept on one listener, if service_accepts() says so and it has not started yet. When few places
 * are left, connections are accepted one at a time.
 */
void uring_accept(struct uring_loop *l, uint32_t index);
/* Ends a pause: does the same for all listeners. */
void uring_accept_resume(struct uring_loop *l);
/* Takes a completion of OP_ACCEPT in. */
void uring_accepted(struct uring_loop *l, uint32_t index, const struct io_uring_cqe *cqe);

/* Takes all connections that are in the kernel's queue, then stops accepting. */
void uring_listeners_close(struct uring_loop *l);

#endif
