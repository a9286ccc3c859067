/*
 * One request read from a stream of bytes that stay where they are until it has been answered.
 * llhttp finds where things begin and end; what the field lines say is judged here, from the lines
 * themselves, and what llhttp lets through and this server does not take is refused here.
 */
#ifndef ZCSERVE_HTTP_REQUEST_H
#define ZCSERVE_HTTP_REQUEST_H

#include "fields.h"
#include "zcserve/conn.h"

#include <llhttp.h>

enum request_phase {
    REQUEST_AWAITED, /* nothing but empty lines yet                             */
    REQUEST_HEAD,
    REQUEST_BODY,    /* its content is read and ignored                         */
    REQUEST_COMPLETE /* to be answered; when `refused` or `unread`, then closed */
};

struct request {
    llhttp_t parser;
    const struct conn_rules *rules;
    enum request_phase phase;
    enum refusal refused;        /* why, with the status to answer before closing, or NONE   */
    bool unread;                 /* content was announced that will not be read: then close  */
    enum method method;          /* as far as it was read                         */
    struct text method_name;     /* absent until the version was                  */
    struct text target, version; /* as received; version is "HTTP/1.1"            */
    struct fields fields;
    struct text name, value; /* the field line being read                         */
    const char *head;        /* its first byte                                    */
    bool stands_in;          /* llhttp is given stand-ins for what it does not take (request.c)  */
    bool closes, keep_alive; /* members of Connection: "close", "keep-alive"                     */
    bool continues;          /* Expect has the member "100-continue"                             */
    bool expects_other;      /* and one that is not known here                                   */
    bool chunked;            /* Transfer-Encoding is "chunked"                                   */
    uint64_t content_length; /* what Content-Length says                                         */
    uint32_t lines;
    uint32_t head_bytes; /* so far */
    uint64_t body_bytes; /* so far, as they came: chunk sizes and trailers included */
};

void request_begin(struct request *r, const struct conn_rules *rules);

/*
 * Reads more of the request. Gives how many bytes belong to it, all of them unless it is then
 * complete. The bytes of the head must directly follow those given before, in memory as in the stream.
 */
size_t request_feed(struct request *r, const char *bytes, size_t length);

/* Refuses it in whatever phase it is; the first reason stands. */
void request_refuse(struct request *r, enum refusal why);

/* Its bytes moved `offset` bytes towards the front of the buffer. */
void request_move(struct request *r, size_t offset);

static inline bool request_is(const struct request *r, enum method method)
{
    return r->method == method;
}

/* Whether another request may follow this one, as far as the client is concerned (RFC 9112 §9.3). */
bool request_keeps_alive(const struct request *r);

/* HTTP/1.0 with "Connection: keep-alive": the answer has to confirm it. */
bool request_keep_alive_is_asked(const struct request *r);

#endif
