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
    ERRAND_PATH,  /* find the file of a path, and read it if it is small          */
    ERRAND_RANGE, /* read a part of a file                                        */
    ERRAND_ENCODE /* make a product: the content of an entry in another coding    */
};

struct errand {
    enum errand_kind kind;
    int fd; /* its own: the directory of the root, or the file; -1: none          */
    uint64_t offset,
        length;         /* of RANGE                                                           */
    struct place place; /* of PATH: its directory is `fd`                                     */
    struct encoding
        encoding;           /* of ENCODE                                                          */
    struct product product; /* what it makes; nothing is made by PATH and RANGE                   */
    struct text path;       /* its letters follow the struct, and a NUL; of RANGE: absent         */
    char letters[];
};

/*
 * Makes an errand with a duplicate of `fd`, if that is not -1, and a copy of `path`. Returns NULL
 * with errno set.
 */
struct errand *errand_new(enum errand_kind kind, int fd, struct text path);

#endif
