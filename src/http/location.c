/*
 * A directory's redirect is relative. A rule's redirect is written as in the configuration, with
 * pieces of the path in it, percent-encoded, and with the query behind it.
 */
#include "location.h"
#include "line.h"
#include "rule.h"

/* Returns whether a path may have the character unencoded: pchar of RFC 3986 §3.3, and "/". */
static bool is_path_character(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (c != '\0' && strchr("-._~!$&'()*+,;=:@/", c) != NULL);
}

/*
 * Returns whether a query may have the character unencoded. A query is not decoded, so its percent
 * signs stay; brackets are common in queries.
 */
static bool is_query_character(char c)
{
    return is_path_character(c) || (c != '\0' && strchr("?%[]", c) != NULL);
}

static char *put_encoded(char *at, struct text text, bool (*is_plain)(char))
{
    static const char digits[] = "0123456789ABCDEF";
    for (size_t i = 0; i < text.length; i++) {
        unsigned char c = (unsigned char)text.base[i];
        if (is_plain((char)c)) {
            *at++ = (char)c;
            continue;
        }
        *at++ = '%';
        *at++ = digits[c >> 4];
        *at++ = digits[c & 15];
    }
    return at;
}

/* ---- from a directory ------------------------------------------------------------------------ */

/* Returns what follows the last "/". A path that is redirected does not end with "/". */
static struct text last_segment(struct text path)
{
    size_t length = 0;
    while (length < path.length && path.base[path.length - length - 1] != '/')
        length++;
    return (struct text){path.base + path.length - length, length};
}

/*
 * Writes a relative Location (RFC 9110 §10.2.2): the last segment of the path and a slash. So it
 * stays right when a proxy adds a prefix to the path.
 * The segment has no slash, so it cannot name another host. When it has a colon, "./" is written
 * before it, so that the text before the colon is not read as a scheme (RFC 3986 §4.2).
 */
static char *put_directory(char *at, const struct target *target)
{
    struct text name = last_segment(target->path);
    if (memchr(name.base, ':', name.length)) at = put(at, TEXT("./"));
    at = put(put_encoded(at, name, is_path_character), TEXT("/"));
    if (target->query.base) at = put_encoded(put(at, TEXT("?")), target->query, is_query_character);
    return at;
}

/* ---- by a rule ------------------------------------------------------------------------------- */

/*
 * Two slashes at the beginning would name another host (RFC 3986 §4.2). The operator may write them;
 * but "/" and a piece of the path that begins with "/" must not make them.
 */
static struct text slashes_cut(struct text captured)
{
    while (captured.length > 0 && captured.base[0] == '/') {
        captured.base++;
        captured.length--;
    }
    return captured;
}

/* Writes a piece of the path. `begin` is where the target of the redirect begins. */
static char *put_captured(char *at, const char *begin, struct piece piece)
{
    bool only_slash = at == begin + 1 && *begin == '/';
    if (only_slash)
        piece.text = slashes_cut(piece.text);
    else if (piece.has_slash)
        *at++ = '/';
    return put_encoded(at, piece.text, is_path_character);
}

/* Sets what the references in the target of the verdict's rule stand for. */
static const struct rule *captures_make(struct captures *captures, const struct verdict *verdict,
                                        const struct target *target)
{
    const struct rule *rule = verdict->by[RULE_TARGET];
    pattern_match(&rule->pattern, target->path, captures);
    captures->scheme = verdict->https ? TEXT("https") : TEXT("http");
    captures->host = verdict->host;
    return rule;
}

static char *put_piece(char *at, const char *begin, struct piece piece)
{
    if (piece.is_captured) return put_captured(at, begin, piece);
    /* A host is a valid one, so it has only characters of a URI. */
    return piece.is_host ? put_lower(at, piece.text) : put(at, piece.text);
}

static char *put_moved(char *at, const struct plan *plan, const struct target *target)
{
    struct captures captures;
    struct piece piece;
    const struct rule *rule = captures_make(&captures, plan->verdict, target);
    struct text rest = rule->target;
    const char *begin = at;
    while (piece_next(&rest, &captures, &piece))
        at = put_piece(at, begin, piece);
    if (!target->query.base) return at;
    bool has_query = memchr(rule->target.base, '?', rule->target.length) != NULL;
    at = put(at, has_query ? TEXT("&") : TEXT("?"));
    return put_encoded(at, target->query, is_query_character);
}

static size_t encoded_length(struct text text, bool (*is_plain)(char))
{
    size_t length = 0;
    for (size_t i = 0; i < text.length; i++)
        length += is_plain(text.base[i]) ? 1 : 3;
    return length;
}

bool location_fits(const struct verdict *verdict, const struct conn_rules *rules,
                   const struct target *target)
{
    struct captures captures;
    struct piece piece;
    struct text rest = captures_make(&captures, verdict, target)->target;
    size_t length = 1 + encoded_length(target->query, is_query_character);
    while (piece_next(&rest, &captures, &piece))
        length += 1 + (piece.is_captured ? encoded_length(piece.text, is_path_character)
                                         : piece.text.length);
    return length <= LOCATION_WRITTEN_MAX + 3 * (size_t)rules->target_bytes_max;
}

char *put_location(char *at, const struct plan *plan, const struct target *target)
{
    at = put(at, TEXT("Location: "));
    at = plan->moved ? put_moved(at, plan, target) : put_directory(at, target);
    return put(at, TEXT("\r\n"));
}
