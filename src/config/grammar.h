/*
 * The statements of a configuration file: which name gets which value, on which line. Only
 * grammar.c uses libconfuse.
 */
#ifndef ZCSERVE_GRAMMAR_H
#define ZCSERVE_GRAMMAR_H

#include <stdbool.h>
#include <stddef.h>

#include "config/keep.h"

#define GRAMMAR_STATEMENTS_MAX 4096 /* in all files together */
#define GRAMMAR_UNKNOWN_MAX 16 /* different unknown names in a file; reading stops at the next */

/* One value given to one name. Each member of a list is a statement of its own. */
struct statement {
    const char *block; /* "": outside of blocks          */
    const char *name;  /* perhaps one that no option has */
    const char *value;
    int line;
    bool first; /* the only value, or the first of a list */
};

struct grammar {
    struct statement *statements; /* in the order of the file; freed by grammar_free */
    size_t count;
    const char *fault; /* NULL, or why reading stopped; lives in `keep` */
    int line;          /* of the fault                                  */
};

/*
 * Reads a text made by source_clean(). All strings live in `keep`. Known names are those of
 * option_table and, outside of blocks, "include"; statements with other names are returned too.
 */
struct grammar grammar_read(const char *text, struct keep *keep);
void grammar_free(struct grammar *grammar);

#endif
