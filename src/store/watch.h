/*
 * What changed: in the directories that directory.h watches, and on the paths of the roots that
 * chain.h watches. One event of the kernel may be a change in several trees.
 */
#ifndef ZCSERVE_STORE_WATCH_H
#define ZCSERVE_STORE_WATCH_H

#include "directory.h"
#include "zcserve/text.h"

#include <limits.h>

struct watch {
    struct notifier notifier;
    struct directories directories;
    const struct inotify_event *event; /* the last one that was read; NULL: none       */
    uint32_t tree;                     /* the first tree that is still to be told of it */
    char beneath[PATH_MAX];            /* of the last change reported                  */
};

enum change_kind {
    CHANGE_NAME,    /* something about the name directory + name                            */
    CHANGE_BENEATH, /* a directory: all paths that begin with `beneath`, and also the       */
                    /* name, when there is one                                              */
    CHANGE_ABOVE,   /* above the root a directory was removed or replaced: compare the root */
    CHANGE_ALL,     /* the root or its path changed: begin again with this tree             */
    CHANGE_LOST     /* changes were lost: begin again with all trees                        */
};

struct change {
    enum change_kind kind;
    uint16_t tree;         /* not of LOST */
    struct text directory; /* "" or "a/b/", as paths that name a directory */
    struct text name;      /* in `directory`                               */
    bool naming;           /* of NAME and BENEATH: the name appeared, vanished or changed */
    struct text beneath;   /* "a/b/c/"                                     */
};

/* Cannot fail: without inotify nothing is watched. */
void watch_open(struct watch *watch, const struct store_options *options,
                struct store_counts *counts, struct notices *notices);
void watch_close(struct watch *watch); /* no tree may have watches */

/* Removes the watches on the directories of a tree; those on the path of its root stay. */
void watch_forget(struct watch *watch, uint16_t tree);

/* Sets *change to the next change, valid until the next call. Returns false when there is none. */
bool watch_next(struct watch *watch, struct change *change);

#endif
