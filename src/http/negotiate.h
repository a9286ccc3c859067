/*
 * Accept-Encoding (RFC 9110 §12.5.3) read into one weight per content coding.
 */
#ifndef ZCSERVE_HTTP_NEGOTIATE_H
#define ZCSERVE_HTTP_NEGOTIATE_H

#include "fields.h"
#include "zcserve/representation.h"

/*
 * Without the field only identity is taken (weight 1000): a coding is never forced upon a
 * client that did not ask. "x-gzip" is gzip. "*" gives every coding but identity that is not
 * named its weight. Identity not named and not refused by "*;q=0" keeps the smallest weight
 * above 0, so that any accepted coding is preferred to it (also at the same weight: ties go
 * against identity) and it is still acceptable. Of a coding named twice the last weight holds.
 * A member that cannot be read is left out. Whether the original is sent to those who accept nothing
 * that is there (§12.5.3 leaves it to the server) is not decided here: `original_otherwise` is false.
 */
struct accepted negotiate_accepted(const struct fields *fields);

#endif
