/*
 * One inotify instance. It reports what changed in the directories that directory.h watches, and on
 * the path of the root that chain.h watches.
 */
#ifndef ZCSERVE_STORE_WATCH_H
#define ZCSERVE_STORE_WATCH_H

#include "beneath.h"
#include "notice.h"
#include "zcserve/store.h"
#include "zcserve/text.h"

#include <limits.h>

#define CHAIN_MAX 64

/* A directory that is watched. All directories from the root to it are watched, too. */
struct directory;

struct watch {
    int fd;                                  /* inotify; -1: nothing is watched  */
    struct directory **by_path, **by_number; /* tables of chains                 */
    uint32_t mask;                           /* length of each table less 1      */
    int chain[CHAIN_MAX];                    /* watch numbers of the root's path */
    uint32_t chain_count;
    uint32_t watches_max;
    uint64_t directory_bytes, directory_bytes_max;
    struct store_counts *counts;
    struct notices *notices;
    size_t filled, offset;  /* bytes of events in `space`, and how many of them are reported */
    char beneath[PATH_MAX]; /* of the last change reported                                   */
    _Alignas(8) char space[16384];
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

/* Adds a watch for chain.c or directory.c. Returns its number, or -errno, perhaps with a notice. */
int watch_add(struct watch *watch, const char *path, uint32_t mask);

#endif
