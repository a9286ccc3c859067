/*
 * Preconditions, in the order of RFC 9110 §13.2.2.
 */
#ifndef ZCSERVE_HTTP_CONDITION_H
#define ZCSERVE_HTTP_CONDITION_H

#include "fields.h"
#include "zcserve/representation.h"

enum condition {
    CONDITION_NONE,         /* go on with the request */
    CONDITION_NOT_MODIFIED, /* respond with 304       */
    CONDITION_FAILED        /* respond with 412       */
};

/*
 * Evaluates the preconditions of a GET or HEAD. `r` is NULL without a current representation.
 * A date that cannot be read is ignored, and so is a date field with two lines. A malformed
 * entity-tag matches nothing. "*" counts only when it is the whole value of the field.
 * To be called only when the response would be 2xx without preconditions (§13.2.1): not for a 404.
 */
enum condition condition_evaluate(const struct fields *fields, const struct representation *r,
                                  int64_t now_seconds);

#endif
