/*
 * How a request waits: its stream is parked, and the connection goes on when the fetcher says so.
 */
#ifndef ZCSERVE_WORKER_PARK_H
#define ZCSERVE_WORKER_PARK_H

#include "zcserve/worker.h"

/* RESOLVE: the client has begun to wait for an errand or a place (client->wait): parks its stream. */
void client_park(struct client *client, struct stream *s);

/*
 * RESOLVE: what the request needs is taken. In an event loop the connection waits while other
 * connections give it back, but not beyond `until_ns`; returns true then. A worker of one connection
 * has given nothing to others: it returns false.
 */
bool client_awaits_place(struct client *client, struct worker *w, struct stream *s,
                         uint64_t until_ns);

#endif
