/*
 * The first line of an input is a Range, the second an If-Range, and others are more Ranges. They are tried
 * with representations of several lengths, and with several limits of the number of ranges. A part must be
 * within its representation, must not be empty, and must not touch another. When the parts are asked for by
 * their own positions, they must be the same again. Their multipart content must be as long as it was computed.
 */
#include "http/multipart.h"

#include <assert.h>
#include <stdio.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

#define NOW_SECONDS 1700000000

static void fields_fill(struct fields *fields, struct text input)
{
    for (unsigned number = 0; input.length > 0; number++) {
        const char *newline = memchr(input.base, '\n', input.length);
        size_t length = newline == NULL ? input.length : (size_t)(newline - input.base);
        enum field field = number == 1 ? FIELD_IF_RANGE : FIELD_RANGE;
        if (!fields_add(fields, field, (struct text){input.base, length})) return;
        length += newline != NULL;
        input = (struct text){input.base + length, input.length - length};
    }
}

/* Checks the parts. Returns how many bytes they have together. */
static uint64_t parts_check(const struct ranges *ranges, uint32_t most, uint64_t length)
{
    uint64_t sum = 0;
    assert(ranges->count > 0 && ranges->count <= most);
    for (uint32_t i = 0; i < ranges->count; i++) {
        struct range a = ranges->part[i];
        assert(a.length > 0 && a.offset < length && a.length <= length - a.offset);
        assert(a.length <= length - sum);
        sum += a.length;
        for (uint32_t j = 0; j < i; j++) {
            struct range b = ranges->part[j];
            assert(a.offset > b.offset + b.length || b.offset > a.offset + a.length);
        }
    }
    return sum;
}

/* Asks for the parts by their own positions: they must be the same again. */
static void again_check(const struct ranges *ranges, const struct representation *r)
{
    static char value[RANGES_MAX * 50];
    struct ranges again;
    struct fields fields = {0};
    size_t size = (size_t)sprintf(value, "bytes=");
    for (uint32_t i = 0; i < ranges->count; i++) {
        struct range part = ranges->part[i];
        if (i > 0) value[size++] = ',';
        size += decimal_write(value + size, part.offset);
        value[size++] = '-';
        size += decimal_write(value + size, part.offset + part.length - 1);
    }
    fields_add(&fields, FIELD_RANGE, (struct text){value, size});
    enum range_kind kind = range_select(&fields, r, ranges->count, NOW_SECONDS, &again);
    assert(kind == RANGE_PARTS && again.count == ranges->count);
    assert(memcmp(again.part, ranges->part, again.count * sizeof(again.part[0])) == 0);
}

static void multipart_check(const struct ranges *ranges, struct representation *r, uint64_t bytes)
{
    static const struct conn_rules rules = {.seed = {1, 2}};
    char head[PREPARED_HEAD_MAX], space[MULTIPART_HEAD_MAX];
    struct plan plan = {.status = 206, .selected = r, .ranges = ranges, .length = bytes};
    struct boundary boundary = multipart_boundary(&plan, &rules);
    uint64_t sum = bytes;
    r->media_type = TEXT("text/plain; charset=utf-8");
    representation_prepare_head(r, head, sizeof(head));
    for (uint32_t i = 0; i < ranges->count; i++)
        sum += multipart_head_write(space, &plan, i, &boundary);
    assert(sum + multipart_end_write(space, &boundary) == multipart_length(&plan));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static const uint64_t lengths[] = {0, 1, 2, 10, 4096, UINT32_MAX, INT64_MAX, UINT64_MAX};
    static const uint32_t most[] = {1, 2, 16, RANGES_MAX};
    struct fields fields = {0};
    fields_fill(&fields, (struct text){(const char *)bytes, size});
    for (size_t i = 0; i < 4 * sizeof(lengths) / sizeof(lengths[0]); i++) {
        struct representation r = {
            .length = lengths[i / 4], .etag = {"\"e\"", 3}, .modified_seconds = 784111777};
        struct ranges ranges;
        enum range_kind kind = range_select(&fields, &r, most[i % 4], NOW_SECONDS, &ranges);
        if (fields_count(&fields, FIELD_RANGE) != 1) assert(kind == RANGE_WHOLE);
        if (kind != RANGE_PARTS) continue;
        uint64_t sum = parts_check(&ranges, most[i % 4], r.length);
        again_check(&ranges, &r);
        if (r.length <= INT64_MAX) multipart_check(&ranges, &r, sum);
    }
    return 0;
}
