/* The tables of options, and how each kind of option is read and written. */
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

/* One row of a table. `section` is "" or ends with "_": "cache_"; "site_" in all of site.def. */
struct config_option {
    enum option_kind kind;
    const char *section, *name, *fallback;
    uint64_t least, most;
    const char *words, *help;
    size_t offset; /* of its member in the structure of its table */
};

/* The options of one structure: of struct config, of a site or of a rule. */
struct option_set {
    const char *name;  /* of its block: "site"; "": struct config, which has no block      */
    const char *title; /* how messages show the title of such a block: "\"NAME\" ", or "" */
    const struct config_option *option, *end;
    size_t size;                    /* of the structure, in bytes                         */
    const struct option_set *inner; /* of the titled blocks that it may contain, or NULL  */
    const char *apart; /* the choice that makes two blocks of one title different, or NULL */
};

/* Each is the `inner` of the one before it. */
extern const struct option_set options_of_config, options_of_site, options_of_rule;

/* Returns the option called `name` in the block `section` ("": outside of blocks), or NULL. */
const struct config_option *option_find(const struct option_set *set, const char *section,
                                        const char *name);

/* Returns the option of this set called "name", "block.name" or "rule.name", or NULL. */
const struct config_option *option_find_dotted(const struct option_set *set, const char *dotted);

/* Returns how many bytes of `section` are the name of the block: 5 for "cache_". */
int option_section_length(const struct config_option *option);

bool option_is_in(const struct config_option *option, const char *section);

/* Returns whether this is the name of a block without a title, as "cache". */
bool option_is_section(const char *name);

/* Writes "name" or "block.name". */
void option_name(const struct config_option *option, char name[OPTION_NAME_MAX]);

/* Returns the units of a COUNT, BYTES or TIME. */
const struct quantity_unit *option_units(enum option_kind kind);

/*
 * The value that the operator gave an option. It has several items only if it was written as a
 * list. All texts live as long as the configuration.
 */
struct option_value {
    const char *where;                     /* where it was written, as "serve.conf:12" */
    const char *directory;                 /* where relative paths begin; absolute     */
    const char *item[CONFIG_LIST_MAX + 1]; /* the first ones, when `count` is larger   */
    size_t count;
};

void option_value_add(struct option_value *value, const char *item);

/* Adds the comma-separated members of `text`, which are copied to `keep`; "" has none. */
void option_value_split(struct option_value *value, const char *text, struct obstack *keep);

/*
 * Returns what is wrong with a text, whatever it is for, or NULL: "must not contain control
 * characters".
 */
const char *option_text_fault(const char *text);

/*
 * Sets the option's member of `block` to `value`; paths that are made absolute live in `keep`. When
 * `value` is not allowed, reports why, leaves the member as it was, and returns false.
 */
bool option_read(const struct config_option *option, const struct option_value *value,
                 struct config_block *block, struct obstack *keep, struct problems *problems);

/* Prints the option's value as a file would have it: 64m, off, "text", {"a", "b"}. */
void option_write(const struct config_option *option, const struct config_block *block, FILE *out);

/* Writes what messages say after "must be": "a size from 16 to 64k, such as 512, 64k or 1m". */
void option_allowed(const struct config_option *option, char text[OPTION_ALLOWED_MAX]);

#endif
