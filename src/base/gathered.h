/*
 * A text that is written through stdio into memory, and is either whole or not there at all. open_memstream(3) does
 * not keep that promise: when memory cannot be had for a moment, a part of the text is missing, and
 * neither ferror() nor fclose() tells.
 */
#ifndef ZCSERVE_BASE_GATHERED_H
#define ZCSERVE_BASE_GATHERED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct gathered {
    char *text;    /* ends with a NUL, which `length` does not count */
    size_t length; /* bytes */
    size_t most;
    size_t room;
};

/* Opens a stream whose text may have up to `most` bytes. Returns NULL when memory is short (fopencookie(3)). */
FILE *gathered_open(struct gathered *gathered, size_t most);

/*
 * Closes the stream. Returns whether all that was written is in `text`, which the caller then frees. Else there
 * is no text: memory was short, or it was more than `most` bytes.
 */
bool gathered_close(struct gathered *gathered, FILE *stream);

#endif
