/*
 * Media types by the suffix of a file's name: a sorted table that is searched in halves, without
 * regard to case. Every type is checked when it is added, so that whatever is found may be
 * written into a field as it stands.
 *
 * Content is never looked at: a guess from bytes is how scripts get run that were uploaded as
 * pictures.
 */
#define _GNU_SOURCE
#include "media_type.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#define CHARSET "; charset=utf-8"

struct row {
    char suffix[MEDIA_SUFFIX_MAX + 1]; /* lower case */
    char media_type[MEDIA_TYPE_MAX + 1];
};

struct media_types {
    struct row *rows; /* by suffix */
    size_t count, room;
};

struct media_types *media_types_new(void)
{
    return calloc(1, sizeof(struct media_types));
}

void media_types_free(struct media_types *types)
{
    if (types == NULL) return;
    free(types->rows);
    free(types);
}

static bool text_is(struct text text, const char *word)
{
    return text.length == strlen(word) && strncasecmp(text.base, word, text.length) == 0;
}

static bool text_begins(struct text text, const char *word)
{
    return text.length >= strlen(word) && strncasecmp(text.base, word, strlen(word)) == 0;
}

static bool text_ends(struct text text, const char *word)
{
    size_t length = strlen(word);
    return text.length >= length &&
           strncasecmp(text.base + text.length - length, word, length) == 0;
}

static struct text without_parameters(struct text media_type)
{
    const char *semicolon = memchr(media_type.base, ';', media_type.length);
    if (semicolon != NULL) media_type.length = (size_t)(semicolon - media_type.base);
    return media_type;
}

static bool has_charset(struct text media_type)
{
    return text_begins(media_type, "text/") || text_is(media_type, "application/javascript") ||
           text_is(media_type, "application/json") || text_is(media_type, "application/xml") ||
           text_is(media_type, "image/svg+xml");
}

bool media_type_is_compressible(struct text media_type)
{
    struct text bare = without_parameters(media_type);
    return text_begins(bare, "text/") || text_ends(bare, "javascript") || text_ends(bare, "json") ||
           text_ends(bare, "xml") || text_is(bare, "application/wasm") ||
           text_is(bare, "application/yaml") || text_is(bare, "application/toml");
}

bool media_type_is_valid(struct text text)
{
    size_t slashes = 0;
    for (size_t i = 0; i < text.length; i++) {
        if (text.base[i] <= ' ' || text.base[i] >= 0x7f) return false;
        slashes += text.base[i] == '/';
    }
    return slashes == 1 && text.base[0] != '/' && text.base[text.length - 1] != '/' &&
           text.length + strlen(CHARSET) <= MEDIA_TYPE_MAX;
}

static bool is_suffix_letter(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || c == '-' || c == '_' || c == '+';
}

/* Lower case into `key`; false when it cannot be a suffix. */
static bool suffix_key(struct text suffix, char key[MEDIA_SUFFIX_MAX + 1])
{
    if (suffix.length == 0 || suffix.length > MEDIA_SUFFIX_MAX) return false;
    for (size_t i = 0; i < suffix.length; i++) {
        char c = suffix.base[i];
        key[i] = c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
        if (!is_suffix_letter(key[i])) return false;
    }
    key[suffix.length] = '\0';
    return true;
}

/* The first row whose suffix is not before `key`. */
static size_t row_position(const struct media_types *types, const char *key)
{
    size_t low = 0, high = types->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (strcmp(types->rows[middle].suffix, key) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static bool row_is(const struct media_types *types, size_t position, const char *key)
{
    return position < types->count && strcmp(types->rows[position].suffix, key) == 0;
}

/* Makes room for a row at `position`. */
static int row_insert(struct media_types *types, size_t position)
{
    if (types->count == MEDIA_TYPES_MAX) return -ENOSPC;
    if (types->count == types->room) {
        size_t room = types->room == 0 ? 256 : 2 * types->room;
        struct row *rows = realloc(types->rows, room * sizeof(*rows));
        if (rows == NULL) return -ENOMEM;
        types->rows = rows;
        types->room = room;
    }
    memmove(types->rows + position + 1, types->rows + position,
            (types->count - position) * sizeof(*types->rows));
    types->count++;
    return 0;
}

int media_types_add(struct media_types *types, struct text suffix, struct text media_type)
{
    char key[MEDIA_SUFFIX_MAX + 1];
    if (!suffix_key(suffix, key) || !media_type_is_valid(media_type)) return -EINVAL;
    size_t position = row_position(types, key);
    int result = row_is(types, position, key) ? 0 : row_insert(types, position);
    if (result < 0) return result;
    struct row *row = &types->rows[position];
    memcpy(row->suffix, key, sizeof(key));
    snprintf(row->media_type, sizeof(row->media_type), "%.*s%s", (int)media_type.length,
             media_type.base, has_charset(media_type) ? CHARSET : "");
    return 0;
}

static struct text last_component(struct text name)
{
    const char *slash = name.length > 0 ? memrchr(name.base, '/', name.length) : NULL;
    if (slash == NULL) return name;
    return (struct text){slash + 1, name.length - (size_t)(slash + 1 - name.base)};
}

/* Names that carry no suffix and are read all the same. */
static struct text type_without_suffix(struct text name)
{
    static const char *const plain[] = {"README",    "LICENSE", "LICENCE", "COPYING", "AUTHORS",
                                        "CHANGELOG", "NEWS",    "NOTICE",  "Makefile"};
    for (size_t i = 0; i < sizeof(plain) / sizeof(plain[0]); i++) {
        if (text_is(name, plain[i])) return TEXT("text/plain" CHARSET);
    }
    if (text_is(name, "apple-app-site-association")) return TEXT("application/json" CHARSET);
    return TEXT("application/octet-stream");
}

struct text media_type_find(const struct media_types *types, struct text name)
{
    struct text component = last_component(name);
    const char *dot = component.length > 0 ? memrchr(component.base, '.', component.length) : NULL;
    if (dot == NULL) return type_without_suffix(component);
    struct text suffix = {dot + 1, component.length - (size_t)(dot + 1 - component.base)};
    char key[MEDIA_SUFFIX_MAX + 1];
    if (!suffix_key(suffix, key)) return TEXT("application/octet-stream");
    size_t position = row_position(types, key);
    if (!row_is(types, position, key)) return TEXT("application/octet-stream");
    const char *found = types->rows[position].media_type;
    return (struct text){found, strlen(found)};
}
