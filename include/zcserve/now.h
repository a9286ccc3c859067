/*
 * The time, as one reading that a whole batch of work shares. The HTTP core never reads a clock:
 * its driver reads the time after each result of input or output and passes it on.
 */
#ifndef ZCSERVE_NOW_H
#define ZCSERVE_NOW_H

#include <stdint.h>

#define NS_PER_SECOND UINT64_C(1000000000)
#define NS_PER_MS UINT64_C(1000000)

struct now {
    uint64_t monotonic_ns; /* CLOCK_MONOTONIC; deadlines and durations use it               */
    int64_t wall_seconds;  /* CLOCK_REALTIME at the last tick (≤ 10 ms ago), whole seconds  */
    uint32_t wall_ns;      /* its fraction of a second, 0 … 999,999,999                     */
    char date[30];         /* wall_seconds as an IMF-fixdate (RFC 9110 §5.6.7), with a NUL; */
                           /* written again only when the second changes                    */
};

/* Returns CLOCK_MONOTONIC in ns. Cannot fail. */
uint64_t now_monotonic_ns(void);

/* Returns how much CPU time the calling thread has used, in ns. Cannot fail. */
uint64_t now_thread_cpu_ns(void);

/* Reads both clocks into `now`, which must be zeroed before the first call. Cannot fail. */
void now_read(struct now *now);

#endif
