/*
 * One request and how far it has come on the way to its response. A connection of HTTP/1.1 has one at a time, which
 * serves request after request; when a response is planned, what is left to know of it is its exchange.
 *
 *      READING ──► ASKING or FETCHED ──► answered, READING again
 *                    │ ▲
 *                    ▼ │
 *                  PARKED
 */
#ifndef ZCSERVE_HTTP_STREAM_H
#define ZCSERVE_HTTP_STREAM_H

#include "plan.h"
#include "target.h"
#include "zcserve/now.h"

struct conn_rules;

enum stream_state {
    STREAM_READING, /* its request is awaited, or read                     */
    STREAM_ASKING,  /* its lookup is to be answered                        */
    STREAM_PARKED,  /* its lookup waits for the disk                       */
    STREAM_FETCHED  /* as ASKING, and what it asks for was read from the disk */
};

struct stream {
    struct request request;
    struct target target;
    struct lookup lookup;
    enum stream_state state;
    char *path;         /* space for the path of the target, and a NUL                 */
    uint64_t begun_ns;  /* when the first byte of the request was received             */
    uint64_t queue_ns;  /* how long that byte had waited                               */
    uint64_t headed_ns; /* when the request was complete                               */
};

static inline bool stream_asks(const struct stream *s)
{
    return s->state == STREAM_ASKING || s->state == STREAM_FETCHED;
}

/*
 * The request is complete. True: it is answered by *plan. False: it asks for its lookup. `last`: no other request
 * is to follow on the connection.
 */
bool stream_take(struct stream *s, const struct conn_rules *rules, bool last, struct plan *plan);

/* It is answered by *plan now, in whatever state it is: `why` it is refused. */
void stream_refuse(struct stream *s, enum refusal why, struct plan *plan);

/* Its lookup was answered: the plan of its response. It is READING then. */
struct plan stream_resolved(struct stream *s, const struct conn_rules *rules, bool last,
                            struct resolution found, const struct now *now);

/* What is known of its exchange before the response is added to the output. */
void stream_describe(const struct stream *s, struct exchange *exchange);

#endif
