/*
 * Hands a descriptor to processes that may not open files: the supervisor opens a log anew and gives
 * it, and processes that were started earlier take it (SCM_RIGHTS, unix(7)).
 *
 *     supervisor   handover_give(fd), then USR1 to all
 *     process      handover_take() after USR1
 *
 * There is one socket for all processes: each peeks, so that the descriptor stays for the others.
 */
#ifndef ZCSERVE_BASE_HANDOVER_H
#define ZCSERVE_BASE_HANDOVER_H

struct handover {
    int giver, taker; /* -1: not open */
};

#define HANDOVER_CLOSED ((struct handover){-1, -1})

/* Both return 0 or -errno. handover_give() keeps `fd`, and withdraws what was given before. */
int handover_open(struct handover *handover);
int handover_give(const struct handover *handover, int fd);
void handover_close(struct handover *handover);

/* Returns a descriptor, close-on-exec, which the caller owns; -EAGAIN when none was given. */
int handover_take(const struct handover *handover);

#endif
