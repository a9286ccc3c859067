/*
 * The io_uring model: one process, one ring, many connections. The worker writes operations for the kernel
 * into one shared queue and reads their results from another. One io_uring_enter() submits and collects many.
 *
 * The C10k lesson: when waiting costs nothing any more, the system calls are what costs. An accept and
 * a receive are submitted once and complete many times. An idle connection holds no buffer: the kernel takes
 * one from a common pool when bytes come (io_uring(7), io_uring_setup_buf_ring(3)).
 * Needs Linux 6.0. Try it: zcserve -m io_uring -w 1 DIR
 *
 * A turn of the loop has two halves, as in the epoll model. First every completion is taken in. Then every
 * connection that has something to do is driven, which prepares the sends of the next turn.
 */
#include "models.h"
#include "shape.h"
#include "uring.h"
#include "zcserve/log.h"
#include "zcserve/signals.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- a connection ------------------------------------------------------------------------- */

/*
 * Sends what is next: memory through the ring, a file with sendfile(2) at once. The ring could only splice
 * a file, and it always hands a splice to a kernel thread. Returns false when the connection has to pause.
 */
static bool send_next(struct uring_loop *l, struct uring_client *k, uint64_t *budget)
{
    struct outgoing out;
    conn_outgoing(&k->client.conn, &out);
    if (l->worker.paces && !client_may_send(&k->client, &l->worker, &out)) return false;
    client_waits(&k->client, &l->worker, STATE_SENDING);
    if (out.count > 0) {
        lane_send(&l->ring, &k->lane, &out);
    } else if (!drive_may_send(&l->worker, &k->client, &out)) {
        client_waits(&k->client, &l->worker, STATE_DISK);
        lane_fetch(&l->ring, &k->lane, &out);
    } else if (*budget == 0 || !drive_send(&l->worker, &k->client, &out, budget)) {
        lane_await_writable(&l->ring, &k->lane);
    }
    return true;
}

/* Gives the connection bytes that were received already. Returns false when it has to wait for more. */
static bool receive_next(struct uring_loop *l, struct uring_client *k)
{
    struct worker *w = &l->worker;
    if (!lane_has_received(&k->lane)) return false;
    client_lend_work(&k->client, w);
    struct iovec space = conn_receive_space(&k->client.conn);
    if (lane_takes_directly(&k->lane)) worker_received(w); /* the bytes may have come just now */
    ssize_t n = lane_take(&l->ring, &k->lane, space.iov_base, space.iov_len);
    if (n == -EAGAIN) return false;
    now_read(&w->now);
    if (n < 0)
        conn_failed(&k->client.conn, CLOSE_PEER_RESET);
    else
        drive_received(w, &k->client, (size_t)n);
    return true;
}

/* Frees the place of a connection. When accepting had paused, it goes on at once. */
static void connection_free(struct uring_loop *l, struct uring_client *k)
{
    slab_put(&l->clients, k);
    if (l->paused) uring_accept_resume(l);
}

/* Closes the socket at once, and frees the connection when none of its operations is in flight any more. */
static void connection_close(struct uring_loop *l, struct uring_client *k)
{
    k->closed = true;
    lane_close(&l->ring, &k->lane);
    client_close(&k->client, &l->worker);
    if (k->lane.in_flight == 0) connection_free(l, k);
}

/*
 * Takes steps until a completion is needed for the next one. While the kernel still reads the memory of
 * a response, the only step is to send more: that memory must be neither given back nor used again.
 */
static void connection_drive(struct uring_loop *l, struct uring_client *k)
{
    struct worker *w = &l->worker;
    uint64_t budget = TURN_BYTES;
    while (!k->lane.sending) {
        if (lane_lends(&k->lane) && conn_next(&k->client.conn) != CONN_SEND) return;
        switch (worker_advance(w, &k->client)) {
        case CONN_RECEIVE:
            if (receive_next(l, k)) break;
            client_rest(&k->client, w);
            lane_receive(&l->ring, &k->lane);
            return;
        case CONN_PARKED: client_waits(&k->client, w, STATE_DISK); return;
        case CONN_SEND:
            if (!send_next(l, k, &budget)) return;
            break;
        case CONN_HALF_CLOSE: client_half_close(&k->client, w); break;
        case CONN_CLOSE: connection_close(l, k); return;
        case CONN_RESOLVE:
        case CONN_SETTLE: assert(false && "worker_advance() takes these");
        }
    }
}

static void turn_drive(struct uring_loop *l)
{
    struct uring_client *k = l->first;
    l->first = NULL;
    l->last = &l->first;
    while (k) {
        struct uring_client *next = k->next;
        k->queued = false;
        connection_drive(l, k);
        k = next;
    }
}

static void on_client(struct uring_loop *l, enum lane_operation operation, struct uring_client *k,
                      const struct io_uring_cqe *cqe)
{
    ssize_t result = lane_completed(&l->ring, &k->lane, operation, cqe);
    if (k->closed) {
        ring_drop(&l->ring, &k->lane.held);
        if (k->lane.in_flight == 0) connection_free(l, k);
        return;
    }
    if (operation == LANE_SEND && result != 0)
        drive_sent(&l->worker, &k->client, result, false);
    else if (result < 0 && (!k->client.conn.failed || k->client.conn.half_closed))
        conn_failed(&k->client.conn, CLOSE_PEER_RESET); /* told again, it ends the lingering */
    else if (operation == LANE_FETCH && conn_next(&k->client.conn) == CONN_SEND)
        client_range_fetched(&k->client, &l->worker);
    if (operation == LANE_RECEIVE) {
        worker_received(&l->worker);
        pace_received(&l->pace, &k->heard);
    }
    client_queue(l, k);
}

static void on_fetched(struct uring_loop *l)
{
    struct wait *wait;
    while ((wait = fetcher_next(l->worker.fetcher)) != NULL) {
        struct uring_client *k = (struct uring_client *)client_of(wait);
        client_fetched(&k->client, &l->worker);
        client_queue(l, k);
    }
}

/* ---- time --------------------------------------------------------------------------------- */

/* While the kernel still has the memory of a response, the connection is aborted, so that it gives it back. */
static void connection_expire(struct uring_loop *l, struct uring_client *k)
{
    struct conn *c = &k->client.conn;
    if (k->client.state == STATE_PACED) {
        client_queue(l, k);
    } else if (k->lane.sending || lane_lends(&k->lane)) {
        conn_failed(c, c->slow ? CLOSE_SEND_SLOW : CLOSE_SEND_TIMEOUT);
        lane_abort(&k->lane);
    } else {
        conn_expired(c, &l->worker.now);
        client_queue(l, k);
    }
}

static void deadlines_look(struct uring_loop *l)
{
    struct client *client;
    while ((client = clients_late(&l->worker)) != NULL) {
        struct uring_client *k = (struct uring_client *)client;
        if (!k->queued && k->lane.sending != LANE_IN_FETCH) connection_expire(l, k);
    }
}

/* Watches a descriptor for as long as the loop runs. */
static void watch_fd(struct uring_loop *l, unsigned op)
{
    int fd = op == OP_SIGNAL    ? l->signals
             : op == OP_FETCHED ? fetcher_fd(l->worker.fetcher)
                                : worker_watch_fd(&l->worker);
    if (fd >= 0) ring_await_readable(&l->ring, fd, op);
}

/* Watches again the descriptors whose poll has failed. */
static void watches_repeat(struct uring_loop *l)
{
    for (unsigned op = OP_SIGNAL; op <= OP_FETCHED; op++)
        if (l->unwatched & 1U << op) watch_fd(l, op);
    l->unwatched = 0;
}

static void on_tick(struct uring_loop *l)
{
    struct worker *w = &l->worker;
    l->ticked_ns = w->now.monotonic_ns;
    deadlines_look(l);
    worker_tick(w);
    pace_tick(&l->pace, w->now.monotonic_ns, now_thread_cpu_ns());
    l->vain = 0;
    uring_accept_resume(l);
    watches_repeat(l);
    if (l->draining && (l->clients.used == 0 || w->now.monotonic_ns >= l->drain_deadline_ns))
        l->stopping = true;
}

/* ---- signals ------------------------------------------------------------------------------ */

static void drain_start(struct uring_loop *l)
{
    if (l->draining) return;
    l->draining = true;
    uring_listeners_close(l);
    l->drain_deadline_ns = l->worker.now.monotonic_ns + l->service->drain_ns;
    clients_drain(&l->clients, &l->worker);
}

static void on_signal(struct uring_loop *l)
{
    enum wish wish = signals_take(l->signals);
    if (wish == WISH_LOOK && !l->draining) uring_listeners_look(l);
    if (wish == WISH_DRAIN) drain_start(l);
    l->stopping |= wish == WISH_STOP;
}

/* ---- the loop ----------------------------------------------------------------------------- */

static void on_readable(struct uring_loop *l, unsigned op, const struct io_uring_cqe *cqe)
{
    if (op == OP_SIGNAL)
        on_signal(l);
    else if (op == OP_FETCHED)
        on_fetched(l);
    else
        worker_changed(&l->worker);
    if (cqe->flags & IORING_CQE_F_MORE) return;
    if (cqe->res < 0 && cqe->res != -ECANCELED)
        l->unwatched |= 1U << op;
    else
        watch_fd(l, op);
}

static void on_completion(struct uring_loop *l, const struct io_uring_cqe *cqe)
{
    unsigned op = (unsigned)(cqe->user_data % TAG_UNIT);
    uint64_t of = cqe->user_data - op;
    if (op < LANE_OPERATIONS)
        on_client(l, (enum lane_operation)op, (struct uring_client *)(uintptr_t)of, cqe);
    else if (op == OP_ACCEPT)
        uring_accepted(l, (uint32_t)(of / TAG_UNIT), cqe);
    else if (op >= OP_SIGNAL && op <= OP_FETCHED)
        on_readable(l, op, cqe);
}

static void wait_once(struct uring_loop *l)
{
    struct io_uring_cqe *cqe;
    unsigned head, taken = 0;
    bool waits = l->clients.used > 0 || l->draining || l->paused || l->unwatched || l->worker.log;
    if (!waits) worker_tick(&l->worker); /* reports the counts before a wait of unknown length */
    worker_waits(&l->worker);
    if (l->pace.receives > 0)
        ring_turn_gathering(&l->ring, TICK_NS, l->pace.receives, l->pace.gather_ns);
    else
        ring_turn(&l->ring, waits ? TICK_NS : UINT64_MAX);
    worker_woke(&l->worker, io_uring_cq_ready(&l->ring.uring));
    io_uring_for_each_cqe(&l->ring.uring, head, cqe)
    {
        on_completion(l, cqe);
        taken++;
    }
    io_uring_cq_advance(&l->ring.uring, taken);
}

static int loop_open(struct uring_loop *l)
{
    char problem[256];
    uint32_t count = l->service->connections_max;
    l->last = &l->first;
    l->signals = signals_open();
    int error = slab_open(&l->clients, sizeof(struct uring_client), count);
    if (error != 0 || l->signals < 0 || !uring_listeners_open(l)) {
        log_error("the io_uring loop cannot be made: memory or descriptors are short");
        return -1;
    }
    if (ring_open(&l->ring, count, &l->service->uring, problem, sizeof(problem)) != 0) {
        log_error("%s; or choose model = epoll", problem);
        return -1;
    }
    pace_open(&l->pace, l->service->uring.gather_ns);
    uring_listeners_look(l);
    for (unsigned op = OP_SIGNAL; op <= OP_FETCHED; op++)
        watch_fd(l, op);
    return 0;
}

/* The time for draining is over: each connection that is still open is cut, counted and logged. */
static void connections_end(struct uring_loop *l)
{
    l->draining = true;
    for (uint32_t i = 0; i < l->clients.touched; i++) {
        struct uring_client *k = slab_taken_at(&l->clients, i);
        if (!k || k->closed) continue;
        conn_failed(&k->client.conn, CLOSE_DRAINED);
        lane_abort(&k->lane);
        client_queue(l, k);
    }
    while (l->clients.used > 0 && !l->ring.broken) {
        turn_drive(l);
        wait_once(l);
    }
}

/* Frees a loop whose ring is closed, or was not opened because something was short. */
static void loop_free(struct uring_loop *l)
{
    slab_close(&l->clients);
    if (l->signals >= 0) close(l->signals);
    worker_close(&l->worker);
    free(l->listener);
    free(l);
}

static void *uring_open(const struct service *service, uint32_t index)
{
    struct uring_loop *l = calloc(1, sizeof(*l));
    if (!l || worker_open(&l->worker, service, index) != 0) {
        free(l);
        return NULL;
    }
    l->service = service;
    l->signals = -1;
    if (worker_never_waits(&l->worker, service->fetches_max) == 0 && loop_open(l) == 0) return l;
    loop_free(l);
    return NULL;
}

static int uring_run(void *serving)
{
    struct uring_loop *l = serving;
    while (!l->stopping && !l->ring.broken) {
        wait_once(l);
        turn_drive(l);
        if (l->worker.now.monotonic_ns - l->ticked_ns >= TICK_NS) on_tick(l);
    }
    if (!l->ring.broken) connections_end(l);
    if (!l->ring.broken) return 0;
    log_error("the ring of a worker is broken (%s); its connections are lost",
              strerror(-l->ring.broken));
    return 1;
}

/*
 * On a broken ring operations may never end, and the kernel may still write into their memory. So nothing is
 * freed: the process ends instead.
 */
static void uring_close(void *serving)
{
    struct uring_loop *l = serving;
    if (l->ring.broken) return;
    ring_close(&l->ring);
    loop_free(l);
}

/* ---- the model ---------------------------------------------------------------------------- */

static const char *uring_problem(const struct service *service)
{
    const char *problem = ring_problem();
    return problem ? problem : rings_problem(service->workers);
}

static void uring_prepare(struct service *service)
{
    ring_options_try(&service->uring);
}

const struct model uring_model = {
    .name = "io_uring",
    .role = CONFINE_URING,
    .worker = "worker",
    .workers = "workers",
    .connection_bytes = sizeof(struct uring_client),
    .worker_bytes = sizeof(struct uring_loop) + RING_MEMORY_BYTES,
    .shape = uring_shape,
    .problem = uring_problem,
    .prepare = uring_prepare,
    .open = uring_open,
    .run = uring_run,
    .close = uring_close,
};
