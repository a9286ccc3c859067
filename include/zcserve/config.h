/*
 * "What did the operator ask?" One table (options.def; site.def and rule.def for what is repeated)
 * describes every option; the structures, the file's reader, the printout of -T and the default
 * configuration are expansions of it. src/config/parse.c says how a file is written, and why no
 * library reads it.
 */
#ifndef ZCSERVE_CONFIG_H
#define ZCSERVE_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define CONFIG_LIST_MAX 16 /* members of a list option */

/* A list of strings, NULL after the last. */
struct config_list {
    const char *item[CONFIG_LIST_MAX + 1];
    uint32_t count;
};

enum config_model { MODEL_AUTO, MODEL_PREFORK, MODEL_THREADPOOL, MODEL_EPOLL, MODEL_URING };

/* Kinds of options, and how the structure holds each. */
typedef const char *config_TEXT;        /* any text                                               */
typedef const char *config_PATH;        /* absolute; see config_load                              */
typedef struct config_list config_LIST; /* {"a", "b"} or one text                                 */
typedef bool config_FLAG;               /* on/off, true/false, yes/no                             */
typedef uint64_t config_COUNT;          /* a whole number; AUTO (0) where "auto" is allowed       */
typedef uint64_t config_BYTES;          /* 512, 64k, 1m, 2g (powers of 1024)                      */
typedef uint64_t config_TIME;           /* in ns; written 250ms, 10s, 5m, 1h, 1d                  */
typedef int config_CHOICE;              /* one of the words named in the table                    */

/*
 * What the configuration, a site and a rule have in common. Blocks that may be repeated have a
 * title and stand in a list, in the order of the file: `inner` of the configuration is its first
 * site, `inner` of a site its first rule.
 */
struct config_block {
    const char *title;  /* "example.org"; NULL: the configuration itself               */
    const char *where;  /* "serve.conf:12"; NULL: likewise                             */
    const char **place; /* of each row of its table: where the option was set, or NULL */
    struct config_block *inner, *next;
};

struct config {
    struct config_block block;
#define OPTION(kind, section, name, ...) config_##kind section##name;
#include "zcserve/options.def"
#undef OPTION
    const char *file; /* absolute path of the configuration, or NULL */
};

struct config_site {
    struct config_block block;
#define OPTION(kind, section, name, ...) config_##kind name;
#include "zcserve/site.def"
#undef OPTION
};

struct config_rule {
    struct config_block block;
#define OPTION(kind, section, name, ...) config_##kind name;
#include "zcserve/rule.def"
#undef OPTION
};

/* An option set from the command line. Of several for one list all members count; else the last. */
struct config_override {
    const char *name;  /* "listen", "cache.size" */
    const char *value; /* as it would be written in the file; lists separated by commas */
    const char *from;  /* for messages: "-p", "--listen" */
};

/*
 * The defaults, then what `file` says (NULL: no file), then the overrides. Or NULL, after the
 * problems found were printed to `errors`, a line each:
 * "serve.conf:12: unknown option 'lisen' (did you mean 'listen'?)".
 * A PATH becomes absolute, but an empty one and the words of its row (as "off") stay as they are.
 * One in a file is relative to that file's directory, a default to that of `file`; an override, and
 * without a file all, to the current directory. Everything belongs to the configuration, and is
 * freed with it by config_free(). When memory runs out, the program ends.
 */
struct config *config_load(const char *file, const struct config_override *overrides, size_t count,
                           FILE *errors);
void config_free(struct config *config);

/*
 * Where the option whose member of `config` this is was set: "serve.conf:12", "-p", "default".
 * For what is found to be wrong with it later.
 */
const char *config_place(const struct config *config, const void *member);

/* The whole configuration as a file that config_load would read back to the same. */
void config_print(const struct config *config, FILE *out);

#endif
