/*
 * Hashes keys. The tree changes the seed, so that the same path in many trees is spread over a
 * table.
 */
#define XXH_INLINE_ALL
#include "key.h"

#include <xxhash.h>

#define SPREAD UINT64_C(0x9e3779b97f4a7c15) /* 2^64 divided by the golden ratio */

struct key key_make(uint64_t seed, uint16_t tree, struct text path)
{
    uint64_t hash = XXH3_64bits_withSeed(path.base, path.length, seed + tree * SPREAD);
    return (struct key){.path = path, .hash = hash, .tree = tree};
}
