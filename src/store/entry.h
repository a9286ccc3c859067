/*
 * What the cache knows of one path: a file and those of its codings that have been loaded, or
 * that there is none.
 */
#ifndef ZCSERVE_STORE_ENTRY_H
#define ZCSERVE_STORE_ENTRY_H

#include "file.h"
#include "sieve.h"
#include "variant.h"

/* What an entry is found by. The hash is computed once for each lookup: see cache_key(). */
struct key {
    struct text path; /* as it was asked for */
    uint64_t hash;
};

struct entry {
    struct entry *next; /* with the same place in the table */
    struct key key;
    enum resolution_kind kind; /* FOUND, and the rest holds; any other kind is the answer */
    uint64_t compared_ns;      /* monotonic time of the last comparison with the disk     */
    uint64_t ripe_ns;          /* monotonic time from which it is to be made again, for   */
                               /* more can be said of the file then; UINT64_MAX: never    */
    bool watched;              /* else it is compared on each hit                         */
    struct variant *variants[CODING_COUNT]; /* those loaded */
    struct seat seat;                       /* used when there is no file  */
    size_t bytes;                           /* what it costs, without the variants */
    struct file file;
    /* path and the file's name follow */
};

/* FOUND: with `file` copied. Another kind: `file` is NULL. NULL when memory is short. */
struct entry *entry_new(const struct key *key, enum resolution_kind kind, const struct file *file);
void entry_free(struct entry *entry);

/* What such an entry costs. */
uint64_t entry_bytes(struct text path, const struct file *file);

bool entry_has_variant(const struct entry *entry);

struct entry *entry_of_seat(struct seat *seat);

#endif
