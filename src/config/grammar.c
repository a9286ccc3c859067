/*
 * Reads the text of a configuration with libconfuse into a flat list of statements.
 *
 * Every option is declared to libconfuse as a list of strings, so that libconfuse checks no values:
 * option_read.c gives better messages. libconfuse stops at a name that it does not know. That name
 * is then declared too, and the text is read again, so that all unknown names are reported.
 */

#include "config/grammar.h"

#include <assert.h>
#include <confuse.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/option.h"

struct unknown {
    const char *block, *name;
    int line;
};

struct reading {
    struct grammar grammar;
    struct keep *keep;
    cfg_t *root;
    struct unknown unknown[GRAMMAR_UNKNOWN_MAX];
    size_t unknown_count;
    struct unknown last; /* the unknown name reported last, in `unknown` or not       */
    bool again;          /* a new unknown name was found: the text must be read again */
};

/*
 * libconfuse's callbacks get no pointer of ours. Its lexer is global, so this is no further limit.
 */
static struct reading *current;

static const char *section_name(const cfg_t *section)
{
    return section == current->root
               ? ""
               : keep_text(current->keep, section->name, strlen(section->name));
}

/* ---- callbacks of libconfuse ----------------------------------------------------------------- */

static void statement_add(struct reading *r, struct statement statement)
{
    struct grammar *g = &r->grammar;
    if (g->count % 64 == 0) {
        struct statement *more = realloc(g->statements, (g->count + 64) * sizeof *more);
        if (!more) {
            r->keep->exhausted = true;
            return;
        }
        g->statements = more;
    }
    g->statements[g->count++] = statement;
}

/* Called for each value. libconfuse has counted it already, so `nvalues` is 1 for the first one. */
static int value_told(cfg_t *section, cfg_opt_t *option, const char *value, void *result)
{
    if (current->grammar.count == GRAMMAR_STATEMENTS_MAX) {
        cfg_error(section, "more than %d values", GRAMMAR_STATEMENTS_MAX);
        return -1;
    }
    struct statement statement = {
        .block = section_name(section),
        .name = keep_text(current->keep, option->name, strlen(option->name)),
        .value = keep_text(current->keep, value, strlen(value)),
        .line = section->line,
        .first = option->nvalues == 1,
    };
    statement_add(current, statement);
    *(const char **)result = value;
    return 0;
}

/*
 * A declared name is still unknown when libconfuse looks for it in another block: "a|b" means b in
 * the block a.
 */
static bool unknown_is_new(const struct reading *r, const struct unknown *unknown)
{
    for (const struct unknown *other = r->unknown; other < r->unknown + r->unknown_count; other++)
        if (strcmp(other->block, unknown->block) == 0 && strcmp(other->name, unknown->name) == 0)
            return false;
    return true;
}

static void unknown_told(struct reading *r, const char *block, const char *name, int line)
{
    r->last = (struct unknown){block, keep_text(r->keep, name, strlen(name)), line};
    if (r->unknown_count < GRAMMAR_UNKNOWN_MAX && unknown_is_new(r, &r->last)) {
        r->unknown[r->unknown_count++] = r->last;
        r->again = true;
    }
}

__attribute__((format(printf, 2, 0))) static void error_told(cfg_t *section, const char *format,
                                                             va_list arguments)
{
    struct reading *r = current;
    if (strcmp(format, "no such option '%s'") == 0) {
        va_list copy;
        va_copy(copy, arguments);
        unknown_told(r, section_name(section), va_arg(copy, const char *), section->line);
        va_end(copy);
    }
    char text[256];
    vsnprintf(text, sizeof text, format, arguments);
    r->grammar.fault = keep_text(r->keep, text, strlen(text));
    r->grammar.line = section->line;
}

/* ---- options declared to libconfuse ---------------------------------------------------------- */

/*
 * The declared options: a run for each block, then one for the top level; each ends with CFG_END.
 */
struct names {
    cfg_opt_t *option;
    size_t count;
};

static void names_add(struct names *names, const char *name)
{
    names->option[names->count++] =
        (cfg_opt_t)CFG_STR_LIST_CB(name, NULL, CFGF_NODEFAULT, value_told);
}

/* Adds a run with the known and the unknown options of a block. Returns its first option. */
static cfg_opt_t *names_add_block(struct names *names, const struct reading *r, const char *block)
{
    cfg_opt_t *run = names->option + names->count;
    for (const struct config_option *option = option_table; option->name; option++)
        if (option_is_in(option, block)) names_add(names, option->name);
    for (size_t i = 0; i < r->unknown_count; i++)
        if (strcmp(r->unknown[i].block, block) == 0) names_add(names, r->unknown[i].name);
    names->option[names->count++] = (cfg_opt_t)CFG_END();
    return run;
}

/* Returns the name of the block whose first option in the table is `option`; NULL for any other. */
static const char *block_begun(const struct config_option *option, struct keep *keep)
{
    for (const struct config_option *other = option_table; other < option; other++)
        if (strcmp(other->section, option->section) == 0) return NULL;
    size_t length = strlen(option->section);
    return length > 0 ? keep_text(keep, option->section, length - 1) : NULL;
}

static cfg_t *names_build(const struct reading *r, struct names *names)
{
    struct names blocks = {.option = calloc(option_count + 1, sizeof(cfg_opt_t))};
    if (!blocks.option) return NULL;
    for (const struct config_option *option = option_table; option->name; option++) {
        const char *block = block_begun(option, r->keep);
        if (block) {
            cfg_opt_t *run = names_add_block(names, r, block);
            blocks.option[blocks.count++] = (cfg_opt_t)CFG_SEC(block, run, CFGF_NONE);
        }
    }
    cfg_opt_t *top = names_add_block(names, r, "");
    names->count--; /* the CFG_END: the top level has more */
    names_add(names, "include");
    for (size_t i = 0; i < blocks.count; i++)
        names->option[names->count++] = blocks.option[i];
    names->option[names->count++] = (cfg_opt_t)CFG_END();
    free(blocks.option);
    return cfg_init(top, CFGF_NONE);
}

/* Makes room for every option, at most a block and a CFG_END for each, and the unknown names. */
static cfg_t *names_init(const struct reading *r)
{
    struct names names = {
        .option = calloc(3 * option_count + GRAMMAR_UNKNOWN_MAX + 4, sizeof(cfg_opt_t))};
    cfg_t *root = names.option ? names_build(r, &names) : NULL;
    free(names.option); /* cfg_init made copies */
    return root;
}

/* ---- reading --------------------------------------------------------------------------------- */

static void reading_once(struct reading *r, const char *text)
{
    r->again = false;
    r->grammar.count = 0;
    r->grammar.fault = NULL;
    r->root = names_init(r);
    if (!r->root) {
        r->keep->exhausted = true;
        return;
    }
    cfg_set_error_function(r->root, error_told);
    if (cfg_parse_buf(r->root, text) != CFG_SUCCESS && !r->grammar.fault) {
        r->grammar.fault = "an option's name is missing";
        r->grammar.line = r->root->line;
    }
    cfg_free(r->root);
    r->root = NULL;
}

/*
 * A fault on the line of an unknown name is due to that name, as at the brace after an unknown
 * block. Then the name is reported instead: it becomes a statement if there is none of that line.
 */
static void reading_explain(struct reading *r)
{
    if (!r->grammar.fault || !r->last.name || r->last.line != r->grammar.line) return;
    r->grammar.fault = NULL;
    size_t count = r->grammar.count;
    if (count == 0 || r->grammar.statements[count - 1].line != r->last.line) {
        statement_add(r, (struct statement){.block = r->last.block,
                                            .name = r->last.name,
                                            .value = "",
                                            .line = r->last.line,
                                            .first = true});
    }
}

struct grammar grammar_read(const char *text, struct keep *keep)
{
    struct reading r = {.keep = keep};
    assert(!current);
    current = &r;
    do {
        reading_once(&r, text);
    } while (r.again);
    reading_explain(&r);
    current = NULL;
    return r.grammar;
}

void grammar_free(struct grammar *grammar)
{
    free(grammar->statements);
    grammar->statements = NULL;
    grammar->count = 0;
}
