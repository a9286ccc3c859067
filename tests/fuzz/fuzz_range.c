/*
 * The first line of an input is a Range, the second an If-Range, and others are more Ranges. They are tried
 * with representations of several lengths. A part must be within its representation and must not be empty.
 */
#include "http/range.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

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

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static const uint64_t lengths[] = {0, 1, 2, 10, 4096, UINT32_MAX, INT64_MAX, UINT64_MAX};
    struct fields fields = {0};
    fields_fill(&fields, (struct text){(const char *)bytes, size});
    for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
        struct representation r = {
            .length = lengths[i], .etag = {"\"e\"", 3}, .modified_seconds = 784111777};
        struct range range = range_select(&fields, &r, 1700000000);
        if (range.kind == RANGE_PART) {
            assert(range.length > 0 && range.offset < r.length);
            assert(range.length <= r.length - range.offset);
        } else {
            assert(range.offset == 0 && range.length == 0);
        }
        if (fields_count(&fields, FIELD_RANGE) != 1) assert(range.kind == RANGE_WHOLE);
    }
    return 0;
}
