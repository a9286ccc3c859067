/*
 * The grammar and the properties of a media type (RFC 9110 §8.3.1), independent of any file:
 *
 *     token "/" token *( ; name = ( token | "quoted" ) )
 *
 * The table is in media_type.c.
 */
#include "table.h"
#include "zcserve/token.h"

#include <strings.h>

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

static struct text text_after(struct text text, size_t length)
{
    return (struct text){text.base + length, text.length - length};
}

/* ---- its grammar ----------------------------------------------------------------------------- */

/* Returns the length of the token that `text` begins with, or 0. */
static size_t token_length(struct text text)
{
    size_t length = 0;
    while (length < text.length && is_token_char(text.base[length]))
        length++;
    return length;
}

/* Returns the length of the quoted string that `text` begins with, quotes included, or 0. */
static size_t quoted_length(struct text text)
{
    if (text.length == 0 || text.base[0] != '"') return 0;
    for (size_t at = 1; at < text.length; at++) {
        unsigned char c = (unsigned char)text.base[at];
        if (c < ' ' || c >= 0x7f) return 0;
        if (c == '"') return at + 1;
        if (c == '\\') at++;
    }
    return 0;
}

static size_t blank_length(struct text text)
{
    size_t length = 0;
    while (length < text.length && (text.base[length] == ' ' || text.base[length] == '\t'))
        length++;
    return length;
}

/* Returns the length of the "type/subtype" that `text` begins with, or 0. */
static size_t bare_length(struct text text)
{
    size_t type = token_length(text);
    if (type == 0 || type == text.length || text.base[type] != '/') return 0;
    size_t subtype = token_length(text_after(text, type + 1));
    return subtype == 0 ? 0 : type + 1 + subtype;
}

/*
 * Takes one parameter with its ";" from *text and sets *name, absent for a ";" without a parameter.
 * Returns false when there is none, or when it is malformed: then *text is not empty.
 */
static bool parameter_take(struct text *text, struct text *name)
{
    struct text rest = text_after(*text, blank_length(*text));
    *name = (struct text){NULL, 0};
    if (rest.length == 0 || rest.base[0] != ';') return false;
    rest = text_after(rest, 1);
    rest = text_after(rest, blank_length(rest));
    size_t length = token_length(rest);
    if (length > 0) {
        *name = (struct text){rest.base, length};
        rest = text_after(rest, length);
        if (rest.length == 0 || rest.base[0] != '=') return false;
        rest = text_after(rest, 1);
        size_t value = token_length(rest);
        if (value == 0) value = quoted_length(rest);
        if (value == 0) return false;
        rest = text_after(rest, value);
    }
    *text = rest;
    return true;
}

bool media_type_is_token(struct text text)
{
    return text.length > 0 && token_length(text) == text.length;
}

bool media_type_is_valid(struct text media_type)
{
    struct text name, rest = text_after(media_type, bare_length(media_type));
    if (rest.length == media_type.length || media_type.length > MEDIA_TYPE_WITHOUT_CHARSET_MAX)
        return false;
    while (parameter_take(&rest, &name))
        ;
    return rest.length == 0;
}

/* ---- what it means --------------------------------------------------------------------------- */

struct text media_type_bare(struct text media_type)
{
    return (struct text){media_type.base, bare_length(media_type)};
}

static bool has_charset(struct text media_type)
{
    struct text name, rest = text_after(media_type, bare_length(media_type));
    while (parameter_take(&rest, &name))
        if (text_is(name, "charset")) return true;
    return false;
}

bool media_type_takes_charset(struct text media_type)
{
    struct text bare = media_type_bare(media_type);
    return (text_begins(bare, "text/") || text_is(bare, "application/javascript") ||
            text_is(bare, "application/json") || text_is(bare, "application/xml") ||
            text_is(bare, "image/svg+xml")) &&
           !has_charset(media_type);
}

bool media_type_is_compressible(struct text media_type)
{
    struct text bare = media_type_bare(media_type);
    return text_begins(bare, "text/") || text_ends(bare, "javascript") || text_ends(bare, "json") ||
           text_ends(bare, "xml") || text_is(bare, "application/wasm") ||
           text_is(bare, "application/yaml") || text_is(bare, "application/toml");
}

bool media_type_fits(struct text media_type, struct text pattern)
{
    struct text bare = media_type_bare(media_type);
    bool family = pattern.length > 2 && memcmp(pattern.base + pattern.length - 2, "/*", 2) == 0;
    size_t length = family ? pattern.length - 1 : pattern.length; /* with the slash of a family */
    if (family ? bare.length <= length : bare.length != length) return false;
    return strncasecmp(bare.base, pattern.base, length) == 0;
}

enum coding media_type_own_coding(struct text name, struct text media_type)
{
    bool zipped = text_ends(name, ".svgz") && text_is(media_type_bare(media_type), "image/svg+xml");
    return zipped ? CODING_GZIP : CODING_IDENTITY;
}
