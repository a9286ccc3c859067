/*
 * A bounded queue of accepted connections. One thread puts them in and never waits; several threads
 * take them out and wait for them.
 */
#ifndef ZCSERVE_MODEL_QUEUE_H
#define ZCSERVE_MODEL_QUEUE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

struct waiting {
    int fd;
    uint64_t accepted_ns; /* monotonic */
    struct sockaddr_storage peer;
};

struct queue {
    pthread_mutex_t lock; /* protects all members down to `waiting` */
    pthread_cond_t filled;
    uint32_t first, count, size;
    uint32_t limit;        /* the queue is full with so many; at most `size`      */
    uint32_t idle, takers; /* threads that serve nobody; threads without TAKEN_LAST yet */
    bool was_full;         /* the putting thread is to be told when there is room */
    bool closed;           /* nothing is put any more                             */
    struct waiting *waiting;
    _Atomic uint32_t crowd; /* connections for which no thread is idle                    */
    int news;               /* an eventfd: room again, or a thread has got TAKEN_LAST     */
};

/*
 * Opens a queue for `takers` threads that take. It is full with `limit` connections, and after
 * queue_widen() with `size`. Returns 0, or -1 with errno set.
 */
int queue_open(struct queue *q, uint32_t limit, uint32_t size, uint32_t takers);
void queue_widen(struct queue *q);
void queue_close(struct queue *q); /* when it is empty and all threads have got TAKEN_LAST */

/* Returns whether there is room for one more. When not, queue_news() tells as soon as there is. */
bool queue_has_room(struct queue *q);
void queue_put(struct queue *q, const struct waiting *waiting); /* only when there is room */

/*
 * Takes a connection, or waits for one until `until_ns` (monotonic; UINT64_MAX: for ever). Returns
 * TAKEN_ONE and sets `waiting`; TAKEN_NONE when the time was reached; TAKEN_LAST when no more
 * connection will come.
 */
enum taken { TAKEN_ONE, TAKEN_NONE, TAKEN_LAST };
enum taken queue_take(struct queue *q, uint64_t until_ns, struct waiting *waiting);

/*
 * The calling thread has served the connection that it took, and is idle again. At first all
 * threads count as idle, even those that have not called queue_take() yet.
 */
void queue_served(struct queue *q);

/*
 * Nothing will be put any more. What is queued is still taken; then each thread gets TAKEN_LAST
 * once.
 */
void queue_end(struct queue *q);
uint32_t queue_takers(struct queue *q);

/* Returns a descriptor that is readable when there is news; queue_news_take() resets it. */
static inline int queue_news(const struct queue *q)
{
    return q->news;
}
void queue_news_take(struct queue *q);

/* Returns whether a connection waits for which no thread is idle. Takes no lock. */
static inline bool queue_is_crowded(struct queue *q)
{
    return atomic_load_explicit(&q->crowd, memory_order_relaxed) > 0;
}

#endif
