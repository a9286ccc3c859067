/*
 * One thread of control: it owns one store, one counters' slot, and the work areas of the
 * connections it drives. What the models share is here; who waits for what, and when, is theirs.
 */
#ifndef ZCSERVE_WORKER_H
#define ZCSERVE_WORKER_H

#include "zcserve/fetcher.h"
#include "zcserve/residency.h"
#include "zcserve/service.h"
#include "zcserve/slab.h"

struct worker {
    uint32_t index;
    const struct conn_rules *rules; /* of all workers */
    struct store *store;
    struct stats_slot *stats;
    struct access_log *log; /* or NULL */
    struct slab works;      /* work areas, one for each connection that is not idle */
    struct now now;
    bool store_is_current;   /* refreshed since bytes were last received */
    struct fetcher *fetcher; /* of an event loop, which never waits for a disk; else NULL */
    struct residency residency;
    struct store_counts reported;
    bool draining;      /* each response is its connection's last                        */
    uint64_t woke_ns;   /* of an event loop: when it learned that there is work           */
    uint64_t queued_ns; /* of one who waits for a peer: for so long it had waited for us */
};

/* 0, or -1 after the reason was logged. */
int worker_open(struct worker *worker, const struct service *service, uint32_t index);

/* For an event loop: from now on nothing here waits for a disk; so many fetches at a time. As worker_open(). */
int worker_never_waits(struct worker *worker, uint32_t fetches);
void worker_close(struct worker *worker);

#define TURN_BYTES (UINT64_C(1024) * 1024) /* of a file, sent to one connection in a row */
#define TICK_NS (NS_PER_SECOND / 10)       /* how often an event loop looks at deadlines…    */
#define SWEEP_TICKS 10                     /* …each time those of one part in so many       */

/*
 * For an event loop: about to wait for events; and woken by so many of them. Between the two lies a
 * turn, which is measured; what is received in it had waited since it began.
 */
void worker_waits(struct worker *worker);
void worker_woke(struct worker *worker, uint64_t events);

/* Bytes were received: what is asked for from now on is looked up as it is from now on. */
static inline void worker_received(struct worker *worker)
{
    worker->store_is_current = false;
}

/*
 * A descriptor that is readable when files have changed, or -1; then worker_changed() takes the changes in. Only so
 * that the kernel's queue does not overflow while nobody asks.
 */
int worker_watch_fd(const struct worker *worker);
void worker_changed(struct worker *worker);

/* A connection and the socket it lives on. The model owns both. */
struct client {
    struct conn conn;
    struct wait wait;      /* for the disk                                */
    struct stream *parked; /* which waits; NULL: what is to be sent waits */
    bool corked;           /* a file is being sent, in whole segments     */
    uint8_t state;         /* enum connection_state, as counted  */
    int fd;
    uint32_t untaken; /* bytes sent that the peer had not acknowledged when last looked at */
    struct sockaddr_in6 peer; /* or an IPv4 one, or only a family */
};

/* `fd` was accepted. `peer` may be NULL: then the socket is asked, when it is to be logged. */
void client_open(struct client *client, struct worker *worker, int fd,
                 const struct sockaddr_storage *peer);

/* Sees to it that the connection has a work area, and takes it back when it is idle. */
void client_lend_work(struct client *client, struct worker *worker);
void client_rest(struct client *client, struct worker *worker);

/* It waits for something else than to receive, and is counted so. */
void client_waits(struct client *client, struct worker *worker, enum connection_state state);

/*
 * To be asked at every sweep: has its deadline passed, so that conn_expired() is due? A slow reader is
 * not one that is gone: room to send more comes in large steps, so before an answer is given up it
 * is looked whether the peer took any of what was sent before.
 */
bool client_is_late(struct client *client, struct worker *worker);

/* HALF_CLOSE: shuts the sending side. */
void client_half_close(struct client *client, struct worker *worker);

/* CLOSE was reached: closes the socket and counts why. */
void client_close(struct client *client, struct worker *worker);

/*
 * The server is stopping: every answer is its connection's last, and the idle ones among `clients`,
 * whose objects begin with a struct client, wait for no more than one.
 */
void clients_drain(const struct slab *clients, struct worker *worker);

/*
 * Takes every step that needs no socket: RESOLVE and SETTLE. Gives the next one, which is none
 * of these.
 */
enum conn_step worker_advance(struct worker *worker, struct client *client);

/*
 * For an event loop, when somebody waits to be accepted and there is no place or no descriptor: which of
 * `clients`, whose objects begin with a struct client, makes room. One without a request under way, and quiet
 * for a moment; NULL when none of those looked at is. A bounded number is looked at: *hand remembers where
 * to go on (0 at first). may_go() tells which the model could close now.
 */
struct client *crowd_choose(const struct slab *clients, uint32_t *hand, const struct worker *worker,
                            bool (*may_go)(const struct client *));

/* It makes room: counted, and to be driven to its end. */
void crowd_leave(struct client *client, struct worker *worker);

/* Accepting stops for a while: counted, and said the first time. */
void accept_paused(struct stats_slot *stats, const char *why);

/*
 * To be called every TICK_NS: counts what the store did, logs what it has to say, sends log lines that
 * have waited. True when it must be called again although nothing else happens.
 */
bool worker_tick(struct worker *worker);

/* What a driver of the connection has to wait for. WANT_DISK: for client_fetch() to be over. */
enum drive { DRIVE_WANT_READ, DRIVE_WANT_WRITE, DRIVE_WANT_DISK, DRIVE_DONE };

/*
 * WANT_DISK: has what comes next fetched, unless that is under way already. The client's wait comes out of
 * fetcher_next() when it is over; then client_fetched() is told, and the client is driven on.
 */
bool client_fetch(struct client *client, struct worker *worker); /* false: failed, drive on */
void client_fetched(struct client *client, struct worker *worker);

/* SEND: somebody else fetched what comes next. */
void client_range_fetched(struct client *client, struct worker *worker);

/* Whose wait came out of fetcher_next(). */
static inline struct client *client_of(struct wait *wait)
{
    return (struct client *)(void *)((char *)wait - offsetof(struct client, wait));
}

/*
 * Receives once and tells the connection. False when there was nothing yet (-EAGAIN); true when
 * drive() has something to do: bytes, the peer's end, or a failure.
 */
bool drive_receive(struct worker *worker, struct client *client);

/* RECEIVE was done by somebody else: bytes are in conn_receive_space(), or 0: the peer finished. */
void drive_received(struct worker *worker, struct client *client, size_t length);

/*
 * SEND: shortens `out` to what can be sent without waiting for the disk; false when that is nothing (and
 * `out` is as it was).
 * Always true for memory, for a worker that may wait, and once after each fetch.
 */
bool drive_may_send(struct worker *worker, struct client *client, struct outgoing *out);

/*
 * SEND: sends from `out` once, of a file at most *budget bytes, by which *budget is less then.
 * False: the socket has to be waited for. True: all of it was taken, or the connection failed.
 */
bool drive_send(struct worker *worker, struct client *client, const struct outgoing *out,
                uint64_t *budget);

/* SEND was done by somebody else: `result` bytes, or -errno. */
void drive_sent(struct worker *worker, struct client *client, ssize_t result, bool from_file);

/*
 * Takes all steps until the socket would have to be waited for, or `budget` bytes were sent (so
 * that one large answer does not keep the others waiting): then WANT_WRITE.
 */
enum drive drive(struct worker *worker, struct client *client, uint64_t budget);

/* ---- one connection at a time, with calls that wait ------------------------------------------- */

/* What somebody who serves one connection must know of the others; the later, the more urgent. */
enum pressure {
    PRESSURE_NONE,
    PRESSURE_CROWDED,  /* connections wait, and nobody is idle to take them */
    PRESSURE_DRAINING, /* the server is stopping                            */
    PRESSURE_STOPPING  /* at once                                           */
};

struct served {
    struct client client;
    uint64_t opened_ns;
    bool quiet;   /* nothing came for a whole tick */
    bool pressed; /* was counted as `crowded`      */
};

#define SERVE_TURN_NS (250 * NS_PER_MS) /* of a connection while others wait */

/* `fd` was accepted and is blocking. It is owned, and closed before serve() says true. */
void serve_open(struct served *served, struct worker *worker, int fd,
                const struct sockaddr_storage *peer);

/*
 * Serves for about a tick (TICK_NS), waiting in recv and send. True: the connection has ended and is
 * closed. False: look at what goes on around, and call again with that.
 *
 * While others wait (CROWDED), who has had a turn gets "Connection: close" with the next answer, and a
 * connection without a request under way is closed: a kept one after a tick in which nothing came, a new
 * one after a turn. Nothing else is cut, and without others nobody is.
 */
bool serve(struct worker *worker, struct served *served, enum pressure pressure);

#endif
