/*
 * Characters in UTF-8. Each byte is checked; invalid bytes are reported and never repaired.
 */
#include "zcserve/utf8.h"

#include <string.h>

size_t utf8_length(const char *text, size_t length)
{
    const unsigned char *c = (const unsigned char *)text;
    if (length == 0) return 0;
    if (c[0] < 0x80) return 1;
    size_t wanted = c[0] >= 0xf0 ? 4 : c[0] >= 0xe0 ? 3 : 2;
    if (c[0] < 0xc2 || c[0] > 0xf4 || length < wanted) return 0;
    for (size_t i = 1; i < wanted; i++)
        if ((c[i] & 0xc0) != 0x80) return 0;
    bool overlong = (c[0] == 0xe0 && c[1] < 0xa0) || (c[0] == 0xf0 && c[1] < 0x90);
    bool surrogate = c[0] == 0xed && c[1] > 0x9f;
    bool beyond = c[0] == 0xf4 && c[1] > 0x8f;
    return overlong || surrogate || beyond ? 0 : wanted;
}

uint32_t utf8_decode(const char *text, size_t length)
{
    static const unsigned char mask[] = {0, 0x7f, 0x1f, 0x0f, 0x07}; /* of the first byte */
    uint32_t number = (unsigned char)text[0] & mask[length];
    for (size_t i = 1; i < length; i++)
        number = number << 6 | ((unsigned char)text[i] & 0x3f);
    return number;
}

static bool is_control(uint32_t number)
{
    return number < 0x20 || (number >= 0x7f && number <= 0x9f);
}

/* The directional formatting characters of UAX #9 §2. */
static bool is_directional(uint32_t number)
{
    return number == 0x61c || number == 0x200e || number == 0x200f ||
           (number >= 0x202a && number <= 0x202e) || (number >= 0x2066 && number <= 0x2069);
}

size_t utf8_shown_length(const char *text, size_t length)
{
    size_t found = utf8_length(text, length);
    if (found == 0) return 0;
    uint32_t number = utf8_decode(text, found);
    bool ends_line = number == 0x2028 || number == 0x2029;
    return is_control(number) || is_directional(number) || ends_line ? 0 : found;
}

size_t utf8_escape(char *space, size_t room, const char *text, size_t length, bool *whole)
{
    static const char digit[] = "0123456789abcdef";
    size_t written = 0;

    for (size_t i = 0; i < length;) {
        size_t plain = utf8_shown_length(text + i, length - i);
        if (written + (plain ? plain : 4) > room) {
            *whole = false;
            break;
        }
        if (plain > 0) {
            memcpy(space + written, text + i, plain);
            written += plain;
            i += plain;
        } else {
            unsigned char c = (unsigned char)text[i++];
            memcpy(space + written, (char[]){'\\', 'x', digit[c >> 4], digit[c & 15]}, 4);
            written += 4;
        }
    }
    return written;
}

void utf8_print(FILE *out, const char *text)
{
    size_t left = strlen(text);
    while (left > 0) {
        size_t shown = utf8_shown_length(text, left);
        if (shown > 0)
            fwrite(text, 1, shown, out);
        else
            fprintf(out, "\\x%02x", (unsigned char)*text);
        text += shown > 0 ? shown : 1;
        left -= shown > 0 ? shown : 1;
    }
}
