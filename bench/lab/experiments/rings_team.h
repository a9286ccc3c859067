/*
 * The threads of experiment 6, and the rings that they share or do not share. team_open(), team_run() and
 * team_close() are the functions of struct work (experiment.h). team_open() makes threads and rings, and
 * the threads live until team_close(). So only requests are measured.
 */
#ifndef LAB_RINGS_TEAM_H
#define LAB_RINGS_TEAM_H

#include "../experiment.h"

#include <liburing.h>
#include <pthread.h>
#include <semaphore.h>

enum { TEAM_MAX = 16, BATCH_MAX = 4096, READ_BYTES = 4096 };

struct member {
    struct team *team;
    pthread_t id;
    void (*work)(struct member *member);
    struct io_uring ring; /* its own ring, in layouts mixed and private */
    bool has_ring;
    char *memory; /* READ_BYTES for each request of a batch */
    uint64_t begun_ns, random, batches;
    _Atomic uint32_t ended; /* requests of its batch that have completed; in layout mixed a futex */
    int result;
    struct tally tally; /* of what it reaped, whichever thread asked for it */
};

/* The owner sets it to zero, except the first block. Do not put it on a stack. */
struct team {
    const struct data *data; /* NULL: nothing is read (IORING_OP_NOP) */
    const char *layout;      /* sync, shared, split, mixed or private */
    unsigned threads, batch; /* at most TEAM_MAX and BATCH_MAX */
    uint64_t batches;        /* that each thread does, if there is time */
    bool direct;             /* O_DIRECT */

    int fd;
    uint64_t blocks;
    struct measure *measure;
    struct io_uring ring; /* shared and split: the ring of all; mixed: the reader's */
    bool has_ring;
    _Atomic uint32_t
        lock[2]; /* of the submission queue (shared: of both), and of the completion queue */
    atomic_bool over, leaving;
    sem_t ready, go, done, leave;
    bool has_semaphores;
    unsigned started;
    struct member member[TEAM_MAX + 1]; /* in layout mixed the last one reads completions */
};

int team_open(void *team);
int team_run(void *team, struct measure *m);
void team_close(void *team);

#endif
