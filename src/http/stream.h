/*
 * One request on its way to its response. A connection of HTTP/1.1 has one stream, which is used
 * for one request after another. When the response is planned, its exchange holds all that is
 * needed later.
 *
 *      READING ──► ASKING or FETCHED ──► answered, READING again
 *                    │ ▲
 *                    ▼ │
 *                  PARKED
 */
#ifndef ZCSERVE_HTTP_STREAM_H
#define ZCSERVE_HTTP_STREAM_H

#include "plan.h"
#include "rule.h"
#include "target.h"
#include "told.h"
#include "zcserve/conn.h"

enum stream_state {
    STREAM_READING, /* its request is awaited or being read              */
    STREAM_ASKING,  /* its lookup must be answered                       */
    STREAM_PARKED,  /* its lookup waits for the disk                     */
    STREAM_FETCHED  /* as ASKING; what it asks for was read from the disk */
};

struct stream {
    struct request request;
    struct target target;
    struct lookup lookup;
    enum stream_state state;
    char *path;         /* room for the path of the target and a NUL       */
    uint64_t begun_ns;  /* when the first byte of the request was received */
    uint64_t queue_ns;  /* how long this byte had waited before            */
    uint64_t headed_ns; /* when the request was complete                   */

    /* only with rules.request_id */
    struct request_ids *ids;
    char id[REQUEST_ID_DIGITS]; /* of the request, unless its peer named one */

    /* only where there are sites or rules */
    struct origin peer;             /* of the connection: see conn_from()                 */
    struct asker asker;             /* who sends this request: the peer, or its client    */
    struct credentials credentials; /* that must be checked before the lookup: conn_credentials() */
    struct verdict verdict;         /* what the rules of its site say about the request   */
    char *made;                     /* room for a path that a rule makes: path_made_size() */
    uint32_t tried;                 /* how many paths of a rule were tried                */
    bool asks_again;                /* for another path than in its last lookup           */
    uint16_t decided;               /* the status, whatever the lookup finds; 0: none     */
    uint64_t complete;              /* of 416: the length of what was asked for           */
    bool varies;                    /* this status depends on Accept-Encoding             */
};

/* Returns the size of stream.made in bytes: a path, a "/" and a NUL. */
static inline size_t path_made_size(const struct conn_rules *rules)
{
    return rules->sites ? (size_t)rules->target_bytes_max + 2 : 0;
}

static inline bool stream_asks(const struct stream *s)
{
    return s->state == STREAM_ASKING || s->state == STREAM_FETCHED;
}

/* Sets who sends the request: the client that a trusted peer names; else the peer. */
void stream_name(struct stream *s, const struct conn_rules *rules, bool peer_trusted);

/*
 * The request is complete. Returns true and sets *plan when it needs no lookup; else returns false,
 * and the stream asks for its lookup. `last`: this is the last request of the connection.
 */
bool stream_take(struct stream *s, const struct conn_rules *rules, bool last, struct plan *plan);

/* Refuses the request for the reason `why`, in any state of the stream, and sets *plan. */
void stream_refuse(struct stream *s, enum refusal why, struct plan *plan);

/*
 * The credentials of the stream were checked. Returns true and sets *plan when it needs no lookup; else
 * returns false, and the stream asks for its lookup.
 */
bool stream_admitted(struct stream *s, const struct conn_rules *rules, bool last,
                     enum admission admission, struct plan *plan);

/*
 * Returns the plan of the response when the lookup is answered. The plan may point to *ranges, which
 * is set then. The stream is READING then.
 */
struct plan stream_resolved(struct stream *s, const struct conn_rules *rules, bool last,
                            struct resolution found, const struct now *now, struct ranges *ranges);

/*
 * Describes the request in its exchange, before the response is added to the output. `peer_trusted`:
 * what the peer says of its client is believed. The texts of the exchange point into the received
 * bytes and into the stream.
 */
void stream_describe(struct stream *s, const struct conn_rules *rules, bool peer_trusted,
                     struct exchange *exchange);

#endif
