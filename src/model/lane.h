/*
 * One socket on a ring: what the kernel is doing for it, what it has received, and when all of
 * that is over. Nothing of it may be freed while `in_flight` is not 0.
 */
#ifndef ZCSERVE_MODEL_LANE_H
#define ZCSERVE_MODEL_LANE_H

#include "ring.h"

#include <sys/types.h>

/* A tag is the address of the lane's owner, aligned to TAG_UNIT, and one of these. */
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
    LANE_FREE,     /* nothing: more may be sent                                  */
    LANE_IN_SEND,  /* the kernel has memory that is to be sent                   */
    LANE_IN_FETCH, /* a part of a file is read from the disk before it is sent   */
    LANE_PAUSED,   /* the system has no memory for it now: a moment passes       */
    LANE_FULL      /* the socket has no room: the kernel tells when there is some */
};

struct lane {
    uint64_t tag;       /* of the owner */
    int fd, socket;     /* `socket` is what the ring knows it as                  */
    uint32_t named;     /* turn of the ring in which a submission last named it   */
    uint16_t lent;      /* sends whose memory the kernel still reads              */
    uint16_t in_flight; /* operations whose last completion is still to come  */
    uint8_t sending;    /* enum lane_sending                                  */
    bool half_open;     /* the peer finished sending: see lane_await_writable() */
    bool watching;      /* a poll that goes on until it is cancelled is armed */
    uint8_t stopped;    /* such polls, cancelled, whose end is still to come  */
    bool receiving;     /* the kernel receives until it is told otherwise     */
    bool starved;       /* no buffer was left for it: next it receives without */
    bool polling;       /* …for which it waits while `receiving`               */
    bool readable;      /* …and which it can do now                            */
    bool finished;      /* the peer finished; what was held comes first       */
    bool zero_copy;     /* what is or was last sent is not to be copied       */
    bool copies;        /* …which does not work here                          */
    struct held held;
    struct gather *gather; /* of the send in flight, when it has several vectors */
};

void lane_open(struct lane *lane, void *owner, int fd);

/* From now on the ring finds the socket at `place` of its own table, where nobody else is. */
void lane_register(struct ring *ring, struct lane *lane, uint32_t place);

/*
 * Sees to it that the kernel receives; after there was no buffer, once without one: others who hold all
 * of them must not keep this one waiting.
 */
void lane_receive(struct ring *ring, struct lane *lane);

/*
 * Whether lane_take() will read the socket itself, so that what it takes may have come after the
 * completion that told of it.
 */
static inline bool lane_takes_directly(const struct lane *lane)
{
    return lane->held.count == 0 && lane->readable;
}

/* Whether there is something to take: bytes, or the peer's end. */
static inline bool lane_has_received(const struct lane *lane)
{
    return lane->held.count > 0 || lane->readable || lane->finished;
}

/*
 * Takes up to `size` bytes, after lane_has_received() said that there is something: how many; 0 when the
 * peer finished; -EAGAIN when there was nothing after all, so that lane_receive() is next; or -errno.
 */
ssize_t lane_take(struct ring *ring, struct lane *lane, char *space, size_t size);

/*
 * Sends memory, which must stay as it is until the completion; when that leaves `lent` above 0, until
 * it is 0 again. More may be sent meanwhile.
 */
void lane_send(struct ring *ring, struct lane *lane, const struct outgoing *out);

/* Reads the beginning of a file range, so that it can be sent without waiting for the disk. */
void lane_fetch(struct ring *ring, struct lane *lane, const struct outgoing *out);

/*
 * Waits for room in the socket. A poll of the ring's always reports POLLRDHUP too (io_uring/poll.c,
 * IO_POLL_UNMASK), which never ends once the peer has finished sending. So a poll that reports nothing else
 * is followed by one that goes on and reports changes only (IORING_POLL_ADD_MULTI is edge-triggered),
 * until there is room.
 */
void lane_await_writable(struct ring *ring, struct lane *lane);

/*
 * Gives up what was received and has the kernel stop receiving; after that the descriptor may be
 * closed, and its number be that of another socket. Nothing may be lent.
 */
void lane_close(struct ring *ring, struct lane *lane);

/* Ends the connection, so that what is being sent completes and what is lent is given back soon. */
void lane_abort(struct lane *lane);

/* Whether a completion of LANE_SEND says nothing but that memory was given back. */
static inline bool lane_is_notice(const struct io_uring_cqe *cqe)
{
    return (cqe->flags & IORING_CQE_F_NOTIF) != 0;
}

/*
 * After LANE_RECEIVE: 0 or -errno. After LANE_SEND: bytes sent, or -errno, or 0: send it again as soon
 * as `sending` is LANE_FREE. Else 0 or -errno. -EAGAIN, -EINTR and -ECANCELED, and of sends -ENOBUFS and -ENOMEM,
 * say nothing about the peer and are not told: what they ended is begun again.
 */
ssize_t lane_completed(struct ring *ring, struct lane *lane, enum lane_operation operation,
                       const struct io_uring_cqe *cqe);

#endif
