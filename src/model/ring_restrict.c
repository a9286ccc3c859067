/*
 * A ring passes by the filter of system calls: what it is told to do, the kernel does without another
 * call. So the ring itself takes only the operations that this program submits, and none that opens,
 * connects or executes anything (IORING_REGISTER_RESTRICTIONS, Linux 5.10; io_uring_register(2)). They can be
 * set once, while the ring is not yet enabled, and never be lifted.
 */
#include "ring.h"

#define ALLOW_OPERATION(name)                                           \
    {                                                                   \
        .opcode = IORING_RESTRICTION_SQE_OP, .sqe_op = IORING_OP_##name \
    }

int ring_restrict(struct ring *ring)
{
    static struct io_uring_restriction allowed[] = {
        ALLOW_OPERATION(ACCEPT),
        ALLOW_OPERATION(RECV),
        ALLOW_OPERATION(SEND),
        ALLOW_OPERATION(SENDMSG),
        ALLOW_OPERATION(SEND_ZC),
        ALLOW_OPERATION(SENDMSG_ZC),
        ALLOW_OPERATION(POLL_ADD),
        ALLOW_OPERATION(ASYNC_CANCEL),
        ALLOW_OPERATION(TIMEOUT),
        ALLOW_OPERATION(READ),
        ALLOW_OPERATION(FADVISE),
        ALLOW_OPERATION(FILES_UPDATE), /* sockets in the ring's own table */
        ALLOW_OPERATION(CLOSE),
        {.opcode = IORING_RESTRICTION_SQE_FLAGS_ALLOWED,
         .sqe_flags = IOSQE_FIXED_FILE | IOSQE_BUFFER_SELECT | IOSQE_CQE_SKIP_SUCCESS |
                      IOSQE_IO_HARDLINK | IOSQE_ASYNC},
        {.opcode = IORING_RESTRICTION_REGISTER_OP, .register_op = IORING_UNREGISTER_PBUF_RING},
    };
    int result =
        io_uring_register_restrictions(&ring->uring, allowed, sizeof(allowed) / sizeof(allowed[0]));
    return result == 0 ? io_uring_enable_rings(&ring->uring) : result;
}
