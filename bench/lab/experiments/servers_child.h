/*
 * A server as a child of zclab: one of zcserve's models, from the program beside zclab, or a minimal one.
 * It has a process group of its own, so that all its processes can be found, counted and ended together. It
 * ends when zclab ends.
 */
#ifndef LAB_SERVERS_CHILD_H
#define LAB_SERVERS_CHILD_H

#include "../control_group.h"

enum { CHILD_OPTIONS_MAX = 24 };

struct child_plan {
    const char *
        server; /* prefork, threadpool, epoll, io_uring (zcserve's), or min-fork, min-thread, min-loop */
    const char *root; /* the directory that it serves */
    unsigned at_most; /* connections; also processes or threads, where each connection has one */
    int cpu;          /* the CPU that it may use; -1: all */
    const char *option[CHILD_OPTIONS_MAX]; /* "cache.size=0": for zcserve; ends with NULL */
    const char *configuration;             /* for zcserve; NULL: none */
    struct control_group *group;           /* its control group; NULL: none */
};

struct child {
    pid_t group; /* 0: none */
    uint16_t port;
    int said; /* what it writes to standard error; -1: none */
};

/*
 * Starts it and waits until it listens, 10 s at most. Returns 0 or -errno; child_stop() may follow in every
 * case.
 */
int child_start(struct child *child, const struct child_plan *plan);

/* Ends all its processes and waits for them, 10 s at most. */
void child_stop(struct child *child);

/* What all its processes together have used so far, or hold. */
struct child_use {
    uint64_t read_ns; /* the middle of the reading, because looking at 1,000 processes takes time */
    unsigned processes, threads;
    double cpu_s;            /* exact */
    double user_s, kernel_s; /* the same in ticks of the kernel: good for their ratio */
    double minor_faults, major_faults;
    double memory_bytes; /* a page that n processes share counts 1/n (Pss of smaps_rollup) */
};
/* `memory`: looks at memory too, which takes longer the more there is. */
struct child_use child_use_read(const struct child *child, bool memory);

/* Returns the path of zcserve beside zclab. NULL: there is none. */
const char *child_zcserve(void);
/* Returns whether this is one of zcserve's models. */
bool child_is_zcserve(const char *server);

/* Returns how many descriptors may be open. Root raises the limit when it must. */
uint64_t child_descriptors(uint64_t wanted);

#endif
