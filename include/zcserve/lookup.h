/*
 * What the core asks about a target, and the result. These are plain structs: the core asks and
 * knows no file system, the store answers and knows no HTTP.
 */
#ifndef ZCSERVE_LOOKUP_H
#define ZCSERVE_LOOKUP_H

#include "zcserve/representation.h"
#include "zcserve/listing_view.h"

struct lookup {
    struct text path;         /* decoded, normalised, relative: "", "a/b" or "a/b/"; a NUL   */
                              /* follows it (not counted). It has no "..", ".", "//" or NUL, */
                              /* but may have any other bytes.                               */
    struct accepted accepted; /* which codings the client accepts                            */
    uint16_t tree;            /* which of the store's trees, from 0 */
    bool lists;               /* a directory without an index may be listed */
    struct view view;         /* how it is listed then                                       */
};

enum resolution_kind {
    RESOLUTION_FOUND,          /* `representation` is lent                             */
    RESOLUTION_DIRECTORY,      /* a directory whose path has no "/" at its end         */
    RESOLUTION_NOT_FOUND,      /* no such file, or hidden, or not a regular file       */
    RESOLUTION_FORBIDDEN,      /* may not be read or shown, or leads outside the root  */
    RESOLUTION_NOT_ACCEPTABLE, /* none of its codings is accepted                      */
    RESOLUTION_LIMITED,        /* the address of the client sent too many requests     */
    RESOLUTION_BUSY,           /* descriptors or memory ran out; later it may work     */
    RESOLUTION_BROKEN,         /* the disk or the file system failed                   */
    RESOLUTION_COLD,           /* it would have to wait for the disk; not for the core */
    RESOLUTION_CROWDED         /* too many files are lent open: wait for one, or BUSY  */
};

struct resolution {
    enum resolution_kind kind;
    const struct representation *representation; /* only FOUND; must be returned exactly once */
    bool varies;                                 /* the result depends on Accept-Encoding     */
    bool bare;       /* for the store: FORBIDDEN, and a directory that may be listed      */
    bool improvable; /* a shorter coding could be made for this client: see store_product() */
};

#endif
