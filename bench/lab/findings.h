/*
 * Findings: sentences computed from figures. A finding says which figures it follows from and how noisy
 * they are; a difference within the noise is called none. Pure: tests give made-up figures.
 */
#ifndef LAB_FINDINGS_H
#define LAB_FINDINGS_H

#include "statistics.h"

enum finding_kind {
    FINDING_FACT,     /* what the figures say */
    FINDING_HELD,     /* the expectation held */
    FINDING_NOT_HELD, /* it did not; the sentence says what may explain it */
    FINDING_OPEN,     /* the figures do not tell: noise, or not measured */
};

enum { FINDINGS_MAX = 32, FINDING_TEXT_MAX = 600 };
struct findings {
    unsigned count;
    struct {
        enum finding_kind kind;
        char text[FINDING_TEXT_MAX];
    } finding[FINDINGS_MAX];
};

/* Adds a sentence; one too many is left out. */
void finding_add(struct findings *into, enum finding_kind kind, const char *sentence, ...)
    __attribute__((format(printf, 3, 4)));

/*
 * "read reaches 1.8 times (1.6 to 2.0) the MB/s of mmap: 1,200 against 667 MB/s." or
 * "read and mmap do not differ in MB/s within the noise (ratio 0.97 to 1.05; 667 MB/s)." `figure` is a
 * column of the table; the two are compared in the rows that match `where_a` and `where_b`.
 * Returns the comparison; nothing is said when one of them was not measured.
 */
struct comparison finding_ratio(struct findings *into, const struct table *table,
                                const char *figure, const char *name_a, const char *where_a,
                                const char *name_b, const char *where_b);

/*
 * "The best block_bytes for read is 1 MiB: 812 MB/s (±3 %); from 256 KiB on the difference is within the noise."
 * `subject` is what was varied over, in words of a sentence: "The best block for cold reads by pread".
 */
void finding_best(struct findings *into, const struct table *table, const char *subject,
                  const char *x, const char *figure, bool most, const char *where);

/*
 * "MB/s of read over block_bytes bends at 64 KiB: before it grows as x^0.92, after as x^0.05 (two lines
 * in log-log)." or "… bends nowhere between 4 KiB and 4 MiB: it grows as x^0.97." or OPEN with fewer than
 * four points. Returns the bend, so that the experiment can hold it against its expectation.
 */
struct bend finding_bend(struct findings *into, const struct table *table, const char *subject,
                         const char *x, const char *figure, const char *where);

/*
 * "16 threads reach 3.1 times the MB/s of 1: 19 % of the ideal; 50 % are still reached with 4."
 * x is how many work at once. FACT, or OPEN when there is no point 1.
 */
void finding_scaling(struct findings *into, const struct table *table, const char *subject,
                     const char *x, const char *figure, const char *where);

/*
 * Holds a ratio against what was expected: HELD with "Expected: EXPECTATION. It held: …", NOT_HELD with
 * `explanation`, OPEN when it is within the noise or was not measured. `wanted` MORE: A > B was expected.
 */
void finding_expect(struct findings *into, const char *expectation, enum verdict wanted,
                    const struct comparison *measured, const char *explanation);

/*
 * How doubtful the rows are as a whole, one sentence a kind of warning: "12 of 60 measurements: other programs
 * used the CPU." The frame adds these after find() of each experiment.
 */
void findings_of_warnings(struct findings *into, const struct table *table);

#endif
