/*
 * Compresses a whole file in memory, and finds out whether compressed bytes are those of a file.
 */
#ifndef ZCSERVE_PRECOMPRESS_CODER_H
#define ZCSERVE_PRECOMPRESS_CODER_H

#include <stddef.h>

#include "zcserve/representation.h"

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
enum coded coder_encode(enum coding coding, int level, struct text content, char *space,
                        size_t room, size_t *length);

enum match { MATCH_EQUAL, MATCH_DIFFERENT, MATCH_NO_MEMORY };

/*
 * Decompresses `encoded` and compares. Returns DIFFERENT too when a client that keeps to the limits
 * above cannot decompress it, or when something follows after its end.
 */
enum match coder_compare(enum coding coding, struct text encoded, struct text content);

#endif
