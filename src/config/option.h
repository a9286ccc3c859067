/* The options of options.def as a table, and how each kind of option is read and written. */
#ifndef ZCSERVE_OPTION_H
#define ZCSERVE_OPTION_H

#include "config/keep.h"
#include "config/problem.h"
#include "config/quantity.h"
#include "zcserve/config.h"

#define OPTION_VALUE_MAX 4095  /* bytes of one text */
#define OPTION_NAME_MAX 64     /* bytes of "block.name", with its NUL */
#define OPTION_ALLOWED_MAX 256 /* bytes of "a whole number from 1 to 1024", with its NUL */

enum option_kind {
    OPTION_TEXT,
    OPTION_PATH,
    OPTION_LIST,
    OPTION_FLAG,
    OPTION_COUNT,
    OPTION_BYTES,
    OPTION_TIME,
    OPTION_CHOICE
};

/* One row of options.def. `section` is "" or ends with "_", as in options.def. */
struct config_option {
    enum option_kind kind;
    const char *section, *name, *fallback;
    uint64_t least, most;
    const char *words, *help;
    size_t offset; /* of its member in struct config */
};

/* The options in the order of options.def. After the last one `name` is NULL. */
extern const struct config_option option_table[];
extern const size_t option_count;

/* Returns the option called `name` in the block `block` ("": outside of blocks), or NULL. */
const struct config_option *option_find(const char *block, const char *name);

/* Returns the option called "name" or "block.name", or NULL. */
const struct config_option *option_find_dotted(const char *dotted);

bool option_is_in(const struct config_option *option, const char *block);

/* Writes "name" or "block.name". */
void option_name(const struct config_option *option, char name[OPTION_NAME_MAX]);

/* Returns the units of a COUNT, BYTES or TIME. */
const struct quantity_unit *option_units(enum option_kind kind);

/*
 * The value that the operator gave an option. It has several items only if it was written as a
 * list.
 */
struct option_value {
    struct place at;                       /* where it was written                   */
    const char *directory;                 /* where relative paths begin; absolute   */
    const char *item[CONFIG_LIST_MAX + 1]; /* the first ones, when `count` is larger */
    size_t count;
};

void option_value_add(struct option_value *value, const char *item);

/* Adds the comma-separated members of `text`, which are copied to `keep`; "" has none. */
void option_value_split(struct option_value *value, const char *text, struct keep *keep);

/*
 * Sets the option's member of `config` to `value`; texts are copied to `keep`. When `value` is not
 * allowed, reports why, leaves the member as it was, and returns false.
 */
bool option_read(const struct config_option *option, const struct option_value *value,
                 struct config *config, struct keep *keep, struct problems *problems);

/* Prints the option's value as a file would have it: 64m, off, "text", {"a", "b"}. */
void option_write(const struct config_option *option, const struct config *config, FILE *out);

/* Writes what messages say after "must be": "a size from 16 to 64k, such as 512, 64k or 1m". */
void option_allowed(const struct config_option *option, char text[OPTION_ALLOWED_MAX]);

#endif
