/*
 * How an explanation is laid out: lines with a label, at most PAGE_COLUMNS wide unless a word is
 * wider. All texts are escaped (utf8.h), so that none can control a terminal.
 *
 *      Site        site "example.org", serve.conf:5: the host is its name, and so on to the end of
 *                  the line
 *        note      and this goes on from a deeper label
 */
#ifndef ZCSERVE_EXPLAIN_PAGE_H
#define ZCSERVE_EXPLAIN_PAGE_H

#include "zcserve/text.h"

#include <stdio.h>

#define PAGE_COLUMNS 80
#define PAGE_TEXT_COLUMN 12 /* where texts begin */

/*
 * Prints a line, or more when it is too long. A `label` of "" has no label. Without memory the text
 * is left out, and out has its error.
 */
__attribute__((format(printf, 3, 4))) void page_line(FILE *out, const char *label,
                                                     const char *format, ...);

/* Prints a text as one line, whatever its length. */
void page_whole(FILE *out, struct text text);

#endif
