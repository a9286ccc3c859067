/*
 * The errand of compression on the fly: makes a coding of content that is in memory.
 */
#ifndef ZCSERVE_STORE_ENCODING_H
#define ZCSERVE_STORE_ENCODING_H

#include "encode/encode.h"
#include "identity.h"

struct errand;
struct store;

/* The part of an errand for this. */
struct encoding {
    const struct representation *from; /* lent until the errand is adopted */
    struct identity identity;          /* of the file that it is of        */
    enum coding coding;
    int level;
    enum coded coded; /* TOO_LARGE: it saves too little to be kept */
};

/* Reads what is lent, makes a variant, and touches nothing else. Any thread may do this. */
void encoding_run(struct errand *errand);

/* Gives the variant to the entry that it was made for, if that is still the same file. */
void encoding_adopt(struct store *store, struct errand *errand);

#endif
