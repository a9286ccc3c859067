/*
 * The folder of a run: environment.json, and of each experiment NAME.csv and NAME.json. FORMATS.md documents
 * them; a change of what they hold changes that file too.
 */
#ifndef LAB_RESULTS_H
#define LAB_RESULTS_H

#include "findings.h"
#include "lab.h"

#include <jansson.h>

enum { PATH_TEXT_MAX = 512 };

/* Makes the folder; its name into `path`: what --out says, else zclab-results/DATE-HOST. 0 or -errno. */
int results_open(const struct options *options, char path[PATH_TEXT_MAX]);

/* NAME.csv with its head, open for rows; NULL after it said why not. */
FILE *results_csv_open(const char *folder, const struct lab *lab);

/* Writes the whole CSV again (its warnings may have changed) and NAME.json. 0 or -errno. */
int results_write(const char *folder, struct lab *lab);

/* Reads what is there of one experiment: an open table, and NAME.json (may be NULL). 0 or -errno. */
int results_read(const char *folder, const struct experiment *experiment, struct table *table,
                 json_t **about);

/* find() and what the warnings say: all findings of a table. */
void results_find(const struct experiment *experiment, const struct table *table,
                  struct findings *into);

/* The experiments that the program was linked with, by their number. */
unsigned experiments_list(const struct experiment *into[], unsigned most);
const struct experiment *experiment_named(const char *name);

#endif
