/*
 * Bounds the products of a store, and takes what their errands made.
 */
#include "product.h"
#include "errand.h"
#include "inside.h"
#include "listed.h"
#include "zcserve/guard.h"

#include <assert.h>

/* Returns whether another product may be begun in this second. */
static bool is_allowed(struct products *products, uint64_t bytes, const struct now *now)
{
    if (now->monotonic_ns - products->second_ns >= NS_PER_SECOND) {
        products->second_ns = now->monotonic_ns;
        products->begun = 0;
        products->begun_bytes = 0;
    }
    return products->under_way < PRODUCTS_MAX && products->begun < PRODUCTS_PER_SECOND &&
           (products->begun == 0 || products->begun_bytes + bytes <= PRODUCT_BYTES_PER_SECOND);
}

bool product_begin(struct store *store, struct product *product, uint64_t bytes,
                   const struct now *now)
{
    struct products *products = &store->products;
    assert(bytes > 0);
    if (!is_allowed(products, bytes, now)) return false;
    products->begun++; /* a try counts, too: it may have evicted others in vain */
    products->begun_bytes += bytes;
    if (!cache_make_room(&store->cache, bytes)) return false;
    products->under_way++;
    store->counts.bytes += bytes;
    *product = (struct product){.reserved = bytes};
    return true;
}

struct variant *product_end(struct store *store, struct product *product)
{
    assert(product->reserved > 0 && store->products.under_way > 0);
    store->products.under_way--;
    store->counts.bytes -= product->reserved;
    struct variant *made = product->made;
    *product = (struct product){0};
    return made;
}

void store_adopt(struct store *store, struct errand *errand)
{
    switch (errand->kind) {
    case ERRAND_PATH: listed_adopt(store, errand); break;
    case ERRAND_RANGE: break;
    case ERRAND_ENCODE: encoding_adopt(store, errand); break;
    case ERRAND_CHECK: check_end(errand->check); break;
    }
}
