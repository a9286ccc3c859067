/*
 * What the parts of experiment 9 share: the work (random reads, several at once) and its result. Each way
 * runs in a process of its own, because libraries keep threads that later ways would inherit.
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
    uint64_t limit; /* number of reads; 0: as many as the time allows */
    uint64_t ns;    /* the time */
};

/* The result of one process, in memory that it shares with us. */
struct outcome {
    struct tally tally;
    uint64_t ns; /* from the first read to the last */
    double user_us, system_us, threads, faults, switches;
    int failure; /* 0 or -errno */
};

/* async_ways.c: finds a way in C. Returns NULL when there is none with this name. */
struct way;
const struct way *async_way_named(const char *name);
/* To be called in the child: does the job and fills the outcome. */
void way_run(const struct way *way, const struct job *job, struct outcome *outcome);

/*
 * async_runtimes.c: Node and Python. `argv` gets the command for the job. Returns false when it is not
 * installed.
 */
struct command {
    char program[280], number[7][24];
    const char *argv[14];
};
bool runtime_command(const char *name, const struct job *job, struct command *command);
/* Reads what the runtime prints, until it has ended. */
void runtime_read(int pipe, struct outcome *outcome);

/*
 * async_child.c: runs the job in a child and waits for it. Returns 0 or -errno. `way` is NULL for a
 * runtime.
 */
int child_run(const char *name, const struct job *job, struct outcome *outcome);

/* The same under ptrace(2), which counts its system calls. */
struct calls_counted {
    double all, transfer, ring, lock, event;
    unsigned threads; /* threads that were started, with the first one */
};
int child_count(const char *name, const struct job *job, struct outcome *outcome,
                struct calls_counted *counted);

#endif
