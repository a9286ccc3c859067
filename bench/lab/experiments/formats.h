/*
 * Experiment 10, files and formats: what its files share. formats.c is the lesson and has the cases.
 * formats_table.c writes the table, and formats_read.c reads it. In formats_parquet.c Node reads it.
 * formats_names.c is about names and small files. formats_find.c says what the figures mean.
 */
#ifndef LAB_FORMATS_H
#define LAB_FORMATS_H

#include "../experiment.h"

#include <string.h>

/* ---- the table (formats_table.c) --------------------------------------------------------------- */

/* One row. A row of fixed length has the same bytes in the file as in memory. */
struct sale {
    uint32_t id, customer;
    double price;
    uint32_t quantity, day;
    char note[16];
};
enum { TABLE_FIELDS = 6, TABLE_BATCH = 4096 };
extern const char *const table_field[TABLE_FIELDS];

/* The table in one format and packing: a file, or for columns a directory with a file for each column. */
struct form {
    const char *format,
        *packing; /* csv, jsonl, rows, columns, parquet; plain, zstd, gzip, snappy */
    uint64_t rows;
    char path[300];
    const char *node_modules; /* where Node finds its packages */
};

/* Makes the files unless they exist. Returns 0 or -errno. Not for parquet. */
int form_make(const struct form *form);

/* Lists the paths of the files and returns how many; one_column: only those that have the price. */
unsigned form_files(const struct form *form, bool one_column, char path[TABLE_FIELDS][340]);

/* Returns what a pass over the table must give: the sum over all columns, or over the price alone. */
int64_t table_sum(uint64_t rows, bool one_column);

/*
 * A table that is read from its beginning on (formats_read.c). Returns 0 or -errno; it must always be
 * closed.
 */
struct reader;
struct reader *reader_open(const struct form *form, bool one_column, int *result);
void reader_close(struct reader *reader);

/* Reads up to TABLE_BATCH rows and adds their values to *sum. Returns the rows, 0 at the end, or -errno. */
int64_t reader_batch(struct reader *reader, int64_t *sum);

/*
 * Reads one row: at its place where the format permits it, else by reading up to it. Returns 0 or -errno.
 */
int form_row(const struct form *form, uint64_t row);

/* Returns the unpacked bytes of a row, as far as the question needs them: MB/s are computed from these. */
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

/* A Node process that makes the file when it does not exist, and answers questions about it. */
struct node {
    int pid, to, from;
    char line[200];
};
/*
 * Returns 0; -ENOPKG: no Node, or not its packages; -ENOTSUP: not this packing; or -errno. node_close()
 * must always follow.
 */
int node_open(struct node *node, const struct form *form, const char *csv);
void node_close(struct node *node);
/* Asks "scan", "column" or "row N". Returns 0 or -errno; sets the sum, and the CPU time of Node. */
int node_ask(struct node *node, const char *question, double *sum, double *user_us,
             double *system_us);

/* ---- names and small files (formats_names.c) ----------------------------------------------------- */

void files_walk(struct lab *lab);
void names_walk(struct lab *lab);

/* ---- findings (formats_find.c) ------------------------------------------------------------------- */

void formats_find(const struct table *t, struct findings *into);

#endif
