/* What a few repetitions say. statistics.h names the methods and their sources. */
#include "statistics.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define TRIFLE 0.02      /* a ratio nearer to 1 than that is no difference */
#define BEND_GAIN 4.0    /* the error of one line must be so many times that of two */
#define BEND_SLOPES 0.25 /* slopes must differ by so much */
#define BEND_LEAST 0.03  /* and the error of one line must be more than 3 % */

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

struct summary summarise(const struct sample *sample)
{
    struct summary s = {.count = sample->count};
    unsigned n = sample->count;
    if (n == 0) return (struct summary){0, NAN, NAN, NAN, NAN, NAN, NAN};
    double sorted[SAMPLE_MAX], squares = 0;
    memcpy(sorted, sample->value, n * sizeof *sorted);
    qsort(sorted, n, sizeof *sorted, ascending);
    for (unsigned i = 0; i < n; i++)
        s.mean += sorted[i] / n;
    for (unsigned i = 0; i < n; i++)
        squares += (sorted[i] - s.mean) * (sorted[i] - s.mean);
    s.sd = n > 1 ? sqrt(squares / (n - 1)) : 0;
    s.median = (sorted[(n - 1) / 2] + sorted[n / 2]) / 2;
    s.least = sorted[0];
    s.most = sorted[n - 1];
    s.spread = s.median != 0 ? (s.most - s.least) / fabs(s.median) : 0;
    return s;
}

/* Student's t for 95 % on both sides; between the rows it is interpolated by 1 / degrees. */
static double student(double degrees)
{
    static const struct {
        double degrees, t;
    } row[] = {{1, 12.706}, {2, 4.303},  {3, 3.182},  {4, 2.776},  {5, 2.571},   {6, 2.447},
               {8, 2.306},  {10, 2.228}, {15, 2.131}, {30, 2.042}, {120, 1.980}, {1e9, 1.960}};
    if (degrees <= 1) return row[0].t;
    unsigned i = 1;
    while (row[i].degrees < degrees && i < sizeof row / sizeof *row - 1)
        i++;
    double from = 1 / row[i - 1].degrees, to = 1 / row[i].degrees, at = 1 / degrees;
    double share = at < to ? 1 : (from - at) / (from - to);
    return row[i - 1].t + share * (row[i].t - row[i - 1].t);
}

/* Takes logarithms. When a value has none (0 was counted), there is nothing to compare. */
static bool logarithms(const struct sample *of, struct sample *into)
{
    into->count = of->count;
    for (unsigned i = 0; i < of->count; i++) {
        if (!(of->value[i] > 0)) return false;
        into->value[i] = log(of->value[i]);
    }
    return of->count > 0;
}

struct comparison compare(const struct sample *a, const struct sample *b)
{
    struct comparison c = {UNKNOWN, NAN, NAN, NAN};
    struct sample la, lb;
    if (!logarithms(a, &la) || !logarithms(b, &lb)) return c;
    struct summary sa = summarise(&la), sb = summarise(&lb);
    c.ratio = exp(sa.mean - sb.mean);
    if (a->count < 2 || b->count < 2) return c;
    double va = sa.sd * sa.sd / sa.count, vb = sb.sd * sb.sd / sb.count, both = va + vb;
    double degrees =
        both > 0 ? both * both / (va * va / (sa.count - 1) + vb * vb / (sb.count - 1)) : 1e9;
    double reach = student(degrees) * sqrt(both);
    c.low = c.ratio * exp(-reach);
    c.high = c.ratio * exp(reach);
    bool narrow = c.low > 0.5 && c.high < 2;
    c.verdict = c.low > 1 ? MORE : c.high < 1 ? LESS : narrow ? SAME : UNKNOWN;
    if (fabs(c.ratio - 1) < TRIFLE && narrow) c.verdict = SAME;
    return c;
}

struct curve curve_of(const struct table *table, const char *x, const char *figure,
                      const char *where)
{
    struct curve curve = {0};
    struct cell at[DISTINCT_MAX];
    unsigned count = table_distinct(table, x, at, "%s", where);
    for (unsigned i = 0; i < count; i++) {
        if (isnan(at[i].number)) continue;
        struct sample y = table_sample(table, figure, "%s %s=%.10g", where, x, at[i].number);
        if (y.count == 0) continue;
        curve.x[curve.count] = at[i].number;
        curve.y[curve.count++] = y;
    }
    return curve;
}

/* Fits a line to points first … last by least squares. */
static double line_fit(const double *x, const double *y, unsigned first, unsigned last,
                       double *slope)
{
    double n = last - first + 1, mx = 0, my = 0, xx = 0, xy = 0, left = 0;
    for (unsigned i = first; i <= last; i++) {
        mx += x[i] / n;
        my += y[i] / n;
    }
    for (unsigned i = first; i <= last; i++) {
        xx += (x[i] - mx) * (x[i] - mx);
        xy += (x[i] - mx) * (y[i] - my);
    }
    *slope = xx > 0 ? xy / xx : 0;
    for (unsigned i = first; i <= last; i++) {
        double miss = y[i] - my - *slope * (x[i] - mx);
        left += miss * miss;
    }
    return left;
}

/*
 * Takes the points that have logarithms. Returns how many; *noise gets the mean square of the repetitions'
 * noise.
 */
static unsigned points_take(const struct curve *curve, double *x, double *y, double *noise)
{
    unsigned n = 0;
    *noise = 0;
    for (unsigned i = 0; i < curve->count; i++) {
        struct summary s = summarise(&curve->y[i]);
        if (!(curve->x[i] > 0) || !(s.median > 0)) continue;
        x[n] = log(curve->x[i]);
        y[n++] = log(s.median);
        *noise += s.count > 1 ? s.sd * s.sd / (s.mean * s.mean) / s.count : 0;
    }
    if (n > 0) *noise /= n;
    return n;
}

struct bend bend_find(const struct curve *curve)
{
    struct bend bend = {0};
    double x[DISTINCT_MAX], y[DISTINCT_MAX], noise, least = INFINITY;
    unsigned n = points_take(curve, x, y, &noise);
    if (n < 2) return bend;
    double one = line_fit(x, y, 0, n - 1, &bend.slope);
    for (unsigned at = 1; at + 1 < n; at++) {
        double before, after;
        double two = line_fit(x, y, 0, at, &before) + line_fit(x, y, at, n - 1, &after);
        if (two >= least) continue;
        least = two;
        bend.x = round(exp(x[at]) * 1e6) / 1e6; /* exactly an x of the curve */
        bend.before = before;
        bend.after = after;
    }
    bend.found = n >= 4 && one >= BEND_GAIN * least && one / n > 4 * noise &&
                 one / n > BEND_LEAST * BEND_LEAST && fabs(bend.before - bend.after) >= BEND_SLOPES;
    return bend;
}

void best_find(const struct curve *curve, bool most, int *best, int *first_as_good)
{
    *best = *first_as_good = -1;
    for (unsigned i = 0; i < curve->count; i++) {
        double here = summarise(&curve->y[i]).median;
        double there = *best < 0 ? 0 : summarise(&curve->y[*best]).median;
        if (*best < 0 || (most ? here > there : here < there)) *best = (int)i;
    }
    for (unsigned i = 0; i < curve->count && *first_as_good < 0; i++) {
        struct comparison c = compare(&curve->y[i], &curve->y[*best]);
        bool as_good = (int)i == *best || c.verdict == SAME;
        if (as_good) *first_as_good = (int)i;
    }
}
