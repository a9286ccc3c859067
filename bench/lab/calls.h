/*
 * System calls of this process, counted by the kernel: perf_event_open(2) on the tracepoint
 * raw_syscalls:sys_enter. Threads that start later are counted too. It needs tracefs to be mounted, and
 * perf_event_paranoid or CAP_PERFMON must permit it. Where that is not so, experiments count in their code
 * (tally.calls). The column syscalls_by says which it was.
 */
#ifndef LAB_CALLS_H
#define LAB_CALLS_H

#include <stdbool.h>

/* Starts to count. Returns false, with a reason, when the kernel does not permit it. */
bool calls_open(const char **why_not);

/* Returns how many calls there have been, without those of this counting; -1 when they are not counted. */
double calls_read(void);

#endif
