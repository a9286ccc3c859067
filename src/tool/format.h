/*
 * Formats figures for people: three digits and a unit, in a space of FORMAT_MAX bytes. An unknown
 * figure (NAN) is a dash. In ASCII, micro is "u".
 */
#ifndef ZCSERVE_FORMAT_H
#define ZCSERVE_FORMAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FORMAT_MAX 32

typedef char format_space[FORMAT_MAX];

/* Whether the locale of the terminal uses UTF-8; format_locale() sets it from the environment. */
extern bool format_utf8;
void format_locale(void);

/* Each writes to `space` and returns it. */
const char *format_ns(format_space space, double ns);         /* "640 ns", "6.16 µs", "1.20 s"  */
const char *format_count(format_space space, double count);   /* "0.35", "147", "1,417,000"     */
const char *format_short(format_space space, double count);   /* "147", "147k", "1.42M"         */
const char *format_bytes(format_space space, double bytes);   /* "912 B", "1.25 MiB"            */
const char *format_percent(format_space space, double share); /* "98.8 %" of 0.988              */

/* Returns how many columns a text of these formats takes. */
int format_columns(const char *text);

/* Writes a bar of `columns` cells for `share` (0 … 1), in halves of a cell. Returns `space`. */
#define FORMAT_BAR_MAX 64 /* cells */
const char *format_bar(char space[3 * FORMAT_BAR_MAX + 1], double share, int columns);

/*
 * Replaces by "?", in place, bytes that are not UTF-8, characters that could control a terminal
 * (utf8_shown_length), and characters that the locale does not have. Returns `text`.
 */
char *format_tame(char *text);

#endif
