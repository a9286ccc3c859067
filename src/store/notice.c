/*
 * Notices: a notice may be raised many times, and is returned once.
 */
#include "notice.h"

#include <stddef.h>

static const char *const notice_lines[NOTICE_COUNT] = {
    [NOTICE_NO_OPENAT2] = "openat2 is missing or forbidden, so symbolic links beneath the root are "
                          "not followed; it needs Linux 5.6, and seccomp must allow it",
    [NOTICE_NO_CACHED] = "openat2 cannot look in the kernel's cache alone, so while a name is read "
                         "from the disk, other connections wait; this needs Linux 5.12, and "
                         "seccomp must allow it",
    [NOTICE_NO_INOTIFY] = "no inotify instance is left, so cached files are compared with the disk "
                          "on each hit; raise fs.inotify.max_user_instances",
    [NOTICE_NO_INIT] = "inotify_init1 is missing or forbidden, so cached files are compared with "
                       "the disk on each hit; a sandbox such as seccomp must allow it",
    [NOTICE_NO_ADD] = "inotify_add_watch is missing or forbidden, so cached files are compared "
                      "with the disk on each hit; a sandbox such as seccomp must allow it",
    [NOTICE_NO_WATCH] = "directory watches ran out, so files in other directories are compared "
                        "with the disk on each hit; raise cache.watches, cache.size or "
                        "fs.inotify.max_user_watches",
    [NOTICE_NO_PROC] = "/proc is not mounted and the working directory cannot change, so "
                       "directories are not watched, and cached files are compared with the disk "
                       "on each hit",
    [NOTICE_NO_REPORTS] = "a file system (network or FUSE) does not report changes, so files on it "
                          "are compared with the disk on each hit",
    [NOTICE_NO_RIGHT] = "a root was replaced by a directory that this process may not read; if its "
                        "requests get status 403 now, the sandbox does not cover it: reload the "
                        "server, and name the directory above it in sandbox.directories",
    [NOTICE_OVERFLOW] = "changes came faster than they were read, so the cache was emptied; raise "
                        "fs.inotify.max_queued_events",
};

void notices_raise(struct notices *notices, enum notice notice)
{
    notices->raised |= 1U << notice;
}

const char *notices_next(struct notices *notices)
{
    for (unsigned notice = 0; notice < NOTICE_COUNT; notice++) {
        unsigned bit = 1U << notice;
        if ((notices->raised & ~notices->told & bit) == 0) continue;
        notices->told |= bit;
        return notice_lines[notice];
    }
    return NULL;
}
