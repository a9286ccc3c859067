/*
 * The supervisor: starts the processes that serve, starts one again that died, passes signals
 * on, and ends when all have ended.
 *
 *            TERM, INT, QUIT         drain: accept no more, finish what is under way, end
 *            a second one of these   stop at once
 *            USR1                    reopen the log files
 *            HUP                     nothing yet but a line in the log
 *
 * To its processes it sends TERM for "drain" (again does nothing more), USR2 for "stop at once" when
 * that took too long, KILL a second later, USR1, and URG ("look who is absent"). They ignore INT, QUIT and HUP, which a terminal
 * sends to the whole group. When the supervisor itself is killed they get TERM from the kernel.
 */
#ifndef ZCSERVE_SUPERVISE_H
#define ZCSERVE_SUPERVISE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/*
 * `run` begins with its process named ("worker 3" in the log, "zcserve:w3" in ps), INT, QUIT, HUP and
 * what writing may bring (sink_ignore_signals) ignored, and TERM, USR1 and USR2 with their default action but BLOCKED, so that none of them is
 * lost or deadly before there is something to receive it: `run` unblocks them when there is (libev's
 * ev_signal_start does so by itself) or waits with ppoll or signalfd.
 */
struct supervised {
    const char *name;                           /* "worker", "recorder"; for the log              */
    int (*run)(const void *of, uint32_t index); /* gives the exit code  */
    const void *of;
    uint32_t index;
    bool last;     /* outlives the others: ends when its input does (recorder) */
    int cpu;       /* pinned to this CPU before it runs, or -1                 */
    bool unwanted; /* left out at present: not started, or told to end (TERM) */

    /* the supervisor's own, 0 at first */
    _Atomic pid_t pid;   /* 0: not running. Others may read it, where this is shared memory */
    bool told;           /* to end, being unwanted   */
    uint64_t started_ns; /* monotonic                */
    uint64_t restart_ns; /* when to start it again   */
    uint32_t failures;   /* in a row, each within a second of its start */
    bool absent;         /* failed, and has not lived for a second since */
};

/* Each function may be NULL. release() and finish() are called once. */
struct supervise_options {
    uint64_t drain_ns;               /* a draining process is stopped after this long          */
    void (*release)(const void *of); /* draining begins; the processes are not told yet        */
    void (*finish)(const void *of);  /* all but the `last` ended: closes what those read       */
    /* While nobody asked for a stop: sets which processes are unwanted; when to ask again, in ns. */
    uint64_t (*adjust)(const void *of, struct supervised *processes, uint32_t count);
    /* A process ended, another is absent, or one is no longer: told before the processes get URG. */
    void (*absence)(const void *of, const struct supervised *processes, uint32_t count);
    const void *of;
};

/*
 * supervise_prepare() blocks the signals in the caller, so that one that comes during the start is
 * not lost; it is to be called before anything is opened that must be closed in order.
 *
 * supervise() starts the processes and runs until all have ended after a stop was asked for. One that
 * died is started again: at once, or when it lived for less than a second after 0.1 s, doubling with
 * each such failure to 10 s. 0; or 1 when a process could not be started at first, or one failed so
 * five times in a row before any had served for a second. A `last` process has five seconds to end
 * after finish(), but one second when all are to stop at once.
 */
void supervise_prepare(void);
int supervise(struct supervised *processes, uint32_t count,
              const struct supervise_options *options);

/* CPUs this process may use: affinity, then the cgroups' quotas (rounded up), at least 1. */
uint32_t cpu_count_usable(void);

/*
 * The CPUs that cgroup quotas leave, rounded up; 0 when there is no limit. Pure but for reading files:
 * `mount` is where cgroups are mounted (/sys/fs/cgroup), `membership` a file like /proc/self/cgroup.
 */
uint32_t cpu_count_quota(const char *mount, const char *membership);

/* The `index`th CPU of the affinity mask, wrapping around; -1 when it cannot be read. */
int cpu_nth_usable(uint32_t index);

#endif
