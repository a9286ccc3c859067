/*
 * The kernel's side of one socket: the calls that a driver makes for it, defined by the target
 * that includes this file (a program's own functions come before those of its libraries). What
 * each call gives is a choice of the input. Calls for other descriptors are the kernel's own.
 */
#include "whole_connection.c"

#include <stdarg.h>
#include <sys/ioctl.h>
#include <sys/sendfile.h>
#include <sys/uio.h>

#define CALLS_MAX 200000

static struct simulated_socket {
    int fd;         /* -1: there is none                        */
    bool waits;     /* calls wait for a tick; else it is the loop that waits */
    bool told;      /* of an error: nothing may be sent any more */
    bool shut;      /* its sending side                         */
    bool shrunk;    /* the files that are sent became shorter   */
    unsigned calls; /* a driver that makes too many never ends  */
} sock = {.fd = -1};

static void socket_begin(bool waits)
{
    sock = (struct simulated_socket){.fd = open("/dev/null", O_RDWR | O_CLOEXEC), .waits = waits};
    holds(sock.fd >= 0);
}

static ssize_t failed(int error)
{
    errno = error;
    return -1;
}

static ssize_t failed_for_good(int error)
{
    sock.told = broken = true;
    return failed(error);
}

static ssize_t would_block(void)
{
    if (sock.waits) time_passes();
    return failed(EAGAIN);
}

static void call_count(int fd)
{
    holds(fd == sock.fd && ++sock.calls < CALLS_MAX);
}

/* ---- receiving ------------------------------------------------------------------------------- */

static ssize_t peer_finishes(void)
{
    seen.finished = true;
    return 0;
}

/* Gives all that fits, or few bytes. The peer finishes when it has no more. */
static ssize_t bytes_take(void *space, size_t size, size_t most)
{
    size_t left = seen.length - seen.taken;
    if (left == 0) return peer_finishes();
    if (size > left) size = left;
    if (size > most) size = most;
    memcpy(space, seen.bytes + seen.taken, size);
    seen.taken += size;
    return (ssize_t)size;
}

ssize_t recv(int fd, void *space, size_t size, int flags)
{
    (void)flags;
    call_count(fd);
    if (seen.finished) return 0;
    uint32_t choice = choose(64);
    switch (choice) {
    case 1: return failed(EINTR);
    case 2: return would_block();
    case 3: return failed_for_good(ECONNRESET);
    case 4: return failed_for_good(ETIMEDOUT);
    case 5: return peer_finishes();
    case 6: return failed_for_good(ENOMEM);
    default: return bytes_take(space, size, choice > 6 && choice < 24 ? choice - 6 : SIZE_MAX);
    }
}

/* ---- sending --------------------------------------------------------------------------------- */

/* Returns how many of `length` bytes the socket takes, or -1 and sets errno. */
static ssize_t room(size_t length)
{
    holds(!sock.told && !sock.shut && length > 0);
    uint32_t choice = choose(64);
    switch (choice) {
    case 1: return failed(EINTR);
    case 2: return would_block();
    case 3: return failed_for_good(EPIPE);
    case 4: return failed_for_good(ECONNRESET);
    case 5: return failed_for_good(ENOBUFS);
    case 6: sock.shrunk = true; break;
    case 7: time_passes(); break;
    default: break;
    }
    size_t most = choice < 8 || choice > 32 ? length : choice < 24 ? choice - 7 : choice * 16;
    return (ssize_t)(most < length ? most : length);
}

ssize_t sendmsg(int fd, const struct msghdr *message, int flags)
{
    size_t length = 0;
    (void)flags;
    call_count(fd);
    for (size_t i = 0; i < message->msg_iovlen; i++)
        length += message->msg_iov[i].iov_len;
    ssize_t taken = room(length);
    size_t left = taken > 0 ? (size_t)taken : 0;
    for (size_t i = 0; i < message->msg_iovlen && left > 0; i++) {
        const struct iovec *part = &message->msg_iov[i];
        size_t most = part->iov_len < left ? part->iov_len : left;
        traffic_send(&seen, part->iov_base, most);
        left -= most;
    }
    return taken;
}

ssize_t send(int fd, const void *bytes, size_t length, int flags)
{
    call_count(fd);
    (void)flags;
    ssize_t taken = room(length);
    if (taken > 0) traffic_send(&seen, bytes, (size_t)taken);
    return taken;
}

ssize_t sendfile(int fd, int file, off_t *offset, size_t length)
{
    call_count(fd);
    ssize_t taken = room(length);
    if (taken < 0) return taken;
    broken |= sock.shrunk;
    if (sock.shrunk) return 0;
    taken = (ssize_t)traffic_send_file(&seen, file, (uint64_t)*offset, (size_t)taken);
    *offset += taken;
    return taken;
}

/* ---- the others ------------------------------------------------------------------------------ */

int shutdown(int fd, int how)
{
    call_count(fd);
    holds(how == SHUT_WR && !sock.shut);
    sock.shut = true;
    return 0;
}

int setsockopt(int fd, int level, int name, const void *value, socklen_t length)
{
    (void)level, (void)name, (void)value, (void)length;
    call_count(fd);
    return 0;
}

/* SIOCOUTQ: how many bytes the peer has not acknowledged yet. */
int ioctl(int fd, unsigned long request, ...)
{
    va_list arguments;
    va_start(arguments, request);
    int *value = va_arg(arguments, int *);
    va_end(arguments);
    if (fd != sock.fd) return (int)syscall(SYS_ioctl, fd, request, value);
    call_count(fd);
    *value = (int)(seen.sent_length * choose(8) / 8);
    return 0;
}

int close(int fd)
{
    if (fd >= 0 && fd == sock.fd) sock.fd = -1;
    return (int)syscall(SYS_close, fd);
}
