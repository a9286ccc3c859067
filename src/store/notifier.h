/*
 * One inotify instance: watches are added within a limit, and events are read one after another.
 */
#ifndef ZCSERVE_STORE_NOTIFIER_H
#define ZCSERVE_STORE_NOTIFIER_H

#include "notice.h"
#include "zcserve/store.h"

struct inotify_event;

struct notifier {
    int fd; /* inotify; -1: nothing is watched */
    uint32_t watches_max;
    struct store_counts *counts;
    struct notices *notices;
    size_t filled, offset; /* bytes of events in `space`, and how many of them are reported */
    _Alignas(8) char space[16384];
};

/* Cannot fail: without inotify nothing is watched, and a notice says why. */
void notifier_open(struct notifier *n, uint32_t watches_max, struct store_counts *counts,
                   struct notices *notices);
void notifier_close(struct notifier *n);

/* Adds a watch with a mask of inotify(7). Returns its number, or -errno, perhaps with a notice. */
int notifier_add(struct notifier *n, const char *path, uint32_t mask);

/* Removes a watch. Its last event may still be reported. */
void notifier_remove(struct notifier *n, int number);

/* An inode that was added twice has one watch, which is counted once then. */
void notifier_merge(struct notifier *n);

/* Returns the next event, valid until the next call; NULL when there is none. */
const struct inotify_event *notifier_next(struct notifier *n);

#endif
