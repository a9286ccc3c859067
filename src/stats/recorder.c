/*
 * The recorder: the process that writes the access log, the one place where logging may wait for a
 * disk. It takes all messages that are there and writes them with one write(2). A message is whole
 * lines, so the lines of many workers mix but never break.
 * Refuses to end while a worker could still send, and to let a full disk be more than lost lines.
 */
#define _GNU_SOURCE
#include "zcserve/access.h"
#include "zcserve/log.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#define SOCKET_BYTES (1024 * 1024)
#define GATHER_BYTES (8 * ACCESS_MESSAGE_BYTES_MAX)

struct recorder {
    struct access_recorder *of;
    size_t used;
    uint64_t lost; /* lines, since writing began to fail              */
    bool failing;  /* the last write failed, and the log has said so  */
    bool torn;     /* the file ends within a line                     */
    char buffer[GATHER_BYTES];
};

static bool recorder_is_stdout(const struct access_recorder *recorder)
{
    return strcmp(recorder->path, "-") == 0;
}

static int recorder_file_open(const struct access_recorder *recorder)
{
    int fd = recorder_is_stdout(recorder)
                 ? fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3)
                 : open(recorder->path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY, 0640);
    return fd < 0 ? -errno : fd;
}

/* As large as the system allows: what it holds bridges the moments when the disk is busy. */
static void recorder_enlarge(int sender)
{
    int size = SOCKET_BYTES;

    if (setsockopt(sender, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size)) < 0) {
        setsockopt(sender, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
    }
}

int access_recorder_open(struct access_recorder *recorder, const char *path)
{
    int pair[2] = {-1, -1};

    *recorder = (struct access_recorder){.sender = -1, .receiver = -1, .file = -1, .path = path};
    int file = recorder_file_open(recorder);
    if (file < 0) return file;
    /* SEQPACKET keeps messages whole, and, unlike DGRAM, tells when the last sender is gone. */
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0) {
        int error = errno;
        close(file);
        return -error;
    }
    recorder_enlarge(pair[0]);
    recorder->sender = pair[0];
    recorder->receiver = pair[1];
    recorder->file = file;
    return 0;
}

static void recorder_close_one(int *fd)
{
    if (*fd >= 0) close(*fd);
    *fd = -1;
}

void access_recorder_close(struct access_recorder *recorder)
{
    recorder_close_one(&recorder->sender);
    recorder_close_one(&recorder->receiver);
    recorder_close_one(&recorder->file);
}

/* ---- in the recorder's process ---------------------------------------------------------------- */

static void recorder_reopen(struct recorder *r)
{
    int fd = -1;

    if (recorder_is_stdout(r->of)) return;
    if ((fd = recorder_file_open(r->of)) < 0) {
        log_error("cannot reopen %s: %s; going on with the old file", r->of->path, strerror(-fd));
        return;
    }
    close(r->of->file);
    r->of->file = fd;
    r->torn = false;
}

/* How much of `length` bytes was written before the first error; *error is that, or 0. */
static size_t recorder_write_some(int fd, const char *bytes, size_t length, int *error)
{
    size_t written = 0;

    *error = 0;
    while (written < length) {
        ssize_t result = write(fd, bytes + written, length - written);
        if (result >= 0) {
            written += (size_t)result;
        } else if (errno == EAGAIN) { /* standard output may be somebody's non-blocking pipe */
            poll(&(struct pollfd){.fd = fd, .events = POLLOUT}, 1, -1);
        } else if (errno != EINTR) {
            *error = errno;
            break;
        }
    }
    return written;
}

static uint64_t recorder_count_lines(const char *lines, size_t length)
{
    uint64_t count = 0;

    for (size_t i = 0; i < length; i++) {
        count += lines[i] == '\n';
    }
    return count;
}

/* Says once that lines are being lost, and once how many they were. */
static void recorder_tell(struct recorder *r, int error, uint64_t lost)
{
    if (error != 0 && !r->failing) {
        log_error("cannot write %s: %s; access log lines are lost until it can be written",
                  r->of->path, strerror(error));
    }
    if (error == 0 && r->failing) {
        log_warn("%s is written again; %llu lines were lost", r->of->path,
                 (unsigned long long)r->lost);
        r->lost = 0;
    }
    r->failing = error != 0;
    r->lost += lost;
}

static void recorder_write(struct recorder *r)
{
    int error = 0;
    size_t written = 0;

    if (r->used == 0) return;
    /* A line cut off by a full disk gets an end, so that the next one is whole. */
    if (r->torn && recorder_write_some(r->of->file, "\n", 1, &error) == 1) r->torn = false;
    if (error == 0) {
        written = recorder_write_some(r->of->file, r->buffer, r->used, &error);
        if (written > 0) r->torn = r->buffer[written - 1] != '\n';
    }
    recorder_tell(r, error, recorder_count_lines(r->buffer + written, r->used - written));
    r->used = 0;
}

/* Takes what is there, as far as there is room. False when every sender is gone. */
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

/* TERM and the rest are for those who send; the recorder ends after them. USR1 is read, not caught. */
static int recorder_prepare_signals(void)
{
    static const int ignored[] = {SIGTERM, SIGINT, SIGQUIT, SIGHUP, SIGUSR2, SIGPIPE};
    sigset_t usr1;

    for (size_t i = 0; i < sizeof(ignored) / sizeof(ignored[0]); i++) {
        signal(ignored[i], SIG_IGN);
    }
    sigemptyset(&usr1);
    sigaddset(&usr1, SIGUSR1);
    sigprocmask(SIG_BLOCK, &usr1, NULL);
    return signalfd(-1, &usr1, SFD_CLOEXEC | SFD_NONBLOCK);
}

/* Waits for lines or USR1, and opens the file anew if it was the latter. */
static void recorder_wait(struct recorder *r, int signals)
{
    struct signalfd_siginfo asked;
    struct pollfd input[2] = {{.fd = r->of->receiver, .events = POLLIN},
                              {.fd = signals, .events = POLLIN}};

    poll(input, 2, -1);
    if (signals >= 0 && read(signals, &asked, sizeof(asked)) == sizeof(asked)) recorder_reopen(r);
}

int access_recorder_run(struct access_recorder *recorder)
{
    struct recorder *r = calloc(1, sizeof(*r));
    int signals = recorder_prepare_signals();
    bool more = true;

    recorder_close_one(&recorder->sender); /* else there would always be one more sender */
    if (r == NULL || signals < 0) {
        log_error("cannot record: %s", strerror(errno));
        free(r);
        return EXIT_FAILURE;
    }
    r->of = recorder;
    while (more) {
        recorder_wait(r, signals);
        more = recorder_gather(r);
        recorder_write(r);
    }
    if (r->failing) {
        log_error("%llu access log lines were lost", (unsigned long long)r->lost);
    }
    close(signals);
    free(r);
    return EXIT_SUCCESS;
}
