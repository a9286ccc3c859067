/*
 * The kernel's figures of a process (proc(5)).
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

/* The figures are below this path from now on: "/proc", as at first, or "" where that is "/". */
void proc_at(const char *path);

/*
 * Reads the figures: a few files, and one for each thread. Returns false when the process is gone.
 */
bool proc_read(pid_t pid, struct proc *proc);

/*
 * Reads the proportional memory: shared pages are divided among the processes that share them. The
 * kernel walks the page tables for it and stops the process during that, so it should not be read
 * every second. Returns false when it cannot be read.
 */
bool proc_read_proportional(pid_t pid, uint64_t *bytes);

#endif
