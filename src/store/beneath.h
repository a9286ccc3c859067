/*
 * Opens names beneath one directory and nowhere else, whatever links and renames there are.
 */
#ifndef ZCSERVE_STORE_BENEATH_H
#define ZCSERVE_STORE_BENEATH_H

#include "zcserve/text.h"

#include <stdbool.h>

struct beneath {
    int directory; /* O_PATH descriptor of the root; -1: there is none at present */
    bool follows;  /* symbolic links are followed while they stay beneath         */
    bool walks;    /* openat2 is missing: one component at a time, never a link   */
    bool may_ask;  /* the kernel can be asked for what its cache knows (Linux 5.12) */
    bool at_once;  /* nothing may wait for the disk; only with may_ask. Set in copies alone */
};

enum links { LINKS_REFUSED, LINKS_FOLLOWED };

/*
 * Opens `path` ("" is the root itself) with `flags`; O_CLOEXEC is added. A descriptor, which
 * the caller closes, or -errno: -ELOOP for a link refused, -EXDEV for a way out of the root;
 * `at_once`, -EINPROGRESS for what could not be told without waiting for the disk.
 */
int beneath_open(const struct beneath *beneath, const char *path, int flags, enum links links);

/* Whether `path` begins with `directory`, which is "" or ends in "/". */
static inline bool path_is_beneath(struct text path, struct text directory)
{
    return path.length >= directory.length &&
           memcmp(path.base, directory.base, directory.length) == 0;
}

/* Whether the kernel has openat2 and a sandbox lets it through. */
bool beneath_has_openat2(int directory);

/* Whether it can be asked to look into its cache only. */
bool beneath_may_ask(int directory);

/*
 * Whether `path` is, or would be, in a directory of a file system that has no disk (tmpfs). What its
 * cache does not know is not there, and to look for it never waits. Asked `at_once`.
 */
bool beneath_is_in_memory(const struct beneath *beneath, struct text path);

#endif
