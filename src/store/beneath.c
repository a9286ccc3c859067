/*
 * The kernel itself resolves names, in one openat2 that cannot leave the root, even while
 * directories are renamed. To check the text of a path first and open it afterwards would leave a
 * gap between the two.
 *
 * Where openat2 is missing (before Linux 5.6) or forbidden by a sandbox, the path is walked one
 * component at a time with O_NOFOLLOW. Then every symbolic link is refused.
 *
 * With `at_once`, the kernel looks only in its cache of names, and returns EAGAIN for a name that
 * is not there. It returns EAGAIN also when something is renamed meanwhile. Both are treated as
 * "not in the cache"; a later call that may wait finds out.
 */
#define _GNU_SOURCE
#include "beneath.h"
#include "links.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#ifndef RESOLVE_CACHED
#define RESOLVE_CACHED 0x20 /* for headers before Linux 5.12 */
#endif
#define TRIES_MAX 32

static int open_once(int directory, const char *path, int flags, uint64_t resolve)
{
    struct open_how how = {.flags = (unsigned)(flags | O_CLOEXEC), .resolve = resolve};
    long fd = syscall(SYS_openat2, directory, path, &how, sizeof(how));
    return fd < 0 ? -errno : (int)fd;
}

/* A rename anywhere on the machine can make openat2 fail with EAGAIN: tries again. */
static int open_patiently(int directory, const char *path, int flags, uint64_t resolve)
{
    int fd = -EAGAIN;
    for (int tries = 0; tries < TRIES_MAX && (fd == -EAGAIN || fd == -EINTR); tries++)
        fd = open_once(directory, path, flags, resolve);
    return fd;
}

static int open_at_once(int directory, const char *path, int flags, uint64_t resolve)
{
    int fd = open_once(directory, path, flags, resolve | RESOLVE_CACHED);
    return fd == -EAGAIN || fd == -EINTR ? -EINPROGRESS : fd;
}

static int step_open(int directory, const char *component, size_t length, int flags)
{
    char name[NAME_MAX + 1] = ".";
    if (length > NAME_MAX) return -ENAMETOOLONG;
    if (length > 0) {
        memcpy(name, component, length);
        name[length] = '\0';
    }
    struct stat status;
    if (fstatat(directory, name, &status, AT_SYMLINK_NOFOLLOW) != 0) return -errno;
    if (S_ISLNK(status.st_mode)) return -ELOOP;
    int fd = openat(directory, name, flags | O_NOFOLLOW | O_CLOEXEC);
    return fd < 0 ? -errno : fd;
}

static int walk_open(int root, const char *path, int flags)
{
    int directory = root;
    for (;;) {
        size_t length = strcspn(path, "/");
        const char *rest = path + length + strspn(path + length, "/");
        bool last = *rest == '\0';
        int fd = step_open(directory, path, length, last ? flags : O_PATH | O_DIRECTORY);
        if (directory != root) close(directory);
        if (fd < 0 || last) return fd;
        directory = fd;
        path = rest;
    }
}

void beneath_follow(struct beneath *beneath, enum symlink_policy policy)
{
    beneath->follows = policy != SYMLINKS_NEVER && !beneath->walks;
    beneath->absolute = policy == SYMLINKS_INSIDE || policy == SYMLINKS_OWNER;
    beneath->by_owner = policy == SYMLINKS_OWNER;
}

static int kernel_open(const struct beneath *beneath, const char *path, int flags, enum links links)
{
    uint64_t resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS;
    if (links == LINKS_REFUSED) resolve |= RESOLVE_NO_SYMLINKS;
    const char *name = *path != '\0' ? path : ".";
    if (beneath->at_once) return open_at_once(beneath->directory, name, flags, resolve);
    return open_patiently(beneath->directory, name, flags, resolve);
}

/* Links that the kernel cannot judge are followed one by one, which is slower. */
int beneath_open(const struct beneath *beneath, const char *path, int flags, enum links links)
{
    if (beneath->walks)
        return links == LINKS_FOLLOWED ? -ELOOP : walk_open(beneath->directory, path, flags);
    bool judged = links == LINKS_FOLLOWED && beneath->absolute;
    if (!judged) return kernel_open(beneath, path, flags, links);
    int fd = kernel_open(beneath, path, flags, beneath->by_owner ? LINKS_REFUSED : LINKS_FOLLOWED);
    if (fd != (beneath->by_owner ? -ELOOP : -EXDEV)) return fd;
    return beneath->at_once ? -EINPROGRESS : links_open(beneath, path, flags);
}

/* A sandbox may return any error. It is an error of openat2 itself when openat works. */
bool beneath_has_openat2(int directory)
{
    int fd = open_patiently(directory, ".", O_PATH | O_DIRECTORY, RESOLVE_BENEATH);
    int other = fd >= 0 || fd == -EAGAIN || fd == -EMFILE || fd == -ENFILE
                    ? -1
                    : openat(directory, ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0) close(fd);
    if (other >= 0) close(other);
    return other < 0;
}

bool beneath_may_ask(int directory)
{
    int fd = open_at_once(directory, ".", O_PATH | O_DIRECTORY, RESOLVE_BENEATH);
    if (fd >= 0) close(fd);
    return fd >= 0 || fd == -EINPROGRESS;
}

static bool directory_is_in_memory(int fd)
{
    struct statfs status;
    if (fstatfs(fd, &status) != 0) return false;
    return (uint32_t)status.f_type == TMPFS_MAGIC || (uint32_t)status.f_type == RAMFS_MAGIC;
}

/* Opens the directories of the path as far as the cache knows them; the last one counts. */
bool beneath_is_in_memory(const struct beneath *beneath, struct text path)
{
    char prefix[PATH_MAX] = "";
    enum links links = beneath->follows ? LINKS_FOLLOWED : LINKS_REFUSED;
    int directory = beneath->directory;
    for (size_t length = 0; length < path.length && length < sizeof(prefix) - 1; length++) {
        prefix[length] = path.base[length];
        if (path.base[length] != '/') continue;
        int fd = beneath_open(beneath, prefix, O_PATH | O_DIRECTORY, links);
        if (fd < 0) break;
        if (directory != beneath->directory) close(directory);
        directory = fd;
    }
    bool in_memory = directory_is_in_memory(directory);
    if (directory != beneath->directory) close(directory);
    return in_memory;
}
