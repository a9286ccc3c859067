/*
 * The work area of a connection that is not idle: one block, taken from a slab.
 *
 *      ┌──────────────────┬──────────┬──────┬─────────────────────────┬──────────────────────┐
 *      │ struct conn_work │ received │ path │ output: heads, pages,   │ places of the output │
 *      │                  │ bytes    │      │ small contents          │ but the first        │
 *      └──────────────────┴──────────┴──────┴─────────────────────────┴──────────────────────┘
 *
 * Responses are gathered until all are settled, and no bytes are received meanwhile. So the output
 * can begin where the received bytes end. A connection with one request, such as a slow reader,
 * touches only one or two pages of its block, although there is room for many bytes and responses.
 */
#ifndef ZCSERVE_HTTP_WORK_H
#define ZCSERVE_HTTP_WORK_H

#include "http1.h"
#include "output.h"

struct conn_work {
    struct http1 http1;
    struct output output;
    uint64_t linger_until_ns; /* the latest end of lingering */
    char bytes[];
};

#endif
