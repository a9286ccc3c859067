/*
 * Sets up a ring as the options say, prepares submissions, and waits for completions. The vectors of a send
 * are kept here until the kernel has read them.
 */
#include "ring.h"
#include "zcserve/now.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

struct gather {
    struct msghdr message;
    struct iovec vector[OUTGOING_VECTORS_MAX];
};

/* ---- opening ------------------------------------------------------------------------------ */

/* Sets up the ring with the best flags that this kernel accepts. */
static int setup(struct io_uring *uring, uint64_t sqpoll_ns, bool restricted)
{
    /* SQPOLL excludes DEFER_TASKRUN and COOP_TASKRUN, by which completions wait for our thread. */
    static const unsigned polled = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_SQPOLL;
    static const unsigned flags[] = {
        IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN, /* Linux 6.1 */
        IORING_SETUP_COOP_TASKRUN,                               /* Linux 5.19 */
    };
    int result = -EINVAL;
    for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]) && result == -EINVAL; i++) {
        struct io_uring_params params = {
            .flags = (sqpoll_ns > 0 ? polled : flags[i]) | IORING_SETUP_CQSIZE |
                     IORING_SETUP_SUBMIT_ALL | (restricted ? IORING_SETUP_R_DISABLED : 0),
            .cq_entries = RING_COMPLETIONS,
            .sq_thread_idle = (unsigned)(sqpoll_ns / NS_PER_MS),
        };
        result = io_uring_queue_init_params(RING_ENTRIES, uring, &params);
    }
    return result;
}

static bool sends_without_copying(struct io_uring *uring)
{
    struct io_uring_probe *probe = io_uring_get_probe_ring(uring);
    bool can = probe && io_uring_opcode_supported(probe, IORING_OP_SEND_ZC) &&
               io_uring_opcode_supported(probe, IORING_OP_SENDMSG_ZC);
    io_uring_free_probe(probe);
    return can;
}

static int options_take(struct ring *ring, uint32_t sockets, const struct uring_options *options)
{
    struct io_uring_napi napi = {.busy_poll_to = (uint32_t)(options->napi_ns / 1000),
                                 .prefer_busy_poll = 1};
    int result = 0;
    ring->sqpoll = options->sqpoll_ns > 0;
    ring->zero_copy_bytes = options->zero_copy_bytes;
    if (ring->zero_copy_bytes > 0 && !sends_without_copying(&ring->uring)) result = -EOPNOTSUPP;
    if (result == 0 && options->registered_files)
        result = io_uring_register_files_sparse(&ring->uring, sockets);
    if (result == 0 && options->napi_ns > 0) result = io_uring_register_napi(&ring->uring, &napi);
    return result;
}

int ring_open(struct ring *ring, uint32_t sockets, const struct uring_options *options,
              char *problem, size_t size)
{
    int result = slab_open(&ring->gathers, sizeof(struct gather), sockets);
    if (result == 0) result = setup(&ring->uring, options->sqpoll_ns, options->restricted);
    if (result == 0) {
        result = options_take(ring, sockets, options);
        if (result == 0) result = ring_buffers_open(ring);
        if (result == 0 && options->restricted && (result = ring_restrict(ring)) != 0)
            ring_buffers_close(ring);
        if (result != 0) io_uring_queue_exit(&ring->uring);
    }
    if (result != 0) {
        snprintf(problem, size, "io_uring: %s", ring_remedy(-result));
        slab_close(&ring->gathers);
    }
    return result;
}

void ring_close(struct ring *ring)
{
    ring_buffers_close(ring);
    io_uring_queue_exit(&ring->uring);
    slab_close(&ring->gathers);
}

/* ---- submissions -------------------------------------------------------------------------- */

static void nap(void)
{
    static const struct timespec moment = {.tv_nsec = NS_PER_MS};
    nanosleep(&moment, NULL);
}

/* Returns whether the error passes: the kernel was short of memory or was interrupted. */
static bool passes(int error)
{
    return error == -EAGAIN || error == -EBUSY || error == -EINTR;
}

/*
 * Submits what is prepared until there is room for `submissions` more. After RING_FAILURES_MAX failures the
 * ring is broken.
 */
static void room_make(struct ring *ring, unsigned submissions)
{
    unsigned failures = 0;
    while (!ring->broken && io_uring_sq_space_left(&ring->uring) < submissions) {
        int result = io_uring_submit(&ring->uring);
        if (result >= 0 && ring->sqpoll) result = io_uring_sqring_wait(&ring->uring);
        if (result > 0 || (result == 0 && ring->sqpoll)) continue;
        if (!passes(result) || ++failures == RING_FAILURES_MAX)
            ring->broken = result < 0 ? result : -EIO;
        else
            nap();
    }
}

void ring_settle(struct ring *ring)
{
    room_make(ring, RING_ENTRIES);
}

static struct io_uring_sqe *submission(struct ring *ring)
{
    room_make(ring, 1);
    return ring->broken ? &ring->nowhere : io_uring_get_sqe(&ring->uring);
}

/* Sets the socket and the tag of a submission that was prepared with descriptor 0. */
static void submission_end(struct io_uring_sqe *sqe, int socket, uint64_t tag)
{
    sqe->fd = socket & ~RING_REGISTERED;
    if (socket & RING_REGISTERED) sqe->flags |= IOSQE_FIXED_FILE;
    sqe->user_data = tag;
}

/* Nobody looks at the completion: when this fails, the next operation on the socket fails too. */
int ring_register(struct ring *ring, uint32_t place, int *fd)
{
    struct io_uring_sqe *sqe = submission(ring);
    io_uring_prep_files_update(sqe, fd, 1, (int)place);
    sqe->flags |= IOSQE_CQE_SKIP_SUCCESS;
    sqe->user_data = RING_UNTOLD;
    return (int)place | RING_REGISTERED;
}

void ring_unregister(struct ring *ring, int socket, uint64_t tag)
{
    struct io_uring_sqe *sqe = submission(ring);
    io_uring_prep_close_direct(sqe, (unsigned)(socket & ~RING_REGISTERED));
    sqe->user_data = tag;
}

void ring_accept(struct ring *ring, int listener, bool again, uint64_t tag)
{
    struct io_uring_sqe *sqe = submission(ring);
    io_uring_prep_accept(sqe, listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (again) sqe->ioprio |= IORING_ACCEPT_MULTISHOT;
    sqe->user_data = tag;
}

void ring_receive(struct ring *ring, int socket, uint64_t tag)
{
    struct io_uring_sqe *sqe = submission(ring);
    io_uring_prep_recv_multishot(sqe, 0, NULL, 0, 0);
    sqe->flags |= IOSQE_BUFFER_SELECT;
    sqe->buf_group = RING_POOL;
    submission_end(sqe, socket, tag);
}

/* Both kinds of sends are prepared in the same way; the opcode says whether the kernel copies. */
struct gather *ring_send(struct ring *ring, int socket, const struct outgoing *out, bool zero_copy,
                         uint64_t tag)
{
    struct io_uring_sqe *sqe = submission(ring);
    int flags = MSG_NOSIGNAL | MSG_DONTWAIT | (out->more ? MSG_MORE : 0);
    struct gather *gather = NULL;
    if (out->count == 1) {
        io_uring_prep_send(sqe, 0, out->vector[0].iov_base, out->vector[0].iov_len, flags);
        if (zero_copy) sqe->opcode = IORING_OP_SEND_ZC;
    } else {
        gather = slab_take(&ring->gathers);
        memcpy(gather->vector, out->vector, sizeof(struct iovec) * (size_t)out->count);
        gather->message =
            (struct msghdr){.msg_iov = gather->vector, .msg_iovlen = (size_t)out->count};
        io_uring_prep_sendmsg(sqe, 0, &gather->message, (unsigned)flags);
        if (zero_copy) sqe->opcode = IORING_OP_SENDMSG_ZC;
    }
    if (zero_copy) sqe->ioprio |= IORING_SEND_ZC_REPORT_USAGE;
    submission_end(sqe, socket, tag);
    ring->prompt++;
    return gather;
}

void ring_sent(struct ring *ring, struct gather *gather)
{
    if (gather) slab_put(&ring->gathers, gather);
}

/*
 * Reads this part, and advises the kernel to read as much again while this part is sent. Without the advice
 * the kernel would read ahead by itself, and leave marks in the page cache: at such a mark sendfile(2) would
 * start to read, and wait.
 */
void ring_fetch(struct ring *ring, int fd, uint64_t offset, uint64_t length, uint64_t tag)
{
    unsigned part = length < RING_FETCH_BYTES ? (unsigned)length : RING_FETCH_BYTES;
    room_make(ring, 2); /* linked operations must be submitted together */
    struct io_uring_sqe *advise = submission(ring);
    io_uring_prep_fadvise(advise, fd, offset, 2 * part, POSIX_FADV_WILLNEED);
    advise->flags |= IOSQE_ASYNC | IOSQE_IO_HARDLINK | IOSQE_CQE_SKIP_SUCCESS;
    advise->user_data = RING_UNTOLD;
    struct io_uring_sqe *read = submission(ring);
    io_uring_prep_read(read, fd, ring->scratch, part, offset);
    read->flags |= IOSQE_ASYNC; /* even starting to read can wait for the device */
    read->user_data = tag;
}

void ring_await_writable(struct ring *ring, int socket, bool again, uint64_t tag)
{
    struct io_uring_sqe *sqe = submission(ring);
    if (again)
        io_uring_prep_poll_multishot(sqe, 0, POLLOUT);
    else
        io_uring_prep_poll_add(sqe, 0, POLLOUT);
    submission_end(sqe, socket, tag);
}

void ring_await_received(struct ring *ring, int socket, uint64_t tag)
{
    struct io_uring_sqe *sqe = submission(ring);
    io_uring_prep_poll_add(sqe, 0, POLLIN | POLLRDHUP);
    submission_end(sqe, socket, tag);
}

void ring_await_readable(struct ring *ring, int fd, uint64_t tag)
{
    struct io_uring_sqe *sqe = submission(ring);
    io_uring_prep_poll_multishot(sqe, fd, POLLIN);
    sqe->user_data = tag;
}

void ring_cancel(struct ring *ring, uint64_t target, uint64_t tag)
{
    struct io_uring_sqe *sqe = submission(ring);
    io_uring_prep_cancel64(sqe, target, 0);
    sqe->user_data = tag;
}

void ring_pause(struct ring *ring, uint64_t tag)
{
    static struct __kernel_timespec pause = {.tv_nsec = RING_PAUSE_NS};
    struct io_uring_sqe *sqe = submission(ring);
    io_uring_prep_timeout(sqe, &pause, 0, 0);
    sqe->user_data = tag;
}

static struct __kernel_timespec timespec_of(uint64_t ns)
{
    return (struct __kernel_timespec){.tv_sec = (int64_t)(ns / NS_PER_SECOND),
                                      .tv_nsec = (int64_t)(ns % NS_PER_SECOND)};
}

/*
 * When the kernel was short of memory, it has not taken all submissions; the rest belongs to the next turn.
 * When there is no completion either, the thread sleeps for a moment before it asks the kernel again.
 */
static void turn_end(struct ring *ring, int result)
{
    if (result < 0 && result != -ETIME && !passes(result)) ring->broken = result;
    if ((result == -EAGAIN || result == -EBUSY) && io_uring_cq_ready(&ring->uring) == 0) nap();
    if (io_uring_sq_ready(&ring->uring) > 0 && !ring->sqpoll) return;
    ring->prompt = 0;
    ring->turns++;
}

void ring_turn(struct ring *ring, uint64_t wait_ns)
{
    struct __kernel_timespec wait = timespec_of(wait_ns);
    struct io_uring_cqe *cqe;
    turn_end(ring, io_uring_submit_and_wait_timeout(&ring->uring, &cqe, 1,
                                                    wait_ns == UINT64_MAX ? NULL : &wait, NULL));
}

void ring_turn_gathering(struct ring *ring, uint64_t wait_ns, uint32_t completions,
                         uint64_t gather_ns)
{
    struct __kernel_timespec wait = timespec_of(wait_ns);
    struct io_uring_cqe *cqe;
    if (!ring_gathers(ring)) {
        ring_turn(ring, wait_ns);
        return;
    }
    turn_end(ring,
             io_uring_submit_and_wait_min_timeout(&ring->uring, &cqe, ring->prompt + completions,
                                                  &wait, (unsigned)(gather_ns / 1000), NULL));
}

bool ring_gathers(const struct ring *ring)
{
    return (ring->uring.features & IORING_FEAT_MIN_TIMEOUT) != 0; /* Linux 6.12 */
}
