/*
 * Opens names beneath one directory and nowhere else, whatever links and renames there are.
 */
#ifndef ZCSERVE_STORE_BENEATH_H
#define ZCSERVE_STORE_BENEATH_H

#include "zcserve/store.h"
#include "zcserve/text.h"

struct beneath {
    int directory; /* O_PATH descriptor of the root; -1: there is no root at present */
    bool follows;  /* symbolic links are followed while they stay beneath the root   */
    bool absolute; /* absolute ones, too                                             */
    bool by_owner; /* only those that have the owner of what they lead to            */
    bool walks;    /* no openat2: opens one component at a time, and no links        */
    bool may_ask;  /* the kernel can look in its cache alone (Linux 5.12)            */
    bool at_once;  /* do not wait for the disk; only with may_ask, only in copies    */
};

enum links { LINKS_REFUSED, LINKS_FOLLOWED };

/*
 * Opens `path` ("" is the root itself) with `flags` and O_CLOEXEC. Returns a descriptor, which the
 * caller closes, or -errno: -ELOOP for a refused link, -EXDEV for a way out of the root, -EACCES for
 * a link of another owner. With `at_once`, -EINPROGRESS means that the result would have to wait for the disk.
 */
int beneath_open(const struct beneath *beneath, const char *path, int flags, enum links links);

/* Sets which links are followed; `walks` must be set. Without openat2 none is. */
void beneath_follow(struct beneath *beneath, enum symlink_policy policy);

/* Returns whether `path` begins with `directory`, which is "" or ends in "/". */
static inline bool path_is_beneath(struct text path, struct text directory)
{
    return path.length >= directory.length &&
           memcmp(path.base, directory.base, directory.length) == 0;
}

/* Returns whether the kernel has openat2 and no sandbox forbids it. */
bool beneath_has_openat2(int directory);

/* Returns whether openat2 can look in the kernel's cache alone. */
bool beneath_may_ask(int directory);

/*
 * Returns whether `path` is, or would be, in a directory of a file system without a disk (tmpfs).
 * There, a name that is not in the cache does not exist, and looking for it never waits. To be
 * called with `at_once`.
 */
bool beneath_is_in_memory(const struct beneath *beneath, struct text path);

#endif
