/*
 * One inotify instance: tells what changed in the directories that directory.h watches, and of
 * the root's path that chain.h watches.
 */
#ifndef ZCSERVE_STORE_WATCH_H
#define ZCSERVE_STORE_WATCH_H

#include "beneath.h"
#include "notice.h"
#include "zcserve/store.h"
#include "zcserve/text.h"

#include <limits.h>

#define CHAIN_MAX 64

/* A directory that is watched. All that lead to it from the root are watched too. */
struct directory;

struct watch {
    int fd;                                  /* inotify; -1: nothing is watched */
    struct directory **by_path, **by_number; /* chained tables */
    uint32_t mask;                           /* their length less 1 */
    int chain[CHAIN_MAX];                    /* watch numbers of the root's path */
    uint32_t chain_count;
    uint32_t watches_max;
    uint64_t directory_bytes, directory_bytes_max;
    struct store_counts *counts;
    struct notices *notices;
    size_t filled, offset;  /* of `space`: events read, and of them told */
    char beneath[PATH_MAX]; /* of the change told last */
    _Alignas(8) char space[16384];
};

enum change_kind {
    CHANGE_NAME,    /* something of the name directory + name                           */
    CHANGE_BENEATH, /* a directory: all paths that begin with `beneath`, and also the    */
                    /* name, when there is one                                          */
    CHANGE_ABOVE,   /* a directory above the root lost one: the root has to be compared  */
    CHANGE_ALL      /* the root, the path to it, or what it was got lost: begin anew    */
};

struct change {
    enum change_kind kind;
    struct text directory; /* "" or "a/b/", the form of paths that name a directory */
    struct text name;      /* in it                                                 */
    struct text beneath;   /* "a/b/c/"                                              */
};

/* Cannot fail: without inotify nothing is watched. */
void watch_open(struct watch *watch, const struct store_options *options,
                struct store_counts *counts, struct notices *notices);
void watch_close(struct watch *watch);

/* Watches nothing any more. */
void watch_forget(struct watch *watch);

/* The next change since; false when there is none. Its texts hold until the next call. */
bool watch_next(struct watch *watch, struct change *change);

/* Adds a watch, for chain.c and directory.c; its number, or -errno with the notice raised. */
int watch_add(struct watch *watch, const char *path, uint32_t mask);

#endif
