/*
 * The root directory, to which its path leads now.
 */
#ifndef ZCSERVE_STORE_ROOT_H
#define ZCSERVE_STORE_ROOT_H

#include "beneath.h"
#include "chain.h"
#include "identity.h"
#include "watch.h"

struct root {
    char path[PATH_MAX]; /* absolute */
    struct identity identity;
    struct chain chain;
    int problem;               /* errno: why there is no root at present; 0: there is one */
    const char *call;          /* the system call that a sandbox seems to forbid; or NULL */
    bool watched;              /* a change of the path is reported                        */
    uint64_t trusted_until_ns; /* monotonic time when it is compared with the path again; */
                               /* 0: at the next lookup                                   */
};

/* Makes `path` absolute. Returns 0 or -errno. */
int root_name(struct root *root, const char *path);

/*
 * Watches the path for `tree`, and then opens the directory: beneath->directory, or -1 when there is
 * none. root_close() removes the watches and closes the directory.
 */
void root_open(struct root *root, struct beneath *beneath, uint16_t tree, struct watch *watch);
void root_close(struct root *root, struct beneath *beneath, struct watch *watch);

/* Returns whether the root can be opened again; if not, sets root->problem to the reason. */
bool root_is_there(struct root *root);

/* Returns whether the path still leads to the open directory. */
bool root_is_current(const struct root *root);

#endif
