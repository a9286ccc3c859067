/*
 * Clients that speak another protocol than HTTP/1. They get an end that they can read.
 */
#ifndef ZCSERVE_HTTP_FOREIGN_H
#define ZCSERVE_HTTP_FOREIGN_H

#include "zcserve/refusal.h"
#include "zcserve/text.h"

/*
 * Returns the whole response to a client that was refused for this reason, in its own protocol;
 * absent when it speaks HTTP/1. To HTTP/2: SETTINGS, and GOAWAY with the error HTTP_1_1_REQUIRED
 * (RFC 9113 §6.5, §6.8, §7). To TLS: the alert protocol_version (RFC 8446 §6).
 */
struct text foreign_response(enum refusal why);

/* A record of TLS that begins a connection: a handshake of any version (RFC 8446 §5.1). */
#define TLS_HANDSHAKE '\x16'
#define TLS_MAJOR '\x03'

#endif
