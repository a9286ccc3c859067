/* Sites and rules have the order of the configuration (start/sites.h), so they are found by it. */
#include "written.h"
#include "start/sites.h"

#include <string.h>

static const struct config_block *block_nth(const struct config_block *block, uint32_t number)
{
    for (; block && number > 0; number--)
        block = block->next;
    return block;
}

const struct config_site *written_site(const struct program *p, const struct site *site)
{
    uint32_t number = (uint32_t)(site - p->sites->site);
    if (number == 0) return NULL;
    return (const struct config_site *)(const void *)block_nth(p->config->block.inner, number - 1);
}

const struct config_rule *written_rule(const struct program *p, const struct site *site,
                                       uint32_t number)
{
    const struct config_site *written = written_site(p, site);
    const struct config_block *first = written ? written->block.inner : p->config->outside.inner;
    return (const struct config_rule *)(const void *)block_nth(first, number);
}

enum rule_value written_value(const struct config_option *option)
{
    static const struct {
        const char *name;
        enum rule_value value;
    } known[] = {
        {"methods", RULE_METHODS},     {"allow", RULE_ALLOW},   {"deny", RULE_DENY},
        {"users", RULE_USERS},         {"redirect", RULE_TARGET}, {"moved", RULE_TARGET},
        {"rewrite", RULE_PATHS},       {"try_files", RULE_PATHS}, {"listing", RULE_LISTS},
        {"cors", RULE_ORIGINS},        {"compress", RULE_COMPRESSES}, {"type", RULE_TYPE},
        {"charset", RULE_CHARSET},
    };
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
        if (strcmp(option->name, known[i].name) == 0) return known[i].value;
    return RULE_VALUES;
}

const char *written_place(const struct config_rule *rule, const struct config_option *option)
{
    return rule->block.place[option - options_of_rule.option];
}

const struct config_option *written_option(const struct config_rule *rule, enum rule_value value)
{
    const struct option_set *set = &options_of_rule;
    for (const struct config_option *option = set->option; option < set->end; option++)
        if (written_value(option) == value && written_place(rule, option)) return option;
    return NULL;
}

/* Takes the backslash before each "$" that would not begin a variable anyway. */
static void dollars_plain(char *text)
{
    char *to = text;
    for (const char *at = text; *at; at++)
        if (at[0] != '\\' || at[1] != '$' || at[2] == '{') *to++ = *at;
    *to = '\0';
}

char *written_text(const struct config_rule *rule, const struct config_option *option)
{
    char *text = NULL;
    size_t length;
    FILE *stream = open_memstream(&text, &length);
    if (!stream) return NULL;
    fprintf(stream, "%s = ", option->name);
    option_write(option, &rule->block, stream);
    if (fclose(stream) != 0) return NULL;
    dollars_plain(text);
    return text;
}
