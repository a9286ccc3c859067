/*
 * Takes the lines of an input as lines of Accept-Encoding. Weights stay within their bounds and do not
 * depend on the case of letters. Several lines mean the same as one line with commas (RFC 9110 §5.3),
 * unless a quote is open at the end of a line.
 */
#include "http/negotiate.h"

#include <assert.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

/* False when there are more lines than fields take. */
static bool accepted_of(struct text input, struct accepted *accepted)
{
    struct fields fields = {0};
    bool more = true;
    while (more) {
        const char *newline = input.length > 0 ? memchr(input.base, '\n', input.length) : NULL;
        size_t length = newline == NULL ? input.length : (size_t)(newline - input.base);
        if (!fields_add(&fields, FIELD_ACCEPT_ENCODING, (struct text){input.base, length}))
            return false;
        more = newline != NULL;
        length += more;
        if (more) input = (struct text){input.base + length, input.length - length};
    }
    *accepted = negotiate_accepted(&fields);
    return true;
}

static bool accepted_equal(const struct accepted *a, const struct accepted *b)
{
    return memcmp(a->weight, b->weight, sizeof(a->weight)) == 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    char *copy = malloc(size + 1);
    struct accepted accepted, again;
    assert(copy != NULL);
    if (accepted_of((struct text){(const char *)bytes, size}, &accepted)) {
        for (int i = 0; i < CODING_COUNT; i++)
            assert(accepted.weight[i] <= 1000);
        for (size_t i = 0; i < size; i++)
            copy[i] = (char)(bytes[i] >= 'a' && bytes[i] <= 'z' ? bytes[i] - 0x20 : bytes[i]);
        assert(accepted_of((struct text){copy, size}, &again) && accepted_equal(&accepted, &again));
    }
    if (size > 0 && memchr(bytes, '"', size) == NULL &&
        accepted_of((struct text){(const char *)bytes, size}, &accepted)) {
        for (size_t i = 0; i < size; i++)
            copy[i] = (char)(bytes[i] == '\n' ? ',' : bytes[i]);
        assert(accepted_of((struct text){copy, size}, &again) && accepted_equal(&accepted, &again));
    }
    free(copy);
    return 0;
}
