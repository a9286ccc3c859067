/*
 * One request, decoded: what the server acts upon, however its bytes came. Its texts are borrowed from whoever
 * reads it, and stay until it has been answered.
 */
#ifndef ZCSERVE_HTTP_REQUEST_H
#define ZCSERVE_HTTP_REQUEST_H

#include "fields.h"
#include "zcserve/exchange.h"

struct request {
    enum method method;          /* as far as it was read                                      */
    enum refusal refused;        /* why, with the status to answer before closing, or NONE     */
    struct text method_name;     /* absent until the version was read                          */
    struct text target, version; /* as received; version is "HTTP/1.1"                         */
    struct fields fields;
    bool unread;             /* content was announced that will not be read: then close        */
    bool persists;           /* the client allows another request on the connection            */
    bool confirm_keep_alive; /* and, of HTTP/1.0, wants to hear that it may                    */
};

static inline bool request_is(const struct request *r, enum method method)
{
    return r->method == method;
}

/* Refuses it; the first reason stands. */
static inline void request_refuse(struct request *r, enum refusal why)
{
    if (r->refused == REFUSAL_NONE) r->refused = why;
}

/* Whether another request may follow this one, as far as the client is concerned (RFC 9112 §9.3). */
static inline bool request_keeps_alive(const struct request *r)
{
    return r->persists && r->refused == REFUSAL_NONE && !r->unread;
}

#endif
