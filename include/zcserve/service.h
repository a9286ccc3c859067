/*
 * What all workers of a server have in common. It is made once, before they start, and then only
 * read.
 */
#ifndef ZCSERVE_SERVICE_H
#define ZCSERVE_SERVICE_H

#include "zcserve/access.h"
#include "zcserve/conn.h"
#include "zcserve/listener.h"
#include "zcserve/stats.h"
#include "zcserve/store.h"

#define SERVICE_ADDRESSES_MAX 16 /* listening addresses */

/* Options of the io_uring model; 0 or false: off. */
struct uring_options {
    uint64_t gather_ns;       /* longest time that a busy worker waits for more requests  */
    uint64_t sqpoll_ns;       /* a kernel thread takes submissions, and sleeps after this */
                              /* time without any                                         */
    uint64_t zero_copy_bytes; /* sends of at least this size are not copied               */
    uint64_t napi_ns;         /* how long a worker polls the network card before it waits */
    bool registered_files;    /* sockets are also registered in a table of the ring       */
};

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
    bool waits_for_disk;        /* event loops wait for the disk: for a lesson     */
    struct pool {
        uint32_t spare_min, spare_max; /* how many processes should be idle */
    } pool;
    struct uring_options uring;
    uint64_t drain_ns; /* longest time to finish requests when the server stops */

    struct listen_address address[SERVICE_ADDRESSES_MAX];
    uint32_t addresses;
    int backlog;
    bool listeners_shared; /* all workers accept from the same listeners           */
    int *listeners;        /* one for each worker and address, worker after worker */
    struct roster {
        _Atomic uint32_t stand_in; /* the worker that accepts in its place, or SERVICE_NO_WORKER */
                                   /* (the supervisor writes it)                                 */
        _Atomic bool busy;         /* prefork: it serves a connection (the worker writes it)     */
    } * roster;                    /* one for each worker, in memory that all processes share    */

    struct stats_slot *board;         /* one slot for each worker */
    struct access_recorder *recorder; /* NULL: no access log     */
    enum access_format log_format;
    size_t log_buffer_bytes;
    uint64_t log_interval_ns;
};

/*
 * Opens the listeners of all workers and the board of counters, so that no worker can fail to open
 * its own. Returns 0, or -1 with one line in `problem`. Port 0 is replaced by the port that the
 * kernel chose.
 */
int service_open(struct service *service, char *problem, size_t size);

/* Closes what service_open() opened, and removes the files of Unix sockets. */
void service_close(struct service *service);

/* Closes all listeners in a process that does not accept, or no longer. */
void service_listeners_leave(const struct service *service);

/* Returns the listener of one worker on one address. */
static inline int service_listener(const struct service *service, uint32_t worker, uint32_t address)
{
    return service->listeners[(size_t)worker * service->addresses + address];
}

/*
 * Every worker holds the listeners of all workers. So it can accept for a worker that is not
 * running, and no connection is reset because a listener is closed. The listeners are numbered from
 * 0.
 */
#define SERVICE_NO_WORKER UINT32_MAX
uint32_t service_listeners_count(const struct service *service);
/*
 * Returns the descriptor, or -1 when workers share this listener and it has a lower number already.
 */
int service_listener_at(const struct service *service, uint32_t number);
/* Returns its address. */
const struct listen_address *service_listener_address(const struct service *service,
                                                      uint32_t number);
/*
 * Returns whether `worker` accepts from it now: its own one, or that of a worker it stands in for.
 */
bool service_accepts(const struct service *service, uint32_t worker, uint32_t number);

#endif
