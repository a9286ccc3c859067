/* The gate: a counter, a flag and a condition under one lock. */
#include "precompress/gate.h"

bool gate_enter(struct gate *gate)
{
    pthread_mutex_lock(&gate->mutex);
    bool enters = !gate->closed;
    if (enters) gate->inside++;
    pthread_mutex_unlock(&gate->mutex);
    return enters;
}

void gate_leave(struct gate *gate)
{
    pthread_mutex_lock(&gate->mutex);
    gate->inside--;
    pthread_cond_broadcast(&gate->left);
    pthread_mutex_unlock(&gate->mutex);
}

bool gate_is_closed(struct gate *gate)
{
    pthread_mutex_lock(&gate->mutex);
    bool closed = gate->closed;
    pthread_mutex_unlock(&gate->mutex);
    return closed;
}

void gate_close(struct gate *gate)
{
    pthread_mutex_lock(&gate->mutex);
    gate->closed = true;
    while (gate->inside > 0)
        pthread_cond_wait(&gate->left, &gate->mutex);
    pthread_mutex_unlock(&gate->mutex);
}
