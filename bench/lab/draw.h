/* One plot of one experiment as an SVG, by gnuplot; it takes the reader's colour scheme. */
#ifndef LAB_DRAW_H
#define LAB_DRAW_H

#include "experiment.h"

/* Writes PATH. 1: drawn; 0: there is nothing to draw (no rows match); -errno: gnuplot is absent or failed. */
int draw(const struct plot *plot, const struct table *table, const char *path);

/* The words of a figure's axis: "median latency in µs". Owned by the callee, until the next call. */
const char *axis_words(const struct column *column);

#endif
