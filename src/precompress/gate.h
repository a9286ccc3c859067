/*
 * A gate before the part of the work that must not be cut off: while a sidecar is written there is
 * a temporary file. Any thread may call these functions.
 */
#ifndef ZCSERVE_PRECOMPRESS_GATE_H
#define ZCSERVE_PRECOMPRESS_GATE_H

#include <pthread.h>
#include <stdbool.h>

struct gate {
    pthread_mutex_t mutex;
    pthread_cond_t left;
    unsigned inside; /* threads that have entered and not left */
    bool closed;     /* for good                               */
};

#define GATE_INITIALIZER                                              \
    {                                                                 \
        PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0, false \
    }

/* Enters. Returns false, without having entered, when the gate is closed. */
bool gate_enter(struct gate *gate);
void gate_leave(struct gate *gate);

/* Returns whether those inside should give up what they do. */
bool gate_is_closed(struct gate *gate);

/* Lets nobody in any more, and waits until all have left. */
void gate_close(struct gate *gate);

#endif
