/* The tables of options (options.def, site.def, rule.def) as lists of a manual page. */
#include "directive.h"
#include "roff.h"

#include "config/option.h"

#include <string.h>

/* Writes "name = default" as the file has it. A text without a value is "". */
static void option_begin(FILE *out, const struct config_option *option)
{
    bool is_text = option->kind == OPTION_TEXT || option->kind == OPTION_PATH;
    const char *quote = is_text && strcmp(option->fallback, "off") != 0 ? "\"" : "";
    fputs(".TP\n\\fB", out);
    roff_literal(out, option->name);
    fputs("\\fP = ", out);
    fputs(option->kind == OPTION_LIST ? "{" : quote, out);
    roff_literal(out, option->fallback);
    fputs(option->kind == OPTION_LIST ? "}" : quote, out);
    putc('\n', out);
}

static void option_write_entry(FILE *out, const struct config_option *option)
{
    char allowed[OPTION_ALLOWED_MAX];
    option_allowed(option, allowed);
    option_begin(out, option);
    roff_text(out, option->help);
    fputs(".br\n", out);
    fputs("Must be ", out);
    roff_text(out, allowed);
}

/* Writes the options that are in no block of their structure. */
static void options_write(FILE *out, const struct option_set *set)
{
    for (const struct config_option *option = set->option; option < set->end; option++)
        if (set != &options_of_config || option->section[0] == '\0')
            option_write_entry(out, option);
}

/* Writes the options of all blocks, which stand together in the table. */
static void blocks_write(FILE *out, const struct option_set *set)
{
    const char *section = "";
    for (const struct config_option *option = set->option; option < set->end; option++) {
        if (option->section[0] == '\0') continue;
        if (strcmp(section, option->section) != 0)
            fprintf(out, ".SS %.*s { … }\n", option_section_length(option), option->section);
        section = option->section;
        option_write_entry(out, option);
    }
}

int expand_options(const struct expansion *e, const char *words)
{
    static const struct option_set *const sets[] = {&options_of_config, &options_of_site,
                                                    &options_of_rule};
    for (size_t i = 0; i < sizeof(sets) / sizeof(sets[0]); i++) {
        const struct option_set *set = sets[i];
        if (strcmp(words, set->name[0] ? set->name : "config") != 0) continue;
        options_write(e->out, set);
        if (set == &options_of_config) blocks_write(e->out, set);
        return 0;
    }
    fprintf(stderr, "expand: there are options of config, site and rule, not of '%s'\n", words);
    return -1;
}
