/*
 * The inside of a store, for the files that open and close it (store.c), take changes (refresh.c),
 * answer lookups (resolve.c), read from disk (search.c), make errands (errand.c) and take their
 * products (product.c).
 *
 * Cache, watch and their limits are one for all trees.
 */
#ifndef ZCSERVE_STORE_INSIDE_H
#define ZCSERVE_STORE_INSIDE_H

#include "cache.h"
#include "file.h"
#include "notice.h"
#include "product.h"
#include "tree.h"
#include "watch.h"
#include "zcserve/store.h"

#include <assert.h>

struct store {
    struct store_options options;
    struct tree *trees; /* options.trees of them */
    struct cache cache;
    struct watch watch;
    struct store_counts counts;
    struct notices notices;
    struct products products;
    bool lists; /* it has made a listing */
};

/* Returns the tree that a lookup asks. */
static inline struct tree *store_tree(struct store *store, const struct lookup *lookup)
{
    assert(lookup->tree < store->options.trees);
    return &store->trees[lookup->tree];
}

#endif
