/*
 * The inside of a store, for the files that open and close it (store.c), take changes (refresh.c),
 * answer lookups (resolve.c), read from disk (search.c), make errands (errand.c) and take their products
 * (product.c).
 */
#ifndef ZCSERVE_STORE_INSIDE_H
#define ZCSERVE_STORE_INSIDE_H

#include "cache.h"
#include "file.h"
#include "notice.h"
#include "product.h"
#include "root.h"
#include "watch.h"
#include "zcserve/store.h"

struct store {
    struct store_options options;
    struct place place;
    struct root root;
    struct cache cache;
    struct watch watch;
    struct store_counts counts;
    struct notices notices;
    struct products products;
};

#endif
