/*
 * One request and its response, for counters and logs. The core makes the exchange, and it is never
 * copied. Its texts are in the receive buffer and are valid until the exchange is settled.
 */
#ifndef ZCSERVE_EXCHANGE_H
#define ZCSERVE_EXCHANGE_H

#include "zcserve/refusal.h"
#include "zcserve/representation.h"

/* The methods that are treated differently (RFC 9110 §9.3). */
enum method { METHOD_OTHER, METHOD_GET, METHOD_HEAD, METHOD_OPTIONS, METHOD_CONNECT };

struct exchange {
    const struct representation *lent;        /* must be returned to the store; or NULL     */
    struct text method_name, target, version; /* as received; absent without a request line */
    struct text host, referer, user_agent;    /* absent when the request has no such field  */
    struct text user;       /* whose password was right, where a rule asks for users; or absent */
    struct text client;     /* an IP address that a trusted proxy names, or absent */
    struct text id;         /* of the request; absent: requests have none          */
    uint64_t queue_ns;      /* how long its first byte had waited to be received   */
    uint64_t begun_ns;      /* when its first byte was received                    */
    uint64_t headed_ns;     /* when the request was complete                       */
    uint64_t ready_ns;      /* when its response was ready to be sent              */
    uint64_t first_ns;      /* when the kernel took the first byte of the response */
    uint64_t done_ns;       /* when the response was sent or cut; set at settling  */
    uint64_t offset;        /* where its response begins in the output             */
    uint64_t length;        /* of its response, head and content                   */
    uint64_t content_bytes; /* bytes of content sent; set at settling              */
    uint32_t head_length;
    uint16_t status;
    enum method method;
    enum coding coding;
    enum source source;
    enum refusal refused;
    bool https; /* as a trusted proxy says: the client asked it by https  */
    bool whole; /* the kernel took all of the response; set at settling */
};

#endif
