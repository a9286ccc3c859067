#include "roff.h"

#include <string.h>

static void character_write(FILE *out, char c, const char *hyphen)
{
    if (c == '\\')
        fputs("\\e", out);
    else if (c == '-')
        fputs(hyphen, out);
    else if (c == '\'')
        fputs("\\(aq", out);
    else
        putc(c, out);
}

/* A dot at the begin of a line would be a request; "\&" has no width. */
static void begin_write(FILE *out, const char *text)
{
    if (text[0] == '.') fputs("\\&", out);
}

void roff_literal(FILE *out, const char *text)
{
    begin_write(out, text);
    for (; *text; text++)
        character_write(out, *text, "\\-");
}

void roff_text(FILE *out, const char *text)
{
    begin_write(out, text);
    for (const char *at = text; *at; at++) {
        bool is_switch = at[0] == '-' && (at == text || strchr(" (-\"", at[-1]));
        character_write(out, *at, is_switch ? "\\-" : "-");
    }
    putc('\n', out);
}

static void bold_write(FILE *out, const char *text)
{
    fputs("\\fB", out);
    roff_literal(out, text);
    fputs("\\fP", out);
}

void roff_switch(FILE *out, const struct help_switch *one)
{
    if (one->letter[0]) bold_write(out, one->letter);
    if (one->letter[0] && one->word[0]) fputs(", ", out);
    if (one->word[0]) bold_write(out, one->word);
    if (one->argument[0]) {
        fputs(one->argument[0] == '[' ? "\\fI" : " \\fI", out);
        roff_literal(out, one->argument);
        fputs("\\fP", out);
    }
    putc('\n', out);
}

void roff_entry(FILE *out, const char *left)
{
    fputs(".TP\n", out);
    bold_write(out, left);
    putc('\n', out);
}
