/* Both ends of a route, the threads that feed and drain it, and the loop that is measured. */
#include "copies_ways.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LIMIT_S = 5, CHUNK = 256 << 10 };

/* ---- helpers ----------------------------------------------------------------------------------- */

/* Writes until the other end is closed. It gets an error then, not a signal. */
static void *feeder_main(void *context)
{
    struct copy *c = context;
    char *chunk = calloc(1, CHUNK);
    measure_thread_begin();
    if (chunk) memset(chunk, 1, CHUNK);
    while (chunk && (write(c->far_from, chunk, CHUNK) > 0 || errno == EAGAIN)) {
    }
    free(chunk);
    return NULL;
}

/* Throws away what comes without copying it: TCP with MSG_TRUNC (tcp(7)), a pipe into /dev/null. */
static void *drain_main(void *context)
{
    struct copy *c = context;
    measure_thread_begin();
    bool socket = c->route->to == END_SOCKET;
    int null = socket ? -1 : open("/dev/null", O_WRONLY | O_CLOEXEC);
    ssize_t got;
    do {
        got = socket ? recv(c->far_to, NULL, 8 << 20, MSG_TRUNC)
                     : splice(c->far_to, NULL, null, NULL, 1 << 20, 0);
    } while (got > 0 || (got < 0 && (errno == EINTR || errno == EAGAIN)));
    if (null >= 0) close(null);
    return NULL;
}

/* ---- ends -------------------------------------------------------------------------------------- */

/* Opens the two ends of a TCP connection on loopback. A call that waits longer than LIMIT_S fails. */
static int sockets_open(int *here, int *there)
{
    struct sockaddr_in name = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof name;
    struct timeval limit = {.tv_sec = LIMIT_S};
    int one = 1, listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (listener < 0) return -errno;
    *here = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool done = *here >= 0 && bind(listener, (struct sockaddr *)&name, sizeof name) == 0 &&
                listen(listener, 1) == 0 &&
                getsockname(listener, (struct sockaddr *)&name, &length) == 0 &&
                connect(*here, (struct sockaddr *)&name, sizeof name) == 0 &&
                (*there = accept4(listener, NULL, NULL, SOCK_CLOEXEC)) >= 0;
    int result = done ? 0 : -errno;
    close(listener);
    if (!done) return result;
    setsockopt(*here, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    setsockopt(*here, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    setsockopt(*here, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
    return 0;
}

static int pipe_open(int *reads, int *writes, uint64_t bytes)
{
    int both[2];
    if (pipe2(both, O_CLOEXEC) < 0) return -errno;
    *reads = both[0];
    *writes = both[1];
    return fcntl(both[1], F_SETPIPE_SZ, (int)bytes) < 0 ? -errno : 0;
}

/* Makes the file: it is in the page cache and has its blocks before anything is measured. */
static int scratch_open(struct copy *c)
{
    struct stat status;
    c->to = open(c->scratch->path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (c->to < 0 || fstat(c->to, &status) < 0) return -errno;
    for (uint64_t at = (uint64_t)status.st_size; at < c->data->bytes; at += CHUNK)
        if (pwrite(c->to, c->buffer, CHUNK, (off_t)at) != CHUNK) return -ENOSPC;
    return 0;
}

static int from_open(struct copy *c)
{
    if (c->route->from == END_SOCKET) return sockets_open(&c->from, &c->far_from);
    if (c->route->from == END_PIPE) return pipe_open(&c->from, &c->far_from, c->pipe_bytes);
    c->from = open(c->data->path, O_RDONLY | O_CLOEXEC);
    return c->from < 0 ? -errno : 0;
}

static int to_open(struct copy *c)
{
    if (c->route->to == END_PIPE) return pipe_open(&c->far_to, &c->to, c->pipe_bytes);
    if (c->route->to == END_FILE) return scratch_open(c);
    int one = 1, result = sockets_open(&c->to, &c->far_to);
    if (result == 0 && !strcmp(c->way->name, "zerocopy") &&
        setsockopt(c->to, SOL_SOCKET, SO_ZEROCOPY, &one, sizeof one) < 0)
        result = -errno;
    return result;
}

static int way_open(struct copy *c)
{
    if (!strcmp(c->way->name, "splice") && c->route->from != END_PIPE)
        return pipe_open(&c->pipe[0], &c->pipe[1], c->pipe_bytes);
    if (strcmp(c->way->name, "send_zc") != 0) return 0;
    int result = io_uring_queue_init(8, &c->ring, 0);
    c->has_ring = result == 0;
    return result;
}

static int helpers_start(struct copy *c)
{
    int result = 0;
    if (c->far_from >= 0) {
        result = -pthread_create(&c->feeder, NULL, feeder_main, c);
        c->feeder_started = result == 0;
    }
    if (c->far_to >= 0 && result == 0) {
        result = -pthread_create(&c->drain, NULL, drain_main, c);
        c->drain_started = result == 0;
    }
    return result;
}

int copy_open(void *context)
{
    struct copy *c = context;
    memset(&c->from, 0, sizeof *c - offsetof(struct copy, from));
    c->from = c->to = c->far_from = c->far_to = c->pipe[0] = c->pipe[1] = -1;
    c->buffer = aligned_alloc(4096, BUFFER_MAX);
    if (!c->buffer) return -ENOMEM;
    memset(c->buffer, 1, BUFFER_MAX);
    int result = from_open(c);
    if (result == 0) result = to_open(c);
    if (result == 0) result = way_open(c);
    return result == 0 ? helpers_start(c) : result;
}

static void end_close(int *fd)
{
    if (*fd >= 0) close(*fd);
    *fd = -1;
}

/* Closes each near end before it waits for the helper of that end, which then sees the end. */
void copy_close(void *context)
{
    struct copy *c = context;
    if (c->has_ring) io_uring_queue_exit(&c->ring);
    if (c->from >= 0) shutdown(c->from, SHUT_RDWR); /* wakes a writer; fails if no socket */
    if (c->to >= 0) shutdown(c->to, SHUT_RDWR);
    end_close(&c->from);
    end_close(&c->to);
    end_close(&c->pipe[0]);
    end_close(&c->pipe[1]);
    if (c->feeder_started) pthread_join(c->feeder, NULL);
    if (c->drain_started) pthread_join(c->drain, NULL);
    end_close(&c->far_from);
    end_close(&c->far_to);
    free(c->buffer);
    c->buffer = NULL;
}

/* ---- what is measured -------------------------------------------------------------------------- */

static double us_of(const struct timeval *later, const struct timeval *earlier)
{
    return 1e6 * (double)(later->tv_sec - earlier->tv_sec) +
           (double)(later->tv_usec - earlier->tv_usec);
}

/* Sets the CPU figures of the moving thread, without the threads that feed and drain. */
static void figures_set(const struct copy *c, struct measure *m, const struct rusage *before)
{
    struct rusage now;
    getrusage(RUSAGE_THREAD, &now);
    double mib = (double)m->tally.bytes / (1 << 20), n = (double)m->tally.operations;
    double user = us_of(&now.ru_utime, &before->ru_utime),
           system = us_of(&now.ru_stime, &before->ru_stime);
    double copies = c->way->copies[c->route - copy_routes] + c->was_copied;
    measure_figure(m, "user_us_per_mib", user / mib);
    measure_figure(m, "system_us_per_mib", system / mib);
    measure_figure(m, "user_us_per_op", user / n);
    measure_figure(m, "system_us_per_op", system / n);
    measure_figure(m, "cpu_us_per_mib", (user + system) / mib);
    if (!c->may_share_blocks) measure_figure(m, "copies", copies);
}

int copy_run(void *context, struct measure *m)
{
    struct copy *c = context;
    struct rusage before;
    uint64_t places = c->data->bytes / c->bytes, i = 0;
    getrusage(RUSAGE_THREAD, &before);
    uint64_t now = measure_now();
    do {
        c->at = i++ % places * c->bytes;
        int result = c->way->move(c);
        if (result < 0) return result == -EAGAIN ? -ETIMEDOUT : result;
        now = tally_add(&m->tally, now, c->bytes);
    } while (!measure_over(m, now));
    m->tally.calls = c->calls;
    figures_set(c, m, &before);
    return 0;
}
