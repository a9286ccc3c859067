/*
 * Generations of processes: how a reload replaces those that serve.
 */
#ifndef ZCSERVE_PROCESS_GENERATIONS_H
#define ZCSERVE_PROCESS_GENERATIONS_H

#include "process/supervision.h"

/* HUP came. The next generation is made as soon as no earlier one is ending. */
void generations_ask(struct supervision *s);

/*
 * Makes the next generation, replaces the present one, and tells unwanted processes to end, as far
 * as each is due. Returns when to call it again.
 */
uint64_t generations_take_turn(struct supervision *s, uint64_t now_ns);

/* Returns the processes of the generation that serves, and sets *count. */
struct supervised *generation_now(const struct supervision *s, uint32_t *count);

#endif
