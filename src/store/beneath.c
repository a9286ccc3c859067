/*
 * Names are resolved by the kernel itself, in one openat2 that cannot leave the root, not even
 * while somebody renames directories meanwhile. Checking a path by its letters first and opening
 * it afterwards would leave a gap between the two.
 *
 * Where openat2 is missing (before Linux 5.6, or forbidden by a sandbox) the path is walked one
 * component at a time with O_NOFOLLOW. That refuses every symbolic link.
 */
#define _GNU_SOURCE
#include "beneath.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define TRIES_MAX 32

static int open_once(int directory, const char *path, int flags, uint64_t resolve)
{
    struct open_how how = {.flags = (unsigned)(flags | O_CLOEXEC), .resolve = resolve};
    long fd = syscall(SYS_openat2, directory, path, &how, sizeof(how));
    return fd < 0 ? -errno : (int)fd;
}

/* A rename anywhere on the machine can make openat2 give up with EAGAIN: then once more. */
static int open_patiently(int directory, const char *path, int flags, uint64_t resolve)
{
    int fd = -EAGAIN;
    for (int tries = 0; tries < TRIES_MAX && (fd == -EAGAIN || fd == -EINTR); tries++) {
        fd = open_once(directory, path, flags, resolve);
    }
    return fd;
}

static int step_open(int directory, const char *component, size_t length, int flags)
{
    char name[NAME_MAX + 1] = ".";
    if (length > NAME_MAX) {
        return -ENAMETOOLONG;
    }
    if (length > 0) {
        memcpy(name, component, length);
        name[length] = '\0';
    }
    struct stat status;
    if (fstatat(directory, name, &status, AT_SYMLINK_NOFOLLOW) != 0) {
        return -errno;
    }
    if (S_ISLNK(status.st_mode)) {
        return -ELOOP;
    }
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
        if (directory != root) {
            close(directory);
        }
        if (fd < 0 || last) {
            return fd;
        }
        directory = fd;
        path = rest;
    }
}

int beneath_open(const struct beneath *beneath, const char *path, int flags, enum links links)
{
    if (beneath->walks) {
        return links == LINKS_FOLLOWED ? -ELOOP : walk_open(beneath->directory, path, flags);
    }
    uint64_t resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS;
    if (links == LINKS_REFUSED) {
        resolve |= RESOLVE_NO_SYMLINKS;
    }
    return open_patiently(beneath->directory, *path != '\0' ? path : ".", flags, resolve);
}

bool beneath_has_openat2(int directory)
{
    int fd = open_patiently(directory, ".", O_PATH | O_DIRECTORY, RESOLVE_BENEATH);
    if (fd >= 0) {
        close(fd);
    }
    return fd != -ENOSYS && fd != -EPERM && fd != -EINVAL;
}
