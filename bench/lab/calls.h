/*
 * System calls of this process, counted by the kernel: perf_event_open(2) on the tracepoint
 * raw_syscalls:sys_enter, inherited by threads that start later. It needs tracefs to be mounted and
 * perf_event_paranoid or CAP_PERFMON to permit it; where they do not, experiments count in their
 * code (tally.calls), and the column syscalls_by says which it was.
 */
#ifndef LAB_CALLS_H
#define LAB_CALLS_H

#include <stdbool.h>

/* Starts to count; false, with a reason, when the kernel does not let us. */
bool calls_open(const char **why_not);

/* How many there have been; -1 when they are not counted. The calls that this costs are taken off. */
double calls_read(void);

#endif
