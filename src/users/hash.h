/*
 * Hashes of passwords, as crypt(5) describes them. Pure: only their text is looked at.
 */
#ifndef ZCSERVE_USERS_HASH_H
#define ZCSERVE_USERS_HASH_H

#include "zcserve/text.h"

#include <stdint.h>

#define BCRYPT_COST_MAX 14          /* 2^14 rounds take about a second */
#define SHA_ROUNDS_MAX 1000000      /* likewise                        */
#define YESCRYPT_BYTES_MAX 67108864 /* memory that one check needs  */

/*
 * Returns NULL for a hash by bcrypt ($2b$, $2y$, $2a$), SHA-crypt ($5$, $6$) or yescrypt ($y$) that
 * costs no more than the limits above; else what is wrong with it and what to do, in a few words.
 */
const char *hash_fault(struct text hash);

/* Returns how many bytes of memory a check of such a hash needs, beside a few thousand. */
uint64_t hash_bytes(struct text hash);

#endif
