/*
 * Evaluates the preconditions of GET and HEAD in the order of RFC 9110 §13.2.2. Each of them is a
 * question with the answer yes or no. An entity-tag is not taken apart: each member of a list is
 * compared as a whole with the tag that would match, so a malformed tag cannot match. If-Range
 * belongs to range.c.
 */
#include "condition.h"

enum comparison { COMPARISON_STRONG, COMPARISON_WEAK }; /* RFC 9110 §8.8.3.2 */

/*
 * Takes the next member of a list of entity-tags from *rest. Returns false when there is none.
 * Unlike in list_next(), a backslash between quotes has no meaning (etagc, §8.8.3). A comma between
 * quotes belongs to the tag.
 */
static bool tag_next(struct text *rest, struct text *tag)
{
    size_t at = 0, length = 0;
    bool quoted = false;
    while (at < rest->length && (rest->base[at] == ',' || byte_is_blank(rest->base[at])))
        at++;
    if (at == rest->length) return false;
    *tag = (struct text){rest->base + at, rest->length - at};
    while (length < tag->length && (quoted || tag->base[length] != ',')) {
        if (tag->base[length] == '"') quoted = !quoted;
        length++;
    }
    *rest = (struct text){tag->base + length, tag->length - length};
    while (byte_is_blank(tag->base[length - 1]))
        length--;
    tag->length = length;
    return true;
}

/*
 * Returns whether `tag` matches `own`, which is a strong tag; an empty `own` matches nothing. So a
 * weak `tag` can match only in the weak comparison.
 */
static bool tag_matches(struct text tag, struct text own, enum comparison comparison)
{
    if (own.length == 0) return false;
    if (comparison == COMPARISON_WEAK && tag.length > 2 && memcmp(tag.base, "W/", 2) == 0)
        tag = (struct text){tag.base + 2, tag.length - 2};
    return text_equals(tag, own);
}

/* Returns whether "*" or a tag of this field matches. "*" counts only as the whole value. */
static bool tags_match(const struct fields *fields, enum field field, struct text own,
                       enum comparison comparison)
{
    struct text value, tag;
    uint32_t cursor = 0;
    if (text_equals(fields_value(fields, field), TEXT("*")) && fields_count(fields, field) == 1)
        return true;
    while (fields_next(fields, field, &cursor, &value))
        while (tag_next(&value, &tag))
            if (tag_matches(tag, own, comparison)) return true;
    return false;
}

/* Returns whether `r` has a date. Without one, conditions that compare dates are ignored. */
static bool has_date(const struct representation *r)
{
    return r && r->modified_seconds != MODIFIED_UNKNOWN;
}

/* Reads the date of a field. Returns false unless the field has exactly one line, a valid date. */
static bool date_of(const struct fields *fields, enum field field, int64_t now_seconds,
                    int64_t *seconds)
{
    return fields_count(fields, field) == 1 &&
           date_parse(fields_value(fields, field), now_seconds, seconds);
}

/* Evaluates If-Match, or else If-Unmodified-Since (§13.1.1, §13.1.4). False means 412. */
static bool state_expected(const struct fields *fields, const struct representation *r,
                           int64_t now_seconds)
{
    int64_t since;
    if (fields_have(fields, FIELD_IF_MATCH))
        return r && tags_match(fields, FIELD_IF_MATCH, r->etag, COMPARISON_STRONG);
    if (has_date(r) && date_of(fields, FIELD_IF_UNMODIFIED_SINCE, now_seconds, &since))
        return r->modified_seconds <= since;
    return true;
}

/* Evaluates If-None-Match, or else If-Modified-Since (§13.1.2, §13.1.3). False means 304. */
static bool copy_outdated(const struct fields *fields, const struct representation *r,
                          int64_t now_seconds)
{
    int64_t since;
    if (!r) return true;
    if (fields_have(fields, FIELD_IF_NONE_MATCH))
        return !tags_match(fields, FIELD_IF_NONE_MATCH, r->etag, COMPARISON_WEAK);
    if (has_date(r) && date_of(fields, FIELD_IF_MODIFIED_SINCE, now_seconds, &since))
        return r->modified_seconds > since;
    return true;
}

enum condition condition_evaluate(const struct fields *fields, const struct representation *r,
                                  int64_t now_seconds)
{
    const uint32_t conditional = 1U << FIELD_IF_MATCH | 1U << FIELD_IF_NONE_MATCH |
                                 1U << FIELD_IF_MODIFIED_SINCE | 1U << FIELD_IF_UNMODIFIED_SINCE;
    if ((fields->present & conditional) == 0) return CONDITION_NONE;
    if (!state_expected(fields, r, now_seconds)) return CONDITION_FAILED;
    return copy_outdated(fields, r, now_seconds) ? CONDITION_NONE : CONDITION_NOT_MODIFIED;
}
