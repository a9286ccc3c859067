/*
 * Makes segments from responses. Heads, pages and small contents are copied to the output buffer.
 * There they become one segment, so that one call sends many small responses. Segments of large
 * contents point to the representation. No byte is sent here.
 */
#include "output.h"
#include "head.h"
#include "multipart.h"

#include <assert.h>

#define USED_MAX (OUTPUT_BYTES - HEAD_ROOM(0) - INLINE_BYTES_MAX) /* any response fits behind it */

/* Returns the most bytes that one response needs besides HEAD_ROOM(0) and INLINE_BYTES_MAX. */
static uint32_t room_beyond(const struct conn_rules *rules)
{
    size_t location = HEAD_ROOM(rules->target_bytes_max) - HEAD_ROOM(0);
    size_t parts = MULTIPART_ROOM(rules->ranges_max);
    return (uint32_t)((location > parts ? location : parts) + head_room_added(rules));
}

uint32_t output_size(const struct conn_rules *rules)
{
    return OUTPUT_BYTES + room_beyond(rules);
}

void output_open(struct output *out, const struct conn_rules *rules, struct output_place *more)
{
    out->more = more;
    out->base = NULL;
    out->size = output_size(rules);
    out->segments_max = SEGMENTS_MAX(rules->ranges_max);
    output_clear(out);
}

void output_clear(struct output *out)
{
    out->planned = out->settled = out->started = 0;
    out->planned_bytes = out->sent_bytes = 0;
    out->segments = out->drained = 0;
    out->holds_file = false;
    out->used = 0;
}

void output_begin(struct output *out, char *base)
{
    assert(out->planned == 0);
    out->base = base;
}

bool output_has_room(const struct output *out)
{
    return out->planned < EXCHANGES_MAX && out->used <= USED_MAX;
}

/* ---- adding ---------------------------------------------------------------------------------- */

static void segment_add(struct output *out, struct segment segment)
{
    assert(out->segments < out->segments_max && segment.length > 0);
    *output_segment(out, out->segments++) = segment;
}

/* `length` bytes were written behind the buffer's content: adds them to the segments. */
static void output_grow(struct output *out, size_t length)
{
    const char *base = out->base + out->used;
    out->used += (uint32_t)length;
    assert(out->used <= out->size);
    if (out->segments > out->drained) {
        struct segment *last = output_segment(out, out->segments - 1);
        if (last->base && last->base + last->length == base) {
            last->length += length;
            return;
        }
    }
    segment_add(out, (struct segment){.base = base, .fd = -1, .length = length});
}

static void output_copy(struct output *out, const char *base, size_t length)
{
    assert(length <= out->size - out->used);
    memcpy(out->base + out->used, base, length);
    output_grow(out, length);
}

/* Adds a segment that points to content of `r`. */
static void content_point(struct output *out, const struct representation *r, struct range part)
{
    if (r->content)
        segment_add(out, (struct segment){
                             .base = r->content + part.offset, .fd = -1, .length = part.length});
    else
        segment_add(out,
                    (struct segment){.fd = r->fd, .offset = part.offset, .length = part.length});
}

/*
 * Adds several parts, with their heads and the end. Returns how many bytes it all has. At most
 * INLINE_BYTES_MAX bytes of their content are copied. The rest of the buffer counts as used, so that
 * no response is added to this output any more: there may be no segments for another one.
 */
static uint64_t parts_put(struct output *out, const struct plan *plan,
                          const struct conn_rules *rules)
{
    struct boundary boundary = multipart_boundary(plan, rules);
    const struct representation *r = plan->selected;
    uint64_t copied = 0, sum = 0;
    for (uint32_t i = 0; i < plan->ranges->count; i++) {
        struct range part = plan->ranges->part[i];
        size_t head = multipart_head_write(out->base + out->used, plan, i, &boundary);
        output_grow(out, head);
        sum += head + part.length;
        if (r->content && copied + part.length <= INLINE_BYTES_MAX) {
            output_copy(out, r->content + part.offset, part.length);
            copied += part.length;
        } else {
            content_point(out, r, part);
        }
    }
    size_t end = multipart_end_write(out->base + out->used, &boundary);
    output_grow(out, end);
    out->used = out->size;
    return sum + end;
}

/* Adds the content of a response. Returns its length in bytes. */
static uint64_t content_put(struct output *out, const struct plan *plan,
                            const struct conn_rules *rules)
{
    if (plan->head_only) return 0;
    if (plan->length == 0) {
        if (plan->page.length > 0) output_copy(out, plan->page.base, plan->page.length);
        return plan->page.length;
    }
    if (plan->ranges) return parts_put(out, plan, rules);
    if (plan->selected->content && plan->length <= INLINE_BYTES_MAX)
        output_copy(out, plan->selected->content + plan->offset, plan->length);
    else
        content_point(out, plan->selected, (struct range){plan->offset, plan->length});
    return plan->length;
}

static enum source source_of(const struct plan *plan)
{
    return plan->fetched ? SOURCE_DISK : plan->selected->source;
}

struct exchange *output_next_exchange(struct output *out)
{
    assert(out->planned < EXCHANGES_MAX);
    return output_exchange(out, out->planned);
}

void output_add(struct output *out, const struct plan *plan, const struct conn_rules *rules,
                const struct target *target, const struct now *now)
{
    struct exchange *exchange = output_next_exchange(out);
    bool from_file = plan->selected && plan->length > 0;
    exchange->source = from_file && !plan->head_only ? source_of(plan) : SOURCE_NONE;
    size_t head =
        plan->bare ? 0 : head_write(out->base + out->used, plan, rules, target, exchange, now);
    assert(head <= HEAD_ROOM(rules->target_bytes_max) + head_room_added(rules));

    if (head > 0) output_grow(out, head);
    uint64_t content = content_put(out, plan, rules);
    assert(content == (plan->head_only ? 0 : plan_content_length(plan)));

    exchange->status = plan->status;
    exchange->head_length = (uint32_t)head;
    exchange->offset = out->planned_bytes;
    exchange->length = head + content;
    exchange->coding = from_file ? plan->selected->coding : CODING_IDENTITY;
    out->holds_file = exchange->lent && exchange->lent->fd >= 0;
    out->planned_bytes += exchange->length;
    out->planned++;
}

/* ---- sending --------------------------------------------------------------------------------- */

static void memory_next(const struct output *out, struct outgoing *next)
{
    uint32_t i = out->drained;
    next->fd = -1;
    next->length = 0;
    for (; i < out->segments && next->count < OUTGOING_VECTORS_MAX; i++) {
        const struct segment *s = output_segment(out, i);
        if (!s->base) break;
        next->vector[next->count++] = (struct iovec){(char *)(uintptr_t)s->base, s->length};
        next->length += s->length;
    }
    next->more = i < out->segments;
}

void output_next(const struct output *out, struct outgoing *next)
{
    assert(out->drained < out->segments);
    const struct segment *first = output_segment(out, out->drained);
    next->count = 0;
    if (first->base) {
        memory_next(out, next);
        return;
    }
    next->fd = first->fd;
    next->offset = first->offset;
    next->length = first->length;
    next->more = out->drained + 1 < out->segments;
}

static void segments_drain(struct output *out, uint64_t length)
{
    while (length > 0) {
        struct segment *s = output_segment(out, out->drained);
        uint64_t part = length < s->length ? length : s->length;
        if (s->base)
            s->base += part;
        else
            s->offset += part;
        s->length -= part;
        length -= part;
        if (s->length == 0) out->drained++;
    }
}

/* A response that needed no lookup was ready when its request was complete. */
static void exchange_start(struct exchange *exchange, const struct now *now)
{
    if (exchange->ready_ns == 0) exchange->ready_ns = exchange->headed_ns;
    exchange->first_ns = now->monotonic_ns;
}

uint32_t output_sent(struct output *out, uint64_t length, const struct now *now)
{
    assert(length > 0 && length <= out->planned_bytes - out->sent_bytes);
    uint32_t before = out->started;
    out->sent_bytes += length;
    segments_drain(out, length);
    while (out->started < out->planned &&
           output_exchange(out, out->started)->offset < out->sent_bytes)
        exchange_start(output_exchange(out, out->started++), now);
    return out->started - before;
}

/* ---- exchanges ------------------------------------------------------------------------------- */

bool output_is_settled(const struct output *out)
{
    return out->settled == out->planned;
}

bool output_is_done(const struct output *out)
{
    const struct exchange *exchange = output_exchange(out, out->settled);
    return !output_is_settled(out) && exchange->offset + exchange->length <= out->sent_bytes;
}

void output_gathered(struct output *out, const struct now *now)
{
    for (uint32_t i = out->planned; i > out->started; i--) {
        struct exchange *exchange = output_exchange(out, i - 1);
        if (exchange->ready_ns != 0) break;
        exchange->ready_ns = now->monotonic_ns;
    }
}

struct exchange *output_first(struct output *out)
{
    assert(!output_is_settled(out));
    return output_exchange(out, out->settled);
}

const struct exchange *output_settling(struct output *out, const struct now *now)
{
    struct exchange *exchange = output_first(out);
    uint64_t sent = out->sent_bytes > exchange->offset ? out->sent_bytes - exchange->offset : 0;
    if (sent > exchange->length) sent = exchange->length;
    exchange->content_bytes = sent > exchange->head_length ? sent - exchange->head_length : 0;
    exchange->whole = sent == exchange->length;
    exchange->done_ns = now->monotonic_ns;
    return exchange;
}
