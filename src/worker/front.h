/*
 * What stands in front of the server: proxies, which say who their clients are.
 */
#ifndef ZCSERVE_WORKER_FRONT_H
#define ZCSERVE_WORKER_FRONT_H

#include "zcserve/worker.h"

/* What a client must send first. */
enum front {
    FRONT_NONE,     /* a request                                                              */
    FRONT_HEADER,   /* a header of the PROXY protocol                                         */
    FRONT_UNTRUSTED /* nothing: its address may not send such a header, so it will be closed  */
};

/* Returns whether workers of this service have to know the address of each connection at once. */
bool front_asks(const struct service *service);

/* The connection was just opened, and its peer is known: sets client->front, and whom it may name. */
void front_open(struct client *client, struct worker *worker);

/*
 * *length bytes came, and client->front is not NONE. After a whole header the peer is the one that
 * it names, and the bytes behind the header are those of the client. Returns whether conn_received() is
 * due, for *length bytes then.
 */
bool front_received(struct client *client, struct worker *worker, size_t *length);

/* Logs why a request was refused, at the level `debug`. */
void front_refused(const struct client *client, enum refusal why);

#endif
