/*
 * Answers HTTP requests about the status. The server that is looked at must not be needed for looking, so
 * this is another one: libmicrohttpd, in one thread, called by whoever waits.
 */
#ifndef ZCSERVE_STATUS_ANSWERING_H
#define ZCSERVE_STATUS_ANSWERING_H

#include "zcserve/status_listener.h"

struct answering;

/* Takes over `listener`. NULL, with errno set perhaps. */
struct answering *answering_open(int listener, const struct status_subject *subject);
void answering_close(struct answering *answering);

/* What to wait for: this to be readable, or so many ms (-1: for ever) to pass; then a turn. */
int answering_fd(const struct answering *answering);
int answering_patience_ms(struct answering *answering);
void answering_turn(struct answering *answering);

#endif
