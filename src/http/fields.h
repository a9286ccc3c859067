/*
 * The field lines of one request that this server acts upon, in the order received.
 * Others are checked by the parser and not kept.
 */
#ifndef ZCSERVE_HTTP_FIELDS_H
#define ZCSERVE_HTTP_FIELDS_H

#include "zcserve/text.h"

#include <stdbool.h>
#include <stdint.h>

enum field {
    FIELD_OTHER, /* not kept */
    FIELD_HOST,
    FIELD_CONNECTION, /* these four are judged as they come and not kept */
    FIELD_TRANSFER_ENCODING,
    FIELD_CONTENT_LENGTH,
    FIELD_EXPECT,
    FIELD_ACCEPT_ENCODING,
    FIELD_RANGE,
    FIELD_IF_RANGE,
    FIELD_IF_MATCH,
    FIELD_IF_NONE_MATCH,
    FIELD_IF_MODIFIED_SINCE,
    FIELD_IF_UNMODIFIED_SINCE,
    FIELD_REFERER,
    FIELD_USER_AGENT,
    FIELD_COUNT
};

#define FIELD_LINES_MAX 24

struct field_line {
    enum field field;
    struct text value; /* without the white space around it */
};

struct fields {
    uint32_t present; /* bit 1 << field for every field that has a line */
    uint32_t count;
    struct field_line line[FIELD_LINES_MAX];
};

/* The field with this name, in any case of letters (RFC 9110 §5.1). */
enum field field_find(struct text name);

/* Adds a line, the value being borrowed; false when there are FIELD_LINES_MAX already. */
bool fields_add(struct fields *fields, enum field field, struct text value);

static inline bool fields_have(const struct fields *fields, enum field field)
{
    return (fields->present & (1U << field)) != 0;
}

/* How many lines this field has. */
uint32_t fields_count(const struct fields *fields, enum field field);

/* The value of the first line of this field; absent when there is none. */
struct text fields_value(const struct fields *fields, enum field field);

/*
 * The lines of a list field one after another: start with *cursor = 0, call until it is false.
 */
bool fields_next(const struct fields *fields, enum field field, uint32_t *cursor,
                 struct text *value);

/* Optional white space as fields have it (RFC 9110 §5.6.3): space and tab. */
static inline bool byte_is_blank(char c)
{
    return c == ' ' || c == '\t';
}

/*
 * Members of a comma-separated list (RFC 9110 §5.6.1) one after another, quoted strings kept
 * whole, white space around them and empty members left out. *rest is the list at first.
 * False after the last member. A quoted string that is never closed goes to the end. Not for
 * lists of entity-tags, where a backslash is a character like others.
 */
bool list_next(struct text *rest, struct text *member);

/* The text without the white space at its end. */
static inline struct text text_trim_end(struct text text)
{
    while (text.length > 0 && byte_is_blank(text.base[text.length - 1]))
        text.length--;
    return text;
}

/* Compares without regard to the case of ASCII letters. */
bool text_equals_any_case(struct text a, struct text b);

#endif
