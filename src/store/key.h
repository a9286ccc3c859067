/*
 * What a store finds its objects by: a path in one of its trees. Equal paths of two trees are
 * different keys.
 */
#ifndef ZCSERVE_STORE_KEY_H
#define ZCSERVE_STORE_KEY_H

#include "zcserve/text.h"

#include <stdint.h>

struct key {
    struct text path; /* as in the lookup */
    uint64_t hash;    /* of all the rest  */
    uint16_t tree;    /* from 0           */
};

/* Returns the key of a path, which it borrows. With another `seed` keys get another hash. */
struct key key_make(uint64_t seed, uint16_t tree, struct text path);

/* Both keys must have been made with the same seed. */
static inline bool key_equals(const struct key *a, const struct key *b)
{
    return a->hash == b->hash && a->tree == b->tree && text_equals(a->path, b->path);
}

#endif
