/*
 * One socket on a ring: the operations that the kernel does for it, and the bytes received from it. Nothing
 * of a lane may be freed until all its operations are over, that is, until `in_flight` is 0.
 */
#ifndef ZCSERVE_MODEL_LANE_H
#define ZCSERVE_MODEL_LANE_H

#include "zero_copy.h"

#include <sys/types.h>

/* A tag is the address of the owner of the lane, aligned to TAG_UNIT, plus one of these. */
enum lane_operation {
    LANE_RECEIVE,
    LANE_SEND,
    LANE_FETCH,
    LANE_WRITABLE,
    LANE_PAUSE,
    LANE_CANCEL,
    LANE_UNREGISTER,
    LANE_OPERATIONS
};
#define TAG_UNIT 64U

/* What the sending side waits for. */
enum lane_sending {
    LANE_FREE,     /* nothing: more may be sent                                 */
    LANE_IN_SEND,  /* the kernel sends memory                                   */
    LANE_IN_FETCH, /* a part of a file is read from the disk before it is sent  */
    LANE_PAUSED,   /* the system has no memory for the send: waits a moment     */
    LANE_FULL      /* the socket has no room: a poll tells when there is some   */
};

/* How the lane receives. */
enum lane_receiving {
    RECEIVE_STOPPED, /* the kernel does not receive                                          */
    RECEIVE_ARMED,   /* a multishot receive puts bytes into buffers of the pool              */
    RECEIVE_STARVED, /* the pool had no buffer, so the receive ended; a poll is armed next   */
    RECEIVE_POLLED,  /* that poll waits until the socket is readable                         */
    RECEIVE_READABLE /* it is: lane_take() reads the socket itself                           */
};

struct lane {
    uint64_t tag;       /* of the owner                                                      */
    int fd, socket;     /* the descriptor; what the ring calls the socket                    */
    uint32_t named;     /* number of the ring's turn in which a submission last named it     */
    uint16_t in_flight; /* operations whose last completion is still to come                 */
    uint8_t sending;    /* enum lane_sending                                                 */
    uint8_t receiving;  /* enum lane_receiving                                               */
    bool half_open;     /* the peer has finished sending: see lane_await_writable()          */
    bool watching;      /* a multishot poll is armed                                         */
    uint8_t stopped;    /* multishot polls that were cancelled and have not completed yet    */
    bool finished;      /* the peer has finished sending; bytes that are held come first     */
    struct zero_copy zero_copy;
    struct held held;
    struct gather *gather; /* of the send in flight, when it has several vectors */
};

void lane_open(struct lane *lane, void *owner, int fd);

/* Puts the socket into the ring's own table, at `place`, which must be free. The ring uses that from now on. */
void lane_register(struct ring *ring, struct lane *lane, uint32_t place);

/*
 * Has the kernel receive, unless it does so already. When the pool had no buffer the last time, it polls the
 * socket once instead: connections that hold all buffers must not keep this one waiting.
 */
void lane_receive(struct ring *ring, struct lane *lane);

/*
 * Returns whether lane_take() will read the socket itself. Then the bytes that it takes may be newer than
 * the completion that reported them.
 */
static inline bool lane_takes_directly(const struct lane *lane)
{
    return lane->held.count == 0 && lane->receiving == RECEIVE_READABLE;
}

/* Returns whether there is something to take: bytes, or the end of what the peer sends. */
static inline bool lane_has_received(const struct lane *lane)
{
    return lane->held.count > 0 || lane->receiving == RECEIVE_READABLE || lane->finished;
}

/*
 * Takes up to `size` bytes; to be called when lane_has_received() is true. Returns the number of bytes; 0 when
 * the peer has finished; -EAGAIN when there was nothing after all (then call lane_receive()); or -errno.
 */
ssize_t lane_take(struct ring *ring, struct lane *lane, char *space, size_t size);

/*
 * Sends memory. The memory must not change until the send has completed and, when the lane lends then, until it
 * does not lend any more. More may be sent meanwhile.
 */
void lane_send(struct ring *ring, struct lane *lane, const struct outgoing *out);

/* Returns whether the kernel still reads the memory of sends that have completed. */
static inline bool lane_lends(const struct lane *lane)
{
    return lane->zero_copy.lent > 0;
}

/* Reads the beginning of a file range into the page cache, so that sending it does not wait for the disk. */
void lane_fetch(struct ring *ring, struct lane *lane, const struct outgoing *out);

/*
 * Waits for room in the socket. A poll by io_uring always reports POLLRDHUP too (kernel: io_uring/poll.c,
 * IO_POLL_UNMASK), and reports it at once when the peer has finished sending. So when a poll has reported
 * nothing else, the next one is a multishot poll: it reports changes only (IORING_POLL_ADD_MULTI is
 * edge-triggered), and stays armed until there is room.
 */
void lane_await_writable(struct ring *ring, struct lane *lane);

/*
 * Drops what was received, and has the kernel stop receiving. After that the descriptor may be closed, and
 * its number may be used for another socket. The lane must not lend.
 */
void lane_close(struct ring *ring, struct lane *lane);

/* Ends the connection, so that sends in flight complete soon and the kernel gives their memory back. */
void lane_abort(struct lane *lane);

/*
 * Takes a completion in. Returns:
 *     after LANE_SEND   bytes sent; 0: send it again as soon as `sending` is LANE_FREE; or -errno
 *     after all others  0 or -errno
 * -EAGAIN, -EINTR and -ECANCELED, and of sends -ENOBUFS and -ENOMEM, say nothing about the peer. They are
 * not returned: the operation that they ended is begun again.
 */
ssize_t lane_completed(struct ring *ring, struct lane *lane, enum lane_operation operation,
                       const struct io_uring_cqe *cqe);

#endif
