/*
 * The header of the PROXY protocol, with which a proxy says who its client is, before the first byte
 * of the client (HAProxy's proxy-protocol.txt). Version 1 is a line of text, version 2 is binary.
 * Pure: bytes in, a value out.
 */
#ifndef ZCSERVE_PROXY_H
#define ZCSERVE_PROXY_H

#include "zcserve/text.h"

#include <netinet/in.h>

#define PROXY_BYTES_MAX 4096 /* a longer header is bad; version 1 has at most 107 bytes */

struct proxy_header {
    size_t length;              /* of the header; what follows is the client's               */
    bool has_source;            /* false: the proxy speaks for itself, or cannot tell who    */
    struct sockaddr_in6 source; /* the client: an IPv6 or IPv4 address, or only AF_UNIX */
};

enum proxy_kind {
    PROXY_WHOLE,   /* *header is set                                         */
    PROXY_PARTIAL, /* more bytes are needed; less than PROXY_BYTES_MAX came  */
    PROXY_BAD      /* no header begins so: the connection should be closed   */
};

/*
 * Reads the header at the beginning of `bytes`. UNKNOWN, LOCAL and UNSPEC have no source. Of the
 * TLVs of version 2 only the CRC32c is used: it must be right where there is one. Of other TLVs only
 * the lengths are checked.
 */
enum proxy_kind proxy_read(struct text bytes, struct proxy_header *header);

#endif
