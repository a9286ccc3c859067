/*
 * The question the core asks about a target and the answer it is given. Plain structs: the
 * core asks and does not know a file system, the store answers and does not know HTTP.
 */
#ifndef ZCSERVE_LOOKUP_H
#define ZCSERVE_LOOKUP_H

#include "zcserve/representation.h"

struct lookup {
    struct text path;         /* decoded, normalised, relative: "" or "a/b" or "a/b/"; a NUL  */
                              /* follows it (not counted); no "..", ".", "//", or NUL inside, */
                              /* but any other bytes                                          */
    struct accepted accepted; /* what the client takes                                        */
};

enum resolution_kind {
    RESOLUTION_FOUND,          /* `representation` is lent                                    */
    RESOLUTION_DIRECTORY,      /* a directory named without its slash                         */
    RESOLUTION_NOT_FOUND,      /* no such file, hidden, or not a regular file                 */
    RESOLUTION_FORBIDDEN,      /* it is there and may not be read, or leads outside the root  */
    RESOLUTION_NOT_ACCEPTABLE, /* no coding of it is accepted                                 */
    RESOLUTION_BUSY,           /* descriptors or memory ran out: worth trying again later     */
    RESOLUTION_BROKEN,         /* the disk or the file system failed                          */
    RESOLUTION_COLD,           /* answering would wait for the disk; never reaches the core   */
    RESOLUTION_CROWDED         /* as many files are lent open as may be: wait for one, or BUSY */
};

struct resolution {
    enum resolution_kind kind;
    const struct representation *representation; /* FOUND only; given back exactly once */
    bool varies; /* NOT_ACCEPTABLE and others: the answer depends on Accept-Encoding    */
};

#endif
