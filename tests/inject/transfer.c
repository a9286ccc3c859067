/*
 * The calls that move bytes: they fail as others do, and they can be made to move less than they
 * could. Only what a kernel may really cut is cut: regular files and streams. A datagram, an event
 * and what is written to a pipe at once stay whole. close() is here too; it is made even when it
 * fails, since Linux closes even when it says that it failed.
 */
#include "board.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define FROM __builtin_return_address(0)
#define DESCRIPTORS_MAX 65536

/*
 * Pairs of sockets that keep messages whole. The kernel is not asked: the recorder, which has one, may not ask
 * it (getsockopt(2)) once it is confined.
 */
static bool keeps_messages[DESCRIPTORS_MAX];

int socketpair(int domain, int type, int protocol, int pair[2])
{
    REAL(socketpair);
    int error = board_error(CALL_socketpair, FROM);
    if (error) errno = error;
    if (error || real(domain, type, protocol, pair) != 0) return -1;
    for (int i = 0; i < 2; i++)
        if (pair[i] < DESCRIPTORS_MAX) keeps_messages[pair[i]] = (type & 0xF) != SOCK_STREAM;
    return 0;
}

int close(int fd)
{
    REAL(close);
    int error = board_error(CALL_close, FROM);
    if (fd >= 0 && fd < DESCRIPTORS_MAX) keeps_messages[fd] = false;
    int result = real(fd);
    if (error == 0) return result;
    errno = error;
    return -1;
}

static bool is_stream(int fd)
{
    return fd < DESCRIPTORS_MAX && !keeps_messages[fd];
}

/* Asks the kernel itself, so that looking is no call of the program's. errno stays. */
static bool can_be_cut(int fd)
{
    struct stat about;
    int before = errno;
    bool can = syscall(SYS_fstat, fd, &about) == 0 &&
               (S_ISREG(about.st_mode) || (S_ISSOCK(about.st_mode) && is_stream(fd)));
    errno = before;
    return can;
}

static size_t cut(int fd, size_t length, const void *from)
{
    size_t shorter = board_shorten(length, from);
    return shorter == length || can_be_cut(fd) ? shorter : length;
}

/* A call that moves up to `length` bytes from or to `fd`. */
#define WRAP_MOVES(name, fd, parameters, arguments) \
    ssize_t name parameters                         \
    {                                               \
        REAL(name);                                 \
        int error = board_error(CALL_##name, FROM); \
        if (error) {                                \
            errno = error;                          \
            return -1;                              \
        }                                           \
        length = cut(fd, length, FROM);             \
        return real arguments;                      \
    }

WRAP_MOVES(pread, fd, (int fd, void *space, size_t length, off_t offset),
           (fd, space, length, offset))
WRAP_MOVES(recv, fd, (int fd, void *space, size_t length, int flags), (fd, space, length, flags))
WRAP_MOVES(send, fd, (int fd, const void *bytes, size_t length, int flags),
           (fd, bytes, length, flags))
WRAP_MOVES(sendfile, to, (int to, int from, off_t *offset, size_t length),
           (to, from, offset, length))
WRAP_MOVES(splice, to,
           (int from, off_t *from_offset, int to, off_t *to_offset, size_t length, unsigned flags),
           (from, from_offset, to, to_offset, length, flags))

/* A datagram, which stays whole. */
ssize_t sendto(int fd, const void *bytes, size_t length, int flags, const struct sockaddr *to,
               socklen_t size)
{
    REAL(sendto);
    int error = board_error(CALL_sendto, FROM);
    if (error == 0) return real(fd, bytes, length, flags, to, size);
    errno = error;
    return -1;
}

/* An event, or another descriptor without a type of file: inotify(7), signalfd(2). */
static bool is_event(int fd)
{
    struct stat about;
    return syscall(SYS_fstat, fd, &about) == 0 && (about.st_mode & S_IFMT) == 0;
}

/* An event that is set is read: no kernel says EAGAIN then, and a ring would not tell of it again. */
ssize_t read(int fd, void *space, size_t length)
{
    REAL(read);
    int error = board_error(CALL_read, FROM);
    if (error == 0 || (error == EAGAIN && is_event(fd)))
        return real(fd, space, cut(fd, length, FROM));
    errno = error;
    return -1;
}

/* eventfd(2): what is written to an event that is far from full never fails. */
ssize_t write(int fd, const void *bytes, size_t length)
{
    REAL(write);
    int error = is_event(fd) ? 0 : board_error(CALL_write, FROM);
    if (error) {
        errno = error;
        return -1;
    }
    return real(fd, bytes, cut(fd, length, FROM));
}

/* A message of several parts is cut by leaving out all after the first, and by cutting that one. */
ssize_t sendmsg(int fd, const struct msghdr *message, int flags)
{
    REAL(sendmsg);
    int error = board_error(CALL_sendmsg, FROM);
    if (error) {
        errno = error;
        return -1;
    }
    if (message->msg_iovlen == 0) return real(fd, message, flags);
    struct iovec first = message->msg_iov[0];
    first.iov_len = cut(fd, first.iov_len, FROM);
    if (first.iov_len == message->msg_iov[0].iov_len) return real(fd, message, flags);
    struct msghdr shorter = *message;
    shorter.msg_iov = &first;
    shorter.msg_iovlen = 1;
    return real(fd, &shorter, flags);
}
