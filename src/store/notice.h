/*
 * What the operator should know, each notice once. This room writes no log.
 */
#ifndef ZCSERVE_STORE_NOTICE_H
#define ZCSERVE_STORE_NOTICE_H

enum notice {
    NOTICE_NO_OPENAT2, /* no safe way to follow symbolic links              */
    NOTICE_NO_CACHED,  /* lookups wait for names that are not cached        */
    NOTICE_NO_INOTIFY, /* no inotify instance is left: every hit is checked */
    NOTICE_NO_INIT,    /* inotify_init1 is missing or forbidden             */
    NOTICE_NO_ADD,     /* inotify_add_watch is missing or forbidden         */
    NOTICE_NO_WATCH,   /* watches or their memory ran out                   */
    NOTICE_NO_PROC,    /* no watch can be set: no /proc, and no fchdir      */
    NOTICE_NO_REPORTS, /* the file system does not report changes           */
    NOTICE_NO_RIGHT,   /* a root was replaced, and the new one may not be read */
    NOTICE_OVERFLOW,   /* the kernel's queue was full                       */
    NOTICE_COUNT
};

struct notices {
    unsigned raised, told; /* one bit for each notice */
};

void notices_raise(struct notices *notices, enum notice notice);

/* Returns the text of a raised notice that was not returned before, or NULL. */
const char *notices_next(struct notices *notices);

#endif
