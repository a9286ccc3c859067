/*
 * Opens sinks and writes to them without waiting. Each kind of file has its own way to ask for
 * that; the kind is found out once, when the sink is opened. The flags of a file description that
 * another program may share are never changed.
 */
#define _GNU_SOURCE
#include "zcserve/sink.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <termios.h>
#include <unistd.h>

#define OPEN_FLAGS (O_CLOEXEC | O_NOCTTY | O_NONBLOCK)

/* ---- opening ---------------------------------------------------------------------------------- */

/*
 * O_RDWR opens both ends of a FIFO, so that it can be opened and written without a reader
 * (fifo(7)).
 */
static int fifo_open(const char *path)
{
    int fd = open(path, O_RDWR | OPEN_FLAGS);
    return fd < 0 && errno == EACCES ? open(path, O_WRONLY | OPEN_FLAGS) : fd;
}

/*
 * Returns the descriptor that `path` stands for, or -1. These two names are not opened, because
 * open() fails when the descriptor is a socket.
 */
static int standard_of(const char *path)
{
    if (strcmp(path, "/dev/stdout") == 0) return STDOUT_FILENO;
    if (strcmp(path, "/dev/stderr") == 0) return STDERR_FILENO;
    return -1;
}

int sink_open(struct sink *sink, const char *path)
{
    struct stat file;
    int standard = standard_of(path);
    if (standard >= 0) return sink_share(sink, standard);
    bool is_fifo = stat(path, &file) == 0 && S_ISFIFO(file.st_mode);
    int fd =
        is_fifo ? fifo_open(path) : open(path, O_WRONLY | O_CREAT | O_APPEND | OPEN_FLAGS, 0640);
    if (fd < 0) return -errno;
    *sink = (struct sink){fd, SINK_DIRECT};
    return 0;
}

const char *sink_problem(int error)
{
    return error == ENXIO
               ? "nobody reads this FIFO; give this user read permission too, so that the server "
                 "can keep it open (or this is the file of a socket)"
               : strerror(error);
}

/* Opens a description of our own for the pipe or terminal of `fd`. Returns -1 when not allowed. */
static int description_open(int fd)
{
    char path[32];
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    return open(path, O_WRONLY | OPEN_FLAGS);
}

/* As description_open(). A terminal of another user can still be opened as /dev/tty. */
static int terminal_open(int fd)
{
    int own = description_open(fd);
    if (own < 0 && tcgetsid(fd) == getsid(0)) own = open("/dev/tty", O_WRONLY | OPEN_FLAGS);
    return own;
}

int sink_share(struct sink *sink, int fd)
{
    struct stat file;
    int own = -1;
    enum sink_kind shared = SINK_DIRECT;
    if (fstat(fd, &file) < 0) return -errno;
    if (S_ISFIFO(file.st_mode)) {
        shared = SINK_PIPE;
        own = description_open(fd);
    } else if (S_ISSOCK(file.st_mode)) {
        shared = SINK_SOCKET;
    } else if (S_ISCHR(file.st_mode) && isatty(fd)) {
        shared = SINK_TERMINAL;
        own = terminal_open(fd);
    }
    bool is_own = own >= 0;
    if (!is_own) own = fcntl(fd, F_DUPFD_CLOEXEC, 3);
    if (own < 0) return -errno;
    *sink = (struct sink){own, is_own ? SINK_DIRECT : shared};
    return 0;
}

/* ---- writing ---------------------------------------------------------------------------------- */

/*
 * Writes the bytes to a new pipe, and moves them from there with splice(2), which can be
 * non-blocking.
 */
static ssize_t pipe_splice(int fd, const char *bytes, size_t length)
{
    int own[2];
    if (length > PIPE_BUF)
        length = PIPE_BUF; /* one buffer of a pipe: splice(2) moves all of it or nothing */
    if (pipe2(own, O_CLOEXEC | O_NONBLOCK) < 0) return -1;
    ssize_t written = write(own[1], bytes, length);
    if (written > 0) written = splice(own[0], NULL, fd, NULL, (size_t)written, SPLICE_F_NONBLOCK);
    int error = errno;
    close(own[0]);
    close(own[1]);
    errno = error;
    return written;
}

/* Before Linux 6.4 pipes refuse RWF_NOWAIT. */
static ssize_t pipe_write(int fd, const char *bytes, size_t length)
{
    struct iovec vector = {(void *)(uintptr_t)bytes, length};
    ssize_t written = pwritev2(fd, &vector, 1, -1, RWF_NOWAIT);
    bool known = written >= 0 || (errno != EOPNOTSUPP && errno != ENOSYS && errno != EINVAL);
    return known ? written : pipe_splice(fd, bytes, length);
}

/* A terminal has no room when it is stopped (^S), or when nobody reads its other end. */
static ssize_t terminal_write(int fd, const char *bytes, size_t length)
{
    struct pollfd room = {.fd = fd, .events = POLLOUT};
    if (poll(&room, 1, 0) == 1 && (room.revents & POLLOUT)) return write(fd, bytes, length);
    errno = EAGAIN;
    return -1;
}

ssize_t sink_write(const struct sink *sink, const char *bytes, size_t length)
{
    ssize_t written = -1;
    do {
        switch (sink->kind) {
        case SINK_DIRECT: written = write(sink->fd, bytes, length); break;
        case SINK_PIPE: written = pipe_write(sink->fd, bytes, length); break;
        case SINK_TERMINAL: written = terminal_write(sink->fd, bytes, length); break;
        case SINK_SOCKET:
            written = send(sink->fd, bytes, length, MSG_DONTWAIT | MSG_NOSIGNAL);
            break;
        }
    } while (written < 0 && errno == EINTR);
    return written < 0 ? -errno : written;
}

void sink_ignore_signals(void)
{
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN);
    signal(SIGTTOU, SIG_IGN);
}
