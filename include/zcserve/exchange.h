/*
 * One request and its response, as counters and logs see them. The core makes it, in place, and nobody copies it;
 * its texts lie in the receive buffer and live until the exchange is settled.
 */
#ifndef ZCSERVE_EXCHANGE_H
#define ZCSERVE_EXCHANGE_H

#include "zcserve/refusal.h"
#include "zcserve/representation.h"

/* The methods that make a difference here (RFC 9110 §9.3). */
enum method { METHOD_OTHER, METHOD_GET, METHOD_HEAD, METHOD_OPTIONS, METHOD_CONNECT };

struct exchange {
    const struct representation *lent; /* that the store gets back; or NULL                      */
    struct text method_name, target,
        version;                           /* as received; absent when there was no request line */
    struct text host, referer, user_agent; /* absent when not given                              */
    uint64_t queue_ns;      /* how long its first byte had waited to be received          */
    uint64_t begun_ns;      /* when its first byte was received                           */
    uint64_t headed_ns;     /* when all of the request was                                */
    uint64_t ready_ns;      /* when its response was ready to be sent                     */
    uint64_t first_ns;      /* when the kernel took the first byte of the response        */
    uint64_t done_ns;       /* when it took the last one; set when it is to be settled    */
    uint64_t offset;        /* of its response in the output                              */
    uint64_t length;        /* of its response, head and content                          */
    uint64_t content_bytes; /* content sent, without the head; set when it is to be settled */
    uint32_t head_length;
    uint16_t status;
    enum method method;
    enum coding coding;
    enum source source;
    enum refusal refused;
    bool whole; /* all of its response was taken; set when it is to be settled */
};

#endif
