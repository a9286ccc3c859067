/*
 * Writes the value of an option as a configuration file would have it, so that option_read() reads
 * the same value.
 */

#include "config/option.h"

#include <assert.h>
#include <string.h>

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

void option_write(const struct config_option *option, const struct config *config, FILE *out)
{
    const void *field = (const char *)config + option->offset;
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
