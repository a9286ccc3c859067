/*
 * Holds entries and evicts them. A hit costs a hash, a comparison and setting a bit.
 *
 * The hash table is made here: its length depends on the budget and never changes. So its bytes are
 * counted exactly, and no insertion waits for a table to grow. The hash has a random seed, so that
 * nobody can choose paths that get into the same chain.
 *
 * An evicted variant that is lent is freed when it is returned. Until then its bytes are counted.
 */
#include "cache.h"
#include "account.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#define TABLE_SHARE 2048 /* bytes of budget for each chain: about one small file */
#define TABLE_MIN 64
#define TABLE_MAX (UINT64_C(1) << 22)

static uint64_t table_length(uint64_t bytes_max)
{
    uint64_t length = TABLE_MIN;
    while (length < TABLE_MAX && length * TABLE_SHARE * 2 <= bytes_max)
        length *= 2;
    return length;
}

static size_t table_bytes(const struct cache *cache)
{
    return account_bytes((size_t)(cache->mask + 1) * sizeof(struct entry *));
}

static uint64_t descriptors_max(const struct store_options *options)
{
    if (options->descriptors_lent_max == 0) return UINT64_MAX;
    return (uint64_t)options->descriptors_max + options->descriptors_lent_max;
}

bool cache_open(struct cache *cache, const struct store_options *options,
                struct store_counts *counts)
{
    uint64_t length = table_length(options->memory_bytes_max);
    *cache = (struct cache){
        .table = calloc(length, sizeof(struct entry *)),
        .mask = length - 1,
        .seats_max = {UINT64_MAX, options->descriptors_max, options->absent_max},
        .bytes_max = options->memory_bytes_max,
        .descriptors_max = descriptors_max(options),
        .counts = counts,
    };
    if (!cache->table) return false;
    /* Without randomness a hostile client may choose paths that collide, within limits. */
    if (getrandom(&cache->seed, sizeof(cache->seed), GRND_NONBLOCK) < 0) cache->seed = 0;
    counts->bytes += table_bytes(cache);
    return true;
}

void cache_close(struct cache *cache)
{
    cache_drop_all(cache);
    cache->counts->bytes -= table_bytes(cache);
    free(cache->table);
}

struct key cache_key(const struct cache *cache, uint16_t tree, struct text path)
{
    return key_make(cache->seed, tree, path);
}

struct entry *cache_find(const struct cache *cache, const struct key *key)
{
    struct entry *entry = cache->table[key->hash & cache->mask];
    while (entry && !key_equals(&entry->key, key))
        entry = entry->next;
    return entry;
}

static void table_remove(struct cache *cache, struct entry *entry)
{
    struct entry **link = &cache->table[entry->key.hash & cache->mask];
    while (*link != entry) {
        assert(*link);
        link = &(*link)->next;
    }
    *link = entry->next;
}

enum queue cache_queue_of(const struct variant *variant)
{
    return variant->representation.fd >= 0 ? QUEUE_DESCRIPTOR : QUEUE_MEMORY;
}

void cache_charge(struct cache *cache, const struct variant *variant)
{
    cache->counts->bytes += variant->bytes;
    cache->counts->descriptors += cache_queue_of(variant) == QUEUE_DESCRIPTOR;
}

void cache_discard(struct cache *cache, struct variant *variant)
{
    assert(!variant->entry);
    cache->counts->bytes -= variant->bytes;
    cache->counts->descriptors -= cache_queue_of(variant) == QUEUE_DESCRIPTOR;
    variant_free(variant);
}

void cache_seat(struct cache *cache, struct entry *entry, struct variant *variant)
{
    enum coding coding = variant->coding;
    assert(entry->kind == RESOLUTION_FOUND && !entry->variants[coding]);
    entry->variants[coding] = variant;
    variant->entry = entry;
    sieve_add(&cache->queues[cache_queue_of(variant)], &variant->seat);
}

static void unseat(struct cache *cache, struct variant *variant)
{
    sieve_remove(&cache->queues[cache_queue_of(variant)], &variant->seat);
    variant->entry->variants[variant->coding] = NULL;
    variant->entry = NULL;
    if (variant->seat.loans == 0) cache_discard(cache, variant);
}

void cache_add(struct cache *cache, struct entry *entry)
{
    struct entry **head = &cache->table[entry->key.hash & cache->mask];
    entry->next = *head;
    *head = entry;
    cache->counts->bytes += entry->bytes;
    cache->counts->entries++;
    if (entry->kind != RESOLUTION_FOUND) sieve_add(&cache->queues[QUEUE_ABSENT], &entry->seat);
}

void cache_drop(struct cache *cache, struct entry *entry)
{
    table_remove(cache, entry);
    for (enum coding coding = CODING_IDENTITY; coding < CODING_COUNT; coding++)
        if (entry->variants[coding]) unseat(cache, entry->variants[coding]);
    if (entry->kind != RESOLUTION_FOUND) sieve_remove(&cache->queues[QUEUE_ABSENT], &entry->seat);
    cache->counts->bytes -= entry->bytes;
    cache->counts->entries--;
    entry_free(entry);
}

uint64_t cache_drop_beneath(struct cache *cache, uint16_t tree, struct text directory)
{
    uint64_t dropped = 0;
    for (uint64_t i = 0; i <= cache->mask && cache->counts->entries > 0; i++) {
        struct entry *next;
        for (struct entry *entry = cache->table[i]; entry; entry = next) {
            next = entry->next;
            const struct key *key = &entry->key;
            if (key->tree != tree || !path_is_beneath(key->path, directory)) continue;
            cache_drop(cache, entry);
            dropped++;
        }
    }
    return dropped;
}

uint64_t cache_drop_all(struct cache *cache)
{
    uint64_t dropped = cache->counts->entries;
    for (uint64_t i = 0; i <= cache->mask && cache->counts->entries > 0; i++)
        while (cache->table[i])
            cache_drop(cache, cache->table[i]);
    return dropped;
}

/* Evicts one seat. An entry goes with the last of its variants. */
static bool evict(struct cache *cache, enum queue queue)
{
    struct seat *seat = sieve_victim(&cache->queues[queue]);
    if (!seat) return false;
    struct entry *entry = NULL;
    if (queue == QUEUE_ABSENT) {
        entry = entry_of_seat(seat);
    } else {
        struct variant *variant = variant_of_seat(seat);
        entry = variant->entry;
        unseat(cache, variant);
    }
    if (!entry_has_variant(entry)) cache_drop(cache, entry);
    cache->counts->evictions++;
    return true;
}

bool cache_make_room(struct cache *cache, uint64_t bytes)
{
    if (bytes > cache->bytes_max) return false;
    while (cache->counts->bytes > cache->bytes_max - bytes)
        if (!evict(cache, QUEUE_MEMORY) && !evict(cache, QUEUE_DESCRIPTOR) &&
            !evict(cache, QUEUE_ABSENT))
            return false;
    return true;
}

bool cache_make_seat(struct cache *cache, enum queue queue)
{
    if (cache->seats_max[queue] == 0) return false;
    while (cache->queues[queue].count >= cache->seats_max[queue])
        if (!evict(cache, queue)) return false;
    return true;
}

bool cache_make_descriptor(struct cache *cache)
{
    while (cache->counts->descriptors >= cache->descriptors_max)
        if (!evict(cache, QUEUE_DESCRIPTOR)) return false;
    return true;
}
