/*
 * A ring, and lanes on pairs of sockets whose other ends belong to the test. Completions are taken in as
 * the io_uring model does it.
 */
#ifndef CORE_RING_H
#define CORE_RING_H

#include "zcserve/model.h"
#include "model/lane.h"

struct core_lane {
    struct lane lane;
    int fd, peer; /* both non-blocking; -1 when closed                           */
    bool closed;  /* as by the model: operations may still be in flight          */
    unsigned completed[LANE_OPERATIONS]; /* how many, of each operation          */
    ssize_t result[LANE_OPERATIONS];     /* of the last one                      */
} __attribute__((aligned(TAG_UNIT)));

/* False, after saying so, when io_uring does not work here: then ring_problem() must tell why. */
bool core_ring_open(struct ring *ring, uint32_t sockets, const struct uring_options *options);
void core_ring_close(struct ring *ring); /* nothing may be held or in flight */

/* One turn; completions told to their lanes. How many there were. */
unsigned core_ring_turn(struct ring *ring);

/* Turns until `*value` is at least `least`; fails the test when that takes too long. */
void core_ring_await(struct ring *ring, const unsigned *value, unsigned least);

/* `send_bytes`: of the socket's buffer; 0 for the default. */
void core_lane_open(struct core_lane *lane, int send_bytes);

/* Not a pair of Unix sockets but of TCP ones, whose peer's buffer has `receive_bytes`, or 0. */
void core_lane_open_tcp(struct core_lane *lane, int send_bytes, int receive_bytes);

/* As the model does: what is being sent comes first, then the socket goes, then the rest. */
void core_lane_close(struct ring *ring, struct core_lane *lane);

#endif
