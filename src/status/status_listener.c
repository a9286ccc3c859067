/*
 * The status process. Like the recorder it outlives the workers, and ends when its input ends: a
 * pipe of which only the supervisor holds the other end, so that the process also ends when the
 * supervisor is killed. It takes nothing from the workers except what they write to the board.
 */
#define _GNU_SOURCE
#include "zcserve/status_listener.h"

#include "status/answering.h"
#include "status/library.h"
#include "status/proc.h"
#include "zcserve/log.h"
#include "zcserve/signals.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define BACKLOG 512 /* connections that may wait to be accepted */

static size_t shared_bytes(uint32_t count)
{
    return sizeof(struct status_shared) + count * sizeof(struct supervised);
}

struct status_shared *status_shared_open(uint32_t count)
{
    struct status_shared *shared =
        mmap(NULL, shared_bytes(count), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED) return NULL;
    shared->count = count;
    return shared;
}

void status_shared_close(struct status_shared *shared)
{
    if (shared) munmap(shared, shared_bytes(shared->count));
}

/* ---- before and beside the process ------------------------------------------------------------ */

static void open_problem(const struct status_listener *status, int error, char *problem,
                         size_t size)
{
    char address[LISTEN_ADDRESS_TEXT_MAX];
    const char *remedy = "";
    listen_address_format(&status->address, address, sizeof(address));
    if (error == EADDRINUSE)
        remedy = "; another program listens there: stop it, or choose another port with 'status'";
    if (error == EPERM && status->address.address.ss_family == AF_UNIX)
        remedy =
            "; unix_socket.owner needs root or CAP_CHOWN, unix_socket.group must be a group of "
            "this user";
    if (error == EACCES) remedy = "; ports below 1024 need root or CAP_NET_BIND_SERVICE";
    snprintf(problem, size, "cannot show the status at %s: %s%s", address, strerror(error), remedy);
}

/* Returns the listening socket, or -errno. */
static int socket_take(struct status_listener *status, const struct status_listener *before)
{
    status->asked = status->address;
    if (!before || before->fd < 0 || !listen_address_equals(&status->asked, &before->asked))
        return listener_open(&status->address, false, BACKLOG);
    status->address = before->address;
    int fd = fcntl(before->fd, F_DUPFD_CLOEXEC, 0);
    return fd < 0 ? -errno : fd;
}

int status_listener_open(struct status_listener *status, const struct status_listener *before,
                         char *problem, size_t size)
{
    int error = 0;
    status->fd = status->alive[0] = status->alive[1] = -1;
    int fd = socket_take(status, before);
    if (fd < 0) {
        open_problem(status, -fd, problem, size);
        return -1;
    }
    status->fd = fd;
    if (pipe2(status->alive, O_CLOEXEC) == 0) return 0;
    error = errno;
    status_listener_close(status, before);
    snprintf(problem, size, "cannot show the status: %s", strerror(error));
    return -1;
}

static void close_one(int *fd)
{
    if (*fd >= 0) close(*fd);
    *fd = -1;
}

void status_listener_leave(struct status_listener *status)
{
    close_one(&status->fd);
    close_one(&status->alive[0]);
    close_one(&status->alive[1]);
}

void status_listener_close(struct status_listener *status, const struct status_listener *after)
{
    if (status->fd >= 0) {
        bool kept = after && after->fd >= 0 && listen_address_equals(&after->asked, &status->asked);
        listener_close(status->fd, &status->address, !kept);
        status->fd = -1;
    }
    status_listener_leave(status);
}

/* ---- in the process --------------------------------------------------------------------------- */

/*
 * Waits for the end, for signals and for peers. Returns false at the end. It also waits for the
 * listener directly: the library stops watching it while it has no room, and starts again only when
 * it is called.
 */
static bool wait_once(const struct status_listener *status, int signals,
                      struct answering *answering)
{
    struct pollfd input[] = {{.fd = status->alive[0], .events = POLLIN},
                             {.fd = signals, .events = POLLIN},
                             {.fd = answering_fd(answering), .events = POLLIN},
                             {.fd = status->fd, .events = POLLIN}};
    if (poll(input, 4, answering_patience_ms(answering)) < 0 && errno != EINTR) return false;
    if (input[0].revents) return false;
    signals_take(signals); /* reopens the error log for USR1; ignores the others */
    answering_turn(answering);
    return true;
}

bool status_listener_load(void)
{
    char problem[256];
    bool loaded = library_load(problem, sizeof(problem));
    if (!loaded) log_error("%s", problem);
    return loaded;
}

int status_listener_run(struct status_listener *status, const struct status_subject *subject)
{
    int signals = signals_open();
    close_one(&status->alive[1]); /* else this process would never see the end */
    proc_at(subject->proc);
    struct answering *answering = answering_open(status->fd, subject);
    if (!answering || signals < 0) {
        log_error("cannot show the status: %s", strerror(errno));
        return EXIT_FAILURE;
    }
    if (!confine_calls(&subject->service->confinement, CONFINE_STATUS)) return EXIT_FAILURE;
    while (wait_once(status, signals, answering))
        continue;
    answering_close(answering);
    close(signals);
    return EXIT_SUCCESS;
}
