/*
 * The root directory, to which its path leads now.
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
    bool watched;         /* a change of the path is reported                        */
    bool suspect;         /* a change was reported: the path may lead elsewhere      */
    uint64_t compared_ns; /* monotonic time of the last comparison with the path     */
};

/* Makes `path` absolute. Returns 0 or -errno. */
int root_name(struct root *root, const char *path);

/* Watches the path, and then opens the directory: beneath->directory, or -1 when there is none. */
void root_open(struct root *root, struct beneath *beneath, struct watch *watch);
void root_close(struct beneath *beneath);

/* Returns whether the root can be opened again; if not, sets root->problem to the reason. */
bool root_is_there(struct root *root);

/* Returns whether the path still leads to the open directory. */
bool root_is_current(const struct root *root);

#endif
