/*
 * The responses are constants. The debug data of GOAWAY is text for people.
 */
#include "foreign.h"

#define GOAWAY_TEXT "this port speaks HTTP/1.1 only"

/* A frame: length of 3 bytes, type, flags, stream of 4 bytes, payload (RFC 9113 §4.1). */
static const char http2_end[] = "\0\0\0\x04\0\0\0\0\0"   /* SETTINGS, empty          */
                                "\0\0\x26\x07\0\0\0\0\0" /* GOAWAY of 38 bytes:      */
                                "\0\0\0\0"               /* no stream was processed, */
                                "\0\0\0\x0d"             /* HTTP_1_1_REQUIRED        */
    GOAWAY_TEXT;

_Static_assert(sizeof(GOAWAY_TEXT) - 1 == 0x26 - 8, "the length of the frame is right");

/* A record of type alert, of 2 bytes: fatal, protocol_version. */
static const char tls_end[] = "\x15\x03\x01\0\x02\x02\x46";

struct text foreign_response(enum refusal why)
{
    switch ((int)why) {
    case REFUSAL_HTTP2: return TEXT(http2_end);
    case REFUSAL_TLS: return TEXT(tls_end);
    default: return (struct text){NULL, 0};
    }
}
