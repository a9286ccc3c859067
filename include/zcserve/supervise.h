/*
 * The supervisor: it starts the processes that serve, starts a process again when it died, passes
 * signals on, and ends when all processes have ended.
 *
 *            TERM, INT, QUIT         drain: accept no more, finish what is under way, end
 *            a second one of these   stop at once
 *            USR1                    reopen the log files
 *            HUP                     reload: the next generation of processes replaces this one
 *            USR2                    upgrade: a new program takes over, and this one drains
 *
 * To its processes it sends TERM to drain (a second TERM changes nothing), USR2 to stop at once
 * when draining took too long, KILL a second later, USR1, and URG when the set of absent processes
 * changed. The processes ignore INT, QUIT and HUP, because a terminal sends these to the whole
 * group. When the supervisor itself is killed, the kernel sends them TERM, so that no process goes
 * on to serve a configuration that nobody can change any more.
 *
 * A process that does not move is ended: one that was stopped, or that has not waited for
 * `hang_ns`, gets ABRT and a second later KILL, and is started again. Until then another one accepts
 * its connections.
 */
#ifndef ZCSERVE_SUPERVISE_H
#define ZCSERVE_SUPERVISE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/*
 * HUP makes a generation: processes with another configuration. They start beside those that serve,
 * and replace them when all of them serve.
 *
 *     NEXT ── all serve ──► NOW ── the next one serves ──► BEFORE: TERM, not started again
 *       └──── one fails, or it takes too long ──────────────►
 */
enum generation { GENERATION_NOW, GENERATION_NEXT, GENERATION_BEFORE };

/*
 * One process. When `run` begins, its process has a name ("worker 3" in the log, "zcserve:w3" in
 * ps). It ignores INT, QUIT, HUP and the signals that a write may cause (sink_ignore_signals).
 * TERM, USR1 and USR2 have their default action but are BLOCKED, so that they are neither lost nor
 * deadly before `run` can receive them. `run` unblocks them when it can (libev's ev_signal_start()
 * does so by itself), or waits for them with ppoll or signalfd.
 */
struct supervised {
    const char *name;                           /* "worker", "recorder"; for the log */
    int (*run)(const void *of, uint32_t index); /* returns the exit code             */
    const void *of;                             /* the first argument of run()       */
    uint32_t index;                             /* its number; the second argument   */
    bool last;     /* outlives the others: ends when its input ends (recorder) */
    int cpu;       /* the CPU to which it is pinned before run(), or -1        */
    bool unwanted; /* not needed now: it is not started, or gets TERM          */
    bool patient;  /* it may wait for a disk without being hung                */
    enum generation generation;

    /* The supervisor writes the rest; all are 0 at first. */
    _Atomic pid_t pid;   /* 0: not running. Other processes may read it in shared memory */
    uint8_t pushes;      /* how many of TERM, USR2 and KILL it got because it is unwanted */
    uint64_t push_ns;    /* when it gets the next one                                    */
    uint64_t started_ns; /* when it was started; monotonic                               */
    uint64_t restart_ns; /* when to start it again                                       */
    uint32_t failures;   /* ends in a row, each within a second of its start             */
    bool absent;         /* it failed and has not lived for a second since, or it is late */
    uint64_t stopped_ns; /* since when a signal has stopped it; 0: it goes on            */
    uint64_t seen_ns;    /* since when it had not waited at the last look                */
    bool late;           /* it is stopped, or has not waited for more than a second      */
    uint8_t kills;       /* how many of ABRT and KILL it got because it hung             */
    uint64_t kill_ns;    /* when it gets the next one                                    */
};

/*
 * Each function may be NULL, and gets `of`. announce(), release() and finish() are called once.
 * adjust() and absence() get the processes of the generation NOW, one after another.
 */
struct supervise_options {
    uint64_t
        drain_delay_ns;    /* from a stop that was asked for until draining begins; they serve   */
    uint64_t drain_ns;     /* draining processes are stopped after this time                     */
    uint64_t hang_ns;      /* a process that does not move for this long is ended; 0: never      */
    struct notify *notify; /* the service manager gets a sign of life; NULL: there is none       */
    bool (*begun)(const void *of); /* asked again and again until all processes serve, once     */
    void (*announce)(
        const void *of);             /* a stop was asked for; draining may begin later            */
    void (*release)(const void *of); /* draining begins; the processes have no signal yet         */
    void (*finish)(const void *of);  /* all but the `last` ended: closes the input of the last */
    /* Until a stop: sets which are `unwanted`. Returns in how many ns to call it again. */
    uint64_t (*adjust)(const void *of, struct supervised *processes, uint32_t count);
    /* A process ended, or `absent` of one changed. Called before the processes get URG. */
    void (*absence)(const void *of, const struct supervised *processes, uint32_t count);
    void (*reopen)(const void *of); /* USR1: opens log files anew, before the processes get USR1 */
    /*
     * HUP: puts the processes of the generation NEXT into unused entries of the table (`run` is
     * NULL), one after another. Returns false after it logged why not; then nothing changes. It is
     * not called while an earlier generation still ends. NULL: HUP changes nothing.
     */
    bool (*reload)(const void *of);
    bool (*serves)(const void *of);   /* returns whether all processes of NEXT serve          */
    void (*replaced)(const void *of); /* NEXT became NOW, and what was NOW gets TERM          */
    void (*failed)(const void *of);   /* NEXT could not serve, and gets TERM                  */
    /* HUP came: the reload will begin, perhaps later, and reload() be called. */
    void (*reload_asked)(const void *of);
    /* Returns since when the process has not waited for anything; monotonic. 0: it waits. */
    uint64_t (*awake_since)(const void *of, const struct supervised *process);
    void (*hung)(const void *of, const struct supervised *process); /* it will get ABRT           */
    /*
     * USR2: starts the successor, which is the supervisor of a new program. Returns its pid, or 0
     * after it logged why there is none. NULL: USR2 changes nothing. Then succeeded() is called
     * again and again, and returns whether the successor serves; if so, this supervisor drains.
     * upgrade_failed(): the successor has ended, or is killed now; `why` is half a sentence.
     */
    pid_t (*upgrade)(const void *of);
    bool (*succeeded)(const void *of);
    void (*upgrade_failed)(const void *of, const char *why);
    const void *of;
};

/*
 * supervise_prepare() blocks the signals in the caller, so that a signal during the start is not
 * lost. The caller calls it before it opens anything that must be closed in order.
 *
 * supervise() starts the processes of the table and runs until a stop was asked for and all have ended. A
 * process that died is started again: at once, or, if it lived for less than a second, after 0.1 s;
 * each such failure in a row doubles this pause, up to 10 s. Returns 0; or 1 when a process could
 * not be started at first, or when one failed five times in a row before any had served for a
 * second. A `last` process has five seconds to end after finish(), but one second when all are to
 * stop at once.
 */
void supervise_prepare(void);
int supervise(struct supervised *processes, uint32_t count,
              const struct supervise_options *options);

/* Returns how many CPUs affinity and cgroup quotas (rounded up) allow; at least 1. */
uint32_t cpu_count_usable(void);

/*
 * Returns how many CPUs the cgroup quotas allow, rounded up; 0: no limit. It only reads files:
 * `mount` is where cgroups are mounted (/sys/fs/cgroup), `membership` a file like /proc/self/cgroup.
 */
uint32_t cpu_count_quota(const char *mount, const char *membership);

/* Returns the `index`th CPU of the affinity mask, modulo their number; -1 when not readable. */
int cpu_nth_usable(uint32_t index);

#endif
