/*
 * Finds media types by the suffix of a file name: a binary search in a sorted table, which ignores
 * case. Every type is checked when it is added, so that each one can be written into a field as it
 * is.
 *
 * The content of a file is never examined. A server that guesses from content may declare as a
 * script what was uploaded as a picture.
 */
#define _GNU_SOURCE
#include "table.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

/* A type as it is sent: for text, with the charset of the table. */
struct media_type {
    char value[MEDIA_TYPE_MAX + 1];
    uint8_t length;     /* of the value without that charset */
    bool takes_charset; /* that charset is added             */
};

struct row {
    char suffix[MEDIA_SUFFIX_MAX + 1]; /* lower case                 */
    uint16_t type;                     /* index in the list of types */
};

/* A growing list: memory for `room` items, of which `count` are used. */
struct list {
    void *items;
    size_t count, room;
};

struct media_types {
    struct list types; /* struct media_type, as they were added                  */
    struct list rows;  /* struct row, as they were added                         */
    struct list order; /* uint16_t: the numbers of rows, in the order of suffixes */
    char charset[MEDIA_CHARSET_MAX + 1];
    struct media_type text, json; /* types of some names without a suffix */
};

static struct media_type *type_at(const struct media_types *types, size_t number)
{
    return (struct media_type *)types->types.items + number;
}

static void type_complete(struct media_type *type, const char *charset)
{
    type->value[type->length] = '\0';
    if (!type->takes_charset || *charset == '\0') return;
    snprintf(type->value + type->length, sizeof(type->value) - type->length, "; charset=%s",
             charset);
}

/* `media_type` must be valid. */
static void type_set(struct media_type *type, struct text media_type, const char *charset)
{
    *type = (struct media_type){.length = (uint8_t)media_type.length,
                                .takes_charset = media_type_takes_charset(media_type)};
    memcpy(type->value, media_type.base, media_type.length);
    type_complete(type, charset);
}

struct media_types *media_types_new(void)
{
    struct media_types *types = calloc(1, sizeof(*types));
    if (!types) return NULL;
    memcpy(types->charset, "utf-8", sizeof("utf-8"));
    type_set(&types->text, TEXT("text/plain"), types->charset);
    type_set(&types->json, TEXT("application/json"), types->charset);
    return types;
}

void media_types_free(struct media_types *types)
{
    if (!types) return;
    free(types->types.items);
    free(types->rows.items);
    free(types->order.items);
    free(types);
}

bool media_types_set_charset(struct media_types *types, const char *charset)
{
    struct text name = {charset, strlen(charset)};
    if (name.length > MEDIA_CHARSET_MAX) return false;
    if (name.length > 0 && !media_type_is_token(name)) return false;
    memcpy(types->charset, charset, name.length + 1);
    type_complete(&types->text, charset);
    type_complete(&types->json, charset);
    for (size_t i = 0; i < types->types.count; i++)
        type_complete(type_at(types, i), charset);
    return true;
}

/* Makes room for one more item of `size` bytes. Returns 0, -ENOSPC or -ENOMEM. */
static int list_grow(struct list *list, size_t size)
{
    if (list->count == MEDIA_TYPES_MAX) return -ENOSPC;
    if (list->count < list->room) return 0;
    size_t room = list->room == 0 ? MEDIA_TYPES_MAX / 2 : 2 * list->room;
    void *items = realloc(list->items, room * size);
    if (!items) return -ENOMEM;
    list->items = items;
    list->room = room;
    return 0;
}

int media_types_add_type(struct media_types *types, struct text media_type)
{
    if (!media_type_is_valid(media_type)) return -EINVAL;
    int result = list_grow(&types->types, sizeof(struct media_type));
    if (result < 0) return result;
    type_set(type_at(types, types->types.count), media_type, types->charset);
    return (int)types->types.count++;
}

/* ---- suffixes -------------------------------------------------------------------------------- */

/* Returns whether a suffix may have this byte: one of a file name that ends no word of a table. */
static bool is_suffix_byte(char c)
{
    return (unsigned char)c > ' ' && c != 0x7f && c != '/' && c != '\\' && c != '"' && c != '\'' &&
           c != ';' && c != '{' && c != '}';
}

/* Writes `suffix` in lower case to `key`. Returns false when it cannot be a suffix. */
static bool suffix_key(struct text suffix, char key[MEDIA_SUFFIX_MAX + 1])
{
    if (suffix.length == 0 || suffix.length > MEDIA_SUFFIX_MAX || suffix.base[0] == '.')
        return false;
    for (size_t i = 0; i < suffix.length; i++) {
        char c = suffix.base[i];
        key[i] = c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
        if (!is_suffix_byte(c)) return false;
    }
    key[suffix.length] = '\0';
    return true;
}

static struct row *row_at(const struct media_types *types, size_t position)
{
    const uint16_t *order = types->order.items;
    return (struct row *)types->rows.items + order[position];
}

/* Returns the position of the first row whose suffix is not less than `key`. */
static size_t row_position(const struct media_types *types, const char *key)
{
    size_t low = 0, high = types->rows.count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (strcmp(row_at(types, middle)->suffix, key) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static bool row_is(const struct media_types *types, size_t position, const char *key)
{
    return position < types->rows.count && strcmp(row_at(types, position)->suffix, key) == 0;
}

/* Makes a new row at `position`. Returns 0, -ENOSPC or -ENOMEM. */
static int row_insert(struct media_types *types, size_t position)
{
    int result = list_grow(&types->order, sizeof(uint16_t));
    if (result == 0) result = list_grow(&types->rows, sizeof(struct row));
    if (result < 0) return result;
    uint16_t *place = (uint16_t *)types->order.items + position;
    memmove(place + 1, place, (types->order.count++ - position) * sizeof(*place));
    *place = (uint16_t)types->rows.count++;
    return 0;
}

int media_types_add_suffix(struct media_types *types, struct text suffix, int type)
{
    char key[MEDIA_SUFFIX_MAX + 1];
    if (suffix.length > 1 && suffix.base[0] == '.')
        suffix = (struct text){suffix.base + 1, suffix.length - 1};
    if (!suffix_key(suffix, key)) return -EINVAL;
    size_t position = row_position(types, key);
    int result = row_is(types, position, key) ? 0 : row_insert(types, position);
    if (result < 0) return result;
    struct row *row = row_at(types, position);
    memcpy(row->suffix, key, sizeof(key));
    row->type = (uint16_t)type;
    return 0;
}

/* ---- finding --------------------------------------------------------------------------------- */

static struct text last_component(struct text name)
{
    const char *slash = name.length > 0 ? memrchr(name.base, '/', name.length) : NULL;
    if (!slash) return name;
    return (struct text){slash + 1, name.length - (size_t)(slash + 1 - name.base)};
}

static bool name_is(struct text name, const char *word)
{
    return name.length == strlen(word) && strncasecmp(name.base, word, name.length) == 0;
}

static const char *type_without_suffix(const struct media_types *types, struct text name)
{
    static const char *const plain[] = {"README",    "LICENSE", "LICENCE", "COPYING", "AUTHORS",
                                        "CHANGELOG", "NEWS",    "NOTICE",  "Makefile"};
    for (size_t i = 0; i < sizeof(plain) / sizeof(plain[0]); i++)
        if (name_is(name, plain[i])) return types->text.value;
    return name_is(name, "apple-app-site-association") ? types->json.value : NULL;
}

/*
 * Returns the type of the longest suffix in the table. Tries what follows the first dot, then the
 * next.
 */
static const char *type_by_suffix(const struct media_types *types, struct text name)
{
    const char *dot;
    while (name.length > 0 && (dot = memchr(name.base, '.', name.length)) != NULL) {
        char key[MEDIA_SUFFIX_MAX + 1];
        name = (struct text){dot + 1, name.length - (size_t)(dot + 1 - name.base)};
        if (!suffix_key(name, key)) continue;
        size_t position = row_position(types, key);
        if (row_is(types, position, key))
            return type_at(types, row_at(types, position)->type)->value;
    }
    return NULL;
}

struct text media_type_find(const struct media_types *types, struct text name)
{
    struct text component = last_component(name);
    const char *found = type_by_suffix(types, component);
    if (!found) found = type_without_suffix(types, component);
    return found ? (struct text){found, strlen(found)} : TEXT("application/octet-stream");
}

/* ---- the table that is built in -------------------------------------------------------------- */

/* Adds a line "type/subtype suffix suffix". */
static bool add_line(struct media_types *types, struct text line)
{
    const char *end = line.base + line.length;
    size_t length = strcspn(line.base, " ");
    int type = media_types_add_type(types, (struct text){line.base, length});
    for (const char *at = line.base + length; type >= 0 && at < end; at += length) {
        at++;
        length = strcspn(at, " \n");
        if (media_types_add_suffix(types, (struct text){at, length}, type) < 0) return false;
    }
    return type >= 0;
}

/* The table is one text: pointers would have to be set by the dynamic linker at every start. */
struct media_types *media_types_embedded(void)
{
#define MEDIA_TYPE(media_type, suffixes) media_type " " suffixes "\n"
    static const char table[] =
#include "media_type.def"
        ;
#undef MEDIA_TYPE
    struct media_types *types = media_types_new();
    bool added = types;
    for (const char *at = table; added && *at != '\0'; at++) {
        struct text line = {at, strcspn(at, "\n")};
        added = add_line(types, line);
        at += line.length;
    }
    if (added) return types;
    media_types_free(types);
    return NULL;
}
