/*
 * The limits of the client's address and connection, as the driver asks for them; see quota.h.
 */
#ifndef ZCSERVE_WORKER_LIMITED_H
#define ZCSERVE_WORKER_LIMITED_H

#include "zcserve/worker.h"

/* The connection ends: gives back what it holds. */
void client_address_forget(struct client *client, struct worker *w);

/* Logs, at most once a second of each kind, that the client met a limit. */
void client_tell(const struct client *client, struct worker *w, enum quota_kind kind);

/*
 * RESOLVE, when w->limits_requests: returns whether the request may be looked up. A request that asks
 * again is counted once: `charged` is cleared when its lookup is answered.
 */
bool client_may_ask(struct client *client, struct worker *w);

/* Runs an errand for the client, as fetcher_run() does, and counts it when its address has its share. */
bool client_run(struct client *client, struct worker *w, struct errand *errand);

/* SETTLE, when w->limits_requests: counts a request that was answered without a lookup. */
void client_charge(struct client *client, struct worker *w, const struct exchange *exchange);

/* After a send, when w->paces: the kernel took so many bytes. */
void client_has_sent(struct client *client, struct worker *w, uint64_t bytes);

#endif
