/* As the reference implementation does it, a word of 8 bytes at a time, the lowest byte first. */
#include "users/siphash.h"

#include <endian.h>
#include <string.h>

struct state {
    uint64_t v[4];
};

static uint64_t rotate(uint64_t word, unsigned bits)
{
    return word << bits | word >> (64 - bits);
}

static void mix(struct state *s, int rounds)
{
    uint64_t *v = s->v;
    while (rounds-- > 0) {
        v[0] += v[1];
        v[2] += v[3];
        v[1] = rotate(v[1], 13) ^ v[0];
        v[3] = rotate(v[3], 16) ^ v[2];
        v[0] = rotate(v[0], 32);
        v[2] += v[1];
        v[0] += v[3];
        v[1] = rotate(v[1], 17) ^ v[2];
        v[3] = rotate(v[3], 21) ^ v[0];
        v[2] = rotate(v[2], 32);
    }
}

static void word_take(struct state *s, uint64_t word)
{
    s->v[3] ^= word;
    mix(s, 2);
    s->v[0] ^= word;
}

static uint64_t word_give(struct state *s)
{
    mix(s, 4);
    return s->v[0] ^ s->v[1] ^ s->v[2] ^ s->v[3];
}

void siphash(const struct siphash_key *key, const void *bytes, size_t length, uint64_t hash[2])
{
    const char *at = bytes;
    uint64_t word, last = (uint64_t)length << 56;
    struct state s = {{key->word[0] ^ UINT64_C(0x736f6d6570736575),
                       key->word[1] ^ UINT64_C(0x646f72616e646f6d) ^ 0xee,
                       key->word[0] ^ UINT64_C(0x6c7967656e657261),
                       key->word[1] ^ UINT64_C(0x7465646279746573)}};
    size_t left = length;
    for (; left >= sizeof(word); left -= sizeof(word), at += sizeof(word)) {
        memcpy(&word, at, sizeof(word));
        word_take(&s, le64toh(word));
    }
    for (size_t i = 0; i < left; i++)
        last |= (uint64_t)(unsigned char)at[i] << 8 * i;
    word_take(&s, last);
    s.v[2] ^= 0xee;
    hash[0] = word_give(&s);
    s.v[1] ^= 0xdd;
    hash[1] = word_give(&s);
}
