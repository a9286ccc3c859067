/*
 * HTTP/1.1 on a connection (RFC 9112). The bytes received become requests, which are answered one
 * after another, in their order. This file is all that conn.c knows of the protocol: another
 * protocol would be another file with these functions.
 *
 *      ┌────────────┬───────────────────────────────────────────┬─────────────────────────┬────────
 *      │ path that  │ receive: requests in the order received   │ path of current request │ spare …
 *      │ rules make │                                           │                         │
 *      └────────────┴───────────────────────────────────────────┴─────────────────────────┴────────
 *                     0 ≤ parsed ≤ filled ≤ size               filled
 */
#ifndef ZCSERVE_HTTP_HTTP1_H
#define ZCSERVE_HTTP_HTTP1_H

#include "reader.h"
#include "stream.h"

#define RECEIVE_SLACK_BYTES 1024 /* room to receive behind the largest head */

struct http1 {
    struct reader reader;
    struct stream stream;            /* of the current request                                  */
    uint64_t received_ns, waited_ns; /* when bytes were last received; how long they had waited */
    uint32_t filled, parsed, size;   /* positions in `receive`, and its size                    */
    char *receive;
};

/* Returns how many bytes http1_open() needs under these rules. The spare space follows them. */
size_t http1_space_size(const struct conn_rules *rules);
void http1_open(struct http1 *h, const struct conn_rules *rules, char *space);

/* Who sends the requests: see conn_from(). */
void http1_from(struct http1 *h, const struct origin *peer);

/* Where ids of requests come from: see conn_ids(). */
void http1_ids(struct http1 *h, struct request_ids *ids);

/* Returns where received bytes go; not empty when conn_receives() is true. */
struct iovec http1_receive_space(struct http1 *h);

/* `length` bytes were received, which had waited for `waited_ns`. */
void http1_received(struct http1 *h, size_t length, uint64_t waited_ns, const struct now *now);

/*
 * Before the first request: `length` bytes were received that http1_received() is not told of.
 * Returns all that there are. Then drops the first `length` of them, and returns how many more there
 * are, which are in http1_receive_space() again.
 */
struct text http1_prelude(struct http1 *h, size_t length);
size_t http1_prelude_end(struct http1 *h, size_t length);

/* Drops the received bytes, when the connection takes no more requests. */
void http1_drop(struct http1 *h);

/*
 * Reads on in the received bytes, of which http1_has_more(). Returns the stream when its request is
 * complete, else NULL.
 */
struct stream *http1_next(struct http1 *h, const struct now *now);

/* The response to the stream's request is in the output: the next request begins behind it. */
void http1_answered(struct http1 *h, struct stream *s);

/*
 * Returns where the spare space begins: behind the received bytes and the path. Nothing here uses
 * it until bytes are received again. It begins inside the space of http1_open() or right behind it,
 * and goes on in the memory of the caller that follows.
 */
char *http1_spare(struct http1 *h);

/* No response is in the output: moves the bytes of the next request to the front of the buffer. */
void http1_compact(struct http1 *h);

/* Returns the stream that asks for its lookup, or the stream that is parked; else NULL. */
struct stream *http1_asking(struct http1 *h);
struct stream *http1_parked(struct http1 *h);

/* Gives up the lookup: no stream asks or is parked any more. */
void http1_abandon(struct http1 *h);

/* Returns whether bytes may be received while a response is under way. Only HTTP/2 could do so. */
static inline bool http1_receives_while_sending(const struct http1 *h)
{
    (void)h;
    return false;
}

/* Returns whether bytes are there, of a request that is incomplete or not settled. */
static inline bool http1_holds_bytes(const struct http1 *h)
{
    return h->filled > 0;
}

/* Returns whether more bytes can be received. */
static inline bool http1_has_room(const struct http1 *h)
{
    return h->filled < h->size;
}

/* Returns whether bytes were received that are not read yet. */
static inline bool http1_has_more(const struct http1 *h)
{
    return h->parsed < h->filled;
}

/* Returns how far the current request has been read. */
static inline enum reader_phase http1_phase(const struct http1 *h)
{
    return h->reader.phase;
}

/* Refuses the request that is not complete. Returns its stream. */
struct stream *http1_refuse(struct http1 *h, enum refusal why);

#endif
