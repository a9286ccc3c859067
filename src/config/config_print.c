/*
 * Prints a configuration as a file: every option with its explanation, in its block.
 *
 * Reading this file gives the same configuration. Its paths are absolute, so that it can be kept
 * anywhere. It includes no other files, but contains their options.
 */

#include <string.h>

#include "config/option.h"
#include "zcserve/config.h"

static void option_print(const struct config_option *option, const struct config *config, FILE *out)
{
    const char *indent = option->section[0] ? "    " : "";
    char allowed[OPTION_ALLOWED_MAX];
    option_allowed(option, allowed);
    fprintf(out, "%s# %s\n%s# (%s)\n%s%s = ", indent, option->help, indent, allowed, indent,
            option->name);
    option_write(option, config, out);
    fputc('\n', out);
}

static void section_print(const char *section, const struct config *config, FILE *out)
{
    int length = (int)strlen(section);
    if (length > 0) fprintf(out, "\n%.*s {\n", length - 1, section);
    for (const struct config_option *option = option_table; option->name; option++)
        if (strcmp(option->section, section) == 0) option_print(option, config, out);
    if (length > 0) fputs("}\n", out);
}

static bool section_is_new(const struct config_option *option)
{
    for (const struct config_option *other = option_table; other < option; other++)
        if (strcmp(other->section, option->section) == 0) return false;
    return true;
}

void config_print(const struct config *config, FILE *out)
{
    section_print("", config, out);
    for (const struct config_option *option = option_table; option->name; option++)
        if (option->section[0] && section_is_new(option))
            section_print(option->section, config, out);
}
