/*
 * The texts and blocks of a configuration live in an obstack of glibc, and are freed together. When
 * memory runs out, none of these functions returns: config_load() ends with a problem.
 */
#ifndef ZCSERVE_KEEP_H
#define ZCSERVE_KEEP_H

#include <obstack.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define obstack_chunk_alloc malloc
#define obstack_chunk_free free

/* glibc's macros add to a null pointer to align; clang's sanitizer would report that. */
#define KEEP_FUNCTION __attribute__((no_sanitize("undefined"))) static inline

/* Ends the text that grows on the obstack, and returns it. */
KEEP_FUNCTION char *keep_end(struct obstack *keep)
{
    obstack_1grow(keep, '\0');
    return obstack_finish(keep);
}

/* Returns what printf would print, owned by `keep`. */
__attribute__((format(printf, 2, 3))) static inline const char *keep_format(struct obstack *keep,
                                                                            const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    obstack_vprintf(keep, format, arguments);
    va_end(arguments);
    return keep_end(keep);
}

/* Returns memory for a structure, all zero, owned by `keep`. */
KEEP_FUNCTION void *keep_zeroed(struct obstack *keep, size_t size)
{
    obstack_blank(keep, (int)size);
    memset(obstack_base(keep), 0, size);
    return obstack_finish(keep);
}

#endif
