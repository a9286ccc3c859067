/*
 * What the cache knows of one path: a file and those of its codings that are loaded, or that there
 * is no file.
 */
#ifndef ZCSERVE_STORE_ENTRY_H
#define ZCSERVE_STORE_ENTRY_H

#include "file.h"
#include "key.h"
#include "sieve.h"
#include "variant.h"

struct entry {
    struct entry *next; /* in the same chain of the table */
    struct key key;
    enum resolution_kind kind; /* FOUND: there is a file; any other kind is the result */
    uint64_t compared_ns;      /* monotonic time of the last comparison with the disk  */
    uint64_t ripe_ns;          /* monotonic time from which the entry is made again,   */
                               /* because its file then has more validators;           */
                               /* UINT64_MAX: never                                    */
    bool bare;                 /* FORBIDDEN: a directory without an index              */
    bool watched;              /* false: the file is compared on each hit              */
    struct variant *variants[CODING_COUNT]; /* those that are loaded      */
    uint8_t making, worthless; /* codings, a bit each: under way; tried, and saved too little */
    struct seat seat;          /* used when there is no file */
    size_t bytes;              /* cost, without the variants */
    struct file file;
    /* the path and the name of the file follow */
};

/*
 * Makes an entry. For FOUND, `file` is copied; for other kinds it is NULL. Returns NULL when there
 * is no memory.
 */
struct entry *entry_new(const struct key *key, enum resolution_kind kind, const struct file *file);
void entry_free(struct entry *entry);

/* Returns the cost of such an entry, in bytes. */
uint64_t entry_bytes(struct text path, const struct file *file);

bool entry_has_variant(const struct entry *entry);

struct entry *entry_of_seat(struct seat *seat);

#endif
