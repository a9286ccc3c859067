/*
 * Some lanes and their peers exchange bytes at random; every byte is checked.
 */
#ifndef CORE_STORY_H
#define CORE_STORY_H

#include "core_ring.h"

#define CORE_STORY_PLAYERS 8 /* sockets that the ring must have room for */

/*
 * So many steps of lanes and peers, as `seed` says. Bytes arrive in order, complete, and before the end;
 * nothing is told as the peer's failure; at last nothing turns while there is nothing to do, nothing is
 * in flight, and all buffers are back. `registered`: the ring knows the sockets by places of its own.
 */
void core_story_tell(struct ring *ring, bool registered, uint64_t seed, unsigned steps);

/* Called before it is looked whether all is quiet; NULL: nothing is to be done for it. */
extern void (*core_story_on_quiet)(void);

#endif
