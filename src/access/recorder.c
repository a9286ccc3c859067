/*
 * The recorder: the process that writes the access log, the only one that may wait for the disk of
 * this log. It takes all messages that have arrived and writes them with one call. A message
 * consists of whole lines, so that lines of several workers never mix within a line.
 * One poll() waits for room in the file (a full pipe, a FIFO without a reader), for signals and for
 * the end of the senders, so that none of them delays the others.
 * The recorder does not end while a worker could still send, ends soon after that, and loses lines
 * but goes on when the disk is full.
 */
#define _GNU_SOURCE
#include "zcserve/access.h"
#include "zcserve/log.h"
#include "zcserve/now.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define SOCKET_BYTES (1024 * 1024)
#define GATHER_BYTES (8 * ACCESS_MESSAGE_BYTES_MAX)
#define END_NS \
    (3 * NS_PER_SECOND) /* to write what is left when every sender is gone; less than LAST_NS */

struct recorder {
    struct access_recorder *of;
    size_t used;
    size_t written;  /* of the `used` bytes; the rest waits for room         */
    uint64_t lost;   /* lines lost since writing began to fail               */
    uint64_t end_ns; /* when to give up, once every sender is gone; 0 before */
    bool failing;    /* the last write failed, and this was logged           */
    bool torn;       /* the file ends with an incomplete line                */
    char buffer[GATHER_BYTES];
};

static bool recorder_is_stdout(const struct access_recorder *recorder)
{
    return strcmp(recorder->path, "-") == 0;
}

static int recorder_file_open(const struct access_recorder *recorder, struct sink *file)
{
    return recorder_is_stdout(recorder) ? sink_share(file, STDOUT_FILENO)
                                        : sink_open(file, recorder->path);
}

/*
 * Makes the socket's buffer as large as the system allows: it holds lines while the disk is busy.
 */
static void recorder_enlarge(int sender)
{
    int size = SOCKET_BYTES;

    if (setsockopt(sender, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size)) < 0)
        setsockopt(sender, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
}

int access_recorder_open(struct access_recorder *recorder, const char *path)
{
    int pair[2] = {-1, -1};

    *recorder =
        (struct access_recorder){.sender = -1, .receiver = -1, .file = {.fd = -1}, .path = path};
    recorder->handover = HANDOVER_CLOSED;
    int error = recorder_file_open(recorder, &recorder->file);
    if (error < 0) return error;
    error = handover_open(&recorder->handover);
    if (error < 0) {
        access_recorder_close(recorder);
        return error;
    }
    /* SEQPACKET keeps messages whole and, unlike DGRAM, reports when the last sender is gone. */
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0) {
        error = errno;
        access_recorder_close(recorder);
        return -error;
    }
    recorder_enlarge(pair[0]);
    recorder->sender = pair[0];
    recorder->receiver = pair[1];
    return 0;
}

static void recorder_close_one(int *fd)
{
    if (*fd >= 0) close(*fd);
    *fd = -1;
}

void access_recorder_send_only(struct access_recorder *recorder)
{
    recorder_close_one(&recorder->receiver);
    recorder_close_one(&recorder->file.fd);
    handover_close(&recorder->handover);
}

void access_recorder_close(struct access_recorder *recorder)
{
    recorder_close_one(&recorder->sender);
    access_recorder_send_only(recorder);
}

int access_recorder_reopen(struct access_recorder *recorder)
{
    struct sink file;
    if (recorder_is_stdout(recorder)) return 0;
    int error = recorder_file_open(recorder, &file);
    if (error < 0) return error;
    error = handover_give(&recorder->handover, file.fd);
    if (error < 0) {
        close(file.fd);
        return error;
    }
    close(recorder->file.fd); /* a recorder that is started later has the new one, too */
    recorder->file = file;
    return 0;
}

/* ---- in the recorder's process ---------------------------------------------------------------- */

static uint64_t recorder_count_lines(const char *lines, size_t length)
{
    uint64_t count = 0;

    for (size_t i = 0; i < length; i++)
        count += lines[i] == '\n';
    return count;
}

/* Logs once that lines are lost, and once, when writing works again, how many were lost. */
static void recorder_tell(struct recorder *r, int error, uint64_t lost)
{
    if (error != 0 && !r->failing) {
        log_error("cannot write %s: %s; access log lines are lost until it can be written",
                  r->of->path, strerror(error));
    }
    if (error == 0 && r->failing) {
        log_warn("%s can be written again; %llu lines were lost", r->of->path,
                 (unsigned long long)r->lost);
        r->lost = 0;
    }
    r->failing = error != 0;
    r->lost += lost;
}

/* ---- the file --------------------------------------------------------------------------------- */

static bool recorder_is_same_file(int a, int b)
{
    struct stat one, other;
    return fstat(a, &one) == 0 && fstat(b, &other) == 0 && one.st_dev == other.st_dev &&
           one.st_ino == other.st_ino;
}

/*
 * Skips the rest of a line that went to the old file in part: a new file begins with a whole line.
 */
static void recorder_skip_rest_of_line(struct recorder *r)
{
    if (r->written == 0 || r->buffer[r->written - 1] == '\n') return;
    const char *from = r->buffer + r->written;
    const char *newline = memchr(from, '\n', r->used - r->written);
    r->written += !newline ? r->used - r->written : (size_t)(newline - from) + 1;
    r->lost++;
}

/* Goes on with the file that the supervisor has opened, if it has. */
static void recorder_take_file(struct recorder *r)
{
    int fd = handover_take(&r->of->handover);
    if (fd < 0) return;
    if (!recorder_is_same_file(fd, r->of->file.fd)) {
        recorder_skip_rest_of_line(r);
        r->torn = false;
    }
    close(r->of->file.fd);
    r->of->file.fd = fd; /* of the same kind, because the path is the same */
}

static bool recorder_is_waiting(const struct recorder *r)
{
    return r->written < r->used;
}

/*
 * Writes until all is written or there is no room. Returns 0, or the first error as errno has it.
 */
static int recorder_write_some(struct recorder *r)
{
    while (recorder_is_waiting(r)) {
        ssize_t result = sink_write(&r->of->file, r->buffer + r->written, r->used - r->written);
        if (result == -EAGAIN) return 0;
        if (result < 0) return (int)-result;
        r->written += (size_t)result;
    }
    return 0;
}

/* Ends an incomplete line, so that the next one is whole. Returns 0, EAGAIN or another error. */
static int recorder_mend(struct recorder *r)
{
    if (!r->torn) return 0;
    ssize_t result = sink_write(&r->of->file, "\n", 1);
    r->torn = result != 1;
    return result < 0 ? (int)-result : 0;
}

static void recorder_write(struct recorder *r)
{
    if (!recorder_is_waiting(r)) return;
    int error = recorder_mend(r);
    if (error == EAGAIN) return;
    if (error == 0) {
        error = recorder_write_some(r);
        if (r->written > 0 && error != 0) r->torn = r->buffer[r->written - 1] != '\n';
    }
    if (error == 0 && recorder_is_waiting(r)) return;
    recorder_tell(r, error, recorder_count_lines(r->buffer + r->written, r->used - r->written));
    r->used = r->written = 0;
}

/* ---- the socket ------------------------------------------------------------------------------- */

/* Receives messages as long as there is room. Returns false when every sender is gone. */
static bool recorder_gather(struct recorder *r)
{
    while (GATHER_BYTES - r->used >= ACCESS_MESSAGE_BYTES_MAX) {
        ssize_t result =
            recv(r->of->receiver, r->buffer + r->used, ACCESS_MESSAGE_BYTES_MAX, MSG_DONTWAIT);
        if (result < 0 && errno == EINTR) continue;
        if (result < 0) return errno == EAGAIN;
        if (result == 0) return false;
        r->used += (size_t)result;
    }
    return true;
}

/* The time to end is over: counts as lost what was not written, here and in the socket. */
static void recorder_give_up(struct recorder *r)
{
    bool more = true;
    while (more) {
        r->lost += recorder_count_lines(r->buffer + r->written, r->used - r->written);
        r->used = r->written = 0;
        more = recorder_gather(r) && r->used > 0;
    }
    r->failing = true;
}

/* ---- the process ------------------------------------------------------------------------------ */

/* Ignores TERM and the others: the recorder ends after its senders. signalfd(2) gives USR1. */
static int recorder_prepare_signals(void)
{
    static const int ignored[] = {SIGTERM, SIGINT, SIGQUIT, SIGHUP, SIGUSR2};
    sigset_t usr1;

    for (size_t i = 0; i < sizeof(ignored) / sizeof(ignored[0]); i++)
        signal(ignored[i], SIG_IGN);
    sink_ignore_signals();
    sigemptyset(&usr1);
    sigaddset(&usr1, SIGUSR1);
    sigprocmask(SIG_BLOCK, &usr1, NULL);
    return signalfd(-1, &usr1, SFD_CLOEXEC | SFD_NONBLOCK);
}

/* Returns how long to wait: for ever (-1), or until end_ns. */
static int recorder_patience_ms(const struct recorder *r)
{
    uint64_t now_ns = now_monotonic_ns();
    if (r->end_ns == 0) return -1;
    return now_ns >= r->end_ns ? 0 : (int)((r->end_ns - now_ns) / NS_PER_MS) + 1;
}

/*
 * Waits for lines, or for room for those that wait; for USR1, to reopen the file; and for the end.
 */
static void recorder_wait(struct recorder *r, int signals)
{
    struct signalfd_siginfo asked;
    bool waiting = recorder_is_waiting(r);
    struct pollfd input[3] = {
        {.fd = waiting ? r->of->file.fd : -1, .events = POLLOUT},
        {.fd = signals, .events = POLLIN},
        {.fd = waiting && r->end_ns ? -1 : r->of->receiver, .events = waiting ? 0 : POLLIN}};

    poll(input, 3, recorder_patience_ms(r));
    if (read(signals, &asked, sizeof(asked)) == sizeof(asked)) recorder_take_file(r);
    if ((input[2].revents & POLLHUP) && !r->end_ns) r->end_ns = now_monotonic_ns() + END_NS;
}

/* Runs until every sender is gone, and everything is written or given up. */
static void recorder_loop(struct recorder *r, int signals)
{
    bool more = true;
    while (more || recorder_is_waiting(r)) {
        recorder_wait(r, signals);
        recorder_write(r);
        if (!recorder_is_waiting(r)) {
            more = recorder_gather(r);
            recorder_write(r);
        }
        if (r->end_ns && now_monotonic_ns() >= r->end_ns) {
            recorder_give_up(r);
            break;
        }
    }
}

int access_recorder_run(struct access_recorder *recorder)
{
    struct recorder *r = calloc(1, sizeof(*r));
    int signals = recorder_prepare_signals();

    recorder_close_one(&recorder->sender); /* else this process would be a sender for ever */
    if (!r || signals < 0) {
        log_error("cannot start the recorder of the access log: %s", strerror(errno));
        free(r);
        return EXIT_FAILURE;
    }
    r->of = recorder;
    recorder_loop(r, signals);
    if (r->failing) log_error("%llu access log lines were lost", (unsigned long long)r->lost);
    close(signals);
    free(r);
    return EXIT_SUCCESS;
}
