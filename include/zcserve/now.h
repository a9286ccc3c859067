/*
 * The time, as one reading that a whole batch of work shares.
 * The core never reads a clock: whoever drives it reads the time after each input or output
 * result and passes it on.
 */
#ifndef ZCSERVE_NOW_H
#define ZCSERVE_NOW_H

#include <stdint.h>

#define NS_PER_SECOND UINT64_C(1000000000)
#define NS_PER_MS UINT64_C(1000000)

struct now {
    uint64_t monotonic_ns; /* CLOCK_MONOTONIC; what deadlines and durations are made of     */
    int64_t wall_seconds;  /* CLOCK_REALTIME as of the last tick (≤ 10 ms ago), seconds     */
    uint32_t wall_ns;      /* and the rest, 0 … 999,999,999                                 */
    char date[30];         /* wall_seconds as an IMF-fixdate (RFC 9110 §5.6.7), with a NUL; */
                           /* made anew only when the second changes                        */
};

/* The monotonic clock alone, for who needs no date. Cannot fail. */
uint64_t now_monotonic_ns(void);

/* Reads both clocks into `now`. `*now` must be zeroed before the first call. Cannot fail. */
void now_read(struct now *now);

#endif
