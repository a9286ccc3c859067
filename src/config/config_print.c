/*
 * Prints a configuration as a file: every option with its explanation, in its block. In sites and
 * rules, an option that is not set means another thing than its default; so it is a comment.
 *
 * Reading this file gives the same configuration. Its paths are absolute, so that it can be kept
 * anywhere. It includes no other files, but contains their options.
 */

#include <assert.h>
#include <string.h>

#include "config/option.h"
#include "zcserve/config.h"

#define INDENT 4

/* ---- values ---------------------------------------------------------------------------------- */

static void number_write(const struct config_option *option, uint64_t number, FILE *out)
{
    char text[QUANTITY_TEXT_MAX];
    quantity_write(number, option_units(option->kind), text);
    fputs(number == 0 && option->words[0] ? option->words : text, out);
}

static void words_write(const char *words, int index, FILE *out)
{
    for (; index > 0; index--) {
        words = strchr(words, '|');
        assert(words);
        words++;
    }
    fprintf(out, "%.*s", (int)strcspn(words, "|"), words);
}

/* Puts a backslash before each character that has a meaning in double quotes. */
static void text_write(const char *text, FILE *out)
{
    fputc('"', out);
    for (; *text; text++) {
        if (strchr("\"\\$", *text)) fputc('\\', out);
        fputc(*text, out);
    }
    fputc('"', out);
}

static void list_write(const struct config_list *list, FILE *out)
{
    fputc('{', out);
    for (uint32_t i = 0; i < list->count; i++) {
        fputs(i > 0 ? ", " : "", out);
        text_write(list->item[i], out);
    }
    fputc('}', out);
}

void option_write(const struct config_option *option, const struct config_block *block, FILE *out)
{
    const void *field = (const char *)block + option->offset;
    switch (option->kind) {
    case OPTION_TEXT:
    case OPTION_PATH: text_write(*(const char *const *)field, out); break;
    case OPTION_LIST: list_write(field, out); break;
    case OPTION_FLAG: fputs(*(const bool *)field ? "on" : "off", out); break;
    case OPTION_COUNT:
    case OPTION_BYTES:
    case OPTION_TIME: number_write(option, *(const uint64_t *)field, out); break;
    case OPTION_CHOICE: words_write(option->words, *(const int *)field, out); break;
    }
}

/* ---- blocks ---------------------------------------------------------------------------------- */

static void option_print(const struct config_option *option, const struct config_block *block,
                         bool comment, int indent, FILE *out)
{
    char allowed[OPTION_ALLOWED_MAX];
    option_allowed(option, allowed);
    fprintf(out, "%*s# %s\n%*s# (%s)\n%*s%s%s = ", indent, "", option->help, indent, "", allowed,
            indent, "", comment ? "#" : "", option->name);
    option_write(option, block, out);
    fputc('\n', out);
}

/* Prints the options of one section of a set. */
static void section_print(const struct option_set *set, const char *section,
                          const struct config_block *block, int indent, FILE *out)
{
    for (const struct config_option *option = set->option; option < set->end; option++)
        if (strcmp(option->section, section) == 0)
            option_print(option, block, block->title && !block->place[option - set->option], indent,
                         out);
}

static void titled_print(const struct option_set *set, const struct config_block *block, int indent,
                         FILE *out)
{
    fprintf(out, "\n%*s%s ", indent, "", set->name);
    text_write(block->title, out);
    fputs(" {\n", out);
    section_print(set, set->option->section, block, indent + INDENT, out);
    for (const struct config_block *inner = block->inner; inner; inner = inner->next)
        titled_print(set->inner, inner, indent + INDENT, out);
    fprintf(out, "%*s}\n", indent, "");
}

void config_print(const struct config *config, FILE *out)
{
    const struct option_set *set = &options_of_config;
    const char *printed = "";
    section_print(set, "", &config->block, 0, out);
    for (const struct config_option *option = set->option; option < set->end; option++) {
        const char *section = option->section;
        if (section[0] == '\0' || strcmp(section, printed) == 0) continue;
        fprintf(out, "\n%.*s {\n", option_section_length(option), section);
        section_print(set, section, &config->block, INDENT, out);
        fputs("}\n", out);
        printed = section;
    }
    for (const struct config_block *rule = config->outside.inner; rule; rule = rule->next)
        titled_print(&options_of_rule, rule, 0, out);
    for (const struct config_block *site = config->block.inner; site; site = site->next)
        titled_print(set->inner, site, 0, out);
}
