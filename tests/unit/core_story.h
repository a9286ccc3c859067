/*
 * Some lanes and their peers exchange bytes at random; every byte is checked.
 */
#ifndef CORE_STORY_H
#define CORE_STORY_H

#include "core_ring.h"

#define CORE_STORY_PLAYERS 8 /* sockets that the ring must have room for */

/*
 * Makes so many steps of lanes and peers, as `seed` says. Bytes arrive in order, complete, and before the
 * end. Nothing is reported as a failure of the peer. At the end, no turn is made while there is nothing to
 * do, nothing is in flight, and all buffers are back. `registered`: the ring has the sockets in its own
 * table.
 */
void core_story_tell(struct ring *ring, bool registered, uint64_t seed, unsigned steps);

/* Called before the test checks that all is quiet; NULL: nothing has to be done for that. */
extern void (*core_story_on_quiet)(void);

#endif
