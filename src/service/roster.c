/*
 * The kernel spreads connections among the listeners of all workers (SO_REUSEPORT), whether a
 * worker is running or not. The listener of a worker that died and cannot be started again at once
 * still gets its share. To close that listener would reset the connections in its queue. So another
 * worker accepts from it until its own worker is back. It does no harm when both accept for a
 * while.
 */
#include "service/roster.h"

#include <stdatomic.h>
#include <sys/mman.h>

struct roster *roster_open(uint32_t workers)
{
    struct roster *roster = mmap(NULL, workers * sizeof(*roster), PROT_READ | PROT_WRITE,
                                 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (roster == MAP_FAILED) return NULL;
    for (uint32_t i = 0; i < workers; i++)
        atomic_init(&roster[i].stand_in, SERVICE_NO_WORKER);
    return roster;
}

void roster_close(struct roster *roster, uint32_t workers)
{
    if (roster) munmap(roster, workers * sizeof(*roster));
}

static bool is_there(const struct supervised *process)
{
    return !process->last && process->pid > 0 && !process->absent;
}

/* Returns the next running worker after index *from, round the table, and sets *from; or NULL. */
static const struct supervised *next_there(const struct supervised *processes, uint32_t count,
                                           uint32_t *from)
{
    for (uint32_t i = 0; i < count; i++) {
        *from = (*from + 1) % count;
        if (is_there(&processes[*from])) return &processes[*from];
    }
    return NULL;
}

void roster_choose(const struct service *service, const struct supervised *processes,
                   uint32_t count)
{
    uint32_t last = 0;
    for (uint32_t i = 0; i < count; i++) {
        const struct supervised *process = &processes[i];
        if (process->last) continue;
        const struct supervised *other =
            process->absent ? next_there(processes, count, &last) : NULL;
        atomic_store_explicit(&service->roster[process->index].stand_in,
                              other ? other->index : SERVICE_NO_WORKER, memory_order_relaxed);
    }
}
