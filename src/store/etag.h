/*
 * Strong entity-tags (RFC 9110 §8.8.3).
 */
#ifndef ZCSERVE_STORE_ETAG_H
#define ZCSERVE_STORE_ETAG_H

#include "identity.h"
#include "zcserve/representation.h"

/*
 * Makes the tag of content in memory: a hash of its bytes, so that all machines behind a balancer
 * send the same tag. Writes it with its quotes and a NUL. Returns its length, which depends only on
 * the coding.
 */
size_t etag_of_content(const char *content, uint64_t length, enum coding coding,
                       char etag[ETAG_MAX]);

/*
 * Makes the same tag of the `length` bytes of an open file, which are not kept. Returns its length,
 * -ESTALE when the file is shorter or longer, or -errno. Waits for bytes that are not in the page
 * cache. Needs 20 KiB of stack.
 */
int etag_of_file(int fd, uint64_t length, enum coding coding, char etag[ETAG_MAX]);

/*
 * Makes the tag of a file that is too large to be read, whose identity is settled: its size, and a
 * hash of inode and times. Returns its length.
 */
size_t etag_of_identity(const struct identity *identity, enum coding coding, char etag[ETAG_MAX]);

#endif
