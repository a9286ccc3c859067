/*
 * The tables of options, made from options.def, site.def and rule.def: their names and their
 * allowed values.
 *
 * This file knows no option by name: the code that uses struct config knows what an option means.
 */

#include "config/option.h"

#include <assert.h>
#include <stddef.h>
#include <string.h>

#define ROW(kind, section, name, fallback, least, most, words, help, type, field) \
    {OPTION_##kind, section, #name, fallback, least, most, words, help, offsetof(type, field)},

#define OPTION(kind, section, name, ...) \
    ROW(kind, #section, name, __VA_ARGS__, struct config, section##name)
static const struct config_option config_rows[] = {
#include "zcserve/options.def"
};
#undef OPTION

#define OPTION(kind, section, name, ...) \
    ROW(kind, "site_", name, __VA_ARGS__, struct config_site, name)
static const struct config_option site_rows[] = {
#include "zcserve/site.def"
};
#undef OPTION

#define OPTION(kind, section, name, ...) \
    ROW(kind, "rule_", name, __VA_ARGS__, struct config_rule, name)
static const struct config_option rule_rows[] = {
#include "zcserve/rule.def"
};
#undef OPTION

#define ROWS(rows) rows, rows + sizeof(rows) / sizeof(rows[0])
const struct option_set options_of_rule = {
    "rule", "\"PATH\" ", ROWS(rule_rows), sizeof(struct config_rule), NULL, "scheme"};
const struct option_set options_of_site = {
    "site", "\"NAME\" ", ROWS(site_rows), sizeof(struct config_site), &options_of_rule, NULL};
const struct option_set options_of_config = {
    "", "", ROWS(config_rows), sizeof(struct config), &options_of_site, NULL};

int option_section_length(const struct config_option *option)
{
    return option->section[0] ? (int)strlen(option->section) - 1 : 0;
}

bool option_is_in(const struct config_option *option, const char *section)
{
    size_t length = strlen(section);
    return (int)length == option_section_length(option) &&
           memcmp(option->section, section, length) == 0;
}

bool option_is_section(const char *name)
{
    const struct config_option *option = options_of_config.option;
    while (option < options_of_config.end && !option_is_in(option, name))
        option++;
    return name[0] && option < options_of_config.end;
}

const struct config_option *option_find(const struct option_set *set, const char *section,
                                        const char *name)
{
    for (const struct config_option *option = set->option; option < set->end; option++)
        if (option_is_in(option, section) && strcmp(option->name, name) == 0) return option;
    return NULL;
}

const struct config_option *option_find_dotted(const struct option_set *set, const char *dotted)
{
    for (const struct config_option *option = set->option; option < set->end; option++) {
        char name[OPTION_NAME_MAX];
        option_name(option, name);
        if (strcmp(name, dotted) == 0) return option;
    }
    return NULL;
}

void option_name(const struct config_option *option, char name[OPTION_NAME_MAX])
{
    int length = snprintf(name, OPTION_NAME_MAX, "%s%s", option->section, option->name);
    assert(length > 0 && length < OPTION_NAME_MAX);
    if (option->section[0]) name[option_section_length(option)] = '.';
}

void option_value_add(struct option_value *value, const char *item)
{
    if (value->count < sizeof(value->item) / sizeof(value->item[0]))
        value->item[value->count] = item;
    value->count++;
}

void option_value_split(struct option_value *value, const char *text, struct obstack *keep)
{
    while (*text) {
        size_t length = strcspn(text, ",");
        option_value_add(value, keep_format(keep, "%.*s", (int)length, text));
        text += length + (text[length] == ',');
    }
}

const struct quantity_unit *option_units(enum option_kind kind)
{
    return kind == OPTION_BYTES  ? quantity_bytes
           : kind == OPTION_TIME ? quantity_times
                                 : quantity_plain;
}

/* ---- what is allowed ------------------------------------------------------------------------ */

/* Writes "br|zst|gz" as "br, zst or gz". */
static void allowed_words(const char *words, char *text, size_t room)
{
    size_t used = 0;
    while (words[0] && used < room) {
        size_t one = strcspn(words, "|");
        const char *rest = words + one + (words[one] == '|');
        const char *joint = !rest[0] ? "" : strchr(rest, '|') ? ", " : " or ";
        used += (size_t)snprintf(text + used, room - used, "%.*s%s", (int)one, words, joint);
        words = rest;
    }
}

static void allowed_number(const struct config_option *option, const char *what,
                           const char *examples, char text[OPTION_ALLOWED_MAX])
{
    char least[QUANTITY_TEXT_MAX];
    char most[QUANTITY_TEXT_MAX];
    quantity_write(option->least, option_units(option->kind), least);
    quantity_write(option->most, option_units(option->kind), most);
    snprintf(text, OPTION_ALLOWED_MAX, "%s from %s to %s%s%s%s", what, least, most, examples,
             option->words[0] ? ", or " : "", option->words);
}

void option_allowed(const struct config_option *option, char text[OPTION_ALLOWED_MAX])
{
    char words[OPTION_ALLOWED_MAX / 2] = "";
    allowed_words(option->words, words, sizeof(words));
    const char *joint = words[0] ? ", or " : "";
    switch (option->kind) {
    case OPTION_TEXT:
        snprintf(text, OPTION_ALLOWED_MAX, "a text of %d to %d bytes%s%s", (int)option->least,
                 (int)option->most, joint, words);
        break;
    case OPTION_PATH:
        snprintf(text, OPTION_ALLOWED_MAX, "a path%s%s%s",
                 option->least > 0 && !words[0] ? " that is not empty" : "", joint, words);
        break;
    case OPTION_LIST:
        snprintf(text, OPTION_ALLOWED_MAX, "a list of %d to %d texts, none empty%s%s",
                 (int)option->least, (int)option->most, words[0] ? ", each " : "", words);
        break;
    case OPTION_FLAG: snprintf(text, OPTION_ALLOWED_MAX, "on or off"); break;
    case OPTION_COUNT: allowed_number(option, "a whole number", "", text); break;
    case OPTION_BYTES: allowed_number(option, "a size", ", such as 512, 64k or 1m", text); break;
    case OPTION_TIME: allowed_number(option, "a time", ", such as 250ms, 10s or 5m", text); break;
    case OPTION_CHOICE: snprintf(text, OPTION_ALLOWED_MAX, "%s", words); break;
    }
}
