/*
 * Computes at each tick whether a worker waits for several requests to come together, and for how
 * many.
 * See pace.h.
 */
#include "pace.h"

void pace_open(struct pace *pace, uint64_t gather_ns)
{
    *pace = (struct pace){.gather_ns = gather_ns, .tick = 1};
}

void pace_tick(struct pace *pace, uint64_t now_ns, uint64_t busy_ns)
{
    uint64_t passed_ns = now_ns - pace->ticked_ns, used_ns = busy_ns - pace->busy_ns;
    uint64_t enough = pace->receives > 0 ? PACE_IDLE_PERCENT : PACE_BUSY_PERCENT;
    bool busy = pace->gather_ns > 0 && used_ns * 100 > passed_ns * enough;
    pace->receives = busy ? 1 + pace->active / PACE_SHARE : 0;
    pace->active = 0;
    pace->tick = pace->tick == UINT32_MAX ? 1 : pace->tick + 1;
    pace->ticked_ns = now_ns;
    pace->busy_ns = busy_ns;
}
