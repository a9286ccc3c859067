/*
 * One connection as a plain state machine: it never does input or output, never reads a clock,
 * never allocates. It is told facts in the past tense and asked questions with nouns.
 *
 *      RECEIVE ──► RESOLVE ──► SEND ──► SETTLE ──► RECEIVE …
 *                    ↕                     └─────► HALF_CLOSE ──► RECEIVE (lingering) ──► CLOSE
 *                  PARKED
 *
 * Requests received together are answered together: the next one is resolved and its answer
 * joins the same output while there is room, in order. Each is settled when its last byte is taken.
 *
 * What an idle connection costs is `struct conn`. The parser, the buffers, the requests and the
 * answers live in a work area that the driver lends when bytes arrive and takes back when
 * conn_idle() says so.
 */
#ifndef ZCSERVE_CONN_H
#define ZCSERVE_CONN_H

#include "zcserve/close_reason.h"
#include "zcserve/exchange.h"
#include "zcserve/lookup.h"
#include "zcserve/now.h"
#include "zcserve/segment.h"

enum conn_step {
    CONN_RECEIVE,    /* wait for bytes, put them into conn_receive_space(), tell conn_received() */
    CONN_RESOLVE,    /* answer conn_lookup() with conn_resolved()                                */
    CONN_PARKED,     /* the lookup waits for the disk; tell conn_unparked() when it is over      */
    CONN_SEND,       /* send from conn_outgoing(), tell conn_sent()                              */
    CONN_SETTLE,     /* count conn_exchange(), give back what conn_settled() gives               */
    CONN_HALF_CLOSE, /* shut the sending side, tell conn_half_closed()                           */
    CONN_CLOSE       /* close the socket; conn_close_reason() says why                           */
};

/* What the operator allows; one for all connections of a worker. Times in ns, sizes in bytes. */
struct conn_rules {
    struct text server; /* value of the Server field; empty for none */
    uint32_t head_bytes_max, target_bytes_max, fields_max;
    uint64_t body_bytes_max;
    uint64_t head_ns, body_ns, idle_ns, send_ns, linger_ns;
    uint64_t linger_most_ns; /* linger_ns is for one silence; this is for all of the lingering */
    bool keep_alive;
    bool not_acceptable; /* 406 to those who accept no coding that is there, not the original */
};

struct conn_work;
struct stream; /* one request and its response: src/http/stream.h */

struct conn {
    const struct conn_rules *rules;
    struct conn_work *work; /* NULL while idle */
    uint64_t deadline_ns;
    uint32_t requests;    /* settled on this connection */
    uint8_t step;         /* enum conn_step             */
    uint8_t close_reason; /* enum close_reason          */
    bool failed;          /* no response goes on: those under way are cut        */
    bool closing;         /* no further request is taken                         */
    bool lingering;       /* the peer may still be sending: half-close before closing */
    bool half_closed;
    bool last; /* the server is stopping, or others wait: the next response is the last */
};

/*
 * The least rate at which content must come, as in Apache's mod_reqtimeout: every so many bytes move
 * the deadline by one second, but never further than body_ns from now. So a silence of body_ns ends the
 * request, and so does content that drips for longer than body_ns.
 */
#define BODY_BYTES_PER_SECOND_MIN 500

/* Size of a work area under these rules, and its alignment is that of max_align_t. */
size_t conn_work_size(const struct conn_rules *rules);

/* A connection that was just accepted. `rules` must outlive it. */
void conn_open(struct conn *c, const struct conn_rules *rules, const struct now *now);

/* The next thing to do. Pure: asking twice gives the same answer. */
static inline enum conn_step conn_next(const struct conn *c)
{
    return (enum conn_step)c->step;
}

/* When waiting any longer for this step is a timeout: then tell conn_expired(). */
static inline uint64_t conn_deadline_ns(const struct conn *c)
{
    return c->deadline_ns;
}

static inline enum close_reason conn_close_reason(const struct conn *c)
{
    return (enum close_reason)c->close_reason;
}

/* True when nothing is under way, so that the work area (if any) may be taken back. */
bool conn_idle(const struct conn *c);

/* Lends a work area of conn_work_size(); takes it back. Owned by the driver throughout. */
void conn_lend_work(struct conn *c, void *work);
void *conn_return_work(struct conn *c);

/*
 * Whether bytes are welcome: in RECEIVE, and with a protocol that answers in any order (not HTTP/1.1) also
 * while there is something else to do.
 */
bool conn_receives(const struct conn *c);

/* Where received bytes go; never empty. Needs a work area. */
struct iovec conn_receive_space(struct conn *c);

/* `length` bytes came, which had waited for `waited_ns` to be received. 0 bytes: the peer finished. */
void conn_received(struct conn *c, size_t length, uint64_t waited_ns, const struct now *now);

/* RESOLVE: who asks, and what. Then what was found. */
struct stream *conn_asking(const struct conn *c);
const struct lookup *conn_lookup(const struct stream *s);
void conn_resolved(struct conn *c, struct stream *s, struct resolution found,
                   const struct now *now);

/* SEND: what was resolved since the last time is ready, and about to be sent. */
void conn_gathered(struct conn *c, const struct now *now);

/* RESOLVE: what was asked has to be fetched from the disk first. What is planned is sent meanwhile. */
void conn_parked(struct conn *c, struct stream *s);

/*
 * In any step: that wait is over, and the stream asks again; `fetched`: what it waited for came from the disk. False
 * when it is given up already.
 */
bool conn_unparked(struct conn *c, struct stream *s, bool fetched);

/* SEND: never empty. */
void conn_outgoing(const struct conn *c, struct outgoing *out);

/*
 * In any step while bytes are outstanding: `length` of them were taken. Returns how many responses these are the
 * first bytes of.
 */
uint32_t conn_sent(struct conn *c, uint64_t length, const struct now *now);

/* SETTLE: the exchange, then its loan (or NULL) to be given back to the store. */
const struct exchange *conn_exchange(struct conn *c, const struct now *now);
const struct representation *conn_settled(struct conn *c, const struct now *now);

void conn_half_closed(struct conn *c, const struct now *now);

/* SEND: what comes next had to be fetched from the disk, which was not the peer's fault. */
void conn_fetched(struct conn *c, const struct now *now);

/* SEND: the representation that bytes are sent of; NULL when they are a page of the server's. */
const struct representation *conn_sending(const struct conn *c);

/*
 * SEND: the peer took bytes of those sent before, although there was no room to send more. SETTLE or
 * RESOLVE: although the driver has to wait until it took more.
 */
void conn_taken(struct conn *c, const struct now *now);

/* The deadline passed: a late head is answered 408, anything else fails. */
void conn_expired(struct conn *c, const struct now *now);

/* Whether the next response is the last on this connection, whatever the client wishes. */
void conn_last(struct conn *c, bool last);

/* The next one is: and an idle connection waits linger_ns at most for a last request. */
void conn_draining(struct conn *c, const struct now *now);

/*
 * The responses under way are cut, whatever the step. Exchanges are still to be settled: not before the
 * kernel has let go of what is in flight. When the fault is ours (a file, memory), HALF_CLOSE and lingering follow: a close with
 * unread input would be a reset, which destroys the responses that the peer has not read yet
 * (RFC 9112 §9.6). Told a second time, it ends the lingering too.
 */
void conn_failed(struct conn *c, enum close_reason why);

#endif
