/* "Where do texts live?" In one chain that is freed at once. */
#ifndef ZCSERVE_KEEP_H
#define ZCSERVE_KEEP_H

#include <stdbool.h>
#include <stddef.h>

struct kept;

struct keep {
    struct kept *newest;
    bool exhausted; /* memory ran out once: look before relying on what was kept */
};

/* A copy of `length` bytes and a NUL, owned by `keep`; "" when memory ran out. */
const char *keep_text(struct keep *keep, const char *text, size_t length);

/* Likewise, of what printf would print. */
const char *keep_format(struct keep *keep, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

void keep_free(struct keep *keep);

#endif
