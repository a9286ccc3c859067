/*
 * Reads one request of HTTP/1.1 from a stream of bytes that stay where they are until it has been answered.
 * llhttp finds where things begin and end; what the field lines say is judged from the lines themselves
 * (judge.c), and what llhttp lets through and this server does not take is refused.
 */
#ifndef ZCSERVE_HTTP_READER_H
#define ZCSERVE_HTTP_READER_H

#include "request.h"
#include "zcserve/conn.h"

#include <llhttp.h>

enum reader_phase {
    READER_AWAITS,  /* nothing but empty lines yet                             */
    READER_HEAD,    /* its head is read                                        */
    READER_BODY,    /* its content is read and ignored                         */
    READER_COMPLETE /* to be answered; when `refused` or `unread`, then closed */
};

struct reader {
    llhttp_t parser;
    const struct conn_rules *rules;
    struct request *request; /* what is read */
    enum reader_phase phase;
    struct text name, value; /* the field line being read                                       */
    const char *head;        /* its first byte                                                  */
    bool stands_in;          /* llhttp is given stand-ins for what it does not take (stand_in.c) */
    bool closes, keep_alive; /* members of Connection: "close", "keep-alive"                    */
    bool continues;          /* Expect has the member "100-continue"                            */
    bool expects_other;      /* and one that is not known here                                  */
    bool chunked;            /* Transfer-Encoding is "chunked"                                  */
    uint64_t content_length; /* what Content-Length says                                        */
    uint32_t lines;
    uint32_t head_bytes; /* so far */
    uint64_t body_bytes; /* so far, as they came: chunk sizes and trailers included */
};

/* Begins with the next request, which is read into `request`. Both must outlive the reading. */
void reader_begin(struct reader *r, struct request *request, const struct conn_rules *rules);

/*
 * Reads more of the request. Returns how many bytes belong to it, all of them unless it is then
 * complete. The bytes of the head must directly follow those given before, in memory as in the stream.
 */
size_t reader_feed(struct reader *r, const char *bytes, size_t length);

/* Refuses the request in whatever phase it is; the first reason stands. */
void reader_refuse(struct reader *r, enum refusal why);

/* Its bytes moved `offset` bytes towards the front of the buffer. */
void reader_move(struct reader *r, size_t offset);

#endif
