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
    bool closed;  /* as the model does: operations may still be in flight */
    unsigned completed[LANE_OPERATIONS]; /* how many completed, of each operation */
    ssize_t result[LANE_OPERATIONS];     /* the last result, of each operation */
} __attribute__((aligned(TAG_UNIT)));

/*
 * Returns false, after it has said so, when io_uring does not work here; then ring_problem() must say why.
 */
bool core_ring_open(struct ring *ring, uint32_t sockets, const struct uring_options *options);
void core_ring_close(struct ring *ring); /* nothing may be held or in flight */

/* Makes one turn and gives completions to their lanes. Returns how many there were. */
unsigned core_ring_turn(struct ring *ring);

/* Makes turns until `*value` is at least `least`. Fails the test when that takes too long. */
void core_ring_await(struct ring *ring, const unsigned *value, unsigned least);

/* `send_bytes` is the size of the socket's send buffer; 0: the default. */
void core_lane_open(struct core_lane *lane, int send_bytes);

/*
 * Opens a pair of TCP sockets, not Unix ones. The peer's receive buffer has `receive_bytes`; 0: the
 * default.
 */
void core_lane_open_tcp(struct core_lane *lane, int send_bytes, int receive_bytes);

/* Closes it as the model does: first what is being sent, then the socket, then the rest. */
void core_lane_close(struct ring *ring, struct core_lane *lane);

#endif
