/*
 * Reads byte ranges. In the field the last position is inclusive; the result is an offset and a
 * length within the representation. Numbers that are too large become UINT64_MAX, which is past the
 * end of any file. A value that is not a well-formed list of byte ranges is ignored.
 */
#include "range.h"

#include <assert.h>

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
 * Reads a range of the last `suffix` bytes. Those of an empty representation are satisfiable
 * (§14.1.2), but Content-Range cannot express them, so the result is then the whole.
 */
static enum range_kind suffix_read(uint64_t suffix, uint64_t length, struct range *range)
{
    if (suffix == 0) return RANGE_UNSATISFIABLE;
    if (length == 0) return RANGE_WHOLE;
    if (suffix > length) suffix = length;
    *range = (struct range){length - suffix, suffix};
    return RANGE_PARTS;
}

/* Reads one range-spec (§14.1.1) for a representation of `length` bytes. Malformed: the whole. */
static enum range_kind spec_read(struct text spec, uint64_t length, struct range *range)
{
    uint64_t first, last;
    bool first_given = number_take(&spec, &first) > 0;
    if (spec.length == 0 || spec.base[0] != '-') return RANGE_WHOLE;
    spec = (struct text){spec.base + 1, spec.length - 1};
    bool last_given = number_take(&spec, &last) > 0;
    if (spec.length > 0 || (!first_given && !last_given)) return RANGE_WHOLE;
    if (!first_given) return suffix_read(last, length, range);
    if (last_given && last < first) return RANGE_WHOLE;
    if (first >= length) return RANGE_UNSATISFIABLE;
    if (!last_given || last >= length) last = length - 1;
    *range = (struct range){first, last - first + 1};
    return RANGE_PARTS;
}

/* Returns whether the ranges overlap, or one begins where the other ends. */
static bool touches(struct range a, struct range b)
{
    return a.offset <= b.offset + b.length && b.offset <= a.offset + a.length;
}

static struct range united(struct range a, struct range b)
{
    uint64_t offset = a.offset < b.offset ? a.offset : b.offset;
    uint64_t a_end = a.offset + a.length, b_end = b.offset + b.length;
    return (struct range){offset, (a_end > b_end ? a_end : b_end) - offset};
}

/*
 * Adds a range. When it touches parts that are there, they all become one, at the place of the
 * first of them. Parts that are there do not touch each other, so it is enough to compare each with
 * the new range, and not with what has been merged.
 */
static void range_add(struct ranges *ranges, struct range range)
{
    uint32_t before = ranges->count, kept = 0, place = before;
    struct range merged = range;
    for (uint32_t i = 0; i < before; i++) {
        struct range part = ranges->part[i];
        if (!touches(part, range)) {
            ranges->part[kept++] = part;
            continue;
        }
        merged = united(merged, part);
        if (place == before) place = kept++;
    }
    if (place == before) place = kept++;
    ranges->part[place] = merged;
    ranges->count = kept;
}

/*
 * Reads a list of range-specs (§14.1.1), at most `most`, for a representation of `length` bytes.
 * Returns what they ask for together.
 */
static enum range_kind specs_read(struct text specs, uint64_t length, uint32_t most,
                                  struct ranges *ranges)
{
    struct text spec;
    struct range range;
    uint64_t left = length; /* bytes that may still be asked for */
    uint32_t asked = 0;
    ranges->count = 0;
    for (; list_next(&specs, &spec); asked++) {
        if (asked == most) return RANGE_WHOLE;
        enum range_kind kind = spec_read(spec, length, &range);
        if (kind == RANGE_UNSATISFIABLE) continue;
        if (kind == RANGE_WHOLE || range.length > left) return RANGE_WHOLE;
        left -= range.length;
        range_add(ranges, range);
    }
    if (ranges->count > 0) return RANGE_PARTS;
    return asked > 0 ? RANGE_UNSATISFIABLE : RANGE_WHOLE;
}

/*
 * Sets *specs to the list in the only Range field. Returns false when there is not exactly one, or
 * its unit is not bytes. Blanks may precede the list, as in an example of §14.1.2.
 */
static bool specs_find(const struct fields *fields, struct text *specs)
{
    const struct text unit = TEXT("bytes=");
    if (!fields_have(fields, FIELD_RANGE) || fields_count(fields, FIELD_RANGE) != 1) return false;
    struct text value = fields_value(fields, FIELD_RANGE);
    if (value.length <= unit.length ||
        !text_equals_any_case((struct text){value.base, unit.length}, unit))
        return false;
    *specs = (struct text){value.base + unit.length, value.length - unit.length};
    return true;
}

/*
 * Returns whether no other content of this resource has the same date: its second is over, so that
 * no later content can get it (§8.8.2.2), and it is not the date of a sidecar.
 */
static bool date_is_strong(const struct representation *r, int64_t now_seconds)
{
    bool sidecar = r->varies && r->coding != CODING_IDENTITY;
    return !sidecar && r->modified_seconds != MODIFIED_UNKNOWN && r->modified_seconds < now_seconds;
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
    return date_is_strong(r, now_seconds) && date_parse(value, now_seconds, &date) &&
           date == r->modified_seconds;
}

enum range_kind range_select(const struct fields *fields, const struct representation *r,
                             uint32_t most, int64_t now_seconds, struct ranges *ranges)
{
    struct text specs;
    assert(most >= 1 && most <= RANGES_MAX);
    if (!specs_find(fields, &specs) || !part_current(fields, r, now_seconds)) return RANGE_WHOLE;
    return specs_read(specs, r->length, most, ranges);
}
