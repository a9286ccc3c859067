/*
 * A few threads that wait for the disk, so that an event loop never does. They run errands for
 * connections. After an errand the bytes are in the kernel's caches, and the loop goes on as if
 * they had always been there. Errands with a product make something for the cache. The threads
 * start with the first errand.
 */
#ifndef ZCSERVE_FETCHER_H
#define ZCSERVE_FETCHER_H

#include <stdbool.h>
#include <stdint.h>

struct errand;
struct fetch;
struct fetcher;
struct store;

#define FETCH_RANGE_BYTES (UINT64_C(512) * 1024) /* bytes of a file that are fetched at a time */

/* What a request knows of the disk. */
enum disk {
    DISK_IDLE,    /* it waits for nothing                                              */
    DISK_AWAITED, /* it waits for an errand                                            */
    DISK_CROWDED, /* it waits for a place, or for time to pass                         */
    DISK_SHARED,  /* it waits because its address has its share of the places          */
    DISK_FETCHED  /* it was read from the disk: the next try may wait for the disk too */
};

/* Part of the object that waits. Zeroed at first. Others than the fetcher use only `disk`. */
struct wait {
    struct fetch *fetch; /* what it waits for; NULL when that is over */
    struct wait *next;   /* the next wait in the same list            */
    enum disk disk;
    uint32_t who; /* whoever waits sets it: its address, see quota_who(); 0: not known */
};

static inline bool wait_goes_on(const struct wait *wait)
{
    return wait->disk == DISK_AWAITED || wait->disk == DISK_CROWDED || wait->disk == DISK_SHARED;
}

/*
 * Opens a fetcher for any number of waits. It has at most `places` errands at a time, each with a
 * descriptor. An errand without a place is not run: its wait becomes IDLE when a place is free, and
 * the request must ask again. `store` takes the products of errands (store_adopt()), and must outlive
 * the fetcher. Returns NULL with errno set.
 *
 * One address (wait.who) has at most `of_one` of the places, 0: half of them. And the threads take errands
 * of different addresses in turn. So whoever asks for many cold files does not keep all others waiting.
 * Addresses are told apart by some bits only: two of them may share a share.
 */
struct fetcher *fetcher_open(uint32_t places, uint32_t of_one, struct store *store);

/* Waits for the errands that are running. No wait may be under way. */
void fetcher_close(struct fetcher *fetcher);

/* Returns a descriptor that is readable when fetcher_next() would return a wait. */
int fetcher_fd(const struct fetcher *fetcher);

/*
 * Begins a wait for `errand` (store.h), and owns the errand from now on. When the same path is
 * being fetched already, waits for that fetch; when there is no place, waits for a place. Returns
 * false when no thread can be started.
 */
bool fetcher_run(struct fetcher *fetcher, struct wait *wait, struct errand *errand);

/*
 * Begins an errand with a product, for which nobody waits, and owns it from now on. It is not run
 * when there is no place or no thread.
 */
void fetcher_make(struct fetcher *fetcher, struct errand *errand);

/* Waits for nothing but time: the wait is over after fetcher_tick(). */
void fetcher_wait(struct fetcher *fetcher, struct wait *wait);

/* Ends waits for a place or for time, as many as there are free places. */
void fetcher_tick(struct fetcher *fetcher);

/* Ends the wait at once: it becomes IDLE. The errand itself goes on. */
void fetcher_forget(struct fetcher *fetcher, struct wait *wait);

/*
 * Returns a wait that is over: FETCHED, or IDLE when it was CROWDED or SHARED. NULL when there is none.
 * Before that, the store takes the products of all errands that are done.
 */
struct wait *fetcher_next(struct fetcher *fetcher);

#endif
