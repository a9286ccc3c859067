/*
 * Findings: sentences computed from figures. A finding says from which figures it follows and how noisy
 * they are; a difference within the noise is reported as no difference. Pure: tests give made-up figures.
 */
#ifndef LAB_FINDINGS_H
#define LAB_FINDINGS_H

#include "statistics.h"

enum finding_kind {
    FINDING_FACT,     /* what the figures say */
    FINDING_HELD,     /* the expectation held */
    FINDING_NOT_HELD, /* it did not; the sentence says what may explain it */
    FINDING_OPEN,     /* the figures do not decide it: noise, or not measured */
};

enum { FINDINGS_MAX = 32, FINDING_TEXT_MAX = 600 };
struct findings {
    unsigned count;
    struct {
        enum finding_kind kind;
        char text[FINDING_TEXT_MAX];
    } finding[FINDINGS_MAX];
};

/* Adds a sentence. When there are too many, it is left out. */
void finding_add(struct findings *into, enum finding_kind kind, const char *sentence, ...)
    __attribute__((format(printf, 3, 4)));

/*
 * Compares two sets of rows by one figure:
 * "read reaches 1.8 times (1.6 to 2.0) the MB/s of mmap: 1,200 against 667 MB/s." or
 * "read and mmap do not differ in MB/s within the noise (ratio 0.97 to 1.05; 667 MB/s)."
 * `figure` is a column of the table. The rows are those that match `where_a` and `where_b`. Returns the
 * comparison. It adds no sentence when one of them was not measured.
 */
struct comparison finding_ratio(struct findings *into, const struct table *table,
                                const char *figure, const char *name_a, const char *where_a,
                                const char *name_b, const char *where_b);

/*
 * "The best block_bytes for read is 1 MiB: 812 MB/s (±3 %); from 256 KiB on the difference is within the noise."
 * `subject` names what was varied, in words of a sentence: "The best block for cold reads by pread".
 */
void finding_best(struct findings *into, const struct table *table, const char *subject,
                  const char *x, const char *figure, bool most, const char *where);

/*
 * "MB/s of read over block_bytes bends at 64 KiB: before it grows as x^0.92, after as x^0.05 (two lines
 * in log-log)." or "… bends nowhere between 4 KiB and 4 MiB: it grows as x^0.97." or, with fewer than four
 * points, OPEN.
 * Returns the bend, so that the experiment can compare it with its expectation.
 */
struct bend finding_bend(struct findings *into, const struct table *table, const char *subject,
                         const char *x, const char *figure, const char *where);

/*
 * "16 threads reach 3.1 times the MB/s of 1: 19 % of the ideal; 50 % are still reached with 4."
 * x is how many work at once. The kind is FACT, or OPEN when there is no point 1.
 */
void finding_scaling(struct findings *into, const struct table *table, const char *subject,
                     const char *x, const char *figure, const char *where);

/*
 * Compares a ratio with an expectation. HELD: "Expected: EXPECTATION. It held: …". NOT_HELD: with
 * `explanation`. OPEN: the ratio is within the noise or was not measured. `wanted` is MORE when A > B was
 * expected.
 */
void finding_expect(struct findings *into, const char *expectation, enum verdict wanted,
                    const struct comparison *measured, const char *explanation);

/*
 * Says how doubtful the rows are as a whole, one sentence for each kind of warning: "12 of 60 measurements:
 * other programs used the CPU." The frame adds these after find() of each experiment.
 */
void findings_of_warnings(struct findings *into, const struct table *table);

#endif
