/*
 * The prefork model: a pool of processes, each with one connection at a time and calls that wait.
 *
 * The C10k lesson: this model is the simplest to follow and the hardest to break, because a crash ends one
 * connection only. But every connection costs a process, even one that sends nothing. So the pool grows and
 * shrinks with the load. When it cannot grow any more, connections are served in turns (worker/serve.c).
 * Needs Linux 4.5, for EPOLLEXCLUSIVE.
 * Try it: zcserve -m prefork DIR, then wrk -t1 -c64 http://127.0.0.1:8080/ and watch ps.
 *
 * All processes listen on the same sockets, so a connection waits only while no process is idle. For each
 * connection the kernel wakes one idle process, not all of them (EPOLLEXCLUSIVE).
 */
#include "models.h"
#include "shape.h"
#include "zcserve/log.h"
#include "zcserve/signals.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#define GROWTH_MAX 32                   /* processes started at once, at most                */
#define LOOK_SHORT_NS (100 * NS_PER_MS) /* until the supervisor looks again: too few are idle */
#define LOOK_NS (250 * NS_PER_MS)       /* the same, while enough are idle                   */
#define LOOKS_OF_EXCESS 4               /* in a row that find too many idle, then one ends   */

/* Number of an epoll event that is not about a listener; lower numbers are those of the listeners. */
enum { READY_SIGNAL = 1 << 30, READY_CHANGES };

struct waiting {
    int fd;
    struct sockaddr_storage peer;
};

struct prefork {
    struct worker worker;
    const struct service *service;
    struct served served;
    int epoll, signals;
    enum pressure pressure;
    uint64_t drain_deadline_ns;
    uint32_t listeners;
    uint32_t waits;
    struct waiting *waiting; /* at most service->drain_max, from when listeners are closed */
};

static void on_tick(struct prefork *p);

/* ---- a connection ------------------------------------------------------------------------- */

static void busy_set(const struct service *service, uint32_t worker, bool busy)
{
    atomic_store_explicit(&service->roster[worker].busy, busy, memory_order_relaxed);
}

static bool is_busy(const struct service *service, uint32_t worker)
{
    return atomic_load_explicit(&service->roster[worker].busy, memory_order_relaxed);
}

static void connection_serve(struct prefork *p, int fd, const struct sockaddr_storage *peer)
{
    busy_set(p->service, p->worker.index, true);
    serve_open(&p->served, &p->worker, fd, peer);
    while (!serve(&p->worker, &p->served, p->pressure))
        on_tick(p);
    busy_set(p->service, p->worker.index, false);
}

/* ---- accepting ---------------------------------------------------------------------------- */

/*
 * Descriptors or memory ran out. This process has no connection that it could close, so it waits for a
 * tick before it tries again. The connections stay in the kernel's queue.
 */
static void accepting_pause(struct prefork *p, const char *why)
{
    accept_paused(p->worker.stats, why);
    poll(&(struct pollfd){.fd = p->signals, .events = POLLIN}, 1, TICK_NS / NS_PER_MS);
}

/* Accepts and serves one connection, unless another process was quicker or the peer has gone. */
static void accept_one(struct prefork *p, int listener)
{
    struct sockaddr_storage peer;
    int fd = listener_accept(listener, false, &peer);
    stats_call(p->worker.stats, CALL_ACCEPT);
    if (fd >= 0)
        connection_serve(p, fd, &peer);
    else if (fd != -EAGAIN && fd != -ECONNABORTED)
        accepting_pause(p, strerror(-fd));
}

/*
 * Returns whether a process is idle, or could still be started: then it takes the connection that waits.
 * A process that was not started is not marked busy either.
 */
static bool anybody_could_be_idle(const struct service *service)
{
    for (uint32_t i = 0; i < service->processes; i++)
        if (!is_busy(service, i)) return true;
    return false;
}

static bool anybody_waits(const struct prefork *p)
{
    for (uint32_t i = 0; i < p->listeners; i++)
        if (listener_is_awaited(p->service->listener[i].fd)) return true;
    return false;
}

/* ---- time --------------------------------------------------------------------------------- */

/* Returns how many ms to wait while idle: a tick while there are log lines to send, else -1 (for ever). */
static int patience_ms(struct prefork *p)
{
    now_read(&p->worker.now);
    const int tick_ms = TICK_NS / NS_PER_MS;
    return worker_tick(&p->worker) ? tick_ms : -1;
}

static void drain_watch(struct prefork *p)
{
    if (p->worker.now.monotonic_ns >= p->drain_deadline_ns) p->pressure = PRESSURE_STOPPING;
}

/* ---- signals ------------------------------------------------------------------------------ */

/*
 * Whoever waits in the kernel's queue must not wait for the connection that this process serves, when
 * the processes of a next generation accept from the same queue.
 */
static bool leaves_others(const struct prefork *p)
{
    const struct roster *own = &p->service->roster[p->worker.index];
    return is_busy(p->service, p->worker.index) &&
           atomic_load_explicit(&own->succeeded, memory_order_relaxed);
}

/* Takes what is in the kernel's queue, up to drain_max connections, then closes the listeners. */
static void listeners_close(struct prefork *p)
{
    for (uint32_t i = 0; i < p->listeners && !leaves_others(p); i++) {
        int listener = p->service->listener[i].fd;
        while (p->waits < p->service->drain_max) {
            struct waiting *w = &p->waiting[p->waits];
            w->fd = listener_accept(listener, false, &w->peer);
            if (w->fd >= 0)
                p->waits++;
            else if (w->fd != -ECONNABORTED)
                break;
        }
    }
    service_listeners_leave(p->service);
    p->listeners = 0;
}

static void drain_start(struct prefork *p)
{
    if (p->pressure >= PRESSURE_DRAINING) return;
    now_read(&p->worker.now);
    listeners_close(p);
    p->pressure = PRESSURE_DRAINING;
    p->drain_deadline_ns = p->worker.now.monotonic_ns + p->service->drain_ns;
}

static void stop_start(struct prefork *p)
{
    drain_start(p);
    p->pressure = PRESSURE_STOPPING;
}

static void on_signal(struct prefork *p)
{
    enum wish wish = signals_take(p->signals);
    if (wish == WISH_DRAIN) drain_start(p);
    if (wish == WISH_STOP) stop_start(p);
}

/* ---- the loop ----------------------------------------------------------------------------- */

/* A tick has passed on the connection that is served: looks at signals, deadlines and other connections. */
static void on_tick(struct prefork *p)
{
    worker_tick(&p->worker);
    on_signal(p);
    if (p->pressure >= PRESSURE_DRAINING)
        drain_watch(p);
    else
        p->pressure = !anybody_could_be_idle(p->service) && anybody_waits(p) ? PRESSURE_CROWDED
                                                                             : PRESSURE_NONE;
}

/* Takes one event only: a connection that waits on another address is left to another idle process. */
static void wait_once(struct prefork *p)
{
    struct epoll_event ready;
    p->pressure = PRESSURE_NONE;
    stats_call(p->worker.stats, CALL_WAIT);
    if (epoll_wait(p->epoll, &ready, 1, patience_ms(p)) != 1) return;
    if (ready.data.u32 == READY_SIGNAL)
        on_signal(p);
    else if (ready.data.u32 == READY_CHANGES)
        worker_changed(&p->worker);
    else
        accept_one(p, p->service->listener[ready.data.u32].fd);
}

static int watch_fd(struct prefork *p, int fd, uint32_t events, uint32_t what)
{
    struct epoll_event event = {.events = events, .data.u32 = what};
    return fd < 0 ? 0 : epoll_ctl(p->epoll, EPOLL_CTL_ADD, fd, &event);
}

static int listeners_open(struct prefork *p)
{
    int result = 0;
    p->listeners = p->service->listeners;
    for (uint32_t i = 0; i < p->listeners && result == 0; i++)
        result = watch_fd(p, p->service->listener[i].fd, EPOLLIN | EPOLLEXCLUSIVE, i);
    return result;
}

static int watchers_start(struct prefork *p)
{
    p->signals = signals_open();
    if (p->signals < 0 || watch_fd(p, p->signals, EPOLLIN, READY_SIGNAL) != 0) return -1;
    return watch_fd(p, worker_watch_fd(&p->worker), EPOLLIN, READY_CHANGES);
}

/* Closes and frees the process's part, also when only some of it could be opened. */
static void prefork_close(void *serving)
{
    struct prefork *p = serving;
    if (p->signals >= 0) close(p->signals);
    if (p->epoll >= 0) close(p->epoll);
    worker_close(&p->worker);
    free(p->waiting);
    free(p);
}

static void *prefork_open(const struct service *service, uint32_t index)
{
    struct prefork *p = calloc(1, sizeof(*p));
    if (!p || worker_open(&p->worker, service, index) != 0) {
        free(p);
        return NULL;
    }
    p->service = service;
    p->signals = -1;
    p->epoll = epoll_create1(EPOLL_CLOEXEC);
    p->waiting = calloc(service->drain_max + 1, sizeof(*p->waiting));
    if (p->epoll < 0 || !p->waiting || listeners_open(p) != 0 || watchers_start(p) != 0) {
        log_error("the process cannot wait for connections: %s", strerror(errno));
        prefork_close(p);
        return NULL;
    }
    return p;
}

static int prefork_run(void *serving)
{
    struct prefork *p = serving;
    while (p->pressure < PRESSURE_DRAINING)
        wait_once(p);
    for (uint32_t i = 0; i < p->waits; i++)
        connection_serve(p, p->waiting[i].fd, &p->waiting[i].peer);
    return 0;
}

/* ---- the pool, in the supervisor ----------------------------------------------------------- */

static bool is_idle(const struct service *service, const struct supervised *process)
{
    return !process->last && !process->unwanted && !is_busy(service, process->index);
}

/* How many are idle, or will be as soon as they have started. */
static uint32_t idle_count(const struct service *service, const struct supervised *processes,
                           uint32_t count)
{
    uint32_t idle = 0;
    for (uint32_t i = 0; i < count; i++) {
        if (processes[i].pid == 0 && !processes[i].last) /* the connection died with it */
            busy_set(service, processes[i].index, false);
        idle += is_idle(service, &processes[i]);
    }
    return idle;
}

/* Twice as many as the last time while there are too few; one that is still ending is no room. */
static uint32_t pool_grow(struct adjusting *adjusting, struct supervised *processes, uint32_t count)
{
    uint32_t started = 0;
    adjusting->growth = adjusting->growth == 0 ? 1 : adjusting->growth * 2;
    if (adjusting->growth > GROWTH_MAX) adjusting->growth = GROWTH_MAX;
    for (uint32_t i = 0; i < count && started < adjusting->growth; i++) {
        if (processes[i].last || !processes[i].unwanted || processes[i].pid > 0) continue;
        processes[i].unwanted = false;
        started++;
    }
    return started;
}

static void tell_full(const struct service *service, struct adjusting *adjusting)
{
    if (!adjusting->full)
        log_warn("all %u processes are busy, so connections take turns; see prefork.processes "
                 "(said once; 'crowded' counts it)",
                 service->processes);
    adjusting->full = true;
}

static void pool_shrink(const struct service *service, struct supervised *processes, uint32_t count)
{
    for (uint32_t i = count; i-- > 0;) {
        if (is_idle(service, &processes[i])) {
            processes[i].unwanted = true;
            return;
        }
    }
}

/* Keeps the number of idle processes between the limits of service->pool. Returns when to call it again, in ns. */
static uint64_t prefork_adjust(const struct service *service, struct adjusting *adjusting,
                               struct supervised *processes, uint32_t count)
{
    uint32_t idle = idle_count(service, processes, count);
    if (idle < service->pool.spare_min) {
        adjusting->excess = 0;
        if (pool_grow(adjusting, processes, count) == 0 && idle == 0) tell_full(service, adjusting);
        return LOOK_SHORT_NS;
    }
    adjusting->growth = 0;
    if (idle <= service->pool.spare_max)
        adjusting->excess = 0;
    else
        adjusting->excess++;
    if (adjusting->excess == LOOKS_OF_EXCESS) {
        adjusting->excess = 0;
        pool_shrink(service, processes, count);
    }
    return LOOK_NS;
}

/* ---- the model ---------------------------------------------------------------------------- */

const struct model prefork_model = {
    .name = "prefork",
    .role = CONFINE_PREFORK,
    .worker = "process",
    .workers = "processes at most",
    .connection_bytes = sizeof(struct served),
    .worker_bytes = sizeof(struct prefork),
    .shape = prefork_shape,
    .adjust = prefork_adjust,
    .open = prefork_open,
    .run = prefork_run,
    .close = prefork_close,
};
