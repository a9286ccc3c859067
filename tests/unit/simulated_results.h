/*
 * Gives the operations of simulated_ring.h, which includes this file, their results: they are performed, or
 * get another result that the kernel may give. The results of one operation keep their order.
 */
#ifndef SIMULATED_RESULTS_H
#define SIMULATED_RESULTS_H

#include <limits.h>

#define UNAFFECTED INT_MAX /* by faults */

/* Returns one of several results that the kernel may give to any operation of its kind; or UNAFFECTED. */
static int fault(const int *of, unsigned count)
{
    return simulated_by_chance(simulated.faults) ? of[simulated_random(count)] : UNAFFECTED;
}

/* ---- receives ------------------------------------------------------------------------------ */

static void pool_look(void)
{
    for (; simulated.pool_seen != simulated.pool->tail; simulated.pool_seen++) {
        uint16_t id = simulated.pool->bufs[simulated.pool_seen % RING_BUFFERS].bid;
        simulated_holds(id < RING_BUFFERS && simulated.buffer_lent[id]); /* not given back twice */
        simulated.buffer_lent[id] = false;
    }
}

/*
 * Receives into a buffer of the pool. Returns -ENOBUFS, or what recv(2) returns, and sets `flags` when it
 * took a buffer.
 */
static int receive_pooled(const struct simulated_operation *o, uint32_t *flags)
{
    pool_look();
    const struct io_uring_buf *buffer = &simulated.pool->bufs[simulated.pool_head % RING_BUFFERS];
    if (simulated.pool_head == simulated.pool_seen) return -ENOBUFS;
    size_t size = simulated_by_chance(64) ? 1 + simulated_random(buffer->len) : buffer->len;
    ssize_t n = recv(o->fd, (void *)(uintptr_t)buffer->addr, size, MSG_DONTWAIT);
    if (n < 0) return -errno;
    if (n == 0) return 0;
    *flags = IORING_CQE_F_BUFFER | (uint32_t)buffer->bid << IORING_CQE_BUFFER_SHIFT;
    simulated.buffer_lent[buffer->bid] = true;
    simulated.pool_head++;
    return (int)n;
}

static bool receive_look(struct simulated_operation *o)
{
    static const int faults[] = {-EAGAIN, -EINTR, -ENOBUFS, -ECANCELED};
    uint32_t flags = 0;
    int result = fault(faults, 4);
    if (result == UNAFFECTED && !o->cancelled && !o->ending && !o->events) return false;
    if (result == UNAFFECTED && (!o->cancelled || simulated_by_chance(64)))
        result = receive_pooled(o, &flags);
    if (result == UNAFFECTED || (result == -EAGAIN && o->cancelled)) result = -ECANCELED;
    if (result == -EAGAIN && !o->ending && !simulated_by_chance(simulated.faults / 4)) return false;
    bool goes_on = result > 0 && !o->ending && !simulated_by_chance(simulated.faults);
    if (result > 0 && simulated_by_chance(64)) flags |= IORING_CQE_F_SOCK_NONEMPTY;
    complete(o, result, flags | (goes_on ? IORING_CQE_F_MORE : 0));
    return !goes_on;
}

/* ---- sends --------------------------------------------------------------------------------- */

static struct outgoing memory_of(const struct simulated_operation *o)
{
    const struct msghdr *message = (const struct msghdr *)(uintptr_t)o->sqe.addr;
    struct outgoing out = {.count = 1, .fd = -1, .length = o->sqe.len};
    out.vector[0] = (struct iovec){(void *)(uintptr_t)o->sqe.addr, o->sqe.len};
    if (o->kind == IORING_OP_SEND || o->kind == IORING_OP_SEND_ZC) return out;
    out.count = (int)message->msg_iovlen;
    out.length = 0;
    for (int i = 0; i < out.count; i++) {
        out.vector[i] = message->msg_iov[i];
        out.length += out.vector[i].iov_len;
    }
    return out;
}

/* Shortens it to so many bytes. */
static void memory_shorten(struct outgoing *out, uint64_t length)
{
    out->length = 0;
    for (int i = 0; i < out->count; i++) {
        if (out->vector[i].iov_len > length - out->length)
            out->vector[i].iov_len = length - out->length;
        out->length += out->vector[i].iov_len;
    }
}

static uint64_t memory_sum(const struct outgoing *out)
{
    uint64_t sum = UINT64_C(14695981039346656037);
    for (int i = 0; i < out->count; i++)
        for (size_t j = 0; j < out->vector[i].iov_len; j++)
            sum = (sum ^ ((const unsigned char *)out->vector[i].iov_base)[j]) *
                  UINT64_C(1099511628211);
    return sum;
}

static int memory_send(const struct simulated_operation *o, struct outgoing *out)
{
    struct msghdr message = {.msg_iov = out->vector, .msg_iovlen = (size_t)out->count};
    if (out->length > 1 && simulated_by_chance(64))
        memory_shorten(out, 1 + simulated_random((uint32_t)out->length - 1));
    ssize_t n = sendmsg(o->fd, &message, (int)o->sqe.msg_flags | MSG_DONTWAIT | MSG_NOSIGNAL);
    if (n >= 0) memory_shorten(out, (uint64_t)n);
    return n < 0 ? -errno : (int)n;
}

/* The memory of a send that was not copied is given back later. */
static void lend(uint64_t tag, const struct outgoing *out)
{
    struct simulated_operation *notice = operation_add(SIMULATED_NOTICE, tag);
    notice->lent = *out;
    notice->sum = memory_sum(out);
    if (simulated_by_chance(32)) notice->result = (int)IORING_NOTIF_USAGE_ZC_COPIED;
}

/* A zero-copy send that failed gives its memory back in the same two steps, if it came so far. */
static bool send_look(struct simulated_operation *o)
{
    static const int faults[] = {-EAGAIN, -EINTR, -ECANCELED, -ENOBUFS, -ENOMEM};
    bool zero_copy = o->kind == IORING_OP_SEND_ZC || o->kind == IORING_OP_SENDMSG_ZC;
    struct outgoing out = memory_of(o);
    int result = fault(faults, 5);
    if (result == UNAFFECTED) result = memory_send(o, &out);
    bool lends = zero_copy && (result >= 0 || !simulated_by_chance(64));
    complete(o, result, lends ? IORING_CQE_F_MORE : 0);
    if (result < 0) out.count = 0;
    if (lends) lend(o->tag, &out);
    return true;
}

static bool notice_look(struct simulated_operation *o)
{
    if (simulated_by_chance(192)) return false; /* the peer acknowledges much later */
    simulated_holds(o->sum == memory_sum(&o->lent));
    complete(o, o->result, IORING_CQE_F_NOTIF);
    return true;
}

/* ---- polls --------------------------------------------------------------------------------- */

static short poll_events(struct simulated_operation *o)
{
    bool looks = !o->again || o->woken || simulated_by_chance(simulated.faults / 8);
    o->woken = false;
    return looks ? o->events : (short)0;
}

static bool poll_look(struct simulated_operation *o)
{
    static const int faults[] = {-ECANCELED, -EAGAIN, -EINTR};
    int result = fault(faults, 3);
    if (result == UNAFFECTED && (!o->cancelled || (o->again && simulated_by_chance(64))))
        result = poll_events(o);
    if (result == UNAFFECTED || (result == 0 && o->cancelled)) result = -ECANCELED;
    if (result == 0 && o->ending) result = -EINTR;
    if (result == 0) { /* and sometimes it reports room or bytes that are not there */
        if (!simulated_by_chance(simulated.faults / 8)) return false;
        result = (int)o->sqe.poll32_events;
    }
    bool goes_on = o->again && result > 0 && !o->ending && !simulated_by_chance(simulated.faults);
    complete(o, result, goes_on ? IORING_CQE_F_MORE : 0);
    return !goes_on;
}

/* ---- the others ---------------------------------------------------------------------------- */

static bool accept_look(struct simulated_operation *o)
{
    static const int faults[] = {-EAGAIN, -EINTR,  -ECONNABORTED, -EMFILE,
                                 -ENFILE, -ENOMEM, -ECANCELED};
    int result = fault(faults, 7);
    if (result == UNAFFECTED && !o->cancelled && !o->ending && !o->events) return false;
    if (result == UNAFFECTED && !o->cancelled)
        result = accept4(o->fd, NULL, NULL, (int)o->sqe.accept_flags);
    if (result == UNAFFECTED) result = -ECANCELED;
    if (result == -1) result = -errno;
    if (result == -EAGAIN && !o->ending && !simulated_by_chance(simulated.faults / 8)) return false;
    bool goes_on = o->again && result >= 0 && !o->ending && !simulated_by_chance(simulated.faults);
    complete(o, result, goes_on ? IORING_CQE_F_MORE : 0);
    return !goes_on;
}

static bool read_look(struct simulated_operation *o)
{
    static const int faults[] = {-EAGAIN, -EINTR, -ECANCELED, -EIO, 0, 1};
    int result = fault(faults, 6);
    if (result == UNAFFECTED)
        result = (int)pread(o->fd, (void *)(uintptr_t)o->sqe.addr, o->sqe.len, (off_t)o->sqe.off);
    complete(o, result == -1 ? -errno : result, 0);
    return true;
}

/* Directed: gives the result that the test prescribes. `over` says whether that was the last one. */
static bool prescribed(struct simulated_operation *o, bool *over)
{
    for (unsigned i = 0; i < simulated.scripted; i++) {
        struct prescribed p = simulated.script[i];
        if (p.kind != o->kind) continue;
        simulated.scripted--;
        memmove(&simulated.script[i], &simulated.script[i + 1],
                (simulated.scripted - i) * sizeof(simulated.script[0]));
        if (p.result == UNAFFECTED) return false;
        complete(o, p.result, p.flags);
        *over = !(p.flags & IORING_CQE_F_MORE);
        return true;
    }
    return false;
}

/* Looks at an operation. Returns whether it is over. */
static bool operation_look(struct simulated_operation *o)
{
    bool over;
    o->age++;
    if (prescribed(o, &over)) return over;
    if (o->fd < 0 && o->kind < SIMULATED_ANSWER && o->kind != IORING_OP_TIMEOUT) {
        complete(o, -EBADF, 0);
        return true;
    }
    switch (o->kind) {
    case IORING_OP_RECV: return receive_look(o);
    case IORING_OP_SEND:
    case IORING_OP_SENDMSG:
    case IORING_OP_SEND_ZC:
    case IORING_OP_SENDMSG_ZC: return send_look(o);
    case IORING_OP_POLL_ADD: return poll_look(o);
    case IORING_OP_ACCEPT: return accept_look(o);
    case IORING_OP_READ: return read_look(o);
    case IORING_OP_TIMEOUT:
        if (o->age < 3) return false;
        complete(o, -ETIME, 0);
        return true;
    case SIMULATED_NOTICE: return notice_look(o);
    default: complete(o, o->result, 0); return true;
    }
}

/* Finds what the sockets of all operations are ready for. */
static void events_look(void)
{
    static struct pollfd fds[SIMULATED_OPERATIONS];
    for (unsigned i = 0; i < simulated.operations; i++) {
        const struct simulated_operation *o = simulated.operation[i];
        bool polls = o->kind == IORING_OP_POLL_ADD;
        bool waits = polls || o->kind == IORING_OP_RECV || o->kind == IORING_OP_ACCEPT;
        fds[i] = (struct pollfd){.fd = waits ? o->fd : -1, .events = POLLIN | POLLRDHUP};
        if (polls) fds[i].events = (short)(o->sqe.poll32_events | POLLRDHUP);
    }
    poll(fds, simulated.operations, 0);
    for (unsigned i = 0; i < simulated.operations; i++)
        simulated.operation[i]->events = fds[i].revents;
}

static void wakes_take(void)
{
    struct epoll_event events[64];
    int count = epoll_wait(simulated.wakes, events, 64, 0);
    for (int i = 0; i < count; i++)
        ((struct simulated_operation *)events[i].data.ptr)->woken = true;
}

/*
 * Looks at operations in any order, and at some not at all; directed: at all, in the order in which they
 * came.
 */
static void operations_look(void)
{
    unsigned looks = simulated.operations, index = 0;
    wakes_take();
    events_look();
    if (simulated.by_chance) looks = simulated_random(2 * looks + 2);
    for (unsigned i = 0; i < looks && simulated.operations > 0 && completions_room() > 1; i++) {
        if (simulated.by_chance) index = simulated_random(simulated.operations);
        struct simulated_operation *o = simulated.operation[index];
        if (!simulated.held[o->kind] && operation_look(o)) {
            unsigned at = 0; /* what it brought may be behind it */
            while (simulated.operation[at] != o)
                at++;
            operation_remove(at);
        } else {
            index++;
        }
    }
}

#endif
