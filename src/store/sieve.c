/*
 * SIEVE: which seat leaves next. It knows nothing of what is queued, of bytes or of files.
 */
#include "sieve.h"

#include <assert.h>
#include <stddef.h>

void sieve_add(struct sieve *sieve, struct seat *seat)
{
    seat->visited = false;
    seat->newer = NULL;
    seat->older = sieve->newest;
    if (sieve->newest)
        sieve->newest->newer = seat;
    else
        sieve->oldest = seat;
    sieve->newest = seat;
    sieve->count++;
}

void sieve_remove(struct sieve *sieve, struct seat *seat)
{
    assert(sieve->count > 0);
    if (sieve->hand == seat) sieve->hand = seat->newer;
    if (seat->newer)
        seat->newer->older = seat->older;
    else
        sieve->newest = seat->older;
    if (seat->older)
        seat->older->newer = seat->newer;
    else
        sieve->oldest = seat->newer;
    seat->newer = seat->older = NULL;
    sieve->count--;
}

struct seat *sieve_victim(struct sieve *sieve)
{
    /* Two rounds, because the first one may only clear all bits. */
    for (uint64_t steps = 2 * sieve->count; steps > 0; steps--) {
        struct seat *seat = sieve->hand ? sieve->hand : sieve->oldest;
        sieve->hand = seat->newer;
        if (seat->visited)
            seat->visited = false;
        else if (seat->loans == 0)
            return seat;
    }
    return NULL;
}
