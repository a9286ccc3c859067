/*
 * Sends without a copy (IORING_OP_SEND_ZC, Linux 6.2): the kernel reads the memory of a send after the send has
 * completed, until the peer has acknowledged the bytes. Then a second completion gives the memory back. Off unless
 * the option io_uring.zero_copy is set.
 */
#ifndef ZCSERVE_MODEL_ZERO_COPY_H
#define ZCSERVE_MODEL_ZERO_COPY_H

#include "ring.h"

#include <sys/types.h>

struct zero_copy {
    uint16_t lent; /* sends whose memory the kernel still reads                          */
    bool used;     /* the send in flight, or the last one, is without a copy             */
    bool fails;    /* such sends do not work for this socket: plain ones are used from now on */
};

/* A send of so many bytes begins. Returns whether it is to be without a copy. */
bool zero_copy_begin(struct zero_copy *z, const struct ring *ring, uint64_t length);

/*
 * The send completed with `result`. Returns that, or 0 when the bytes are to be sent again, with a copy: zero-copy is
 * not supported, or the system has no memory that may be locked.
 */
ssize_t zero_copy_sent(struct zero_copy *z, int result);

/* The kernel has given the memory of a send back. `usage` is the result of that completion. */
void zero_copy_given_back(struct zero_copy *z, int usage);

/* Returns whether a completion of a send only says that the kernel has given memory back. */
static inline bool zero_copy_is_notice(const struct io_uring_cqe *cqe)
{
    return (cqe->flags & IORING_CQE_F_NOTIF) != 0;
}

#endif
