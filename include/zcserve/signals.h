/*
 * The signals that the supervisor sends (supervise.h), read from a descriptor.
 */
#ifndef ZCSERVE_SIGNALS_H
#define ZCSERVE_SIGNALS_H

/* What the supervisor wants; a later one is stronger. */
enum wish {
    WISH_NONE,
    WISH_LOOK,  /* another worker is absent, or is back: see service_accepts() */
    WISH_DRAIN, /* accept no more, finish the requests under way               */
    WISH_STOP   /* stop at once                                                */
};

/*
 * Returns a descriptor that is readable when one of these signals has come, or -errno. TERM, USR1
 * and USR2 must be blocked already.
 */
int signals_open(void);

/*
 * Takes all signals that have come, and reopens the error log for USR1. Returns the strongest wish.
 */
enum wish signals_take(int fd);

#endif
