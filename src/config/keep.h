/*
 * "Where do texts live?" In the obstack of their configuration, which is freed at once. When memory
 * runs out, obstacks say so and end the program (exit code 1).
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

/* glibc's macros add to a null pointer to align, which clang's sanitizer takes for a fault. */
#define KEEP_FUNCTION __attribute__((no_sanitize("undefined"))) static inline

/* Ends the text that is growing on the obstack. */
KEEP_FUNCTION char *keep_end(struct obstack *keep)
{
    obstack_1grow(keep, '\0');
    return obstack_finish(keep);
}

/* What printf would print, as a text of its own. */
__attribute__((format(printf, 2, 3))) static inline const char *keep_format(struct obstack *keep,
                                                                            const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    obstack_vprintf(keep, format, arguments);
    va_end(arguments);
    return keep_end(keep);
}

/* Memory for a structure, all zero. */
KEEP_FUNCTION void *keep_zeroed(struct obstack *keep, size_t size)
{
    obstack_blank(keep, (int)size);
    memset(obstack_base(keep), 0, size);
    return obstack_finish(keep);
}

#endif
