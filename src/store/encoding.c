/*
 * Makes a coding of an entry's content, once, and lets the cache hold it as a variant of its own.
 * Meanwhile the original is lent. Its bytes are in memory and do not change, so that nothing is
 * read again, and the thread that compresses needs no lock. The original stays lent until the
 * product is adopted; so neither it nor its entry is evicted before.
 *
 * When the file changes, its entry is dropped, as always. A product that comes back later finds no
 * entry, or one with another identity, and is discarded.
 */
#include "encoding.h"
#include "account.h"
#include "compressible.h"
#include "errand.h"
#include "inside.h"
#include "listed.h"

#include <stdlib.h>

#define SAVING_LEAST 20 /* a coding that saves less than 1/20 is not kept */

/* Returns the most bytes that are worth it. */
static size_t room_for(uint64_t length)
{
    return (size_t)(length - (length + SAVING_LEAST - 1) / SAVING_LEAST);
}

static struct entry *entry_of(const struct store *store, uint16_t tree, struct text path)
{
    struct key key = cache_key(&store->cache, tree, path);
    struct entry *entry = cache_find(&store->cache, &key);
    return entry && entry->kind == RESOLUTION_FOUND ? entry : NULL;
}

static uint64_t bytes_needed(const struct entry *entry)
{
    uint64_t length = entry->file.identity[CODING_IDENTITY].size;
    return account_bytes(room_for(length)) + variant_bytes(&entry->file, CODING_IDENTITY, true);
}

static struct encoding encoding_of(const struct compress_options *options, struct entry *entry,
                                   enum coding coding)
{
    return (struct encoding){
        .from = variant_lend(entry->variants[CODING_IDENTITY]).representation,
        .identity = entry->file.identity[CODING_IDENTITY],
        .coding = coding,
        .level = options->level[coding],
        .coded = CODED_NO_MEMORY,
    };
}

struct errand *store_product(struct store *store, const struct lookup *lookup,
                             const struct now *now)
{
    const struct compress_options *options = &store_tree(store, lookup)->place.options->compress;
    struct entry *entry = entry_of(store, lookup->tree, lookup->path);
    if (!entry) return lookup->lists ? listed_product(store, lookup, now) : NULL;
    enum coding coding = compressible_wanted(options, entry, &lookup->accepted);
    if (coding == CODING_COUNT) return NULL;
    struct errand *errand = errand_new(ERRAND_ENCODE, -1, lookup->tree, lookup->path);
    if (!errand) return NULL;
    errand->encoding = encoding_of(options, entry, coding); /* lends, so that the entry stays */
    if (product_begin(store, &errand->product, bytes_needed(entry), now)) {
        entry->making |= (uint8_t)(1U << coding);
        return errand;
    }
    store_return(store, errand->encoding.from);
    errand_free(errand);
    return NULL;
}

void encoding_run(struct errand *errand)
{
    struct encoding *e = &errand->encoding;
    struct text content = {e->from->content, (size_t)e->from->length};
    size_t room = room_for(content.length), length = 0;
    char *space = malloc(room + 1);
    if (!space) return;
    e->coded = encode(e->coding, e->level, content, space, room, &length);
    if (e->coded == CODED)
        errand->product.made = variant_coded(e->from, e->coding, (struct text){space, length});
    free(space);
}

/* Lets the cache hold what was made. Returns false when there is no room or no place for it. */
static bool seat(struct store *store, struct entry *entry, const struct errand *errand,
                 struct variant *made)
{
    enum coding coding = errand->encoding.coding;
    /* Meanwhile it may have been made for an earlier entry of the file, or got a sidecar. */
    if (entry->variants[coding] || !compressible_may_make(entry, coding)) return false;
    if (!cache_make_room(&store->cache, made->bytes)) return false;
    entry = entry_of(store, errand->tree, errand->path); /* making room may have evicted it */
    if (!entry) return false;
    cache_charge(&store->cache, made);
    cache_seat(&store->cache, entry, made);
    return true;
}

/* Returns the entry that it was made for, or another one of the same version of the file. */
static struct entry *entry_made_for(const struct store *store, const struct errand *errand)
{
    struct entry *entry = entry_of(store, errand->tree, errand->path);
    const struct identity *identity = &errand->encoding.identity;
    bool same = entry && identity_equals(&entry->file.identity[CODING_IDENTITY], identity);
    return same ? entry : NULL;
}

static void count_made(struct store_counts *counts, const struct representation *from,
                       const struct variant *made)
{
    counts->compressed++;
    counts->compress_in_bytes += from->length;
    counts->compress_out_bytes += made->representation.length;
}

void encoding_adopt(struct store *store, struct errand *errand)
{
    struct store_counts *counts = &store->counts;
    struct encoding *e = &errand->encoding;
    struct variant *made = product_end(store, &errand->product);
    struct entry *entry = entry_made_for(store, errand);
    if (entry) entry->making &= (uint8_t) ~(1U << e->coding);
    if (entry && e->coded == CODED_TOO_LARGE) {
        entry->worthless |= (uint8_t)(1U << e->coding);
        counts->compress_worthless++;
    } else if (entry && made && seat(store, entry, errand, made)) {
        count_made(counts, e->from, made);
    } else {
        if (made) variant_free(made);
        counts->compress_discarded++;
    }
    store_return(store, e->from);
    e->from = NULL;
}
