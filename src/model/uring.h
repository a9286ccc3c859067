/*
 * What the files of the io_uring model have in common: its loop, and a connection of it. uring.c is the
 * one to read first; uring_accept.c brings it connections.
 */
#ifndef ZCSERVE_MODEL_URING_H
#define ZCSERVE_MODEL_URING_H

#include "lane.h"
#include "pace.h"
#include "zcserve/model.h"

/* Besides those of lanes. The rest of an accept's tag is the index of its listener. */
enum operation { OP_ACCEPT = LANE_OPERATIONS, OP_CANCEL, OP_SIGNAL, OP_CHANGES, OP_FETCHED };

struct uring_client {
    struct client client;
    struct lane lane;
    struct uring_client *next; /* of those to be driven                              */
    uint32_t heard;            /* pace.h's                                           */
    bool queued;
    bool closed; /* but operations are still in flight */
};

struct uring_loop {
    struct worker worker;
    const struct service *service;
    struct ring ring;
    struct pace pace;
    struct slab clients;
    struct uring_client *first, **last; /* to be driven in this turn */
    uint64_t ticked_ns, drain_deadline_ns;
    bool draining, stopping;
    bool paused;      /* accepting, until a connection ends or a tick comes */
    uint32_t hand;    /* crowd_choose()'s                                             */
    uint32_t leaving; /* the client that makes room at present, by its place          */
    uint32_t ticks;
    uint32_t unwatched; /* bit by OP_…: to be watched again, from the next tick on */
    uint32_t vain; /* accepts since the last tick that ended with no more than trouble of one */
    uint32_t listeners;
    struct uring_listener {
        int fd;
        bool accepts; /* the kernel does, or polls it  */
        bool polls;   /* it polls: places are few      */
    } * listener;     /* by number, see service.h      */
    int signals;
};

/* Has the client driven in this turn. */
static inline void client_queue(struct uring_loop *l, struct uring_client *k)
{
    if (k->queued) return;
    k->queued = true;
    k->next = NULL;
    *l->last = k;
    l->last = &k->next;
}

/* False when memory is short. */
bool uring_listeners_open(struct uring_loop *l);

/* Begins to accept from, or to stop with, each listener as service_accepts() has it now. */
void uring_listeners_look(struct uring_loop *l);

/* Accepts from a listener if it should and does not; one at a time when few places are left. */
void uring_accept(struct uring_loop *l, uint32_t index);
/* Ends a pause: the same for all listeners. */
void uring_accept_resume(struct uring_loop *l);
void uring_accepted(struct uring_loop *l, uint32_t index, const struct io_uring_cqe *cqe);

/* Stops accepting; whoever the kernel has queued is still taken. */
void uring_listeners_close(struct uring_loop *l);

#endif
