/*
 * What the workers of a server remember of pairs of a name and a password: two tables of fixed size, one of
 * right and one of wrong ones, so that a client with many wrong ones cannot push out the right ones.
 *
 * The tables are in memory that all processes share, and have no lock. An entry is taken only when all 128
 * bits of its tag are those that were asked for. While one worker replaces an entry, another one may see
 * words of both; but whoever finds its own tag there knows that this pair, and no other, got into this
 * table.
 */
#ifndef ZCSERVE_USERS_GUARD_MEMORY_H
#define ZCSERVE_USERS_GUARD_MEMORY_H

#include "users/siphash.h"
#include "zcserve/guard.h"

struct tag {
    uint64_t word[2];
};

static inline bool tags_equal(const struct tag *a, const struct tag *b)
{
    return ((a->word[0] ^ b->word[0]) | (a->word[1] ^ b->word[1])) == 0;
}

/* The key of all tags, which is random and never changes. */
const struct siphash_key *guard_memory_key(const struct guard_memory *memory);

/* Returns GRANTED, DENIED or FAILED when it is remembered; else UNKNOWN. */
enum guarded guard_memory_find(const struct guard_memory *memory, const struct tag *tag,
                               uint64_t now_ns);

/* Remembers one of these results from `now_ns` on, as long as guard.h says. */
void guard_memory_add(struct guard_memory *memory, const struct tag *tag, enum guarded result,
                      uint64_t now_ns);

#endif
