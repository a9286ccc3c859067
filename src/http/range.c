/*
 * Reads one byte range. In the field the last position is inclusive; the result is an offset and a
 * length within the representation. Numbers that are too large become UINT64_MAX, which is past the
 * end of any file. What is not exactly one well-formed byte range is ignored.
 */
#include "range.h"

static const struct range whole = {RANGE_WHOLE, 0, 0};
static const struct range unsatisfiable = {RANGE_UNSATISFIABLE, 0, 0};

/* Takes the digits that `text` begins with. Returns how many there were. */
static size_t number_take(struct text *text, uint64_t *number)
{
    size_t count = 0;
    *number = 0;
    for (; count < text->length; count++) {
        unsigned digit = (unsigned char)text->base[count] - (unsigned)'0';
        if (digit > 9) break;
        if (__builtin_mul_overflow(*number, 10, number) ||
            __builtin_add_overflow(*number, digit, number))
            *number = UINT64_MAX; /* more digits overflow again, so it stays */
    }
    *text = (struct text){text->base + count, text->length - count};
    return count;
}

/*
 * Returns the last `suffix` bytes. Those of an empty representation are satisfiable (§14.1.2), but
 * Content-Range cannot express them, so the result is then the whole.
 */
static struct range suffix_range(uint64_t suffix, uint64_t length)
{
    if (suffix == 0) return unsatisfiable;
    if (length == 0) return whole;
    if (suffix > length) suffix = length;
    return (struct range){RANGE_PART, length - suffix, suffix};
}

/* Reads one range-spec (§14.1.1) for a representation of `length` bytes. Malformed: the whole. */
static struct range spec_range(struct text spec, uint64_t length)
{
    uint64_t first, last;
    bool first_given = number_take(&spec, &first) > 0;
    if (spec.length == 0 || spec.base[0] != '-') return whole;
    spec = (struct text){spec.base + 1, spec.length - 1};
    bool last_given = number_take(&spec, &last) > 0;
    if (spec.length > 0 || (!first_given && !last_given)) return whole;
    if (!first_given) return suffix_range(last, length);
    if (last_given && last < first) return whole;
    if (first >= length) return unsatisfiable;
    if (!last_given || last >= length) last = length - 1;
    return (struct range){RANGE_PART, first, last - first + 1};
}

/* Returns whether If-Range matches `r`, or is not there. */
static bool part_current(const struct fields *fields, const struct representation *r,
                         int64_t now_seconds)
{
    int64_t date;
    if (!fields_have(fields, FIELD_IF_RANGE)) return true;
    if (fields_count(fields, FIELD_IF_RANGE) != 1) return false;
    struct text value = fields_value(fields, FIELD_IF_RANGE);
    if (value.length > 0 && value.base[0] == '"') return text_equals(value, r->etag);
    return r->modified_seconds != MODIFIED_UNKNOWN && date_parse(value, now_seconds, &date) &&
           date == r->modified_seconds && date < now_seconds;
}

struct range range_select(const struct fields *fields, const struct representation *r,
                          int64_t now_seconds)
{
    const struct text unit = TEXT("bytes=");
    struct text specs, spec, second;

    if (!fields_have(fields, FIELD_RANGE) || fields_count(fields, FIELD_RANGE) != 1) return whole;
    specs = fields_value(fields, FIELD_RANGE);
    if (specs.length <= unit.length ||
        !text_equals_any_case((struct text){specs.base, unit.length}, unit))
        return whole;
    specs = (struct text){specs.base + unit.length, specs.length - unit.length};
    if (byte_is_blank(specs.base[0]) || !list_next(&specs, &spec) || list_next(&specs, &second))
        return whole;
    if (!part_current(fields, r, now_seconds)) return whole;
    return spec_range(spec, r->length);
}
