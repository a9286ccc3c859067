/*
 * The null engine: an operation that does nothing, called and timed like every other one. Its cost (the
 * loop, the clock, the histogram) is a part of each latency; null_ratio says how small that part is.
 */
#include "lab.h"

static uint64_t nothing(void *context)
{
    (void)context;
    return 1;
}

double null_cost_ns(void)
{
    enum { ROUNDS = 5, OPERATIONS = 100000 };
    static struct measure m;
    uint64_t (*volatile operation)(void *) = nothing;
    double least = 1e9;
    for (int round = 0; round < ROUNDS; round++) {
        m = (struct measure){.deadline_ns = UINT64_MAX, .operations_max = OPERATIONS};
        uint64_t begun = measure_now(), now = begun;
        do {
            now = tally_add(&m.tally, now, operation(&m));
        } while (!measure_over(&m, now));
        double each = (double)(now - begun) / (double)m.tally.operations;
        if (each < least) least = each;
    }
    return least;
}
