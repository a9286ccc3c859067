/*
 * A message with a descriptor waits in the socket until the next one replaces it. A process that looks
 * just between the two finds none, and gets another USR1, because that is sent after giving.
 */
#define _GNU_SOURCE
#include "base/handover.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

union control { /* aligned as a cmsghdr must be */
    struct cmsghdr header;
    char space[CMSG_SPACE(sizeof(int))];
};

int handover_open(struct handover *handover)
{
    int pair[2];
    *handover = HANDOVER_CLOSED;
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) != 0)
        return -errno;
    *handover = (struct handover){pair[0], pair[1]};
    return 0;
}

void handover_close(struct handover *handover)
{
    if (handover->giver >= 0) close(handover->giver);
    if (handover->taker >= 0) close(handover->taker);
    *handover = HANDOVER_CLOSED;
}

/* Receives one message. Returns its descriptor, or -errno. */
static int receive(const struct handover *handover, int flags)
{
    char byte;
    union control control;
    struct iovec vector = {&byte, 1};
    struct msghdr message = {.msg_iov = &vector,
                             .msg_iovlen = 1,
                             .msg_control = &control,
                             .msg_controllen = sizeof(control)};
    ssize_t result = recvmsg(handover->taker, &message, flags | MSG_CMSG_CLOEXEC);
    if (result < 0) return -errno;
    const struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    int fd = -1;
    if (!header || header->cmsg_type != SCM_RIGHTS) return -EAGAIN;
    memcpy(&fd, CMSG_DATA(header), sizeof(fd));
    return fd;
}

int handover_take(const struct handover *handover)
{
    return receive(handover, MSG_PEEK);
}

int handover_give(const struct handover *handover, int fd)
{
    char byte = 0;
    union control control = {.header = {.cmsg_len = CMSG_LEN(sizeof(int)),
                                        .cmsg_level = SOL_SOCKET,
                                        .cmsg_type = SCM_RIGHTS}};
    struct iovec vector = {&byte, 1};
    struct msghdr message = {.msg_iov = &vector,
                             .msg_iovlen = 1,
                             .msg_control = &control,
                             .msg_controllen = sizeof(control)};
    int before;
    while ((before = receive(handover, 0)) >= 0)
        close(before);
    memcpy(CMSG_DATA(&control.header), &fd, sizeof(fd));
    return sendmsg(handover->giver, &message, MSG_NOSIGNAL) == 1 ? 0 : -errno;
}
