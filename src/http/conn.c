/*
 * The life of a connection. Each function takes one fact, changes the state, and chooses the next
 * step at its end. No function calls back, waits, or knows how bytes are moved. http1.h knows what
 * the bytes mean, and output.h what is to be sent.
 */
#include "deadline.h"
#include "route.h"
#include "work.h"

#include <assert.h>
#include <stdalign.h>

#define PAGE_BYTES ((size_t)4096) /* with larger pages it works too, but saves less memory */

/* ---- the next step --------------------------------------------------------------------------- */

/* Returns the next step when no further request is taken and all responses are settled. */
static enum conn_step step_of_the_end(const struct conn *c)
{
    if (c->half_closed) return c->lingering ? CONN_RECEIVE : CONN_CLOSE;
    return c->lingering ? CONN_HALF_CLOSE : CONN_CLOSE;
}

/* RESOLVE comes before SEND, so that requests received together are answered together. */
static enum conn_step step_choose(const struct conn *c)
{
    struct conn_work *k = c->work;
    if (c->failed && k && !output_is_settled(&k->output)) return CONN_SETTLE;
    if (c->failed) return step_of_the_end(c);
    if (k && http1_asking(&k->http1)) return CONN_RESOLVE;
    if (k && output_is_done(&k->output)) return CONN_SETTLE;
    if (k && output_is_pending(&k->output)) return CONN_SEND;
    if (k && http1_parked(&k->http1)) return CONN_PARKED;
    return c->closing ? step_of_the_end(c) : CONN_RECEIVE;
}

/* Returns whether no request has begun. Empty lines do not begin one (RFC 9112 §2.2). */
static bool request_is_awaited(const struct conn *c)
{
    return !c->work || http1_phase(&c->work->http1) == READER_AWAITS;
}

/* ---- beginning and idling -------------------------------------------------------------------- */

/* Returns the size of a work area up to the places of the output, rounded up to their alignment. */
static size_t work_bytes(const struct conn_rules *rules)
{
    size_t bytes = sizeof(struct conn_work) + http1_space_size(rules) + output_size(rules);
    return (bytes + alignof(max_align_t) - 1) & ~(alignof(max_align_t) - 1);
}

/* Whole pages, so that the memory of one connection lies in as few pages as possible. */
size_t conn_work_size(const struct conn_rules *rules)
{
    size_t size =
        work_bytes(rules) + (OUTPUT_PLACES(rules->ranges_max) - 1) * sizeof(struct output_place);
    return (size + PAGE_BYTES - 1) & ~(PAGE_BYTES - 1);
}

void conn_open(struct conn *c, const struct conn_rules *rules, const struct now *now)
{
    *c = (struct conn){.rules = rules, .deadline_ns = now->monotonic_ns + rules->head_ns};
    c->step = (uint8_t)step_choose(c);
}

bool conn_idle(const struct conn *c)
{
    const struct conn_work *k = c->work;
    return conn_next(c) == CONN_CLOSE ||
           (conn_next(c) == CONN_RECEIVE && !c->closing && (!k || !http1_holds_bytes(&k->http1)));
}

void conn_lend_work(struct conn *c, void *work)
{
    assert(!c->work);
    struct conn_work *k = c->work = work;
    http1_open(&k->http1, c->rules, k->bytes);
    output_open(&k->output, c->rules, (void *)((char *)work + work_bytes(c->rules)));
}

void *conn_return_work(struct conn *c)
{
    assert(c->work && conn_idle(c));
    void *work = c->work;
    c->work = NULL;
    return work;
}

void conn_from(struct conn *c, const struct origin *peer)
{
    http1_from(&c->work->http1, peer);
}

void conn_ids(struct conn *c, struct request_ids *ids)
{
    http1_ids(&c->work->http1, ids);
}

/* ---- responses ------------------------------------------------------------------------------- */

/* The last response is planned: sets why the connection ends, and whether it lingers before. */
static void closing_begin(struct conn *c, const struct request *r)
{
    c->closing = true;
    c->lingering = request_keeps_alive(r) || r->refused != REFUSAL_NONE || r->unread ||
                   http1_has_more(&c->work->http1);
    if (c->close_reason == CLOSE_NONE)
        c->close_reason = r->refused != REFUSAL_NONE ? CLOSE_BAD_REQUEST : CLOSE_FINISHED;
}

/* Adds the response `plan` to the output. `lent` is what the store lent for it, or NULL. */
static void answer_add(struct conn *c, struct stream *s, const struct plan *plan,
                       const struct representation *lent, const struct now *now)
{
    struct output *out = &c->work->output;
    struct exchange *exchange = output_next_exchange(out);
    stream_describe(s, c->rules, c->peer_trusted, exchange);
    exchange->lent = lent;
    if (out->planned == 0) output_begin(out, http1_spare(&c->work->http1));
    output_add(out, plan, c->rules, &s->target, now);
    c->deadline_ns = now->monotonic_ns + c->rules->send_ns;
    if (plan->keep_alive)
        http1_answered(&c->work->http1, s);
    else
        closing_begin(c, &s->request);
}

/* Rules that ask for it are told who sends the request. */
static void request_name(const struct conn *c, struct stream *s)
{
    const struct sites *sites = c->rules->sites;
    if (sites && (sites->by_address || sites->by_scheme)) stream_name(s, c->rules, c->peer_trusted);
}

/* Takes received requests until one needs a lookup, or the output is full or has an open file. */
static void requests_take(struct conn *c, const struct now *now)
{
    struct conn_work *k = c->work;
    struct stream *s;
    struct plan plan;
    while (http1_has_more(&k->http1) && !c->closing && !output_holds_file(&k->output) &&
           output_has_room(&k->output) && (s = http1_next(&k->http1, now)) != NULL) {
        request_name(c, s);
        if (stream_take(s, c->rules, c->last, &plan)) answer_add(c, s, &plan, NULL, now);
    }
    if (k->output.planned == 0 && !c->closing) http1_compact(&k->http1);
    c->step = (uint8_t)step_choose(c);
}

struct stream *conn_asking(const struct conn *c)
{
    assert(conn_next(c) == CONN_RESOLVE);
    return http1_asking(&c->work->http1);
}

const struct lookup *conn_lookup(const struct stream *s)
{
    assert(stream_asks(s));
    return &s->lookup;
}

bool conn_asks_again(const struct stream *s)
{
    return s->asks_again;
}

const struct credentials *conn_credentials(const struct conn *c, const struct stream *s)
{
    assert(stream_asks(s));
    return c->rules->sites && s->credentials.users ? &s->credentials : NULL;
}

const struct origin *conn_origin(const struct stream *s)
{
    return &s->asker.from;
}

uint64_t conn_asked_ns(const struct stream *s)
{
    return s->headed_ns;
}

bool conn_admitted(struct conn *c, struct stream *s, enum admission admission,
                   const struct now *now)
{
    struct plan plan;
    assert(conn_next(c) == CONN_RESOLVE && conn_credentials(c, s));
    if (!stream_admitted(s, c->rules, c->last, admission, &plan)) return true;
    answer_add(c, s, &plan, NULL, now);
    requests_take(c, now);
    return false;
}

const struct representation *conn_resolved(struct conn *c, struct stream *s,
                                           struct resolution found, const struct now *now)
{
    assert(conn_next(c) == CONN_RESOLVE);
    const struct representation *lent =
        found.kind == RESOLUTION_FOUND ? found.representation : NULL;
    s->asks_again = c->rules->sites && route_goes_on(s, c->rules, found, now->wall_seconds);
    if (s->asks_again) return lent;
    bool fetched = s->state == STREAM_FETCHED;
    struct ranges ranges; /* the plan may point to it */
    struct plan plan = stream_resolved(s, c->rules, c->last, found, now, &ranges);
    plan.fetched = fetched;
    answer_add(c, s, &plan, lent, now);
    requests_take(c, now);
    return NULL;
}

void conn_parked(struct conn *c, struct stream *s)
{
    assert(conn_next(c) == CONN_RESOLVE && stream_asks(s));
    s->state = STREAM_PARKED;
    c->step = (uint8_t)step_choose(c);
}

bool conn_unparked(struct conn *c, struct stream *s, bool fetched)
{
    if (s->state != STREAM_PARKED) return false;
    s->state = fetched ? STREAM_FETCHED : STREAM_ASKING;
    c->step = (uint8_t)step_choose(c);
    return true;
}

/* ---- receiving ------------------------------------------------------------------------------- */

bool conn_receives(const struct conn *c)
{
    if (conn_next(c) == CONN_RECEIVE) return true;
    return c->work && !c->closing && http1_receives_while_sending(&c->work->http1);
}

struct iovec conn_receive_space(struct conn *c)
{
    assert(conn_receives(c) && c->work);
    if (c->half_closed) http1_drop(&c->work->http1);
    return http1_receive_space(&c->work->http1);
}

static void peer_finished(struct conn *c)
{
    bool within = c->work && http1_holds_bytes(&c->work->http1) && !c->half_closed;
    conn_failed(c, within ? CLOSE_PEER_ABANDONED : CLOSE_PEER_CLOSED);
}

void conn_received(struct conn *c, size_t length, uint64_t waited_ns, const struct now *now)
{
    assert(conn_receives(c));
    if (length == 0) {
        peer_finished(c);
        return;
    }
    if (c->half_closed) {
        deadline_lingered(c, length, now);
        return;
    }
    enum reader_phase before = http1_phase(&c->work->http1);
    http1_received(&c->work->http1, length, waited_ns, now);
    requests_take(c, now);
    if (conn_next(c) == CONN_RECEIVE) deadline_received(c, before, length, now);
}

/* ---- sending --------------------------------------------------------------------------------- */

void conn_gathered(struct conn *c, const struct now *now)
{
    output_gathered(&c->work->output, now);
}

void conn_outgoing(const struct conn *c, struct outgoing *out)
{
    assert(conn_next(c) == CONN_SEND);
    output_next(&c->work->output, out);
}

uint32_t conn_sent(struct conn *c, uint64_t length, const struct now *now)
{
    assert(c->work && output_is_pending(&c->work->output));
    uint32_t started = output_sent(&c->work->output, length, now);
    deadline_sent(c, length, now);
    c->step = (uint8_t)step_choose(c);
    return started;
}

void conn_fetched(struct conn *c, const struct now *now)
{
    assert(conn_next(c) == CONN_SEND);
    output_first(&c->work->output)->source = SOURCE_DISK;
    c->deadline_ns = now->monotonic_ns + c->rules->send_ns;
}

const struct representation *conn_sending(const struct conn *c)
{
    assert(conn_next(c) == CONN_SEND);
    return output_first(&c->work->output)->lent;
}

void conn_taken(struct conn *c, uint64_t bytes, const struct now *now)
{
    enum conn_step next = conn_next(c);
    assert(next == CONN_SEND || next == CONN_SETTLE || next == CONN_RESOLVE);
    deadline_sent(c, bytes, now);
}

/* ---- settling -------------------------------------------------------------------------------- */

const struct exchange *conn_exchange(struct conn *c, const struct now *now)
{
    assert(conn_next(c) == CONN_SETTLE);
    const struct exchange *exchange = output_settling(&c->work->output, now);
    assert(c->failed || exchange->whole);
    return exchange;
}

/* Returns how long to wait for more bytes when all responses are settled. */
static uint64_t patience_ns(const struct conn *c)
{
    const struct conn_rules *rules = c->rules;
    if (http1_phase(&c->work->http1) == READER_BODY) return rules->body_ns;
    if (!request_is_awaited(c)) return rules->head_ns;
    return c->last ? earlier(rules->linger_ns, rules->idle_ns) : rules->idle_ns;
}

/* All planned responses are settled: empties the output and goes on with the bytes not yet read. */
static void batch_end(struct conn *c, const struct now *now)
{
    struct conn_work *k = c->work;
    output_clear(&k->output);
    if (c->closing || c->failed) {
        c->step = (uint8_t)step_choose(c);
        return;
    }
    requests_take(c, now);
    if (c->step == CONN_RECEIVE) c->deadline_ns = now->monotonic_ns + patience_ns(c);
}

void conn_settled(struct conn *c, const struct now *now)
{
    assert(conn_next(c) == CONN_SETTLE);
    struct output *out = &c->work->output;
    out->settled++;
    c->requests++;
    if (output_is_settled(out))
        batch_end(c, now);
    else
        c->step = (uint8_t)step_choose(c);
}

/* ---- ending ---------------------------------------------------------------------------------- */

void conn_half_closed(struct conn *c, const struct now *now)
{
    assert(conn_next(c) == CONN_HALF_CLOSE);
    c->half_closed = true;
    c->work->linger_until_ns = now->monotonic_ns + c->rules->linger_most_ns;
    deadline_linger(c, now);
    c->step = (uint8_t)step_choose(c);
}

static void request_expired(struct conn *c, const struct now *now)
{
    struct http1 *h = &c->work->http1;
    struct plan plan;
    c->close_reason = http1_phase(h) == READER_BODY ? CLOSE_BODY_TIMEOUT : CLOSE_HEAD_TIMEOUT;
    struct stream *s = http1_refuse(h, REFUSAL_TIMEOUT);
    s->headed_ns = now->monotonic_ns;
    stream_refuse(s, REFUSAL_TIMEOUT, &plan);
    answer_add(c, s, &plan, NULL, now);
    c->step = (uint8_t)step_choose(c);
}

/* Replaces FINISHED as the close reason. Any other reason says more than LINGER_TIMEOUT. */
static void linger_expired(struct conn *c)
{
    if (c->close_reason == CLOSE_FINISHED) c->close_reason = CLOSE_LINGER_TIMEOUT;
    conn_failed(c, CLOSE_LINGER_TIMEOUT);
}

void conn_expired(struct conn *c, const struct now *now)
{
    assert(conn_next(c) != CONN_PARKED);
    if (conn_next(c) == CONN_SEND)
        conn_failed(c, c->slow ? CLOSE_SEND_SLOW : CLOSE_SEND_TIMEOUT);
    else if (c->half_closed)
        linger_expired(c);
    else if (!request_is_awaited(c))
        request_expired(c, now);
    else if (c->last)
        conn_failed(c, CLOSE_DRAINED);
    else
        conn_failed(c, c->requests > 0 ? CLOSE_IDLE_TIMEOUT : CLOSE_HEAD_TIMEOUT);
}

void conn_draining(struct conn *c, const struct now *now)
{
    uint64_t latest = now->monotonic_ns + c->rules->linger_ns;
    bool awaits = conn_next(c) == CONN_RECEIVE && !c->closing && request_is_awaited(c);
    if (awaits && c->deadline_ns > latest) c->deadline_ns = latest;
    c->last = true;
}

/* Returns whether the server failed, so that the peer must still get what was sent before. */
static bool is_our_fault(enum close_reason why)
{
    return why == CLOSE_FILE_SHRANK || why == CLOSE_FILE_BROKEN || why == CLOSE_NO_MEMORY;
}

void conn_failed(struct conn *c, enum close_reason why)
{
    if (c->close_reason == CLOSE_NONE || !c->half_closed) c->close_reason = (uint8_t)why;
    c->lingering = is_our_fault(why) && c->work && !c->half_closed;
    c->failed = c->closing = true;
    if (c->work) http1_abandon(&c->work->http1);
    c->step = (uint8_t)step_choose(c);
}
