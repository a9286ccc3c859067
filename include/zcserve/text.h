/*
 * A text: base and length of characters that somebody else owns, without a NUL at the end. It is
 * passed by value. An absent text has a NULL base; an empty text has not.
 */
#ifndef ZCSERVE_TEXT_H
#define ZCSERVE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

struct text {
    const char *base;
    size_t length;
};

#define TEXT(literal) ((struct text){(literal), sizeof(literal) - 1})

static inline bool text_equals(struct text a, struct text b)
{
    return a.length == b.length && (a.length == 0 || memcmp(a.base, b.base, a.length) == 0);
}

#endif
