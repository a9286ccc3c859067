/*
 * The table of options, made from options.def: their names and their allowed values.
 *
 * This file knows no option by name: the code that uses struct config knows what an option means.
 */

#include "config/option.h"

#include <assert.h>
#include <stddef.h>
#include <string.h>

#define OPTION(kind, section, name, fallback, least, most, words, help) \
    {OPTION_##kind, #section, #name,                                    \
     fallback,      least,    most,                                     \
     words,         help,     offsetof(struct config, section##name)},
const struct config_option option_table[] = {
#include "zcserve/options.def"
    {OPTION_TEXT, NULL, NULL, NULL, 0, 0, NULL, NULL, 0},
};
#undef OPTION

const size_t option_count = sizeof option_table / sizeof option_table[0] - 1;

bool option_is_in(const struct config_option *option, const char *block)
{
    size_t length = strlen(block);
    return strncmp(option->section, block, length) == 0 &&
           strcmp(option->section + length, length > 0 ? "_" : "") == 0;
}

const struct config_option *option_find(const char *block, const char *name)
{
    for (const struct config_option *option = option_table; option->name; option++)
        if (option_is_in(option, block) && strcmp(option->name, name) == 0) return option;
    return NULL;
}

const struct config_option *option_find_dotted(const char *dotted)
{
    for (const struct config_option *option = option_table; option->name; option++) {
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
    if (option->section[0]) name[strlen(option->section) - 1] = '.';
}

void option_value_add(struct option_value *value, const char *item)
{
    if (value->count < sizeof value->item / sizeof value->item[0]) value->item[value->count] = item;
    value->count++;
}

void option_value_split(struct option_value *value, const char *text, struct keep *keep)
{
    while (*text) {
        size_t length = strcspn(text, ",");
        option_value_add(value, keep_text(keep, text, length));
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

static void allowed_list(const struct config_option *option, char text[OPTION_ALLOWED_MAX])
{
    char words[OPTION_ALLOWED_MAX / 2] = "";
    allowed_words(option->words, words, sizeof words);
    snprintf(text, OPTION_ALLOWED_MAX, "a list of %d to %d texts, none empty%s%s",
             (int)option->least, (int)option->most, words[0] ? ", each " : "", words);
}

static void allowed_path(const struct config_option *option, char text[OPTION_ALLOWED_MAX])
{
    char words[OPTION_ALLOWED_MAX / 2] = "";
    bool must_not_be_empty = option->least > 0 && !option->words[0];
    allowed_words(option->words, words, sizeof words);
    snprintf(text, OPTION_ALLOWED_MAX, "a path%s%s%s",
             must_not_be_empty ? " that is not empty" : "", words[0] ? ", or " : "", words);
}

void option_allowed(const struct config_option *option, char text[OPTION_ALLOWED_MAX])
{
    text[0] = '\0';
    switch (option->kind) {
    case OPTION_TEXT:
        snprintf(text, OPTION_ALLOWED_MAX, "a text of %d to %d bytes%s%s", (int)option->least,
                 (int)option->most, option->words[0] ? ", or " : "", option->words);
        break;
    case OPTION_PATH: allowed_path(option, text); break;
    case OPTION_LIST: allowed_list(option, text); break;
    case OPTION_FLAG: snprintf(text, OPTION_ALLOWED_MAX, "on or off"); break;
    case OPTION_COUNT: allowed_number(option, "a whole number", "", text); break;
    case OPTION_BYTES: allowed_number(option, "a size", ", such as 512, 64k or 1m", text); break;
    case OPTION_TIME: allowed_number(option, "a time", ", such as 250ms, 10s or 5m", text); break;
    case OPTION_CHOICE: allowed_words(option->words, text, OPTION_ALLOWED_MAX); break;
    }
}
