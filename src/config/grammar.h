/* "Which options are set, to which texts, and where?" The only file that knows libconfuse. */
#ifndef ZCSERVE_GRAMMAR_H
#define ZCSERVE_GRAMMAR_H

#include <stdbool.h>
#include <stddef.h>

#include "config/keep.h"

#define GRAMMAR_STATEMENTS_MAX 4096 /* in all files together */
#define GRAMMAR_UNKNOWN_MAX 16 /* different unknown names in a file; reading stops at the next */

/* One text given to one name. Each member of a list is a statement; `first` begins a list anew. */
struct statement {
    const char *block; /* "": outside of blocks */
    const char *name;  /* perhaps of no option  */
    const char *value;
    int line;
    bool first;
};

struct grammar {
    struct statement *statements; /* in the order of the file; freed by grammar_free */
    size_t count;
    const char *fault; /* NULL, or what reading stopped at; kept */
    int line;          /* where that is                          */
};

/*
 * Reads a text that source_clean made; all strings are kept in `keep`. The names are those of
 * option_table, and "include" outside of blocks; a statement with another is there all the same.
 */
struct grammar grammar_read(const char *text, struct keep *keep);
void grammar_free(struct grammar *grammar);

#endif
