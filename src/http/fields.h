/*
 * The field lines of one request that the server uses, in the order received. The parser checks
 * other field lines, and they are not kept.
 */
#ifndef ZCSERVE_HTTP_FIELDS_H
#define ZCSERVE_HTTP_FIELDS_H

#include "zcserve/text.h"

#include <stdbool.h>
#include <stdint.h>

enum field {
    FIELD_OTHER, /* any other name; not kept */
    FIELD_HOST,
    FIELD_CONNECTION, /* this and the next three: judge.c reads them, and they are not kept */
    FIELD_TRANSFER_ENCODING,
    FIELD_CONTENT_LENGTH,
    FIELD_EXPECT,
    FIELD_ACCEPT,
    FIELD_ACCEPT_ENCODING,
    FIELD_RANGE,
    FIELD_IF_RANGE,
    FIELD_IF_MATCH,
    FIELD_IF_NONE_MATCH,
    FIELD_IF_MODIFIED_SINCE,
    FIELD_IF_UNMODIFIED_SINCE,
    FIELD_REFERER,
    FIELD_USER_AGENT,
    FIELD_ORIGIN,
    FIELD_REQUEST_METHOD, /* Access-Control-Request-Method */
    FIELD_FORWARDED,      /* this and the next two are kept only as conn_rules.forwarding says */
    FIELD_X_FORWARDED_FOR,
    FIELD_X_FORWARDED_PROTO,
    FIELD_X_REQUEST_ID,  /* kept only with conn_rules.request_id */
    FIELD_AUTHORIZATION, /* kept only where sites.by_user says so */
    FIELD_COUNT
};

#define FIELD_LINES_MAX 24

struct field_line {
    enum field field;
    struct text value; /* without the white space around it */
};

struct fields {
    uint32_t present; /* bit 1 << field is set for each field that has a line */
    uint32_t count;
    struct field_line line[FIELD_LINES_MAX];
};

/* Returns the field with this name, in any case of letters (RFC 9110 §5.1), or FIELD_OTHER. */
enum field field_find(struct text name);

/* Adds a line, whose value is borrowed. Returns false when there are FIELD_LINES_MAX already. */
bool fields_add(struct fields *fields, enum field field, struct text value);

static inline bool fields_have(const struct fields *fields, enum field field)
{
    return (fields->present & (1U << field)) != 0;
}

/* Returns how many lines this field has. */
uint32_t fields_count(const struct fields *fields, enum field field);

/* Returns the value of the first line of this field; absent when there is none. */
struct text fields_value(const struct fields *fields, enum field field);

/* Sets *value to the next line of a field; *cursor is 0 at first. Returns false after the last. */
bool fields_next(const struct fields *fields, enum field field, uint32_t *cursor,
                 struct text *value);

/* Returns whether `c` is optional white space of a field, a space or a tab (RFC 9110 §5.6.3). */
static inline bool byte_is_blank(char c)
{
    return c == ' ' || c == '\t';
}

/*
 * Takes the next member of a comma-separated list (RFC 9110 §5.6.1) from *rest, which is the whole
 * list at first. Returns false after the last member.
 * Quoted strings stay whole; a quoted string without an end takes all that follows. White space
 * around members and empty members are left out. Not for lists of entity-tags, where a backslash is
 * an ordinary character.
 */
bool list_next(struct text *rest, struct text *member);

/* Returns the text without the white space at its end. */
static inline struct text text_trim_end(struct text text)
{
    while (text.length > 0 && byte_is_blank(text.base[text.length - 1]))
        text.length--;
    return text;
}

/* Compares without regard to the case of ASCII letters. */
bool text_equals_any_case(struct text a, struct text b);

#endif
