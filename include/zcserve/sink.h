/*
 * A sink is what lines are written to without ever waiting: a file, a FIFO, a pipe, a terminal, a
 * socket. Bytes that it does not take at once are refused.
 *
 * O_NONBLOCK is a flag of the open file description (open(2)). Standard error shares its
 * description with other programs, as with the shell, so this flag is never set on an inherited
 * description. Instead, an inherited pipe or terminal is opened a second time where that is
 * allowed. Otherwise each write is made in a way that does not wait.
 */
#ifndef ZCSERVE_SINK_H
#define ZCSERVE_SINK_H

#include <stddef.h>
#include <sys/types.h>

enum sink_kind {
    SINK_DIRECT,   /* a description of our own, or a file: write(2) does not wait            */
    SINK_PIPE,     /* a pipe with a shared description: pwritev2(2) or splice(2)             */
    SINK_TERMINAL, /* a terminal with a shared description: poll(2) for room, then write(2)  */
    SINK_SOCKET    /* a socket: send(2) with MSG_DONTWAIT                                    */
};

struct sink {
    int fd; /* owned, close-on-exec */
    enum sink_kind kind;
};

/*
 * Opens `path` for appending, and creates it with mode 0640 when it does not exist. A FIFO needs no
 * reader: bytes stay in it, as long as it has room, for the next reader. "/dev/stdout" and
 * "/dev/stderr" mean descriptors 1 and 2. Returns 0, or -errno with *sink unchanged. -ENXIO means
 * that this is a FIFO that has no reader and that this user may not read, or the file of a socket.
 */
int sink_open(struct sink *sink, const char *path);

/* Returns what an error of sink_open(), as errno has it, means in words. */
const char *sink_problem(int error);

/*
 * Opens a sink that writes where the inherited descriptor `fd` writes. `fd` stays open, and stays
 * the caller's. Returns 0, or -errno with *sink unchanged.
 */
int sink_share(struct sink *sink, int fd);

/*
 * Writes without waiting. Returns how many bytes were taken, which may be fewer than `length`;
 * -EAGAIN when there is no room now; or another -errno, such as -EPIPE when the reader is gone and
 * -EFBIG when the file has reached its size limit. A pipe or FIFO takes up to PIPE_BUF bytes whole
 * or not at all. Only a file on a disk that hangs can make the writer wait.
 */
ssize_t sink_write(const struct sink *sink, const char *bytes, size_t length);

/*
 * Ignores the signals that a write may cause and that would end or stop the process: SIGPIPE,
 * SIGXFSZ (the file has reached RLIMIT_FSIZE), and SIGTTOU (a background process writes to a
 * terminal with "stty tostop"). Children, and programs that they execute, inherit this.
 */
void sink_ignore_signals(void);

#endif
