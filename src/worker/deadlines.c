/*
 * A wheel of slots, a tick each. Deadlines beyond the last slot are looked at too early, and set again.
 */
#include "zcserve/deadlines.h"

#include <stddef.h>
#include <utlist.h>

static struct deadline **slot_of(struct deadlines *d, uint64_t tick)
{
    return &d->slot[tick % DEADLINE_SLOTS];
}

void deadlines_open(struct deadlines *d, uint64_t now_ns)
{
    *d = (struct deadlines){.tick = now_ns / TICK_NS};
}

void deadline_forget(struct deadlines *d, struct deadline *deadline)
{
    if (deadline->tick > 0) DL_DELETE(*slot_of(d, deadline->tick), deadline);
    deadline->tick = 0;
}

void deadline_move(struct deadlines *d, struct deadline *deadline, uint64_t at_ns)
{
    uint64_t tick = at_ns / TICK_NS + 1, last = d->tick + DEADLINE_SLOTS - 1;
    if (tick > last) tick = last;
    if (tick <= d->tick) tick = d->tick + 1;
    if (deadline->tick > 0 && deadline->tick <= tick) return;
    deadline_forget(d, deadline);
    deadline->tick = tick;
    DL_APPEND(*slot_of(d, tick), deadline);
}

struct deadline *deadlines_next(struct deadlines *d, uint64_t now_ns)
{
    uint64_t now = now_ns / TICK_NS;
    for (; d->tick <= now; d->tick++) {
        struct deadline *first = *slot_of(d, d->tick);
        if (!first || first->tick != d->tick) continue;
        deadline_forget(d, first);
        return first;
    }
    d->tick = now;
    return NULL;
}
