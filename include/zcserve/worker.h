/*
 * One thread that serves. It owns a store, a slot of counters, and the work areas of its
 * connections. All models share what is here; each model decides itself who waits for which
 * connection, and when.
 */
#ifndef ZCSERVE_WORKER_H
#define ZCSERVE_WORKER_H

#include "zcserve/deadlines.h"
#include "zcserve/fetcher.h"
#include "zcserve/guard.h"
#include "zcserve/residency.h"
#include "zcserve/service.h"
#include "zcserve/slab.h"

struct worker {
    uint32_t index;
    const struct conn_rules *rules; /* shared by all workers */
    const struct service *front;    /* where proxies may name their clients; NULL: nowhere     */
    struct store *store;
    struct stats_slot *stats;
    struct access_log *log; /* NULL: no access log                                  */
    struct slab works;      /* work areas, one for each connection that is not idle */
    struct request_ids ids; /* of its requests, where they have any                 */
    struct now now;
    bool store_is_current;   /* the store was refreshed since bytes were last received    */
    struct fetcher *fetcher; /* of an event loop, which never waits for a disk; else NULL */
    struct errand *product;  /* without a fetcher: is made after the response; NULL: none     */
    struct guard *guard;     /* NULL: no rule asks for users                                  */
    struct residency residency;
    struct deadlines deadlines; /* of an event loop's clients */
    struct store_counts reported;
    struct quotas *quotas;   /* NULL: no limits of addresses                                  */
    bool limits_requests;    /* of an address: quota.h                                         */
    uint32_t fetches_of_one; /* fetches for one address, see service.h                        */
    bool paces;              /* responses keep to a bandwidth                                  */
    bool waits_for_disk;     /* although it has a fetcher: service.h                        */
    bool draining;           /* each response is the last of its connection                     */
    uint64_t woke_ns;        /* event loop: when it learned that there is work                  */
    uint64_t queued_ns;      /* thread pool: how long the connection had waited for this thread */
};

/* Returns 0, or -1 after it logged the reason. */
int worker_open(struct worker *worker, const struct service *service, uint32_t index);

/*
 * For an event loop: it does not wait for a disk from now on. It has at most `fetches` fetches at a
 * time. Returns 0, or -1 after it logged the reason.
 */
int worker_never_waits(struct worker *worker, uint32_t fetches);
void worker_close(struct worker *worker);

#define TURN_BYTES (UINT64_C(1024) * 1024) /* bytes of a file sent to one connection in a row */

/*
 * An event loop calls worker_waits() before it waits, and worker_woke() when it was woken by this
 * number of events. The time from waking to the next wait is a turn, which is measured. Bytes that
 * are received in a turn count as waiting since it began.
 */
void worker_waits(struct worker *worker);
void worker_woke(struct worker *worker, uint64_t events);

/* Whether it waits for the disk itself. */
static inline bool worker_is_patient(const struct worker *worker)
{
    return !worker->fetcher || worker->waits_for_disk;
}

/* Bytes were received: the next lookup refreshes the store first. */
static inline void worker_received(struct worker *worker)
{
    worker->store_is_current = false;
}

/*
 * Returns a descriptor that is readable when files have changed, or -1. Then worker_changed() must
 * be called, only so that the kernel's queue does not overflow while no request comes.
 */
int worker_watch_fd(const struct worker *worker);
void worker_changed(struct worker *worker);

/* A connection and its socket. The model owns both. */
struct client {
    struct conn conn;
    struct wait wait;          /* for the disk                                        */
    struct stream *parked;     /* the stream whose lookup waits; NULL: none does      */
    struct deadline deadline;  /* when an event loop looks at it, at the latest       */
    uint8_t state;             /* enum connection_state, as counted                   */
    uint32_t front : 2;        /* enum front: src/worker/front.h                      */
    uint32_t charged : 1;      /* the request that asks was counted for its address   */
    uint32_t hold : HOLD_BITS; /* what its limits remember of it, or HOLD_NONE       */
    int fd;
    uint32_t
        untaken; /* bytes that the peer had not acknowledged at the last look, and those sent */
                 /* since; UINT32_MAX: no look since the connection was at rest               */
    struct sockaddr_in6 peer; /* an IPv6 or IPv4 address, or only a family. It may be the one */
                              /* that a trusted proxy names in a header of the PROXY protocol */
};

/* `fd` was accepted. `peer` may be NULL: then the socket is asked, if somebody wants to know it. */
void client_open(struct client *client, struct worker *worker, int fd,
                 const struct sockaddr_storage *peer);

/*
 * client_peer_tell() tells the core who the peer is, if rules ask for that.
 */
void client_peer_tell(struct client *client, const struct worker *worker);

/*
 * The address of the client is known: `peer`. Counts the connection for it, and no longer for an address
 * that was known before. When the address has too many connections, this one fails, and is to be driven to
 * its end. client_open() calls it, and front.c when a PROXY header names another address.
 */
void client_address_known(struct client *client, struct worker *worker);

/*
 * client_lend_work() lends the connection a work area if it has none. client_rest() counts the
 * state of a connection that waits for bytes, and takes the work area back when it is idle.
 */
void client_lend_work(struct client *client, struct worker *worker);
void client_rest(struct client *client, struct worker *worker);

/* The connection waits for something other than bytes to receive: counts it in this state. */
void client_waits(struct client *client, struct worker *worker, enum connection_state state);

/*
 * To be called once a second, or when the deadline has passed. Returns whether conn_expired() must be
 * called.
 * A slow reader is not late: its socket gets room for more bytes only in large steps. So before a
 * response is given up, this checks whether the peer took any of the bytes that were sent before.
 */
bool client_is_late(struct client *client, struct worker *worker);

/*
 * For an event loop, at each tick: returns the next client that is late, or PACED and its pause is over; NULL
 * when none is left.
 */
struct client *clients_late(struct worker *worker);

/* HALF_CLOSE: shuts down the sending side. */
void client_half_close(struct client *client, struct worker *worker);

/* CLOSE: closes the socket and counts the reason. */
void client_close(struct client *client, struct worker *worker);

/*
 * The server is stopping: each response is the last of its connection, and idle connections wait
 * for at most one more request. The objects in `clients` begin with a struct client.
 */
void clients_drain(const struct slab *clients, struct worker *worker);

/* Takes all steps that need no socket, RESOLVE and SETTLE. Returns the step after them. */
enum conn_step worker_advance(struct worker *worker, struct client *client);

/*
 * For an event loop, when a connection waits to be accepted but there is no place or descriptor.
 * Returns the connection that makes room: one without a request under way, from which nothing came
 * for a moment; NULL when none was found.
 * The objects in `clients` begin with a struct client. Only a limited number is checked: *hand (0
 * at first) remembers where to go on. may_go() says whether the model could close a connection now.
 */
struct client *crowd_choose(const struct slab *clients, uint32_t *hand, const struct worker *worker,
                            bool (*may_go)(const struct client *));

/* Ends a connection to make room, and counts it. The caller drives it to its end. */
void crowd_leave(struct client *client, struct worker *worker);

/* Accepting is paused: counts this, and logs it the first time. */
void accept_paused(struct stats_slot *stats, const char *why);

/*
 * To be called every TICK_NS: counts what the store did, logs its notices, and sends log lines that
 * have waited. Returns true when it must be called again even if nothing else happens.
 */
bool worker_tick(struct worker *worker);

/*
 * What a connection waits for. WANT_DISK: for the end of client_fetch(). WANT_TIME: for the end of its pause;
 * clients_late() returns it then.
 */
enum drive { DRIVE_WANT_READ, DRIVE_WANT_WRITE, DRIVE_WANT_DISK, DRIVE_WANT_TIME, DRIVE_DONE };

/*
 * WANT_DISK: fetches the bytes that come next, unless a fetch is under way. When it is over,
 * fetcher_next() returns the client's wait; then call client_fetched() and drive the client again.
 */
bool client_fetch(struct client *client, struct worker *worker); /* false: it failed, drive it on */
void client_fetched(struct client *client, struct worker *worker);

/* SEND: the model itself fetched the bytes that come next. */
void client_range_fetched(struct client *client, struct worker *worker);

/* Returns the client of a wait that fetcher_next() returned. */
static inline struct client *client_of(struct wait *wait)
{
    return (struct client *)(void *)((char *)wait - offsetof(struct client, wait));
}

/*
 * Receives once and tells the connection. Returns false when nothing was there yet (-EAGAIN), and
 * true when drive() has something to do: there are bytes, the peer finished, or receiving failed.
 */
bool drive_receive(struct worker *worker, struct client *client);

/* RECEIVE: the model itself put bytes into conn_receive_space(). 0 bytes: the peer finished. */
void drive_received(struct worker *worker, struct client *client, size_t length);

/*
 * SEND: shortens `out` to what can be sent without waiting for the disk. Returns false, and leaves
 * `out` as it is, when that is nothing.
 * Always returns true for memory, for a worker that may wait, and once after each fetch.
 */
bool drive_may_send(struct worker *worker, struct client *client, struct outgoing *out);

/*
 * SEND, when `paces`: shortens `out` to what the bandwidth allows. Returns false when that is nothing: then the
 * client is PACED until client_pause_end().
 */
bool client_may_send(struct client *client, struct worker *worker, struct outgoing *out);
uint64_t client_pause_end(const struct client *client, const struct worker *worker);

/*
 * SEND: sends from `out` once, but of a file at most *budget bytes. Bytes of a file reduce *budget.
 * Returns false when the socket has no room now, and true when all bytes were taken or the
 * connection failed.
 */
bool drive_send(struct worker *worker, struct client *client, const struct outgoing *out,
                uint64_t *budget);

/* SEND: the model itself sent `result` bytes, or failed with -errno. */
void drive_sent(struct worker *worker, struct client *client, ssize_t result, bool from_file);

/*
 * Takes all steps until the socket has to be waited for. Returns WANT_WRITE also after `budget`
 * bytes, so that one large response does not keep other connections waiting.
 */
enum drive drive(struct worker *worker, struct client *client, uint64_t budget);

/* ---- one connection at a time, with calls that wait ------------------------------------------ */

/* What a worker of one connection must know about the others; later values are more urgent. */
enum pressure {
    PRESSURE_NONE,
    PRESSURE_CROWDED,  /* connections wait, and no worker is idle */
    PRESSURE_DRAINING, /* the server is stopping                  */
    PRESSURE_STOPPING  /* the server stops at once                */
};

struct served {
    struct client client;
    uint64_t opened_ns;
    bool quiet;   /* no byte came for a whole tick */
    bool pressed; /* it ends because others wait   */
};

#define SERVE_TURN_NS (250 * NS_PER_MS) /* of a connection while others wait */

/* `fd` was accepted and is blocking. `served` owns it, until serve() closes it and returns true. */
void serve_open(struct served *served, struct worker *worker, int fd,
                const struct sockaddr_storage *peer);

/*
 * Serves for about a tick (TICK_NS), and waits in recv and send. Returns true when the connection
 * has ended and is closed. Returns false when the caller has to look at the pressure and to call
 * again.
 *
 * While others wait (CROWDED), a connection that had its turn gets "Connection: close" with its
 * next response. A connection without a request under way is closed: a kept one after a tick
 * without bytes, a new one after a turn. No response is cut, and without pressure no connection is
 * closed.
 */
bool serve(struct worker *worker, struct served *served, enum pressure pressure);

#endif
