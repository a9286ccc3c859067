/*
 * Answers as segments: heads, pages and small contents are copied into the output buffer, where
 * they grow into one segment, so that many small answers leave in one send; large contents are
 * pointed to. Moves no byte itself.
 */
#include "head.h"
#include "output.h"

#include <assert.h>

bool output_has_room(const struct conn_work *k)
{
    size_t needed = HEAD_ROOM(k->request.rules->target_bytes_max) + INLINE_BYTES_MAX;
    return k->planned < EXCHANGES_MAX && k->output_size - k->output_used >= needed;
}

static void segment_add(struct conn_work *k, struct segment segment)
{
    assert(k->segments < SEGMENTS_MAX && segment.length > 0);
    k->segment[k->segments++] = segment;
}

/* `length` bytes were written behind what the output buffer holds. */
static void output_grow(struct conn_work *k, size_t length)
{
    const char *base = k->output + k->output_used;
    k->output_used += (uint32_t)length;
    assert(k->output_used <= k->output_size);
    if (k->segments > k->drained) {
        struct segment *last = &k->segment[k->segments - 1];
        if (last->base && last->base + last->length == base) {
            last->length += length;
            return;
        }
    }
    segment_add(k, (struct segment){.base = base, .fd = -1, .length = length});
}

static void output_copy(struct conn_work *k, const char *base, size_t length)
{
    assert(length <= k->output_size - k->output_used);
    memcpy(k->output + k->output_used, base, length);
    output_grow(k, length);
}

static void content_add(struct conn_work *k, const struct representation *r, uint64_t offset,
                        uint64_t length)
{
    if (length == 0) return;
    if (!r->content)
        segment_add(k, (struct segment){.fd = r->fd, .offset = offset, .length = length});
    else if (length <= INLINE_BYTES_MAX)
        output_copy(k, r->content + offset, length);
    else
        segment_add(k, (struct segment){.base = r->content + offset, .fd = -1, .length = length});
}

/* What follows the head; returns how many bytes that is. */
static uint64_t content_put(struct conn_work *k, const struct plan *plan)
{
    if (plan->head_only) return 0;
    if (plan->page.length > 0) {
        output_copy(k, plan->page.base, plan->page.length);
        return plan->page.length;
    }
    if (!plan->selected) return 0;
    content_add(k, plan->selected, plan->offset, plan->length);
    return plan->length;
}

/* What Content-Length says (RFC 9110 §8.6), or would say in the response to a GET. */
static uint64_t content_length(const struct plan *plan)
{
    return plan->status == 200 && plan->selected ? plan->selected->length
                                                 : plan->page.length + plan->length;
}

void output_add(struct conn_work *k, const struct plan *plan, const struct conn_rules *rules,
                const struct now *now)
{
    assert(k->planned < EXCHANGES_MAX);
    struct exchange *exchange = &k->exchange[k->planned++];
    size_t head = head_write(k->output + k->output_used, plan, rules, &k->target, now);
    assert(head <= HEAD_ROOM(k->request.target.length));

    output_grow(k, head);
    uint64_t content = content_put(k, plan);
    assert(content == (plan->head_only ? 0 : content_length(plan)));

    exchange->status = plan->status;
    exchange->head_length = (uint32_t)head;
    exchange->offset = k->planned_bytes;
    exchange->length = head + content;
    bool from_file = plan->selected && plan->length > 0;
    exchange->coding = from_file ? plan->selected->coding : CODING_IDENTITY;
    exchange->source = from_file && content > 0 ? plan->selected->source : SOURCE_NONE;
    k->planned_bytes += exchange->length;
}

static void memory_next(const struct conn_work *k, struct outgoing *out)
{
    uint32_t i = k->drained;
    out->fd = -1;
    out->length = 0;
    for (; i < k->segments && k->segment[i].base && out->count < OUTGOING_VECTORS_MAX; i++) {
        const struct segment *s = &k->segment[i];
        out->vector[out->count++] = (struct iovec){(char *)(uintptr_t)s->base, s->length};
        out->length += s->length;
    }
    out->more = i < k->segments;
}

void output_next(const struct conn_work *k, struct outgoing *out)
{
    assert(k->drained < k->segments);
    const struct segment *first = &k->segment[k->drained];
    out->count = 0;
    if (first->base) {
        memory_next(k, out);
        return;
    }
    out->fd = first->fd;
    out->offset = first->offset;
    out->length = first->length;
    out->more = k->drained + 1 < k->segments;
}

void output_sent(struct conn_work *k, uint64_t length)
{
    assert(length > 0 && length <= k->planned_bytes - k->sent_bytes);
    k->sent_bytes += length;
    while (length > 0) {
        struct segment *s = &k->segment[k->drained];
        uint64_t part = length < s->length ? length : s->length;
        if (s->base)
            s->base += part;
        else
            s->offset += part;
        s->length -= part;
        length -= part;
        if (s->length == 0) k->drained++;
    }
}

void output_clear(struct conn_work *k)
{
    k->planned = k->settled = k->started = 0;
    k->planned_bytes = k->sent_bytes = 0;
    k->segments = k->drained = 0;
    k->output_used = 0;
}
