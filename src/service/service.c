/*
 * Opens what workers share, before they are started: every listening socket, so that a bad address
 * is an error at the start, and a worker that is started again finds its connections still queued.
 * For a TCP address each event loop gets its own socket, and the kernel spreads connections among
 * them (SO_REUSEPORT, socket(7)); roster.c decides which worker accepts for one that is not
 * running. Workers that serve one connection at a time share one socket, so that no connection
 * waits for a busy worker while another is idle. On a Unix address all workers share one socket.
 */
#include "zcserve/service.h"

#include "service/roster.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool is_shared(const struct service *service, uint32_t address)
{
    return service->listeners_shared || service->address[address].address.ss_family == AF_UNIX;
}

static int *listener_at(const struct service *service, uint32_t worker, uint32_t address)
{
    return &service->listeners[(size_t)worker * service->addresses + address];
}

static int address_open(struct service *service, uint32_t address)
{
    bool shared = is_shared(service, address);
    int error = listener_probe(&service->address[address]);
    if (error < 0) return error;
    for (uint32_t worker = 0; worker < service->workers; worker++) {
        int *fd = listener_at(service, worker, address);
        if (shared && worker > 0)
            *fd = *listener_at(service, 0, address);
        else
            *fd = listener_open(&service->address[address], !shared, service->backlog);
        if (*fd < 0) return *fd;
    }
    return 0;
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

int service_open(struct service *service, char *problem, size_t size)
{
    size_t count = (size_t)service->workers * service->addresses;
    service->board = stats_board_open(service->workers);
    service->listeners = malloc(count * sizeof(int));
    service->roster = roster_open(service->workers);
    if (!service->board || !service->listeners || !service->roster) {
        snprintf(problem, size, "not enough memory for %u workers", service->workers);
        return -1;
    }
    for (size_t i = 0; i < count; i++)
        service->listeners[i] = -1;
    for (uint32_t address = 0; address < service->addresses; address++) {
        int error = address_open(service, address);
        if (error < 0) {
            address_problem(service, address, -error, problem, size);
            return -1;
        }
    }
    return 0;
}

uint32_t service_listeners_count(const struct service *service)
{
    return service->workers * service->addresses;
}

int service_listener_at(const struct service *service, uint32_t number)
{
    bool again = number >= service->addresses && is_shared(service, number % service->addresses);
    return again ? -1 : service->listeners[number];
}

const struct listen_address *service_listener_address(const struct service *service,
                                                      uint32_t number)
{
    return &service->address[number % service->addresses];
}

bool service_accepts(const struct service *service, uint32_t worker, uint32_t number)
{
    uint32_t owner = number / service->addresses;
    if (service_listener_at(service, number) < 0) return false;
    return owner == worker || is_shared(service, number % service->addresses) ||
           atomic_load_explicit(&service->roster[owner].stand_in, memory_order_relaxed) == worker;
}

void service_listeners_leave(const struct service *service)
{
    for (uint32_t number = 0; number < service_listeners_count(service); number++) {
        int fd = service_listener_at(service, number);
        if (fd >= 0) listener_close(fd, service_listener_address(service, number), false);
    }
}

/* Removes the file of each Unix socket that service_open() opened. */
void service_close(struct service *service)
{
    for (uint32_t address = 0; address < service->addresses; address++)
        if (is_shared(service, address) && service->listeners &&
            *listener_at(service, 0, address) >= 0)
            listener_close(-1, &service->address[address], true);
    free(service->listeners);
    service->listeners = NULL;
    roster_close(service->roster, service->workers);
    stats_board_close(service->board, service->workers);
}
