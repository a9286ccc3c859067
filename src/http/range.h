/*
 * One byte range (RFC 9110 §14) of a representation, with If-Range (§13.1.5).
 */
#ifndef ZCSERVE_HTTP_RANGE_H
#define ZCSERVE_HTTP_RANGE_H

#include "fields.h"
#include "zcserve/representation.h"

enum range_kind {
    RANGE_WHOLE,        /* 200: no Range, or it is ignored, or If-Range does not match */
    RANGE_PART,         /* 206                                                         */
    RANGE_UNSATISFIABLE /* 416                                                         */
};

struct range {
    enum range_kind kind;
    uint64_t offset; /* of the part; else 0          */
    uint64_t length; /* of the part, above 0; else 0 */
};

/*
 * Returns which part of `r` the fields ask for. The result is the whole when the unit is not bytes,
 * the value is malformed, there are several ranges, or the field has two lines.
 * If-Range must have the same strong entity-tag, or a date equal to Last-Modified. That date must
 * be a strong validator: at least a second older than now (§8.8.2.2).
 * When `r` is empty, a suffix range such as bytes=-5 is the whole, and any other range is
 * unsatisfiable. Only for GET: §14.2 defines ranges for no other method, not even HEAD.
 */
struct range range_select(const struct fields *fields, const struct representation *r,
                          int64_t now_seconds);

#endif
