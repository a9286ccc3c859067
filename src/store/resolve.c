/*
 * Answers lookups. A hit is answered from its entry, after it was checked that the entry still
 * holds. search.c does the rest. With AT_ONCE neither may wait for the disk.
 */
#include "compressible.h"
#include "listed.h"
#include "search.h"

#include <assert.h>
#include <errno.h>

#define FORGOTTEN_NS NS_PER_SECOND /* for so long the kernel certainly remembers a name */

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

/*
 * As file_compare(). The names of a file that was compared a moment ago are in the kernel's cache,
 * so it is compared in the way that may wait, which costs less.
 */
static int compare(const struct question *q, struct entry *entry)
{
    if (entry->kind != RESOLUTION_FOUND) return -ESTALE;
    struct place place = q->place;
    place.beneath.at_once &= age_ns(entry, q->now) > FORGOTTEN_NS;
    int result = file_compare(&place, &entry->file);
    if (result == -EINPROGRESS) return result;
    q->store->counts.rechecks++;
    entry->compared_ns = q->now->monotonic_ns;
    return result;
}

static void drop(struct store *store, struct entry *entry)
{
    cache_drop(&store->cache, entry);
    store->counts.invalidations++;
}

/*
 * Compares an entry that is due. Sets *entry to NULL, and drops it, when it does not hold any more.
 * Returns false when the comparison would have to wait.
 */
static bool hold_against_disk(const struct question *q, struct entry **entry)
{
    if (!*entry || !is_due(q->store, *entry, q->now)) return true;
    int result = compare(q, *entry);
    if (result == -EINPROGRESS) return false;
    if (result == 0) return true;
    drop(q->store, *entry);
    *entry = NULL;
    return true;
}

/* Returns what can be lent at once; NULL when something must be read first. */
static struct variant *loaded(const struct entry *entry, const struct accepted *accepted)
{
    enum coding coding = file_choose(&entry->file, accepted);
    if (entry->file.makeable) coding = compressible_choose(entry, accepted, coding);
    return coding == CODING_COUNT ? NULL : entry->variants[coding];
}

/* Returns false when the entry cannot answer without the disk. */
static bool resolve_from_entry(struct store *store, struct entry *entry,
                               const struct lookup *lookup, struct resolution *resolution)
{
    if (entry->kind != RESOLUTION_FOUND) {
        entry->seat.visited = true;
        *resolution = (struct resolution){.kind = entry->kind, .bare = entry->bare};
    } else {
        struct variant *variant = loaded(entry, &lookup->accepted);
        if (!variant) return false;
        variant->seat.visited = true;
        *resolution = variant_lend(variant);
        if (entry->file.makeable)
            resolution->improvable =
                compressible_wanted(&store_tree(store, lookup)->place.options->compress, entry,
                                    &lookup->accepted) != CODING_COUNT;
    }
    store->counts.hits++;
    return true;
}

/* Answers from the disk. If there is an entry, its file is known but not loaded in this coding. */
static struct resolution resolve_miss(const struct question *q, struct entry *entry)
{
    struct resolution resolution;
    if (!entry) return search_from_disk(q);
    if (search_from_entry(q, entry, &resolution)) return resolution;
    entry = cache_find(&q->store->cache, &q->key); /* making room may have evicted it */
    if (entry) drop(q->store, entry);
    return search_from_disk(q);
}

/* Returns whether the next try may have another result. */
static bool is_passing(enum resolution_kind kind)
{
    return kind == RESOLUTION_BUSY || kind == RESOLUTION_CROWDED || kind == RESOLUTION_BROKEN;
}

/*
 * Makes an entry again when the times of its file are old enough for the validators that it did not
 * get before. If this fails for now, for example without descriptors, the old representation is
 * lent: it was compared a moment ago. Returns false when it is not loaded, or when it is another
 * file now; then *entry is NULL.
 */
static bool renew(const struct question *q, struct entry **entry, struct resolution *resolution)
{
    struct store_counts *counts = &q->store->counts;
    struct variant *known = loaded(*entry, &q->lookup->accepted);
    if (!known) return false;
    struct resolution before = variant_lend(known); /* so that it is not evicted */
    bool same = search_again(q, *entry, resolution);
    if (same && is_passing(resolution->kind)) {
        counts->hits++;
        *resolution = before;
        return true;
    }
    store_return(q->store, before.representation);
    counts->misses += same && resolution->kind != RESOLUTION_COLD;
    if (same) return true;
    drop(q->store, *entry);
    *entry = NULL;
    return false;
}

/* Compares what is due, and searches for what is not there. `entry` is what is known, or NULL. */
static struct resolution resolve(const struct question *q, struct entry *entry)
{
    struct resolution resolution = {.kind = RESOLUTION_COLD};
    if (!hold_against_disk(q, &entry)) return resolution;
    if (entry && is_ripe(entry, q->now) && renew(q, &entry, &resolution)) return resolution;
    if (entry && resolve_from_entry(q->store, entry, q->lookup, &resolution)) return resolution;
    resolution = resolve_miss(q, entry);
    q->store->counts.misses += resolution.kind != RESOLUTION_COLD;
    return resolution;
}

/*
 * Answers without waiting for the disk. On a file system without a disk, names that the kernel's
 * cache does not know are looked for, too.
 */
static struct resolution resolve_at_once(struct question *q, struct entry *entry)
{
    struct beneath *beneath = &q->place.beneath;
    beneath->at_once = beneath->may_ask;
    if (!beneath->may_ask) notices_raise(&q->store->notices, NOTICE_NO_CACHED);
    struct resolution resolution = resolve(q, entry);
    if (resolution.kind != RESOLUTION_COLD || !beneath_is_in_memory(beneath, q->key.path))
        return resolution;
    beneath->at_once = false;
    return resolve(q, cache_find(&q->store->cache, &q->key));
}

static struct question question_of(struct store *store, const struct key *key,
                                   const struct lookup *lookup, const struct now *now)
{
    struct tree *tree = &store->trees[key->tree];
    return (struct question){.store = store,
                             .tree = tree,
                             .lookup = lookup,
                             .now = now,
                             .key = *key,
                             .place = tree->place};
}

/* Returns whether the lookup can be answered from what is known, as most lookups are. */
static inline bool resolve_from_memory(struct store *store, struct entry *entry,
                                       const struct lookup *lookup, const struct now *now,
                                       struct resolution *resolution)
{
    return entry && !is_due(store, entry, now) &&
           resolve_from_entry(store, entry, lookup, resolution);
}

/* Lists what turned out to be a directory without an index. */
static struct resolution resolve_listed(struct store *store, const struct key *key,
                                        const struct lookup *lookup, enum patience patience,
                                        const struct now *now)
{
    struct question question = question_of(store, key, lookup, now);
    struct beneath *beneath = &question.place.beneath;
    beneath->at_once = patience == AT_ONCE && beneath->may_ask;
    return listed_resolve(&question, patience);
}

static struct resolution resolve_any(struct store *store, const struct key *key,
                                     const struct lookup *lookup, enum patience patience,
                                     const struct now *now)
{
    struct resolution resolution;
    struct entry *entry = cache_find(&store->cache, key);
    if (resolve_from_memory(store, entry, lookup, now, &resolution)) return resolution;
    struct question question = question_of(store, key, lookup, now);
    return patience == AT_ONCE ? resolve_at_once(&question, entry) : resolve(&question, entry);
}

struct resolution store_resolve(struct store *store, const struct lookup *lookup,
                                enum patience patience, const struct now *now)
{
    struct tree *tree = store_tree(store, lookup);
    if (now->monotonic_ns >= tree->root.trusted_until_ns) tree_compare(store, tree, now);
    struct key key = cache_key(&store->cache, lookup->tree, lookup->path);
    struct resolution resolution = resolve_any(store, &key, lookup, patience, now);
    if (resolution.bare && lookup->lists) return resolve_listed(store, &key, lookup, patience, now);
    return resolution;
}

void store_return(struct store *store, const struct representation *lent)
{
    struct variant *variant = variant_of_representation(lent);
    assert(variant->seat.loans > 0);
    variant->seat.loans--;
    if (variant->seat.loans == 0 && !variant->entry) cache_discard(&store->cache, variant);
}
