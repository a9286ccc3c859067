/* What the parts of config_load() share while it runs. */
#ifndef ZCSERVE_LOADING_H
#define ZCSERVE_LOADING_H

#include <stddef.h>
#include <stdio.h>

#include "config/keep.h"
#include "config/option.h"
#include "config/problem.h"
#include "config/source.h"
#include "zcserve/config.h"

#define LOADING_FILES_MAX 16 /* the configuration and all that it includes */

struct loaded {
    struct config config; /* first, because config_free() gets a pointer to it */
    struct keep keep;
    const char *place[]; /* for each option of the table: where it was set, as a text */
};

/* A file to read. */
struct input {
    const char *name;      /* what messages call it                              */
    const char *path;      /* absolute                                           */
    const char *directory; /* of `path`; absolute                                */
    struct place asked;    /* the include; its `file` is NULL for the first file */
    struct source_file file;
};

struct loading {
    struct loaded *loaded;
    struct problems problems;
    struct keep scratch;
    const char *here; /* the current directory */
    struct input input[LOADING_FILES_MAX];
    size_t input_count;
    struct place *set; /* for each option of the table: where it was set; `file` NULL: not yet */
};

/* Returns the file that the operator called `name`, relative to the current directory. */
struct input input_of(struct loading *l, const char *name);

/* Adds a file to read. Reports a problem when there are too many. */
void input_add(struct loading *l, const struct input *input);

/* Applies `bytes`, the text of the file `from`, and adds the files that it includes. */
void input_apply_bytes(struct loading *l, const struct input *from, const char *bytes,
                       size_t length);

/* Reads and applies every file that was added, and those that they include. */
void input_apply_all(struct loading *l);

/* Sets an option, and remembers where it was set. */
void value_apply(struct loading *l, const struct config_option *option,
                 const struct option_value *value);

/*
 * As config_load() of a file `name` with this content; when `bytes` is NULL the file is read. For
 * tests and for the fuzzer.
 */
struct config *config_load_bytes(const char *name, const char *bytes, size_t length,
                                 const struct config_override *overrides, size_t count,
                                 FILE *errors);

#endif
