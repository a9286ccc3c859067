/*
 * Counts the descriptors that a serving process may need, and shrinks its pools when the limit is
 * too low. Every pool is counted here, so that peers can never use up all descriptors:
 *
 *     always               what a process opens, the listeners of all workers, a store and its roots
 *     connections          connections_max of each worker; waiting ones: queue_max, drain_max
 *     files kept open      store.descriptors_max of each worker
 *     files lent beyond    store.descriptors_lent_max of each worker (at most one a connection)
 *     fetches              fetches_max of each worker, and what its threads open for them
 *
 * The pools that are missed least shrink first, and the connections last.
 */
#include "start/limits.h"

#include "zcserve/log.h"

#include <dirent.h>
#include <sys/resource.h>

#define OF_PROCESS \
    10 /* access log, its queue; epoll or the ring; signals; wake-ups; one to spare   */
#define OF_STORE \
    4 /* inotify; the file of a lookup, and two directories on the way to it          */
#define OF_THREAD \
    3 /* a fetching thread: a file, and two directories on the way to it              */
#define FETCH_THREADS 4

static uint64_t of_fetches(const struct service *service)
{
    uint64_t fetches = service->fetches_max;
    return fetches + OF_THREAD * (fetches < FETCH_THREADS ? fetches : FETCH_THREADS);
}

static uint64_t stores_in_process(const struct service *service)
{
    return service->workers / service->processes;
}

uint64_t descriptors_needed(const struct service *service, uint64_t open_at_first)
{
    uint64_t listeners = service->listeners_shared ? 1 : service->workers;
    uint64_t of_worker = OF_STORE + service->store.trees + (uint64_t)service->connections_max +
                         service->store.descriptors_max + service->store.descriptors_lent_max +
                         of_fetches(service);
    return open_at_first + OF_PROCESS + listeners * service->addresses + service->queue_max +
           service->drain_max + stores_in_process(service) * of_worker;
}

struct limit {
    struct service *service;
    uint64_t open_at_first, descriptors;
};

/* Shrinks a pool, of which the process has `times`, by what is missing, but not below `least`. */
static void shrink(const struct limit *l, uint32_t *pool, uint64_t times, uint64_t least)
{
    uint64_t needed = descriptors_needed(l->service, l->open_at_first);
    if (needed <= l->descriptors || *pool <= least) return;
    uint64_t missing = (needed - l->descriptors + times - 1) / times;
    *pool = *pool - least > missing ? *pool - (uint32_t)missing : (uint32_t)least;
}

/* Shrinks the pools to these shares of the limit. The rest is for connections. */
static void parts_shrink(const struct limit *l)
{
    struct service *service = l->service;
    uint64_t stores = stores_in_process(service), all = l->descriptors;
    uint64_t lent = all / 16 / stores;
    shrink(l, &service->store.descriptors_lent_max, stores, lent > 0 ? lent : 1);
    shrink(l, &service->drain_max, 1, all / 32);
    shrink(l, &service->queue_max, 1, all / 16 > 0 ? all / 16 : 1);
    shrink(l, &service->store.descriptors_max, stores, all / 4 / stores);
    shrink(l, &service->fetches_max, stores, all / 64 > 0 ? all / 64 : 1);
}

/* Threads share the descriptors of their process, so that fewer threads need fewer descriptors. */
static void threads_shrink(const struct limit *l)
{
    struct service *service = l->service;
    while (service->workers > 1 && descriptors_needed(service, l->open_at_first) > l->descriptors)
        service->workers--;
}

bool descriptors_share(struct service *service, uint64_t open_at_first, uint64_t descriptors)
{
    const struct limit l = {service, open_at_first, descriptors};
    struct service asked = *service;
    service->store.descriptors_lent_max = service->connections_max;
    parts_shrink(&l);
    if (service->workers > service->processes) threads_shrink(&l);
    uint64_t stores = stores_in_process(service);
    shrink(&l, &service->connections_max, stores, 1);
    shrink(&l, &service->store.descriptors_max, stores, 0);
    if (service->store.descriptors_lent_max > service->connections_max)
        service->store.descriptors_lent_max = service->connections_max;
    return service->workers < asked.workers || service->connections_max < asked.connections_max ||
           service->store.descriptors_max < asked.store.descriptors_max;
}

static uint64_t descriptors_open(void)
{
    DIR *directory = opendir("/proc/self/fd");
    uint64_t count = 0;
    if (!directory) return DESCRIPTORS_AT_FIRST;
    while (readdir(directory))
        count++;
    closedir(directory);
    return count - 3; /* ".", "..", and the directory itself */
}

void descriptors_raise(struct service *service)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) limit.rlim_max = RLIM_INFINITY;
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    if (!descriptors_share(service, descriptors_open(), limit.rlim_cur)) return;
    log_warn("only %llu descriptors may be open (RLIMIT_NOFILE), so there are %u workers, each "
             "with %u connection%s and %u cached files; raise it with ulimit -n or LimitNOFILE=",
             (unsigned long long)limit.rlim_cur, service->workers, service->connections_max,
             service->connections_max == 1 ? "" : "s", service->store.descriptors_max);
}
