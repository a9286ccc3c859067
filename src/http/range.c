/*
 * Byte ranges. Positions are inclusive only while they are read; what comes out are offsets
 * and lengths inside the representation. Numbers saturate instead of overflowing: past the end
 * is past the end. A value that is not a well-formed list of ranges of bytes is not acted upon.
 */
#include "range.h"

#include <assert.h>

/* Takes the digits in front of `text`; how many there were. */
static size_t number_take(struct text *text, uint64_t *number)
{
    size_t count = 0;
    *number = 0;
    for (; count < text->length; count++) {
        unsigned digit = (unsigned char)text->base[count] - (unsigned)'0';
        if (digit > 9) break;
        if (__builtin_mul_overflow(*number, 10, number) ||
            __builtin_add_overflow(*number, digit, number))
            *number = UINT64_MAX; /* and stays: more digits overflow again */
    }
    *text = (struct text){text->base + count, text->length - count};
    return count;
}

/*
 * The last `suffix` bytes. Of nothing these are nothing, which satisfies (§14.1.2) but which no
 * Content-Range can tell: then the whole.
 */
static enum range_kind suffix_read(uint64_t suffix, uint64_t length, struct range *range)
{
    if (suffix == 0) return RANGE_UNSATISFIABLE;
    if (length == 0) return RANGE_WHOLE;
    if (suffix > length) suffix = length;
    *range = (struct range){length - suffix, suffix};
    return RANGE_PARTS;
}

/* One range-spec (§14.1.1) of a representation of `length` bytes; malformed gives the whole. */
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
 * Adds a range, or merges it with those before that it overlaps or touches, in the place of the first of them.
 * Those before do not touch each other, so merging with one of them brings it no nearer to the others.
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

/* All range-specs of a list (§14.1.1): what they ask for together. */
static enum range_kind specs_read(struct text specs, uint64_t length, uint32_t most,
                                  struct ranges *ranges)
{
    struct text spec;
    struct range range;
    uint64_t left = length; /* to be asked for */
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

/* The list of the one Range field, when its unit is bytes. Blanks before it are as in §14.1.2's own example. */
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
 * Whether the date of `r` tells its content from any other of this resource: its second is over, so that no
 * other content can get the same one (§8.8.2.2), and it is not a sidecar's.
 */
static bool date_is_strong(const struct representation *r, int64_t now_seconds)
{
    bool sidecar = r->varies && r->coding != CODING_IDENTITY;
    return !sidecar && r->modified_seconds != MODIFIED_UNKNOWN && r->modified_seconds < now_seconds;
}

/* If-Range: whether the client's part belongs to what `r` is now. */
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
