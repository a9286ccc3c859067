/*
 * Applies the statements of a configuration file. There are four kinds:
 *
 *     name = value        a value is a word, a text in quotes, or a list {a, "b"}
 *     block { … }         options that belong together; several blocks of one name are joined
 *     site "NAME" { … }   each has another title; it may contain blocks rule "PATH" { … },
 *                         which may also stand outside of sites
 *     include("FILE")     or include = FILE; only outside of blocks
 *
 * One run reports every problem with its line: after a wrong name or value, reading goes on. It
 * stops only where it is not clear what is a name and what is a value.
 *
 * This file and scan.c replace libconfuse (3.3). libconfuse can read nested blocks with titles. Its
 * own types, flags and validation callbacks cannot give the messages that are given here:
 *   - It stops at the first unknown name or wrong value (its issues 189 and 190). With
 *     CFGF_IGNORE_UNKNOWN it goes on, but does not report the name, so that none can be suggested.
 *   - A second value replaces the first, and a title may be empty. Only a callback could notice it.
 *   - The end of the file closes all blocks. The end of an included file leaves them open.
 *   - A text without its closing quote goes on to the next quote, perhaps lines later, and the
 *     problem is reported there (its issue 116).
 *   - After a C comment of several lines the line numbers are wrong, and a comment within a
 *     statement is refused.
 *   - A variable that is not set is an empty text. Some characters, such as '*', are dropped.
 *   - A number cannot have a unit, and 010 is eight.
 *   - A relative path of an include begins in the current directory, not beside the file.
 */

#include "config/loading.h"

#include <string.h>

#include "config/scan.h"
#include "config/suggest.h"

/* The file that is being parsed. */
struct parsing {
    struct loading *l;
    const struct input *from;
    struct scan scan;
};

/* The block whose statements are being parsed. They set options of `block`. */
struct inside {
    const struct option_set *set;
    const char *section; /* "", "cache", "site" */
    struct config_block *block;
};

/* The name at the beginning of a statement, and its place. */
struct named {
    const char *name, *where;
    int line;
};

/* ---- signs and values ------------------------------------------------------------------------ */

static void unexpected(struct scan *scan)
{
    if (scan->token == TOKEN_END)
        scan_fail(scan, scan->line, "premature end of file");
    else if (scan->token == '(' || scan->token == ')')
        scan_fail(scan, scan->line, "parentheses outside of quotes are only for include(\"FILE\")");
    else
        scan_fail(scan, scan->line, "unexpected token '%.70s'", scan->text);
}

/*
 * Takes the sign that must follow `name`. If a name or a value is there instead, the message calls
 * the sign `missing`.
 */
static bool sign_take(struct scan *scan, int sign, const char *missing, const char *name)
{
    bool found = scan->token == sign;
    if (found)
        scan_next(scan);
    else if (scan->token == TOKEN_END || scan->token == '(' || scan->token == ')')
        unexpected(scan);
    else
        scan_fail(scan, scan->line, "missing %s '%s'", missing, name);
    return found;
}

/* Takes the brace that closes the one on `line`. */
static bool brace_take(struct scan *scan, int line)
{
    bool found = scan->token == '}';
    if (found)
        scan_next(scan);
    else if (scan->token == TOKEN_END)
        scan_fail(scan, line, "this '{' is not closed");
    else
        unexpected(scan);
    return found;
}

/* Takes a text or a list. Returns false when there is neither, or the list is not closed. */
static bool value_take(struct scan *scan, struct option_value *value)
{
    int line = scan->line;
    bool list = scan->token == '{';
    if (list)
        scan_next(scan);
    else if (scan->token != TOKEN_TEXT)
        unexpected(scan);
    while (scan->token == TOKEN_TEXT) {
        option_value_add(value, scan->text);
        scan_next(scan);
        if (!list || scan->token != ',') break;
        scan_next(scan);
    }
    return list ? brace_take(scan, line) : value->count > 0;
}

/* ---- options --------------------------------------------------------------------------------- */

static void option_parse(struct parsing *p, const struct inside *in, const struct named *named,
                         const struct config_option *option)
{
    struct option_value value = {.where = named->where, .directory = p->from->directory};
    const char *before = in->block->place[option - in->set->option];
    if (!sign_take(&p->scan, '=', "equal sign after option", named->name) ||
        !value_take(&p->scan, &value))
        return;
    if (before) {
        char name[OPTION_NAME_MAX];
        option_name(option, name);
        problem_tell(&p->l->problems, named->where, "%s is a duplicate: %s sets it already", name,
                     before);
        return;
    }
    /* A list of one empty text means the empty list, as from a variable that is empty. */
    if (option->kind == OPTION_LIST && value.count == 1 && value.item[0][0] == '\0')
        value.count = 0;
    block_set(p->l, in->set, in->block, option, &value);
}

static void include_parse(struct parsing *p, const struct named *named)
{
    struct scan *scan = &p->scan;
    struct option_value value = {0};
    bool call = scan->token == '(';
    if (call)
        scan_next(scan);
    else if (!sign_take(scan, '=', "equal sign after option", named->name))
        return;
    if (!value_take(scan, &value)) return;
    for (size_t i = 0; i < value.count && i <= CONFIG_LIST_MAX; i++)
        input_add(p->l, p->from, value.item[i], named->where);
    if (value.count == 0) input_add(p->l, p->from, "", named->where);
    if (call && scan->token == ')')
        scan_next(scan);
    else if (call)
        scan_fail(scan, scan->line, "a parenthesis is not closed");
}

/* ---- blocks ---------------------------------------------------------------------------------- */

static void statements_parse(struct parsing *p, const struct inside *in);

static void block_parse(struct parsing *p, const struct inside *in)
{
    int line = p->scan.line;
    if (!sign_take(&p->scan, '{', "opening brace for section", in->section)) return;
    statements_parse(p, in);
    brace_take(&p->scan, line);
}

/* Returns the options of the titled blocks called `name` that may be here, or NULL. */
static const struct option_set *titled_find(const struct inside *in, const char *name)
{
    bool outside = in->section[0] == '\0';
    if (outside && strcmp(name, options_of_rule.name) == 0) return &options_of_rule;
    if (!in->set->inner || strcmp(in->section, in->set->name) != 0) return NULL;
    return strcmp(name, in->set->inner->name) == 0 ? in->set->inner : NULL;
}

static void titled_parse(struct parsing *p, const struct inside *in, const struct named *named,
                         const struct option_set *set)
{
    struct config_block *parent = in->set->inner == set ? in->block : &p->l->loaded->config.outside;
    const char *title = "";
    if (p->scan.token == TOKEN_TEXT) {
        title = p->scan.text;
        scan_next(&p->scan);
    }
    if (p->l->block_count++ == LOADING_BLOCKS_MAX)
        scan_fail(&p->scan, named->line, "more than %d sites and rules", LOADING_BLOCKS_MAX);
    bool whole = p->scan.token == '{';
    struct config_block *block =
        block_add(p->l, set, parent, title, named->where, p->from->directory);
    if (whole) block_check_title(p->l, set, block);
    if (whole && !set->apart) block_check_alone(p->l, set, parent, block);
    block_parse(p, &(struct inside){set, set->name, block});
    if (whole && set->apart) block_check_alone(p->l, set, parent, block);
}

/* ---- unknown names --------------------------------------------------------------------------- */

/* Skips a block and all that is in it. It counts braces, so that no depth is too large. */
static void block_skip(struct scan *scan)
{
    int line = scan->line;
    size_t depth = 1;
    while (depth > 0 && scan->token >= TOKEN_TEXT) {
        scan_next(scan);
        depth += scan->token == '{';
        depth -= scan->token == '}';
    }
    brace_take(scan, line);
}

/* Reports that the name is unknown, and skips the value or the block that follows it. */
static void unknown_parse(struct parsing *p, const struct inside *in, const struct named *named)
{
    struct scan *scan = &p->scan;
    if (scan->token == '(') {
        unexpected(scan);
        return;
    }
    suggest_option(&p->l->problems, named->where, in->set, in->section, named->name);
    if (scan->token == '=') {
        struct option_value value = {0};
        scan_next(scan);
        value_take(scan, &value);
        return;
    }
    if (scan->token == TOKEN_TEXT && scan->line == named->line) scan_next(scan);
    if (scan->token == '{') block_skip(scan);
}

/* ---- statements ------------------------------------------------------------------------------ */

static void statement_parse(struct parsing *p, const struct inside *in)
{
    struct named named = {
        p->scan.text, keep_format(p->l->keep, "%s:%d", p->from->name, p->scan.line), p->scan.line};
    const struct config_option *option = option_find(in->set, in->section, named.name);
    bool outside = in->section[0] == '\0';
    const struct option_set *titled = titled_find(in, named.name);
    if (named.name[0] == '\0') scan_fail(&p->scan, named.line, "an option's name is missing");
    scan_next(&p->scan);
    if (option)
        option_parse(p, in, &named, option);
    else if (titled)
        titled_parse(p, in, &named, titled);
    else if (outside && option_is_section(named.name))
        block_parse(p, &(struct inside){in->set, named.name, in->block});
    else if (outside && strcmp(named.name, "include") == 0)
        include_parse(p, &named);
    else if (p->scan.token != TOKEN_FAULT)
        unknown_parse(p, in, &named);
}

static void statements_parse(struct parsing *p, const struct inside *in)
{
    while (p->scan.token == TOKEN_TEXT)
        statement_parse(p, in);
}

void parse(struct loading *l, const struct input *from, const char *bytes, size_t length)
{
    struct parsing p = {.l = l, .from = from};
    scan_begin(&p.scan, bytes, length, l->keep);
    statements_parse(&p, &(struct inside){&options_of_config, "", &l->loaded->config.block});
    if (p.scan.token == '}')
        scan_fail(&p.scan, p.scan.line, "unexpected closing brace");
    else if (p.scan.token != TOKEN_END)
        unexpected(&p.scan);
    if (p.scan.token == TOKEN_FAULT)
        problem_tell(&l->problems, keep_format(l->keep, "%s:%d", from->name, p.scan.line), "%s",
                     p.scan.text);
}
