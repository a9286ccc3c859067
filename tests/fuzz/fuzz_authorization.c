/*
 * Takes any bytes as the value of Authorization; with a newline, as those of two lines. When credentials are
 * read, they are in the memory of the value, within their limits and without control characters, and
 * encoded again they are the value.
 */
#include "http/authorization.h"

#include <assert.h>
#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void fields_fill(struct fields *fields, struct text input)
{
    const char *newline = input.length > 0 ? memchr(input.base, '\n', input.length) : NULL;
    size_t length = newline ? (size_t)(newline - input.base) : input.length;
    fields_add(fields, FIELD_AUTHORIZATION, (struct text){input.base, length});
    if (newline)
        fields_add(fields, FIELD_AUTHORIZATION,
                   (struct text){newline + 1, input.length - length - 1});
}

/* Returns the letter of base64 number `number` of the bytes. */
static char letter_of(const char *bytes, size_t length, size_t number)
{
    static const char letters[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    size_t bit = 6 * number, first = bit / 8;
    if (bit >= 8 * length) return '=';
    unsigned two = (unsigned)(uint8_t)bytes[first] << 8;
    if (first + 1 < length) two |= (uint8_t)bytes[first + 1];
    return letters[two >> (10 - bit % 8) & 63];
}

/* The value ends with the credentials in base64. */
static void value_check(struct text value, const char *pair, size_t length)
{
    size_t letters = (length + 2) / 3 * 4;
    assert(value.length >= letters + sizeof("Basic"));
    const char *encoded = value.base + value.length - letters;
    assert(encoded[-1] == ' ');
    for (size_t i = 0; i < letters; i++)
        assert(encoded[i] == letter_of(pair, length, i));
}

static void credentials_check(const struct credentials *c, struct text value, const char *copy)
{
    const char *pair = c->name.base;
    size_t length = c->name.length + 1 + c->password.length;
    assert(c->name.length <= USER_NAME_MAX && c->password.length <= PASSWORD_MAX);
    assert(pair >= copy && pair + length <= copy + value.length);
    assert(c->password.base == pair + c->name.length + 1 && pair[c->name.length] == ':');
    assert(!memchr(pair, ':', c->name.length));
    for (size_t i = 0; i < length; i++)
        assert((uint8_t)pair[i] >= ' ' && pair[i] != 0x7f);
    value_check(value, pair, length);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct fields fields = {0};
    struct credentials credentials;
    char *copy = malloc(size > 0 ? size : 1);
    assert(copy);
    if (size > 0) memcpy(copy, bytes, size);
    fields_fill(&fields, (struct text){copy, size});
    if (authorization_read(&fields, &credentials)) {
        assert(fields.count == 1);
        credentials_check(&credentials, (struct text){(const char *)bytes, size}, copy);
    } else if (fields.count > 1) {
        assert(memcmp(copy, bytes, size) == 0);
    }
    free(copy);
    return 0;
}
