/* What kinds of file systems can do. */
#ifndef ZCSERVE_BASE_FILE_SYSTEM_H
#define ZCSERVE_BASE_FILE_SYSTEM_H

#include <stdbool.h>
#include <sys/vfs.h>

/*
 * Returns whether all changes on this file system are made by this machine's kernel, so that
 * inotify(7) reports them. Other machines change files on a network file system, and a program may
 * change those of FUSE.
 */
bool file_system_reports_changes(const struct statfs *status);

#endif
