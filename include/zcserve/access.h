/*
 * The access log. A worker writes its lines into memory; full stretches go, without ever
 * waiting, over a socket to the recorder, the one process that writes the file. When the disk
 * stalls the socket fills, and whole lines are dropped and counted, never delayed.
 */
#ifndef ZCSERVE_ACCESS_H
#define ZCSERVE_ACCESS_H

#include "zcserve/exchange.h"
#include "zcserve/now.h"
#include "zcserve/sink.h"
#include "zcserve/text.h"

#include <netinet/in.h>
#include <stdatomic.h>
#include <stdint.h>
#include <sys/socket.h>

/*
 * ACCESS_COMBINED, which log analysers know, and three words more (seconds, worker, source):
 *
 *     192.0.2.1 - - [22/Nov/2026:11:37:00 +0000] "GET / HTTP/1.1" 200 612 "-" "curl/8.5" 0.000045 0 memory
 *
 * ACCESS_JSON: one object a line with the keys time, remote, host, method, target, version, status,
 * bytes, referer, user_agent, seconds, worker, source and coding; null for what was absent.
 *
 * A line has at most 8 KiB; a text too long for its share is cut, which "…" shows.
 */
enum access_format { ACCESS_COMBINED, ACCESS_JSON };

struct access_log;

#define ACCESS_MESSAGE_BYTES_MAX 65536 /* of whole lines, from a worker to the recorder */

/*
 * The log of worker number `worker`, which sends to `socket` (not owned). `size_bytes` of lines, or `interval_ns`
 * since the oldest, are sent together. While the socket is full, twice that is gathered; lines that
 * come then are dropped and added to *dropped, exactly. NULL with errno set.
 */
struct access_log *access_log_open(int socket, enum access_format format, uint32_t worker,
                                   size_t size_bytes, uint64_t interval_ns,
                                   _Atomic uint64_t *dropped);
void access_log_close(struct access_log *log); /* sends what is left first; NULL is none */

/* An exchange that is to be settled. `peer` NULL, or of a family that is not IP, is "-". */
void access_log_write(struct access_log *log, const struct exchange *exchange,
                      const struct sockaddr *peer, const struct now *now);

/* Sends what is older than the interval. UINT64_MAX, or when (monotonic) to call again. */
uint64_t access_log_flush(struct access_log *log, const struct now *now);

/*
 * The recorder: a process of its own that appends to a file ("-" is standard output) whatever
 * arrives on the socket, until every sender is gone, and then for three seconds at most. USR1 makes it open the
 * file again; it ignores TERM and USR2. When the file cannot be written, lines are lost, and the error log says
 * so and how many. While a pipe, FIFO, socket or terminal takes nothing, lines wait: here, in the sockets, and
 * then in the workers, who drop and count what comes beyond.
 */
struct access_recorder {
    int sender;       /* workers send here; lives as long as the server            */
    int receiver;     /* kept by the supervisor, so that a new recorder can go on  */
    struct sink file; /* opened at first, so that a bad path is an error at start */
    const char *path;
};

/* Makes the sockets and opens the file: 0 or -errno. The recorder is not started. */
int access_recorder_open(struct access_recorder *recorder, const char *path);
void access_recorder_close(struct access_recorder *recorder);

/*
 * What the recorder's process does; gives its exit code when every sender is gone. It closes its own
 * `sender`; the supervisor closes its one (access_recorder_close) when all workers have ended.
 */
int access_recorder_run(struct access_recorder *recorder);

#endif
