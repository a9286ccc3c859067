/*
 * The error log. A line is made on the stack and written with one write(2), so that lines of several
 * processes and threads that append to one file stay whole. What a line quotes may come from a peer:
 * control characters are escaped, so that a line is always one line.
 * Refuses to wait, to retry and to be a reason for failure: a line that cannot be written is lost.
 */
#define _GNU_SOURCE
#include "zcserve/log.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define MESSAGE_BYTES_MAX 1024 /* of the message before escapes; the rest is cut off */
#define NAME_BYTES_MAX 32
#define PREFIX_BYTES_MAX 160
#define ELLIPSIS "…"
#define LINE_BYTES_MAX (PREFIX_BYTES_MAX + 4 * MESSAGE_BYTES_MAX + sizeof(ELLIPSIS))

static const char *const level_word[] = {"error", "warn", "notice", "info", "debug"};

static struct {
    int fd;
    enum log_level level;
    char file[PATH_MAX]; /* empty: standard error */
    char name[NAME_BYTES_MAX];
} errors = {.fd = STDERR_FILENO, .level = LOG_NOTICE};

static int log_file_open(const char *file)
{
    int fd = open(file, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY, 0640);
    return fd < 0 ? -errno : fd;
}

int log_open(const char *file, enum log_level level)
{
    int fd = STDERR_FILENO;

    if (file == NULL || strcmp(file, "stderr") == 0) {
        file = "";
    } else if (strlen(file) >= sizeof(errors.file)) {
        return -ENAMETOOLONG;
    } else if ((fd = log_file_open(file)) < 0) {
        return fd;
    }
    if (errors.fd != STDERR_FILENO) {
        close(errors.fd);
    }
    errors.fd = fd;
    errors.level = level;
    memmove(errors.file, file, strlen(file) + 1);
    return 0;
}

int log_reopen(void)
{
    if (errors.file[0] == '\0') {
        return 0;
    }
    int fd = log_file_open(errors.file);
    if (fd < 0) {
        return fd;
    }
    /* The number stays, so that a thread amid a line writes to the old file or to the new one. */
    int result = dup3(fd, errors.fd, O_CLOEXEC) < 0 ? -errno : 0;
    close(fd);
    return result;
}

void log_name(const char *name)
{
    snprintf(errors.name, sizeof(errors.name), "%s", name == NULL ? "" : name);
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

/* Cuts a text before the character that `length` falls into, so that it stays UTF-8. */
static size_t log_cut(const char *text, size_t length)
{
    while (length > 0 && ((unsigned char)text[length] & 0xc0) == 0x80) {
        length--;
    }
    return length;
}

/* Copies `length` bytes of `text`, with control characters as \xHH; gives the length written. */
static size_t log_escape(char *space, const char *text, size_t length)
{
    static const char digit[] = "0123456789abcdef";
    size_t written = 0;

    for (size_t i = 0; i < length; i++) {
        unsigned char c = (unsigned char)text[i];
        if (c >= 0x20 && c != 0x7f) {
            space[written++] = text[i];
        } else {
            space[written++] = '\\';
            space[written++] = 'x';
            space[written++] = digit[c >> 4];
            space[written++] = digit[c & 15];
        }
    }
    return written;
}

void log_line(enum log_level level, const char *format, ...)
{
    char message[MESSAGE_BYTES_MAX + 1];
    char line[LINE_BYTES_MAX];
    int saved_errno = errno;
    va_list arguments;

    if (level > errors.level) {
        return;
    }
    va_start(arguments, format);
    /* The analyser loses va_start() when it is given several files at once. */
    int wanted = vsnprintf(message, sizeof(message), format, arguments); /* NOLINT(*valist*) */
    va_end(arguments);

    bool whole = wanted >= 0 && wanted <= MESSAGE_BYTES_MAX;
    size_t length = wanted < 0 ? 0 : (size_t)wanted;
    if (!whole && wanted >= 0) {
        length = log_cut(message, MESSAGE_BYTES_MAX - 1);
    }
    size_t written = log_prefix(line, PREFIX_BYTES_MAX, level);
    written += log_escape(line + written, message, length);
    if (!whole) {
        memcpy(line + written, ELLIPSIS, sizeof(ELLIPSIS) - 1);
        written += sizeof(ELLIPSIS) - 1;
    }
    line[written++] = '\n';
    ssize_t result = write(errors.fd, line, written);
    (void)result;
    errno = saved_errno;
}
