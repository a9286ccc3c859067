/*
 * An upgrade: the successor is another supervisor, of a new program. It serves beside this one
 * first, and then this one drains.
 */
#ifndef ZCSERVE_PROCESS_SUCCESSOR_H
#define ZCSERVE_PROCESS_SUCCESSOR_H

#include "process/supervision.h"

/* USR2 came. The successor is started as soon as no reload is under way. */
void successor_ask(struct supervision *s);

/*
 * Starts the successor, and looks whether it serves, as far as each is due. Returns when to call it
 * again.
 */
uint64_t successor_take_turn(struct supervision *s, uint64_t now_ns);

/* The successor has ended, with this `status` of waitpid(2), or was stopped. */
void successor_take_end(struct supervision *s, int status);

/* A stop was asked for: kills a successor that does not serve yet. */
void successor_give_up(struct supervision *s);

#endif
