/*
 * The configuration. Three tables describe every option: options.def, and, for blocks that may be
 * repeated, site.def and rule.def. The structures, the reader of the file, the output of -T and the
 * defaults are made from them. src/config/parse.c describes the syntax of a file.
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
typedef const char *config_TEXT;        /* any text                                           */
typedef const char *config_PATH;        /* absolute; see config_load                          */
typedef struct config_list config_LIST; /* {"a", "b"} or one text                             */
typedef bool config_FLAG;               /* on/off, true/false, yes/no                         */
typedef uint64_t config_COUNT;          /* a whole number; 0 for "auto" where that is allowed */
typedef uint64_t config_BYTES;          /* 512, 64k, 1m, 2g (powers of 1024)                  */
typedef uint64_t config_TIME;           /* in ns; written 250ms, 10s, 5m, 1h, 1d              */
typedef int config_CHOICE;              /* one of the words named in the table                */

/*
 * The common part of the configuration, a site and a rule; it is their first member. The sites of
 * the configuration and the rules of a site are lists, in the order of the file.
 */
struct config_block {
    const char *title;          /* "example.org"; NULL: this is the configuration itself      */
    const char *where;          /* where the block begins, as "serve.conf:12"; NULL: as above */
    const char **place;         /* for each row of its table: where it was set; NULL: nowhere */
    struct config_block *inner; /* its first site or rule, or NULL                            */
    struct config_block *next;  /* the next site or rule beside it, or NULL                   */
};

struct config {
    struct config_block block;
#define OPTION(kind, section, name, ...) config_##kind section##name;
#include "zcserve/options.def"
#undef OPTION
    const char *file;            /* absolute path of the configuration, or NULL */
    struct config_block outside; /* its inner blocks are the rules outside of sites */
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

/*
 * An option set on the command line. Several overrides of one list are joined; of any other option
 * the last override counts.
 *
 * The options of a rule are called "rule.cors" and so on. They make one rule for all paths, which
 * stands behind all other rules of every site, and of what is outside of sites: so it wins over
 * them, as every override does. CONFIG_SINGLE_PAGE makes rules that stand before all others: what
 * is no file gets /index.html, unless another rule has try_files or rewrite for its path. A path
 * whose last segment has a dot, or that begins with /.well-known/, does not.
 */
#define CONFIG_SINGLE_PAGE "--spa"
struct config_override {
    const char *name;  /* "listen", "cache.size", "rule.cors" */
    const char *value; /* as it would be written in the file; lists separated by commas */
    const char *from;  /* for messages: "-p", "--listen" */
};

/*
 * Returns a configuration, which owns all its texts: the defaults, then the options of `file`
 * (NULL: no file), then the overrides. Returns NULL after it printed the problems to `errors`, one
 * line each:
 * "serve.conf:12: unknown option 'lisen' (did you mean 'listen'?)".
 *
 * A PATH becomes absolute, except when it is empty or a word of its row, such as "off". A path in a
 * file is relative to the directory of that file, a default to the directory of `file`. An override
 * is relative to the current directory, and so are the defaults when there is no file.
 * When memory runs out, that is a problem too.
 */
struct config *config_load(const char *file, const struct config_override *overrides, size_t count,
                           FILE *errors);
void config_free(struct config *config);

/*
 * Returns where the option was set whose member of `config` this is: "serve.conf:12", "-p",
 * "default". It is for messages about the option's value.
 */
const char *config_place(const struct config *config, const void *member);

/* The same for an option of a site or of a rule. Returns NULL when it was not set. */
const char *config_site_place(const struct config_site *site, const void *member);
const char *config_rule_place(const struct config_rule *rule, const void *member);

/*
 * A root and the options by which files are found beneath it: those of a site, where it sets them, else
 * those outside of sites. Texts and lists belong to the configuration.
 */
struct config_root {
    const char *root, *place; /* `place`: where it was set, for messages */
    const struct config_list *index, *sidecars;
    const struct config_list *compress; /* codings that are made on the fly */
    const char *compress_place;
    int symlinks;
    bool hidden;
};
struct config_root config_root_outside(const struct config *config);
struct config_root config_root_of(const struct config *config, const struct config_site *site);
bool config_roots_equal(const struct config_root *a, const struct config_root *b);

/* Returns whether the root outside of sites must be there: it was set, or there are no sites. */
bool config_root_outside_used(const struct config *config);

/*
 * Writes the roots that are used, each once, to `root`, which has room for `most`. Returns how many there
 * are, which may be more.
 */
uint32_t config_roots(const struct config *config, struct config_root *root, uint32_t most);

/* Returns whether a list has this word; case counts. */
bool config_list_has(const struct config_list *list, const char *word);

/* Prints the whole configuration as a file, which config_load() reads as the same configuration. */
void config_print(const struct config *config, FILE *out);

#endif
