/*
 * The bytes of one file in one coding, as they are lent.
 */
#ifndef ZCSERVE_STORE_VARIANT_H
#define ZCSERVE_STORE_VARIANT_H

#include "file.h"
#include "sieve.h"
#include "zcserve/representation.h"

struct entry;

struct variant {
    struct representation representation; /* must be first: it is lent, and leads back here */
    struct seat seat;
    enum coding coding;  /* the original (identity), or which of its sidecars */
    struct entry *entry; /* the entry that holds it; NULL when none does      */
    size_t bytes;        /* cost, with head and content                       */
    char etag[ETAG_MAX];
    /* the prepared head and then the content follow */
};

/*
 * Reads the whole content of `fd` into memory. `fd` is from file_open_unseen() for this coding, and
 * stays the caller's. Returns 0 and *variant, or -ENOMEM, -ESTALE (it changed, or is another file),
 * or another -errno.
 */
int variant_read(const struct file *file, enum coding coding, int fd, const struct now *now,
                 struct variant **variant);

/*
 * Makes a variant of `content`, which was compressed from the whole content of `from`. It has a tag
 * of its own, and all other metadata of `from`. Returns NULL when there is no memory.
 */
struct variant *variant_coded(const struct representation *from, enum coding coding,
                              struct text content);

/* What the validators of a file that is kept open are made of (RFC 9110 §8.8). */
enum tagging {
    TAG_OF_CONTENT,  /* the same tag as of variant_read(); reads the file for it        */
    TAG_OF_IDENTITY, /* size and a hash of the identity; no tag while it is not settled */
    TAG_NONE         /* neither a tag nor a date, because the file changes too often    */
};

/*
 * Keeps `fd` open for its content. `fd` is from file_open(), or for TAG_OF_CONTENT from
 * file_open_unseen(). Returns 0, and then the variant owns `fd`; or -ENOMEM, and for TAG_OF_CONTENT
 * also -ESTALE and -errno as above.
 */
int variant_keep_open(const struct file *file, enum coding coding, int fd, enum tagging tagging,
                      const struct now *now, struct variant **variant);

/* Returns the most that reading the content (`with_content`) or keeping the file open can cost. */
uint64_t variant_bytes(const struct file *file, enum coding coding, bool with_content);

/* Frees the memory and closes the descriptor. The variant must not be lent. */
void variant_free(struct variant *variant);

/* Lends the variant once more. */
static inline struct resolution variant_lend(struct variant *variant)
{
    variant->seat.loans++;
    return (struct resolution){.kind = RESOLUTION_FOUND,
                               .representation = &variant->representation,
                               .varies = variant->representation.varies};
}

struct variant *variant_of_seat(struct seat *seat);
struct variant *variant_of_representation(const struct representation *representation);

#endif
