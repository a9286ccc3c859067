/*
 * Threads take the pieces one after another; the most expensive come first, so that no long one is
 * left for the end. The main thread shows the progress and reads signals from a descriptor.
 *
 * A library that compresses cannot be told to stop. So after a signal this waits only until no
 * sidecar is being written; the end of the process ends the threads.
 */
#define _GNU_SOURCE
#include "precompress/pool.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#define MEMORY_MAX (UINT64_C(1) << 30)
#define SHOW_INTERVAL_MS 200

struct pool {
    const struct docroot *docroot;
    const struct work *work;
    struct outcomes *outcomes;
    struct gate gate;
    pthread_mutex_t mutex; /* for what follows */
    pthread_cond_t done;   /* a piece was done: its memory is free */
    size_t next;
    uint64_t memory, memory_max; /* in bytes; used, and allowed */
    uint32_t running;            /* threads                     */
    bool stopped;                /* no further piece is taken   */
    int ended;                   /* an eventfd: all threads have ended */
};

static uint64_t memory_max(void)
{
    long pages = sysconf(_SC_PHYS_PAGES), page = sysconf(_SC_PAGESIZE);
    uint64_t half = pages > 0 && page > 0 ? (uint64_t)pages * (uint64_t)page / 2 : MEMORY_MAX;
    return half < MEMORY_MAX ? half : MEMORY_MAX;
}

/* ---- threads --------------------------------------------------------------------------------- */

/* Whether the next piece has to wait for memory. One alone never waits. */
static bool is_crowded(const struct pool *pool)
{
    if (pool->stopped || pool->next == pool->work->count || pool->memory == 0) return false;
    return pool->memory + work_memory(pool->work->pieces[pool->next].size) > pool->memory_max;
}

/* Returns NULL when there is no piece left. */
static const struct piece *piece_take(struct pool *pool)
{
    const struct piece *piece = NULL;
    pthread_mutex_lock(&pool->mutex);
    while (is_crowded(pool))
        pthread_cond_wait(&pool->done, &pool->mutex);
    if (!pool->stopped && pool->next < pool->work->count) {
        piece = &pool->work->pieces[pool->next++];
        pool->memory += work_memory(piece->size);
    }
    pthread_mutex_unlock(&pool->mutex);
    return piece;
}

/* Stops everything after an error that every further piece would have. Tells it once. */
static void piece_give_back(struct pool *pool, const struct piece *piece, int error)
{
    pthread_mutex_lock(&pool->mutex);
    bool stops = piece_error_is_final(error) && !pool->stopped;
    pool->stopped |= stops;
    pool->memory -= work_memory(piece->size);
    pthread_cond_broadcast(&pool->done);
    pthread_mutex_unlock(&pool->mutex);
    if (stops)
        outcomes_say(pool->outcomes, "nothing more can be written, so the rest is not tried");
}

static void *thread_run(void *argument)
{
    struct pool *pool = argument;
    const struct piece *piece;
    while ((piece = piece_take(pool))) {
        struct piece_result result;
        piece_do(pool->docroot, &pool->gate, piece, &result);
        if (result.error == ECANCELED) break; /* a signal came, and ends the process */
        outcomes_add(pool->outcomes, piece->path, piece->coding, &result);
        outcomes_advance(pool->outcomes, work_cost(piece->coding, piece->size));
        piece_give_back(pool, piece, result.error);
    }
    pthread_mutex_lock(&pool->mutex);
    bool last = --pool->running == 0;
    pthread_mutex_unlock(&pool->mutex);
    if (last) eventfd_write(pool->ended, 1);
    return NULL;
}

/* Starts as many threads as it can. Returns how many, or -errno when there is none. */
static int threads_start(struct pool *pool, pthread_t *threads, uint32_t jobs)
{
    int error = 0;
    uint32_t started = 0;
    pthread_mutex_lock(&pool->mutex); /* none ends before all are counted */
    while (started < jobs && error == 0) {
        error = pthread_create(&threads[started], NULL, thread_run, pool);
        if (error == 0) started++;
    }
    pool->running = started;
    pthread_mutex_unlock(&pool->mutex);
    return started > 0 ? (int)started : -error;
}

/* ---- the main thread ------------------------------------------------------------------------- */

/* Returns 0 when all threads have ended, or the signal that came before that. */
static int ended_wait(struct pool *pool, int signals)
{
    struct pollfd ready[2] = {{.fd = pool->ended, .events = POLLIN},
                              {.fd = signals, .events = POLLIN}};
    for (;;) {
        struct signalfd_siginfo info;
        outcomes_show(pool->outcomes);
        int count = poll(ready, 2, pool->outcomes->shows ? SHOW_INTERVAL_MS : -1);
        if (count <= 0) continue;
        if (ready[0].revents) return 0;
        if (read(signals, &info, sizeof(info)) == sizeof(info)) return (int)info.ssi_signo;
    }
}

/*
 * Runs the threads to their end, or to a signal. Returns 0, the signal, or -errno when no thread
 * can be started.
 */
static int threads_run(struct pool *pool, pthread_t *threads, uint32_t jobs, int signals)
{
    int started = threads_start(pool, threads, jobs);
    if (started < 0) return started;
    int number = ended_wait(pool, signals);
    outcomes_clear(pool->outcomes);
    if (number != 0) {
        gate_close(&pool->gate);
        return number;
    }
    for (int i = 0; i < started; i++)
        pthread_join(threads[i], NULL);
    return 0;
}

static void work_announce(const struct work *work, struct outcomes *outcomes)
{
    uint64_t cost = 0;
    for (size_t i = 0; i < work->count; i++)
        cost += work_cost(work->pieces[i].coding, work->pieces[i].size);
    outcomes_expect(outcomes, work->count, cost);
}

/* Whether this process was started to ignore a signal, as by nohup(1). */
static bool is_ignored(int number)
{
    struct sigaction action;
    return sigaction(number, NULL, &action) == 0 && action.sa_handler == SIG_IGN;
}

/*
 * Returns a descriptor from which the signals can be read that end a run, or -1. They interrupt
 * neither this thread nor those that it starts. The kernel would queue ignored ones as well, because
 * all of these are blocked.
 */
static int signals_take(sigset_t *before)
{
    static const int ending[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};
    sigset_t signals;
    sigemptyset(&signals);
    for (size_t i = 0; i < sizeof(ending) / sizeof(ending[0]); i++)
        if (!is_ignored(ending[i])) sigaddset(&signals, ending[i]);
    pthread_sigmask(SIG_BLOCK, &signals, before);
    return signalfd(-1, &signals, SFD_CLOEXEC);
}

int pool_run(const struct docroot *docroot, const struct work *work, struct outcomes *outcomes,
             uint32_t jobs)
{
    /* static: after a signal the threads still have it when this function has returned */
    static struct pool pool;
    pool = (struct pool){docroot,
                         work,
                         outcomes,
                         .gate = GATE_INITIALIZER,
                         .mutex = PTHREAD_MUTEX_INITIALIZER,
                         .done = PTHREAD_COND_INITIALIZER,
                         .memory_max = memory_max(),
                         .ended = eventfd(0, EFD_CLOEXEC)};
    if (work->count < jobs) jobs = (uint32_t)work->count;
    work_announce(work, outcomes);
    if (jobs == 0) return 0;
    sigset_t before;
    int result = -ENOMEM, signals = signals_take(&before);
    pthread_t *threads = calloc(jobs, sizeof(*threads));
    if (threads && signals >= 0 && pool.ended >= 0)
        result = threads_run(&pool, threads, jobs, signals);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (result > 0) return result;
    free(threads);
    if (signals >= 0) close(signals);
    if (pool.ended >= 0) close(pool.ended);
    return result;
}
