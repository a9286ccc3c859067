/*
 * The sockets of experiment 8: one event among many idle descriptors, all in one thread; and a server that
 * echoes for many clients at once, in a thread of its own. Each of the two has the three functions of
 * struct work.
 */
#ifndef LAB_MULTIPLEX_ECHO_H
#define LAB_MULTIPLEX_ECHO_H

#include "../experiment.h"
#include "multiplex_ways.h"

#include <pthread.h>
#include <semaphore.h>
#include <sys/resource.h>

enum { DESCRIPTORS_MAX = 100000 };

/* The owner sets it to zero, except the first block. Do not put it on a stack. */
struct idle_watch {
    const struct way *way; /* NULL: none; the one socket is read, and blocks */
    unsigned idle;         /* number of descriptors on which nothing happens */

    int *fd; /* the idle ones; the busy one is last */
    unsigned count;
    int pair[2]; /* of the busy socket: [0] is watched, [1] is written to */
    struct watch watch;
    struct rlimit limit_before;
    bool limit_raised;
};

int idle_open(void *idle_watch);
int idle_run(void *idle_watch, struct measure *m);
void idle_close(void *idle_watch);

/* What a server does with a request that needs a read that blocks. */
enum slow {
    SLOW_NONE,   /* there is no such request */
    SLOW_INLINE, /* it reads, and blocks */
    SLOW_THREAD, /* another thread reads and sends the response */
    SLOW_RING,   /* the ring reads */
};

/* The owner sets it to zero, except the first block. */
struct echo {
    const struct way *way;
    unsigned clients;
    enum slow slow;
    uint64_t stall_ns; /* how long a slow read blocks */

    int *server,
        *client; /* both ends of each client's socket; with `slow` one more client, the last one */
    unsigned count;
    uint64_t *begun_ns;
    int timer; /* what is slow: read(2) of it blocks until it has expired */
    int to_helper[2];
    struct watch watch;
    pthread_t thread, helper;
    bool thread_started, helper_started, has_ready;
    int cpu[2]; /* the client's and the server's */
    cpu_set_t cpus_before;
    bool pinned;
    sem_t ready;
    atomic_bool over;
    _Atomic int result, server_cpu;
    struct rlimit limit_before;
    bool limit_raised;
};

int echo_open(void *echo);
int echo_run(void *echo, struct measure *m);
void echo_close(void *echo);

/* Returns how many descriptors this process may have open at once. */
uint64_t descriptors_allowed(void);

#endif
