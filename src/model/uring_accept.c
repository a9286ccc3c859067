/*
 * How the io_uring model accepts: one submission for each listener brings connection after connection,
 * until the kernel or the number of places ends it. It never polls a listener.
 */
#include "uring.h"
#include "zcserve/listener.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

void uring_accept(struct uring_loop *l, uint32_t index)
{
    if (l->accepts[index] || l->clients.used == l->clients.count) return;
    ring_accept(&l->ring, l->listener[index], (uint64_t)index * TAG_UNIT | OP_ACCEPT);
    l->accepts[index] = true;
}

static void accept_stop(struct uring_loop *l, uint32_t index)
{
    if (l->accepts[index]) ring_cancel(&l->ring, (uint64_t)index * TAG_UNIT | OP_ACCEPT, OP_CANCEL);
}

/* Out of descriptors or connections: those that wait keep waiting until a tick finds room. */
static void accepting_pause(struct uring_loop *l, const char *why)
{
    accept_paused(l->worker.stats, why);
    l->paused = true;
    for (uint32_t i = 0; i < l->listeners; i++)
        accept_stop(l, i);
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
    if (l->clients.used == l->clients.count)
        accepting_pause(l, "all connections are in use; see 'connections'");
}

void uring_accepted(struct uring_loop *l, uint32_t index, const struct io_uring_cqe *cqe)
{
    l->accepts[index] = (cqe->flags & IORING_CQE_F_MORE) != 0;
    if (cqe->res >= 0)
        connection_open(l, cqe->res);
    else if (cqe->res == -EMFILE || cqe->res == -ENFILE || cqe->res == -ENOMEM)
        accepting_pause(l, strerror(-cqe->res));
    if (cqe->res >= 0 && !l->draining) uring_accept(l, index);
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
