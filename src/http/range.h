/*
 * One byte range (RFC 9110 §14) of a representation, with If-Range (§13.1.5).
 */
#ifndef ZCSERVE_HTTP_RANGE_H
#define ZCSERVE_HTTP_RANGE_H

#include "fields.h"
#include "zcserve/representation.h"

enum range_kind {
    RANGE_WHOLE,        /* no range asked for, not understood, or If-Range says no: 200 */
    RANGE_PART,         /* 206                                                         */
    RANGE_UNSATISFIABLE /* 416                                                         */
};

struct range {
    enum range_kind kind;
    uint64_t offset; /* of the part; 0 without one              */
    uint64_t length; /* of the part, then never 0; 0 without one */
};

/*
 * Which part of `r` the fields ask for. A unit other than bytes, a malformed value, several
 * ranges, or the field given twice: the whole. If-Range needs a strong match, or a date equal to
 * Last-Modified that is a strong validator (at least a second older than now, §8.8.2.2).
 * When `r` is empty, a suffix range (bytes=-5) is the whole and any other is unsatisfiable. Only for
 * GET: §14.2 defines ranges for no other method, HEAD included.
 */
struct range range_select(const struct fields *fields, const struct representation *r,
                          int64_t now_seconds);

#endif
