/*
 * Notices: raised as often as one likes, told once each.
 */
#include "notice.h"

#include <stddef.h>

static const char *const notice_lines[NOTICE_COUNT] = {
    [NOTICE_NO_OPENAT2] = "openat2 is missing or forbidden (Linux 5.6, seccomp): symbolic links "
                          "beneath the root are not followed",
    [NOTICE_NO_CACHED] = "openat2 cannot look into the kernel's cache alone (Linux 5.12, seccomp): "
                         "while a name is read from the disk, other connections wait",
    [NOTICE_NO_INOTIFY] = "no inotify instance (fs.inotify.max_user_instances): cached files are "
                          "compared with the disk on each hit",
    [NOTICE_NO_INIT] =
        "inotify_init1 is missing or forbidden (a sandbox such as seccomp): cached files "
        "are compared with the disk on each hit",
    [NOTICE_NO_ADD] =
        "inotify_add_watch is missing or forbidden (a sandbox such as seccomp): cached "
        "files are compared with the disk on each hit",
    [NOTICE_NO_WATCH] = "directory watches ran out (fs.inotify.max_user_watches, or the "
                        "configured number): further files are compared with the disk on each hit",
    [NOTICE_NO_PROC] = "/proc is not mounted, so directories cannot be watched: cached files are "
                       "compared with the disk on each hit",
    [NOTICE_NO_REPORTS] = "a file system (network or FUSE) does not report changes: files on it "
                          "are compared with the disk on each hit",
    [NOTICE_OVERFLOW] = "changes came faster than they were read (fs.inotify.max_queued_events): "
                        "the cache was emptied",
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
