/*
 * The work area of a connection that is not idle. One block, taken from a slab:
 *
 *      ┌─────────────────┬──────────────┬───────────────────────────┬────────────────────────┐
 *      │ struct conn_work│ path         │ receive: requests, in the │ output: heads, pages,  │
 *      │                 │              │ order received            │ small contents         │
 *      └─────────────────┴──────────────┴───────────────────────────┴────────────────────────┘
 *                                        0 ≤ parsed ≤ filled ≤ size  0 ≤ output_used ≤ size
 *
 * Answers gather until all are settled; then both buffers begin again at 0.
 */
#ifndef ZCSERVE_HTTP_WORK_H
#define ZCSERVE_HTTP_WORK_H

#include "request.h"
#include "target.h"

#define EXCHANGES_MAX 32                 /* answers gathered                        */
#define SEGMENTS_MAX (2 * EXCHANGES_MAX) /* a head and a content each               */
#define RECEIVE_SLACK_BYTES 1024         /* space to receive behind the largest head */
#define OUTPUT_BYTES 16384               /* besides the room for one redirect        */
#define INLINE_BYTES_MAX 1024            /* content that is copied behind its head   */

struct conn_work {
    struct request request;
    struct target target;
    struct lookup lookup;
    uint64_t received_ns, received_queue_ns; /* when bytes were last received; had waited */
    uint64_t begun_ns, queue_ns;             /* of the first byte of `request`            */
    uint64_t headed_ns;                      /* when it was complete                      */
    uint64_t linger_until_ns;                /* lingering ends then at the latest         */
    bool asking;  /* the lookup waits for its resolution                     */
    bool parked;  /* and that for the disk                                   */
    bool fetched; /* it did                                                  */

    uint32_t planned, settled;          /* exchanges; those from settled to planned are under way */
    uint32_t started;                   /* exchanges of whose answer a byte was taken    */
    uint64_t planned_bytes, sent_bytes; /* of the output as a stream                     */
    uint32_t segments, drained;         /* segments listed; those wholly sent            */

    uint32_t filled, parsed;
    uint32_t receive_size, output_size, output_used;
    char *path, *receive, *output;

    struct exchange exchange[EXCHANGES_MAX];
    struct segment segment[SEGMENTS_MAX];
    char bytes[];
};

#endif
