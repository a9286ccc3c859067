/*
 * Where a directory is watched, each change of a name is reported. Where it is not, the identity of
 * the directory is compared on each hit: its times change with each name.
 *
 * An errand reads the directory while the loop goes on. Each directory has the number of its last
 * change; when that has grown since the errand was made, the listing may lack this change, and is
 * discarded.
 */
#define _GNU_SOURCE
#include "listed.h"
#include "errand.h"
#include "names.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define KEY_ROOM (PATH_MAX + 4)

/* The key of a listing is a path that no lookup can have: behind a NUL it has the view. */
static struct key key_of(const struct store *store, uint16_t tree, struct text path, unsigned view,
                         char space[KEY_ROOM])
{
    memcpy(space, path.base, path.length);
    space[path.length] = '\0';
    space[path.length + 1] = (char)('A' + view);
    return cache_key(&store->cache, tree, (struct text){space, path.length + 2});
}

static uint64_t age_ns(const struct entry *entry, const struct now *now)
{
    return now->monotonic_ns - entry->compared_ns;
}

/* Returns whether the names are still those in the directory. */
static bool holds(const struct question *q, const struct entry *entry)
{
    if (age_ns(entry, q->now) >= LISTED_AGE_NS_MAX) return false;
    if (entry->watched) return true;
    const struct beneath *beneath = &q->place.beneath;
    struct identity identity = {0};
    int fd = beneath_open(beneath, q->lookup->path.base, O_PATH | O_DIRECTORY,
                          beneath->follows ? LINKS_FOLLOWED : LINKS_REFUSED);
    if (fd < 0) return false;
    int result = identity_read(fd, "", &identity);
    close(fd);
    return result == 0 && identity_equals(&identity, &entry->file.identity[CODING_IDENTITY]);
}

/* Makes a listing from the disk. Returns 0 or -errno. */
static int make(const struct place *place, struct text path, struct view view,
                struct identity *identity, struct variant **made)
{
    struct listing listing;
    int result = names_read(place, path, &listing, identity);
    if (result < 0) return result;
    listing_sort(&listing, view);
    struct text content = listing_make(&listing, view);
    names_free(&listing);
    struct representation from = {.fd = -1,
                                  .modified_seconds = MODIFIED_UNKNOWN,
                                  .negotiated = view.negotiated,
                                  .media_type = listing_media_type(view),
                                  .source = SOURCE_MEMORY,
                                  .version = identity_hash(identity)};
    *made = content.base ? variant_coded(&from, CODING_IDENTITY, content) : NULL;
    free((char *)(uintptr_t)content.base);
    return *made ? 0 : -ENOMEM;
}

/* Returns a new entry that is in the cache, without a variant; NULL when there is no room. */
static struct entry *entry_make(struct store *store, const struct key *key,
                                const struct identity *identity, bool watched)
{
    struct file file = {.name = "", .usable = {true}, .identity = {*identity}};
    struct entry *before = cache_find(&store->cache, key);
    if (before) cache_drop(&store->cache, before);
    if (!cache_make_room(&store->cache, entry_bytes(key->path, &file))) return NULL;
    struct entry *entry = entry_new(key, RESOLUTION_FOUND, &file);
    if (!entry) return NULL;
    entry->watched = watched;
    cache_add(&store->cache, entry);
    return entry;
}

/* Lets the cache hold the variant, which is charged already. */
static void keep(struct store *store, const struct key *key, const struct identity *identity,
                 bool watched, uint64_t made_ns, struct variant *made)
{
    struct entry *entry = entry_make(store, key, identity, watched);
    if (!entry) return;
    entry->compared_ns = made_ns;
    cache_seat(&store->cache, entry, made);
    store->lists = true;
}

/* Returns whether a listing may be lent. Where the budget has no room for it, it is not kept. */
static bool has_room(struct store *store, uint64_t bytes)
{
    const struct store_options *options = &store->options;
    return cache_make_room(&store->cache, bytes) ||
           store->counts.bytes + bytes <= options->memory_bytes_max + options->listings_bytes_max;
}

/* Makes the listing now, whatever that takes. */
static struct resolution make_now(const struct question *q, const struct key *key)
{
    struct store *store = q->store;
    struct text path = q->lookup->path;
    struct identity identity;
    struct variant *made;
    bool watched = directory_find(&store->watch.directories, key->tree, path);
    int result = make(&q->place, path, q->lookup->view, &identity, &made);
    if (result == 0 && !has_room(store, made->bytes)) {
        variant_free(made);
        result = -ENOMEM;
    }
    if (result < 0) return (struct resolution){.kind = file_failure(-result)};
    store->counts.listings++;
    cache_charge(&store->cache, made);
    struct resolution resolution = variant_lend(made); /* so that it is not evicted */
    if (watched || identity_is_settled(&identity, q->now))
        keep(store, key, &identity, watched, q->now->monotonic_ns, made);
    return resolution;
}

struct resolution listed_resolve(const struct question *q, enum patience patience)
{
    char space[KEY_ROOM];
    const struct lookup *lookup = q->lookup;
    struct store *store = q->store;
    struct key key = key_of(store, lookup->tree, lookup->path, view_number(lookup->view), space);
    struct entry *entry = cache_find(&store->cache, &key);
    if (!entry || !entry->variants[CODING_IDENTITY] || !holds(q, entry)) {
        if (patience == AT_ONCE) return (struct resolution){.kind = RESOLUTION_COLD};
        return make_now(q, &key);
    }
    struct variant *variant = entry->variants[CODING_IDENTITY];
    variant->seat.visited = true;
    struct resolution resolution = variant_lend(variant);
    resolution.improvable = age_ns(entry, q->now) >= LISTED_AGE_NS_MAX / 2 && !entry->making;
    return resolution;
}

struct errand *listed_product(struct store *store, const struct lookup *lookup,
                              const struct now *now)
{
    char space[KEY_ROOM];
    if (lookup->path.length > FILE_NAME_MAX) return NULL;
    struct key key = key_of(store, lookup->tree, lookup->path, view_number(lookup->view), space);
    struct entry *entry = cache_find(&store->cache, &key);
    if (!entry || entry->making || !entry->variants[CODING_IDENTITY]) return NULL;
    uint64_t bytes = entry->variants[CODING_IDENTITY]->bytes;
    struct errand *errand = store_errand(store, lookup);
    if (!errand) return NULL;
    if (product_begin(store, &errand->product, bytes, now)) {
        entry = cache_find(&store->cache, &key); /* making room may have evicted it */
        if (entry) entry->making = 1;
        return errand;
    }
    errand_free(errand);
    return NULL;
}

void listed_run(struct errand *errand)
{
    struct now now;
    now_read(&now);
    errand->made_ns = now.monotonic_ns;
    if (make(&errand->place, errand->path, errand->view, &errand->identity, &errand->product.made) <
        0)
        return;
    errand->settled = identity_is_settled(&errand->identity, &now);
}

void listed_adopt(struct store *store, struct errand *errand)
{
    char space[KEY_ROOM];
    struct product *product = &errand->product;
    struct variant *made = product->made;
    if (product->reserved > 0) product_end(store, product);
    product->made = NULL;
    if (!made) return;
    const struct directory *directory =
        directory_find(&store->watch.directories, errand->tree, errand->path);
    bool watched = directory && directory->changed <= errand->seen;
    bool wanted = watched || (!directory && errand->settled);
    store->counts.listings++;
    if (!wanted || !cache_make_room(&store->cache, made->bytes)) {
        variant_free(made);
        return;
    }
    struct key key = key_of(store, errand->tree, errand->path, view_number(errand->view), space);
    cache_charge(&store->cache, made);
    made->seat.loans++; /* so that it is not evicted for its own entry */
    keep(store, &key, &errand->identity, watched, errand->made_ns, made);
    store_return(store, &made->representation);
}

void listed_drop(struct store *store, uint16_t tree, struct text directory)
{
    char space[KEY_ROOM];
    if (!store->lists) return;
    for (unsigned view = 0; view < VIEWS; view++) {
        struct key key = key_of(store, tree, directory, view, space);
        struct entry *entry = cache_find(&store->cache, &key);
        if (!entry) continue;
        cache_drop(&store->cache, entry);
        store->counts.invalidations++;
    }
}
