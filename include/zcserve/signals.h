/*
 * The signals that the supervisor sends (supervise.h), as a descriptor to wait for.
 */
#ifndef ZCSERVE_SIGNALS_H
#define ZCSERVE_SIGNALS_H

enum wish {
    WISH_NONE,
    WISH_LOOK,  /* another worker is absent, or is back: see service_accepts() */
    WISH_DRAIN, /* accept no more, finish what is under way */
    WISH_STOP   /* at once                                  */
};

/* A descriptor that is readable when there is a signal, which must be blocked; or -errno. */
int signals_open(void);

/* Takes all signals that came. Those about the log are dealt with here. The strongest wish. */
enum wish signals_take(int fd);

#endif
