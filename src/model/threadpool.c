/*
 * The thread pool model: one process with many threads. One thread accepts and puts the connections into a
 * bounded queue. N threads take them out, and each serves one connection at a time with calls that wait.
 *
 * The C10k lesson: a thread is cheaper than a process, but it still costs a stack and a place in the
 * scheduler for each connection, and one crash ends all connections. The queue shows the limit: when it is
 * full, accepting stops and further connections wait in the kernel (worker/serve.c says how turns are taken).
 * Needs Linux 2.6. Try it: zcserve -m threadpool DIR, then wrk -t1 -c64 http://127.0.0.1:8080/
 *
 * The mutex of the queue (queue.c) is the only lock between the threads: each thread has a store, counters
 * and a log of its own, and shares nothing else.
 */
#include "models.h"
#include "shape.h"
#include "queue.h"
#include "zcserve/log.h"
#include "zcserve/now.h"
#include "zcserve/signals.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#define ACCEPT_MAX 64 /* connections accepted in a row */
#define THREAD_STACK_BYTES (512 * 1024)

/* Number of an epoll event that is not about a listener; lower numbers are those of the listeners. */
enum { READY_SIGNAL = 1 << 30, READY_NEWS };

struct thread {
    struct worker worker;
    struct served served;
    struct threadpool *pool;
    pthread_t id;
} __attribute__((aligned(64)));

struct threadpool {
    const struct service *service;
    struct queue queue;
    _Atomic uint32_t pressure; /* enum pressure, for all threads */
    struct thread *threads;
    uint32_t started;
    int epoll, signals;
    bool accepting;
    uint32_t listeners;
    uint64_t drain_deadline_ns; /* UINT64_MAX: not draining */
};

/* ---- a connection ------------------------------------------------------------------------- */

static enum pressure pressure_of(struct thread *t)
{
    struct threadpool *p = t->pool;
    uint32_t asked = atomic_load_explicit(&p->pressure, memory_order_relaxed);
    if (asked != PRESSURE_NONE) return (enum pressure)asked;
    return queue_is_crowded(&p->queue) ? PRESSURE_CROWDED : PRESSURE_NONE;
}

static void connection_serve(struct thread *t, const struct waiting *waiting)
{
    serve_open(&t->served, &t->worker, waiting->fd, &waiting->peer);
    t->worker.queued_ns = t->worker.now.monotonic_ns - waiting->accepted_ns;
    while (!serve(&t->worker, &t->served, pressure_of(t)))
        worker_tick(&t->worker);
}

/* Returns until when an idle thread waits: for a tick while there are log lines to send, else for ever. */
static uint64_t patience_until_ns(struct thread *t)
{
    now_read(&t->worker.now);
    return worker_tick(&t->worker) ? t->worker.now.monotonic_ns + TICK_NS : UINT64_MAX;
}

static void *thread_run(void *of)
{
    struct thread *t = of;
    struct waiting waiting;
    char name[16];
    snprintf(name, sizeof(name), "zcserve:t%u", t->worker.index);
    pthread_setname_np(pthread_self(), name);
    for (;;) {
        switch (queue_take(&t->pool->queue, patience_until_ns(t), &waiting)) {
        case TAKEN_ONE:
            connection_serve(t, &waiting);
            queue_served(&t->pool->queue);
            break;
        case TAKEN_NONE: break;
        case TAKEN_LAST: return NULL;
        }
    }
}

/* ---- accepting ---------------------------------------------------------------------------- */

static void accepting_set(struct threadpool *p, bool accepting)
{
    p->accepting = accepting;
    for (uint32_t i = 0; i < p->listeners; i++) {
        struct epoll_event event = {.events = accepting ? EPOLLIN : 0, .data.u32 = i};
        epoll_ctl(p->epoll, EPOLL_CTL_MOD, p->service->listener[i].fd, &event);
    }
}

/*
 * The accepting thread has no slot of counters. It counts in the slot of the first thread, in counters
 * that no serving thread writes.
 */
static void accepting_pause(struct threadpool *p, const char *why)
{
    accept_paused(&p->service->board[0], why);
    accepting_set(p, false);
}

/* While there are too few descriptors, the threads close idle connections, as when others wait for a thread. */
static void shortage_set(struct threadpool *p, bool lacks_descriptor)
{
    uint32_t from = lacks_descriptor ? PRESSURE_NONE : PRESSURE_CROWDED;
    uint32_t to = lacks_descriptor ? PRESSURE_CROWDED : PRESSURE_NONE;
    atomic_compare_exchange_strong(&p->pressure, &from, to);
}

/* Accepts one connection. Returns false when there is none to be had now. */
static bool accept_one(struct threadpool *p, int listener)
{
    struct waiting waiting;
    if (!queue_has_room(&p->queue)) {
        accepting_pause(p, "the queue is full; see 'threadpool'");
        return false;
    }
    waiting.fd = listener_accept(listener, false, &waiting.peer);
    stats_call(&p->service->board[0], CALL_ACCEPT);
    waiting.accepted_ns = now_monotonic_ns();
    shortage_set(p, listener_lacks_descriptor(waiting.fd));
    if (waiting.fd >= 0)
        queue_put(&p->queue, &waiting);
    else if (waiting.fd != -EAGAIN && waiting.fd != -ECONNABORTED)
        accepting_pause(p, strerror(-waiting.fd));
    return waiting.fd >= 0 || waiting.fd == -ECONNABORTED;
}

static void on_connection(struct threadpool *p, uint32_t number)
{
    int listener = p->service->listener[number].fd;
    for (int i = 0; i < ACCEPT_MAX && accept_one(p, listener); i++)
        continue;
}

/* ---- time --------------------------------------------------------------------------------- */

/*
 * Returns a timeout for epoll_wait() in ms: a tick when accepting is paused, the rest of the time for
 * draining, or -1 (for ever).
 */
static int patience_ms(const struct threadpool *p)
{
    const int tick_ms = TICK_NS / NS_PER_MS;
    uint64_t now_ns = now_monotonic_ns();
    if (p->drain_deadline_ns == UINT64_MAX) return p->accepting ? -1 : tick_ms;
    if (p->drain_deadline_ns <= now_ns) return tick_ms;
    uint64_t left_ms = (p->drain_deadline_ns - now_ns) / NS_PER_MS + 1;
    return left_ms < 60000 ? (int)left_ms : 60000;
}

static void pressure_raise(struct threadpool *p, enum pressure pressure)
{
    atomic_store_explicit(&p->pressure, pressure, memory_order_relaxed);
}

static void on_tick(struct threadpool *p)
{
    if (now_monotonic_ns() >= p->drain_deadline_ns)
        pressure_raise(p, PRESSURE_STOPPING);
    else if (!p->accepting)
        accepting_set(p, true);
}

/* ---- signals ------------------------------------------------------------------------------ */

/* Takes what is in the kernel's queue, as far as there is room, then closes the listeners. */
static void listeners_close(struct threadpool *p)
{
    queue_widen(&p->queue);
    for (uint32_t i = 0; i < p->listeners; i++) {
        int listener = p->service->listener[i].fd;
        epoll_ctl(p->epoll, EPOLL_CTL_DEL, listener, NULL);
        while (accept_one(p, listener))
            continue;
    }
    service_listeners_leave(p->service);
    p->listeners = 0;
    p->accepting = false;
}

static void drain_start(struct threadpool *p)
{
    if (p->drain_deadline_ns != UINT64_MAX) return;
    p->drain_deadline_ns = now_monotonic_ns() + p->service->drain_ns;
    listeners_close(p);
    pressure_raise(p, PRESSURE_DRAINING);
    queue_end(&p->queue);
}

static void stop_start(struct threadpool *p)
{
    drain_start(p);
    pressure_raise(p, PRESSURE_STOPPING);
}

/* The signals are blocked in every thread; this thread reads them from a descriptor. */
static void on_signal(struct threadpool *p)
{
    enum wish wish = signals_take(p->signals);
    if (wish == WISH_DRAIN) drain_start(p);
    if (wish == WISH_STOP) stop_start(p);
}

/* ---- the loop ----------------------------------------------------------------------------- */

static void wait_once(struct threadpool *p)
{
    struct epoll_event ready;
    stats_call(&p->service->board[0], CALL_WAIT);
    if (epoll_wait(p->epoll, &ready, 1, patience_ms(p)) != 1) {
        on_tick(p);
    } else if (ready.data.u32 == READY_SIGNAL) {
        on_signal(p);
    } else if (ready.data.u32 == READY_NEWS) {
        queue_news_take(&p->queue);
        accepting_set(p, p->listeners > 0);
    } else {
        on_connection(p, ready.data.u32);
    }
}

static int watch_fd(struct threadpool *p, int fd, uint32_t what)
{
    struct epoll_event event = {.events = EPOLLIN, .data.u32 = what};
    return epoll_ctl(p->epoll, EPOLL_CTL_ADD, fd, &event);
}

static int watchers_start(struct threadpool *p)
{
    int result = 0;
    p->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (p->epoll < 0) return -1;
    p->signals = signals_open();
    if (p->signals < 0) return -1;
    p->accepting = true;
    p->listeners = p->service->listeners;
    for (uint32_t i = 0; i < p->listeners && result == 0; i++)
        result = watch_fd(p, p->service->listener[i].fd, i);
    if (result == 0) result = watch_fd(p, p->signals, READY_SIGNAL);
    return result == 0 ? watch_fd(p, queue_news(&p->queue), READY_NEWS) : result;
}

/* Starts all threads. Returns 0, or -1 after it has logged the reason. */
static int threads_start(struct threadpool *p)
{
    pthread_attr_t attributes;
    int error = 0;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, THREAD_STACK_BYTES);
    while (p->started < p->service->workers && error == 0) {
        struct thread *t = &p->threads[p->started];
        t->pool = p;
        if (worker_open(&t->worker, p->service, p->started) != 0) break;
        error = pthread_create(&t->id, &attributes, thread_run, t);
        if (error != 0) worker_close(&t->worker);
        p->started += error == 0;
    }
    pthread_attr_destroy(&attributes);
    if (error != 0) log_error("cannot start thread %u: %s", p->started, strerror(error));
    return p->started == p->service->workers ? 0 : -1;
}

static bool threads_make(struct threadpool *p)
{
    const struct service *service = p->service;
    size_t size = service->workers * sizeof(struct thread);
    int error = queue_open(&p->queue, service->queue_max, service->queue_max + service->drain_max,
                           service->workers);
    p->threads = aligned_alloc(_Alignof(struct thread), size);
    if (error == 0 && p->threads) return true;
    log_error("no memory for %u threads", service->workers);
    return false;
}

static void threadpool_close(void *serving)
{
    struct threadpool *p = serving;
    for (uint32_t i = 0; i < p->started; i++) {
        pthread_join(p->threads[i].id, NULL);
        worker_close(&p->threads[i].worker);
    }
    if (p->signals >= 0) close(p->signals);
    if (p->epoll >= 0) close(p->epoll);
    queue_close(&p->queue);
    free(p->threads);
    free(p);
}

/* Starts the threads too, so that each has all that it needs before any connection is served. */
static bool pool_start(struct threadpool *p)
{
    if (!threads_make(p)) return false;
    if (watchers_start(p) == 0) return threads_start(p) == 0;
    log_error("the process cannot wait for connections: %s", strerror(errno));
    return false;
}

static void *threadpool_open(const struct service *service, uint32_t index)
{
    struct threadpool *p = calloc(1, sizeof(*p));
    (void)index; /* there is one process */
    if (!p) return NULL;
    p->service = service;
    p->drain_deadline_ns = UINT64_MAX;
    p->signals = p->epoll = -1;
    if (pool_start(p)) return p;
    queue_end(&p->queue); /* for the threads that were started */
    threadpool_close(p);
    return NULL;
}

static int threadpool_run(void *serving)
{
    struct threadpool *p = serving;
    while (queue_takers(&p->queue) > 0)
        wait_once(p);
    return 0;
}

/* ---- the model ---------------------------------------------------------------------------- */

const struct model threadpool_model = {
    .name = "threadpool",
    .role = CONFINE_THREADPOOL,
    .worker = "thread",
    .workers = "threads",
    .connection_bytes = sizeof(struct served),
    .worker_bytes = sizeof(struct thread) + THREAD_STACK_BYTES,
    .shape = threadpool_shape,
    .open = threadpool_open,
    .run = threadpool_run,
    .close = threadpool_close,
};
