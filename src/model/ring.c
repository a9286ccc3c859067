/*
 * Sets up a ring and its pool of buffers, and explains when that is not allowed: containers and
 * hardened systems forbid io_uring in several ways that all look like one errno.
 */
#include "ring.h"
#include "zcserve/model.h"
#include "zcserve/now.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

struct gather {
    struct msghdr message;
    struct iovec vector[OUTGOING_VECTORS_MAX];
};

#define MEMORY_BYTES ((size_t)RING_BUFFERS * RING_BUFFER_BYTES + RING_FETCH_BYTES)
#define POOL 0 /* the number of the group of buffers */

/* ---- opening ------------------------------------------------------------------------------ */

/* 1 or 2: forbidden by sysctl kernel.io_uring_disabled; 0 when it is allowed or unknown. */
static int disabled_by_sysctl(void)
{
    int value = 0;
    FILE *file = fopen("/proc/sys/kernel/io_uring_disabled", "re");
    if (!file) return 0;
    if (fscanf(file, "%d", &value) != 1) value = 0;
    fclose(file);
    return value;
}

static const char *remedy_of(int error)
{
    switch (error) {
    case ENOSYS: return "this kernel has no io_uring (Linux 6.0 or later is needed)";
    case EPERM:
        return disabled_by_sysctl() > 0
                   ? "forbidden by sysctl kernel.io_uring_disabled; set it to 0"
                   : "forbidden by a seccomp filter, as container engines set one; allow "
                     "io_uring_setup, io_uring_enter and io_uring_register in its profile";
    case ENOMEM: return "not enough memory may be locked; raise ulimit -l or LimitMEMLOCK=";
    case EMFILE:
    case ENFILE: return "no descriptor is left; raise ulimit -n or LimitNOFILE=";
    case EINVAL: return "this kernel's io_uring is too old (Linux 6.0 or later is needed)";
    default: return strerror(error);
    }
}

/* The best flags that this kernel takes; each line asks for a newer one. */
static int setup(struct io_uring *uring)
{
    static const unsigned flags[] = {
        IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN, /* Linux 6.1 */
        IORING_SETUP_COOP_TASKRUN,                               /* Linux 5.19 */
    };
    int result = -EINVAL;
    for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]) && result == -EINVAL; i++) {
        struct io_uring_params params = {
            .flags = flags[i] | IORING_SETUP_CQSIZE | IORING_SETUP_SUBMIT_ALL,
            .cq_entries = RING_COMPLETIONS,
        };
        result = io_uring_queue_init_params(RING_ENTRIES, uring, &params);
    }
    return result;
}

static char *buffer(const struct ring *ring, uint16_t id)
{
    return ring->memory + (size_t)id * RING_BUFFER_BYTES;
}

static int pool_open(struct ring *ring)
{
    int error = 0;
    void *memory = mmap(NULL, MEMORY_BYTES, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED) return -ENOMEM;
    ring->memory = memory;
    ring->scratch = ring->memory + (size_t)RING_BUFFERS * RING_BUFFER_BYTES;
    ring->pool = io_uring_setup_buf_ring(&ring->uring, RING_BUFFERS, POOL, 0, &error);
    if (!ring->pool) {
        munmap(memory, MEMORY_BYTES);
        return error;
    }
    for (uint16_t id = 0; id < RING_BUFFERS; id++)
        io_uring_buf_ring_add(ring->pool, buffer(ring, id), RING_BUFFER_BYTES, id,
                              io_uring_buf_ring_mask(RING_BUFFERS), id);
    io_uring_buf_ring_advance(ring->pool, RING_BUFFERS);
    return 0;
}

int ring_open(struct ring *ring, uint32_t sockets, char *problem, size_t size)
{
    int result = slab_open(&ring->gathers, sizeof(struct gather), sockets);
    if (result == 0) result = setup(&ring->uring);
    if (result == 0) {
        result = pool_open(ring);
        if (result != 0) io_uring_queue_exit(&ring->uring);
    }
    if (result != 0) {
        snprintf(problem, size, "io_uring: %s", remedy_of(-result));
        slab_close(&ring->gathers);
    }
    return result;
}

void ring_close(struct ring *ring)
{
    io_uring_free_buf_ring(&ring->uring, ring->pool, RING_BUFFERS, POOL);
    io_uring_queue_exit(&ring->uring);
    munmap(ring->memory, MEMORY_BYTES);
    slab_close(&ring->gathers);
}

/* ---- submissions -------------------------------------------------------------------------- */

/* A submission to fill in. When the queue is full the kernel takes what is in it first. */
static struct io_uring_sqe *submission(struct ring *ring)
{
    struct io_uring_sqe *sqe = io_uring_get_sqe(&ring->uring);
    while (!sqe) {
        io_uring_submit(&ring->uring);
        sqe = io_uring_get_sqe(&ring->uring);
    }
    return sqe;
}

void ring_accept(struct ring *ring, int listener, uint64_t tag)
{
    struct io_uring_sqe *sqe = submission(ring);
    io_uring_prep_multishot_accept(sqe, listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    sqe->user_data = tag;
}

void ring_receive(struct ring *ring, int fd, uint64_t tag)
{
    struct io_uring_sqe *sqe = submission(ring);
    io_uring_prep_recv_multishot(sqe, fd, NULL, 0, 0);
    sqe->flags |= IOSQE_BUFFER_SELECT;
    sqe->buf_group = POOL;
    sqe->user_data = tag;
}

struct gather *ring_send(struct ring *ring, int fd, const struct outgoing *out, uint64_t tag)
{
    struct io_uring_sqe *sqe = submission(ring);
    int flags = MSG_NOSIGNAL | (out->more ? MSG_MORE : 0);
    struct gather *gather = NULL;
    if (out->count == 1) {
        io_uring_prep_send(sqe, fd, out->vector[0].iov_base, out->vector[0].iov_len, flags);
    } else {
        gather = slab_take(&ring->gathers);
        memcpy(gather->vector, out->vector, sizeof(struct iovec) * (size_t)out->count);
        gather->message =
            (struct msghdr){.msg_iov = gather->vector, .msg_iovlen = (size_t)out->count};
        io_uring_prep_sendmsg(sqe, fd, &gather->message, (unsigned)flags);
    }
    sqe->user_data = tag;
    if (!out->more && out->length <= RING_PROMPT_BYTES) ring->prompt++;
    return gather;
}

void ring_sent(struct ring *ring, struct gather *gather)
{
    if (gather) slab_put(&ring->gathers, gather);
}

/*
 * The advice makes the kernel read on while this part is sent. It also keeps its own readahead
 * away: that would leave marks in the page cache at which sendfile(2) would start to read, and wait.
 */
void ring_fetch(struct ring *ring, int fd, uint64_t offset, uint64_t length, uint64_t tag)
{
    unsigned part = length < RING_FETCH_BYTES ? (unsigned)length : RING_FETCH_BYTES;
    if (io_uring_sq_space_left(&ring->uring) < 2) /* what is linked is submitted together */
        io_uring_submit(&ring->uring);
    struct io_uring_sqe *advise = submission(ring);
    io_uring_prep_fadvise(advise, fd, offset, 2 * part, POSIX_FADV_WILLNEED);
    advise->flags |= IOSQE_ASYNC | IOSQE_IO_HARDLINK | IOSQE_CQE_SKIP_SUCCESS;
    advise->user_data = RING_UNTOLD;
    struct io_uring_sqe *read = submission(ring);
    io_uring_prep_read(read, fd, ring->scratch, part, offset);
    read->flags |= IOSQE_ASYNC; /* starting to read can wait for the device too */
    read->user_data = tag;
}

void ring_await_writable(struct ring *ring, int fd, uint64_t tag)
{
    struct io_uring_sqe *sqe = submission(ring);
    io_uring_prep_poll_add(sqe, fd, POLLOUT);
    sqe->user_data = tag;
}

void ring_await_received(struct ring *ring, int fd, uint64_t tag)
{
    struct io_uring_sqe *sqe = submission(ring);
    io_uring_prep_poll_add(sqe, fd, POLLIN | POLLRDHUP);
    sqe->user_data = tag;
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

static struct __kernel_timespec timespec_of(uint64_t ns)
{
    return (struct __kernel_timespec){.tv_sec = (int64_t)(ns / NS_PER_SECOND),
                                      .tv_nsec = (int64_t)(ns % NS_PER_SECOND)};
}

void ring_turn(struct ring *ring, uint64_t wait_ns)
{
    struct __kernel_timespec wait = timespec_of(wait_ns);
    struct io_uring_cqe *cqe;
    io_uring_submit_and_wait_timeout(&ring->uring, &cqe, 1, wait_ns == UINT64_MAX ? NULL : &wait,
                                     NULL);
    ring->prompt = 0;
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
    io_uring_submit_and_wait_min_timeout(&ring->uring, &cqe, ring->prompt + completions, &wait,
                                         (unsigned)(gather_ns / 1000), NULL);
    ring->prompt = 0;
}

bool ring_gathers(const struct ring *ring)
{
    return (ring->uring.features & IORING_FEAT_MIN_TIMEOUT) != 0; /* Linux 6.12 */
}

/* ---- trying ------------------------------------------------------------------------------- */

/* Flags of operations cannot be asked for (io_uring_probe tells opcodes alone), only tried. */
static int receive_try(struct ring *ring, const int pair[2])
{
    struct io_uring_cqe *cqe;
    ring_receive(ring, pair[0], 0);
    if (write(pair[1], "", 1) != 1) return -errno;
    ring_turn(ring, NS_PER_SECOND);
    if (io_uring_peek_cqe(&ring->uring, &cqe) != 0) return -ETIME;
    bool again = cqe->res == 1 && (cqe->flags & IORING_CQE_F_MORE);
    return again ? 0 : cqe->res < 0 ? cqe->res : -EINVAL;
}

const char *uring_problem(void)
{
    static struct ring ring;
    static char problem[256];
    int pair[2];
    int result = ring_open(&ring, 1, problem, sizeof(problem));
    if (result != 0) return problem;
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0) {
        result = -errno;
    } else {
        result = receive_try(&ring, pair);
        close(pair[0]);
        close(pair[1]);
    }
    ring_close(&ring);
    snprintf(problem, sizeof(problem), "io_uring: %s", remedy_of(-result));
    return result == 0 ? NULL : problem;
}

/* ---- bytes received ----------------------------------------------------------------------- */

static void buffer_return(struct ring *ring, uint16_t id)
{
    io_uring_buf_ring_add(ring->pool, buffer(ring, id), RING_BUFFER_BYTES, id,
                          io_uring_buf_ring_mask(RING_BUFFERS), 0);
    io_uring_buf_ring_advance(ring->pool, 1);
    ring->lent--;
}

void ring_hold(struct ring *ring, struct held *held, const struct io_uring_cqe *cqe)
{
    uint16_t id = (uint16_t)(cqe->flags >> IORING_CQE_BUFFER_SHIFT);
    ring->length[id] = (uint16_t)cqe->res;
    ring->lent++;
    if (held->count++ == 0)
        held->first = id;
    else
        ring->next[held->last] = id;
    held->last = id;
}

static void first_drop(struct ring *ring, struct held *held)
{
    uint16_t id = held->first;
    held->first = ring->next[id];
    held->count--;
    held->offset = 0;
    buffer_return(ring, id);
}

size_t ring_take(struct ring *ring, struct held *held, char *space, size_t size)
{
    size_t taken = 0;
    while (held->count > 0 && taken < size) {
        size_t left = (size_t)(ring->length[held->first] - held->offset);
        size_t part = left < size - taken ? left : size - taken;
        memcpy(space + taken, buffer(ring, held->first) + held->offset, part);
        taken += part;
        held->offset = (uint16_t)(held->offset + part);
        if (part == left) first_drop(ring, held);
    }
    return taken;
}

void ring_drop(struct ring *ring, struct held *held)
{
    while (held->count > 0)
        first_drop(ring, held);
}
