/*
 * Reads one request. The reader must never look at a byte that it was not given, and a request must mean
 * the same in one piece as in two. The first byte of the input says where the pieces are cut and how small
 * the limits are.
 */
#include "http/reader.h"
#include "http/target.h"

#include <sanitizer/asan_interface.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define holds(condition) ((condition) ? (void)0 : abort())

static struct conn_rules rules_of(uint8_t byte)
{
    return (struct conn_rules){
        .head_bytes_max = byte & 1 ? 256 : 4096,
        .target_bytes_max = byte & 2 ? 32 : 1024,
        .fields_max = byte & 4 ? 4 : 100,
        .body_bytes_max = byte & 8 ? 16 : 65536,
        .keep_alive = true,
    };
}

/*
 * What must not depend on the pieces, the status of a refusal included. Where reading stopped may, once it is
 * refused, and so may which of two faults is counted, since either may be met first.
 */
static void same(const struct reader *a, size_t a_used, const struct reader *b, size_t b_used)
{
    holds(a->phase == b->phase);
    if (a->phase == READER_AWAITS) { /* there is no request yet */
        holds(a_used == b_used);
        return;
    }
    holds(refusal_status(a->request->refused) == refusal_status(b->request->refused) &&
          a->request->unread == b->request->unread);
    if (a->request->refused != 0) return;
    holds(a_used == b_used);
    holds(a->head_bytes == b->head_bytes && a->body_bytes == b->body_bytes);
    holds(text_equals(a->request->target, b->request->target) &&
          text_equals(a->request->version, b->request->version));
    holds(a->lines == b->lines && a->request->fields.count == b->request->fields.count);
    for (uint32_t i = 0; i < a->request->fields.count; i++)
        holds(a->request->fields.line[i].field == b->request->fields.line[i].field &&
              text_equals(a->request->fields.line[i].value, b->request->fields.line[i].value));
    if (a->phase == READER_COMPLETE)
        holds(request_keeps_alive(a->request) == request_keeps_alive(b->request));
}

static bool within(struct text text, const char *base, size_t length)
{
    return !text.base || (text.base >= base && text.length <= length &&
                          (size_t)(text.base - base) <= length - text.length);
}

static void limits_hold(const struct reader *r, const char *base, size_t used)
{
    const struct conn_rules *rules = r->rules;
    if (r->phase == READER_AWAITS) return;
    holds(r->head_bytes <= rules->head_bytes_max);
    holds(r->body_bytes <= rules->body_bytes_max + 1);
    holds(r->request->refused != 0 || r->request->target.length <= rules->target_bytes_max);
    holds(r->request->refused != 0 || r->lines <= rules->fields_max);
    holds(r->request->refused == 0 || r->phase == READER_COMPLETE);
    holds(within(r->request->target, base, used) && within(r->request->version, base, used));
    for (uint32_t i = 0; i < r->request->fields.count; i++)
        holds(within(r->request->fields.line[i].value, base, used));
    if (r->phase != READER_COMPLETE || r->request->refused != 0) return;
    char *path = malloc(r->request->target.length + 1);
    target_parse(r->request->target, path);
    free(path);
}

/*
 * A request with tabs in its field lines, or bytes beyond ASCII in its target, must be framed as the
 * same one with spaces and letters there.
 */
static void framed_as_plain(const struct reader *r, char *bytes, size_t size, size_t used)
{
    if (r->phase != READER_COMPLETE || r->request->refused != 0) return;
    const char *line_end = r->request->version.base;
    for (char *at = bytes; at < r->head + r->head_bytes; at++) {
        if (at < line_end && (unsigned char)*at >= 0x80) *at = 'x';
        if (at > line_end && *at == '\t') *at = ' ';
    }
    struct reader plain;
    struct request request;
    reader_begin(&plain, &request, r->rules);
    size_t plain_used = reader_feed(&plain, bytes, size);
    holds(plain.phase == READER_COMPLETE && request.refused == 0 && !plain.stands_in);
    holds(plain_used == used && plain.lines == r->lines && request.unread == r->request->unread);
    holds(plain.chunked == r->chunked && plain.content_length == r->content_length);
    holds(request_keeps_alive(&request) == request_keeps_alive(r->request));
}

/* The bytes of the second piece must not be looked at before they are there. */
static size_t feed_two(struct reader *r, char *bytes, size_t size, size_t cut)
{
    ASAN_POISON_MEMORY_REGION(bytes + cut, size - cut);
    size_t used = reader_feed(r, bytes, cut);
    ASAN_UNPOISON_MEMORY_REGION(bytes + cut, size - cut);
    if (r->phase == READER_COMPLETE) return used;
    holds(used == cut || (r->phase == READER_AWAITS && used + 1 == cut));
    return used + reader_feed(r, bytes + used, size - used);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2 || size > 100000) return 0;
    struct conn_rules rules = rules_of(data[0]);
    size_t cut = 1 + (size_t)data[0] * 7 % (size - 1);
    struct reader one, two;
    struct request requests[2];
    data++, size--;
    char *whole = malloc(size), *pieces = malloc(size);
    memcpy(whole, data, size);
    memcpy(pieces, data, size);
    reader_begin(&one, &requests[0], &rules);
    size_t one_used = reader_feed(&one, whole, size);
    limits_hold(&one, whole, size);
    holds(one.phase == READER_COMPLETE || one_used == size ||
          (one.phase == READER_AWAITS && one_used + 1 == size));
    reader_begin(&two, &requests[1], &rules);
    size_t two_used = feed_two(&two, pieces, size, cut);
    same(&one, one_used, &two, two_used);
    framed_as_plain(&one, whole, size, one_used);
    free(whole);
    free(pieces);
    return 0;
}
