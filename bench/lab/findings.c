/* Findings: sentences computed from figures. All pure. */
#include "findings.h"

#include "text.h"
#include "warnings.h"

#include <math.h>
#include <stdarg.h>
#include <string.h>

void finding_add(struct findings *into, enum finding_kind kind, const char *sentence, ...)
{
    if (into->count == FINDINGS_MAX) return;
    va_list values;
    va_start(values, sentence);
    vsnprintf(into->finding[into->count].text, FINDING_TEXT_MAX, sentence, values);
    va_end(values);
    into->finding[into->count++].kind = kind;
}

static const char *unit_of(const struct table *table, const char *name)
{
    int c = table_column(table, name);
    return c < 0 ? "" : table->column[c]->unit;
}

/* Returns the words for a figure in a sentence: "MB/s", "p99 latency". */
static const char *figure_words(const struct table *table, const char *name)
{
    static const struct {
        const char *name, *words;
    } known[] = {{"mb_per_s", "MB/s"},
                 {"iops", "operations/s"},
                 {"mean_us", "mean latency"},
                 {"median_us", "median latency"},
                 {"p99_us", "p99 latency"},
                 {"p999_us", "p99.9 latency"},
                 {"syscalls_per_op", "system calls per operation"},
                 {"user_us_per_op", "user CPU per operation"},
                 {"system_us_per_op", "system CPU per operation"},
                 {"user_us_per_mib", "user CPU per MiB"},
                 {"system_us_per_mib", "system CPU per MiB"},
                 {"amplification", "read amplification"},
                 {"million_rows_per_s", "million rows per second"}};
    for (unsigned i = 0; i < sizeof known / sizeof *known; i++)
        if (!strcmp(known[i].name, name)) return known[i].words;
    int c = table_column(table, name);
    return c < 0 ? name : table->column[c]->name;
}

struct comparison finding_ratio(struct findings *into, const struct table *table,
                                const char *figure, const char *name_a, const char *where_a,
                                const char *name_b, const char *where_b)
{
    struct sample a = table_sample(table, figure, "%s", where_a);
    struct sample b = table_sample(table, figure, "%s", where_b);
    struct comparison c = compare(&a, &b);
    const char *words = figure_words(table, figure), *unit = unit_of(table, figure);
    text va, vb, ratio, low, high;
    if (a.count == 0 || b.count == 0) return c;
    text_figure(va, summarise(&a).median, unit);
    text_figure(vb, summarise(&b).median, unit);
    text_number(ratio, c.ratio);
    text_number(low, c.low);
    text_number(high, c.high);
    if (c.verdict == UNKNOWN && !isnan(c.low))
        finding_add(
            into, FINDING_OPEN,
            "%s: %s for %s, %s for %s; it is too noisy to tell them apart (ratio %s to %s).", words,
            va, name_a, vb, name_b, low, high);
    else if (c.verdict == UNKNOWN)
        finding_add(
            into, FINDING_OPEN,
            "%s: %s for %s, %s for %s, but measured once only or zero, so the noise is not known.",
            words, va, name_a, vb, name_b);
    else if (c.verdict == SAME)
        finding_add(into, FINDING_FACT,
                    "%s and %s do not differ in %s beyond the noise (%s and %s; ratio %s to %s).",
                    name_a, name_b, words, va, vb, low, high);
    else
        finding_add(into, FINDING_FACT,
                    "%s has %s times the %s of %s (%s against %s; ratio %s to %s).", name_a, ratio,
                    words, name_b, va, vb, low, high);
    return c;
}

void finding_best(struct findings *into, const struct table *table, const char *subject,
                  const char *x, const char *figure, bool most, const char *where)
{
    struct curve curve = curve_of(table, x, figure, where);
    int best, first;
    best_find(&curve, most, &best, &first);
    if (best < 0) return;
    struct summary s = summarise(&curve.y[best]);
    text at, value, as_good;
    text_figure(at, curve.x[best], unit_of(table, x));
    text_figure(value, s.median, unit_of(table, figure));
    text_figure(as_good, curve.x[first], unit_of(table, x));
    if (s.count < 2)
        finding_add(into, FINDING_OPEN, "%s is %s with %s, but it was measured once only.", subject,
                    at, value);
    else if (s.spread > 0.5)
        finding_add(into, FINDING_OPEN,
                    "%s seems to be %s with %s, but repetitions differ by %.0f %%.", subject, at,
                    value, 100 * s.spread);
    else if (first == best)
        finding_add(into, FINDING_FACT, "%s is %s with %s (repetitions differ by %.0f %%).",
                    subject, at, value, 100 * s.spread);
    else
        finding_add(
            into, FINDING_FACT,
            "%s is %s with %s (repetitions differ by %.0f %%); %s is as good within the noise.",
            subject, at, value, 100 * s.spread, as_good);
}

/* Writes the words for a slope: "grows as x^0.97", "is flat". */
static char *slope_words(text into, double slope)
{
    if (fabs(slope) < 0.1)
        snprintf(into, TEXT_MAX, "is flat");
    else
        snprintf(into, TEXT_MAX, "%s as x^%.2f", slope > 0 ? "grows" : "falls", slope);
    return into;
}

struct bend finding_bend(struct findings *into, const struct table *table, const char *subject,
                         const char *x, const char *figure, const char *where)
{
    struct curve curve = curve_of(table, x, figure, where);
    struct bend bend = bend_find(&curve);
    const char *unit = unit_of(table, x);
    text at, from, to, before, after;
    if (curve.count == 0) return bend;
    if (curve.count < 4) {
        finding_add(into, FINDING_OPEN,
                    "%s: %u points are too few to tell where it bends (4 are needed).", subject,
                    curve.count);
        return bend;
    }
    text_figure(at, bend.x, unit);
    text_figure(from, curve.x[0], unit);
    text_figure(to, curve.x[curve.count - 1], unit);
    if (bend.found)
        finding_add(into, FINDING_FACT,
                    "%s bends at %s: before it %s, after it %s (two lines through the logarithms).",
                    subject, at, slope_words(before, bend.before), slope_words(after, bend.after));
    else
        finding_add(into, FINDING_FACT,
                    "%s bends nowhere between %s and %s beyond the noise: it %s.", subject, from,
                    to, slope_words(before, bend.slope));
    return bend;
}

void finding_scaling(struct findings *into, const struct table *table, const char *subject,
                     const char *x, const char *figure, const char *where)
{
    struct curve curve = curve_of(table, x, figure, where);
    if (curve.count < 2) return;
    double one = summarise(&curve.y[0]).median;
    if (curve.x[0] != 1 || !(one > 0)) {
        finding_add(into, FINDING_OPEN, "%s: there is no figure of 1 to compare with.", subject);
        return;
    }
    unsigned last = curve.count - 1, half = 0;
    for (unsigned i = 0; i <= last; i++)
        if (summarise(&curve.y[i]).median / one >= curve.x[i] / 2) half = i;
    struct comparison c = compare(&curve.y[last], &curve.y[0]);
    double times = summarise(&curve.y[last]).median / one;
    const char *words = figure_words(table, figure);
    if (c.verdict == SAME)
        finding_add(into, FINDING_FACT, "%s: %.0f have no more %s than 1 beyond the noise.",
                    subject, curve.x[last], words);
    else if (c.verdict == UNKNOWN)
        finding_add(into, FINDING_OPEN,
                    "%s: it is too noisy to tell whether %.0f have more %s than 1.", subject,
                    curve.x[last], words);
    else
        finding_add(
            into, FINDING_FACT,
            "%s: %.0f reach %.2f times the %s of 1, %.0f %% of the ideal; up to %.0f at least half "
            "of the ideal is reached.",
            subject, curve.x[last], times, words, 100 * times / curve.x[last], curve.x[half]);
}

void finding_expect(struct findings *into, const char *expectation, enum verdict wanted,
                    const struct comparison *measured, const char *explanation)
{
    text ratio, low, high;
    text_number(ratio, measured->ratio);
    text_number(low, measured->low);
    text_number(high, measured->high);
    if (measured->verdict == UNKNOWN && !isnan(measured->low))
        finding_add(into, FINDING_OPEN, "Expected: %s. It is too noisy to tell (ratio %s to %s).",
                    expectation, low, high);
    else if (measured->verdict == UNKNOWN)
        finding_add(into, FINDING_OPEN, "Expected: %s. It was not measured often enough to tell.",
                    expectation);
    else if (measured->verdict == wanted)
        finding_add(into, FINDING_HELD, "Expected: %s. It held (ratio %s, %s to %s).", expectation,
                    ratio, low, high);
    else if (measured->verdict == SAME)
        finding_add(
            into, FINDING_NOT_HELD,
            "Expected: %s. It did not hold: there is no difference beyond the noise (ratio %s to "
            "%s). %s",
            expectation, low, high, explanation);
    else
        finding_add(into, FINDING_NOT_HELD,
                    "Expected: %s. It did not hold: the ratio is %s (%s to %s). %s", expectation,
                    ratio, low, high, explanation);
}

void findings_of_warnings(struct findings *into, const struct table *table)
{
    int column = table_column(table, "warnings");
    for (unsigned w = 0; w < WARNINGS; w++) {
        size_t warned = 0;
        for (size_t r = 0; column >= 0 && r < table->rows; r++)
            warned += strstr(table->cells[r * table->columns + (unsigned)column].text,
                             warning_word[w]) != NULL;
        if (warned > 0)
            finding_add(into, FINDING_OPEN, "%zu of %zu measurements: %s.", warned, table->rows,
                        warning_words[w]);
    }
}
