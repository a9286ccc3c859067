/*
 * Answers that come from the disk: a path that the cache does not know, or not in the coding wanted.
 */
#ifndef ZCSERVE_STORE_SEARCH_H
#define ZCSERVE_STORE_SEARCH_H

#include "inside.h"

/* Nothing is known of the path: no entry is there for it. */
struct resolution search_from_disk(struct store *store, const struct lookup *lookup,
                                   const struct now *now);

/* The file is known but not in this coding. False: it is another file by now. */
bool search_from_entry(struct store *store, const struct entry *entry, const struct lookup *lookup,
                       const struct now *now, struct resolution *resolution);

/* The same for what is loaded already: when it succeeds, the entry gives way to a new one. */
bool search_again(struct store *store, const struct entry *entry, const struct lookup *lookup,
                  const struct now *now, struct resolution *resolution);

#endif
