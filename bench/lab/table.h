/*
 * The figures of one experiment in memory: a row for each measurement, a column for each factor (what was
 * varied) and each figure (what was measured). All sentences and plots of an experiment are computed from
 * such a table. So a test can make one up, and a report can read one from its CSV.
 */
#ifndef LAB_TABLE_H
#define LAB_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* `unit`: "bytes", "us", "s", "count", "1/s", "MB/s", "share" (0 to 1), "ratio", or "text" for words. */
struct column {
    const char *name; /* NULL ends a list of columns */
    const char *unit;
    const char *meaning;
};

enum {
    TABLE_COLUMNS_MAX = 72,
    CELL_TEXT_MAX = 40,
    FACTORS_TEXT_MAX = 320,
    SAMPLE_MAX = 64,
    DISTINCT_MAX = 64
};

/* A number or, in a column of text, words without a comma or a quote. NAN or "": not known. */
struct cell {
    double number;
    char text[CELL_TEXT_MAX];
};

struct table {
    const struct column *column[TABLE_COLUMNS_MAX];
    unsigned columns, factors; /* the first `factors` columns were varied */
    size_t rows, room;
    struct cell *cells; /* rows × columns; freed by table_close() */
};

/* Makes an empty table: `factors`, then the columns of common.def, then `figures` (may be NULL). */
void table_open(struct table *table, const struct column *factors, const struct column *figures);
void table_close(struct table *table);

/* Returns the index of a column; -1 when there is none with this name. */
int table_column(const struct table *table, const char *name);

/*
 * Adds a row whose cells are all unknown. Returns it, or NULL without memory. Valid until the next row is
 * added.
 */
struct cell *table_row_add(struct table *table);

/*
 * Sets cells from a text such as "method=read block_bytes=4096". Returns NULL, or the name that is no
 * column. A test makes rows in this way: table_add(&t, "method=%s mb_per_s=%d", "read", 900).
 */
const char *table_set(const struct table *table, struct cell *row, const char *assignments);
void table_add(struct table *table, const char *assignments, ...)
    __attribute__((format(printf, 2, 3)));

/*
 * Returns true when the row has all these values: "method=read cache=cold". An empty text matches every
 * row.
 */
bool table_matches(const struct table *table, size_t row, const char *where);

/*
 * Writes the case of a row, that is all its factors, in the form for table_matches(). Returns true when no
 * earlier row has the same case.
 */
bool table_case(const struct table *table, size_t row, char where[FACTORS_TEXT_MAX]);

/* The values of one figure in all rows that match, that is its repetitions. Unknown values are left out. */
struct sample {
    unsigned count;
    double value[SAMPLE_MAX];
};
struct sample table_sample(const struct table *table, const char *figure, const char *where, ...)
    __attribute__((format(printf, 3, 4)));

/*
 * Lists the different values of a column in rows that match: numbers ascending, words in the order of the
 * rows.
 */
unsigned table_distinct(const struct table *table, const char *column,
                        struct cell into[DISTINCT_MAX], const char *where, ...)
    __attribute__((format(printf, 4, 5)));

/* Writes CSV after RFC 4180: a line of names, then a line for each row. */
void table_head_write(const struct table *table, const char *experiment, FILE *to);
void table_row_write(const struct table *table, size_t row, const char *experiment, FILE *to);

/*
 * Reads such a file into an open table; unknown columns are ignored. Returns 0 or -errno; -EBADMSG: no CSV.
 */
int table_read(struct table *table, const char *path);

#endif
