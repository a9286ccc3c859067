/* Figures and sizes as text for people. Each writes into a buffer of its caller and returns it. */
#ifndef LAB_TEXT_H
#define LAB_TEXT_H

#include <stdbool.h>
#include <stdint.h>

enum { TEXT_MAX = 48 };
typedef char text[TEXT_MAX];

/* 4096: "4 KiB". Whole where it is, else one decimal: "1.5 MiB". */
char *text_bytes(text into, double bytes);

/*
 * A figure of a column with this unit, with three digits that count: "812 MB/s", "1.2 ms", "4 KiB", "93 %". Whole counts
 * below a million have all their digits: "4,096".
 */
char *text_figure(text into, double value, const char *unit);

/* Three digits that count, thousands apart: "1,234,000", "81.2", "0.034". */
char *text_number(text into, double value);

/* Reads "4k", "1m", "1.5g" or "512" as bytes or a count. False when it is none. */
bool text_size_read(const char *from, double *value);

#endif
