/*
 * The second half of experiment 5: records that a program gathers before it writes them (write coalescing),
 * and how many are lost when the program is killed. The program is a child process that is really killed.
 */
#ifndef LAB_DURABLE_KILLED_H
#define LAB_DURABLE_KILLED_H

#include "../experiment.h"

enum { RECORD_BYTES = 128 };

struct gathering {
    const struct data *data;
    uint64_t gather_bytes; /* they are written when so many have come; 0: each record at once */
    uint64_t gather_ns;    /* or when the oldest has waited so long; 0: there is no time limit */
    uint64_t pace;         /* records that come per second; 0: as many as can be accepted */
    bool synced;           /* fdatasync(2) after each write */
    unsigned kills;        /* how often in one measurement */
    uint64_t seed;
    int fd;
    char *buffer;
    struct writer *writer; /* memory that the child shares */
};

/* The functions of struct work; the context is a struct gathering. */
int gathering_open(void *context);
int gathering_run(void *context, struct measure *m);
void gathering_close(void *context);

#endif
