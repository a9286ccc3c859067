/* Ways to wait for many descriptors at once. */
#include "multiplex_ways.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { LIMIT_MS = 200, QUEUE = 1024, COMPLETIONS = 65536, BUFFERS = 1024, GROUP = 1 };
static const uint64_t later_tag = UINT64_MAX;

/* Receives once from a socket, without blocking. */
static ssize_t receive_once(struct watch *w, const struct ready *ready, char into[MESSAGE_BYTES])
{
    watch_count_call(w);
    ssize_t got = recv(w->fd[ready->index], into, MESSAGE_BYTES, MSG_DONTWAIT);
    return got < 0 ? -errno : got;
}

static void ready_put(struct watch *w, int *count, unsigned index)
{
    w->ready[(*count)++] = (struct ready){.index = (int)index};
}

/* ---- select(2): all descriptors go to the kernel and come back, as bits ------------------------ */

static int select_open(struct watch *w)
{
    FD_ZERO(&w->set);
    for (unsigned i = 0; i < w->count; i++) {
        if (w->fd[i] >= FD_SETSIZE) return -EBADF;
        FD_SET(w->fd[i], &w->set);
        if (w->fd[i] > w->highest) w->highest = w->fd[i];
    }
    return 0;
}

static int select_wait(struct watch *w)
{
    fd_set set = w->set;
    struct timeval limit = {.tv_usec = LIMIT_MS * 1000};
    int found = 0;
    watch_count_call(w);
    int left = select(w->highest + 1, &set, NULL, NULL, &limit);
    if (left < 0) return errno == EINTR ? 0 : -errno;
    for (unsigned i = 0; i < w->count && found < left && found < READY_MAX; i++)
        if (FD_ISSET(w->fd[i], &set)) ready_put(w, &found, i);
    return found;
}

/* ---- poll(2): the same as a list, without a limit ---------------------------------------------- */

static int poll_open(struct watch *w)
{
    w->polled = calloc(w->count, sizeof *w->polled);
    if (!w->polled) return -ENOMEM;
    for (unsigned i = 0; i < w->count; i++)
        w->polled[i] = (struct pollfd){.fd = w->fd[i], .events = POLLIN};
    return 0;
}

static int poll_wait(struct watch *w)
{
    int found = 0;
    watch_count_call(w);
    int left = poll(w->polled, w->count, LIMIT_MS);
    if (left < 0) return errno == EINTR ? 0 : -errno;
    for (unsigned i = 0; i < w->count && found < left && found < READY_MAX; i++)
        if (w->polled[i].revents) ready_put(w, &found, i);
    return found;
}

/* ---- epoll(7): the kernel keeps the list, and another one of those that are ready -------------- */

static int epoll_add_all(struct watch *w, unsigned events)
{
    w->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (w->epoll < 0) return -errno;
    w->events = events;
    for (unsigned i = 0; i < w->count; i++) {
        struct epoll_event event = {.events = events, .data.u32 = i};
        if (epoll_ctl(w->epoll, EPOLL_CTL_ADD, w->fd[i], &event) < 0) return -errno;
    }
    return 0;
}

static int level_open(struct watch *w)
{
    return epoll_add_all(w, EPOLLIN);
}

static int edge_open(struct watch *w)
{
    return epoll_add_all(w, EPOLLIN | EPOLLET);
}

static int oneshot_open(struct watch *w)
{
    return epoll_add_all(w, EPOLLIN | EPOLLONESHOT);
}

static int epoll_await(struct watch *w)
{
    struct epoll_event event[READY_MAX];
    int found = 0;
    watch_count_call(w);
    int count = epoll_wait(w->epoll, event, READY_MAX, LIMIT_MS);
    if (count < 0) return errno == EINTR ? 0 : -errno;
    while (found < count)
        ready_put(w, &found, event[found].data.u32);
    return found;
}

/* An edge is reported once: the socket must be read until there is no more (epoll(7)). */
static ssize_t edge_receive(struct watch *w, const struct ready *ready, char into[MESSAGE_BYTES])
{
    char more[MESSAGE_BYTES];
    ssize_t got = receive_once(w, ready, into);
    if (got <= 0) return got;
    while (receive_once(w, ready, more) > 0) {
    }
    return got;
}

static ssize_t oneshot_receive(struct watch *w, const struct ready *ready, char into[MESSAGE_BYTES])
{
    struct epoll_event event = {.events = w->events, .data.u32 = (unsigned)ready->index};
    ssize_t got = receive_once(w, ready, into);
    watch_count_call(w);
    if (epoll_ctl(w->epoll, EPOLL_CTL_MOD, w->fd[ready->index], &event) < 0) return -errno;
    return got;
}

/* ---- io_uring ---------------------------------------------------------------------------------- */

/* Kernels before 6.1 do not know these flags. */
static int ring_open(struct watch *w)
{
    struct io_uring_params params = {.flags = IORING_SETUP_CQSIZE | IORING_SETUP_SINGLE_ISSUER |
                                              IORING_SETUP_DEFER_TASKRUN,
                                     .cq_entries = COMPLETIONS};
    int result = io_uring_queue_init_params(QUEUE, &w->ring, &params);
    if (result == -EINVAL) {
        params = (struct io_uring_params){.flags = IORING_SETUP_CQSIZE, .cq_entries = COMPLETIONS};
        result = io_uring_queue_init_params(QUEUE, &w->ring, &params);
    }
    w->has_ring = result == 0;
    return result;
}

/*
 * Returns a free submission. When the queue is full, those before it are submitted. NULL: the kernel takes
 * none.
 */
static struct io_uring_sqe *ring_sqe(struct watch *w)
{
    struct io_uring_sqe *sqe = io_uring_get_sqe(&w->ring);
    if (sqe) return sqe;
    watch_count_call(w);
    io_uring_submit(&w->ring);
    return io_uring_get_sqe(&w->ring);
}

static int poll_arm(struct watch *w, unsigned index)
{
    struct io_uring_sqe *sqe = ring_sqe(w);
    if (!sqe) return -EAGAIN;
    io_uring_prep_poll_add(sqe, w->fd[index], POLLIN);
    io_uring_sqe_set_data64(sqe, index);
    return 0;
}

static int receive_arm(struct watch *w, unsigned index)
{
    struct io_uring_sqe *sqe = ring_sqe(w);
    if (!sqe) return -EAGAIN;
    io_uring_prep_recv_multishot(sqe, w->fd[index], NULL, 0, 0);
    sqe->flags |= IOSQE_BUFFER_SELECT;
    sqe->buf_group = GROUP;
    io_uring_sqe_set_data64(sqe, index);
    return 0;
}

static void buffer_give(struct watch *w, unsigned slot)
{
    io_uring_buf_ring_add(w->buffers, w->memory + (size_t)slot * MESSAGE_BYTES, MESSAGE_BYTES,
                          (unsigned short)slot, io_uring_buf_ring_mask(BUFFERS), 0);
    io_uring_buf_ring_advance(w->buffers, 1);
}

static int buffers_open(struct watch *w)
{
    int result = 0;
    w->memory = calloc(BUFFERS, MESSAGE_BYTES);
    if (!w->memory) return -ENOMEM;
    w->buffers = io_uring_setup_buf_ring(&w->ring, BUFFERS, GROUP, 0, &result);
    if (!w->buffers) return result;
    for (unsigned slot = 0; slot < BUFFERS; slot++)
        buffer_give(w, slot);
    return 0;
}

static int ring_arm_all(struct watch *w, int (*arm)(struct watch *, unsigned))
{
    int result = 0;
    for (unsigned i = 0; i < w->count && result == 0; i++)
        result = arm(w, i);
    if (result == 0) result = io_uring_submit(&w->ring);
    return result < 0 ? result : 0;
}

static int ring_poll_open(struct watch *w)
{
    int result = ring_open(w);
    return result < 0 ? result : ring_arm_all(w, poll_arm);
}

static int ring_receive_open(struct watch *w)
{
    int result = ring_open(w);
    if (result == 0) result = buffers_open(w);
    return result < 0 ? result : ring_arm_all(w, receive_arm);
}

/* The same call submits what was armed since the last time. */
static int ring_enter(struct watch *w)
{
    struct __kernel_timespec limit = {.tv_nsec = LIMIT_MS * 1000000};
    struct io_uring_cqe *cqe;
    watch_count_call(w);
    int result = io_uring_submit_and_wait_timeout(&w->ring, &cqe, 1, &limit, NULL);
    return result == -ETIME || result == -EINTR || result > 0 ? 0 : result;
}

static int ring_wait(struct watch *w)
{
    struct io_uring_cqe *cqe;
    int result = ring_enter(w), found = 0, failure = 0;
    while (result == 0 && found < READY_MAX && io_uring_peek_cqe(&w->ring, &cqe) == 0) {
        uint64_t tag = io_uring_cqe_get_data64(cqe);
        if (tag != later_tag && !w->buffers && cqe->res < 0) failure = cqe->res;
        w->ready[found++] = (struct ready){.index = tag == later_tag ? READ_LATER : (int)tag,
                                           .length = cqe->res,
                                           .slot = cqe->flags >> IORING_CQE_BUFFER_SHIFT};
        /* A multishot receive ends when there was no buffer, for example. */
        if (w->buffers && tag != later_tag && !(cqe->flags & IORING_CQE_F_MORE) && cqe->res != 0)
            failure = cqe->res == -EINVAL ? cqe->res : receive_arm(w, (unsigned)tag);
        io_uring_cqe_seen(&w->ring, cqe);
    }
    return failure < 0 ? failure : result < 0 ? result : found;
}

static ssize_t ring_poll_receive(struct watch *w, const struct ready *ready,
                                 char into[MESSAGE_BYTES])
{
    ssize_t got = receive_once(w, ready, into);
    bool more = got > 0 || got == -EAGAIN;
    int result = more ? poll_arm(w, (unsigned)ready->index) : 0;
    return result < 0 ? result : got;
}

static ssize_t ring_receive(struct watch *w, const struct ready *ready, char into[MESSAGE_BYTES])
{
    if (ready->length <= 0) return ready->length == -ENOBUFS ? -EAGAIN : ready->length;
    memcpy(into, w->memory + (size_t)ready->slot * MESSAGE_BYTES, (size_t)ready->length);
    buffer_give(w, ready->slot);
    return ready->length;
}

int watch_read_later(struct watch *w, int fd)
{
    struct io_uring_sqe *sqe = w->has_ring ? ring_sqe(w) : NULL;
    if (!sqe) return -EAGAIN;
    io_uring_prep_read(sqe, fd, &w->later, sizeof w->later, 0);
    io_uring_sqe_set_data64(sqe, later_tag);
    return 0;
}

/* ---- the table --------------------------------------------------------------------------------- */

const struct way ways[] = {{"select", select_open, select_wait, receive_once},
                           {"poll", poll_open, poll_wait, receive_once},
                           {"epoll", level_open, epoll_await, receive_once},
                           {"edge", edge_open, epoll_await, edge_receive},
                           {"oneshot", oneshot_open, epoll_await, oneshot_receive},
                           {"uring_poll", ring_poll_open, ring_wait, ring_poll_receive},
                           {"uring_recv", ring_receive_open, ring_wait, ring_receive},
                           {NULL, NULL, NULL, NULL}};

const struct way *way_named(const char *name)
{
    for (const struct way *way = ways; way->name; way++)
        if (!strcmp(way->name, name)) return way;
    return NULL;
}

int watch_open(struct watch *w, const struct way *way, const int *fd, unsigned count)
{
    memset(w, 0, sizeof *w);
    w->way = way;
    w->fd = fd;
    w->count = count;
    w->epoll = -1;
    return way->open(w);
}

void watch_close(struct watch *w)
{
    if (!w->way) return;
    if (w->buffers) io_uring_free_buf_ring(&w->ring, w->buffers, BUFFERS, GROUP);
    if (w->has_ring) io_uring_queue_exit(&w->ring);
    if (w->epoll >= 0) close(w->epoll);
    free(w->polled);
    free(w->memory);
    w->way = NULL;
}
