/*
 * The board of counters: a mapping that the supervisor makes before it forks, a slot for each
 * worker. It outlives every worker, so a slot goes on counting where a dead worker left it.
 * Refuses to lock: a slot has one writer, and readers take each counter as it is.
 */
#define _GNU_SOURCE
#include "zcserve/stats.h"

#include <assert.h>
#include <stddef.h>
#include <sys/mman.h>

static_assert(sizeof(struct stats_slot) % 64 == 0, "slots share no cache line");

struct stats_slot *stats_board_open(uint32_t workers)
{
    assert(workers > 0);
    void *board = mmap(NULL, workers * sizeof(struct stats_slot), PROT_READ | PROT_WRITE,
                       MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    return board == MAP_FAILED ? NULL : board;
}

void stats_board_close(struct stats_slot *board, uint32_t workers)
{
    if (board != NULL) {
        munmap(board, workers * sizeof(struct stats_slot));
    }
}
