/*
 * A few threads that wait for the disk, so that an event loop never does: they read what a
 * connection needs next, and when it has come into the kernel's caches the loop goes on as if it had
 * always been there. The threads start with the first thing to fetch.
 */
#ifndef ZCSERVE_FETCHER_H
#define ZCSERVE_FETCHER_H

#include "zcserve/lookup.h"

#include <stdbool.h>
#include <stdint.h>

struct client;
struct errand;
struct fetcher;

#define FETCH_RANGE_BYTES (UINT64_C(512) * 1024) /* of a file, fetched at a time */

/*
 * A fetcher for any number of clients, each of which waits for one thing at most. It holds up to `places`
 * fetches at a time, each with a descriptor; a client for which there is no place waits for one, and
 * comes out `crowded`: nothing was fetched for it, and it is to ask again. NULL with errno set.
 */
struct fetcher *fetcher_open(uint32_t places);

/* Waits for what is under way; nobody may be waiting any more. */
void fetcher_close(struct fetcher *fetcher);

/* A descriptor that is readable when fetcher_next() has somebody to give. */
int fetcher_fd(const struct fetcher *fetcher);

/*
 * `client` waits for `errand` (store.h), which this takes over; when the same path is being fetched
 * already it waits for that. False when no thread can be started.
 */
bool fetcher_path(struct fetcher *fetcher, struct client *client, struct errand *errand);

/* `client` waits for a range of a file, which is read from a duplicate of `fd`. False: it cannot. */
bool fetcher_range(struct fetcher *fetcher, struct client *client, int fd, uint64_t offset,
                   uint64_t length);

/* `client` waits for nothing but that time passes: it comes out `crowded` after fetcher_tick(). */
void fetcher_wait(struct fetcher *fetcher, struct client *client);

/* Lets those go who wait for a place and for time to pass, as many as there are places. */
void fetcher_tick(struct fetcher *fetcher);

/* The client waits no longer; the fetch itself goes on. */
void fetcher_forget(struct fetcher *fetcher, struct client *client);

/* A client whose fetch is over, and which waits no longer; NULL when there is none. */
struct client *fetcher_next(struct fetcher *fetcher);

#endif
