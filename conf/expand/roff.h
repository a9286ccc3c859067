/* Writes the language of manual pages, man(7). Whatever a text contains, it appears as it is. */
#ifndef ZCSERVE_EXPAND_ROFF_H
#define ZCSERVE_EXPAND_ROFF_H

#include <stdbool.h>
#include <stdio.h>

#include "help.h"

/* Writes `text` with its hyphens as a shell needs them. Ends no line. */
void roff_literal(FILE *out, const char *text);

/* Writes a line of words. A hyphen that begins a word is one that a shell needs. */
void roff_text(FILE *out, const char *text);

/* Writes "-c, --config FILE": switches are bold, arguments italic. */
void roff_switch(FILE *out, const struct help_switch *one);

/* Writes the line that begins an entry of a list: `left` in bold. */
void roff_entry(FILE *out, const char *left);

#endif
