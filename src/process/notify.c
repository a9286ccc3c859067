/*
 * sd_notify(3) without libsystemd. Each message has a socket of its own, because messages are rare,
 * and so no process inherits a descriptor that it does not need.
 */
#include "zcserve/notify.h"
#include "zcserve/now.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#define MESSAGE_BYTES_MAX 1024
#define SEND_SECONDS_MAX 1
#define NEVER UINT64_MAX

/* A name in the abstract namespace begins with a NUL, and has no NUL at its end (unix(7)). */
static int address_read(struct notify *notify, const char *name)
{
    struct sockaddr_un un = {.sun_family = AF_UNIX};
    size_t length = strlen(name);
    bool abstract = name[0] == '@';
    if ((!abstract && name[0] != '/') || length < 2 || length >= sizeof(un.sun_path))
        return -EINVAL;
    memcpy(un.sun_path, name, length);
    if (abstract) un.sun_path[0] = '\0';
    memcpy(&notify->address, &un, sizeof(un));
    notify->length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length + !abstract);
    return 0;
}

/* Returns the number, or 0 when the variable is not set or is no such number. */
static uint64_t number_of(const char *variable)
{
    const char *text = getenv(variable);
    char *end;
    if (!text || text[0] < '0' || text[0] > '9') return 0;
    errno = 0;
    uint64_t number = strtoull(text, &end, 10);
    return *end == '\0' && errno == 0 ? number : 0;
}

/* $WATCHDOG_PID may name another process, from which this one has inherited the variables. */
static uint64_t beat_read(void)
{
    uint64_t of = number_of("WATCHDOG_PID"), most_us = number_of("WATCHDOG_USEC");
    if (of != 0 && of != (uint64_t)getpid()) return 0;
    return most_us < UINT64_MAX / 1000 ? most_us * 1000 / 2 : 0;
}

int notify_open(struct notify *notify)
{
    const char *name = getenv("NOTIFY_SOCKET");
    *notify = (struct notify){.length = 0};
    if (!name || *name == '\0') return 0;
    int error = address_read(notify, name);
    if (error == 0) notify->beat_ns = beat_read();
    return error;
}

void notify_send(const struct notify *notify, const char *format, ...)
{
    char message[MESSAGE_BYTES_MAX];
    const struct timeval most = {.tv_sec = SEND_SECONDS_MAX};
    va_list values;
    if (notify->length == 0) return;
    va_start(values, format);
    int length = vsnprintf(message, sizeof(message), format, values);
    va_end(values);
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0) return;
    size_t bytes = length < (int)sizeof(message) ? (size_t)length : sizeof(message) - 1;
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &most, sizeof(most));
    sendto(fd, message, bytes, MSG_NOSIGNAL, (const struct sockaddr *)&notify->address,
           notify->length);
    close(fd);
}

void notify_reloading(const struct notify *notify, uint64_t now_ns)
{
    notify_send(notify, "RELOADING=1\nMONOTONIC_USEC=%" PRIu64, now_ns / 1000);
}

uint64_t notify_beat(struct notify *notify, uint64_t now_ns)
{
    if (notify->length == 0 || notify->beat_ns == 0) return NEVER;
    if (now_ns >= notify->next_ns) {
        notify_send(notify, "WATCHDOG=1");
        notify->next_ns = now_ns + notify->beat_ns;
    }
    return notify->next_ns;
}
