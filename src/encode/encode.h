/*
 * Compresses whole content in memory, in each of the codings.
 */
#ifndef ZCSERVE_ENCODE_ENCODE_H
#define ZCSERVE_ENCODE_ENCODE_H

#include "zcserve/representation.h"

#include <stddef.h>

/*
 * Loads the library of the coding, which encode() needs. Returns false with one line in `problem`,
 * which says what to install. A second call does no harm.
 */
bool encode_load(enum coding coding, char *problem, size_t size);

enum coded {
    CODED,
    CODED_TOO_LARGE, /* the result does not fit into the space */
    CODED_NO_MEMORY
};

/*
 * Compresses `content`, which is not empty, into `space` of `room` bytes, and sets *length. The
 * same input, level and library give the same bytes. What is written fits the coding's registration
 * for HTTP: gzip (RFC 1952) as one member without name and time; br (RFC 7932) with a window of at
 * most 16 MiB; zstd (RFC 8878) with a window of at most 8 MiB (RFC 9659).
 */
enum coded encode(enum coding coding, int level, struct text content, char *space, size_t room,
                  size_t *length);

#endif
