/*
 * The error log. A line is made on the stack and written with one call that does not wait (sink.h),
 * so that lines of several processes and threads that append to one file stay whole. A line may
 * quote bytes of a peer: characters that could control a terminal or end the line are escaped.
 * A line that is not taken at once is lost. All processes of a server share the count of lost
 * lines, and the process that writes the next line writes this count first.
 * No function here waits, retries, or makes its caller fail.
 */
#define _GNU_SOURCE
#include "zcserve/log.h"

#include "base/handover.h"
#include "zcserve/sink.h"
#include "zcserve/utf8.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define MESSAGE_BYTES_MAX 1024 /* of a message before it is escaped; the rest is cut off */
#define NAME_BYTES_MAX 32
#define PREFIX_BYTES_MAX 160
#define ELLIPSIS "…"
#define ELLIPSIS_BYTES (sizeof(ELLIPSIS) - 1)
#define LINE_BYTES_MAX PIPE_BUF /* a pipe takes up to PIPE_BUF whole or not at all (pipe(7)) */

static const char *const level_word[] = {"error", "warn", "notice", "info", "debug"};

/* What all processes of a server know of lost lines. */
struct loss {
    _Atomic uint64_t lines; /* lines that were lost and are not reported yet */
    _Atomic bool torn;      /* the log ends with an incomplete line          */
};

static struct loss loss_alone; /* used until loss_share() makes a shared one */

static struct {
    struct sink sink; /* its descriptor number stays when the file is opened again */
    enum log_level level;
    char file[PATH_MAX]; /* empty: standard error                     */
    char name[NAME_BYTES_MAX];
    struct loss *loss;
    struct handover
        handover; /* of the file when it was opened again, to processes started before */
} errors = {.sink = {STDERR_FILENO, SINK_DIRECT},
            .level = LOG_NOTICE,
            .loss = &loss_alone,
            .handover = HANDOVER_CLOSED};

/* Makes the count of lost lines shared with the processes that are started later. */
static void loss_share(void)
{
    if (errors.loss != &loss_alone) return;
    struct loss *shared =
        mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared != MAP_FAILED) errors.loss = shared;
}

int log_open(const char *file, enum log_level level)
{
    struct sink sink;
    bool is_standard = !file || strcmp(file, "stderr") == 0;
    if (is_standard) file = "";
    if (strlen(file) >= sizeof(errors.file)) return -ENAMETOOLONG;
    int error = is_standard ? sink_share(&sink, STDERR_FILENO) : sink_open(&sink, file);
    if (error < 0 && !is_standard) return error;
    /* Standard error may be closed: that is no reason not to start. */
    if (error < 0) sink = (struct sink){STDERR_FILENO, SINK_DIRECT};
    loss_share();
    if (!is_standard && errors.handover.giver < 0 &&
        (error = handover_open(&errors.handover)) < 0) {
        close(sink.fd);
        return error;
    }
    if (errors.sink.fd != STDERR_FILENO) close(errors.sink.fd);
    errors.sink = sink;
    errors.level = level;
    memmove(errors.file, file, strlen(file) + 1);
    return 0;
}

/* dup3() keeps the number: a thread that writes now uses the old file or the new one. */
static int file_become(int fd)
{
    int result = dup3(fd, errors.sink.fd, O_CLOEXEC) < 0 ? -errno : 0;
    close(fd);
    if (result == 0) atomic_store(&errors.loss->torn, false);
    return result;
}

int log_reopen(void)
{
    struct sink sink;
    if (errors.file[0] == '\0') return 0;
    int error = sink_open(&sink, errors.file);
    if (error < 0) return error;
    error = handover_give(&errors.handover, sink.fd);
    int result = file_become(sink.fd);
    return error < 0 ? error : result;
}

int log_take(void)
{
    if (errors.file[0] == '\0') return 0;
    int fd = handover_take(&errors.handover);
    return fd < 0 ? fd : file_become(fd);
}

void log_name(const char *name)
{
    snprintf(errors.name, sizeof(errors.name), "%s", !name ? "" : name);
}

/* "2026-11-22T11:37:00.123Z notice [4711] worker 3: " */
static size_t log_prefix(char *space, size_t size, enum log_level level)
{
    struct timespec wall = {0};
    struct tm utc = {0};

    clock_gettime(CLOCK_REALTIME, &wall);
    gmtime_r(&wall.tv_sec, &utc);
    int length = snprintf(space, size, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ %s [%d] %s%s",
                          utc.tm_year + 1900, utc.tm_mon + 1, utc.tm_mday, utc.tm_hour, utc.tm_min,
                          utc.tm_sec, (int)(wall.tv_nsec / 1000000), level_word[level],
                          (int)getpid(), errors.name, errors.name[0] == '\0' ? "" : ": ");
    return length < (int)size ? (size_t)length : size - 1;
}

/* Returns the largest cut up to `length` that does not split a UTF-8 character. */
static size_t log_cut(const char *text, size_t length)
{
    while (length > 0 && ((unsigned char)text[length] & 0xc0) == 0x80)
        length--;
    return length;
}

/* ---- writing ---------------------------------------------------------------------------------- */

/*
 * Writes one line that ends with "\n". There is room for one byte before `line`: a "\n" goes there
 * when the log ends with an incomplete line. Returns whether the whole line was taken.
 */
static bool log_put(char *line, size_t length)
{
    bool torn = atomic_exchange(&errors.loss->torn, false);
    if (torn) {
        *--line = '\n';
        length++;
    }
    ssize_t taken = sink_write(&errors.sink, line, length);
    if (taken < (ssize_t)length && (torn || taken > 0)) atomic_store(&errors.loss->torn, true);
    return taken == (ssize_t)length;
}

static bool log_put_loss(uint64_t lines)
{
    char space[1 + PREFIX_BYTES_MAX + 128], *line = space + 1;
    size_t length = log_prefix(line, PREFIX_BYTES_MAX, LOG_WARN);
    length += (size_t)snprintf(
        line + length, 128, "%llu line%s of this log %s lost: writing was not possible at once\n",
        (unsigned long long)lines, lines == 1 ? "" : "s", lines == 1 ? "was" : "were");
    return log_put(line, length);
}

/* Reports the lines lost before. Returns false when this report is not taken either. */
static bool log_tell_loss(void)
{
    uint64_t lines = atomic_exchange(&errors.loss->lines, 0);
    if (lines == 0 || log_put_loss(lines)) return true;
    atomic_fetch_add(&errors.loss->lines, lines);
    return false;
}

void log_flush(void)
{
    int saved_errno = errno;
    log_tell_loss();
    errno = saved_errno;
}

void log_line(enum log_level level, const char *format, ...)
{
    char message[MESSAGE_BYTES_MAX + 1];
    char space[1 + LINE_BYTES_MAX], *line = space + 1;
    int saved_errno = errno;
    va_list arguments;

    if (level > errors.level) return;
    va_start(arguments, format);
    /* The analyser loses va_start() when it is given several files at once. */
    int wanted = vsnprintf(message, sizeof(message), format, arguments); /* NOLINT(*valist*) */
    va_end(arguments);

    bool whole = wanted >= 0 && wanted <= MESSAGE_BYTES_MAX;
    size_t length = wanted < 0 ? 0 : (size_t)wanted;
    if (!whole && wanted >= 0) length = log_cut(message, MESSAGE_BYTES_MAX - 1);
    size_t written = log_prefix(line, PREFIX_BYTES_MAX, level);
    size_t room = LINE_BYTES_MAX - 2 - ELLIPSIS_BYTES - written; /* 2: two line ends */
    written += utf8_escape(line + written, room, message, length, &whole);
    if (!whole) {
        memcpy(line + written, ELLIPSIS, ELLIPSIS_BYTES);
        written += ELLIPSIS_BYTES;
    }
    line[written++] = '\n';
    if (!log_tell_loss() || !log_put(line, written)) atomic_fetch_add(&errors.loss->lines, 1);
    errno = saved_errno;
}
