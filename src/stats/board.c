/*
 * The board of counters: a mapping that the supervisor makes before it forks, with a slot for each
 * worker. It outlives every worker, so that a slot goes on from where a dead worker left it.
 * There is no lock: a slot has one writer, and readers take each counter as it is.
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
                       MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    return board == MAP_FAILED ? NULL : board;
}

void stats_board_close(struct stats_slot *board, uint32_t workers)
{
    if (board) munmap(board, workers * sizeof(struct stats_slot));
}

/* Skips an empty histogram: reading it would make the kernel allocate its pages. */
static void tally_read(const struct tally *tally, const struct histogram *histogram,
                       struct distribution *into)
{
    if (stats_read(&tally->count) > 0) distribution_add(into, histogram, stats_read(&tally->sum));
}

void stats_latency_read(const struct stats_slot *slot, enum phase phase, enum source source,
                        struct distribution *into)
{
    tally_read(&slot->latency_tally[phase][source], &slot->latency[phase][source], into);
}

void stats_measure_read(const struct stats_slot *slot, enum measure measure,
                        struct distribution *into)
{
    tally_read(&slot->measure_tally[measure], &slot->measure[measure], into);
}

const char *phase_name(enum phase phase)
{
    static const char *const names[] = {
#define PHASE(name, word, help) [PHASE_##name] = word,
#include "zcserve/phase.def"
#undef PHASE
    };
    return names[phase];
}

const char *call_name(enum call call)
{
    static const char *const names[] = {
#define CALL(name, word, help) [CALL_##name] = word,
#include "zcserve/calls.def"
#undef CALL
    };
    return names[call];
}

const char *connection_state_name(enum connection_state state)
{
    static const char *const names[] = {
#define CONNECTION_STATE(name, word, help) [STATE_##name] = word,
#include "zcserve/connection_state.def"
#undef CONNECTION_STATE
    };
    return names[state];
}
