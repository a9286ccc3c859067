/* Figures and sizes as text for people. Each function writes into a buffer of its caller and returns it. */
#ifndef LAB_TEXT_H
#define LAB_TEXT_H

#include <stdbool.h>
#include <stdint.h>

enum { TEXT_MAX = 48 };
typedef char text[TEXT_MAX];

/* 4096: "4 KiB". A whole number where it is one, else one decimal: "1.5 MiB". */
char *text_bytes(text into, double bytes);

/*
 * Writes a figure of a column with this unit, with three significant digits: "812 MB/s", "1.2 ms", "4 KiB",
 * "93 %". Whole counts below a million keep all their digits: "4,096".
 */
char *text_figure(text into, double value, const char *unit);

/* Writes three significant digits, with commas for thousands: "1,234,000", "81.2", "0.034". */
char *text_number(text into, double value);

/* Reads "4k", "1m", "1.5g" or "512" as bytes or a count. Returns false when it is none of these. */
bool text_size_read(const char *from, double *value);

#endif
