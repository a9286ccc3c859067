/*
 * How the io_uring model accepts: one submission for each listener brings connection after connection,
 * as long as there is plenty of room; when there are few places left they are accepted one at a time, so that
 * none is taken from the kernel's queue that would have to be turned away. It never polls a listener.
 */
#include "uring.h"
#include "zcserve/listener.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#define PLENTY 64   /* places; as many as one turn hardly ever brings */
#define VAIN_MAX 64 /* accepts of which nothing comes, between two ticks */

static uint32_t room(const struct uring_loop *l)
{
    return l->clients.count - l->clients.used;
}

/* Accepts under way, each of which may bring one at any time. */
static uint32_t accepts_count(const struct uring_loop *l)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < l->listeners; i++)
        count += l->accepts[i];
    return count;
}

void uring_accept(struct uring_loop *l, uint32_t index)
{
    if (l->accepts[index] || room(l) <= accepts_count(l)) return;
    bool again = room(l) > PLENTY;
    ring_accept(&l->ring, l->listener[index], again, (uint64_t)index * TAG_UNIT | OP_ACCEPT);
    l->accepts[index] = true;
}

static void accept_stop(struct uring_loop *l, uint32_t index)
{
    if (l->accepts[index]) ring_cancel(&l->ring, (uint64_t)index * TAG_UNIT | OP_ACCEPT, OP_CANCEL);
}

static void accepts_stop(struct uring_loop *l)
{
    for (uint32_t i = 0; i < l->listeners; i++)
        accept_stop(l, i);
}

/* Out of descriptors or connections: those that wait keep waiting until a tick finds room. */
static void accepting_pause(struct uring_loop *l, const char *why)
{
    accept_paused(l->worker.stats, why);
    l->paused = true;
    accepts_stop(l);
}

static void connection_open(struct uring_loop *l, int fd)
{
    struct uring_client *k = l->stopping ? NULL : slab_take(&l->clients);
    if (!k) { /* it came before the kernel was told to stop */
        stats_add(&l->worker.stats->refused, 1);
        close(fd);
        return;
    }
    *k = (struct uring_client){.queued = false};
    client_open(&k->client, &l->worker, fd, NULL);
    lane_open(&k->lane, k, fd);
    if (l->service->uring.registered_files)
        lane_register(&l->ring, &k->lane, slab_index(&l->clients, k));
    lane_receive(&l->ring, &k->lane);
    if (room(l) == PLENTY) accepts_stop(l); /* from here on one at a time */
    if (room(l) == 0) accepting_pause(l, "all connections are in use; see 'connections'");
}

/* Says nothing about the next one: it is accepted at once, but not again and again without end. */
static bool passes(struct uring_loop *l, int result)
{
    if (result == -ECANCELED) return !l->paused;
    bool of_one = result == -EAGAIN || result == -EINTR || listener_is_trouble_of_one(-result);
    return of_one && l->vain++ < VAIN_MAX;
}

void uring_accepted(struct uring_loop *l, uint32_t index, const struct io_uring_cqe *cqe)
{
    l->accepts[index] = (cqe->flags & IORING_CQE_F_MORE) != 0;
    if (cqe->res >= 0)
        connection_open(l, cqe->res);
    else if (cqe->res == -EMFILE || cqe->res == -ENFILE || cqe->res == -ENOMEM ||
             cqe->res == -ENOBUFS)
        accepting_pause(l, strerror(-cqe->res));
    bool goes_on = cqe->res >= 0 || passes(l, cqe->res);
    if (goes_on && !l->draining) uring_accept(l, index);
    l->paused |= !l->accepts[index]; /* whatever the reason, a tick starts it again */
}

/* Those that the kernel has queued are ours: no other worker would take them. */
void uring_listeners_close(struct uring_loop *l)
{
    for (uint32_t i = 0; i < l->listeners; i++) {
        int fd;
        accept_stop(l, i);
        while ((fd = listener_accept(l->listener[i], true, NULL)) >= 0)
            connection_open(l, fd);
        listener_close(l->listener[i], &l->service->address[i], false);
    }
    l->listeners = 0;
}
