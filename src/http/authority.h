/*
 * The authority of a target, or the value of Host: a host and perhaps a port (RFC 3986 §3.2).
 */
#ifndef ZCSERVE_HTTP_AUTHORITY_H
#define ZCSERVE_HTTP_AUTHORITY_H

#include "zcserve/text.h"

/*
 * Returns whether `authority` is empty, or a host with an optional port as in RFC 3986 §3.2.2. The
 * port may be empty and is at most 65535. Not allowed are user information (RFC 9110 §4.2.4),
 * IPvFuture addresses, because none exist, and zone identifiers, because they have no meaning here.
 */
bool authority_valid(struct text authority);

/* Returns the host of a valid authority: what precedes the port, without a dot at its end. */
struct text authority_host(struct text authority);

#endif
