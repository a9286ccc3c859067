/*
 * Reads and writes a table as CSV after RFC 4180. It is written row by row, so the file is always
 * well-formed.
 */
#include "table.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

void table_head_write(const struct table *table, const char *experiment, FILE *to)
{
    (void)experiment;
    fputs("experiment", to);
    for (unsigned c = 0; c < table->columns; c++)
        fprintf(to, ",%s", table->column[c]->name);
    fputs("\n", to);
}

void table_row_write(const struct table *table, size_t row, const char *experiment, FILE *to)
{
    fputs(experiment, to);
    for (unsigned c = 0; c < table->columns; c++) {
        const struct cell *cell = &table->cells[row * table->columns + c];
        if (!strcmp(table->column[c]->unit, "text"))
            fprintf(to, ",%s", cell->text);
        else if (isfinite(cell->number))
            fprintf(to, ",%.10g", cell->number);
        else
            fputc(',', to);
    }
    fputc('\n', to);
}

/* Cuts one line into its fields, in place. Cells contain neither commas nor quotes. */
static unsigned fields_cut(char *line, char *field[TABLE_COLUMNS_MAX + 1])
{
    unsigned count = 0;
    line[strcspn(line, "\r\n")] = '\0';
    for (char *at = line; at && count <= TABLE_COLUMNS_MAX;) {
        field[count++] = at;
        at = strchr(at, ',');
        if (at) *at++ = '\0';
    }
    return count;
}

static void row_read(struct table *table, char *field[], const int of[], unsigned fields)
{
    struct cell *row = table_row_add(table);
    for (unsigned f = 0; row && f < fields; f++) {
        if (of[f] < 0 || !*field[f]) continue;
        struct cell *cell = &row[of[f]];
        if (!strcmp(table->column[of[f]]->unit, "text"))
            snprintf(cell->text, sizeof cell->text, "%s", field[f]);
        else
            cell->number = strtod(field[f], NULL);
    }
}

int table_read(struct table *table, const char *path)
{
    FILE *file = fopen(path, "re");
    if (!file) return -errno;
    char *line = NULL, *field[TABLE_COLUMNS_MAX + 1];
    size_t size = 0;
    int of[TABLE_COLUMNS_MAX + 1], result = -EBADMSG;
    unsigned names = 0;
    while (getline(&line, &size, file) > 0) {
        unsigned fields = fields_cut(line, field);
        if (names == 0) {
            if (strcmp(field[0], "experiment") != 0) break;
            names = fields;
            for (unsigned f = 0; f < fields; f++)
                of[f] = table_column(table, field[f]);
            result = 0;
        } else if (fields == names) { /* else: a line that was cut off */
            row_read(table, field, of, fields);
        }
    }
    free(line);
    fclose(file);
    return result;
}
