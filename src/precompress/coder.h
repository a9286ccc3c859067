/*
 * Finds out whether compressed bytes are those of a file.
 */
#ifndef ZCSERVE_PRECOMPRESS_CODER_H
#define ZCSERVE_PRECOMPRESS_CODER_H

#include "zcserve/representation.h"

enum match { MATCH_EQUAL, MATCH_DIFFERENT, MATCH_NO_MEMORY };

/*
 * Decompresses `encoded` and compares. Returns DIFFERENT too when a client that keeps to the limits
 * of encode.h cannot decompress it, or when something follows after its end.
 */
enum match coder_compare(enum coding coding, struct text encoded, struct text content);

#endif
