/*
 * Answers lookups. A hit is answered from the entry, once it is sure that it still holds; all else
 * is search.c's. Asked at once, neither may wait for the disk.
 */
#include "search.h"

#include <assert.h>
#include <errno.h>

#define FORGOTTEN_NS NS_PER_SECOND /* until then the kernel surely still knows a name    */

static uint64_t age_ns(const struct entry *entry, const struct now *now)
{
    return now->monotonic_ns - entry->compared_ns;
}

static bool is_ripe(const struct entry *entry, const struct now *now)
{
    return now->monotonic_ns >= entry->ripe_ns;
}

static bool is_due(const struct store *store, const struct entry *entry, const struct now *now)
{
    return age_ns(entry, now) >= (entry->watched ? store->options.recheck_ns : 0) ||
           is_ripe(entry, now);
}

/* As file_compare(). What was compared a moment ago is not asked about at once: that costs more. */
static int compare(struct store *store, struct entry *entry, const struct now *now)
{
    if (entry->kind != RESOLUTION_FOUND) return -ESTALE;
    struct place place = store->place;
    place.beneath.at_once &= age_ns(entry, now) > FORGOTTEN_NS;
    int result = file_compare(&place, &entry->file);
    if (result == -EINPROGRESS) return result;
    store->counts.rechecks++;
    entry->compared_ns = now->monotonic_ns;
    return result;
}

static void drop(struct store *store, struct entry *entry)
{
    cache_drop(&store->cache, entry);
    store->counts.invalidations++;
}

/* *entry is one that still holds, or NULL. False when that cannot be told at once. */
static bool find_current(struct store *store, struct text path, const struct now *now,
                         struct entry **entry)
{
    *entry = cache_find(&store->cache, path);
    if (*entry == NULL || !is_due(store, *entry, now)) return true;
    int result = compare(store, *entry, now);
    if (result == -EINPROGRESS) return false;
    if (result == 0) return true;
    drop(store, *entry);
    *entry = NULL;
    return true;
}

/* What can be lent at once; NULL when something has to be read first. */
static struct variant *loaded(const struct entry *entry, const struct accepted *accepted)
{
    enum coding coding = file_choose(&entry->file, accepted);
    return coding == CODING_COUNT ? NULL : entry->variants[coding];
}

/* False when the entry cannot answer without the disk. */
static bool resolve_from_entry(struct store *store, struct entry *entry,
                               const struct lookup *lookup, struct resolution *resolution)
{
    if (entry->kind != RESOLUTION_FOUND) {
        entry->seat.visited = true;
        *resolution = (struct resolution){.kind = entry->kind};
    } else {
        struct variant *variant = loaded(entry, &lookup->accepted);
        if (variant == NULL) return false;
        variant->seat.visited = true;
        *resolution = variant_lend(variant);
    }
    store->counts.hits++;
    return true;
}

/* The short way, which most lookups go. False: try the long one. */
static inline bool resolve_from_memory(struct store *store, const struct lookup *lookup,
                                       const struct now *now, struct resolution *resolution)
{
    struct entry *entry = cache_find(&store->cache, lookup->path);
    return entry != NULL && !is_due(store, entry, now) &&
           resolve_from_entry(store, entry, lookup, resolution);
}

static struct resolution resolve_miss(struct store *store, struct entry *entry,
                                      const struct lookup *lookup, const struct now *now)
{
    struct resolution resolution;
    if (entry != NULL && search_from_entry(store, entry, lookup, now, &resolution)) {
        return resolution;
    }
    entry = cache_find(&store->cache, lookup->path); /* making room may have taken it */
    if (entry != NULL) drop(store, entry);
    return search_from_disk(store, lookup, now);
}

/* What may be different at the next try. */
static bool is_passing(enum resolution_kind kind)
{
    return kind == RESOLUTION_BUSY || kind == RESOLUTION_CROWDED || kind == RESOLUTION_BROKEN;
}

/*
 * What was found while its times proved nothing is made again once they do: then it has the validators that
 * were withheld. As long as that cannot be done, for want of descriptors say, what there is goes on to be lent:
 * it was compared a moment ago. False when it is not loaded, or is another file by now: then *entry is NULL.
 */
static bool renew(struct store *store, struct entry **entry, const struct lookup *lookup,
                  const struct now *now, struct resolution *resolution)
{
    struct variant *known = loaded(*entry, &lookup->accepted);
    if (known == NULL) return false;
    struct resolution before = variant_lend(known); /* so it is not evicted either */
    bool same = search_again(store, *entry, lookup, now, resolution);
    if (same && is_passing(resolution->kind)) {
        store->counts.hits++;
        *resolution = before;
        return true;
    }
    store_return(store, before.representation);
    store->counts.misses += same && resolution->kind != RESOLUTION_COLD;
    if (same) return true;
    drop(store, *entry);
    *entry = NULL;
    return false;
}

/* Compares what is due, and searches for what is not there. */
static struct resolution resolve(struct store *store, const struct lookup *lookup,
                                 const struct now *now)
{
    struct resolution resolution = {.kind = RESOLUTION_COLD};
    struct entry *entry;
    if (!find_current(store, lookup->path, now, &entry)) return resolution;
    if (entry != NULL && is_ripe(entry, now) && renew(store, &entry, lookup, now, &resolution))
        return resolution;
    if (entry != NULL && resolve_from_entry(store, entry, lookup, &resolution)) return resolution;
    resolution = resolve_miss(store, entry, lookup, now);
    store->counts.misses += resolution.kind != RESOLUTION_COLD;
    return resolution;
}

/* Where there is no disk, what the kernel's cache does not know is looked for all the same. */
static struct resolution resolve_at_once(struct store *store, const struct lookup *lookup,
                                         const struct now *now)
{
    struct beneath *beneath = &store->place.beneath;
    beneath->at_once = beneath->may_ask;
    if (!beneath->may_ask) notices_raise(&store->notices, NOTICE_NO_CACHED);
    struct resolution resolution = resolve(store, lookup, now);
    bool cold = resolution.kind == RESOLUTION_COLD;
    bool in_memory = cold && beneath_is_in_memory(beneath, lookup->path);
    beneath->at_once = false;
    return in_memory ? resolve(store, lookup, now) : resolution;
}

struct resolution store_resolve(struct store *store, const struct lookup *lookup,
                                const struct now *now)
{
    struct resolution resolution;
    if (resolve_from_memory(store, lookup, now, &resolution)) return resolution;
    return resolve(store, lookup, now);
}

struct resolution store_resolve_at_once(struct store *store, const struct lookup *lookup,
                                        const struct now *now)
{
    struct resolution resolution;
    if (resolve_from_memory(store, lookup, now, &resolution)) return resolution;
    return resolve_at_once(store, lookup, now);
}

void store_return(struct store *store, const struct representation *lent)
{
    struct variant *variant = variant_of_representation(lent);
    assert(variant->seat.loans > 0);
    variant->seat.loans--;
    if (variant->seat.loans == 0 && variant->entry == NULL) {
        cache_discard(&store->cache, variant);
    }
}
