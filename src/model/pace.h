/*
 * Decides for how many receives a turn of the loop waits, and for how long. Network cards do the
 * same when they moderate their interrupts.
 *
 * A busy worker can answer a request a little later without any client getting its response later,
 * because the worker spends that time on the requests before it. So a busy worker lets several
 * requests come together, and one turn, with its two system calls, serves them all. A worker that
 * is mostly idle answers each request at once.
 *
 * It waits for one in PACE_SHARE of the connections from which bytes came lately: the clients of
 * the others are busy meanwhile. It never waits longer than `gather_ns`, so that a wrong guess
 * costs no more than that.
 */
#ifndef ZCSERVE_MODEL_PACE_H
#define ZCSERVE_MODEL_PACE_H

#include <stdbool.h>
#include <stdint.h>

#define PACE_SHARE 8         /* waits for one in so many of the connections active in a tick */
#define PACE_BUSY_PERCENT 75 /* above this use of the CPU in a tick gathering begins         */
#define PACE_IDLE_PERCENT 55 /* …from here down it ends: gathered requests cost less         */

struct pace {
    uint64_t gather_ns; /* longest wait; 0: never gathers                          */
    uint32_t receives;  /* how many to wait for; 0: mostly idle, so does not gather */
    uint32_t active;    /* connections from which bytes came since the last tick   */
    uint32_t tick;      /* number of the tick; never 0                             */
    uint64_t ticked_ns, busy_ns;
};

void pace_open(struct pace *pace, uint64_t gather_ns);

/*
 * Notes that bytes came from a connection. `*heard` belongs to that connection and is 0 at first.
 */
static inline void pace_received(struct pace *pace, uint32_t *heard)
{
    if (*heard == pace->tick) return;
    *heard = pace->tick;
    pace->active++;
}

/*
 * Evaluates the time since the last call. `now_ns` is monotonic; `busy_ns` is the CPU time that the
 * thread has used so far.
 */
void pace_tick(struct pace *pace, uint64_t now_ns, uint64_t busy_ns);

#endif
