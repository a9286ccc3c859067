/*
 * What all workers of a server have in common. It is made once, before they start, and then only
 * read.
 */
#ifndef ZCSERVE_SERVICE_H
#define ZCSERVE_SERVICE_H

#include "zcserve/access.h"
#include "zcserve/confine.h"
#include "zcserve/conn.h"
#include "zcserve/listener.h"
#include "zcserve/quota.h"
#include "zcserve/stats.h"
#include "zcserve/store.h"

#define SERVICE_ADDRESSES_MAX 16 /* listening addresses */
#define SERVICE_NO_WORKER UINT32_MAX

/* A listening socket, and who accepts from it. */
struct service_listener {
    int fd;
    uint32_t address; /* its number in service.address              */
    uint32_t owner;   /* a worker; SERVICE_NO_WORKER: all of them do */
    bool given;       /* the service manager opened it, and keeps it when the server ends */
};

/* Options of the io_uring model; 0 or false: off. */
struct uring_options {
    uint64_t gather_ns;       /* longest time that a busy worker waits for more requests  */
    uint64_t sqpoll_ns;       /* a kernel thread takes submissions, and sleeps after this */
                              /* time without any                                         */
    uint64_t zero_copy_bytes; /* sends of at least this size are not copied               */
    uint64_t napi_ns;         /* how long a worker polls the network card before it waits */
    bool restricted;          /* the ring takes only the operations that a worker needs   */
    bool registered_files;    /* sockets are also registered in a table of the ring       */
};

struct guard_memory; /* guard.h */

struct service {
    struct conn_rules rules;
    struct store_options store; /* for one worker                                  */
    uint32_t workers;           /* each has a store and a slot of the board        */
    uint32_t processes;         /* the processes in which the workers run          */
    uint32_t processes_first;   /* how many of them are started at first           */
    uint32_t connections_max;   /* of one worker                                   */
    uint32_t queue_max;         /* accepted connections that may wait for a worker */
    uint32_t drain_max;         /* more of these, accepted when the server stops   */
    uint32_t fetches_max;       /* of one worker: fetches from the disk at a time  */
    uint32_t fetches_of_one;    /* of these, for one address; 0: half of them      */
    bool waits_for_disk;        /* event loops wait for the disk: for a lesson     */
    struct pool {
        uint32_t spare_min, spare_max; /* how many processes should be idle */
    } pool;
    struct uring_options uring;
    struct confinement confinement;
    struct quota_rules quota;
    struct quotas *quotas;             /* shared by all workers; NULL: no address is limited */
    struct guard_memory *guard_memory; /* shared by all workers; NULL: no rule asks for users */
    uint64_t memory_most;              /* bytes that the server needs at most: start/memory.h */
    uint64_t drain_ns;                 /* longest time to finish requests when the server stops */

    struct listen_address address[SERVICE_ADDRESSES_MAX]; /* service_open() sets the port of each */
    struct listen_address asked[SERVICE_ADDRESSES_MAX];   /* as they were before that            */
    uint32_t addresses;
    int backlog;
    bool listeners_shared;             /* all workers accept from every listener */
    struct service_listener *listener; /* all listeners, of all addresses        */
    uint32_t listeners;
    struct roster {
        _Atomic uint32_t stand_in; /* the worker that accepts in its place, or SERVICE_NO_WORKER */
                                   /* (the supervisor writes it)                                 */
        _Atomic bool busy;         /* prefork: it serves a connection (the worker writes it)     */
        _Atomic bool serves;       /* its process has opened everything (the process writes it)  */
        _Atomic bool succeeded;    /* the next generation accepts (the supervisor writes it)     */
    } * roster;                    /* one for each worker, in memory that all processes share    */

    struct stats_slot *board;         /* one slot for each worker */
    struct access_recorder *recorder; /* NULL: no access log     */
    enum access_format log_format;
    size_t log_buffer_bytes;
    uint64_t log_interval_ns;
};

/*
 * Opens the listeners and the roster, so that no worker can fail to open its own. Returns 0, or -1
 * with one line in `problem`; service_close() must follow in any case. Port 0 is replaced by the
 * port that the kernel chose.
 *
 * `before` is the service that is replaced after a reload; NULL: none. Where it has the same
 * address, its listeners are duplicated, so that the connections in their queues are kept. When
 * there are fewer of them than workers, more are opened; when there are more, a worker has several.
 * No more are opened beside a socket that shares its address with no other (it was opened by the
 * service manager, without SO_REUSEPORT): then all workers accept from it.
 */
int service_open(struct service *service, const struct service *before, char *problem, size_t size);

/*
 * Closes what service_open() opened. Removes the files of Unix sockets on which the service `after`
 * (NULL: none) does not listen, but not of those that the service manager opened.
 */
void service_close(struct service *service, const struct service *after);

/* Returns whether the service listens on the address, in the form of the configuration. */
bool service_listens_on(const struct service *service, const struct listen_address *asked);

/* Closes all listeners in a process that does not accept, or no longer. */
void service_listeners_leave(const struct service *service);

/*
 * Every worker holds all listeners. So it can accept for a worker that is not running, and no
 * connection is reset because a listener is closed. Returns whether `worker` accepts from listener
 * `number` now: it is its own one, one of all workers, or that of a worker it stands in for.
 */
bool service_accepts(const struct service *service, uint32_t worker, uint32_t number);

/*
 * Returns whether a worker that is absent now may also wait on listener `number`, from which
 * `worker` accepts: it is stopped or hangs, and a connection that only wakes it waits for ever.
 */
bool service_shares(const struct service *service, uint32_t worker, uint32_t number);

#endif
