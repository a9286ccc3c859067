/*
 * The ring: its set-up and its submissions fail as other calls do. An operation fails without being done: it is
 * replaced by one that does nothing and gives the wanted result (IORING_NOP_INJECT_RESULT, Linux 6.11), so that
 * links and flags work as the kernel has them. Operations can also be shortened, and completions shuffled.
 */
#include "board.h"

#include <errno.h>
#include <liburing.h>

#define FROM __builtin_return_address(0)
#define RESTRICTIONS_MAX 64

#ifndef IORING_NOP_INJECT_RESULT
#define IORING_NOP_INJECT_RESULT (1U << 0)
#endif

static enum call call_of(uint8_t operation)
{
    switch (operation) {
    case IORING_OP_ACCEPT: return CALL_ring_accept;
    case IORING_OP_CLOSE: return CALL_ring_close;
    case IORING_OP_FADVISE: return CALL_ring_fadvise;
    case IORING_OP_FILES_UPDATE: return CALL_ring_files_update;
    case IORING_OP_POLL_ADD: return CALL_ring_poll;
    case IORING_OP_READ: return CALL_ring_read;
    case IORING_OP_RECV: return CALL_ring_receive;
    case IORING_OP_SEND:
    case IORING_OP_SENDMSG:
    case IORING_OP_SEND_ZC:
    case IORING_OP_SENDMSG_ZC: return CALL_ring_send;
    case IORING_OP_SPLICE: return CALL_ring_splice;
    case IORING_OP_TIMEOUT: return CALL_ring_timeout;
    default: return CALL_ring_other;
    }
}

static void fail(struct io_uring_sqe *sqe, int error)
{
    const uint8_t kept = IOSQE_IO_LINK | IOSQE_IO_HARDLINK | IOSQE_ASYNC | IOSQE_CQE_SKIP_SUCCESS;
    struct io_uring_sqe failing = {
        .opcode = IORING_OP_NOP,
        .flags = sqe->flags & kept,
        .fd = -1,
        .len = (uint32_t)-error,
        .rw_flags = IORING_NOP_INJECT_RESULT,
        .user_data = sqe->user_data,
    };
    *sqe = failing;
}

/* A zero length of a multishot receive means that the kernel chooses. */
static void shorten(struct io_uring_sqe *sqe, const void *from)
{
    if (sqe->opcode == IORING_OP_READ || sqe->opcode == IORING_OP_SEND ||
        sqe->opcode == IORING_OP_SEND_ZC || sqe->opcode == IORING_OP_SPLICE)
        sqe->len = (uint32_t)board_shorten(sqe->len, from);
}

/* Looks at what is prepared and not yet submitted. The operation stands for the place that prepared it. */
static void submissions_take(struct io_uring *ring, const void *from)
{
    struct io_uring_sq *queue = &ring->sq;
    for (unsigned at = queue->sqe_head; at != queue->sqe_tail; at++) {
        struct io_uring_sqe *sqe = &queue->sqes[at & queue->ring_mask];
        if (sqe->opcode == IORING_OP_ASYNC_CANCEL) continue;
        int error = board_error(call_of(sqe->opcode), (const void *)(uintptr_t)sqe->opcode);
        if (error)
            fail(sqe, error);
        else
            shorten(sqe, from);
    }
}

/* Swaps two completions that nobody has seen, unless the kernel promises their order: it does for those of one
 * operation, between which no other one is moved either. */
static void swap(struct io_uring_cq *queue, unsigned first, unsigned second)
{
    struct io_uring_cqe *a = &queue->cqes[first & queue->ring_mask];
    struct io_uring_cqe *b = &queue->cqes[second & queue->ring_mask];
    for (unsigned at = first; at != second; at++) {
        uint64_t between = queue->cqes[at & queue->ring_mask].user_data;
        if (between == b->user_data || (at != first && between == a->user_data)) return;
    }
    struct io_uring_cqe kept = *a;
    *a = *b;
    *b = kept;
}

static void completions_shuffle(struct io_uring *ring)
{
    struct io_uring_cq *queue = &ring->cq;
    unsigned head = *queue->khead, tail = io_uring_smp_load_acquire(queue->ktail);
    for (unsigned at = head; at + 1 < tail; at++) {
        unsigned rest = tail - at, step = board_shuffle(rest);
        if (step > 0 && step < rest) swap(queue, at, at + step);
    }
}

/* ---- submitting --------------------------------------------------------------------------------- */

int io_uring_submit(struct io_uring *ring)
{
    REAL(io_uring_submit);
    int error = board_error(CALL_io_uring_submit, FROM);
    if (error) return -error;
    submissions_take(ring, FROM);
    return real(ring);
}

int io_uring_submit_and_wait_timeout(struct io_uring *ring, struct io_uring_cqe **cqe,
                                     unsigned count, struct __kernel_timespec *wait,
                                     sigset_t *signals)
{
    REAL(io_uring_submit_and_wait_timeout);
    int error = board_error(CALL_io_uring_submit_and_wait_timeout, FROM);
    if (error) return -error;
    submissions_take(ring, FROM);
    int result = real(ring, cqe, count, wait, signals);
    completions_shuffle(ring);
    return result;
}

int io_uring_submit_and_wait_min_timeout(struct io_uring *ring, struct io_uring_cqe **cqe,
                                         unsigned count, struct __kernel_timespec *wait,
                                         unsigned least, sigset_t *signals)
{
    REAL(io_uring_submit_and_wait_min_timeout);
    int error = board_error(CALL_io_uring_submit_and_wait_min_timeout, FROM);
    if (error) return -error;
    submissions_take(ring, FROM);
    int result = real(ring, cqe, count, wait, least, signals);
    completions_shuffle(ring);
    return result;
}

/* ---- set-up ------------------------------------------------------------------------------------- */

#define WRAP_RING(name, parameters, arguments)      \
    int name parameters                             \
    {                                               \
        REAL(name);                                 \
        int error = board_error(CALL_##name, FROM); \
        return error ? -error : real arguments;     \
    }

WRAP_RING(io_uring_queue_init_params,
          (unsigned entries, struct io_uring *ring, struct io_uring_params *how),
          (entries, ring, how))
WRAP_RING(io_uring_enable_rings, (struct io_uring * ring), (ring))
WRAP_RING(io_uring_register_napi, (struct io_uring * ring, struct io_uring_napi *how), (ring, how))
WRAP_RING(io_uring_register_files_sparse, (struct io_uring * ring, unsigned count), (ring, count))
WRAP_RING(io_uring_setup, (unsigned entries, struct io_uring_params *how), (entries, how))
WRAP_RING(io_uring_enter,
          (unsigned fd, unsigned submit, unsigned complete, unsigned flags, sigset_t *signals),
          (fd, submit, complete, flags, signals))
WRAP_RING(io_uring_register, (unsigned fd, unsigned what, const void *with, unsigned count),
          (fd, what, with, count))

/* An operation that fails is replaced by one that does nothing: a ring that is restricted takes that, too. */
int io_uring_register_restrictions(struct io_uring *ring, struct io_uring_restriction *list,
                                   unsigned count)
{
    REAL(io_uring_register_restrictions);
    struct io_uring_restriction more[RESTRICTIONS_MAX];
    int error = board_error(CALL_io_uring_register_restrictions, FROM);
    if (error) return -error;
    if (count >= RESTRICTIONS_MAX) return -E2BIG;
    for (unsigned i = 0; i < count; i++)
        more[i] = list[i];
    more[count] =
        (struct io_uring_restriction){.opcode = IORING_RESTRICTION_SQE_OP, .sqe_op = IORING_OP_NOP};
    return real(ring, more, count + 1);
}

struct io_uring_probe *io_uring_get_probe_ring(struct io_uring *ring)
{
    REAL(io_uring_get_probe_ring);
    return board_error(CALL_io_uring_get_probe_ring, FROM) ? NULL : real(ring);
}

struct io_uring_buf_ring *io_uring_setup_buf_ring(struct io_uring *ring, unsigned entries,
                                                  int group, unsigned flags, int *problem)
{
    REAL(io_uring_setup_buf_ring);
    int error = board_error(CALL_io_uring_setup_buf_ring, FROM);
    if (error == 0) return real(ring, entries, group, flags, problem);
    *problem = -error;
    return NULL;
}
