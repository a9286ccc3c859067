/*
 * The inside of an errand, for the files that make one, run it, and take what it made.
 */
#ifndef ZCSERVE_STORE_ERRAND_H
#define ZCSERVE_STORE_ERRAND_H

#include "encoding.h"
#include "file.h"
#include "product.h"
#include "zcserve/store.h"

enum errand_kind {
    ERRAND_PATH,   /* find the file of a path, and read it if it is small          */
    ERRAND_RANGE,  /* read a part of a file                                        */
    ERRAND_ENCODE, /* make a product: the content of an entry in another coding   */
    ERRAND_CHECK   /* check a password                                              */
};

struct errand {
    enum errand_kind kind;
    int fd;                   /* its own: the directory of the root, or the file; -1: none        */
    uint64_t offset, length;  /* of RANGE                                                         */
    struct place place;       /* of PATH: its directory is `fd`                                   */
    uint64_t file_bytes_max;  /* of PATH: larger files are not read                               */
    struct encoding encoding; /* of ENCODE                                                        */
    struct view view;         /* of PATH: how a directory without an index is listed              */
    bool lists;               /* of PATH: it may be listed                                        */
    bool settled;             /* of a listing: the times of its directory were old enough         */
    uint64_t seen;            /* of PATH: the number of the last change of a name until then      */
    uint64_t made_ns;         /* of a listing: monotonic time when it was begun                   */
    struct identity identity; /* of a listing: of its directory before it was read                */
    struct product product;   /* what it makes; nothing is made by PATH, RANGE and CHECK          */
    struct check *check;      /* of CHECK; else NULL                                              */
    uint16_t tree;            /* not of RANGE and CHECK                                           */
    struct text path;         /* a part of `letters`; of RANGE and CHECK: absent                  */
    char letters[];           /* the tree, the view, the path, and a NUL                          */
};

/*
 * Makes an errand with a duplicate of `fd`, if that is not -1, and a copy of `path`, which
 * is in `tree`. Returns NULL with errno set.
 */
struct errand *errand_new(enum errand_kind kind, int fd, uint16_t tree, struct text path);

#endif
