/*
 * The status listener: a separate process that shows what the workers counted, on a separate
 * address. So it answers even when all workers are busy:
 *
 *     /metrics      Prometheus' text format        /healthz   200 as long as anything answers
 *     /status.json  everything (its schema is      /readyz    200, or 503 until the workers serve
 *                   conf/status.schema.json)                  and while the server drains
 *     /             a page for people
 *
 * It only reads what the workers write, so that it costs them nothing. It shows no secrets, but it
 * shows the path of the root and all process ids. The operator decides whether others can reach its
 * address.
 */
#ifndef ZCSERVE_STATUS_LISTENER_H
#define ZCSERVE_STATUS_LISTENER_H

#include "zcserve/listener.h"
#include "zcserve/service.h"
#include "zcserve/supervise.h"

#define STATUS_PROBLEM_MAX 512

/* What the status process learns from the supervisor, in memory that both share. */
struct status_shared {
    _Atomic bool draining;                    /* a stop was asked for                   */
    _Atomic bool begun;                       /* the workers of the first generation serve */
    _Atomic uint32_t generation;              /* which one serves; the first is 1                 */
    _Atomic uint32_t reloads;                 /* reloads that were tried and are over             */
    _Atomic uint32_t reloads_failed;          /* those that changed nothing                       */
    char problem[STATUS_PROBLEM_MAX];         /* why the last reload failed; empty: it did not    */
    _Atomic uint32_t upgrades_failed;         /* upgrades after which this program goes on        */
    char upgrade_problem[STATUS_PROBLEM_MAX]; /* why the last upgrade failed; empty: none did */
    _Atomic uint32_t slots;                   /* slots of the board that a worker may have used   */
    uint32_t count;                           /* how many processes there may be                  */
    struct supervised process[]; /* all of the server; `run` is NULL: an unused entry */
};

/* Returns shared memory for `count` processes, otherwise zeroed; or NULL with errno set. */
struct status_shared *status_shared_open(uint32_t count);
void status_shared_close(struct status_shared *shared);

/* What is shown. All of it lives longer than the status process. */
struct status_subject {
    const struct service *service;
    const struct stats_slot *board; /* of all generations: service->board is a part of it */
    const struct status_shared *shared;
    const char *version, *model, *root;
    const char *const *hosts; /* allowed host names, besides addresses and localhost; NULL: all */
    pid_t supervisor;
    const char *proc;       /* what is before "/PID" in the path of a process' figures (proc(5)) */
    double started_seconds; /* when the server started, wall clock */
    uint64_t started_ns;    /* the same, monotonic                 */
};

struct status_listener {
    struct listen_address address; /* status_listener_open() sets the port of it     */
    struct listen_address asked;   /* as it was before that                          */
    int fd;       /* the listening socket; -1: none                                          */
    int alive[2]; /* a pipe; only the supervisor keeps its second end open, and never writes */
};

/*
 * Opens the listening socket at `address`, and the pipe. When `before` (NULL: none) listens on the
 * same address, its socket is duplicated. Returns 0, or -1 with one line in `problem`.
 */
int status_listener_open(struct status_listener *status, const struct status_listener *before,
                         char *problem, size_t size);

/*
 * For the supervisor: makes the process end, and closes its descriptors. Removes the file of a Unix
 * socket, unless `after` (NULL: none) listens on it.
 */
void status_listener_close(struct status_listener *status, const struct status_listener *after);

/* For all other processes: closes the descriptors, which they do not need. */
void status_listener_leave(struct status_listener *status);

/*
 * Loads the library that it needs, before a sandbox could hide it. Returns false after it logged what
 * is missing.
 */
bool status_listener_load(void);

/*
 * Runs the status process, after status_listener_load(), until the supervisor closes the pipe or
 * has died. Returns the exit code. The process ignores TERM, which service managers send to all
 * processes, so that a draining server still shows its status.
 */
int status_listener_run(struct status_listener *status, const struct status_subject *subject);

#endif
