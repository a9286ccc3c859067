/*
 * What is at a path on disk now, and what stands in its way: for people who ask why a lookup has its
 * result. Nothing is read but names, nothing is remembered, and no lookup depends on it.
 */
#ifndef ZCSERVE_STORE_EXAMINE_H
#define ZCSERVE_STORE_EXAMINE_H

#include "file.h"

struct examined {
    int root_problem;       /* errno: there is no root at present; then nothing else is known    */
    bool long_name, hidden; /* it is not even looked for                                         */
    enum resolution_kind
        kind;               /* what file_find() returned                                         */
    struct file file;       /* as file_find() sets it                                            */
    char name[PATH_MAX];    /* the name that was looked for last: of the path, or with an index  */
    int error;              /* errno of looking at `name`; 0: there is such a name               */
    bool linked;            /* there is a symbolic link on the way, followed or not              */
    struct identity itself; /* of `name`, when error is 0                                        */
};

/* Sets *out for the path of `lookup`. May wait for the disk. */
void store_examine(struct store *store, const struct lookup *lookup, struct examined *out);

#endif
