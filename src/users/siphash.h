/*
 * SipHash-2-4 with 128 bits (Aumasson and Bernstein, "SipHash: a fast short-input PRF", 2012): a keyed
 * hash. Without the key nobody can tell its values from random ones, or find two texts with the same
 * value. That holds for hostile texts, too, as it does not for hashes that are only fast, like xxHash.
 */
#ifndef ZCSERVE_USERS_SIPHASH_H
#define ZCSERVE_USERS_SIPHASH_H

#include <stddef.h>
#include <stdint.h>

struct siphash_key {
    uint64_t word[2];
};

/* Sets `hash` to the keyed hash of `length` bytes. */
void siphash(const struct siphash_key *key, const void *bytes, size_t length, uint64_t hash[2]);

#endif
