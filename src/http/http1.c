/*
 * Makes requests from bytes, in their order. Requests stay in the receive buffer until all gathered
 * responses are sent, because exchanges point into it. Then the bytes that are left are moved to
 * the front.
 */
#include "http1.h"

#include <assert.h>

size_t http1_space_size(const struct conn_rules *rules)
{
    return path_made_size(rules) + rules->target_bytes_max + 1 + rules->head_bytes_max +
           RECEIVE_SLACK_BYTES;
}

void http1_open(struct http1 *h, const struct conn_rules *rules, char *space)
{
    h->stream.state = STREAM_READING;
    h->stream.made = space;
    h->receive = space + path_made_size(rules);
    h->size = rules->head_bytes_max + RECEIVE_SLACK_BYTES;
    h->filled = h->parsed = 0;
    h->stream.ids = NULL;
    if (rules->sites) h->stream.peer = (struct origin){.local = false};
    if (rules->sites) h->stream.asker = (struct asker){.https = false};
    reader_begin(&h->reader, &h->stream.request, rules);
}

void http1_from(struct http1 *h, const struct origin *peer)
{
    h->stream.peer = *peer;
}

void http1_ids(struct http1 *h, struct request_ids *ids)
{
    h->stream.ids = ids;
}

struct iovec http1_receive_space(struct http1 *h)
{
    assert(h->filled < h->size);
    return (struct iovec){h->receive + h->filled, h->size - h->filled};
}

static void request_begins(struct http1 *h)
{
    h->stream.begun_ns = h->received_ns;
    h->stream.queue_ns = h->waited_ns;
}

void http1_received(struct http1 *h, size_t length, uint64_t waited_ns, const struct now *now)
{
    assert(length <= h->size - h->filled);
    h->received_ns = now->monotonic_ns;
    h->waited_ns = waited_ns;
    h->filled += (uint32_t)length;
    if (h->reader.phase == READER_AWAITS) request_begins(h);
}

struct text http1_prelude(struct http1 *h, size_t length)
{
    assert(length <= h->size - h->filled && h->parsed == 0);
    h->filled += (uint32_t)length;
    return (struct text){h->receive, h->filled};
}

size_t http1_prelude_end(struct http1 *h, size_t length)
{
    assert(length <= h->filled && h->parsed == 0);
    size_t rest = h->filled - length;
    memmove(h->receive, h->receive + length, rest);
    h->filled = 0;
    return rest;
}

void http1_drop(struct http1 *h)
{
    h->filled = h->parsed = 0;
}

/* Reads more of the request. Returns whether it is complete. Content is dropped at once. */
static bool request_read(struct http1 *h)
{
    struct reader *r = &h->reader;
    h->parsed += (uint32_t)reader_feed(r, h->receive + h->parsed, h->filled - h->parsed);
    if (r->phase == READER_BODY)
        h->filled = h->parsed = (uint32_t)(r->head + r->head_bytes - h->receive);
    return r->phase == READER_COMPLETE;
}

struct stream *http1_next(struct http1 *h, const struct now *now)
{
    struct stream *s = &h->stream;
    if (s->state != STREAM_READING || !request_read(h)) return NULL;
    s->headed_ns = now->monotonic_ns;
    s->path = h->receive + h->filled;
    return s;
}

/* The path needs no more room than the target, which is not longer than all that was received. */
char *http1_spare(struct http1 *h)
{
    uint32_t longest = h->reader.rules->target_bytes_max;
    return h->receive + h->filled + (h->filled < longest ? h->filled : longest) + 1;
}

void http1_answered(struct http1 *h, struct stream *s)
{
    reader_begin(&h->reader, &s->request, h->reader.rules);
    request_begins(h);
}

void http1_compact(struct http1 *h)
{
    struct reader *r = &h->reader;
    uint32_t offset = r->phase == READER_AWAITS ? h->parsed : (uint32_t)(r->head - h->receive);
    if (offset == 0 || h->stream.state != STREAM_READING) return;
    h->filled -= offset;
    h->parsed -= offset;
    memmove(h->receive, h->receive + offset, h->filled);
    reader_move(r, offset);
}

struct stream *http1_asking(struct http1 *h)
{
    return stream_asks(&h->stream) ? &h->stream : NULL;
}

struct stream *http1_parked(struct http1 *h)
{
    return h->stream.state == STREAM_PARKED ? &h->stream : NULL;
}

void http1_abandon(struct http1 *h)
{
    h->stream.state = STREAM_READING;
}

struct stream *http1_refuse(struct http1 *h, enum refusal why)
{
    reader_refuse(&h->reader, why);
    return &h->stream;
}
