/*
 * The epoll model: one process, one loop, many connections. No call waits except epoll_wait().
 *
 * The C10k lesson: a connection costs the memory of its struct, not a process or a thread. The work of the
 * loop grows with the number of connections that have something to do, not with the number that exist
 * (D. Kegel, "The C10K problem"; epoll(7)). Needs Linux 2.6, as libev does.
 * Try it: zcserve -m epoll -w 1 DIR, then wrk -t1 -c1000 http://127.0.0.1:8080/
 *
 * A turn of the loop has two halves. In the first, bytes are received from every ready socket. Then one
 * system call asks what changed on disk. In the second half, every request is answered. So no response is
 * older than its request, and this costs one system call for each turn, not one for each request.
 */
#include "epoll.h"
#include "models.h"
#include "shape.h"
#include "zcserve/log.h"
#include "zcserve/signals.h"

#include <assert.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

/* ---- a connection ------------------------------------------------------------------------- */

static void watch_client(struct epoll_loop *l, struct epoll_client *k, int events)
{
    if (ev_is_active(&k->watcher) && (k->watcher.events & (EV_READ | EV_WRITE)) == events) return;
    ev_io_stop(l->loop, &k->watcher);
    ev_io_set(&k->watcher, k->client.fd, events);
    ev_io_start(l->loop, &k->watcher);
}

static void connection_close(struct epoll_loop *l, struct epoll_client *k)
{
    assert(!k->queued);
    ev_io_stop(l->loop, &k->watcher);
    client_close(&k->client, &l->worker);
    slab_put(&l->clients, k);
    if (!l->accepting && !l->draining) epoll_accepting_set(l, true);
}

/*
 * Has the disk read in another thread; meanwhile the socket is not watched. Returns false when memory is
 * short: then the connection has failed, and is driven on to its end.
 */
static bool disk_await(struct epoll_loop *l, struct epoll_client *k)
{
    ev_io_stop(l->loop, &k->watcher);
    return client_fetch(&k->client, &l->worker);
}

void epoll_connection_drive(struct epoll_loop *l, struct epoll_client *k)
{
    for (;;) {
        switch (drive(&l->worker, &k->client, TURN_BYTES)) {
        case DRIVE_WANT_READ: watch_client(l, k, EV_READ); return;
        case DRIVE_WANT_WRITE: watch_client(l, k, EV_WRITE); return;
        case DRIVE_WANT_DISK:
            if (disk_await(l, k)) return;
            break;
        case DRIVE_WANT_TIME: ev_io_stop(l->loop, &k->watcher); return;
        case DRIVE_DONE: connection_close(l, k); return;
        }
    }
}

static void batch_drive(struct epoll_loop *l)
{
    for (uint32_t i = 0; i < l->batched; i++) {
        l->batch[i]->queued = false;
        epoll_connection_drive(l, l->batch[i]);
    }
    l->batched = 0;
}

static void batch_add(struct epoll_loop *l, struct epoll_client *k)
{
    if (k->queued) return;
    k->queued = true;
    l->batch[l->batched++] = k;
    if (l->batched == BATCH_MAX) batch_drive(l);
}

static void on_ready(struct ev_loop *loop, ev_io *watcher, int events)
{
    struct epoll_loop *l = ev_userdata(loop);
    struct epoll_client *k = watcher->data;
    if ((events & EV_WRITE) || drive_receive(&l->worker, &k->client)) batch_add(l, k);
}

void epoll_connection_begin(struct epoll_loop *l, struct epoll_client *k)
{
    ev_io_init(&k->watcher, on_ready, k->client.fd, EV_READ);
    k->watcher.data = k;
    k->queued = false;
    epoll_tick_start(l);
    if (drive_receive(&l->worker, &k->client)) /* often the request has arrived already */
        batch_add(l, k);
    else
        watch_client(l, k, EV_READ);
}

static void on_fetched(struct ev_loop *loop, ev_io *watcher, int events)
{
    struct epoll_loop *l = ev_userdata(loop);
    struct wait *wait;
    (void)watcher, (void)events;
    now_read(&l->worker.now);
    while ((wait = fetcher_next(l->worker.fetcher)) != NULL) {
        client_fetched(client_of(wait), &l->worker);
        batch_add(l, (struct epoll_client *)client_of(wait));
    }
}

static void on_waits(struct ev_loop *loop, ev_prepare *waits, int events)
{
    struct epoll_loop *l = ev_userdata(loop);
    (void)waits, (void)events;
    worker_waits(&l->worker);
}

static void on_woke(struct ev_loop *loop, ev_check *woke, int events)
{
    struct epoll_loop *l = ev_userdata(loop);
    (void)woke, (void)events;
    worker_woke(&l->worker, ev_pending_count(loop) - 1); /* on_turn() is not counted */
}

static void on_turn(struct ev_loop *loop, ev_check *turn, int events)
{
    (void)turn, (void)events;
    batch_drive(ev_userdata(loop));
}

/* ---- time --------------------------------------------------------------------------------- */

static void deadlines_look(struct epoll_loop *l)
{
    struct client *client;
    while ((client = clients_late(&l->worker)) != NULL) {
        struct epoll_client *k = (struct epoll_client *)client;
        if (k->queued) continue;
        if (client->state != STATE_PACED) conn_expired(&client->conn, &l->worker.now);
        epoll_connection_drive(l, k);
    }
}

/*
 * libev stops a watcher when epoll_ctl(2) fails, for lack of memory or by fs.epoll.max_user_watches: nothing would
 * be heard of the descriptor any more. Those of connections are started again when they are next waited for.
 */
static void watch_again(struct epoll_loop *l, ev_io *watcher)
{
    if (!ev_is_active(watcher) && watcher->fd >= 0) ev_io_start(l->loop, watcher);
}

static void watchers_again(struct epoll_loop *l)
{
    watch_again(l, &l->signals);
    watch_again(l, &l->fetched);
    watch_again(l, &l->changes);
    if (l->accepting) epoll_accepting_set(l, true);
}

static void on_tick(struct ev_loop *loop, ev_timer *tick, int events)
{
    struct epoll_loop *l = ev_userdata(loop);
    struct worker *w = &l->worker;
    (void)events;
    now_read(&w->now);
    deadlines_look(l);
    bool log_waits = worker_tick(w);
    watchers_again(l);
    if (!l->accepting && !l->draining) epoll_accepting_set(l, true);
    if (l->draining && (l->clients.used == 0 || w->now.monotonic_ns >= l->drain_deadline_ns))
        ev_break(loop, EVBREAK_ALL);
    else if (l->clients.used == 0 && !log_waits && !l->draining)
        ev_timer_stop(loop, tick);
}

/* ---- signals ------------------------------------------------------------------------------ */

static void drain_start(struct epoll_loop *l)
{
    struct worker *w = &l->worker;
    if (l->draining) return;
    now_read(&w->now);
    l->draining = true; /* first, so that a connection that ends now does not restart accepting */
    epoll_listeners_close(l);
    l->drain_deadline_ns = w->now.monotonic_ns + l->service->drain_ns;
    clients_drain(&l->clients, w);
    epoll_tick_start(l);
}

static void on_signal(struct ev_loop *loop, ev_io *watcher, int events)
{
    struct epoll_loop *l = ev_userdata(loop);
    enum wish wish = signals_take(watcher->fd);
    (void)events;
    if (wish == WISH_LOOK && l->accepting) epoll_accepting_set(l, true);
    if (wish == WISH_DRAIN) drain_start(l);
    if (wish == WISH_STOP) ev_break(loop, EVBREAK_ALL);
}

/* ---- the loop ----------------------------------------------------------------------------- */

static void on_changes(struct ev_loop *loop, ev_io *watcher, int events)
{
    struct epoll_loop *l = ev_userdata(loop);
    (void)watcher, (void)events;
    worker_changed(&l->worker);
}

static void watch_fd(struct epoll_loop *l, ev_io *watcher,
                     void (*on)(struct ev_loop *, ev_io *, int), int fd)
{
    ev_io_init(watcher, on, fd, EV_READ);
    if (fd >= 0) ev_io_start(l->loop, watcher);
}

static void watchers_start(struct epoll_loop *l)
{
    ev_prepare_init(&l->waits, on_waits);
    ev_prepare_start(l->loop, &l->waits);
    ev_check_init(&l->woke, on_woke);
    ev_set_priority(&l->woke, EV_MAXPRI);
    ev_check_start(l->loop, &l->woke);
    ev_check_init(&l->turn, on_turn);
    ev_set_priority(&l->turn, EV_MINPRI);
    ev_check_start(l->loop, &l->turn);
    ev_init(&l->tick, on_tick);
    l->tick.repeat = (double)TICK_NS / NS_PER_SECOND;
    watch_fd(l, &l->signals, on_signal, l->signal_fd);
    watch_fd(l, &l->fetched, on_fetched, fetcher_fd(l->worker.fetcher));
    watch_fd(l, &l->changes, on_changes, worker_watch_fd(&l->worker));
}

/* The time for draining is over: each connection that is still open is cut, counted and logged. */
static void connections_end(struct epoll_loop *l)
{
    now_read(&l->worker.now);
    for (uint32_t i = 0; i < l->clients.touched; i++) {
        struct epoll_client *k = slab_taken_at(&l->clients, i);
        if (!k) continue;
        k->queued = false;
        conn_failed(&k->client.conn, CLOSE_DRAINED);
        epoll_connection_drive(l, k);
    }
}

/*
 * libev's allocator: libev itself would abort at the first failure. Memory that is short for a moment is
 * awaited, for a second at most.
 */
static void *memory_get(void *memory, long size) EV_NOEXCEPT
{
    static const struct timespec moment = {.tv_nsec = 10 * NS_PER_MS};
    if (size == 0) {
        free(memory);
        return NULL;
    }
    for (int i = 0; i < 100; i++) {
        void *found = realloc(memory, (size_t)size);
        if (found) return found;
        nanosleep(&moment, NULL);
    }
    log_error("the epoll loop has no memory for %ld bytes", size);
    exit(EXIT_FAILURE);
}

static bool loop_make(struct epoll_loop *l)
{
    ev_set_allocator(memory_get);
    int error = slab_open(&l->clients, sizeof(struct epoll_client), l->service->connections_max);
    l->signal_fd = signals_open();
    l->loop = ev_loop_new(EVBACKEND_EPOLL | EVFLAG_NOENV);
    l->listener = calloc(l->service->listeners, sizeof(ev_io));
    if (error == 0 && l->signal_fd >= 0 && l->loop && l->listener) return true;
    log_error("the epoll loop cannot be made: memory or descriptors are short");
    return false;
}

/* Closes and frees the loop, also when only a part of it could be opened. */
static void epoll_close(void *serving)
{
    struct epoll_loop *l = serving;
    if (l->loop) ev_loop_destroy(l->loop);
    if (l->signal_fd >= 0) close(l->signal_fd);
    slab_close(&l->clients);
    worker_close(&l->worker);
    free(l->listener);
    free(l);
}

static void *epoll_open(const struct service *service, uint32_t index)
{
    struct epoll_loop *l = calloc(1, sizeof(*l));
    if (!l || worker_open(&l->worker, service, index) != 0) {
        free(l);
        return NULL;
    }
    l->service = service;
    l->signal_fd = -1;
    if (worker_never_waits(&l->worker, service->fetches_max) != 0 || !loop_make(l)) {
        epoll_close(l);
        return NULL;
    }
    ev_set_userdata(l->loop, l);
    epoll_listeners_open(l);
    watchers_start(l);
    epoll_tick_start(l); /* one tick at least: see watchers_again() */
    return l;
}

static int epoll_run(void *serving)
{
    struct epoll_loop *l = serving;
    ev_run(l->loop, 0);
    l->draining = true;
    connections_end(l);
    return 0;
}

const struct model epoll_model = {
    .name = "epoll",
    .role = CONFINE_EPOLL,
    .worker = "worker",
    .workers = "workers",
    .connection_bytes = sizeof(struct epoll_client),
    .worker_bytes = sizeof(struct epoll_loop),
    .shape = loops_shape,
    .open = epoll_open,
    .run = epoll_run,
    .close = epoll_close,
};
