/*
 * A few threads that wait for the disk, so that an event loop never does: they run the errands of
 * connections, and when what was asked for has come into the kernel's caches the loop goes on as if it had
 * always been there. The threads start with the first errand.
 */
#ifndef ZCSERVE_FETCHER_H
#define ZCSERVE_FETCHER_H

#include <stdbool.h>
#include <stdint.h>

struct errand;
struct fetch;
struct fetcher;

#define FETCH_RANGE_BYTES (UINT64_C(512) * 1024) /* of a file, fetched at a time */

/* How a request stands with the disk. */
enum disk {
    DISK_IDLE,    /* it waits for nothing                                           */
    DISK_AWAITED, /* it waits for an errand                                         */
    DISK_CROWDED, /* it waits for a place, or for a moment to pass                  */
    DISK_FETCHED  /* it was read from the disk: it is tried again, and may wait     */
};

/* Part of whoever waits. Zeroed at first; all but `disk` is the fetcher's. */
struct wait {
    struct fetch *fetch; /* what it waits for; NULL once that is over     */
    struct wait *next;   /* in the list of those that wait for the same   */
    enum disk disk;
};

static inline bool wait_goes_on(const struct wait *wait)
{
    return wait->disk == DISK_AWAITED || wait->disk == DISK_CROWDED;
}

/*
 * A fetcher for any number of waits. It holds up to `places` errands at a time, each with a descriptor; one for
 * which there is no place waits for one, and comes out IDLE: nothing was fetched for it, and it is to ask
 * again. NULL with errno set.
 */
struct fetcher *fetcher_open(uint32_t places);

/* Waits for the errands under way; nobody may be waiting any more. */
void fetcher_close(struct fetcher *fetcher);

/* A descriptor that is readable when fetcher_next() has somebody to give. */
int fetcher_fd(const struct fetcher *fetcher);

/*
 * Waits for `errand` (store.h), which is taken over; when the same path is being fetched already,
 * for that. False when no thread can be started.
 */
bool fetcher_run(struct fetcher *fetcher, struct wait *wait, struct errand *errand);

/* Waits for nothing but that time passes: it comes out after fetcher_tick(). */
void fetcher_wait(struct fetcher *fetcher, struct wait *wait);

/* Lets those go who wait for a place and for time to pass, as many as there are places. */
void fetcher_tick(struct fetcher *fetcher);

/* Waits no longer, and is IDLE; the errand itself goes on. */
void fetcher_forget(struct fetcher *fetcher, struct wait *wait);

/* One whose wait is over: FETCHED, or IDLE when it was crowded. NULL when there is none. */
struct wait *fetcher_next(struct fetcher *fetcher);

#endif
