/* A line is formatted, escaped, and then broken at spaces. */
#define _GNU_SOURCE
#include "page.h"
#include "zcserve/utf8.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define NO_MEMORY "(not enough memory)"
#define ESCAPED_MAX 4 /* bytes that one byte becomes: \xHH */

/* Returns how many columns a text takes: a character each, whatever its width. */
static size_t columns_of(const char *text, size_t length)
{
    size_t columns = 0;
    for (size_t i = 0; i < length; i++)
        columns += ((unsigned char)text[i] & 0xC0) != 0x80;
    return columns;
}

/* Prints words until the line is full, and begins the next one below. */
static void words_print(FILE *out, const char *text, size_t indent)
{
    size_t column = indent;
    while (*text) {
        size_t blanks = strspn(text, " "), length = strcspn(text + blanks, " ");
        size_t columns = columns_of(text + blanks, length);
        bool fits = column == indent || column + blanks + columns <= PAGE_COLUMNS;
        if (!fits) fprintf(out, "\n%*s", (int)indent, "");
        if (!fits) column = indent;
        if (fits) fprintf(out, "%*s", (int)blanks, "");
        if (fits) column += blanks;
        fprintf(out, "%.*s", (int)length, text + blanks);
        column += columns;
        text += blanks + length;
    }
    fputc('\n', out);
}

/* Returns the text escaped, which the caller frees; NULL without memory. */
static char *escaped(struct text text)
{
    size_t room = ESCAPED_MAX * text.length + 1;
    bool whole = true;
    char *space = malloc(room);
    if (space) space[utf8_escape(space, room - 1, text.base, text.length, &whole)] = '\0';
    return space;
}

void page_line(FILE *out, const char *label, const char *format, ...)
{
    char *text = NULL;
    va_list arguments;
    va_start(arguments, format);
    if (vasprintf(&text, format, arguments) < 0) text = NULL;
    va_end(arguments);
    char *shown = text ? escaped((struct text){text, strlen(text)}) : NULL;
    size_t columns = columns_of(label, strlen(label));
    size_t indent = PAGE_TEXT_COLUMN + strspn(label, " ");
    size_t gap = columns < indent ? indent - columns : 1;
    fprintf(out, "%s%*s", label, (int)gap, "");
    words_print(out, shown ? shown : NO_MEMORY, indent);
    free(shown);
    free(text);
}

void page_whole(FILE *out, struct text text)
{
    char *shown = escaped(text);
    fprintf(out, "%s\n", shown ? shown : NO_MEMORY);
    free(shown);
}
