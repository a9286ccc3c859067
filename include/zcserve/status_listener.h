/*
 * "What is shown to whoever asks?" A process of its own answers on an address of its own with what the
 * workers counted, so that it answers when all of them are busy:
 *
 *     /metrics      Prometheus' text format        /healthz   200 as long as anything answers
 *     /status.json  everything (its schema is      /readyz    200, or 503 while the server drains
 *                   conf/status.schema.json)       /          a page for people
 *
 * It only reads what the workers write, so it costs them nothing. Nothing secret is shown, but whoever
 * gets there learns the root's path and all process ids: an address that others reach is the
 * operator's choice.
 */
#ifndef ZCSERVE_STATUS_LISTENER_H
#define ZCSERVE_STATUS_LISTENER_H

#include "zcserve/listener.h"
#include "zcserve/service.h"
#include "zcserve/supervise.h"

/* What the supervisor tells the process, in memory that both share. */
struct status_shared {
    _Atomic bool draining;
    uint32_t count;
    struct supervised process[];
};

/* Zeroed, with room for `count` processes. NULL with errno set. */
struct status_shared *status_shared_open(uint32_t count);
void status_shared_close(struct status_shared *shared);

/* What is shown; all of it outlives the process. */
struct status_subject {
    const struct service *service;
    const struct status_shared *shared;
    const char *version, *model, *root;
    const char *const
        *hosts; /* names it is told under, besides addresses and localhost; NULL: all */
    pid_t supervisor;
    double started_seconds; /* wall clock */
    uint64_t started_ns;    /* monotonic  */
};

struct status_listener {
    struct listen_address address;
    int fd;       /* -1: there is none                                                    */
    int alive[2]; /* a pipe; only the supervisor keeps its second end, and writes nothing */
};

/* Opens what the process needs at `address`, as a listener: 0, or -1 with one line in `problem`. */
int status_listener_open(struct status_listener *status, char *problem, size_t size);

/* In the supervisor: the process is to end. And its descriptors are closed, and a Unix socket's file. */
void status_listener_close(struct status_listener *status);

/* In all other processes: they have nothing to do with it. */
void status_listener_leave(struct status_listener *status);

/*
 * What the process does, until the supervisor closes or has died. It ignores TERM, which service
 * managers send to all at once: a server that drains can still be looked at. The exit code.
 */
int status_listener_run(struct status_listener *status, const struct status_subject *subject);

#endif
