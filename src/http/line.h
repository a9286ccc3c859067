/*
 * Writes field lines, piece by piece. Each function writes at `at`, where there must be room, and
 * returns where the next piece goes.
 */
#ifndef ZCSERVE_HTTP_LINE_H
#define ZCSERVE_HTTP_LINE_H

#include "range.h"
#include "zcserve/decimal.h"
#include "zcserve/text.h"

static inline char *put(char *at, struct text text)
{
    memcpy(at, text.base, text.length);
    return at + text.length;
}

/* Writes ASCII letters in lower case. */
static inline char *put_lower(char *at, struct text text)
{
    for (size_t i = 0; i < text.length; i++) {
        char c = text.base[i];
        *at++ = (char)(c >= 'A' && c <= 'Z' ? c | 0x20 : c);
    }
    return at;
}

static inline char *put_line(char *at, struct text name, struct text value)
{
    return put(put(put(at, name), value), TEXT("\r\n"));
}

static inline char *put_number(char *at, uint64_t number)
{
    return at + decimal_write(at, number);
}

/* Writes the Content-Range of a part (RFC 9110 §14.4). `complete`: the digits of the whole length. */
static inline char *put_content_range(char *at, struct range part, struct text complete)
{
    at = put_number(put(at, TEXT("Content-Range: bytes ")), part.offset);
    at = put_number(put(at, TEXT("-")), part.offset + part.length - 1);
    return put_line(at, TEXT("/"), complete);
}

#endif
