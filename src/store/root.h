/*
 * The root directory: which one its path leads to, now.
 */
#ifndef ZCSERVE_STORE_ROOT_H
#define ZCSERVE_STORE_ROOT_H

#include "beneath.h"
#include "identity.h"
#include "watch.h"

struct root {
    char path[PATH_MAX]; /* absolute */
    struct identity identity;
    int problem;          /* errno: why there is no root at present; 0: there is one */
    const char *call;     /* the system call that a sandbox seems to forbid; or NULL */
    bool watched;         /* the watch tells when the path leads elsewhere           */
    bool suspect;         /* it told of what may be that                             */
    uint64_t compared_ns; /* monotonic time of the last root_is_current              */
};

/* Makes `path` absolute. 0 or -errno. */
int root_name(struct root *root, const char *path);

/* Watches the path and then opens the directory: beneath->directory, -1 when there is none. */
void root_open(struct root *root, struct beneath *beneath, struct watch *watch);
void root_close(struct beneath *beneath);

/* Whether it could be opened again, after it could not; else root->problem says why not. */
bool root_is_there(struct root *root);

/* Whether the path still leads to the open directory. */
bool root_is_current(const struct root *root);

#endif
