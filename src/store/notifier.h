/*
 * One inotify instance: watches are added within a limit, and events are read one after another.
 *
 * The kernel has one watch for each inode, with one number. Several trees may need it: when they
 * have the same root, or roots inside each other, or a common directory above. So the notifier knows
 * everyone who watches an inode, and the kernel's watch goes with the last of them.
 */
#ifndef ZCSERVE_STORE_NOTIFIER_H
#define ZCSERVE_STORE_NOTIFIER_H

#include "notice.h"
#include "zcserve/store.h"

struct inotify_event;

/* Why an inode is watched. */
enum watching {
    WATCHING_WAY,      /* a directory or link on the path of a root: chain.h */
    WATCHING_DIRECTORY /* a directory beneath a root: directory.h            */
};

/* One who watches an inode. It is part of the owner's object, and in the notifier's table. */
struct watched {
    struct watched *next; /* in the same chain of the table */
    int number;           /* of the kernel's watch          */
    uint16_t tree;
    enum watching watching;
};

struct notifier {
    int fd; /* inotify; -1: nothing is watched */
    uint32_t watches_max;
    struct watched **by_number; /* a table of chains         */
    uint32_t mask;              /* length of the table less 1 */
    struct store_counts *counts;
    struct notices *notices;
    size_t filled, offset; /* bytes of events in `space`, and how many of them are reported */
    _Alignas(8) char space[16384];
};

/*
 * Cannot fail: without inotify nothing is watched, and a notice says why. The length of the table
 * depends on the number of watches that may be added, and never changes.
 */
void notifier_open(struct notifier *n, uint32_t watches_max, struct store_counts *counts,
                   struct notices *notices);
void notifier_close(struct notifier *n);

/*
 * Adds a watch on `path` with a mask of inotify(7) for `watched`, whose `tree` and `watching` are
 * set. It must stay where it is until it is removed. Returns 0, or -errno, perhaps with a notice.
 */
int notifier_add(struct notifier *n, struct watched *watched, const char *path, uint32_t mask);

/* Removes `watched`. The last event of its watch may still be reported. */
void notifier_remove(struct notifier *n, struct watched *watched);

/* Returns the one who watches this number for the tree and this reason, or NULL. */
struct watched *notifier_find(const struct notifier *n, int number, uint16_t tree,
                              enum watching watching);

/* Returns whether another one watches the same inode for the same tree and reason. */
bool notifier_has_other(const struct notifier *n, const struct watched *watched);

/* Returns the first tree from `tree` on that watches this number; NOTIFIER_NO_TREE: none. */
#define NOTIFIER_NO_TREE UINT32_MAX
uint32_t notifier_tree_from(const struct notifier *n, int number, uint32_t tree);

/* Returns the next event, valid until the next call; NULL when there is none. */
const struct inotify_event *notifier_next(struct notifier *n);

#endif
