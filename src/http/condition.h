/*
 * Preconditions (RFC 9110 §13.2.2, in its order).
 */
#ifndef ZCSERVE_HTTP_CONDITION_H
#define ZCSERVE_HTTP_CONDITION_H

#include "fields.h"
#include "zcserve/representation.h"

enum condition {
    CONDITION_NONE,         /* proceed                        */
    CONDITION_NOT_MODIFIED, /* 304                            */
    CONDITION_FAILED        /* 412                            */
};

/*
 * For GET and HEAD. `r` is NULL when there is no current representation.
 * A date that cannot be read is ignored, and so is a date field given twice. A malformed
 * entity-tag matches nothing; "*" counts only when it is all that the field says. Preconditions
 * are for answers that would be 2xx (§13.2.1): a 404 does not ask.
 */
enum condition condition_evaluate(const struct fields *fields, const struct representation *r,
                                  int64_t now_seconds);

#endif
