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
    struct representation representation; /* first: what is lent leads back to the variant */
    struct seat seat;
    enum coding coding;  /* the original (identity), or which of its sidecars   */
    struct entry *entry; /* that holds it; NULL once the cache has let go of it */
    size_t bytes;        /* what it costs, head and content included            */
    char etag[ETAG_MAX];
    /* the prepared head follows, then the content at a multiple of 64 */
};

/*
 * Reads the whole content of `fd` (from file_open_unseen, for this coding) into memory; the descriptor stays
 * the caller's. 0 and *variant, or -ENOMEM, -ESTALE (it changed, or is another file), -errno.
 */
int variant_read(const struct file *file, enum coding coding, int fd, const struct now *now,
                 struct variant **variant);

/* What the validators of a file that is kept open are made of (RFC 9110 §8.8). */
enum tagging {
    TAG_OF_CONTENT,  /* the tag that variant_read() gives; the file is read for it      */
    TAG_OF_IDENTITY, /* none while the identity is not settled                         */
    TAG_NONE         /* neither a tag nor a date: it does not hold still long enough   */
};

/*
 * Keeps `fd` open for its content: the variant owns it when 0 is returned. It is from file_open(), or for
 * TAG_OF_CONTENT from file_open_unseen(). Else -ENOMEM; of TAG_OF_CONTENT also -ESTALE and -errno as above.
 */
int variant_keep_open(const struct file *file, enum coding coding, int fd, enum tagging tagging,
                      const struct now *now, struct variant **variant);

/* What reading (`with_content`) or keeping open will cost, never less than it turns out to. */
uint64_t variant_bytes(const struct file *file, enum coding coding, bool with_content);

/* Frees the memory and closes the descriptor. Not while lent. */
void variant_free(struct variant *variant);

/* One loan more. */
static inline struct resolution variant_lend(struct variant *variant)
{
    variant->seat.loans++;
    return (struct resolution){RESOLUTION_FOUND, &variant->representation,
                               variant->representation.varies};
}

struct variant *variant_of_seat(struct seat *seat);
struct variant *variant_of_representation(const struct representation *representation);

#endif
