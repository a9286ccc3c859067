/*
 * The authority of a target or the value of Host: a host and perhaps a port (RFC 3986 §3.2).
 */
#ifndef ZCSERVE_HTTP_AUTHORITY_H
#define ZCSERVE_HTTP_AUTHORITY_H

#include "zcserve/text.h"

/*
 * True when `authority` is a host with an optional port as RFC 3986 §3.2.2 allows it; "" is.
 * A port may be empty and is at most 65535. User information is not allowed (RFC 9110 §4.2.4),
 * nor is IPvFuture, of which there is none, nor a zone identifier, which means nothing here.
 */
bool authority_valid(struct text authority);

#endif
