/*
 * Ways to wait for many descriptors at once, behind one small table of functions, for experiment 8. One
 * thread opens, uses and closes a watch.
 */
#ifndef LAB_MULTIPLEX_WAYS_H
#define LAB_MULTIPLEX_WAYS_H

#include <liburing.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/select.h>
#include <sys/types.h>

enum { READY_MAX = 512, MESSAGE_BYTES = 64, READ_LATER = -1 };

/* A descriptor that has something to read. It can be passed to receive() until the next wait(). */
struct ready {
    int index;     /* into watch.fd; READ_LATER: what watch_read_later() asked for is there */
    int length;    /* multishot receive: how much came, or -errno */
    unsigned slot; /* multishot receive: the buffer that has it */
};

struct way;
struct watch {
    const struct way *way;
    const int *fd; /* `count` sockets without O_NONBLOCK, with which a ring gives up */
    unsigned count;
    _Atomic uint64_t calls; /* system calls so far */
    struct ready ready[READY_MAX];
    fd_set set;
    int highest;
    struct pollfd *polled;
    int epoll;
    unsigned events; /* for epoll_ctl(2) */
    struct io_uring ring;
    bool has_ring;
    struct io_uring_buf_ring *buffers;
    char *memory; /* for the buffers */
    uint64_t later;
};

struct way {
    const char *name;
    int (*open)(struct watch *watch);
    /* Waits 200 ms at most. Returns how many are in watch->ready, 0 when the time is over, or -errno. */
    int (*wait)(struct watch *watch);
    /*
     * Takes up to MESSAGE_BYTES, and arms again where that is needed. Returns bytes or -errno; 0 at the
     * end.
     */
    ssize_t (*receive)(struct watch *watch, const struct ready *ready, char into[MESSAGE_BYTES]);
};

/* The ways select, poll, epoll, edge, oneshot, uring_poll, uring_recv; a NULL name ends the list. */
extern const struct way ways[];
const struct way *way_named(const char *name);

/* Returns 0 or -errno; watch_close() may follow in every case. The owner sets `watch` to zero. */
int watch_open(struct watch *watch, const struct way *way, const int *fd, unsigned count);
void watch_close(struct watch *watch);

/* For ways with a ring: reads 8 bytes from a descriptor that blocks. READ_LATER reports it. */
int watch_read_later(struct watch *watch, int fd);

static inline void watch_count_call(struct watch *watch)
{
    uint64_t calls = atomic_load_explicit(&watch->calls, memory_order_relaxed);
    atomic_store_explicit(&watch->calls, calls + 1, memory_order_relaxed);
}

#endif
