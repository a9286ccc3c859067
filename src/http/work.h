/*
 * The work area of a connection that is not idle. One block, taken from a slab:
 *
 *      ┌──────────────────┬───────────────────────────┬────────────────────────┐
 *      │ struct conn_work │ of the protocol: a path,  │ output: heads, pages,  │
 *      │                  │ what was received         │ small contents         │
 *      └──────────────────┴───────────────────────────┴────────────────────────┘
 *
 * Responses gather until all are settled; then both buffers begin again at 0.
 */
#ifndef ZCSERVE_HTTP_WORK_H
#define ZCSERVE_HTTP_WORK_H

#include "http1.h"
#include "output.h"

struct conn_work {
    struct http1 http1;
    struct output output;
    uint64_t linger_until_ns; /* lingering ends then at the latest */
    char bytes[];
};

#endif
