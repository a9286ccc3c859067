/*
 * Reading one request. It must never look at a byte it was not given, and mean the same in one
 * piece as in two. The first byte of the input says where the pieces part and how small the limits are.
 */
#include "http/request.h"
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
static void same(const struct request *a, size_t a_used, const struct request *b, size_t b_used)
{
    holds(a->phase == b->phase && refusal_status(a->refused) == refusal_status(b->refused) &&
          a->unread == b->unread);
    if (a->refused != 0) return;
    holds(a_used == b_used);
    holds(a->head_bytes == b->head_bytes && a->body_bytes == b->body_bytes);
    holds(text_equals(a->target, b->target) && text_equals(a->version, b->version));
    holds(a->lines == b->lines && a->fields.count == b->fields.count);
    for (uint32_t i = 0; i < a->fields.count; i++)
        holds(a->fields.line[i].field == b->fields.line[i].field &&
              text_equals(a->fields.line[i].value, b->fields.line[i].value));
    if (a->phase == REQUEST_COMPLETE) holds(request_keeps_alive(a) == request_keeps_alive(b));
}

static bool within(struct text text, const char *base, size_t length)
{
    return !text.base || (text.base >= base && text.length <= length &&
                          (size_t)(text.base - base) <= length - text.length);
}

static void limits_hold(const struct request *r, const char *base, size_t used)
{
    const struct conn_rules *rules = r->rules;
    holds(r->head_bytes <= rules->head_bytes_max);
    holds(r->body_bytes <= rules->body_bytes_max + 1);
    holds(r->refused != 0 || r->target.length <= rules->target_bytes_max);
    holds(r->refused != 0 || r->lines <= rules->fields_max);
    holds(r->refused == 0 || r->phase == REQUEST_COMPLETE);
    holds(within(r->target, base, used) && within(r->version, base, used));
    for (uint32_t i = 0; i < r->fields.count; i++)
        holds(within(r->fields.line[i].value, base, used));
    if (r->phase != REQUEST_COMPLETE || r->refused != 0) return;
    char *path = malloc(r->target.length + 1);
    target_parse(r->target, path);
    free(path);
}

/*
 * A request with tabs in its field lines, or bytes beyond ASCII in its target, must be framed as the
 * same one with spaces and letters there.
 */
static void framed_as_plain(const struct request *r, char *bytes, size_t size, size_t used)
{
    if (r->phase != REQUEST_COMPLETE || r->refused != 0) return;
    const char *line_end = r->version.base;
    for (char *at = bytes; at < r->head + r->head_bytes; at++) {
        if (at < line_end && (unsigned char)*at >= 0x80) *at = 'x';
        if (at > line_end && *at == '\t') *at = ' ';
    }
    struct request plain;
    request_begin(&plain, r->rules);
    size_t plain_used = request_feed(&plain, bytes, size);
    holds(plain.phase == REQUEST_COMPLETE && plain.refused == 0 && !plain.stands_in);
    holds(plain_used == used && plain.lines == r->lines && plain.unread == r->unread);
    holds(plain.chunked == r->chunked && plain.content_length == r->content_length);
    holds(request_keeps_alive(&plain) == request_keeps_alive(r));
}

/* The bytes of the second piece must not be looked at before they are there. */
static size_t feed_two(struct request *r, char *bytes, size_t size, size_t cut)
{
    ASAN_POISON_MEMORY_REGION(bytes + cut, size - cut);
    size_t used = request_feed(r, bytes, cut);
    ASAN_UNPOISON_MEMORY_REGION(bytes + cut, size - cut);
    if (r->phase == REQUEST_COMPLETE) return used;
    holds(used == cut || (r->phase == REQUEST_AWAITED && used + 1 == cut));
    return used + request_feed(r, bytes + used, size - used);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2 || size > 100000) return 0;
    struct conn_rules rules = rules_of(data[0]);
    size_t cut = 1 + (size_t)data[0] * 7 % (size - 1);
    struct request one, two;
    data++, size--;
    char *whole = malloc(size), *pieces = malloc(size);
    memcpy(whole, data, size);
    memcpy(pieces, data, size);
    request_begin(&one, &rules);
    size_t one_used = request_feed(&one, whole, size);
    limits_hold(&one, whole, size);
    holds(one.phase == REQUEST_COMPLETE || one_used == size ||
          (one.phase == REQUEST_AWAITED && one_used + 1 == size));
    request_begin(&two, &rules);
    size_t two_used = feed_two(&two, pieces, size, cut);
    same(&one, one_used, &two, two_used);
    framed_as_plain(&one, whole, size, one_used);
    free(whole);
    free(pieces);
    return 0;
}
