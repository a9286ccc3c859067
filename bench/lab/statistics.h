/*
 * What a few repetitions say: the middle, the spread, whether two of them differ, where a curve bends. All
 * functions are pure; tests/unit/test_lab_statistics.c tests them.
 */
#ifndef LAB_STATISTICS_H
#define LAB_STATISTICS_H

#include "table.h"

#include <stdbool.h>

struct summary {
    unsigned count;
    double mean, median, sd; /* sd with n - 1; 0 for a single value */
    double least, most;
    double spread; /* (most - least) / median: how much repetitions differ */
};
struct summary summarise(const struct sample *sample);

/*
 * Whether A differs from B. The logarithms of the repetitions are compared by Welch's test for unequal
 * variances (B. L. Welch, Biometrika 34, 1947), which gives an interval of 95 % for the ratio A / B. See
 * also Kalibera and Jones, "Rigorous benchmarking in reasonable time" (ISMM 2013), who recommend an
 * interval of the ratio instead of two numbers.
 *
 * - SAME: the interval contains 1 and is within 0.5 to 2, or the ratio is less than 2 % away from 1.
 * - UNKNOWN: the interval contains 1 and is wider, so that nothing can be said; or there are fewer than two
 *   repetitions on a side, or zeros (then low and high are NAN).
 */
enum verdict { SAME, LESS, MORE, UNKNOWN };
struct comparison {
    enum verdict verdict;
    double ratio, low, high; /* ratio of geometric means, and its interval; NAN when unknown */
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
 * Where a curve bends. For every point where they could meet, two straight lines are fitted to log y over
 * log x by least squares, and the pair with the smallest error is taken. It is a bend only when the error
 * of one line (in squares) is at least four times as large, when that error is more than the noise of the
 * repetitions, and when the slopes differ by 0.25 or more (slope 1: doubles when x doubles; 0: flat). It
 * needs four points.
 */
struct bend {
    bool found;
    double x;             /* where the two lines meet: one of the x of the curve */
    double before, after; /* slopes */
    double slope;         /* of the one line through all points, when there is no bend */
};
struct bend bend_find(const struct curve *curve);

/*
 * Finds the best point of a curve, and the first one that is as good within the noise. `most`: high values
 * are good. Both are indices; -1 when the curve is empty.
 */
void best_find(const struct curve *curve, bool most, int *best, int *first_as_good);

#endif
