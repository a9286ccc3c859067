/*
 * The queue between the thread that accepts and the threads that serve: a ring buffer under one
 * mutex.
 * The mutex is held for a few instructions only, never while anything is received, sent or looked
 * up.
 * The queue does not grow. When it is full, the accepting thread stops, and is told when there is
 * room again.
 */
#include "queue.h"

#include "zcserve/now.h"

#include <assert.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

int queue_open(struct queue *q, uint32_t limit, uint32_t size, uint32_t takers)
{
    pthread_condattr_t attributes;
    assert(limit > 0 && limit <= size && takers > 0);
    *q = (struct queue){.limit = limit,
                        .size = size,
                        .idle = takers,
                        .takers = takers,
                        .news = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
    q->waiting = calloc(size, sizeof(*q->waiting));
    pthread_mutex_init(&q->lock, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&q->filled, &attributes);
    pthread_condattr_destroy(&attributes);
    return q->waiting && q->news >= 0 ? 0 : -1;
}

void queue_close(struct queue *q)
{
    pthread_cond_destroy(&q->filled);
    pthread_mutex_destroy(&q->lock);
    free(q->waiting);
    if (q->news >= 0) close(q->news);
}

/* With the lock held: stores for how many connections no thread is idle. */
static void crowd_set(struct queue *q)
{
    uint32_t crowd = q->count > q->idle ? q->count - q->idle : 0;
    atomic_store_explicit(&q->crowd, crowd, memory_order_relaxed);
}

bool queue_has_room(struct queue *q)
{
    pthread_mutex_lock(&q->lock);
    q->was_full = q->count == q->limit;
    bool room = !q->was_full;
    pthread_mutex_unlock(&q->lock);
    return room;
}

void queue_put(struct queue *q, const struct waiting *waiting)
{
    pthread_mutex_lock(&q->lock);
    assert(q->count < q->limit); /* only the accepting thread puts, and it asked queue_has_room() */
    q->waiting[(q->first + q->count++) % q->size] = *waiting;
    crowd_set(q);
    pthread_cond_signal(&q->filled);
    pthread_mutex_unlock(&q->lock);
}

/*
 * With the lock held: waits until a connection is queued or the time is reached (UINT64_MAX:
 * never).
 */
static void queue_wait(struct queue *q, uint64_t until_ns)
{
    struct timespec until = {.tv_sec = (time_t)(until_ns / NS_PER_SECOND),
                             .tv_nsec = (long)(until_ns % NS_PER_SECOND)};
    int result = 0;
    while (q->count == 0 && !q->closed && result == 0)
        if (until_ns == UINT64_MAX)
            pthread_cond_wait(&q->filled, &q->lock);
        else
            result = pthread_cond_timedwait(&q->filled, &q->lock, &until);
}

enum taken queue_take(struct queue *q, uint64_t until_ns, struct waiting *waiting)
{
    enum taken taken = TAKEN_ONE;
    pthread_mutex_lock(&q->lock);
    queue_wait(q, until_ns);
    bool tell = q->was_full;
    if (q->count == 0) {
        taken = q->closed ? TAKEN_LAST : TAKEN_NONE;
        q->takers -= q->closed;
        tell = q->closed;
    } else {
        *waiting = q->waiting[q->first];
        q->first = (q->first + 1) % q->size;
        q->count--;
        assert(q->idle > 0); /* each thread calls queue_served() before it takes another one */
        q->idle--;
        q->was_full = false;
    }
    crowd_set(q);
    pthread_mutex_unlock(&q->lock);
    if (tell) eventfd_write(q->news, 1);
    return taken;
}

void queue_served(struct queue *q)
{
    pthread_mutex_lock(&q->lock);
    q->idle++;
    crowd_set(q);
    pthread_mutex_unlock(&q->lock);
}

void queue_widen(struct queue *q)
{
    pthread_mutex_lock(&q->lock);
    q->limit = q->size;
    pthread_mutex_unlock(&q->lock);
}

void queue_end(struct queue *q)
{
    pthread_mutex_lock(&q->lock);
    q->closed = true;
    pthread_cond_broadcast(&q->filled);
    pthread_mutex_unlock(&q->lock);
}

uint32_t queue_takers(struct queue *q)
{
    pthread_mutex_lock(&q->lock);
    uint32_t takers = q->takers;
    pthread_mutex_unlock(&q->lock);
    return takers;
}

void queue_news_take(struct queue *q)
{
    eventfd_t count;
    eventfd_read(q->news, &count);
}
