/*
 * Reads the value of an option into its member of the structure, by the option's kind.
 *
 * A value is taken exactly or refused; nothing is rounded, cut or guessed. The code that opens a
 * file or an address finds out whether it exists.
 */

#include "config/option.h"

#include <string.h>

/* Returns the index of `word` in "a|b|c", or -1. */
static int words_find(const char *words, const char *word)
{
    size_t length = strlen(word);
    for (int i = 0; words[0]; i++) {
        size_t one = strcspn(words, "|");
        if (one == length && memcmp(words, word, length) == 0) return i;
        words += one + (words[one] == '|');
    }
    return -1;
}

/* ---- kinds ---------------------------------------------------------------------------------- */

static bool number_read(const struct config_option *option, const char *text, uint64_t *field)
{
    uint64_t number;
    if (option->words[0] && strcmp(text, option->words) == 0) {
        *field = 0;
        return true;
    }
    if (!quantity_read(text, option_units(option->kind), &number) || number < option->least ||
        number > option->most)
        return false;
    *field = number;
    return true;
}

static bool choice_read(const struct config_option *option, const char *text, int *field)
{
    int index = words_find(option->words, text);
    if (index >= 0) *field = index;
    return index >= 0;
}

static bool flag_read(const char *text, bool *field)
{
    int index = words_find("off|no|false|on|yes|true", text);
    if (index >= 0) *field = index >= 3;
    return index >= 0;
}

static bool text_read(const struct config_option *option, const char *text, const char **field)
{
    size_t length = strlen(text);
    if (length < option->least || length > option->most) return false;
    *field = text;
    return true;
}

/*
 * The words of an option mean something other than a file. An option with words refuses the words
 * of other options, because nobody means them as file names. A file with such a name is written
 * ./off.
 */
static bool path_is_misplaced(const struct config_option *option, const char *path)
{
    return option->words[0] && words_find("off|-|stderr", path) >= 0 &&
           words_find(option->words, path) < 0;
}

static const char *path_absolute(const struct config_option *option, const char *path,
                                 const char *directory, struct obstack *keep)
{
    bool is_word = path[0] == '\0' || words_find(option->words, path) >= 0;
    if (is_word || path[0] == '/') return path;
    while (path[0] == '.' && path[1] == '/')
        path += 1 + strspn(path + 1, "/");
    if (path[0] == '\0' || strcmp(path, ".") == 0) return directory;
    const char *between = strcmp(directory, "/") == 0 ? "" : "/";
    return keep_format(keep, "%s%s%s", directory, between, path);
}

static bool path_read(const struct config_option *option, const char *text, const char *directory,
                      const char **field, struct obstack *keep)
{
    if (strlen(text) < option->least || path_is_misplaced(option, text)) return false;
    *field = path_absolute(option, text, directory, keep);
    return true;
}

static bool list_read(const struct config_option *option, const struct option_value *value,
                      struct config_list *field)
{
    if (value->count < option->least || value->count > option->most) return false;
    struct config_list list = {.count = 0};
    for (size_t i = 0; i < value->count; i++) {
        const char *item = value->item[i];
        if (item[0] == '\0' || (option->words[0] && words_find(option->words, item) < 0))
            return false;
        list.item[list.count++] = item;
    }
    *field = list;
    return true;
}

/* ---- any kind ------------------------------------------------------------------------------- */

static bool kind_read(const struct config_option *option, const struct option_value *value,
                      void *field, struct obstack *keep)
{
    const char *text = value->count > 0 ? value->item[0] : "";
    switch (option->kind) {
    case OPTION_TEXT: return text_read(option, text, field);
    case OPTION_PATH: return path_read(option, text, value->directory, field, keep);
    case OPTION_LIST: return list_read(option, value, field);
    case OPTION_FLAG: return flag_read(text, field);
    case OPTION_COUNT:
    case OPTION_BYTES:
    case OPTION_TIME: return number_read(option, text, field);
    case OPTION_CHOICE: return choice_read(option, text, field);
    }
    return false;
}

const char *option_text_fault(const char *text)
{
    if (strlen(text) > OPTION_VALUE_MAX) return "is longer than 4095 bytes";
    for (; *text; text++)
        if ((unsigned char)*text < ' ' || *text == '\177')
            return "must not contain control characters";
    return NULL;
}

/* Returns what is wrong with the texts for any kind of option, or NULL. */
static const char *value_fault(const struct config_option *option, const struct option_value *value)
{
    if (value->count > 1 && option->kind != OPTION_LIST) return "takes one value, not a list";
    for (size_t i = 0; i < value->count && i <= CONFIG_LIST_MAX; i++) {
        const char *fault = option_text_fault(value->item[i]);
        if (fault) return fault;
        for (size_t j = 0; j < i; j++)
            if (strcmp(value->item[i], value->item[j]) == 0) return "has the same member twice";
    }
    return NULL;
}

/* Returns the value as it was given, for a message that shows its first 70 bytes. */
static const char *value_text(const struct option_value *value, struct obstack *keep)
{
    const char *text = value->count > 0 ? value->item[0] : "";
    for (size_t i = 1; i < value->count && i <= CONFIG_LIST_MAX; i++)
        text = keep_format(keep, "%.70s, %.70s", text, value->item[i]);
    return text;
}

bool option_read(const struct config_option *option, const struct option_value *value,
                 struct config_block *block, struct obstack *keep, struct problems *problems)
{
    char name[OPTION_NAME_MAX];
    option_name(option, name);
    const char *fault = value_fault(option, value);
    if (fault) {
        problem_tell(problems, value->where, "%s %s", name, fault);
        return false;
    }
    if (kind_read(option, value, (char *)block + option->offset, keep)) return true;
    char allowed[OPTION_ALLOWED_MAX];
    option_allowed(option, allowed);
    problem_tell(problems, value->where, "%s = '%.70s': must be %s", name, value_text(value, keep),
                 allowed);
    return false;
}
