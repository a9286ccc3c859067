/* "What may be set?" The tables of options, and how each kind of option is read and written. */
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

/* One line of a table; `section` is "" or ends in "_", as in options.def: "cache_", "site_". */
struct config_option {
    enum option_kind kind;
    const char *section, *name, *fallback;
    uint64_t least, most;
    const char *words, *help;
    size_t offset; /* of its field in the structure of its table */
};

/* The table of one structure. */
struct option_set {
    const char *name;  /* of its block: "site"; "": struct config, which has none */
    const char *title; /* as its title is shown in messages: "\"NAME\" "        */
    const struct config_option *option, *end;
    size_t size;                    /* of the structure                                  */
    const struct option_set *inner; /* of the titled blocks that may stand in it, or NULL */
};

/* Each is the `inner` of the one before. */
extern const struct option_set options_of_config, options_of_site, options_of_rule;

/* The option called `name` in the block `section` ("": outside of blocks) of a set, or NULL. */
const struct config_option *option_find(const struct option_set *set, const char *section,
                                        const char *name);

/* The option of struct config called "name" or "block.name", or NULL. */
const struct config_option *option_find_dotted(const char *dotted);

/* Bytes of its block's name in `section`: 5 of "cache_". */
int option_section_length(const struct config_option *option);

bool option_is_in(const struct config_option *option, const char *section);

/* Is that a block without a title, as "cache"? */
bool option_is_section(const char *name);

/* Writes "name" or "block.name". */
void option_name(const struct config_option *option, char name[OPTION_NAME_MAX]);

/* The units of a COUNT, BYTES or TIME. */
const struct quantity_unit *option_units(enum option_kind kind);

/*
 * What an option is given: several texts only when a list is written. They live as long as the
 * configuration.
 */
struct option_value {
    const char *where;                     /* for messages, and for config_place()          */
    const char *directory;                 /* what relative paths are relative to; absolute */
    const char *item[CONFIG_LIST_MAX + 1]; /* the first ones, when there are more           */
    size_t count;
};

void option_value_add(struct option_value *value, const char *item);

/* Adds the comma-separated members of `text`; "" has none. */
void option_value_split(struct option_value *value, const char *text, struct obstack *keep);

/*
 * What is wrong with any text, whatever it is for: "must not contain control characters"; or NULL.
 */
const char *option_text_fault(const char *text);

/*
 * Sets the option's field in `block` from `value`; what is made of it is kept in `keep`. False,
 * with the field as it was, after telling what is wrong.
 */
bool option_read(const struct config_option *option, const struct option_value *value,
                 struct config_block *block, struct obstack *keep, struct problems *problems);

/* Prints the field's value as the file would have it: 64m, off, "text", {"a", "b"}. */
void option_write(const struct config_option *option, const struct config_block *block, FILE *out);

/* "a size from 16 to 64k, as 512, 64k or 1m": what goes after "must be". */
void option_allowed(const struct config_option *option, char text[OPTION_ALLOWED_MAX]);

#endif
