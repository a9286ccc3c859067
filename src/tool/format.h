/*
 * "How is a figure written for people?" Three digits and a unit, in a space of FORMAT_MAX bytes. What is not
 * known (NAN) is a dash. In ASCII, micro is "u".
 */
#ifndef ZCSERVE_FORMAT_H
#define ZCSERVE_FORMAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FORMAT_MAX 32

typedef char format_space[FORMAT_MAX];

/* Whether the terminal's locale has UTF-8; set from the environment by format_locale. */
extern bool format_utf8;
void format_locale(void);

/* Each gives `space`. */
const char *format_ns(format_space space, double ns);         /* "640 ns", "6.16 µs", "1.20 s"  */
const char *format_count(format_space space, double count);   /* "0.35", "147", "1,417,000"     */
const char *format_short(format_space space, double count);   /* "147", "147k", "1.42M"         */
const char *format_bytes(format_space space, double bytes);   /* "912 B", "1.25 MiB"            */
const char *format_percent(format_space space, double share); /* "98.8 %" of 0.988              */

/* How many columns a text of these formats takes. */
int format_columns(const char *text);

/* A bar of `columns` cells for `share` (0 … 1), in halves; gives `space`. */
#define FORMAT_BAR_MAX 64 /* cells */
const char *format_bar(char space[3 * FORMAT_BAR_MAX + 1], double share, int columns);

/* In place: as "?" what is no UTF-8, what could steer a terminal (utf8_shown_length), and what the locale has not. */
char *format_tame(char *text);

#endif
