/*
 * Finds out whether every worker can have its ring. The memory of rings counts as locked memory of the user
 * on kernels before 5.12 and on recent ones (measured on 6.18). An ordinary user may lock 8 MiB by default,
 * so one ring works but the twenty-fifth does not. This is found out before the first worker is started.
 */
#include "ring.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

/* Memory of one ring at most: submissions, completions and the table of buffers, rounded up to pages. */
#define RING_BYTES                                                                                 \
    (RING_ENTRIES * (sizeof(struct io_uring_sqe) + sizeof(uint32_t)) +                             \
     RING_COMPLETIONS * sizeof(struct io_uring_cqe) + RING_BUFFERS * sizeof(struct io_uring_buf) + \
     4 * UINT64_C(4096))

uint64_t rings_bytes(uint32_t count)
{
    return count * RING_BYTES;
}

bool ring_memory_counts(void)
{
    static const struct uring_options none;
    static struct ring ring;
    char problem[256];
    struct rlimit limit;
    if (getrlimit(RLIMIT_MEMLOCK, &limit) != 0) return false;
    const struct rlimit nothing = {.rlim_cur = 0, .rlim_max = limit.rlim_max};
    if (setrlimit(RLIMIT_MEMLOCK, &nothing) != 0) return false;
    int result = ring_open(&ring, 1, &none, problem, sizeof(problem));
    if (result == 0) ring_close(&ring);
    setrlimit(RLIMIT_MEMLOCK, &limit);
    return result == -ENOMEM;
}

/* Opens `count` rings, or as many as there is memory for, and closes them again. Returns how many. */
static uint32_t rings_made(struct ring *rings, uint32_t count)
{
    static const struct uring_options none;
    char problem[256];
    uint32_t made = 0;
    int result = 0;
    while (made < count && result == 0) {
        result = ring_open(&rings[made], 1, &none, problem, sizeof(problem));
        made += result == 0;
    }
    for (uint32_t i = 0; i < made; i++)
        ring_close(&rings[i]);
    return result == -ENOMEM ? made : count; /* the worker reports other errors */
}

/*
 * Opens rings only when the limit is lower than what they may need. Then either their memory counts, and the
 * workers could not have them all anyway; or it does not count, as for root, and all can be opened. So
 * this trial never uses up a limit that the workers need.
 */
const char *rings_problem(uint32_t count)
{
    static char problem[256];
    struct rlimit limit;
    if (getrlimit(RLIMIT_MEMLOCK, &limit) != 0 || limit.rlim_cur >= rings_bytes(count)) return NULL;
    struct ring *rings = calloc(count, sizeof(*rings));
    uint32_t made = rings ? rings_made(rings, count) : 0;
    free(rings);
    if (made == count) return NULL;
    snprintf(
        problem, sizeof(problem),
        "io_uring: not enough memory may be locked: %u rings could be made, and %u workers need "
        "one each; raise ulimit -l or LimitMEMLOCK=, or have fewer workers",
        made, count);
    return problem;
}
