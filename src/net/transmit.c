/*
 * Sends bytes of memory or of a file to a socket, or receives bytes from it, each with one system call.
 * Every function returns a number of bytes or -errno, as an io_uring completion has it.
 * Nothing here loops until all bytes are sent: the model decides whether and how to wait.
 */
#define _GNU_SOURCE
#include "zcserve/transmit.h"

#include <assert.h>
#include <errno.h>
#include <sys/sendfile.h>
#include <sys/socket.h>

static ssize_t transmit_memory(int fd, const struct outgoing *out)
{
    int flags = MSG_NOSIGNAL | (out->more ? MSG_MORE : 0);

    /* One vector needs no msghdr, so the kernel has less to copy and to check. */
    if (out->count == 1) return send(fd, out->vector[0].iov_base, out->vector[0].iov_len, flags);
    /* msghdr has no const, because recvmsg() uses it too; sendmsg() does not write through it. */
    struct msghdr message = {.msg_iov = (struct iovec *)(uintptr_t)out->vector,
                             .msg_iovlen = (size_t)out->count};
    return sendmsg(fd, &message, flags);
}

/* Returns bytes sent, or -1 with errno set. When the file has ended, errno is ENODATA. */
static ssize_t transmit_file(int fd, const struct outgoing *out, uint64_t budget)
{
    off_t offset = (off_t)out->offset;
    uint64_t length = out->length < budget ? out->length : budget;
    ssize_t result = sendfile(fd, out->fd, &offset, length);

    if (result == 0) {
        errno = ENODATA;
        return -1;
    }
    return result;
}

ssize_t transmit(int fd, const struct outgoing *out, uint64_t budget)
{
    ssize_t result = 0;

    assert(out->length > 0 && budget > 0 && (out->count > 0) == (out->fd < 0));
    do {
        result = out->count > 0 ? transmit_memory(fd, out) : transmit_file(fd, out, budget);
    } while (result < 0 && errno == EINTR);
    return result < 0 ? -errno : result;
}

ssize_t transmit_receive(int fd, void *space, size_t size)
{
    ssize_t result = 0;

    assert(size > 0);
    do {
        result = recv(fd, space, size, 0);
    } while (result < 0 && errno == EINTR);
    return result < 0 ? -errno : result;
}
