/*
 * Experiment 10, files and formats: what its files share. formats.c is the lesson and has the cases,
 * formats_table.c writes the table, formats_read.c reads it, formats_parquet.c has Node read it, formats_names.c is about names
 * and small files, formats_find.c says what the figures mean.
 */
#ifndef LAB_FORMATS_H
#define LAB_FORMATS_H

#include "../experiment.h"

#include <string.h>

/* ---- the table (formats_table.c) --------------------------------------------------------------- */

/* One row. As a row of fixed length it lies in the file as it lies in memory. */
struct sale {
    uint32_t id, customer;
    double price;
    uint32_t quantity, day;
    char note[16];
};
enum { TABLE_FIELDS = 6, TABLE_BATCH = 4096 };
extern const char *const table_field[TABLE_FIELDS];

/* The table in one format and packing: a file, or for columns a directory with a file for each. */
struct form {
    const char *format,
        *packing; /* csv, jsonl, rows, columns, parquet; plain, zstd, gzip, snappy */
    uint64_t rows;
    char path[300];
    const char *node_modules; /* where Node finds its packages */
};

/* Makes the files unless they are there. 0 or -errno. Not for parquet. */
int form_make(const struct form *form);

/* The files: their paths, and how many; one_column: those alone that hold the price. */
unsigned form_files(const struct form *form, bool one_column, char path[TABLE_FIELDS][340]);

/* What a pass over the table gives: a sum over all columns, or over the price alone. */
int64_t table_sum(uint64_t rows, bool one_column);

/* A table that is read from its beginning on (formats_read.c). Returns 0 or -errno; close always. */
struct reader;
struct reader *reader_open(const struct form *form, bool one_column, int *result);
void reader_close(struct reader *reader);

/* Reads up to TABLE_BATCH rows, and adds what they hold to *sum. Returns the rows, 0 at the end, or -errno. */
int64_t reader_batch(struct reader *reader, int64_t *sum);

/* One row: at its place where the format permits it, else by reading up to there. 0 or -errno. */
int form_row(const struct form *form, uint64_t row);

/* Bytes of a row when it is not packed, as far as the question needs them: what MB/s are counted in. */
double form_row_bytes(const struct form *form, bool one_column);

/* ---- between the two files of the table --------------------------------------------------------- */

extern const size_t table_field_bytes[TABLE_FIELDS], table_field_at[TABLE_FIELDS];
enum { PRICE = 2, NOTE = 5, PIECE = 128 << 10 };
struct sale sale_of(uint64_t row);
int64_t sale_sum(const struct sale *sale, bool one_column);
static inline bool form_is(const struct form *form, const char *format)
{
    return !strcmp(form->format, format);
}

/* ---- Parquet (formats_parquet.c) ---------------------------------------------------------------- */

/* A Node process that makes the file when it is not there, and answers questions about it. */
struct node {
    int pid, to, from;
    char line[200];
};
/* 0; -ENOPKG: no Node, or not its packages; -ENOTSUP: not this packing; or -errno. node_close() always. */
int node_open(struct node *node, const struct form *form, const char *csv);
void node_close(struct node *node);
/* "scan", "column" or "row N": 0 or -errno; the sum, and the CPU that it took Node. */
int node_ask(struct node *node, const char *question, double *sum, double *user_us,
             double *system_us);

/* ---- names and small files (formats_names.c) ----------------------------------------------------- */

void files_walk(struct lab *lab);
void names_walk(struct lab *lab);

/* ---- findings (formats_find.c) ------------------------------------------------------------------- */

void formats_find(const struct table *t, struct findings *into);

#endif
