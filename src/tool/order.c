/*
 * Sorts workers: the largest figure first, but the smallest index first. An unknown figure counts
 * as the least. Equal ones are in the order of their index.
 */
#include "tool/order.h"

#include <math.h>
#include <stdlib.h>

struct place {
    double key;
    uint32_t index, at;
};

static double key_of(const struct interval *interval, uint32_t at, enum view_sort sort)
{
    const struct slot_snapshot *slot = &interval->worker[at];
    double cpu;
    switch (sort) {
    case VIEW_BY_REQUESTS: return (double)slot->requests;
    case VIEW_BY_P99: return slot_percentile_ns(slot, PHASE_TOTAL, SOURCE_COUNT, 0.99);
    case VIEW_BY_CPU: cpu = worker_cpu_seconds(interval, at); return isnan(cpu) ? -1 : cpu;
    case VIEW_BY_STALL: return slot_stall_ns(slot);
    case VIEW_BY_INDEX:
    case VIEW_SORTS: break;
    }
    return 0;
}

static int by_key(const void *a, const void *b)
{
    const struct place *x = a, *y = b;
    if (x->key != y->key) return x->key < y->key ? 1 : -1;
    return (x->index > y->index) - (x->index < y->index);
}

/* Fills `place` with the workers to show. Returns how many. */
static uint32_t places_fill(struct place *place, const struct interval *interval,
                            enum view_sort sort)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < interval->workers; i++) {
        const struct slot_snapshot *slot = &interval->worker[i];
        if (slot->process == 0 && slot->requests == 0) continue;
        place[count++] = (struct place){key_of(interval, i, sort), slot->index, i};
    }
    return count;
}

uint32_t *workers_order(const struct interval *interval, enum view_sort sort, uint32_t *count)
{
    uint32_t *order = calloc(interval->workers + 1, sizeof(*order));
    struct place *place = calloc(interval->workers + 1, sizeof(*place));
    *count = 0;
    if (order && place) {
        *count = places_fill(place, interval, sort);
        qsort(place, *count, sizeof(*place), by_key);
        for (uint32_t i = 0; i < *count; i++)
            order[i] = place[i].at;
    }
    free(place);
    return order;
}

uint32_t view_step(const struct interval *interval, const struct view_wishes *wishes, int steps)
{
    uint32_t count, *order = workers_order(interval, wishes->sort, &count);
    int64_t at = -1; /* all */
    for (int64_t i = 0; i < count; i++)
        if (interval->worker[order[i]].index == wishes->chosen) at = i;
    at += steps;
    if (at < -1) at = (int64_t)count - 1;
    uint32_t chosen = at < 0 || at >= count ? VIEW_ALL : interval->worker[order[at]].index;
    free(order);
    return chosen;
}

const char *view_sort_name(enum view_sort sort)
{
    static const char *const names[VIEW_SORTS] = {
        [VIEW_BY_INDEX] = "index", [VIEW_BY_REQUESTS] = "requests", [VIEW_BY_P99] = "p99",
        [VIEW_BY_CPU] = "CPU",     [VIEW_BY_STALL] = "longest",
    };
    return names[sort];
}
