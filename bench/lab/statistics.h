/*
 * What a handful of repetitions says: middle, spread, whether two of them differ, where a curve bends.
 * All pure; tests/unit/test_lab_statistics.c.
 */
#ifndef LAB_STATISTICS_H
#define LAB_STATISTICS_H

#include "table.h"

#include <stdbool.h>

struct summary {
    unsigned count;
    double mean, median, sd; /* sd with n - 1; 0 of a single value */
    double least, most;
    double spread; /* (most - least) / median: how much repetitions differ */
};
struct summary summarise(const struct sample *sample);

/*
 * Whether A differs from B. The repetitions' logarithms are compared by Welch's test for unequal
 * variances (B. L. Welch, Biometrika 34, 1947), which gives an interval of 95 % for the ratio A / B;
 * see also Kalibera and Jones, "Rigorous benchmarking in reasonable time" (ISMM 2013), who ask for
 * an interval of the ratio instead of two numbers. SAME: the interval holds 1 and is within 0.5 to 2, or the
 * ratio is less than 2 % away from 1. UNKNOWN: the interval holds 1 and is wider, so that it cannot be
 * told; or there are fewer than two repetitions a side, or zeros (then low and high are NAN).
 */
enum verdict { SAME, LESS, MORE, UNKNOWN };
struct comparison {
    enum verdict verdict;
    double ratio, low, high; /* of geometric means, and its interval; NAN when unknown */
};
struct comparison compare(const struct sample *a, const struct sample *b);

/* A curve: the median and the spread of the repetitions at each x, ascending. */
struct curve {
    unsigned count;
    double x[DISTINCT_MAX];
    struct sample y[DISTINCT_MAX];
};
struct curve curve_of(const struct table *table, const char *x, const char *figure,
                      const char *where);

/*
 * Where a curve bends: two straight lines are laid through log y over log x, for every point where they could
 * meet, by least squares; the pair that leaves least is taken. It is a bend only when one line
 * leaves at least four times as much (in squares), what it leaves is more than the noise of the repetitions,
 * and the slopes differ by 0.25 or more (slope 1: doubles when x doubles; 0: flat). Needs four points.
 */
struct bend {
    bool found;
    double x;             /* where the two lines meet: one of the curve's x */
    double before, after; /* slopes */
    double slope;         /* of the one line through all, when there is no bend */
};
struct bend bend_find(const struct curve *curve);

/*
 * The best point of a curve, and the first one that is as good within the noise. `most`: high values are good.
 * Both are indices; -1 when the curve is empty.
 */
void best_find(const struct curve *curve, bool most, int *best, int *first_as_good);

#endif
