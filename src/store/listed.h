/*
 * Listings of directories that have no index. A listing is content in memory, made from the names on
 * disk, with an entry of its own for each view.
 *
 * Its names are exact: it is dropped when a name in the directory appears, vanishes or changes.
 * Sizes, times and the README may be as old as LISTED_AGE_NS_MAX. While it is asked for, it is made
 * again before that, so that nobody waits for it.
 */
#ifndef ZCSERVE_STORE_LISTED_H
#define ZCSERVE_STORE_LISTED_H

#include "search.h"
#include "zcserve/store.h"

#define LISTED_AGE_NS_MAX NS_PER_SECOND

/* Answers a lookup that may be listed, and whose path is a directory without an index. */
struct resolution listed_resolve(const struct question *q, enum patience patience);

/* Makes an errand that makes the listing anew; NULL: there is none, or one is under way. */
struct errand *listed_product(struct store *store, const struct lookup *lookup,
                              const struct now *now);

/* Runs the errand, which looked for a file and found a directory without an index. */
void listed_run(struct errand *errand);

/* Lets the cache hold what the errand made, unless a name may have changed since. */
void listed_adopt(struct store *store, struct errand *errand);

/* A name in the directory appeared, vanished or changed: drops its listings. */
void listed_drop(struct store *store, uint16_t tree, struct text directory);

#endif
