/*
 * Who the client is and by which scheme it asked, as trusted proxies say: Forwarded (RFC 7239), or
 * X-Forwarded-For and X-Forwarded-Proto.
 */
#ifndef ZCSERVE_HTTP_FORWARDED_H
#define ZCSERVE_HTTP_FORWARDED_H

#include "fields.h"
#include "zcserve/conn.h"

/*
 * Returns the address of the client in the field that rules->forwarding names; absent when it names
 * none. Each proxy adds to the end of the list the address that it was asked from. So the list is
 * followed from its end, as long as its addresses are trusted themselves: the first one that is not
 * is the client. A member that is no IP address ends the way, because nothing before it can be
 * trusted: then the client is the last address that was read. The text has no brackets and no port.
 */
struct text forwarded_client(const struct fields *fields, const struct conn_rules *rules);

/*
 * Returns whether the client asked its proxy by https. Forwarded says so with proto= in the members
 * that trusted proxies added, of which the first that has it counts. X-Forwarded-Proto says so with
 * its last member, which the peer itself added. Any other word than https counts as http.
 */
bool forwarded_https(const struct fields *fields, const struct conn_rules *rules);

#endif
