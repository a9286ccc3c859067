/*
 * The cache: entries by path, within a budget of bytes, of descriptors and of absences.
 */
#ifndef ZCSERVE_STORE_CACHE_H
#define ZCSERVE_STORE_CACHE_H

#include "entry.h"
#include "sieve.h"
#include "zcserve/store.h"

/* What takes different scarce things waits in different queues. */
enum queue { QUEUE_MEMORY, QUEUE_DESCRIPTOR, QUEUE_ABSENT, QUEUE_COUNT };

struct cache {
    struct entry **table; /* chains by hash; its length never changes */
    uint64_t mask;
    uint64_t seed;
    struct sieve queues[QUEUE_COUNT];
    uint64_t seats_max[QUEUE_COUNT];
    uint64_t bytes_max;
    uint64_t descriptors_max;    /* of files, kept or lent */
    struct store_counts *counts; /* counts->bytes is what the budget is held against */
};

/* The budget is that of `options`; the table is charged to it. False when memory is short. */
bool cache_open(struct cache *cache, const struct store_options *options,
                struct store_counts *counts);
void cache_close(struct cache *cache);

/* The key of a path, which it borrows. */
struct key cache_key(const struct cache *cache, struct text path);

/* NULL when nothing is known of it. */
struct entry *cache_find(const struct cache *cache, const struct key *key);

/* Evicts until `bytes` more are within the budget; false when all that is left is lent. */
bool cache_make_room(struct cache *cache, uint64_t bytes);
/* The same for one more seat in a queue. */
bool cache_make_seat(struct cache *cache, enum queue queue);

/* Closes files until one more may be open; false when those that are open are all lent. */
bool cache_make_descriptor(struct cache *cache);

/* Takes the entry over. It must not be there yet; one that is absent takes a seat. */
void cache_add(struct cache *cache, struct entry *entry);

/* Charges a new variant to the budget, held by the cache or not. */
void cache_charge(struct cache *cache, const struct variant *variant);
/* Puts it into the entry and into its queue. */
void cache_seat(struct cache *cache, struct entry *entry, struct variant *variant);
enum queue cache_queue_of(const struct variant *variant);

/* Frees a variant that is neither held nor lent. */
void cache_discard(struct cache *cache, struct variant *variant);

/* Lets go of an entry and its variants; those lent live on until they come back. */
void cache_drop(struct cache *cache, struct entry *entry);
/* Lets go of all paths beneath `directory` ("" or "a/b/"), itself included; gives their number. */
uint64_t cache_drop_beneath(struct cache *cache, struct text directory);

#endif
