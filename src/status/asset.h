/*
 * The files of the live page (src/status/page/), embedded in the program when it is built. So the
 * page needs no directory at run time, and no other host.
 */
#ifndef ZCSERVE_STATUS_ASSET_H
#define ZCSERVE_STATUS_ASSET_H

#include <stddef.h>

struct asset {
    const char *path;       /* the path of the request: "/", "/page.js" */
    const char *media_type; /* the value of Content-Type                */
    const unsigned char *bytes;
    size_t length;
};

/* Returns the file at `path`, which has no query; NULL when there is none. */
const struct asset *asset_find(const char *path);

/* Returns all files. After the last one `path` is NULL. */
const struct asset *asset_all(void);

#endif
