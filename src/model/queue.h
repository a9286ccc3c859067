/*
 * A bounded queue of accepted connections: one thread puts, several take. Who takes waits; who puts
 * never does.
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
    pthread_mutex_t lock; /* of all that follows up to `waiting`              */
    pthread_cond_t filled;
    uint32_t first, count, size;
    uint32_t limit;        /* full with so many, at most `size`                */
    uint32_t idle, takers; /* threads that serve nobody; that have not seen LAST */
    bool was_full;         /* whoever puts wants to hear when there is room    */
    bool closed;           /* nothing comes any more                           */
    struct waiting *waiting;
    _Atomic uint32_t crowd; /* connections that nobody is idle to take         */
    int news;               /* an eventfd: there is room again, or a taker has seen LAST */
};

/*
 * Full with `limit` connections, after queue_widen() with `size`; for so many threads that take.
 * 0, or -1 with errno set.
 */
int queue_open(struct queue *q, uint32_t limit, uint32_t size, uint32_t takers);
void queue_widen(struct queue *q);
void queue_close(struct queue *q); /* empty, and all takers have seen LAST */

/* Is there room for one more? When not, there will be news as soon as there is. */
bool queue_has_room(struct queue *q);
void queue_put(struct queue *q, const struct waiting *waiting); /* only when it has */

/* ONE in `waiting`; NONE when the time (monotonic; UINT64_MAX: never) came first; LAST after the last. */
enum taken { TAKEN_ONE, TAKEN_NONE, TAKEN_LAST };
enum taken queue_take(struct queue *q, uint64_t until_ns, struct waiting *waiting);

/* Whoever was taken is served: the thread is idle again, as all are at first, even on their way here. */
void queue_served(struct queue *q);

/* Nothing is put any more: what is in it is still taken, then each taker gets LAST once. */
void queue_end(struct queue *q);
uint32_t queue_takers(struct queue *q);

/* A descriptor that is readable when there is news, and taking note of that. */
static inline int queue_news(const struct queue *q)
{
    return q->news;
}
void queue_news_take(struct queue *q);

/* Does a connection wait that no thread is idle to take? Costs no lock. */
static inline bool queue_is_crowded(struct queue *q)
{
    return atomic_load_explicit(&q->crowd, memory_order_relaxed) > 0;
}

#endif
