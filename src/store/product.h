/*
 * Products: what errands make for the cache, off the serving path. The errand is made by the thread
 * of the store, is run by any thread, and comes back to store_adopt(). There the product gets a
 * place in the cache, or is discarded when the file has changed meanwhile.
 *
 * Only so many are under way at a time, and only so many are begun in a second, so that a cache
 * that is too small does not make the same products without end. The memory that a product needs is
 * taken from the budget before its errand begins.
 */
#ifndef ZCSERVE_STORE_PRODUCT_H
#define ZCSERVE_STORE_PRODUCT_H

#include "zcserve/now.h"

#include <stdbool.h>
#include <stdint.h>

struct store;
struct variant;

#define PRODUCTS_MAX 2                                       /* under way: half of the threads */
#define PRODUCTS_PER_SECOND 100                              /* begun                          */
#define PRODUCT_BYTES_PER_SECOND (UINT64_C(8) * 1024 * 1024) /* reserved in a second           */

/* The part of a store that bounds its products. */
struct products {
    uint32_t under_way;
    uint32_t begun;       /* in this second                    */
    uint64_t begun_bytes; /* likewise                          */
    uint64_t second_ns;   /* monotonic time when it had begun  */
};

/* The part of an errand that holds what it makes. All zero: it makes nothing. */
struct product {
    struct variant *made; /* NULL: it was not made                         */
    uint64_t reserved;    /* bytes of the budget that are held for it; > 0 */
};

/*
 * Begins a product: reserves `bytes` of the budget, for which others may be evicted. Returns false,
 * and reserves nothing, when there is no room, or when too many products are under way or were
 * begun in this second.
 */
bool product_begin(struct store *store, struct product *product, uint64_t bytes,
                   const struct now *now);

/* Ends it: gives back the room. Returns what was made, which the caller owns now; NULL: nothing. */
struct variant *product_end(struct store *store, struct product *product);

#endif
