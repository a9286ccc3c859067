/*
 * HTTP/1.1 on a connection (RFC 9112): the bytes received become requests, one after another, and are answered in
 * their order. What conn.c knows of the protocol is this file: another one is another file like it.
 *
 *      ┌─────────────────────────────────────────────┬──────────────────────────┬─────────
 *      │ receive: requests in the order received     │ path of the one that asks│ spare …
 *      └─────────────────────────────────────────────┴──────────────────────────┴─────────
 *        0 ≤ parsed ≤ filled ≤ size                 filled
 */
#ifndef ZCSERVE_HTTP_HTTP1_H
#define ZCSERVE_HTTP_HTTP1_H

#include "reader.h"
#include "stream.h"

#define RECEIVE_SLACK_BYTES 1024 /* space to receive behind the largest head */

struct http1 {
    struct reader reader;
    struct stream stream;            /* of the request that is read or asks              */
    uint64_t received_ns, waited_ns; /* when bytes were last received; how long they had waited */
    uint32_t filled, parsed, size;   /* of `receive`                                      */
    char *receive;
};

/* How much space http1_open() needs under these rules; the spare space follows it. */
size_t http1_space_size(const struct conn_rules *rules);
void http1_open(struct http1 *h, const struct conn_rules *rules, char *space);

/* Where received bytes go; never empty when http1_receives(). */
struct iovec http1_receive_space(struct http1 *h);

/* `length` bytes are there, which had waited for `waited_ns`. */
void http1_received(struct http1 *h, size_t length, uint64_t waited_ns, const struct now *now);

/* Gives up what was received, and takes requests no more. */
void http1_drop(struct http1 *h);

/* The stream whose request is complete, after reading on in what was received; NULL: none is. */
struct stream *http1_next(struct http1 *h, const struct now *now);

/* The response to the stream's request is in the output: the next request begins behind it. */
void http1_answered(struct http1 *h, struct stream *s);

/* Space that is not used before bytes are received again: it begins here and ends behind what http1_open() got. */
char *http1_spare(struct http1 *h);

/* All that is in the output was taken: what is there of the next request moves to the front. */
void http1_compact(struct http1 *h);

/* A stream that asks for its lookup, or one that is parked; NULL: none is. */
struct stream *http1_asking(struct http1 *h);
struct stream *http1_parked(struct http1 *h);

/* No lookup is answered any more. */
void http1_abandon(struct http1 *h);

/* Whether bytes are welcome while a response is under way: not before HTTP/2. */
static inline bool http1_receives_while_sending(const struct http1 *h)
{
    (void)h;
    return false;
}

/* Whether bytes were received that are no request yet, or not answered. */
static inline bool http1_holds_bytes(const struct http1 *h)
{
    return h->filled > 0;
}

/* Whether what was received goes on behind the request that is answered. */
static inline bool http1_has_more(const struct http1 *h)
{
    return h->parsed < h->filled;
}

/* How far the request that is read has come. */
static inline enum reader_phase http1_phase(const struct http1 *h)
{
    return h->reader.phase;
}

/* The stream of the request that is not complete, which is refused. */
struct stream *http1_refuse(struct http1 *h, enum refusal why);

#endif
