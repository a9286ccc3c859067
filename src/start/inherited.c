/*
 * What is inherited is described as a program that is replaced, so that the same code takes it over
 * as after a reload: sockets stay the same, with all connections in their queues.
 */
#include "start/inherited.h"
#include "zcserve/log.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <unistd.h>

#define SD_FIRST 3              /* SD_LISTEN_FDS_START of sd_listen_fds(3)      */
#define LISTENERS_MAX (1 << 16) /* more than 16 addresses of 1,024 workers have */

/* ---- one socket ------------------------------------------------------------------------------- */

static bool is_listener(int fd)
{
    int type = 0, listens = 0;
    socklen_t length = sizeof(type);
    if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &length) < 0 || type != SOCK_STREAM)
        return false;
    length = sizeof(listens);
    return getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &length) == 0 && listens;
}

/* Makes it as listener_open() would have made it. */
static bool listener_adopt(int fd)
{
    int on = 1, flags = fcntl(fd, F_GETFL);
    if (!is_listener(fd) || flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0) return false;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)); /* a Unix socket has none */
    return fcntl(fd, F_SETFD, FD_CLOEXEC) == 0;
}

/* Reads where the socket listens. Returns false when this is no address that `listen` can have. */
static bool address_of(int fd, struct listen_address *address)
{
    char text[LISTEN_ADDRESS_TEXT_MAX], problem[256];
    struct listen_address bound = {.length = sizeof(bound.address)};
    if (getsockname(fd, (struct sockaddr *)&bound.address, &bound.length) < 0) return false;
    listen_address_format(&bound, text, sizeof(text));
    return listen_address_parse(text, address, problem, sizeof(problem)) == 0;
}

/* ---- the listeners ---------------------------------------------------------------------------- */

static bool listener_add(struct service *service, int fd, uint32_t address, bool given)
{
    size_t size = (service->listeners + 1) * sizeof(*service->listener);
    struct service_listener *grown = realloc(service->listener, size);
    if (!grown || service->listeners == LISTENERS_MAX) return false;
    service->listener = grown;
    grown[service->listeners++] = (struct service_listener){
        .fd = fd, .address = address, .owner = SERVICE_NO_WORKER, .given = given};
    return true;
}

/* Returns the number of the address, after it was added if it is new; or SERVICE_ADDRESSES_MAX. */
static uint32_t address_number(struct service *service, const struct listen_address *asked,
                               const struct listen_address *bound)
{
    for (uint32_t i = 0; i < service->addresses; i++)
        if (listen_address_equals(&service->address[i], bound)) return i;
    if (service->addresses == SERVICE_ADDRESSES_MAX) return SERVICE_ADDRESSES_MAX;
    service->asked[service->addresses] = *asked;
    service->address[service->addresses] = *bound;
    service->address[service->addresses].every = asked->every;
    return service->addresses++;
}

/* `asked`: as the configuration of the predecessor had it; NULL: as it is bound. */
static bool listener_take(struct service *service, int fd, const struct listen_address *asked,
                          bool given)
{
    struct listen_address bound;
    if (!listener_adopt(fd) || !address_of(fd, &bound)) return false;
    uint32_t address = address_number(service, asked ? asked : &bound, &bound);
    return address < SERVICE_ADDRESSES_MAX && listener_add(service, fd, address, given);
}

static bool status_take(struct status_listener *status, int fd, const struct listen_address *asked)
{
    if (status->fd >= 0 || !listener_adopt(fd) || !address_of(fd, &status->address)) return false;
    status->asked = *asked;
    status->address.every = asked->every;
    status->fd = fd;
    return true;
}

/* ---- from the predecessor --------------------------------------------------------------------- */

static bool report_take(struct inherited *inherited, int fd)
{
    if (inherited->report || fcntl(fd, F_SETFD, FD_CLOEXEC) < 0) return false;
    inherited->report = fdopen(fd, "w");
    return inherited->report;
}

static bool descriptor_take(struct inherited *inherited, const char *kind, int fd,
                            const char *address)
{
    struct listen_address asked;
    char problem[256];
    struct program *before = &inherited->before;
    if (strcmp(kind, "report") == 0) return report_take(inherited, fd);
    if (listen_address_parse(address, &asked, problem, sizeof(problem)) != 0) return false;
    if (strcmp(kind, "status") == 0) return status_take(&before->status, fd, &asked);
    bool given = strcmp(kind, "given") == 0;
    if (!given && strcmp(kind, "listen") != 0) return false;
    return listener_take(&before->service, fd, &asked, given);
}

/* Reads one line; changes it. */
static bool line_take(struct inherited *inherited, char *line)
{
    const char *kind = strsep(&line, " ");
    char *numbers = strsep(&line, " "), *number;
    if (!numbers) return false;
    while ((number = strsep(&numbers, ",")) != NULL) {
        char *end;
        long fd = strtol(number, &end, 10);
        if (end == number || *end || fd < SD_FIRST || fd > INT32_MAX) return false;
        if (!descriptor_take(inherited, kind, (int)fd, line ? line : "")) return false;
    }
    return true;
}

static bool predecessor_take(struct inherited *inherited, const char *value, char *problem,
                             size_t size)
{
    char *lines = strdup(value), *rest = lines, *line;
    bool right = lines;
    while (right && (line = strsep(&rest, "\n")) != NULL)
        right = *line == '\0' || line_take(inherited, line);
    free(lines);
    if (!right)
        snprintf(problem, size,
                 "what " INHERITED_VARIABLE " names cannot be taken over; it is for "
                 "an upgrade alone: start the server without it");
    return right;
}

/* ---- from the service manager ----------------------------------------------------------------- */

static long number_of(const char *variable)
{
    const char *text = getenv(variable);
    char *end;
    long number = text ? strtol(text, &end, 10) : 0;
    return text && end != text && *end == '\0' ? number : 0;
}

static bool manager_take(struct inherited *inherited, char *problem, size_t size)
{
    long count = number_of("LISTEN_FDS");
    if (number_of("LISTEN_PID") != (long)getpid() || count <= 0) return true;
    for (long fd = SD_FIRST; fd < SD_FIRST + count; fd++) {
        if (count < LISTENERS_MAX && listener_take(&inherited->before.service, (int)fd, NULL, true))
            continue;
        snprintf(problem, size,
                 "descriptor %ld of LISTEN_FDS is no socket that listens for streams on an IP "
                 "address or a path, or there are more than %d addresses",
                 fd, SERVICE_ADDRESSES_MAX);
        return false;
    }
    return true;
}

/* ---- for others ------------------------------------------------------------------------------- */

void inherited_warn(const struct inherited *inherited, const struct program *now)
{
    char text[LISTEN_ADDRESS_TEXT_MAX];
    for (uint32_t i = 0; inherited && i < inherited->before.service.listeners; i++) {
        const struct service_listener *listener = &inherited->before.service.listener[i];
        if (!listener->given ||
            service_listens_on(&now->service, &inherited->before.service.asked[listener->address]))
            continue;
        listen_address_format(&inherited->before.service.address[listener->address], text,
                              sizeof(text));
        log_warn("the service manager listens on %s, which is not in listen: nobody accepts there",
                 text);
    }
}

bool inherited_take(struct inherited *inherited, char *problem, size_t size)
{
    const char *value = getenv(INHERITED_VARIABLE);
    *inherited = (struct inherited){.before.status = {.fd = -1, .alive = {-1, -1}}};
    bool right = value ? predecessor_take(inherited, value, problem, size)
                       : manager_take(inherited, problem, size);
    unsetenv(INHERITED_VARIABLE);
    unsetenv("LISTEN_FDS");
    unsetenv("LISTEN_PID");
    unsetenv("LISTEN_FDNAMES");
    return right;
}

const struct program *inherited_before(const struct inherited *inherited)
{
    const struct program *before = &inherited->before;
    return before->service.listeners > 0 || before->status.fd >= 0 ? before : NULL;
}

void inherited_close(struct inherited *inherited, const struct program *after)
{
    program_close(&inherited->before, after ? after : &inherited->before);
    if (inherited->report) fclose(inherited->report);
    inherited->report = NULL;
}

void inherited_leave(struct inherited *inherited)
{
    program_leave(&inherited->before);
    if (inherited->report) close(fileno(inherited->report));
}

/* Writes a line for each address and kind, because one for each listener could be too long. */
static void listeners_format(FILE *out, const struct service *service, uint32_t address, bool given)
{
    char text[LISTEN_ADDRESS_TEXT_MAX];
    bool any = false;
    for (uint32_t i = 0; i < service->listeners; i++) {
        const struct service_listener *listener = &service->listener[i];
        if (listener->address != address || listener->given != given) continue;
        if (any)
            fputc(',', out);
        else
            fputs(given ? "given " : "listen ", out);
        fprintf(out, "%d", listener->fd);
        any = true;
    }
    listen_address_format(&service->asked[address], text, sizeof(text));
    if (any) fprintf(out, " %s\n", text);
}

char *inherited_format(const struct program *now, int report)
{
    char *text = NULL, address[LISTEN_ADDRESS_TEXT_MAX];
    size_t length = 0;
    FILE *out = open_memstream(&text, &length);
    if (!out) return NULL;
    fprintf(out, "report %d\n", report);
    for (uint32_t i = 0; i < now->service.addresses; i++) {
        listeners_format(out, &now->service, i, false);
        listeners_format(out, &now->service, i, true);
    }
    listen_address_format(&now->status.asked, address, sizeof(address));
    if (now->status.fd >= 0) fprintf(out, "status %d %s\n", now->status.fd, address);
    if (fclose(out) == 0) return text;
    free(text);
    return NULL;
}
