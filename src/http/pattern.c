/*
 * A pattern is matched in one pass that may go back. When a byte does not match, the last "*" takes
 * one byte more; when it may not, because a "/" is next, the last "**" does. An earlier star need
 * never take more: whatever the later one could not skip, it could not skip either.
 */
#include "pattern.h"

/* A star that the match has passed. */
struct passed {
    size_t behind; /* the place in the pattern behind it; 0: there is none */
    size_t at;     /* up to here it has taken the path                     */
    uint32_t number;
};

struct matching {
    struct text pattern, path;
    size_t p, at; /* places in both */
    uint32_t stars;
    struct passed one, two; /* the last "*" behind the last "**", and that */
    struct captures *captures;
};

/* The star with this number has taken the path up to `end`. It began where it was passed. */
static void capture(struct matching *m, uint32_t number, size_t begin, size_t end)
{
    if (m->captures && number < CAPTURES_MAX)
        m->captures->star[number] = (struct text){m->path.base + begin, end - begin};
}

/* Lets a star take the path up to `end`, and goes on behind it. */
static void star_take(struct matching *m, struct passed *star, size_t end)
{
    if (m->captures && star->number < CAPTURES_MAX)
        m->captures->star[star->number].length += end - star->at;
    star->at = m->at = end;
    m->p = star->behind;
    m->stars = star->number + 1;
}

/* Passes the star at the place in the pattern. At first it takes nothing. */
static void star_pass(struct matching *m)
{
    bool two = m->p + 1 < m->pattern.length && m->pattern.base[m->p + 1] == '*';
    struct passed *star = two ? &m->two : &m->one;
    m->p += two ? 2 : 1;
    *star = (struct passed){m->p, m->at, m->stars};
    if (two) m->one = (struct passed){0};
    capture(m, m->stars++, m->at, m->at);
    if (two && m->p == m->pattern.length) star_take(m, star, m->path.length);
}

/*
 * Returns where "**" goes on after "*" has failed at the end of a segment. Without a "/" between
 * both, all that is between them was in this segment, and no later beginning in it would help.
 */
static size_t goes_on_at(const struct matching *m)
{
    const struct passed *one = &m->one, *two = &m->two;
    bool same =
        one->behind && !memchr(m->pattern.base + two->behind, '/', one->behind - two->behind);
    return same && one->at > two->at ? one->at : two->at + 1;
}

/* Goes back to a star and lets it take more. Returns false when no star can. */
static bool go_back(struct matching *m)
{
    struct passed *one = &m->one, *two = &m->two;
    if (one->behind && one->at < m->path.length && m->path.base[one->at] != '/') {
        star_take(m, one, one->at + 1);
        return true;
    }
    if (!two->behind || two->at == m->path.length) return false;
    size_t next = goes_on_at(m);
    one->behind = 0;
    star_take(m, two, next);
    return true;
}

static bool byte_matches(const struct matching *m)
{
    if (m->p == m->pattern.length || m->at == m->path.length) return false;
    char wanted = m->pattern.base[m->p], found = m->path.base[m->at];
    return wanted == found || (wanted == '?' && found != '/');
}

static bool glob(struct matching *m)
{
    for (;;) {
        if (m->p == m->pattern.length && m->at == m->path.length) return true;
        if (m->p < m->pattern.length && m->pattern.base[m->p] == '*') {
            star_pass(m);
        } else if (byte_matches(m)) {
            m->p++;
            m->at++;
        } else if (!go_back(m)) {
            return false;
        }
    }
}

static bool is_plain(char c)
{
    return c != '*' && c != '?';
}

/*
 * Returns whether one star is all between the plain beginning and the plain end, and it can take
 * whatever is there: "**" takes all, and "*" at the beginning of any segment takes all before a name's
 * end.
 */
static bool ends_decide(const struct pattern *pattern)
{
    const char *end = pattern->text.base + pattern->text.length - pattern->end;
    size_t between = pattern->text.length - pattern->begin - pattern->end;
    if (pattern->stars != 1 || (pattern->anywhere && pattern->begin > 0)) return false;
    if (between == 2) return pattern->text.base[pattern->begin] == '*' && end[-1] == '*';
    return between == 1 && pattern->anywhere && pattern->end > 0 && !memchr(end, '/', pattern->end);
}

struct pattern pattern_make(struct text text, bool anywhere)
{
    struct pattern pattern = {.text = text, .anywhere = anywhere};
    while (pattern.begin < text.length && is_plain(text.base[pattern.begin]))
        pattern.begin++;
    if (pattern.begin == text.length) return pattern;
    while (is_plain(text.base[text.length - pattern.end - 1]))
        pattern.end++;
    for (size_t i = pattern.begin; i < text.length; i++)
        if (text.base[i] == '*' && (i == 0 || text.base[i - 1] != '*')) pattern.stars++;
    pattern.ends_decide = ends_decide(&pattern);
    return pattern;
}

/* Returns whether the path has the plain beginning and the plain end of the pattern, apart. */
static bool ends_match(const struct pattern *pattern, struct text path)
{
    size_t begin = pattern->begin, end = pattern->end;
    return path.length >= begin + end && memcmp(path.base, pattern->text.base, begin) == 0 &&
           memcmp(path.base + path.length - end, pattern->text.base + pattern->text.length - end,
                  end) == 0;
}

/* Matches the pattern against the path from `at` on, which is the beginning of a segment. */
static bool match_from(const struct pattern *pattern, struct text path, size_t at,
                       struct captures *captures)
{
    size_t plain = pattern->begin;
    if (path.length - at < plain || memcmp(path.base + at, pattern->text.base, plain) != 0)
        return false;
    if (plain == pattern->text.length) return at + plain == path.length;
    struct matching m = {.pattern = pattern->text, .path = path, .captures = captures};
    m.p = plain;
    m.at = at + plain;
    return glob(&m);
}

bool pattern_match(const struct pattern *pattern, struct text path, struct captures *captures)
{
    if (!captures && pattern->ends_decide) return ends_match(pattern, path);
    if (captures) *captures = (struct captures){.path = path, .count = pattern->stars};
    if (match_from(pattern, path, 0, captures)) return true;
    for (size_t at = 1; pattern->anywhere && at < path.length; at++)
        if (path.base[at - 1] == '/' && match_from(pattern, path, at, captures)) return true;
    return false;
}

/* ---- texts ----------------------------------------------------------------------------------- */

static bool begins_with(struct text text, struct text word)
{
    return text.length >= word.length && memcmp(text.base, word.base, word.length) == 0;
}

/* Takes what a "$" stands for, behind which `rest` begins. Any other "$" stands for itself. */
static struct piece reference_take(struct text *rest, const struct captures *captures)
{
    char c = rest->length > 0 ? rest->base[0] : '\0';
    struct piece piece = {.text = TEXT("$")};
    size_t length = c == '$' ? 1 : 0;
    if (c >= '1' && c <= '9') {
        uint32_t number = (uint32_t)(c - '1');
        length = 1;
        piece.text =
            number < captures->count ? captures->star[number] : (struct text){rest->base, 0};
        piece.is_captured = true;
    } else if (begins_with(*rest, TEXT("path"))) {
        length = 4;
        piece = (struct piece){captures->path, .is_captured = true, .has_slash = true};
    } else if (begins_with(*rest, TEXT("host"))) {
        length = 4;
        piece = (struct piece){captures->host, .is_host = true};
    } else if (begins_with(*rest, TEXT("scheme"))) {
        length = 6;
        piece = (struct piece){.text = captures->scheme};
    }
    rest->base += length;
    rest->length -= length;
    return piece;
}

bool piece_next(struct text *rest, const struct captures *captures, struct piece *piece)
{
    if (rest->length == 0) return false;
    if (rest->base[0] == '$') {
        rest->base++;
        rest->length--;
        *piece = reference_take(rest, captures);
        return true;
    }
    const char *dollar = memchr(rest->base, '$', rest->length);
    size_t length = dollar ? (size_t)(dollar - rest->base) : rest->length;
    *piece = (struct piece){.text = {rest->base, length}};
    rest->base += length;
    rest->length -= length;
    return true;
}

/* ---- paths ----------------------------------------------------------------------------------- */

/* Returns whether the segment that ends the path is "." or "..". */
static bool ends_with_dots(const char *base, size_t length)
{
    size_t dots = 0;
    while (dots < length && dots < 3 && base[length - dots - 1] == '.')
        dots++;
    bool whole = dots == length || base[length - dots - 1] == '/';
    return (dots == 1 || dots == 2) && whole;
}

/* Adds bytes to the path; a "/" that would begin it or follow another one is left out. */
static bool path_add(char *base, size_t *length, size_t size, struct text text)
{
    for (size_t i = 0; i < text.length; i++) {
        bool slash = text.base[i] == '/';
        if (slash && ends_with_dots(base, *length)) return false;
        if (slash && (*length == 0 || base[*length - 1] == '/')) continue;
        if (*length + 1 >= size) return false;
        base[(*length)++] = text.base[i];
    }
    return true;
}

bool path_expand(struct text text, const struct captures *captures, char *space, size_t size,
                 struct text *path)
{
    struct piece piece;
    size_t length = 0;
    while (piece_next(&text, captures, &piece))
        if ((piece.has_slash && !path_add(space, &length, size, TEXT("/"))) ||
            !path_add(space, &length, size, piece.text))
            return false;
    if (ends_with_dots(space, length)) return false;
    space[length] = '\0';
    *path = (struct text){space, length};
    return true;
}
