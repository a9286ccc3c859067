/*
 * The files of the live page, which are part of the program.
 */
#ifndef ZCSERVE_STATUS_ASSET_H
#define ZCSERVE_STATUS_ASSET_H

#include <stddef.h>

struct asset {
    const char *path;       /* "/" and what follows, as it is asked for */
    const char *media_type; /* value of Content-Type */
    const unsigned char *bytes;
    size_t length;
};

/* The file for a path, or NULL. */
const struct asset *asset_find(const char *path);

#endif
