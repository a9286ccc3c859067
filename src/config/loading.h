/* "How far has the reading come?" What the parts of config_load share while it runs. */
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
    struct config config; /* first: config_free is given this */
    struct obstack keep;
};

/* A file to read: what it is called in messages, where it is, and where it was asked for. */
struct input {
    const char *name;
    const char *path;
    const char *directory; /* of `path`; absolute */
    const char *asked;     /* "serve.conf:3"; NULL: by the command line */
    char *bytes;           /* while it is read */
    size_t length;
    dev_t device; /* with the inode: which file it is, whatever it is called */
    ino_t inode;
};

struct loading {
    struct loaded *loaded;
    struct obstack *keep; /* the loaded one's */
    struct problems problems;
    const char *here; /* the current directory */
    struct input input[LOADING_FILES_MAX];
    size_t input_count, block_count;
};

/*
 * A file that `from` calls `name` at the place `where`. What the command line names comes from an
 * input without a name in the current directory.
 */
struct input input_of(struct loading *l, const struct input *from, const char *name,
                      const char *where);

/* Adds such a file to those to read; a problem when there are too many. */
void input_add(struct loading *l, const struct input *from, const char *name, const char *where);

/*
 * Reads its bytes, which the caller frees in any case; false after telling why they are not to be
 * parsed.
 */
bool input_read(struct loading *l, struct input *input);

/* Takes what `bytes`, the text of `from`, say; files that they include are added. */
void parse(struct loading *l, const struct input *from, const char *bytes, size_t length);

/* Gives the options of a new block their defaults; paths among them are relative to `directory`. */
void block_begin(struct loading *l, const struct option_set *set, struct config_block *block,
                 const char *directory);

/* Tells what is wrong with a title in `parent`: that it is empty, or there already. */
void block_check_title(struct loading *l, const struct option_set *set,
                       const struct config_block *parent, const char *title, const char *where);

/* A new block, the last one in `parent`. */
struct config_block *block_add(struct loading *l, const struct option_set *set,
                               struct config_block *parent, const char *title, const char *where,
                               const char *directory);

/* Sets an option, and remembers where. */
void block_set(struct loading *l, const struct option_set *set, struct config_block *block,
               const struct config_option *option, const struct option_value *value);

/*
 * As config_load of a file `name` that has these bytes; when they are NULL, it is read. For tests,
 * and for the fuzzer.
 */
struct config *config_load_bytes(const char *name, const char *bytes, size_t length,
                                 const struct config_override *overrides, size_t count,
                                 FILE *errors);

#endif
