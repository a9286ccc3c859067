/*
 * One thread of control: it owns one store, one counters' slot, and the work areas of the
 * connections it drives. What the models share is here; who waits for what, and when, is theirs.
 */
#ifndef ZCSERVE_WORKER_H
#define ZCSERVE_WORKER_H

#include "zcserve/service.h"
#include "zcserve/slab.h"

struct worker {
    uint32_t index;
    struct conn_rules rules; /* its own, for `draining` */
    struct store *store;
    struct stats_slot *stats;
    struct access_log *log; /* or NULL */
    struct slab works;      /* work areas, one for each connection that is not idle */
    struct now now;
    bool store_is_current;  /* refreshed since bytes were last received */
    struct store_counts reported;
};

/* 0, or -1 after the reason was logged. */
int worker_open(struct worker *worker, const struct service *service, uint32_t index);
void worker_close(struct worker *worker);

#define TICK_NS (NS_PER_SECOND / 10) /* how often an event loop looks at deadlines…    */
#define SWEEP_TICKS 10               /* …each time those of one part in so many       */

/* A connection and the socket it lives on. The model owns both. */
struct client {
    struct conn conn;
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

/* Accepting stops for a while: counted, and said the first time. */
void worker_accept_paused(struct worker *worker, const char *why);

/*
 * To be called every TICK_NS: counts what the store did, logs what it has to say, sends log lines that
 * have waited. True when it must be called again although nothing else happens.
 */
bool worker_tick(struct worker *worker);

/* What a driver of the connection has to wait for. */
enum drive { DRIVE_WANT_READ, DRIVE_WANT_WRITE, DRIVE_DONE };

/*
 * Receives once and tells the connection. False when there was nothing yet (-EAGAIN); true when
 * drive() has something to do: bytes, the peer's end, or a failure.
 */
bool drive_receive(struct worker *worker, struct client *client);

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

#endif
