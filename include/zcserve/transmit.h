/*
 * Moves bytes between a socket and memory or a file. No HTTP here.
 */
#ifndef ZCSERVE_TRANSMIT_H
#define ZCSERVE_TRANSMIT_H

#include "zcserve/segment.h"

#include <stdbool.h>

#include <sys/types.h>

/*
 * Sends as much of `out` as one call takes: memory with one send or sendmsg, a file range with one
 * sendfile of at most `budget` bytes (above 0; memory is not cut by it). Bytes taken (above 0) or
 * -errno. -EAGAIN: a non-blocking socket is full, or a blocking one's time ran out. -ENODATA: the file
 * ended before the range did. -EPIPE, -ECONNRESET: the peer is gone. -EINTR is tried again here.
 * sendfile(2) has no MSG_NOSIGNAL: the caller's process must ignore SIGPIPE (supervise() sees to it).
 */
ssize_t transmit(int fd, const struct outgoing *out, uint64_t budget);

/*
 * Between on and off, only whole segments leave (TCP_CORK of tcp(7); without effect on other sockets). What
 * sendfile hands over comes in pieces of 64 KiB, which are no whole number of segments: each would leave
 * a small one behind, and cost nearly twice the packets.
 */
void transmit_cork(int fd, bool on);

/* Receives at most `size` bytes: bytes, 0 when the peer finished, or -errno. -EINTR tried again. */
ssize_t transmit_receive(int fd, void *space, size_t size);

#endif
