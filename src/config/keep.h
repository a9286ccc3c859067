/* A chain of texts that are freed together. */
#ifndef ZCSERVE_KEEP_H
#define ZCSERVE_KEEP_H

#include <stdbool.h>
#include <stddef.h>

struct kept;

struct keep {
    struct kept *newest;
    bool exhausted; /* an allocation failed: a text may be "" instead of what was kept */
};

/* Returns a copy of `length` bytes with a NUL, owned by `keep`; "" when there is no memory. */
const char *keep_text(struct keep *keep, const char *text, size_t length);

/* Returns what printf would print, owned by `keep`; "" when there is no memory. */
const char *keep_format(struct keep *keep, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

void keep_free(struct keep *keep);

#endif
