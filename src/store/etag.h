/*
 * Strong entity-tags (RFC 9110 §8.8.3).
 */
#ifndef ZCSERVE_STORE_ETAG_H
#define ZCSERVE_STORE_ETAG_H

#include "identity.h"
#include "zcserve/representation.h"

/*
 * For content in memory: a hash of the bytes, so every machine behind a balancer gives the same.
 * Writes a NUL-terminated tag with its quotes and gives its length, which depends on the coding
 * alone.
 */
size_t etag_of_content(const char *content, uint64_t length, enum coding coding,
                       char etag[ETAG_MAX]);

/*
 * The same of the `length` bytes of an open file, without keeping them. Its length; -ESTALE when the file
 * is shorter or longer, or -errno. Waits for what is not in the page cache; needs 20 KiB of stack.
 */
int etag_of_file(int fd, uint64_t length, enum coding coding, char etag[ETAG_MAX]);

/* For a file too large to be read, when its identity is settled: size, then a hash of inode and times. */
size_t etag_of_identity(const struct identity *identity, enum coding coding, char etag[ETAG_MAX]);

#endif
