/*
 * The life of a connection. Each function below takes one fact in, changes the state, and ends
 * by choosing the next step; nothing here calls back, waits, or knows how bytes move.
 */
#include "negotiate.h"
#include "output.h"

#include <assert.h>
#include <stdalign.h>

static uint32_t output_size(const struct conn_rules *rules)
{
    return OUTPUT_BYTES + 3 * rules->target_bytes_max;
}

size_t conn_work_size(const struct conn_rules *rules)
{
    size_t size = sizeof(struct conn_work) + rules->target_bytes_max + 1 + rules->head_bytes_max +
                  RECEIVE_SLACK_BYTES + output_size(rules);
    return (size + alignof(max_align_t) - 1) & ~(alignof(max_align_t) - 1);
}

/* No further request is taken, and all responses are settled. */
static enum conn_step step_of_the_end(const struct conn *c)
{
    if (c->half_closed) return c->lingering ? CONN_RECEIVE : CONN_CLOSE;
    return c->lingering ? CONN_HALF_CLOSE : CONN_CLOSE;
}

static enum conn_step step_after_failure(const struct conn *c)
{
    const struct conn_work *k = c->work;
    return k && k->settled < k->planned ? CONN_SETTLE : step_of_the_end(c);
}

static bool exchange_is_done(const struct conn_work *k)
{
    const struct exchange *exchange = &k->exchange[k->settled];
    return k->settled < k->planned && exchange->offset + exchange->length <= k->sent_bytes;
}

/* Resolving comes before sending: what was received together is answered together. */
static enum conn_step step_choose(const struct conn *c)
{
    const struct conn_work *k = c->work;
    if (c->failed) return step_after_failure(c);
    if (k && k->asking && !k->parked) return CONN_RESOLVE;
    if (k && exchange_is_done(k)) return CONN_SETTLE;
    if (k && output_is_pending(k)) return CONN_SEND;
    if (k && k->parked) return CONN_PARKED;
    return c->closing ? step_of_the_end(c) : CONN_RECEIVE;
}

/* Nothing of a request has come yet; an empty line before it is nothing (RFC 9112 §2.2). */
static bool request_is_awaited(const struct conn *c)
{
    return !c->work || c->work->request.phase == REQUEST_AWAITED;
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
           (conn_next(c) == CONN_RECEIVE && !c->closing && (!k || k->filled == 0));
}

void conn_lend_work(struct conn *c, void *work)
{
    assert(!c->work);
    struct conn_work *k = c->work = work;
    const struct conn_rules *rules = c->rules;
    k->asking = k->parked = k->fetched = false;
    k->filled = k->parsed = 0;
    k->receive_size = rules->head_bytes_max + RECEIVE_SLACK_BYTES;
    k->output_size = output_size(rules);
    k->path = k->bytes;
    k->receive = k->path + rules->target_bytes_max + 1;
    k->output = k->receive + k->receive_size;
    output_clear(k);
    request_begin(&k->request, rules);
}

void *conn_return_work(struct conn *c)
{
    assert(c->work && conn_idle(c));
    void *work = c->work;
    c->work = NULL;
    return work;
}

/* The facts of an exchange that the request tells. */
static void exchange_describe(struct exchange *exchange, const struct conn_work *k)
{
    const struct request *r = &k->request;
    const struct fields *fields = &r->fields;
    exchange->lent = NULL;
    exchange->method = r->method;
    exchange->method_name = r->method_name;
    exchange->target = r->target;
    exchange->version = r->version;
    exchange->host = fields_value(fields, FIELD_HOST);
    exchange->referer = fields_value(fields, FIELD_REFERER);
    exchange->user_agent = fields_value(fields, FIELD_USER_AGENT);
    exchange->queue_ns = k->queue_ns;
    exchange->begun_ns = k->begun_ns;
    exchange->headed_ns = k->headed_ns;
    exchange->ready_ns = 0;
    exchange->refused = r->refused;
    exchange->content_bytes = 0;
}

/* An answer that is the last one: why the connection then ends, and whether gently. */
static void closing_begin(struct conn *c)
{
    const struct request *r = &c->work->request;
    c->closing = true;
    c->lingering = request_keeps_alive(r) || r->refused != REFUSAL_NONE || r->unread ||
                   c->work->parsed < c->work->filled;
    if (c->close_reason == CLOSE_NONE)
        c->close_reason = r->refused != REFUSAL_NONE ? CLOSE_BAD_REQUEST : CLOSE_FINISHED;
}

/* The request is answered by `plan`; the next one begins behind it. */
static void answer_add(struct conn *c, const struct plan *plan, const struct representation *lent,
                       const struct now *now)
{
    struct conn_work *k = c->work;
    struct exchange *exchange = &k->exchange[k->planned];
    exchange_describe(exchange, k);
    exchange->lent = lent;
    output_add(k, plan, c->rules, now);
    c->deadline_ns = now->monotonic_ns + c->rules->send_ns;
    if (!plan->keep_alive) {
        closing_begin(c);
        return;
    }
    request_begin(&k->request, c->rules);
    k->begun_ns = k->received_ns;
    k->queue_ns = k->received_queue_ns;
}

/* Makes the target a path; false when it is none that could be looked up. */
static bool target_take(struct conn_work *k)
{
    struct request *r = &k->request;
    k->target = (struct target){.form = TARGET_BAD};
    if (r->refused == REFUSAL_NONE) k->target = target_parse(r->target, k->path);
    return k->target.form == TARGET_ORIGIN || k->target.form == TARGET_ABSOLUTE ||
           (k->target.form == TARGET_ASTERISK && request_is(r, METHOD_OPTIONS));
}

/* Answers a complete request, or asks for its lookup. */
static void request_take(struct conn *c, const struct now *now)
{
    struct conn_work *k = c->work;
    struct plan plan;
    k->headed_ns = now->monotonic_ns;
    if (!target_take(k) && !request_is(&k->request, METHOD_CONNECT))
        request_refuse(&k->request, REFUSAL_TARGET);
    if (plan_without_lookup(&k->request, &plan)) {
        answer_add(c, &plan, NULL, now);
        return;
    }
    k->lookup.path = k->target.path;
    k->lookup.accepted = negotiate_accepted(&k->request.fields);
    k->lookup.accepted.original_otherwise = !c->rules->not_acceptable;
    k->asking = true;
}

/* Reads more of the request; true when it is complete. Content is dropped as it comes. */
static bool request_read(struct conn_work *k)
{
    struct request *r = &k->request;
    k->parsed += (uint32_t)request_feed(r, k->receive + k->parsed, k->filled - k->parsed);
    if (r->phase == REQUEST_BODY)
        k->filled = k->parsed = (uint32_t)(r->head + r->head_bytes - k->receive);
    return r->phase == REQUEST_COMPLETE;
}

/* Once all is settled, what is there of the next request moves to the front of the buffer. */
static void receive_compact(struct conn_work *k)
{
    struct request *r = &k->request;
    uint32_t offset = r->phase == REQUEST_AWAITED ? k->parsed : (uint32_t)(r->head - k->receive);
    if (offset == 0) return;
    k->filled -= offset;
    k->parsed -= offset;
    memmove(k->receive, k->receive + offset, k->filled);
    request_move(r, offset);
}

/* An open file is lent to the last response only, so a connection holds one, whatever it pipelines. */
static bool holds_file(const struct conn_work *k)
{
    const struct representation *lent = k->planned > 0 ? k->exchange[k->planned - 1].lent : NULL;
    return lent && lent->fd >= 0;
}

/* Takes requests while there are bytes, room for their answers, and nothing to wait for. */
static void requests_take(struct conn *c, const struct now *now)
{
    struct conn_work *k = c->work;
    while (!k->asking && !c->closing && k->parsed < k->filled && !holds_file(k) &&
           output_has_room(k)) {
        if (!request_read(k)) break;
        request_take(c, now);
    }
    if (k->planned == 0 && !k->asking && !c->closing) receive_compact(k);
    c->step = (uint8_t)step_choose(c);
}

struct iovec conn_receive_space(struct conn *c)
{
    assert(conn_next(c) == CONN_RECEIVE && c->work);
    struct conn_work *k = c->work;
    if (c->half_closed) k->filled = k->parsed = 0;
    assert(k->filled < k->receive_size);
    return (struct iovec){k->receive + k->filled, k->receive_size - k->filled};
}

static void peer_finished(struct conn *c)
{
    const struct conn_work *k = c->work;
    bool within = k && k->filled > 0 && !c->half_closed;
    conn_failed(c, within ? CLOSE_PEER_ABANDONED : CLOSE_PEER_CLOSED);
}

static uint64_t earlier(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* The peer still sends what nobody reads: it may not have read the last response yet. */
static void lingering_goes_on(struct conn *c, const struct now *now)
{
    c->deadline_ns = earlier(now->monotonic_ns + c->rules->linger_ns, c->work->linger_until_ns);
}

/* Content came. Its deadline moves by what was received, not by the fact that something was. */
static void content_received(struct conn *c, size_t length, const struct now *now)
{
    uint64_t earned_ns = length * (NS_PER_SECOND / BODY_BYTES_PER_SECOND_MIN);
    c->deadline_ns = earlier(c->deadline_ns + earned_ns, now->monotonic_ns + c->rules->body_ns);
}

/* More is needed. A deadline moves when a step was made: a head began, its content began. */
static void deadline_move(struct conn *c, enum request_phase before, size_t length,
                          const struct now *now)
{
    enum request_phase phase = c->work->request.phase;
    if (phase == REQUEST_BODY && before == REQUEST_BODY)
        content_received(c, length, now);
    else if (phase == REQUEST_BODY)
        c->deadline_ns = now->monotonic_ns + c->rules->body_ns;
    else if (phase == REQUEST_HEAD && before != REQUEST_HEAD)
        c->deadline_ns = now->monotonic_ns + c->rules->head_ns;
}

void conn_received(struct conn *c, size_t length, const struct now *now)
{
    assert(conn_next(c) == CONN_RECEIVE);
    if (length == 0) {
        peer_finished(c);
        return;
    }
    struct conn_work *k = c->work;
    if (c->half_closed) {
        lingering_goes_on(c, now);
        return;
    }
    assert(length <= k->receive_size - k->filled);
    enum request_phase before = k->request.phase;
    k->received_ns = now->monotonic_ns;
    k->received_queue_ns = now->monotonic_ns - now->woke_ns;
    if (before == REQUEST_AWAITED) {
        k->begun_ns = now->monotonic_ns;
        k->queue_ns = k->received_queue_ns;
    }
    k->filled += (uint32_t)length;
    requests_take(c, now);
    if (conn_next(c) == CONN_RECEIVE) deadline_move(c, before, length, now);
}

const struct lookup *conn_lookup(const struct conn *c)
{
    assert(conn_next(c) == CONN_RESOLVE);
    return &c->work->lookup;
}

void conn_resolved(struct conn *c, struct resolution answer, const struct now *now)
{
    assert(conn_next(c) == CONN_RESOLVE);
    struct conn_work *k = c->work;
    struct plan plan = plan_resolved(&k->request, answer, now->wall_seconds);
    k->asking = false;
    answer_add(c, &plan, answer.kind == RESOLUTION_FOUND ? answer.representation : NULL, now);
    struct exchange *exchange = &k->exchange[k->planned - 1];
    if (k->fetched && exchange->source != SOURCE_NONE) exchange->source = SOURCE_DISK;
    k->fetched = false;
    requests_take(c, now);
}

void conn_gathered(struct conn *c, const struct now *now)
{
    struct conn_work *k = c->work;
    for (uint32_t i = k->planned; i > k->started && k->exchange[i - 1].ready_ns == 0; i--)
        k->exchange[i - 1].ready_ns = now->monotonic_ns;
}

void conn_parked(struct conn *c)
{
    assert(conn_next(c) == CONN_RESOLVE);
    c->work->parked = true;
    c->step = (uint8_t)step_choose(c);
}

bool conn_unparked(struct conn *c)
{
    if (!c->work || !c->work->parked) return false;
    c->work->parked = false;
    c->work->fetched = true;
    c->step = (uint8_t)step_choose(c);
    return true;
}

void conn_outgoing(const struct conn *c, struct outgoing *out)
{
    assert(conn_next(c) == CONN_SEND);
    output_next(c->work, out);
}

/* Bytes were taken, perhaps the first of an answer. One that needed no lookup was ready at once. */
static uint32_t exchanges_start(struct conn_work *k, const struct now *now)
{
    uint32_t before = k->started;
    while (k->started < k->planned && k->exchange[k->started].offset < k->sent_bytes) {
        struct exchange *exchange = &k->exchange[k->started++];
        if (exchange->ready_ns == 0) exchange->ready_ns = exchange->headed_ns;
        exchange->first_ns = now->monotonic_ns;
    }
    return k->started - before;
}

uint32_t conn_sent(struct conn *c, uint64_t length, const struct now *now)
{
    assert(conn_next(c) == CONN_SEND);
    output_sent(c->work, length);
    uint32_t started = exchanges_start(c->work, now);
    c->deadline_ns = now->monotonic_ns + c->rules->send_ns;
    c->step = (uint8_t)step_choose(c);
    return started;
}

void conn_fetched(struct conn *c, const struct now *now)
{
    assert(conn_next(c) == CONN_SEND);
    c->work->exchange[c->work->settled].source = SOURCE_DISK;
    c->deadline_ns = now->monotonic_ns + c->rules->send_ns;
}

const struct representation *conn_sending(const struct conn *c)
{
    assert(conn_next(c) == CONN_SEND);
    return c->work->exchange[c->work->settled].lent;
}

void conn_taken(struct conn *c, const struct now *now)
{
    enum conn_step next = conn_next(c);
    assert(next == CONN_SEND || next == CONN_SETTLE || next == CONN_RESOLVE);
    c->deadline_ns = now->monotonic_ns + c->rules->send_ns;
}

const struct exchange *conn_exchange(struct conn *c, const struct now *now)
{
    assert(conn_next(c) == CONN_SETTLE);
    struct conn_work *k = c->work;
    struct exchange *exchange = &k->exchange[k->settled];
    uint64_t sent = k->sent_bytes > exchange->offset ? k->sent_bytes - exchange->offset : 0;
    if (sent > exchange->length) sent = exchange->length;
    assert(c->failed || sent == exchange->length);
    exchange->content_bytes = sent > exchange->head_length ? sent - exchange->head_length : 0;
    exchange->whole = sent == exchange->length;
    exchange->done_ns = now->monotonic_ns;
    return exchange;
}

/* How long to wait for more, once all is settled. */
static uint64_t patience_ns(const struct conn *c)
{
    const struct conn_rules *rules = c->rules;
    if (c->work->request.phase == REQUEST_BODY) return rules->body_ns;
    if (!request_is_awaited(c)) return rules->head_ns;
    return rules->draining && rules->linger_ns < rules->idle_ns ? rules->linger_ns : rules->idle_ns;
}

/* All that was planned is settled: the buffers begin anew with what was not yet read. */
static void batch_end(struct conn *c, const struct now *now)
{
    struct conn_work *k = c->work;
    output_clear(k);
    if (c->closing || c->failed || k->asking) return;
    receive_compact(k);
    requests_take(c, now);
    if (c->step == CONN_RECEIVE) c->deadline_ns = now->monotonic_ns + patience_ns(c);
}

const struct representation *conn_settled(struct conn *c, const struct now *now)
{
    assert(conn_next(c) == CONN_SETTLE);
    struct conn_work *k = c->work;
    const struct representation *lent = k->exchange[k->settled++].lent;
    c->requests++;
    if (k->settled == k->planned) batch_end(c, now);
    c->step = (uint8_t)step_choose(c);
    return lent;
}

void conn_half_closed(struct conn *c, const struct now *now)
{
    assert(conn_next(c) == CONN_HALF_CLOSE);
    c->half_closed = true;
    c->work->linger_until_ns = now->monotonic_ns + c->rules->linger_most_ns;
    lingering_goes_on(c, now);
    c->step = (uint8_t)step_choose(c);
}

static void request_expired(struct conn *c, const struct now *now)
{
    struct conn_work *k = c->work;
    struct plan plan;
    c->close_reason = k->request.phase == REQUEST_BODY ? CLOSE_BODY_TIMEOUT : CLOSE_HEAD_TIMEOUT;
    request_refuse(&k->request, REFUSAL_TIMEOUT);
    k->headed_ns = now->monotonic_ns;
    bool planned = plan_without_lookup(&k->request, &plan);
    assert(planned);
    answer_add(c, &plan, NULL, now);
    c->step = (uint8_t)step_choose(c);
}

/* Why the last answer was the last one says more, unless it was an ordinary end. */
static void linger_expired(struct conn *c)
{
    if (c->close_reason == CLOSE_FINISHED) c->close_reason = CLOSE_LINGER_TIMEOUT;
    conn_failed(c, CLOSE_LINGER_TIMEOUT);
}

void conn_expired(struct conn *c, const struct now *now)
{
    assert(conn_next(c) != CONN_PARKED);
    if (conn_next(c) == CONN_SEND)
        conn_failed(c, CLOSE_SEND_TIMEOUT);
    else if (c->half_closed)
        linger_expired(c);
    else if (!request_is_awaited(c))
        request_expired(c, now);
    else if (c->rules->draining)
        conn_failed(c, CLOSE_DRAINED);
    else
        conn_failed(c, c->requests > 0 ? CLOSE_IDLE_TIMEOUT : CLOSE_HEAD_TIMEOUT);
}

void conn_draining(struct conn *c, const struct now *now)
{
    uint64_t latest = now->monotonic_ns + c->rules->linger_ns;
    bool awaits = conn_next(c) == CONN_RECEIVE && !c->closing && request_is_awaited(c);
    if (awaits && c->deadline_ns > latest) c->deadline_ns = latest;
}

/* The peer is there and may read on: what it is owed before the cut, it shall get. */
static bool is_our_fault(enum close_reason why)
{
    return why == CLOSE_FILE_SHRANK || why == CLOSE_FILE_BROKEN || why == CLOSE_NO_MEMORY;
}

void conn_failed(struct conn *c, enum close_reason why)
{
    if (c->close_reason == CLOSE_NONE || !c->half_closed) c->close_reason = (uint8_t)why;
    c->lingering = is_our_fault(why) && c->work && !c->half_closed;
    c->failed = c->closing = true;
    if (c->work) c->work->asking = c->work->parked = false;
    c->step = (uint8_t)step_choose(c);
}
