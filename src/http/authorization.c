/*
 * Three bytes come out of four letters, so what is decoded never overtakes what is read. The line is
 * in the receive buffer, which belongs to the core, and nothing reads it again.
 */
#include "authorization.h"

static const struct text scheme = {"Basic", 5};

/* Takes the scheme and the spaces behind it off the value. Returns false for another scheme. */
static bool scheme_take(struct text *value)
{
    size_t at = scheme.length;
    if (value->length <= at || value->base[at] != ' ' ||
        !text_equals_any_case((struct text){value->base, at}, scheme))
        return false;
    while (at < value->length && value->base[at] == ' ')
        at++;
    *value = (struct text){value->base + at, value->length - at};
    return true;
}

/* Returns the six bits of a letter; -1 when it is none of base64. */
static int letter_bits(char c)
{
    if (c >= 'A' && c <= 'Z') return c - 'A';
    if (c >= 'a' && c <= 'z') return c - 'a' + 26;
    if (c >= '0' && c <= '9') return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/* Returns how many "=" end the text: 0 to 2. */
static size_t padding_of(struct text text)
{
    size_t padding = 0;
    while (padding < 2 && text.base[text.length - 1 - padding] == '=')
        padding++;
    return padding;
}

/* Decodes the text to `to`, which may be its own base. Returns false when it is no base64. */
static bool base64_decode(struct text text, char *to, size_t *length)
{
    if (text.length == 0 || text.length % 4 != 0) return false;
    size_t letters = text.length - padding_of(text);
    unsigned bits = 0, count = 0;
    *length = 0;
    for (size_t i = 0; i < letters; i++) {
        int six = letter_bits(text.base[i]);
        if (six < 0) return false;
        bits = (bits << 6 | (unsigned)six) & 0xfff;
        count += 6;
        if (count < 8) continue;
        count -= 8;
        to[(*length)++] = (char)(bits >> count & 0xff);
    }
    return (bits & ((1U << count) - 1)) == 0; /* bits that are left over */
}

static bool has_control(struct text text)
{
    for (size_t i = 0; i < text.length; i++)
        if ((unsigned char)text.base[i] < ' ' || text.base[i] == 0x7f) return true;
    return false;
}

bool authorization_read(const struct fields *fields, struct credentials *credentials)
{
    struct text value = fields_value(fields, FIELD_AUTHORIZATION);
    if (fields_count(fields, FIELD_AUTHORIZATION) != 1 || !scheme_take(&value)) return false;
    struct text pair = {value.base, 0};
    if (!base64_decode(value, (char *)(uintptr_t)value.base, &pair.length)) return false;
    const char *colon = memchr(pair.base, ':', pair.length);
    if (!colon || has_control(pair)) return false;
    credentials->name = (struct text){pair.base, (size_t)(colon - pair.base)};
    credentials->password = (struct text){colon + 1, pair.length - credentials->name.length - 1};
    return credentials->name.length <= USER_NAME_MAX &&
           credentials->password.length <= PASSWORD_MAX;
}
