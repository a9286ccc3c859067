/*
 * Reads the names in a directory, with what a listing says of them.
 */
#ifndef ZCSERVE_STORE_NAMES_H
#define ZCSERVE_STORE_NAMES_H

#include "file.h"
#include "listing/listing.h"

/*
 * Reads the directory `path` ("" or "a/b/") into *listing, and its identity before that into
 * *identity. Has only what a client could fetch: no hidden names, no links that are not followed, and
 * nothing but regular files and directories. Waits for the disk. Returns 0, and names_free() must
 * follow; or -errno.
 */
int names_read(const struct place *place, struct text path, struct listing *listing,
               struct identity *identity);
void names_free(struct listing *listing);

#endif
