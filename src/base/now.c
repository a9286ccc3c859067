/*
 * Reads the time. The monotonic clock is read exactly. The wall clock is read as of the kernel's
 * last tick (at most 10 ms ago, mostly 1 to 4 ms), which costs about 5 ns through the vDSO instead
 * of 25.
 * That is enough: dates have whole seconds, and durations never come from the wall clock.
 * The date is formatted at most once a second.
 */
#include "zcserve/now.h"

#include "zcserve/date.h"

#include <assert.h>
#include <time.h>

static_assert(sizeof((struct now *)NULL)->date == DATE_LENGTH + 1, "the date fits exactly");

uint64_t now_monotonic_ns(void)
{
    struct timespec now = {0};
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * NS_PER_SECOND + (uint64_t)now.tv_nsec;
}

uint64_t now_thread_cpu_ns(void)
{
    struct timespec used = {0};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
    return (uint64_t)used.tv_sec * NS_PER_SECOND + (uint64_t)used.tv_nsec;
}

void now_read(struct now *now)
{
    struct timespec wall = {0};
    clock_gettime(CLOCK_REALTIME_COARSE, &wall);
    now->monotonic_ns = now_monotonic_ns();
    now->wall_ns = (uint32_t)wall.tv_nsec;
    if (now->wall_seconds != wall.tv_sec || now->date[0] == '\0') {
        now->wall_seconds = wall.tv_sec;
        date_format(now->wall_seconds, now->date);
    }
}
