/*
 * The files of the live page, embedded in the program: src/status/page/ as it was at build time. They
 * need nothing from outside, neither a directory at run time nor another host.
 */
#ifndef ZCSERVE_STATUS_ASSET_H
#define ZCSERVE_STATUS_ASSET_H

#include <stddef.h>

struct asset {
    const char *path;       /* as requested: "/", "/page.js" */
    const char *media_type; /* a whole Content-Type */
    const unsigned char *bytes;
    size_t length;
};

/* The file at `path`, which is a path alone, without a query; NULL when there is none. */
const struct asset *asset_find(const char *path);

/* All of them, ended by one whose path is NULL. */
const struct asset *asset_all(void);

#endif
