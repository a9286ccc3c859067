/*
 * A stretch of characters that somebody else owns: base and length, no NUL at the end.
 * Passed by value; an absent text has a NULL base, an empty one has not.
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
