/*
 * The work area of a connection that is not idle. One block, taken from a slab:
 *
 *      ┌──────────────────┬──────────┬──────┬─────────────────────────┬──────────────────────┐
 *      │ struct conn_work │ received │ path │ output: heads, pages,   │ places of the output │
 *      │                  │ bytes    │      │ small contents          │ but the first        │
 *      └──────────────────┴──────────┴──────┴─────────────────────────┴──────────────────────┘
 *
 * Responses gather until all are settled; no bytes are received meanwhile, so the output begins where the received
 * bytes end. So a connection with one request, which is what a slow reader has, touches one or two pages of its block,
 * however many bytes and responses there would be room for.
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
