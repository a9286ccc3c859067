/* What the parts of config_load() share while it runs. */
#ifndef ZCSERVE_LOADING_H
#define ZCSERVE_LOADING_H

#include <sys/types.h>

#include "config/keep.h"
#include "config/option.h"
#include "config/problem.h"
#include "zcserve/config.h"

#define INPUT_BYTES_MAX (1024 * 1024)
#define LOADING_FILES_MAX 16    /* the configuration and all that it includes */
#define LOADING_BLOCKS_MAX 4096 /* sites and rules                            */

struct loaded {
    struct config config; /* first, because config_free() gets a pointer to it */
    struct obstack keep;
};

/* A file to read. */
struct input {
    const char *name;      /* what messages call it                                    */
    const char *path;      /* absolute                                                 */
    const char *directory; /* of `path`; absolute                                      */
    const char *asked;     /* the include, as "serve.conf:3"; NULL for the first file  */
    char *bytes;           /* its content; config_load_bytes() frees it                */
    size_t length;         /* of `bytes`                                               */
    dev_t device;          /* `device` and `inode` identify it, whatever it is called  */
    ino_t inode;
};

struct loading {
    struct loaded *loaded;
    struct obstack *keep; /* that of `loaded` */
    struct problems problems;
    const char *here; /* the current directory */
    struct input input[LOADING_FILES_MAX];
    size_t input_count, block_count;
};

/*
 * Returns the file that `from` includes as `name` at the place `where`. For the file that the
 * command line names, `from` has the name "" and the current directory.
 */
struct input input_of(struct loading *l, const struct input *from, const char *name,
                      const char *where);

/* Adds this file to those to read. Reports a problem when there are too many. */
void input_add(struct loading *l, const struct input *from, const char *name, const char *where);

/* Reads the file to `input->bytes`. Returns false after it reported why it must not be parsed. */
bool input_read(struct loading *l, struct input *input);

/* Applies `bytes`, the text of the file `from`, and adds the files that it includes. */
void parse(struct loading *l, const struct input *from, const char *bytes, size_t length);

/* Gives the options of a new block their defaults. Paths are relative to `directory`. */
void block_begin(struct loading *l, const struct option_set *set, struct config_block *block,
                 const char *directory);

/* Reports a title that is empty, or not allowed in any text. */
void block_check_title(struct loading *l, const struct option_set *set,
                       const struct config_block *block);

/*
 * Reports another block of `parent` that has the title, and the same choice in set->apart: that option
 * must be set in both.
 */
void block_check_alone(struct loading *l, const struct option_set *set,
                       const struct config_block *parent, const struct config_block *block);

/*
 * Returns a new block with its defaults, which is not in its parent's list yet; and the same as the
 * last one in `parent`.
 */
struct config_block *block_new(struct loading *l, const struct option_set *set, const char *title,
                               const char *where, const char *directory);
struct config_block *block_add(struct loading *l, const struct option_set *set,
                               struct config_block *parent, const char *title, const char *where,
                               const char *directory);

/* Sets an option, and remembers where it was set. Reports a value that is not allowed. */
void block_set(struct loading *l, const struct option_set *set, struct config_block *block,
               const struct config_option *option, const struct option_value *value);

/*
 * Applies what the command line gives, after all files: first its options, then its rules. Reports
 * names of options that do not exist, and values that are not allowed.
 */
void given_apply(struct loading *l, const struct config_override *overrides, size_t count);

/*
 * As config_load() of a file `name` with this content; when `bytes` is NULL the file is read. For
 * tests and for the fuzzer.
 */
struct config *config_load_bytes(const char *name, const char *bytes, size_t length,
                                 const struct config_override *overrides, size_t count,
                                 FILE *errors);

#endif
