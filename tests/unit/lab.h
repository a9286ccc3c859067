/*
 * What the tests of the laboratory's findings share: a table with made-up figures, the findings of one
 * experiment, and checks that they say what they should and nothing else.
 */
#ifndef TESTS_LAB_H
#define TESTS_LAB_H

#include "../../bench/lab/results.h"

#include <check.h>
#include <string.h>

static struct table lab_table;
static struct findings lab_findings;

/* Makes an empty table with the columns of this experiment. */
static inline void lab_given(const char *experiment)
{
    const struct experiment *e = experiment_named(experiment);
    ck_assert_ptr_nonnull(e);
    table_close(&lab_table);
    table_open(&lab_table, e->factors, e->figures);
}

/*
 * Adds three repetitions of one case: `figure` is `value`, and 1 % more and less (or `noise` times that).
 */
static inline void lab_case(const char *factors, const char *figure, double value, double noise)
{
    for (int r = -1; r <= 1; r++)
        table_add(&lab_table, "%s repetition=%d %s=%.10g", factors, r + 2, figure,
                  value * (1 + 0.01 * noise * r));
}

/* Runs find() of the experiment on the table. */
static inline void lab_find(const char *experiment)
{
    results_find(experiment_named(experiment), &lab_table, &lab_findings);
}

/* Returns how many findings of this kind contain this text; kind -1: of any kind. */
static inline unsigned lab_said(int kind, const char *words)
{
    unsigned count = 0;
    for (unsigned i = 0; i < lab_findings.count; i++)
        count += (kind < 0 || (int)lab_findings.finding[i].kind == kind) &&
                 strstr(lab_findings.finding[i].text, words) != NULL;
    return count;
}

/* Checks that each of the `count` sentences is said once, by a finding of this kind. */
static inline void lab_each_said(enum finding_kind kind, const char *const sentence[],
                                 unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        ck_assert_msg(lab_said((int)kind, sentence[i]) == 1, "%s", sentence[i]);
}

#endif
