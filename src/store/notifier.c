/*
 * Calls inotify(7), counts watches, and says what is short or forbidden.
 */
#include "notifier.h"

#include <errno.h>
#include <sys/inotify.h>
#include <unistd.h>

void notifier_open(struct notifier *n, uint32_t watches_max, struct store_counts *counts,
                   struct notices *notices)
{
    n->fd = -1;
    n->watches_max = watches_max;
    n->counts = counts;
    n->notices = notices;
    n->filled = n->offset = 0;
    if (watches_max == 0) return;
    n->fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    if (n->fd >= 0) return;
    bool exhausted = errno == EMFILE || errno == ENFILE || errno == ENOMEM;
    notices_raise(notices, exhausted ? NOTICE_NO_INOTIFY : NOTICE_NO_INIT);
}

void notifier_close(struct notifier *n)
{
    if (n->fd >= 0) close(n->fd);
    n->fd = -1;
}

int notifier_add(struct notifier *n, const char *path, uint32_t mask)
{
    if (n->counts->watches >= n->watches_max) {
        notices_raise(n->notices, NOTICE_NO_WATCH);
        return -ENOSPC;
    }
    int number = inotify_add_watch(n->fd, path, mask);
    if (number < 0) {
        int error = errno;
        if (error == ENOSPC || error == ENOMEM) notices_raise(n->notices, NOTICE_NO_WATCH);
        if (error == EPERM || error == ENOSYS) notices_raise(n->notices, NOTICE_NO_ADD);
        return -error;
    }
    n->counts->watches++;
    return number;
}

void notifier_remove(struct notifier *n, int number)
{
    inotify_rm_watch(n->fd, number);
    n->counts->watches--;
}

void notifier_merge(struct notifier *n)
{
    n->counts->watches--;
}

const struct inotify_event *notifier_next(struct notifier *n)
{
    if (n->offset == n->filled) {
        ssize_t length;
        do {
            length = read(n->fd, n->space, sizeof(n->space));
            n->counts->refreshes++;
        } while (length < 0 && errno == EINTR);
        n->offset = 0;
        n->filled = length > 0 ? (size_t)length : 0;
        if (length <= 0) return NULL;
    }
    const char *here = n->space + n->offset;
    const struct inotify_event *event = (const struct inotify_event *)(const void *)here;
    n->offset += sizeof(*event) + event->len;
    return event;
}
