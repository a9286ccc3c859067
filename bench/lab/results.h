/*
 * The folder of a run: environment.json, and for each experiment NAME.csv and NAME.json. FORMATS.md
 * documents them: when they change, change that file too.
 */
#ifndef LAB_RESULTS_H
#define LAB_RESULTS_H

#include "findings.h"
#include "lab.h"

#include <jansson.h>

enum { PATH_TEXT_MAX = 512 };

/*
 * Makes the folder and writes its name to `path`: what --out says, else zclab-results/DATE-HOST. Returns 0
 * or -errno.
 */
int results_open(const struct options *options, char path[PATH_TEXT_MAX]);

/* Returns NAME.csv with its head, open for rows; NULL after it has printed why not. */
FILE *results_csv_open(const char *folder, const struct lab *lab);

/*
 * Writes the complete CSV again, because its warnings may have changed, and NAME.json. Returns 0 or -errno.
 */
int results_write(const char *folder, struct lab *lab);

/* Reads the files of one experiment: an open table, and NAME.json (may be NULL). Returns 0 or -errno. */
int results_read(const char *folder, const struct experiment *experiment, struct table *table,
                 json_t **about);

/* Runs find() and adds what the warnings say: all findings of a table. */
void results_find(const struct experiment *experiment, const struct table *table,
                  struct findings *into);

/* Lists the experiments that are linked into the program, by number. */
unsigned experiments_list(const struct experiment *into[], unsigned most);
const struct experiment *experiment_named(const char *name);

#endif
