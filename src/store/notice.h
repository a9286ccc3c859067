/*
 * What the operator should hear of, once: this room writes no log.
 */
#ifndef ZCSERVE_STORE_NOTICE_H
#define ZCSERVE_STORE_NOTICE_H

enum notice {
    NOTICE_NO_OPENAT2, /* symbolic links are forbidden for want of a safe way */
    NOTICE_NO_CACHED,  /* what is not cached is waited for                    */
    NOTICE_NO_INOTIFY, /* no instance to be had: every hit is checked         */
    NOTICE_NO_INIT,    /* nor may one be asked for                            */
    NOTICE_NO_ADD,     /* an instance, but no watch may be added to it        */
    NOTICE_NO_WATCH,   /* watches ran out                                     */
    NOTICE_NO_PROC,    /* watches are set through /proc                       */
    NOTICE_NO_REPORTS, /* the file system does not notify                     */
    NOTICE_OVERFLOW,   /* the kernel's queue was full                         */
    NOTICE_COUNT
};

struct notices {
    unsigned raised, told; /* one bit each */
};

void notices_raise(struct notices *notices, enum notice notice);

/* One line that has not been told yet, or NULL. */
const char *notices_next(struct notices *notices);

#endif
