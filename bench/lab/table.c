/*
 * The figures of one experiment in memory: adding rows, choosing rows. table_file.c reads and writes files.
 */
#include "table.h"

#include <math.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static const struct column common[] = {
#define COLUMN(name, unit, meaning) {#name, unit, meaning},
#include "common.def"
#undef COLUMN
    {NULL, NULL, NULL}};

static void columns_add(struct table *table, const struct column *list)
{
    for (; list && list->name && table->columns < TABLE_COLUMNS_MAX; list++)
        table->column[table->columns++] = list;
}

void table_open(struct table *table, const struct column *factors, const struct column *figures)
{
    memset(table, 0, sizeof *table);
    columns_add(table, factors);
    table->factors = table->columns;
    columns_add(table, common);
    columns_add(table, figures);
}

void table_close(struct table *table)
{
    free(table->cells);
    table->cells = NULL;
    table->rows = table->room = 0;
}

int table_column(const struct table *table, const char *name)
{
    for (unsigned c = 0; c < table->columns; c++)
        if (!strcmp(table->column[c]->name, name)) return (int)c;
    return -1;
}

struct cell *table_row_add(struct table *table)
{
    if (table->rows == table->room) {
        size_t room = table->room ? 2 * table->room : 64;
        void *cells = realloc(table->cells, room * table->columns * sizeof *table->cells);
        if (!cells) return NULL;
        table->cells = cells;
        table->room = room;
    }
    struct cell *row = table->cells + table->rows++ * table->columns;
    for (unsigned c = 0; c < table->columns; c++)
        row[c] = (struct cell){.number = NAN};
    return row;
}

static bool is_text(const struct column *column)
{
    return !strcmp(column->unit, "text");
}

static void cell_read(const struct column *column, struct cell *cell, const char *from)
{
    *cell = (struct cell){.number = NAN};
    if (is_text(column))
        snprintf(cell->text, sizeof cell->text, "%s", from);
    else if (*from)
        cell->number = strtod(from, NULL);
}

/* Takes the next "name=value" of a text and moves *at behind it. Returns false at the end. */
static bool assignment_next(const char **at, char name[64], char value[CELL_TEXT_MAX])
{
    int used = 0;
    value[0] = '\0';
    if (sscanf(*at, " %63[^= ]=%n", name, &used) != 1 || used == 0) return false;
    *at += used;
    used = 0;
    if (sscanf(*at, "%39[^ ]%n", value, &used) == 1) *at += used;
    return true;
}

const char *table_set(const struct table *table, struct cell *row, const char *assignments)
{
    static char name[64];
    char value[CELL_TEXT_MAX];
    while (assignment_next(&assignments, name, value)) {
        int c = table_column(table, name);
        if (c < 0) return name;
        cell_read(table->column[c], &row[c], value);
    }
    return NULL;
}

void table_add(struct table *table, const char *assignments, ...)
{
    char said[512];
    va_list values;
    va_start(values, assignments);
    vsnprintf(said, sizeof said, assignments, values);
    va_end(values);
    struct cell *row = table_row_add(table);
    if (!row) return;
    const char *unknown = table_set(table, row, said);
    if (unknown) {
        fprintf(stderr, "zclab: there is no column '%s'\n", unknown);
        abort(); /* an error in a test: it must not pass */
    }
}

static bool cell_equals(const struct column *column, const struct cell *a, const struct cell *b)
{
    if (is_text(column)) return !strcmp(a->text, b->text);
    if (isnan(a->number) || isnan(b->number)) return isnan(a->number) && isnan(b->number);
    return fabs(a->number - b->number) <= 1e-9 * fabs(a->number);
}

bool table_matches(const struct table *table, size_t row, const char *where)
{
    char name[64], value[CELL_TEXT_MAX];
    while (assignment_next(&where, name, value)) {
        int c = table_column(table, name);
        struct cell wanted;
        if (c < 0) return false;
        cell_read(table->column[c], &wanted, value);
        if (!cell_equals(table->column[c], &table->cells[row * table->columns + (unsigned)c],
                         &wanted))
            return false;
    }
    return true;
}

bool table_case(const struct table *table, size_t row, char where[FACTORS_TEXT_MAX])
{
    size_t used = 0;
    where[0] = '\0';
    for (unsigned c = 0; c < table->factors; c++) {
        const struct cell *cell = &table->cells[row * table->columns + c];
        bool words = !strcmp(table->column[c]->unit, "text");
        char value[CELL_TEXT_MAX] = "";
        if (words) strcpy(value, cell->text);
        if (!words && isfinite(cell->number)) snprintf(value, sizeof value, "%.10g", cell->number);
        used += (size_t)snprintf(where + used, FACTORS_TEXT_MAX - used, "%s=%s ",
                                 table->column[c]->name, value);
        if (used >= FACTORS_TEXT_MAX) return true;
    }
    for (size_t before = 0; before < row; before++)
        if (table_matches(table, before, where)) return false;
    return true;
}

struct sample table_sample(const struct table *table, const char *figure, const char *where, ...)
{
    struct sample sample = {0};
    char said[512];
    va_list values;
    va_start(values, where);
    vsnprintf(said, sizeof said, where, values);
    va_end(values);
    int c = table_column(table, figure);
    for (size_t r = 0; c >= 0 && r < table->rows && sample.count < SAMPLE_MAX; r++) {
        double value = table->cells[r * table->columns + (unsigned)c].number;
        if (isfinite(value) && table_matches(table, r, said)) sample.value[sample.count++] = value;
    }
    return sample;
}

static int ascending(const void *a, const void *b)
{
    double x = ((const struct cell *)a)->number, y = ((const struct cell *)b)->number;
    return (x > y) - (x < y);
}

unsigned table_distinct(const struct table *table, const char *column,
                        struct cell into[DISTINCT_MAX], const char *where, ...)
{
    char said[512];
    va_list values;
    va_start(values, where);
    vsnprintf(said, sizeof said, where, values);
    va_end(values);
    int c = table_column(table, column);
    unsigned count = 0;
    for (size_t r = 0; c >= 0 && r < table->rows && count < DISTINCT_MAX; r++) {
        const struct cell *cell = &table->cells[r * table->columns + (unsigned)c];
        unsigned known = 0;
        if (!table_matches(table, r, said)) continue;
        while (known < count && !cell_equals(table->column[c], &into[known], cell))
            known++;
        if (known == count) into[count++] = *cell;
    }
    if (count > 0 && !is_text(table->column[c])) qsort(into, count, sizeof *into, ascending);
    return count;
}
