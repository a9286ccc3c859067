/*
 * Each line of an input is a field. Its first letter says which (m If-Match, n If-None-Match, s
 * If-Modified-Since, u If-Unmodified-Since), and the rest is its value. A response of 304 or 412 needs a
 * field that can cause it, and a tag that nobody sent never matches.
 */
#include "http/condition.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static enum field field_of(char letter)
{
    switch (letter) {
    case 'm': return FIELD_IF_MATCH;
    case 'n': return FIELD_IF_NONE_MATCH;
    case 's': return FIELD_IF_MODIFIED_SINCE;
    case 'u': return FIELD_IF_UNMODIFIED_SINCE;
    default: return FIELD_OTHER;
    }
}

/* Whether any value is "*" alone. */
static bool fields_fill(struct fields *fields, struct text input)
{
    bool star = false;
    while (input.length > 0) {
        const char *newline = memchr(input.base, '\n', input.length);
        size_t length = newline == NULL ? input.length : (size_t)(newline - input.base);
        if (length > 0) {
            struct text value = {input.base + 1, length - 1};
            star |= text_equals(value, TEXT("*"));
            if (!fields_add(fields, field_of(input.base[0]), value)) break;
        }
        length += newline != NULL;
        input = (struct text){input.base + length, input.length - length};
    }
    return star;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    const struct text input = {(const char *)bytes, size};
    struct representation r = {.etag = {"\"a,b\"", 5}, .modified_seconds = 784111777};
    struct fields fields = {0};
    bool star = fields_fill(&fields, input);
    bool match = fields_have(&fields, FIELD_IF_MATCH);
    bool none_match = fields_have(&fields, FIELD_IF_NONE_MATCH);

    enum condition now = condition_evaluate(&fields, &r, 1700000000);
    if (now == CONDITION_FAILED) assert(match || fields_have(&fields, FIELD_IF_UNMODIFIED_SINCE));
    if (now == CONDITION_NOT_MODIFIED)
        assert(none_match || fields_have(&fields, FIELD_IF_MODIFIED_SINCE));

    enum condition absent = condition_evaluate(&fields, NULL, 1700000000);
    assert(absent == (match ? CONDITION_FAILED : CONDITION_NONE));

    /* A tag that is longer than all of the input cannot be in it. */
    char tag[256];
    if (size + 3 <= sizeof(tag) && !star) {
        memset(tag, 'x', size + 3);
        tag[0] = tag[size + 2] = '"';
        r.etag = (struct text){tag, size + 3};
        now = condition_evaluate(&fields, &r, 1700000000);
        if (match) assert(now == CONDITION_FAILED);
        if (none_match) assert(now != CONDITION_NOT_MODIFIED);
    }
    return 0;
}
