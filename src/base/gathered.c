#include "gathered.h"

#include <stdlib.h>
#include <string.h>

#define ROOM_FIRST 4096

/* Makes room for `length` bytes and a NUL. */
static bool room_make(struct gathered *g, size_t length)
{
    size_t room = g->room > 0 ? g->room : ROOM_FIRST;
    while (room <= length)
        room *= 2;
    if (room == g->room) return true;
    char *text = realloc(g->text, room);
    if (!text) return false;
    g->text = text;
    g->room = room;
    return true;
}

/* Takes all or nothing; stdio remembers when it was nothing. */
static ssize_t part_take(void *of, const char *bytes, size_t length)
{
    struct gathered *g = of;
    if (length > g->most - g->length || !room_make(g, g->length + length)) return 0;
    memcpy(g->text + g->length, bytes, length);
    g->length += length;
    g->text[g->length] = '\0';
    return (ssize_t)length;
}

FILE *gathered_open(struct gathered *g, size_t most)
{
    *g = (struct gathered){.most = most};
    return fopencookie(g, "w", (cookie_io_functions_t){.write = part_take});
}

bool gathered_close(struct gathered *g, FILE *stream)
{
    bool failed = fflush(stream) != 0 || ferror(stream);
    if (fclose(stream) != 0 || failed || !room_make(g, g->length)) {
        free(g->text);
        g->text = NULL;
        g->length = 0;
        return false;
    }
    g->text[g->length] = '\0';
    return true;
}
