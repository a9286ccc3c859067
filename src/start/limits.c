/*
 * How many descriptors there may be, and who has to do with fewer when that is not enough: first the
 * files kept open, then connections.
 */
#include "start/program.h"
#include "zcserve/log.h"

#include <sys/resource.h>

#define DESCRIPTORS_SPARE 24 /* of a worker: logs, epoll, inotify, a file being read */

/* What a thread needs: its store's root and watches, a connection, a file being read, two kept open. */
#define DESCRIPTORS_OF_THREAD 6

/* Threads share the descriptors of their process, and so does their queue. */
static void threads_fit(struct service *service, uint64_t descriptors)
{
    uint64_t own = DESCRIPTORS_SPARE + service->addresses + 1;
    uint64_t left = descriptors > own ? descriptors - own : 0;
    uint64_t threads = left / DESCRIPTORS_OF_THREAD;
    if (threads < service->workers) service->workers = threads > 0 ? (uint32_t)threads : 1;
    uint64_t room = left + 1 - service->workers * DESCRIPTORS_OF_THREAD;
    if (room < service->queue_max) service->queue_max = room > 0 ? (uint32_t)room : 1;
}

void descriptors_raise(struct service *service)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    if (service->workers > service->processes) threads_fit(service, limit.rlim_cur);
    uint64_t stores = service->workers / service->processes; /* in one process */
    uint64_t own = DESCRIPTORS_SPARE + service->addresses + service->queue_max + 2 * stores;
    uint64_t others = own + stores * service->store.descriptors_max;
    uint64_t connections = stores * service->connections_max;
    if (limit.rlim_cur == RLIM_INFINITY || limit.rlim_cur >= others + connections) return;
    uint64_t files_max =
        limit.rlim_cur / 4 / stores; /* these give way, connections are the point */
    if (service->store.descriptors_max > files_max)
        service->store.descriptors_max = (uint32_t)files_max;
    others = own + stores * service->store.descriptors_max;
    uint64_t left = limit.rlim_cur > others + 1 ? limit.rlim_cur - others : 1;
    if (left < service->connections_max) service->connections_max = (uint32_t)left;
    log_warn("only %llu descriptors may be open (RLIMIT_NOFILE): %u of who serves, each with %u "
             "connection%s and %u cached files; raise it with ulimit -n or LimitNOFILE=",
             (unsigned long long)limit.rlim_cur, service->workers, service->connections_max,
             service->connections_max == 1 ? "" : "s", service->store.descriptors_max);
}
