/*
 * What changed: in the directories that directory.h watches, and on the path of the root that
 * chain.h watches.
 */
#ifndef ZCSERVE_STORE_WATCH_H
#define ZCSERVE_STORE_WATCH_H

#include "chain.h"
#include "directory.h"
#include "zcserve/text.h"

#include <limits.h>

struct watch {
    struct notifier notifier;
    struct directories directories;
    struct chain chain;     /* of the root's path          */
    char beneath[PATH_MAX]; /* of the last change reported */
};

enum change_kind {
    CHANGE_NAME,    /* something about the name directory + name                            */
    CHANGE_BENEATH, /* a directory: all paths that begin with `beneath`, and also the       */
                    /* name, when there is one                                              */
    CHANGE_ABOVE,   /* above the root a directory was removed or replaced: compare the root */
    CHANGE_ALL      /* the root or its path changed, or changes were lost: begin again      */
};

struct change {
    enum change_kind kind;
    struct text directory; /* "" or "a/b/", as paths that name a directory */
    struct text name;      /* in `directory`                               */
    struct text beneath;   /* "a/b/c/"                                     */
};

/* Cannot fail: without inotify nothing is watched. */
void watch_open(struct watch *watch, const struct store_options *options,
                struct store_counts *counts, struct notices *notices);
void watch_close(struct watch *watch);

/* Removes all watches. */
void watch_forget(struct watch *watch);

/* Sets *change to the next change, valid until the next call. Returns false when there is none. */
bool watch_next(struct watch *watch, struct change *change);

#endif
