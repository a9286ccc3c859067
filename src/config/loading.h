/* "How far has the reading come?" What the parts of config_load share while it runs. */
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
    struct config config; /* first: config_free is given this */
    struct keep keep;
    const char *place[]; /* of each option of the table: where it was set */
};

/* A file to read: what it is called in messages, where it is, and what asked for it. */
struct input {
    const char *name;
    const char *path;
    const char *directory; /* of `path`; absolute */
    struct place asked;
    struct source_file file;
};

struct loading {
    struct loaded *loaded;
    struct problems problems;
    struct keep scratch;
    const char *here; /* the current directory */
    struct input input[LOADING_FILES_MAX];
    size_t input_count;
    struct place *set; /* of each option of the table: where it was set; no file: nowhere yet */
};

/* A file called `name` by the operator, relative to the current directory. */
struct input input_of(struct loading *l, const char *name);

/* Adds a file to read; a problem when there are too many. */
void input_add(struct loading *l, const struct input *input);

/* Takes what `bytes`, the text of `from`, say; files that they include are added. */
void input_apply_bytes(struct loading *l, const struct input *from, const char *bytes,
                       size_t length);

/* Reads every file added, and those added meanwhile. */
void input_apply_all(struct loading *l);

/* Sets an option, and remembers where it was set. */
void value_apply(struct loading *l, const struct config_option *option,
                 const struct option_value *value);

/*
 * As config_load of a file `name` that has these bytes; when they are NULL, it is read. For tests,
 * and for the fuzzer.
 */
struct config *config_load_bytes(const char *name, const char *bytes, size_t length,
                                 const struct config_override *overrides, size_t count,
                                 FILE *errors);

#endif
