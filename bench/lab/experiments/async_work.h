/*
 * What the parts of experiment 9 share: the work (random reads, some under way at once), and what comes of it. Each way
 * does it in a process of its own, since libraries keep threads that later ways would inherit.
 */
#ifndef LAB_ASYNC_WORK_H
#define LAB_ASYNC_WORK_H

#include "../measure.h"

#include <sys/types.h>

enum { DEPTH_MAX = 256 };

struct job {
    char path[256];
    bool direct;
    unsigned depth; /* reads under way at once */
    uint64_t block, blocks, seed;
    uint64_t limit; /* reads in all; 0: as many as the time allows */
    uint64_t ns;    /* the time */
};

/* Of one process. In memory that it shares with us. */
struct outcome {
    struct tally tally;
    uint64_t ns; /* from the first read to the last */
    double user_us, system_us, threads, faults, switches;
    int failure; /* 0 or -errno */
};

/* async_ways.c: ways in C. NULL: there is none of this name. */
struct way;
const struct way *async_way_named(const char *name);
/* In the child: does the job, and fills the outcome. */
void way_run(const struct way *way, const struct job *job, struct outcome *outcome);

/* async_runtimes.c: Node and Python. `argv` becomes what to execute for the job; false: it is not installed. */
struct command {
    char program[280], number[7][24];
    const char *argv[14];
};
bool runtime_command(const char *name, const struct job *job, struct command *command);
/* Reads what the runtime printed, until it has ended. */
void runtime_read(int pipe, struct outcome *outcome);

/* async_child.c: runs the job in a child and waits for it; 0 or -errno. `way` is NULL for a runtime. */
int child_run(const char *name, const struct job *job, struct outcome *outcome);

/* The same under ptrace(2), which counts its system calls. */
struct calls_counted {
    double all, transfer, ring, lock, event;
    unsigned threads; /* that were started, and the first one */
};
int child_count(const char *name, const struct job *job, struct outcome *outcome,
                struct calls_counted *counted);

#endif
