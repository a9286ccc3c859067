/*
 * Reads one request of HTTP/1.1 from received bytes, which stay in place until its response is
 * sent. llhttp finds where the parts begin and end. judge.c decides what the field lines mean, from
 * the lines themselves. What llhttp accepts but the server does not is refused.
 */
#ifndef ZCSERVE_HTTP_READER_H
#define ZCSERVE_HTTP_READER_H

#include "request.h"
#include "zcserve/conn.h"

#include <llhttp.h>

enum reader_phase {
    READER_AWAITS,  /* no byte of a request came, or only empty lines          */
    READER_HEAD,    /* the head is being read                                  */
    READER_BODY,    /* the content is being read and dropped                   */
    READER_COMPLETE /* to be answered; then closed, when `refused` or `unread` */
};

struct reader {
    llhttp_t parser;
    const struct conn_rules *rules;
    struct request *request; /* the request being read */
    enum reader_phase phase;
    struct text name, value; /* the field line being read                                    */
    const char *head;        /* the first byte of the head                                   */
    bool stands_in;          /* llhttp gets stand-ins for bytes that it refuses (stand_in.c) */
    bool closes, keep_alive; /* Connection has the member "close", "keep-alive"              */
    bool continues;          /* Expect has the member "100-continue"                         */
    bool expects_other;      /* Expect has another member                                    */
    bool chunked;            /* Transfer-Encoding is "chunked"                               */
    uint64_t content_length; /* the value of Content-Length; 0 without it                    */
    uint32_t lines;
    uint32_t head_bytes; /* read so far                                */
    uint64_t body_bytes; /* read so far, with chunk sizes and trailers */
};

/*
 * The next bytes are those of another request, which is read into `request`. Until its first byte
 * comes, `request` is not changed. Both `request` and `rules` must outlive the reader.
 */
void reader_begin(struct reader *r, struct request *request, const struct conn_rules *rules);

/*
 * Reads more of the request. Returns how many bytes were read: all, unless the request is complete
 * or a byte came that may begin an empty line or TLS. The bytes of the head must directly follow those of
 * the last call, also in memory.
 */
size_t reader_feed(struct reader *r, const char *bytes, size_t length);

/* Refuses the request in any phase. The first reason counts. */
void reader_refuse(struct reader *r, enum refusal why);

/* The bytes of the request were moved `offset` bytes to the front: moves all pointers to them. */
void reader_move(struct reader *r, size_t offset);

#endif
