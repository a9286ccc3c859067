/*
 * The cache: entries by tree and path, with limits for bytes, for descriptors and for absent paths.
 */
#ifndef ZCSERVE_STORE_CACHE_H
#define ZCSERVE_STORE_CACHE_H

#include "entry.h"
#include "sieve.h"
#include "zcserve/store.h"

/* One queue for each scarce resource. */
enum queue { QUEUE_MEMORY, QUEUE_DESCRIPTOR, QUEUE_ABSENT, QUEUE_COUNT };

struct cache {
    struct entry **table; /* chains by hash; its length never changes */
    uint64_t mask;
    uint64_t seed;
    struct sieve queues[QUEUE_COUNT];
    uint64_t seats_max[QUEUE_COUNT];
    uint64_t bytes_max;
    uint64_t descriptors_max;    /* of files, kept or lent                    */
    struct store_counts *counts; /* counts->bytes is compared with the budget */
};

/*
 * Opens a cache with the limits of `options`. The table is charged to the budget. Returns false
 * when there is no memory.
 */
bool cache_open(struct cache *cache, const struct store_options *options,
                struct store_counts *counts);
void cache_close(struct cache *cache);

/* Returns the key of a path in a tree. It borrows the path. */
struct key cache_key(const struct cache *cache, uint16_t tree, struct text path);

/* Returns NULL when nothing is known of the path. */
struct entry *cache_find(const struct cache *cache, const struct key *key);

/* Evicts until `bytes` more fit the budget. Returns false when all that is left is lent. */
bool cache_make_room(struct cache *cache, uint64_t bytes);
/* Evicts until a queue has room for one more seat. Returns false as above. */
bool cache_make_seat(struct cache *cache, enum queue queue);

/* Closes files until one more may be open. Returns false when all open files are lent. */
bool cache_make_descriptor(struct cache *cache);

/*
 * Adds an entry, which the cache owns from now on. Its key must not be in the cache yet. An entry
 * without a file takes a seat.
 */
void cache_add(struct cache *cache, struct entry *entry);

/* Charges a new variant to the budget, whether the cache holds it or not. */
void cache_charge(struct cache *cache, const struct variant *variant);
/* Puts the variant into the entry and into its queue. */
void cache_seat(struct cache *cache, struct entry *entry, struct variant *variant);
enum queue cache_queue_of(const struct variant *variant);

/* Frees a variant that is neither held nor lent. */
void cache_discard(struct cache *cache, struct variant *variant);

/* Removes an entry and its variants. Those that are lent live until they are returned. */
void cache_drop(struct cache *cache, struct entry *entry);
/*
 * Removes all paths of `tree` beneath `directory` ("" or "a/b/"), itself included. Returns their
 * number.
 */
uint64_t cache_drop_beneath(struct cache *cache, uint16_t tree, struct text directory);
/* Removes all paths of all trees. Returns their number. */
uint64_t cache_drop_all(struct cache *cache);

#endif
