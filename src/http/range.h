/*
 * Byte ranges (RFC 9110 §14) of a representation, with If-Range (§13.1.5).
 */
#ifndef ZCSERVE_HTTP_RANGE_H
#define ZCSERVE_HTTP_RANGE_H

#include "fields.h"
#include "zcserve/conn.h"

enum range_kind {
    RANGE_WHOLE,        /* no range asked for, not understood, too much, or If-Range says no: 200 */
    RANGE_PARTS,        /* 206 */
    RANGE_UNSATISFIABLE /* 416 */
};

struct range {
    uint64_t offset;
    uint64_t length; /* never 0 */
};

struct ranges {
    uint32_t count;
    struct range part[RANGES_MAX]; /* in the order asked; none overlaps or touches another */
};

/*
 * Which parts of `r` the fields ask for: with RANGE_PARTS, and only then, they are in *ranges, one at least. Ranges
 * that overlap or touch become one, in the place of the first of them (§15.3.7.2); those that cannot be satisfied are
 * left out when others can. The whole is the answer to a unit other than bytes, to a malformed value, to the field
 * given twice, to more than `most` ranges (1 to RANGES_MAX), and to ranges that have more bytes together than `r` has
 * (§14.2, §17.15).
 * If-Range needs a strong match: an entity-tag, or a date equal to Last-Modified that is a strong validator, which
 * is not so within its second (§8.8.2.2), nor for a sidecar: its date may be set to the original's each time it is made.
 * When `r` is empty, a suffix range (bytes=-5) is the whole and any other is unsatisfiable. Only for
 * GET: §14.2 defines ranges for no other method, HEAD included.
 */
enum range_kind range_select(const struct fields *fields, const struct representation *r,
                             uint32_t most, int64_t now_seconds, struct ranges *ranges);

#endif
