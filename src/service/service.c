/*
 * Opens what workers share, before they are started: every listening socket, so that a bad address
 * is an error at the start, and a worker that is started again finds its connections still queued.
 * For a TCP address each event loop gets its own socket, and the kernel spreads connections among
 * them (SO_REUSEPORT, socket(7)); roster.c decides which worker accepts for one that is not
 * running. Workers that serve one connection at a time share one socket, so that no connection
 * waits for a busy worker while another is idle. On a Unix address all workers share one socket.
 */
#include "zcserve/service.h"
#include "zcserve/guard.h"

#include "service/roster.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Returns whether all workers accept from the same listeners of this address. */
static bool is_shared(const struct service *service, uint32_t address)
{
    return service->listeners_shared || service->asked[address].address.ss_family == AF_UNIX;
}

static void listener_add(struct service *service, int fd, uint32_t address, bool given)
{
    service->listener[service->listeners++] = (struct service_listener){
        .fd = fd, .address = address, .owner = SERVICE_NO_WORKER, .given = given};
}

/* ---- taking over ------------------------------------------------------------------------------ */

/* Port 0 is the same as port 0; and the port that the kernel chose for it stays the same, too. */
static bool is_address_of(const struct service *before, uint32_t number,
                          const struct listen_address *asked)
{
    return listen_address_equals(&before->asked[number], asked) ||
           listen_address_equals(&before->address[number], asked);
}

bool service_listens_on(const struct service *service, const struct listen_address *asked)
{
    for (uint32_t i = 0; service && i < service->addresses; i++)
        if (is_address_of(service, i, asked)) return true;
    return false;
}

/* Returns whether an address before this one took the listeners of `opened` already. */
static bool is_taken(const struct service *service, uint32_t address,
                     const struct listen_address *opened)
{
    for (uint32_t i = 0; i < address; i++)
        if (listen_address_equals(&service->address[i], opened)) return true;
    return false;
}

/* Returns the number of the same address in `before`, or the number of its addresses: none. */
static uint32_t address_before(const struct service *service, uint32_t address,
                               const struct service *before)
{
    uint32_t i = 0;
    while (i < before->addresses && (!is_address_of(before, i, &service->asked[address]) ||
                                     is_taken(service, address, &before->address[i])))
        i++;
    return i;
}

/* Duplicates the listeners of this address. Returns how many there were, or -errno. */
static int address_take(struct service *service, uint32_t address, const struct service *before)
{
    int taken = 0;
    uint32_t from = before ? address_before(service, address, before) : 0;
    if (!before || from == before->addresses) return 0;
    service->address[address] = before->address[from];
    service->address[address].proxy = service->asked[address].proxy;
    for (uint32_t i = 0; i < before->listeners; i++) {
        if (before->listener[i].address != from) continue;
        int fd = fcntl(before->listener[i].fd, F_DUPFD_CLOEXEC, 0);
        if (fd < 0) return -errno;
        listener_add(service, fd, address, before->listener[i].given);
        taken++;
    }
    return taken;
}

/* ---- opening ---------------------------------------------------------------------------------- */

/* Divides the listeners of this address, from number `first` on, among the workers. */
static void owners_set(struct service *service, uint32_t first)
{
    for (uint32_t i = first; i < service->listeners; i++)
        service->listener[i].owner = (i - first) % service->workers;
}

/*
 * A listener that all workers share may get others beside it after a reload, so that it is opened
 * as one of several, too (SO_REUSEPORT).
 */
static int address_open(struct service *service, uint32_t address, const struct service *before)
{
    uint32_t first = service->listeners;
    int taken = address_take(service, address, before);
    bool shared = is_shared(service, address) ||
                  (taken > 0 && !listener_is_sharable(service->listener[first].fd));
    uint32_t wanted = shared ? 1 : service->workers;
    int error = taken == 0 ? listener_probe(&service->address[address]) : taken;
    for (uint32_t have = (uint32_t)taken; error >= 0 && have < wanted; have++) {
        int fd = listener_open(&service->address[address], true, service->backlog);
        if (fd < 0) return fd;
        listener_add(service, fd, address, false);
    }
    if (!shared) owners_set(service, first);
    return error;
}

static void address_problem(const struct service *service, uint32_t address, int error,
                            char *problem, size_t size)
{
    char text[LISTEN_ADDRESS_TEXT_MAX];
    listen_address_format(&service->address[address], text, sizeof(text));
    const char *remedy = "";
    if (error == EADDRINUSE)
        remedy = "; another program listens there: stop it, or choose another port with -p";
    if (error == EPERM && service->address[address].address.ss_family == AF_UNIX)
        remedy =
            "; unix_socket.owner needs root or CAP_CHOWN, unix_socket.group must be a group of "
            "this user";
    if (error == EACCES) remedy = "; ports below 1024 need root or CAP_NET_BIND_SERVICE";
    snprintf(problem, size, "cannot listen on %s: %s%s", text, strerror(error), remedy);
}

/* A reload begins to count anew: the connections of before are counted where they began. */
static bool quotas_take(struct service *service)
{
    const struct quota_rules *rules = &service->quota;
    service->quotas = NULL;
    if (rules->addresses == 0) return true;
    service->quotas =
        quotas_open(rules, service->workers, service->connections_max, service->rules.seed);
    return service->quotas != NULL;
}

/* A reload makes a new one: pairs that were right may be wrong now. */
static bool guard_memory_take(struct service *service)
{
    const struct sites *sites = service->rules.sites;
    bool asks = sites && sites->by_user;
    service->guard_memory = asks ? guard_memory_open() : NULL;
    return service->guard_memory || !asks;
}

static bool memory_take(struct service *service, const struct service *before)
{
    size_t taken = before ? before->listeners : 0;
    size_t most = taken + (size_t)service->workers * service->addresses;
    memcpy(service->asked, service->address, sizeof(service->asked));
    service->listeners = 0;
    service->listener = calloc(most, sizeof(*service->listener));
    service->roster = roster_open(service->workers);
    return service->listener && service->roster && quotas_take(service) &&
           guard_memory_take(service);
}

int service_open(struct service *service, const struct service *before, char *problem, size_t size)
{
    if (!memory_take(service, before)) {
        snprintf(problem, size, "not enough memory for %u workers", service->workers);
        return -1;
    }
    for (uint32_t address = 0; address < service->addresses; address++) {
        int error = address_open(service, address, before);
        if (error < 0) {
            address_problem(service, address, -error, problem, size);
            return -1;
        }
    }
    return 0;
}

bool service_accepts(const struct service *service, uint32_t worker, uint32_t number)
{
    uint32_t owner = service->listener[number].owner;
    return owner == worker || owner == SERVICE_NO_WORKER ||
           atomic_load_explicit(&service->roster[owner].stand_in, memory_order_relaxed) == worker;
}

static bool any_absent(const struct service *service)
{
    for (uint32_t i = 0; i < service->workers; i++)
        if (atomic_load_explicit(&service->roster[i].stand_in, memory_order_relaxed) !=
            SERVICE_NO_WORKER)
            return true;
    return false;
}

bool service_shares(const struct service *service, uint32_t worker, uint32_t number)
{
    uint32_t owner = service->listener[number].owner;
    return owner == SERVICE_NO_WORKER ? any_absent(service) : owner != worker;
}

void service_listeners_leave(const struct service *service)
{
    for (uint32_t i = 0; i < service->listeners; i++) {
        struct service_listener *listener = &service->listener[i];
        if (listener->fd >= 0)
            listener_close(listener->fd, &service->address[listener->address], false);
        listener->fd = -1;
    }
}

void service_close(struct service *service, const struct service *after)
{
    for (uint32_t i = 0; i < service->listeners; i++) {
        struct service_listener *listener = &service->listener[i];
        bool remove =
            !listener->given && !service_listens_on(after, &service->asked[listener->address]);
        listener_close(listener->fd, &service->address[listener->address], remove);
    }
    free(service->listener);
    service->listener = NULL;
    service->listeners = 0;
    roster_close(service->roster, service->workers);
    service->roster = NULL;
    quotas_close(service->quotas);
    service->quotas = NULL;
    guard_memory_close(service->guard_memory);
    service->guard_memory = NULL;
}
