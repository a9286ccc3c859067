/*
 * Reads signals from a descriptor (signalfd(2)), so that an event loop waits for them as for other
 * input, and no call is interrupted. signalfd needs blocked signals: the supervisor starts its
 * processes with TERM, USR1 and USR2 blocked. URG is blocked here, because a process ignores it by
 * default.
 */
#include "zcserve/signals.h"
#include "zcserve/log.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

int signals_open(void)
{
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGURG);
    sigprocmask(SIG_BLOCK, &signals, NULL);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGUSR1);
    sigaddset(&signals, SIGUSR2);
    int fd = signalfd(-1, &signals, SFD_NONBLOCK | SFD_CLOEXEC);
    return fd < 0 ? -errno : fd;
}

/* The supervisor has opened it: this process may not. */
static void log_take_anew(void)
{
    int error = log_take();
    if (error != 0 && error != -EAGAIN)
        log_error("cannot reopen the error log: %s", strerror(-error));
}

static enum wish wish_of(uint32_t signal_number)
{
    switch (signal_number) {
    case SIGUSR1: log_take_anew(); return WISH_NONE;
    case SIGURG: return WISH_LOOK;
    case SIGUSR2: return WISH_STOP;
    default: return WISH_DRAIN;
    }
}

enum wish signals_take(int fd)
{
    enum wish wish = WISH_NONE;
    struct signalfd_siginfo info;
    while (read(fd, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
        enum wish another = wish_of(info.ssi_signo);
        if (another > wish) wish = another;
    }
    return wish;
}
