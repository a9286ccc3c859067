/* Draws one plot of one experiment as SVG, with gnuplot. The SVG follows the reader's colour scheme. */
#ifndef LAB_DRAW_H
#define LAB_DRAW_H

#include "experiment.h"

/*
 * Writes PATH. Returns 1 when it is drawn; 0 when no rows match; -errno when gnuplot is absent or failed.
 */
int draw(const struct plot *plot, const struct table *table, const char *path);

/* Returns the words on the axis of a figure: "median latency in µs". Valid until the next call. */
const char *axis_words(const struct column *column);

#endif
