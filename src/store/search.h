/*
 * Lookups that are answered from the disk: the cache does not know the path, or not in this coding.
 */
#ifndef ZCSERVE_STORE_SEARCH_H
#define ZCSERVE_STORE_SEARCH_H

#include "inside.h"

/* One lookup while it is being answered. */
struct question {
    struct store *store;
    struct tree *tree;
    const struct lookup *lookup;
    const struct now *now;
    struct key key;     /* of tree and path of the lookup                         */
    struct place place; /* where to look; `at_once`: do not wait for the disk */
};

/* Answers when there is no entry for the path. */
struct resolution search_from_disk(const struct question *q);

/* Answers when the file is known but not loaded in this coding. False: it is another file now. */
bool search_from_entry(const struct question *q, const struct entry *entry,
                       struct resolution *resolution);

/* As search_from_entry(), for a coding that is loaded: on success a new entry replaces this one. */
bool search_again(const struct question *q, const struct entry *entry,
                  struct resolution *resolution);

#endif
