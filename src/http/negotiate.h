/*
 * Reads Accept-Encoding (RFC 9110 §12.5.3) into one weight for each content coding.
 */
#ifndef ZCSERVE_HTTP_NEGOTIATE_H
#define ZCSERVE_HTTP_NEGOTIATE_H

#include "fields.h"
#include "zcserve/representation.h"

/*
 * Returns the weights that the client gives to the codings:
 * - Without the field only identity is accepted, with weight 1000: a client gets no coding that it
 *   did not ask for.
 * - "x-gzip" is gzip. "*" gives its weight to every coding that is not named, but not to identity.
 * - Identity that is not named has the smallest weight above 0, so that it is still acceptable.
 *   Only "*;q=0" refuses it.
 * - When a coding is named twice, the last weight counts. A member that cannot be read is ignored.
 * `original_otherwise` is false: whether a client that accepts no available coding gets the
 * original is decided elsewhere (§12.5.3 leaves it to the server).
 */
struct accepted negotiate_accepted(const struct fields *fields);

/* Returns a weight (RFC 9110 §12.4.2) in thousandths, or WEIGHT_NONE when it is malformed. */
#define WEIGHT_NONE UINT16_MAX
uint16_t negotiate_weight(struct text text);

#endif
