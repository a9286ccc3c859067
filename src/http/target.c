/*
 * Makes a safe relative path from a request target in one pass. Plain bytes are copied. At the end
 * of each segment the segment is checked: "", "." or "..". This happens after decoding, so "%2e"
 * hides nothing. The target is decoded once. Nothing is guessed or repaired: a target that is not
 * safe is BAD.
 *
 * A file name may have any bytes but NUL and "/", and its encoding is not known. So a path may have
 * any bytes, too.
 */
#include "target.h"

#include "fields.h"

enum byte_class {
    BYTE_BAD, /* controls, space, "#", DEL */
    BYTE_PLAIN,
    BYTE_SLASH,
    BYTE_PERCENT,
    BYTE_QUERY
};

static const unsigned char byte_class[256] = {
    [0x21 ... 0x22] = BYTE_PLAIN, [0x24] = BYTE_PLAIN,          [0x26 ... 0x2e] = BYTE_PLAIN,
    [0x30 ... 0x3e] = BYTE_PLAIN, [0x40 ... 0x7e] = BYTE_PLAIN, [0x80 ... 0xff] = BYTE_PLAIN,
    ['/'] = BYTE_SLASH,           ['%'] = BYTE_PERCENT,         ['?'] = BYTE_QUERY,
};

static enum byte_class class_of(char c)
{
    return (enum byte_class)byte_class[(unsigned char)c];
}

/* The path being made: complete segments, and from `segment` on the segment being read. */
struct path {
    char *base;
    size_t length;
    size_t segment;
};

/* Returns -1 when `c` is not a hexadecimal digit. */
static int hex_value(char c)
{
    if (c >= '0' && c <= '9') return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Returns the byte that "%XX" at `at` stands for, or -1 when it is malformed. */
static int percent_value(const char *at, size_t available)
{
    int high, low;
    if (available < 3 || (high = hex_value(at[1])) < 0 || (low = hex_value(at[2])) < 0) return -1;
    return high << 4 | low;
}

/* Removes the segment that was read, "..", and the one before it. Returns false at the root. */
static bool path_climb(struct path *path)
{
    if (path->segment == 0) return false;
    path->length = path->segment - 1;
    while (path->length > 0 && path->base[path->length - 1] != '/')
        path->length--;
    path->segment = path->length;
    return true;
}

/* Handles the segment that was read. Returns false when it makes the path unsafe. */
static bool segment_close(struct path *path)
{
    const char *segment = path->base + path->segment;
    size_t length = path->length - path->segment;
    if (length == 2 && segment[0] == '.' && segment[1] == '.') return path_climb(path);
    if (length == 1 && segment[0] == '.') path->length = path->segment;
    return true;
}

static bool slash_take(struct path *path)
{
    if (!segment_close(path)) return false;
    if (path->length > path->segment) path->base[path->length++] = '/';
    path->segment = path->length;
    return true;
}

/* Adds a decoded byte. It may be any byte that a file name may have. */
static bool decoded_take(struct path *path, int byte)
{
    if (byte <= 0 || byte == '/') return false;
    path->base[path->length++] = (char)byte;
    return true;
}

static size_t plain_copy(char *to, const char *from, size_t length)
{
    size_t count = 0;
    for (; count < length && class_of(from[count]) == BYTE_PLAIN; count++)
        to[count] = from[count];
    return count;
}

/* Takes one byte that is not plain, or one "%XX". Returns its length in `raw`, or 0 when unsafe. */
static size_t special_take(struct path *path, const char *raw, size_t available)
{
    switch (class_of(raw[0])) {
    case BYTE_SLASH: return slash_take(path) ? 1 : 0;
    case BYTE_PERCENT: return decoded_take(path, percent_value(raw, available)) ? 3 : 0;
    case BYTE_PLAIN: /* copied already */
    case BYTE_BAD:
    case BYTE_QUERY: break;
    }
    return 0;
}

/* Reads `raw` up to its end or its "?". Returns false when it is not safe. */
static bool path_read(struct text raw, struct path *path, size_t *consumed)
{
    size_t at = 0;
    while (at < raw.length) {
        size_t plain = plain_copy(path->base + path->length, raw.base + at, raw.length - at);
        path->length += plain;
        at += plain;
        if (at == raw.length || raw.base[at] == '?') break;
        size_t special = special_take(path, raw.base + at, raw.length - at);
        if (special == 0) return false;
        at += special;
    }
    *consumed = at;
    return segment_close(path);
}

static bool query_valid(struct text query)
{
    for (size_t i = 0; i < query.length; i++)
        if (class_of(query.base[i]) == BYTE_BAD) return false;
    return true;
}

/* Returns the length of "http://" or "https://" that `raw` begins with, or 0. */
static size_t scheme_length(struct text raw)
{
    static const struct text scheme[] = {{"http://", 7}, {"https://", 8}};
    for (size_t i = 0; i < sizeof(scheme) / sizeof(scheme[0]); i++)
        if (raw.length > scheme[i].length &&
            text_equals_any_case((struct text){raw.base, scheme[i].length}, scheme[i]))
            return scheme[i].length;
    return 0;
}

/* Returns the authority behind a scheme; absent when it is malformed or has no host. */
static struct text authority_take(struct text raw, size_t scheme)
{
    struct text authority = {raw.base + scheme, 0};
    while (scheme + authority.length < raw.length &&
           !memchr("/?#", authority.base[authority.length], 3))
        authority.length++;
    if (authority.length == 0 || authority.base[0] == ':' || !authority_valid(authority))
        return (struct text){NULL, 0};
    return authority;
}

/* Sets path and query from `raw`, which is all that follows the authority. */
static bool target_fill(struct target *target, struct text raw, char *space)
{
    struct path path = {space, 0, 0};
    size_t consumed;
    if (!path_read(raw, &path, &consumed)) return false;
    if (consumed < raw.length)
        target->query = (struct text){raw.base + consumed + 1, raw.length - consumed - 1};
    space[path.length] = '\0';
    target->path = (struct text){space, path.length};
    return query_valid(target->query);
}

static bool target_read(struct target *target, struct text raw, char *space)
{
    if (raw.length > 0 && raw.base[0] == '/') {
        target->form = TARGET_ORIGIN;
        return target_fill(target, raw, space);
    }
    if (text_equals(raw, TEXT("*"))) {
        target->form = TARGET_ASTERISK;
        return target_fill(target, (struct text){raw.base, 0}, space);
    }
    size_t skipped = scheme_length(raw);
    if (skipped == 0) return false;
    target->form = TARGET_ABSOLUTE;
    target->authority = authority_take(raw, skipped);
    skipped += target->authority.length;
    return target->authority.length > 0 &&
           target_fill(target, (struct text){raw.base + skipped, raw.length - skipped}, space);
}

struct target target_parse(struct text raw, char *space)
{
    struct target target = {0};
    if (target_read(&target, raw, space)) return target;
    space[0] = '\0';
    return (struct target){.form = TARGET_BAD, .path = {space, 0}};
}
