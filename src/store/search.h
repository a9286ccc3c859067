/*
 * Answers that come from the disk: a path that the cache does not know, or not in the coding wanted.
 */
#ifndef ZCSERVE_STORE_SEARCH_H
#define ZCSERVE_STORE_SEARCH_H

#include "inside.h"

/* One lookup while it is answered. */
struct question {
    struct store *store;
    const struct lookup *lookup;
    const struct now *now;
    struct key key;     /* of the lookup's path                                  */
    struct place place; /* where the file is; `at_once`: the disk may not be waited for */
};

/* Nothing is known of the path: no entry is there for it. */
struct resolution search_from_disk(const struct question *q);

/* The file is known but not in this coding. False: it is another file by now. */
bool search_from_entry(const struct question *q, const struct entry *entry,
                       struct resolution *resolution);

/* The same for what is loaded already: when it succeeds, the entry gives way to a new one. */
bool search_again(const struct question *q, const struct entry *entry,
                  struct resolution *resolution);

#endif
