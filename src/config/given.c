/*
 * Applies what the command line gives, after the files: options of the configuration, and rules.
 *
 * A rule of a file may have any title. So the title of a rule that is added here is the first one
 * that no rule beside it has, of several that are for the same paths.
 */

#include "config/loading.h"

#include <string.h>

#include "config/suggest.h"

/* ---- options --------------------------------------------------------------------------------- */

/*
 * Returns the value that all overrides of one option have together. Those of a list are joined;
 * otherwise the last counts. `where` is NULL when there are none.
 */
static struct option_value value_of(struct loading *l, const struct option_set *set,
                                    const struct config_option *option,
                                    const struct config_override *overrides, size_t count)
{
    struct option_value value = {.directory = l->here};
    for (size_t i = 0; i < count; i++) {
        const struct config_override *o = &overrides[i];
        if (option_find_dotted(set, o->name) != option) continue;
        value.where = keep_format(l->keep, "%s", o->from);
        if (option->kind == OPTION_LIST) {
            option_value_split(&value, o->value, l->keep);
        } else {
            value.count = 0;
            option_value_add(&value, keep_format(l->keep, "%s", o->value));
        }
    }
    return value;
}

static void options_apply(struct loading *l, const struct option_set *set,
                          struct config_block *block, const struct config_override *overrides,
                          size_t count)
{
    for (const struct config_option *option = set->option; option < set->end; option++) {
        struct option_value value = value_of(l, set, option, overrides, count);
        if (value.where) block_set(l, set, block, option, &value);
    }
}

/* ---- rules ----------------------------------------------------------------------------------- */

/* Titles of rules that are for the same paths, with NULL after the last one. */
#define TITLES_MAX 5
#define ALL_PATHS              \
    {                          \
        "/**", "/", "/*", "**" \
    }

static const char *const all_paths[TITLES_MAX] = ALL_PATHS;

/*
 * The rules of a single page, as sirv has them for --single: what is missing and has a suffix is a
 * missing file of the page. Its page in the place of a script would only hide that.
 */
static const struct {
    const char *title[TITLES_MAX], *paths;
} single_page[] = {
    {ALL_PATHS, "$path,/index.html"},
    {{"*.*", "**.*"}, ""},
    {{"/.well-known/", "/.well-known/*", "/.well-known/**"}, ""},
};
#define SINGLE_PAGE_RULES (sizeof(single_page) / sizeof(single_page[0]))

static bool has_title(const struct config_block *parent, const char *title)
{
    const struct config_block *block = parent->inner;
    while (block && strcmp(block->title, title) != 0)
        block = block->next;
    return block;
}

/* Returns the first title that is free; the last one when none is. */
static const char *title_choose(const struct config_block *parent,
                                const char *const titles[TITLES_MAX])
{
    size_t i = 0;
    while (titles[i + 1] && has_title(parent, titles[i]))
        i++;
    return titles[i];
}

static void last_rule_add(struct loading *l, struct config_block *parent, const char *where,
                          const struct config_override *overrides, size_t count)
{
    const char *title = title_choose(parent, all_paths);
    struct config_block *rule = block_add(l, &options_of_rule, parent, title, where, l->here);
    options_apply(l, &options_of_rule, rule, overrides, count);
    block_check_alone(l, &options_of_rule, parent, rule);
}

/* Puts the rules before all others of `parent`, in their order. */
static void single_page_add(struct loading *l, struct config_block *parent, const char *where)
{
    const struct config_option *option = option_find_dotted(&options_of_rule, "rule.try_files");
    struct config_block **at = &parent->inner;
    for (size_t i = 0; i < SINGLE_PAGE_RULES; i++) {
        struct option_value value = {.where = where, .directory = l->here};
        const char *title = title_choose(parent, single_page[i].title);
        struct config_block *rule = block_new(l, &options_of_rule, title, where, l->here);
        option_value_split(&value, single_page[i].paths, l->keep);
        block_set(l, &options_of_rule, rule, option, &value);
        block_check_alone(l, &options_of_rule, parent, rule);
        rule->next = *at;
        *at = rule;
        at = &rule->next;
    }
}

/* Which rules the command line gives: the place of each kind for messages, or NULL. */
struct given_rules {
    const char *last, *single_page;
};

static void rules_add(struct loading *l, struct config_block *parent,
                      const struct given_rules *given, const struct config_override *overrides,
                      size_t count)
{
    if (given->single_page) single_page_add(l, parent, given->single_page);
    if (given->last) last_rule_add(l, parent, given->last, overrides, count);
}

/* Returns whether the site has all hosts of no other site, so that nothing is left for outside. */
static bool has_all_hosts(const struct config_site *site)
{
    const struct config_list *hosts = &site->hosts;
    return hosts->count > 0 ? config_list_has(hosts, "*") : strcmp(site->block.title, "*") == 0;
}

static void rules_add_everywhere(struct loading *l, const struct given_rules *given,
                                 const struct config_override *overrides, size_t count)
{
    struct config *config = &l->loaded->config;
    bool outside = true;
    for (struct config_block *site = config->block.inner; site; site = site->next) {
        rules_add(l, site, given, overrides, count);
        outside = outside && !has_all_hosts((const struct config_site *)(const void *)site);
    }
    if (outside) rules_add(l, &config->outside, given, overrides, count);
}

/* ---- the whole ------------------------------------------------------------------------------- */

void given_apply(struct loading *l, const struct config_override *overrides, size_t count)
{
    struct given_rules given = {NULL, NULL};
    for (size_t i = 0; i < count; i++) {
        const struct config_override *o = &overrides[i];
        if (option_find_dotted(&options_of_rule, o->name))
            given.last = keep_format(l->keep, "%s", o->from);
        else if (strcmp(o->name, CONFIG_SINGLE_PAGE) == 0)
            given.single_page = keep_format(l->keep, "%s", o->from);
        else if (!option_find_dotted(&options_of_config, o->name))
            suggest_dotted(&l->problems, o->from, o->name);
    }
    options_apply(l, &options_of_config, &l->loaded->config.block, overrides, count);
    if (given.last || given.single_page) rules_add_everywhere(l, &given, overrides, count);
}
