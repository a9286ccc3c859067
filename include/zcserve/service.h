/*
 * What all workers of a server have in common: made once, before they start, and then only read.
 */
#ifndef ZCSERVE_SERVICE_H
#define ZCSERVE_SERVICE_H

#include "zcserve/access.h"
#include "zcserve/conn.h"
#include "zcserve/listener.h"
#include "zcserve/stats.h"
#include "zcserve/store.h"

#define SERVICE_ADDRESSES_MAX 16 /* listening addresses */

/* What the io_uring model is asked to do; each 0 or false: not. */
struct uring_options {
    uint64_t gather_ns;       /* requests come together for so long, at most              */
    uint64_t sqpoll_ns;       /* a thread of the kernel's looks for submissions, and sleeps */
                              /* when there were none for so long                         */
    uint64_t zero_copy_bytes; /* sends of so many and more are not copied                 */
    uint64_t napi_ns;         /* who waits asks the network card itself for so long       */
    bool registered_files;    /* sockets are put into a table of the ring's               */
};

struct service {
    struct conn_rules rules;
    struct store_options store; /* the share of one worker */
    uint32_t workers;           /* each with a store and a slot of its own             */
    uint32_t processes;         /* that these are spread over                          */
    uint32_t processes_first;   /* of these, started at first                          */
    uint32_t connections_max;   /* of one worker                                       */
    uint32_t queue_max;         /* accepted connections that may wait for a worker     */
    uint32_t drain_max;         /* more of them, taken over when the server stops      */
    uint32_t fetches_max;       /* of one worker: fetches from the disk at a time      */
    struct pool {
        uint32_t spare_min, spare_max; /* processes that should be idle */
    } pool;
    struct uring_options uring;
    uint64_t drain_ns;

    struct listen_address address[SERVICE_ADDRESSES_MAX];
    uint32_t addresses;
    int backlog;
    bool listeners_shared; /* all workers accept from the same                    */
    int *listeners;        /* one for each worker and address, worker after worker */
    struct roster {
        _Atomic uint32_t
            stand_in;      /* who accepts in its place, or SERVICE_NO_WORKER: the supervisor's */
        _Atomic bool busy; /* of prefork, it serves somebody: the worker's, as long as it lives */
    } * roster;            /* one for each worker, in memory that all processes share          */

    struct stats_slot *board;
    struct access_recorder *recorder; /* NULL: no access log */
    enum access_format log_format;
    size_t log_buffer_bytes;
    uint64_t log_interval_ns;
};

/*
 * Opens the listeners of all workers, so that none of them can fail to, and the counters' board.
 * 0, or -1 with one line in `problem`. Port 0 is replaced by the port chosen.
 */
int service_open(struct service *service, char *problem, size_t size);

/* Closes what service_open() opened, and removes the files of Unix sockets. */
void service_close(struct service *service);

/* Lets go of all listeners: for a process that accepts nobody, or nobody any more. */
void service_listeners_leave(const struct service *service);

/* The listener of one worker on one address. */
static inline int service_listener(const struct service *service, uint32_t worker, uint32_t address)
{
    return service->listeners[(size_t)worker * service->addresses + address];
}

/*
 * Every worker holds the listeners of all: so it can accept from those of a worker that is not running, and
 * no connection is reset because one of them is closed. They are numbered, and the number tells:
 */
#define SERVICE_NO_WORKER UINT32_MAX
uint32_t service_listeners_count(const struct service *service);
/* the descriptor, or -1 when the listener has a lower number already, because workers share it; */
int service_listener_at(const struct service *service, uint32_t number);
/* its address; */
const struct listen_address *service_listener_address(const struct service *service,
                                                      uint32_t number);
/* whether this worker accepts from it at present: it is its own, or that of one it stands in for. */
bool service_accepts(const struct service *service, uint32_t worker, uint32_t number);

#endif
