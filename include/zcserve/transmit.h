/*
 * Moves bytes between a socket and memory or a file. It knows nothing of HTTP.
 */
#ifndef ZCSERVE_TRANSMIT_H
#define ZCSERVE_TRANSMIT_H

#include "zcserve/segment.h"

#include <stdbool.h>

#include <sys/types.h>

/*
 * Sends as much of `out` as one call takes: memory with one send or sendmsg, a file range with one
 * sendfile of at most `budget` bytes (above 0; it does not limit memory). Returns the bytes taken (above 0),
 * or -errno:
 *
 *     -EAGAIN               a non-blocking socket is full, or the time of a blocking one is over
 *     -ENODATA              the file ended before the range did
 *     -EPIPE, -ECONNRESET   the peer is gone
 *
 * -EINTR is tried again here. sendfile(2) has no MSG_NOSIGNAL, so the process must ignore SIGPIPE
 * (supervise() does that).
 */
ssize_t transmit(int fd, const struct outgoing *out, uint64_t budget);

/* Receives at most `size` bytes. Returns bytes, 0 when the peer has finished, or -errno. -EINTR is tried again. */
ssize_t transmit_receive(int fd, void *space, size_t size);

#endif
