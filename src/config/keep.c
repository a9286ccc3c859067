/*
 * Keeps texts of any length until all of them are freed together.
 *
 * No text of a configuration is freed alone. A failed allocation is remembered instead of being
 * returned by each call: the reader checks once, at the end.
 */

#include "config/keep.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct kept {
    struct kept *next;
    char text[];
};

static char *keep_room(struct keep *keep, size_t length)
{
    struct kept *kept = malloc(sizeof *kept + length + 1);
    if (!kept) {
        keep->exhausted = true;
        return NULL;
    }
    kept->next = keep->newest;
    keep->newest = kept;
    kept->text[length] = '\0';
    return kept->text;
}

const char *keep_text(struct keep *keep, const char *text, size_t length)
{
    char *room = keep_room(keep, length);
    return room ? memcpy(room, text, length) : "";
}

const char *keep_format(struct keep *keep, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    va_list again;
    va_copy(again, arguments);
    int length = vsnprintf(NULL, 0, format, arguments);
    char *room = length < 0 ? NULL : keep_room(keep, (size_t)length);
    if (room) vsnprintf(room, (size_t)length + 1, format, again);
    va_end(again);
    va_end(arguments);
    return room ? room : "";
}

void keep_free(struct keep *keep)
{
    while (keep->newest) {
        struct kept *next = keep->newest->next;
        free(keep->newest);
        keep->newest = next;
    }
}
