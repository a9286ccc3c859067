/* "What may be set?" options.def as a table, and how each kind of option is read and written. */
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

/* One line of options.def; `section` is "" or ends in "_", as there. */
struct config_option {
    enum option_kind kind;
    const char *section, *name, *fallback;
    uint64_t least, most;
    const char *words, *help;
    size_t offset; /* of its field in struct config */
};

/* In the order of options.def; the last has no name. */
extern const struct config_option option_table[];
extern const size_t option_count;

/* The option called `name` in the block `block` ("": outside of blocks), or NULL. */
const struct config_option *option_find(const char *block, const char *name);

/* The option called "name" or "block.name", or NULL. */
const struct config_option *option_find_dotted(const char *dotted);

bool option_is_in(const struct config_option *option, const char *block);

/* Writes "name" or "block.name". */
void option_name(const struct config_option *option, char name[OPTION_NAME_MAX]);

/* The units of a COUNT, BYTES or TIME. */
const struct quantity_unit *option_units(enum option_kind kind);

/* What the operator gave an option: several texts only where he wrote a list. */
struct option_value {
    struct place at;
    const char *directory;                 /* what relative paths are relative to; absolute */
    const char *item[CONFIG_LIST_MAX + 1]; /* the first ones, when there are more           */
    size_t count;
};

void option_value_add(struct option_value *value, const char *item);

/* Adds the comma-separated members of `text`; "" has none. */
void option_value_split(struct option_value *value, const char *text, struct keep *keep);

/*
 * Sets the option's field from `value`; texts are kept in `keep`. False, with the field as it was,
 * after telling what is wrong.
 */
bool option_read(const struct config_option *option, const struct option_value *value,
                 struct config *config, struct keep *keep, struct problems *problems);

/* Prints the field's value as the file would have it: 64m, off, "text", {"a", "b"}. */
void option_write(const struct config_option *option, const struct config *config, FILE *out);

/* "a size from 16 to 64k, as 512, 64k or 1m": what goes after "must be". */
void option_allowed(const struct config_option *option, char text[OPTION_ALLOWED_MAX]);

#endif
