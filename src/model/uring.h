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
    uint8_t failure;           /* enum close_reason; told when nothing is being sent */
    bool queued;
    bool fetched; /* what it awaited; told when nothing is being sent */
    bool closed;  /* but operations are still in flight */
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
    bool paused; /* accepting, until the next tick */
    uint32_t ticks;
    uint32_t unwatched; /* bit by OP_…: to be watched again, from the next tick on */
    uint32_t vain; /* accepts since the last tick that ended with no more than trouble of one */
    uint32_t listeners;
    int listener[SERVICE_ADDRESSES_MAX];
    bool accepts[SERVICE_ADDRESSES_MAX];
    int signals;
};

/* Accepts from a listener, unless that is under way already or there is no place. */
void uring_accept(struct uring_loop *l, uint32_t index);
void uring_accepted(struct uring_loop *l, uint32_t index, const struct io_uring_cqe *cqe);

/* Stops accepting; whoever the kernel has queued is still taken. */
void uring_listeners_close(struct uring_loop *l);

#endif
