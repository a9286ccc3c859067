/*
 * Matches paths against the patterns of rules, and puts what the stars stood for into texts.
 */
#ifndef ZCSERVE_HTTP_PATTERN_H
#define ZCSERVE_HTTP_PATTERN_H

#include "zcserve/site.h"

/* What the stars of a pattern stand for. The texts point into the path. */
struct captures {
    struct text path; /* all of it, for $path */
    struct text star[CAPTURES_MAX];
    uint32_t count;
    struct text scheme, host; /* of a redirect; set by the caller */
};

/* Returns the pattern for `text`, which must outlive it. */
struct pattern pattern_make(struct text text, bool anywhere);

/*
 * Returns whether `path` (decoded, without "/" before it) matches. Then *captures is set; it may be
 * NULL. Of several ways to match, each star but the last takes as few bytes as it can, from the
 * first to the last.
 */
bool pattern_match(const struct pattern *pattern, struct text path, struct captures *captures);

/* Returns false for most paths that do not match: those that begin or end with another byte. */
static inline bool pattern_may_match(const struct pattern *pattern, struct text path)
{
    if (path.length < (size_t)pattern->begin + pattern->end) return false;
    if (pattern->end > 0 &&
        path.base[path.length - 1] != pattern->text.base[pattern->text.length - 1])
        return false;
    return pattern->anywhere || pattern->begin == 0 || path.base[0] == pattern->text.base[0];
}

/* A piece of a text with $1 … $9 and $path; of the target of a redirect, also $scheme and $host. */
struct piece {
    struct text text;
    bool is_captured; /* not written in the configuration, but taken from the path */
    bool has_slash;   /* of $path: a "/" precedes the text                         */
    bool is_host;     /* of $host: any case of letters                             */
};

/*
 * Takes the next piece of the text *rest, which is all of it at first. "$$" stands for "$". Returns
 * false after the last one.
 */
bool piece_next(struct text *rest, const struct captures *captures, struct piece *piece);

/*
 * Writes the path that `text` makes to `space`, which has `size` bytes, and a NUL. Empty segments
 * are left out. Returns false when there is no room or a segment is "." or "..".
 */
bool path_expand(struct text text, const struct captures *captures, char *space, size_t size,
                 struct text *path);

#endif
