/*
 * How many receives a turn of the loop waits for, and how long: the moderation of interrupts that
 * network cards do, done by a worker.
 *
 * While a worker has more to do than to wait for, what it answers a little later nobody gets later:
 * its time goes into the requests before. So it lets some come together, and one turn, with its two
 * system calls, serves them all. A worker that mostly waits answers each at once.
 *
 * "Some" are one in PACE_SHARE of the connections that were lately heard of: the other ones keep
 * their clients busy meanwhile. And never longer than `gather_ns`, so that a wrong guess costs no more.
 */
#ifndef ZCSERVE_MODEL_PACE_H
#define ZCSERVE_MODEL_PACE_H

#include <stdbool.h>
#include <stdint.h>

#define PACE_SHARE 8         /* of the connections heard of in a tick, one in so many */
#define PACE_BUSY_PERCENT 75 /* of the time between two ticks, spent on a CPU: begins */
#define PACE_IDLE_PERCENT 55 /* …and less ends it: what comes together costs less     */

struct pace {
    uint64_t gather_ns; /* 0: waits for one, always                       */
    uint32_t receives;  /* worth waiting for; 0: mostly idle, so for none */
    uint32_t active;    /* connections heard of since the last tick       */
    uint32_t tick;      /* its number; never 0                            */
    uint64_t ticked_ns, busy_ns;
};

void pace_open(struct pace *pace, uint64_t gather_ns);

/* `*heard` is the connection's, 0 at first: bytes came from it. */
static inline void pace_received(struct pace *pace, uint32_t *heard)
{
    if (*heard == pace->tick) return;
    *heard = pace->tick;
    pace->active++;
}

/*
 * Looks back at the time since the last call. `now_ns` is monotonic, `busy_ns` the CPU time that the
 * thread has used.
 */
void pace_tick(struct pace *pace, uint64_t now_ns, uint64_t busy_ns);

#endif
