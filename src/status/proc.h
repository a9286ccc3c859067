/*
 * What the kernel says of a process (proc(5)).
 */
#ifndef ZCSERVE_STATUS_PROC_H
#define ZCSERVE_STATUS_PROC_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct proc {
    double cpu_user_seconds, cpu_system_seconds;
    uint64_t resident_bytes;
    uint64_t descriptors, threads;
    uint64_t voluntary_switches, involuntary_switches; /* of all its threads */
};

/* Costs a few reads, one more for each thread. False: there is no such process any more. */
bool proc_read(pid_t pid, struct proc *proc);

/*
 * Memory, with what several processes share divided among them. The kernel walks the page tables for it
 * and holds the process up meanwhile: not for every second. False: not to be had.
 */
bool proc_read_proportional(pid_t pid, uint64_t *bytes);

#endif
