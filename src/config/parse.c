/*
 * Takes what a configuration file says into the configuration:
 *
 *     name = value        value: a word, a text in quotes, or a list {a, "b"}
 *     block { … }         options that belong together; blocks of the same name are one
 *     site "NAME" { … }   with a title, and may be repeated; in it may stand: rule "PATH" { … }
 *     include("FILE")     or include = FILE; outside of blocks
 *
 * One run tells every problem with its line: after a wrong name or value the reading goes on. It
 * ends only where it is unclear what is a name and what a value.
 *
 * No library reads the file. libconfuse (3.3) did, but these it cannot do, not even with its own
 * types, CFGF_MULTI | CFGF_TITLE and validation callbacks:
 *   - go on after an unknown name or a wrong value (its issues 189, 190). CFGF_IGNORE_UNKNOWN goes
 *     on, but does not tell the name, so that no other can be suggested;
 *   - say where an option or a title is that is set twice: it keeps no lines of values. A second
 *     value replaces the first, and a title may be empty;
 *   - see that a block or a text is not closed: the end of a file closes its blocks, or, of an
 *     included file, leaves them open for what follows; a text goes on up to the next quote in
 *     another line, where the error is told (its issue 116);
 *   - count lines after a C comment, or take a comment inside a statement;
 *   - refuse variables that are not set (they are empty) and bytes that it does not know (it drops
 *     them); read numbers with units, or 010 as ten; include relative to the file.
 */

#include "config/loading.h"

#include <string.h>

#include "config/scan.h"
#include "config/suggest.h"

/* A file that is being read. */
struct parsing {
    struct loading *l;
    const struct input *from;
    struct scan scan;
};

/* The block whose statements are being read, and whose options they set. */
struct inside {
    const struct option_set *set;
    const char *section; /* "", "cache", "site" */
    struct config_block *block;
};

/* The name that a statement begins with. */
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
 * Takes the sign that must follow `name`; `missing` is what to call it when a name or value stands
 * there.
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

/* Takes the brace that ends what was opened on `line`. */
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

/* Takes a text or a list; false when there is none. */
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
    /* The empty text is the empty list too: a variable has no other way to say so. */
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

static void titled_parse(struct parsing *p, const struct inside *in, const struct named *named)
{
    const struct option_set *set = in->set->inner;
    const char *title = "";
    if (p->scan.token == TOKEN_TEXT) {
        title = p->scan.text;
        scan_next(&p->scan);
    }
    if (p->l->block_count++ == LOADING_BLOCKS_MAX)
        scan_fail(&p->scan, named->line, "more than %d sites and rules", LOADING_BLOCKS_MAX);
    if (p->scan.token == '{') block_check_title(p->l, set, in->block, title, named->where);
    struct config_block *block =
        block_add(p->l, set, in->block, title, named->where, p->from->directory);
    block_parse(p, &(struct inside){set, set->name, block});
}

/* ---- names that nothing has ------------------------------------------------------------------ */

/* Passes over a block, whatever is in it. */
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

/* Tells that the name is unknown, and passes over what it would be given. */
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
    bool titled = in->set->inner && strcmp(in->section, in->set->name) == 0 &&
                  strcmp(named.name, in->set->inner->name) == 0;
    if (named.name[0] == '\0') scan_fail(&p->scan, named.line, "an option's name is missing");
    scan_next(&p->scan);
    if (option)
        option_parse(p, in, &named, option);
    else if (titled)
        titled_parse(p, in, &named);
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
