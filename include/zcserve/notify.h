/*
 * Messages to the service manager, in the protocol of sd_notify(3): a datagram to the Unix socket
 * that the environment names.
 */
#ifndef ZCSERVE_NOTIFY_H
#define ZCSERVE_NOTIFY_H

#include <stdint.h>
#include <sys/socket.h>

struct notify {
    struct sockaddr_storage address; /* of the socket of the service manager             */
    socklen_t length;                /* 0: there is no service manager, nothing is sent  */
    uint64_t beat_ns;                /* between two signs of life; 0: none are asked for */
    uint64_t next_ns;                /* when the next one is due; monotonic              */
};

/*
 * Reads $NOTIFY_SOCKET (a path, or a name after '@' in the abstract namespace), $WATCHDOG_USEC and
 * $WATCHDOG_PID. Returns 0, also when they are not set; or -EINVAL when the name of the socket
 * cannot be used; then nothing is sent.
 */
int notify_open(struct notify *notify);

/*
 * Sends a message, such as "READY=1\nSTATUS=…", formatted as by printf. It waits at most a second,
 * and is lost when the service manager does not take it.
 */
void notify_send(const struct notify *notify, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Sends RELOADING=1, with the time that Type=notify-reload asks for (systemd.service(5)). */
void notify_reloading(const struct notify *notify, uint64_t now_ns);

/*
 * Sends WATCHDOG=1 when it is due: twice in the time after which the service manager would take
 * this process for hung. Returns when to call it again; UINT64_MAX: never.
 */
uint64_t notify_beat(struct notify *notify, uint64_t now_ns);

#endif
