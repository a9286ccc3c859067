/*
 * One decoded request: what the server uses of it, whatever the protocol. Its texts belong to the
 * buffer of the reader, and are valid until the response is sent.
 */
#ifndef ZCSERVE_HTTP_REQUEST_H
#define ZCSERVE_HTTP_REQUEST_H

#include "fields.h"
#include "zcserve/exchange.h"

struct request {
    enum method method;      /* METHOD_OTHER until it was read                                  */
    enum refusal refused;    /* why its response is an error, after which the connection closes */
    struct text method_name; /* absent until the version was read                               */
    struct text target, version; /* as received; the version is "HTTP/1.1" */
    struct fields fields;
    struct text user;        /* whose password the request has; absent: none, or not checked      */
    bool unread;             /* content follows that is not read: the connection must close       */
    bool persists;           /* the client allows another request on the connection               */
    bool confirm_keep_alive; /* the client uses HTTP/1.0 and expects "keep-alive" in the response */
};

static inline bool request_is(const struct request *r, enum method method)
{
    return r->method == method;
}

/* Refuses the request. The first reason counts. */
static inline void request_refuse(struct request *r, enum refusal why)
{
    if (r->refused == REFUSAL_NONE) r->refused = why;
}

/* Returns whether the request allows another one to follow on the connection (RFC 9112 §9.3). */
static inline bool request_keeps_alive(const struct request *r)
{
    return r->persists && r->refused == REFUSAL_NONE && !r->unread;
}

#endif
