/*
 * The access log of a worker: it gathers lines in memory and sends them to the recorder in messages
 * of whole lines. Sending never waits. While the recorder is behind, up to twice the size is
 * gathered; further lines are dropped, and each is counted. This file does not know the log file.
 */
#define _GNU_SOURCE
#include "access/access_line.h"
#include "zcserve/stats.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

/* The times between attempts to send while the recorder is behind. */
#define RETRY_NS (NS_PER_MS / 10)      /* when a new line was added */
#define RETRY_IDLE_NS (10 * NS_PER_MS) /* when none was             */

struct access_log {
    int socket;
    enum access_format format;
    uint32_t worker;
    size_t size; /* bytes after which lines are sent */
    uint64_t interval_ns;
    _Atomic uint64_t *dropped;
    uint64_t oldest_ns; /* when the oldest line was added */
    uint64_t retry_ns;  /* no attempt to send before this */
    struct access_date date;
    size_t used;
    char buffer[]; /* 2 × size, and room for one line more */
};

struct access_log *access_log_open(int socket, enum access_format format, uint32_t worker,
                                   size_t size_bytes, uint64_t interval_ns,
                                   _Atomic uint64_t *dropped)
{
    struct access_log *log = malloc(sizeof(*log) + 2 * size_bytes + ACCESS_LINE_BYTES_MAX);

    if (log) {
        *log = (struct access_log){.socket = socket,
                                   .format = format,
                                   .worker = worker,
                                   .size = size_bytes,
                                   .interval_ns = interval_ns,
                                   .dropped = dropped};
    }
    return log;
}

/* Returns the length of the whole lines that fit into one message; each single line does. */
static size_t access_message_length(const char *lines, size_t length)
{
    if (length <= ACCESS_MESSAGE_BYTES_MAX) return length;
    const char *newline = memrchr(lines, '\n', ACCESS_MESSAGE_BYTES_MAX);
    assert(newline);
    return (size_t)(newline - lines) + 1;
}

static uint64_t access_count_lines(const char *lines, size_t length)
{
    uint64_t count = 0;

    for (size_t i = 0; i < length; i++)
        count += lines[i] == '\n';
    return count;
}

/*
 * Sends as many lines as the socket takes. After an error other than lack of room no recorder can
 * read them: then they are dropped. Returns how many bytes were sent or dropped.
 */
static size_t access_send_lines(struct access_log *log)
{
    size_t sent = 0;

    while (sent < log->used) {
        size_t length = access_message_length(log->buffer + sent, log->used - sent);
        ssize_t result = send(log->socket, log->buffer + sent, length, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (result < 0 && errno == EINTR) continue;
        if (result < 0 && (errno == EAGAIN || errno == ENOBUFS || errno == ENOMEM)) break;
        if (result < 0) stats_add(log->dropped, access_count_lines(log->buffer + sent, length));
        sent += length;
    }
    return sent;
}

static void access_log_send(struct access_log *log, uint64_t now_ns)
{
    size_t sent = access_send_lines(log);

    log->used -= sent;
    if (log->used > 0) {
        log->retry_ns = now_ns + RETRY_NS;
        memmove(log->buffer, log->buffer + sent, log->used);
    }
    if (sent > 0) log->oldest_ns = now_ns;
}

void access_log_write(struct access_log *log, const struct exchange *exchange,
                      const struct sockaddr *peer, const struct now *now)
{
    struct access_context context = {.peer = peer, .worker = log->worker};
    if (log->used > 2 * log->size) {
        stats_add(log->dropped, 1);
    } else {
        if (log->used == 0) log->oldest_ns = now->monotonic_ns;
        log->used += access_line_format(log->buffer + log->used, log->format, exchange, &context,
                                        now, &log->date);
    }
    if (log->used >= log->size && now->monotonic_ns >= log->retry_ns)
        access_log_send(log, now->monotonic_ns);
}

uint64_t access_log_flush(struct access_log *log, const struct now *now)
{
    uint64_t due_ns = log->oldest_ns + log->interval_ns;

    if (log->used == 0) return UINT64_MAX;
    if (now->monotonic_ns < due_ns) return due_ns;
    access_log_send(log, now->monotonic_ns);
    return log->used == 0 ? UINT64_MAX : now->monotonic_ns + RETRY_IDLE_NS;
}

void access_log_close(struct access_log *log)
{
    if (!log) return;
    size_t sent = access_send_lines(log);
    stats_add(log->dropped, access_count_lines(log->buffer + sent, log->used - sent));
    free(log);
}
