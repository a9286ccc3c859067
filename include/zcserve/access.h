/*
 * The access log. A worker gathers its lines in memory and sends them over a socket, without ever
 * waiting, to the recorder, the one process that writes the file. When the disk stalls, the socket
 * fills. Then the worker drops and counts whole lines, and is never delayed.
 */
#ifndef ZCSERVE_ACCESS_H
#define ZCSERVE_ACCESS_H

#include "base/handover.h"
#include "zcserve/exchange.h"
#include "zcserve/now.h"
#include "zcserve/sink.h"
#include "zcserve/text.h"

#include <netinet/in.h>
#include <stdatomic.h>
#include <stdint.h>
#include <sys/socket.h>

/*
 * ACCESS_COMBINED: the line that log analysers know, and then seconds, worker and source:
 *
 *     192.0.2.1 - - [22/Nov/2026:11:37:00 +0000] "GET / HTTP/1.1" 200 612 "-" "curl/8.5" 0.000045 0 memory
 *
 * ACCESS_JSON: one object a line with the keys time, remote, host, method, target, version, status,
 * bytes, referer, user_agent, seconds, worker, source and coding. An absent text is null.
 *
 * A line has at most 8 KiB. Each text has a share of it; a longer text is cut and ends with "…".
 */
enum access_format { ACCESS_COMBINED, ACCESS_JSON };

struct access_log;

#define ACCESS_MESSAGE_BYTES_MAX 65536 /* bytes of whole lines in one message to the recorder */

/*
 * Opens the log of worker number `worker`, which sends to `socket`; the caller keeps the socket.
 * Lines are sent together when they have `size_bytes`, or when the oldest is `interval_ns` old.
 * While the socket is full, up to twice this size is gathered; further lines are dropped, and
 * *dropped counts each of them. Returns NULL with errno set when there is no memory.
 */
struct access_log *access_log_open(int socket, enum access_format format, uint32_t worker,
                                   size_t size_bytes, uint64_t interval_ns,
                                   _Atomic uint64_t *dropped);
void access_log_close(struct access_log *log); /* sends what is left first; NULL is allowed */

/*
 * Adds the line of an exchange that is to be settled. A `peer` that is NULL or not an IP address is
 * written as "-".
 */
void access_log_write(struct access_log *log, const struct exchange *exchange,
                      const struct sockaddr *peer, const struct now *now);

/*
 * Sends the lines if the oldest is older than the interval. Returns when to call again (monotonic
 * ns); UINT64_MAX when no line waits.
 */
uint64_t access_log_flush(struct access_log *log, const struct now *now);

/*
 * The recorder: a process of its own that appends everything from the socket to a file ("-" is
 * standard output). When every sender is gone, it ends after it wrote what is left, within three
 * seconds. At USR1 it goes on with the file that access_recorder_reopen() has opened; it opens none
 * itself. It ignores TERM and USR2. When the file cannot be
 * written, lines are lost, and the error log says so and how many. While a pipe, FIFO, socket or
 * terminal takes nothing, lines wait in the recorder, then in the socket, then in the workers,
 * which drop and count further lines.
 */
struct access_recorder {
    int sender;               /* workers send here; open as long as the server runs        */
    int receiver;             /* the supervisor keeps it, so that a new recorder can go on */
    struct sink file;         /* opened before the start, so that a bad path is an error   */
    const char *path;         /* the caller's                                              */
    struct handover handover; /* of a file that was opened again, to the recorder  */
};

/* Makes the sockets and opens the file. Returns 0 or -errno. It does not start the process. */
int access_recorder_open(struct access_recorder *recorder, const char *path);
void access_recorder_close(struct access_recorder *recorder);

/* For a process that sends only: closes its copies of all but `sender`, so that it can read no lines of others. */
void access_recorder_send_only(struct access_recorder *recorder);

/*
 * Opens the file again after it was renamed, and gives it to the process, which takes it at the next
 * USR1. Returns 0 or -errno; then it goes on with the old file.
 */
int access_recorder_reopen(struct access_recorder *recorder);

/*
 * Runs the recorder in its process. Returns the exit code when every sender is gone. It closes its
 * copy of `sender`; the supervisor closes the other (access_recorder_close) when all workers have
 * ended.
 */
int access_recorder_run(struct access_recorder *recorder);

#endif
