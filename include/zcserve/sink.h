/*
 * A place that lines are written to and that must never make the writer wait: a file, a FIFO, a pipe, a
 * terminal, a socket. What it does not take at once is refused.
 *
 * Whether write(2) waits is a flag of the open file description (O_NONBLOCK, open(2)), which is shared with
 * whoever else has standard error: a shell, other programs. So it is never set on a description that is not
 * our own: what was inherited is opened a second time where that is allowed, and otherwise each write
 * says for itself that it must not wait.
 */
#ifndef ZCSERVE_SINK_H
#define ZCSERVE_SINK_H

#include <stddef.h>
#include <sys/types.h>

enum sink_kind {
    SINK_DIRECT,   /* write(2) does not wait: a description of our own, or a file  */
    SINK_PIPE,     /* a pipe whose description others share: pwritev2(2), splice(2) */
    SINK_TERMINAL, /* the same of a terminal: asked for room first, poll(2)        */
    SINK_SOCKET    /* send(2) with MSG_DONTWAIT                                    */
};

struct sink {
    int fd; /* owned, close-on-exec */
    enum sink_kind kind;
};

/*
 * Opens `path` for appending, and makes it (0640) when it is not there. A FIFO needs no reader, now or later:
 * what it has room for waits in it for the next one. "/dev/stdout" and "/dev/stderr" are the descriptors
 * themselves. 0, or -errno with *sink unchanged; -ENXIO: a FIFO without a reader that may not be read by us, or
 * the file of a socket.
 */
int sink_open(struct sink *sink, const char *path);

/* What an error of sink_open() means, in words. */
const char *sink_problem(int error);

/* The same for what the inherited descriptor `fd` leads to; `fd` stays open. 0 or -errno. */
int sink_share(struct sink *sink, int fd);

/*
 * Writes without waiting: how many bytes were taken, perhaps fewer than `length`; -EAGAIN when there is no
 * room now; or another -errno, as -EPIPE when the reader is gone and -EFBIG when the file is at its size limit.
 * Up to PIPE_BUF bytes to a pipe or FIFO are taken whole or not at all.
 * A file on a disk counts as never waiting: a disk that hangs is the one thing that holds the writer up.
 */
ssize_t sink_write(const struct sink *sink, const char *bytes, size_t length);

/*
 * Ignores the signals that writing may bring instead of an error, and that would end or stop the process: PIPE,
 * XFSZ (a file at RLIMIT_FSIZE), and TTOU (a terminal with "stty tostop" of a program in the background). What
 * is ignored stays so in children, and in programs that they become.
 */
void sink_ignore_signals(void);

#endif
