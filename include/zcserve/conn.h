/*
 * One connection as a plain state machine. It does no input or output, reads no clock, and
 * allocates no memory. Functions that tell it what happened have names like conn_received();
 * functions that ask it have names like conn_outgoing().
 *
 *      RECEIVE ──► RESOLVE ──► SEND ──► SETTLE ──► RECEIVE …
 *                    ↕                     └─────► HALF_CLOSE ──► RECEIVE (lingering) ──► CLOSE
 *                  PARKED
 *
 * Requests that are received together are answered together: while there is room, the next one is
 * resolved and its response joins the same output, in their order. A request is settled when the
 * kernel has taken the last byte of its response.
 *
 * An idle connection costs only its `struct conn`. The parser, the buffers, the requests and the
 * responses are in a work area. The driver lends it when bytes come, and takes it back when
 * conn_idle() is true.
 */
#ifndef ZCSERVE_CONN_H
#define ZCSERVE_CONN_H

#include "zcserve/close_reason.h"
#include "zcserve/exchange.h"
#include "zcserve/lookup.h"
#include "zcserve/network.h"
#include "zcserve/now.h"
#include "zcserve/segment.h"
#include "zcserve/site.h"

enum conn_step {
    CONN_RECEIVE,    /* wait for bytes, put them into conn_receive_space(), call conn_received() */
    CONN_RESOLVE,    /* check conn_credentials(), or look up conn_lookup(); tell the result      */
    CONN_PARKED,     /* the lookup waits for the disk; call conn_unparked() when it is over      */
    CONN_SEND,       /* send from conn_outgoing(), call conn_sent()                              */
    CONN_SETTLE,     /* count conn_exchange(), return what was lent for it, call conn_settled()  */
    CONN_HALF_CLOSE, /* shut down the sending side, call conn_half_closed()                      */
    CONN_CLOSE       /* close the socket; conn_close_reason() says why                           */
};

#define RANGES_MAX 64 /* the largest ranges_max */

enum forwarding { FORWARDING_OFF, FORWARDING_FORWARDED, FORWARDING_X_FORWARDED_FOR };

/* What the operator allows, for all connections of a worker. Times in ns, sizes in bytes. */
struct conn_rules {
    struct text server; /* value of the Server field; empty: no such field */
    uint32_t head_bytes_max, target_bytes_max, fields_max;
    uint32_t ranges_max; /* of one request, at least 1; more of them get the whole content */
    uint64_t seed[2];    /* random bits of this start of the server, which no client knows */
    uint64_t body_bytes_max;
    uint64_t head_ns, body_ns, idle_ns, send_ns, linger_ns;
    uint64_t send_byte_ns;   /* longest average time for the peer to take a byte; 0: any   */
    uint64_t linger_most_ns; /* longest lingering; linger_ns is for one silence in it */
    bool keep_alive;
    bool server_timing;        /* responses say how long their phases took                      */
    bool request_id;           /* responses say the id of their request: see conn_ids()        */
    bool not_acceptable;       /* 406, and not the original, when no available coding is accepted */
    bool lists;                /* without sites: a directory without an index may be listed       */
    const struct sites *sites; /* NULL: one site without rules, which is tree 0 of the store */
    enum forwarding forwarding; /* which field of a trusted peer tells the client's address */
    struct networks trusted;    /* the proxies whose word is taken                          */
};

/* From which a worker makes the ids of its requests. It belongs to the worker. */
struct request_ids {
    uint64_t base; /* random, and of no other worker */
    uint64_t next; /* number of the next request     */
};

struct conn_work;
struct stream; /* one request and its response: src/http/stream.h */

struct conn {
    const struct conn_rules *rules;
    struct conn_work *work; /* NULL while the connection is idle */
    uint64_t deadline_ns;
    uint32_t requests;    /* requests settled on this connection                */
    uint8_t step;         /* enum conn_step                                     */
    uint8_t close_reason; /* enum close_reason                                  */
    bool failed;          /* the responses under way are cut                    */
    bool closing;         /* no further request is taken                        */
    bool lingering;       /* the peer may still send: half-close before closing */
    bool half_closed;
    bool last;         /* the next response is the last: the server is stopping, or others wait */
    bool slow;         /* the peer took bytes, but not enough for another send_ns               */
    bool peer_trusted; /* what it says of its client is believed: rules->forwarding, request_id */
};

/*
 * The lowest rate at which content must come, as in Apache's mod_reqtimeout. Each such number of
 * bytes moves the deadline by one second, but never further than body_ns from now. So the request
 * ends after a silence of body_ns, and also, after some time, when content comes more slowly than
 * this rate. Lingering does the same with linger_ns, and ends after linger_most_ns in any case.
 */
#define BODY_BYTES_PER_SECOND_MIN 500

/* Returns the size of a work area in bytes under these rules. It is aligned as max_align_t. */
size_t conn_work_size(const struct conn_rules *rules);

/* The connection was just accepted. `rules` must outlive it. */
void conn_open(struct conn *c, const struct conn_rules *rules, const struct now *now);

/* Returns the next step. The call changes nothing. */
static inline enum conn_step conn_next(const struct conn *c)
{
    return (enum conn_step)c->step;
}

/* Returns the end of the wait in this step. After it conn_expired() must be called. */
static inline uint64_t conn_deadline_ns(const struct conn *c)
{
    return c->deadline_ns;
}

static inline enum close_reason conn_close_reason(const struct conn *c)
{
    return (enum close_reason)c->close_reason;
}

/* Returns whether nothing is under way, so that the work area (if any) may be taken back. */
bool conn_idle(const struct conn *c);

/* Lends a work area of conn_work_size() bytes, and takes it back. The driver stays its owner. */
void conn_lend_work(struct conn *c, void *work);
void *conn_return_work(struct conn *c);

/*
 * Who sends the requests, for rules that allow or deny addresses. It is for the time in which the
 * connection has its work area. Until this call, the address is "::".
 */
void conn_from(struct conn *c, const struct origin *peer);

/*
 * Where the ids of requests come from; needed when rules->request_id. It is for the time in which the
 * connection has its work area. `ids` is lent for that time.
 */
void conn_ids(struct conn *c, struct request_ids *ids);

/*
 * Returns whether bytes may be received: in RECEIVE. A protocol that answers in any order (not
 * HTTP/1.1) could also receive while there is another step to do.
 */
bool conn_receives(const struct conn *c);

/* Returns where received bytes go; never empty. Needs a work area. */
struct iovec conn_receive_space(struct conn *c);

/* `length` bytes came, which had waited for `waited_ns`. 0 bytes: the peer finished. */
void conn_received(struct conn *c, size_t length, uint64_t waited_ns, const struct now *now);

/*
 * For bytes before the first request that are not HTTP: `length` more came. Returns all that came so
 * far. Nothing else is to be told of them, until conn_prelude_end() says that the first `length`
 * bytes were all. That returns how many more bytes there are, which conn_received() must be told
 * of: they are in conn_receive_space(). Waiting for them has the time limit of the first request.
 */
struct text conn_prelude(struct conn *c, size_t length);
bool conn_prelude_has_room(const struct conn *c); /* false: no more bytes can be received */
size_t conn_prelude_end(struct conn *c, size_t length);

/*
 * RESOLVE: returns the stream that asks. When it has credentials (not NULL), they must be checked first, for
 * a request that comes from conn_origin(), and conn_admitted() takes the result; what is the next step
 * follows from that: it returns whether this request asks for its lookup. Else conn_lookup() returns the lookup,
 * and conn_resolved() takes its result. It returns what was lent with the result when that is not needed, and must
 * be returned to the store now: the page of an error is asked for instead. Else it returns NULL.
 */
struct stream *conn_asking(const struct conn *c);
const struct credentials *conn_credentials(const struct conn *c, const struct stream *s);
const struct origin *conn_origin(const struct stream *s);
uint64_t conn_asked_ns(const struct stream *s); /* monotonic time when the request was complete */
bool conn_admitted(struct conn *c, struct stream *s, enum admission admission,
                   const struct now *now);
const struct lookup *conn_lookup(const struct stream *s);
bool conn_asks_again(
    const struct stream *s); /* after conn_resolved(): the same request, another path */
const struct representation *conn_resolved(struct conn *c, struct stream *s,
                                           struct resolution found, const struct now *now);

/* SEND: the responses to what was resolved since the last call are about to be sent. */
void conn_gathered(struct conn *c, const struct now *now);

/* RESOLVE: the lookup must wait for the disk, or the credentials for their check. Responses that are planned are sent meanwhile. */
void conn_parked(struct conn *c, struct stream *s);

/*
 * In any step: the wait is over, and the stream asks again. `fetched`: what it waited for was read
 * from the disk. Returns false when the lookup was given up meanwhile.
 */
bool conn_unparked(struct conn *c, struct stream *s, bool fetched);

/* SEND: returns in *out what to send next; never empty. */
void conn_outgoing(const struct conn *c, struct outgoing *out);

/*
 * In any step while bytes are outstanding: the kernel took `length` bytes. Returns how many
 * responses had their first byte among them.
 */
uint32_t conn_sent(struct conn *c, uint64_t length, const struct now *now);

/*
 * SETTLE: returns the exchange, which is valid until conn_settled(). What was lent for it (`lent`)
 * must be returned to the store.
 */
const struct exchange *conn_exchange(struct conn *c, const struct now *now);
void conn_settled(struct conn *c, const struct now *now);

void conn_half_closed(struct conn *c, const struct now *now);

/* SEND: the bytes that come next were fetched from the disk. The peer did not cause this wait. */
void conn_fetched(struct conn *c, const struct now *now);

/* SEND: returns the representation whose bytes are sent; NULL for a page of the server. */
const struct representation *conn_sending(const struct conn *c);

/*
 * The peer took `bytes` that were sent earlier, so the deadline moves: by send_byte_ns for each of
 * them, but never further than send_ns from now. In SEND, although the socket has no room for more;
 * in SETTLE and RESOLVE, while the driver waits for the peer. When the deadline has passed all the
 * same, the peer is too slow, and conn_expired() must be called.
 */
void conn_taken(struct conn *c, uint64_t bytes, const struct now *now);

/*
 * The deadline passed. A request that did not come completely gets a 408 response; in all other
 * cases the connection ends.
 */
void conn_expired(struct conn *c, const struct now *now);

/* Sets whether the next response is the last on this connection, whatever the client wants. */
static inline void conn_last(struct conn *c, bool last)
{
    c->last = last;
}

/* The next response is the last. An idle connection waits at most linger_ns for a last request. */
void conn_draining(struct conn *c, const struct now *now);

/*
 * Cuts the responses under way, in any step. Their exchanges must still be settled, but not before
 * the kernel has finished what is in flight.
 * When the fault is the server's (a file, memory), HALF_CLOSE and lingering follow. Without them,
 * closing with unread input would reset the connection, and the peer would lose responses that it
 * has not read yet (RFC 9112 §9.6). A call after HALF_CLOSE ends the lingering.
 */
void conn_failed(struct conn *c, enum close_reason why);

#endif
