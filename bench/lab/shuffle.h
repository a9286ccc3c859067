/* Random places without repetition: each block once, in an order that depends on a seed. */
#ifndef LAB_SHUFFLE_H
#define LAB_SHUFFLE_H

#include <stdint.h>

/*
 * Returns number i of a permutation of 0 … n-1. It is a Feistel network over as many bits as n needs (an
 * even number). It is applied again until the result is below n (Black and Rogaway, "Ciphers with arbitrary
 * finite domains", 2002).
 */
static inline uint64_t shuffled(uint64_t i, uint64_t n, uint64_t seed)
{
    unsigned half = 1;
    while (n > UINT64_C(1) << 2 * half)
        half++;
    uint64_t mask = (UINT64_C(1) << half) - 1;
    do {
        uint64_t left = i >> half, right = i & mask;
        for (uint64_t round = 0; round < 4; round++) {
            uint64_t mixed = (right + seed + round * 0x9e3779b97f4a7c15U) * 0xbf58476d1ce4e5b9U;
            uint64_t next = left ^ ((mixed ^ mixed >> 29) * 0x94d049bb133111ebU >> 33 & mask);
            left = right;
            right = next;
        }
        i = left << half | right;
    } while (i >= n);
    return i;
}

#endif
