/*
 * Answers HTTP requests about the status. Showing the server's status must not need the server
 * itself, so another HTTP server is used: libmicrohttpd, in one thread, called from the loop of the
 * process.
 */
#ifndef ZCSERVE_STATUS_ANSWERING_H
#define ZCSERVE_STATUS_ANSWERING_H

#include "zcserve/status_listener.h"

struct answering;

/* Takes ownership of `listener`. Returns NULL after an error, which may have set errno. */
struct answering *answering_open(int listener, const struct status_subject *subject);
void answering_close(struct answering *answering);

/*
 * The caller waits until answering_fd() is readable or answering_patience_ms() has passed (-1: for
 * ever), and then calls answering_turn().
 */
int answering_fd(const struct answering *answering);
int answering_patience_ms(struct answering *answering);
void answering_turn(struct answering *answering);

#endif
