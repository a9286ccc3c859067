/*
 * Byte ranges (RFC 9110 §14) of a representation, with If-Range (§13.1.5).
 */
#ifndef ZCSERVE_HTTP_RANGE_H
#define ZCSERVE_HTTP_RANGE_H

#include "fields.h"
#include "zcserve/conn.h"

enum range_kind {
    RANGE_WHOLE,        /* 200: no Range, or it is ignored, or If-Range does not match */
    RANGE_PARTS,        /* 206                                                         */
    RANGE_UNSATISFIABLE /* 416                                                         */
};

struct range {
    uint64_t offset;
    uint64_t length; /* above 0 */
};

struct ranges {
    uint32_t count;
    struct range part[RANGES_MAX]; /* in the order asked; none overlaps or touches another */
};

/*
 * Returns what the fields ask for. Only with RANGE_PARTS, *ranges gets the parts of `r`, at least
 * one. Ranges that overlap or touch become one part, at the place of the first of them (§15.3.7.2).
 * Ranges that are unsatisfiable are left out when others are satisfiable.
 * The result is the whole when the unit is not bytes, the value is malformed, the field has two
 * lines, there are more than `most` ranges (1 to RANGES_MAX), or the ranges have more bytes together
 * than `r` (§14.2, §17.15).
 * If-Range must have the same strong entity-tag, or a date equal to Last-Modified. That date must
 * be a strong validator: at least a second older than now (§8.8.2.2). The date of a sidecar is none,
 * because tools set it to the date of the original, whatever the sidecar contains.
 * When `r` is empty, a suffix range such as bytes=-5 is the whole, and any other range is
 * unsatisfiable. Only for GET: §14.2 defines ranges for no other method, not even HEAD.
 */
enum range_kind range_select(const struct fields *fields, const struct representation *r,
                             uint32_t most, int64_t now_seconds, struct ranges *ranges);

#endif
