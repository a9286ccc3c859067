/*
 * Deadlines of many connections, without looking at all of them: a hashed timing wheel (G. Varghese and T. Lauck,
 * "Hashed and hierarchical timing wheels", 1987). A slot holds those that are to be looked at in one tick.
 *
 * It is lazy: a deadline that moves later stays where it is, and whoever looks at it then sets it again. So a busy
 * connection, whose deadline moves with each byte, costs a comparison.
 */
#ifndef ZCSERVE_DEADLINES_H
#define ZCSERVE_DEADLINES_H

#include "zcserve/now.h"

#define TICK_NS \
    (NS_PER_SECOND / 10)    /* how often an event loop looks at deadlines                   */
#define DEADLINE_SLOTS 1024 /* a later deadline is looked at after as many ticks, and set again */

/* Part of whoever has a deadline. Zeroed at first. */
struct deadline {
    struct deadline *prev, *next; /* in its slot                                */
    uint64_t tick;                /* when it is looked at; 0: it is not watched */
};

struct deadlines {
    uint64_t tick; /* up to this one all were looked at */
    struct deadline *slot[DEADLINE_SLOTS];
};

void deadlines_open(struct deadlines *d, uint64_t now_ns);

/* As deadline_set(), when the deadline is not yet watched for that time. */
void deadline_move(struct deadlines *d, struct deadline *deadline, uint64_t at_ns);

/* Has the deadline looked at within a tick after `at_ns`, or earlier when it is watched for an earlier tick. */
static inline void deadline_set(struct deadlines *d, struct deadline *deadline, uint64_t at_ns)
{
    if (deadline->tick == 0 || deadline->tick * TICK_NS > at_ns) deadline_move(d, deadline, at_ns);
}

/* It is watched no longer. */
void deadline_forget(struct deadlines *d, struct deadline *deadline);

/* Returns a deadline that is to be looked at now, and is watched no longer; NULL: none is left. */
struct deadline *deadlines_next(struct deadlines *d, uint64_t now_ns);

#endif
