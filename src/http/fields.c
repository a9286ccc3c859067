/*
 * Finds field names and the members of lists. The length of a name leaves at most two candidates,
 * which are then compared eight bytes at a time. Values are pointed at, and never copied or
 * changed. What the parser has checked is not checked again.
 */
#include "fields.h"

/*
 * Returns whether 8 bytes equal `lower` without regard to the case of letters. `lower` has only
 * lower-case letters and hyphens. A letter has bit 0x40 set and a hyphen has not, so bit 0x20 is
 * added exactly where `lower` has a letter.
 */
static inline bool word8_is(const char *bytes, const char *lower)
{
    uint64_t found, expected;
    memcpy(&found, bytes, sizeof(found));
    memcpy(&expected, lower, sizeof(expected));
    return (found | (expected >> 1 & UINT64_C(0x2020202020202020))) == expected;
}

static inline bool word4_is(const char *bytes, const char *lower)
{
    uint32_t found, expected;
    memcpy(&found, bytes, sizeof(found));
    memcpy(&expected, lower, sizeof(expected));
    return (found | (expected >> 1 & UINT32_C(0x20202020))) == expected;
}

/*
 * Returns whether the name equals `lower`, which is as long: at least 4 bytes. The last word that
 * is compared may overlap the word before it.
 */
static inline bool name_is(struct text name, const char *lower)
{
    size_t length = name.length, at = 0;
    if (length < 8)
        return word4_is(name.base, lower) && word4_is(name.base + length - 4, lower + length - 4);
    for (; at + 8 < length; at += 8)
        if (!word8_is(name.base + at, lower + at)) return false;
    return word8_is(name.base + length - 8, lower + length - 8);
}

enum field field_find(struct text name)
{
    switch (name.length) {
    case 4: return name_is(name, "host") ? FIELD_HOST : FIELD_OTHER;
    case 5: return name_is(name, "range") ? FIELD_RANGE : FIELD_OTHER;
    case 6:
        if (name_is(name, "origin")) return FIELD_ORIGIN;
        if (name_is(name, "accept")) return FIELD_ACCEPT;
        return name_is(name, "expect") ? FIELD_EXPECT : FIELD_OTHER;
    case 7: return name_is(name, "referer") ? FIELD_REFERER : FIELD_OTHER;
    case 8:
        if (name_is(name, "if-match")) return FIELD_IF_MATCH;
        return name_is(name, "if-range") ? FIELD_IF_RANGE : FIELD_OTHER;
    case 9: return name_is(name, "forwarded") ? FIELD_FORWARDED : FIELD_OTHER;
    case 10:
        if (name_is(name, "user-agent")) return FIELD_USER_AGENT;
        return name_is(name, "connection") ? FIELD_CONNECTION : FIELD_OTHER;
    case 12: return name_is(name, "x-request-id") ? FIELD_X_REQUEST_ID : FIELD_OTHER;
    case 13:
        if (name_is(name, "if-none-match")) return FIELD_IF_NONE_MATCH;
        return name_is(name, "authorization") ? FIELD_AUTHORIZATION : FIELD_OTHER;
    case 14: return name_is(name, "content-length") ? FIELD_CONTENT_LENGTH : FIELD_OTHER;
    case 15:
        if (name_is(name, "accept-encoding")) return FIELD_ACCEPT_ENCODING;
        return name_is(name, "x-forwarded-for") ? FIELD_X_FORWARDED_FOR : FIELD_OTHER;
    case 17:
        if (name_is(name, "if-modified-since")) return FIELD_IF_MODIFIED_SINCE;
        if (name_is(name, "x-forwarded-proto")) return FIELD_X_FORWARDED_PROTO;
        return name_is(name, "transfer-encoding") ? FIELD_TRANSFER_ENCODING : FIELD_OTHER;
    case 19: return name_is(name, "if-unmodified-since") ? FIELD_IF_UNMODIFIED_SINCE : FIELD_OTHER;
    case 29:
        return name_is(name, "access-control-request-method") ? FIELD_REQUEST_METHOD : FIELD_OTHER;
    default: return FIELD_OTHER;
    }
}

bool fields_add(struct fields *fields, enum field field, struct text value)
{
    if (fields->count >= FIELD_LINES_MAX) return false;
    fields->line[fields->count++] = (struct field_line){field, value};
    fields->present |= 1U << field;
    return true;
}

uint32_t fields_count(const struct fields *fields, enum field field)
{
    uint32_t count = 0;
    if (!fields_have(fields, field)) return 0;
    for (uint32_t i = 0; i < fields->count; i++)
        count += fields->line[i].field == field;
    return count;
}

bool fields_next(const struct fields *fields, enum field field, uint32_t *cursor,
                 struct text *value)
{
    if (!fields_have(fields, field)) return false;
    while (*cursor < fields->count) {
        const struct field_line *line = &fields->line[(*cursor)++];
        if (line->field == field) {
            *value = line->value;
            return true;
        }
    }
    return false;
}

struct text fields_value(const struct fields *fields, enum field field)
{
    struct text value = {NULL, 0};
    uint32_t cursor = 0;
    fields_next(fields, field, &cursor, &value);
    return value;
}

/*
 * Returns the length up to the next comma outside a quoted string, or else up to the end. A quoted
 * string without an end takes all that follows.
 */
static size_t member_length(const char *base, size_t length)
{
    bool quoted = false;
    size_t at = 0;
    for (; at < length; at++) {
        char c = base[at];
        if (c == '"')
            quoted = !quoted;
        else if (c == ',' && !quoted)
            return at;
        else if (c == '\\' && quoted && at + 1 < length)
            at++;
    }
    return at;
}

bool list_next(struct text *rest, struct text *member)
{
    size_t at = 0;
    while (at < rest->length && (rest->base[at] == ',' || byte_is_blank(rest->base[at])))
        at++;
    if (at == rest->length) return false;
    size_t length = member_length(rest->base + at, rest->length - at);
    *member = (struct text){rest->base + at, length};
    *rest = (struct text){rest->base + at + length, rest->length - at - length};
    *member = text_trim_end(*member);
    return true;
}

static inline unsigned char lower_case(char c)
{
    return (unsigned char)(c >= 'A' && c <= 'Z' ? c | 0x20 : c);
}

bool text_equals_any_case(struct text a, struct text b)
{
    if (a.length != b.length) return false;
    for (size_t i = 0; i < a.length; i++)
        if (lower_case(a.base[i]) != lower_case(b.base[i])) return false;
    return true;
}
