/*
 * Takes away the file system but for what is served (landlock(7)). A rule is about a directory and
 * all beneath it, and holds on to the directory itself, not to its name. So a root that a deploy
 * replaces later has no rule of its own: it is covered by that of the directory above it, or above
 * what a symbolic link on the way to it leads to:
 *
 *     /srv/site/current ─► releases/41      rules: /srv/site/releases/41, /srv/site, /srv/site/releases
 *     /srv/site/public                      rules: /srv/site/public, /srv/site
 *     /www                                  rules: /www; nobody opens all of "/" by this
 *
 * After chroot(2) "/" is a directory that was named, and may get a rule as any other.
 */
#define _GNU_SOURCE
#include "zcserve/confine.h"
#include "zcserve/log.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/landlock.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define LINKS_MAX 40 /* as the kernel follows: path_resolution(7) */

/* Reading, writing, making and removing, as the first version of Landlock knows them (Linux 5.13). */
#define FILES_FIRST ((LANDLOCK_ACCESS_FS_MAKE_SYM << 1) - 1)

static int version(void)
{
    return (int)syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
}

const char *confine_files_problem(void)
{
    if (version() >= 1) return NULL;
    switch (errno) {
    case EOPNOTSUPP:
        return "Landlock is not active (add landlock to lsm= on the kernel's command line)";
    case ENOSYS: return "this kernel has no Landlock (Linux 5.13), or a filter forbids it";
    default: return strerror(errno);
    }
}

/*
 * Everything that this version of Landlock can take away; no TCP socket can be bound or connected, and
 * no process outside gets a signal. Returns a descriptor, or -errno.
 */
static int ruleset_make(void)
{
    int abi = version();
    struct landlock_ruleset_attr set = {.handled_access_fs = FILES_FIRST};
    size_t size = offsetof(struct landlock_ruleset_attr, handled_access_net);
    if (abi < 1) return -errno;
    if (abi >= 2) set.handled_access_fs |= LANDLOCK_ACCESS_FS_REFER;     /* Linux 5.19 */
    if (abi >= 3) set.handled_access_fs |= LANDLOCK_ACCESS_FS_TRUNCATE;  /* Linux 6.2 */
    if (abi >= 5) set.handled_access_fs |= LANDLOCK_ACCESS_FS_IOCTL_DEV; /* Linux 6.10 */
    if (abi >= 4) {                                                      /* Linux 6.7 */
        set.handled_access_net = LANDLOCK_ACCESS_NET_BIND_TCP | LANDLOCK_ACCESS_NET_CONNECT_TCP;
        size = offsetof(struct landlock_ruleset_attr, scoped);
    }
    if (abi >= 6) { /* Linux 6.12 */
        set.scoped = LANDLOCK_SCOPE_ABSTRACT_UNIX_SOCKET | LANDLOCK_SCOPE_SIGNAL;
        size = sizeof(set);
    }
    int fd = (int)syscall(SYS_landlock_create_ruleset, &set, size, 0);
    return fd < 0 ? -errno : fd;
}

/* Returns 1 for the directory "/", 0 for another one, or -errno. */
static int is_top(int directory)
{
    struct stat one, top;
    if (fstat(directory, &one) != 0 || stat("/", &top) != 0) return -errno;
    return one.st_dev == top.st_dev && one.st_ino == top.st_ino;
}

static int rule_add(int ruleset, int directory)
{
    struct landlock_path_beneath_attr rule = {
        .allowed_access = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR,
        .parent_fd = directory,
    };
    long result = syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0);
    return result == 0 ? 0 : -errno;
}

/* Nothing can be served there, now. */
static bool is_absence(int error)
{
    return error == ENOENT || error == ENOTDIR || error == EACCES || error == ELOOP ||
           error == ENAMETOOLONG;
}

/*
 * What is not there, or is no directory, gets no rule. `top`: the directory "/" may get one. Returns
 * 0 or -errno.
 */
static int readable_add(int ruleset, const char *path, bool top)
{
    int fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return is_absence(errno) ? 0 : -errno;
    int result = top ? 0 : is_top(fd);
    if (result == 0)
        result = rule_add(ruleset, fd);
    else if (result == 1)
        result = 0;
    close(fd);
    return result;
}

/*
 * The directory that has the name of which `path` has `length` bytes. `top`: as above. Returns 0 or
 * -errno.
 */
static int above_add(int ruleset, const char *path, size_t length, bool top)
{
    char above[PATH_MAX];
    while (length > 0 && path[length - 1] == '/')
        length--;
    while (length > 0 && path[length - 1] != '/')
        length--;
    if (length >= sizeof(above)) return 0;
    memcpy(above, path, length);
    above[length] = '\0';
    return readable_add(ruleset, above, top);
}

/*
 * Replaces the first symbolic link on the path, which is absolute, by where it leads. Returns where
 * the path goes on behind that; 0: there is no link.
 */
static size_t link_follow(char *path)
{
    char target[PATH_MAX], next[PATH_MAX];
    for (char *end = path; *end;) {
        end += strspn(end, "/");
        end += strcspn(end, "/");
        char behind = *end;
        *end = '\0';
        ssize_t length = readlink(path, target, sizeof(target) - 1);
        const char *name = strrchr(path, '/');
        int before = length > 0 && target[0] != '/' ? (int)(name - path) + 1 : 0;
        int written = length < 0 ? -1
                                 : snprintf(next, sizeof(next), "%.*s%.*s", before, path,
                                            (int)length, target);
        *end = behind;
        if (length < 0) continue;
        size_t used = (size_t)written, rest = strlen(end);
        if (used + rest >= sizeof(next)) return 0;
        memcpy(next + used, end, rest + 1);
        memcpy(path, next, used + rest + 1);
        return used;
    }
    return 0;
}

/*
 * The root, the directory above it, and those above the targets of links that lead to it. Returns 0 or
 * -errno.
 */
static int root_add(int ruleset, const char *root, bool alone, bool top)
{
    char path[PATH_MAX];
    size_t end = strlen(root);
    int error = readable_add(ruleset, root, true);
    if (alone || *root != '/' || end >= sizeof(path)) return error;
    memcpy(path, root, end + 1);
    for (int i = 0; i < LINKS_MAX && end > 0 && error == 0; i++) {
        error = above_add(ruleset, path, end, top);
        end = link_follow(path);
    }
    return error;
}

static int restrict_self(int ruleset)
{
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return -errno;
    return syscall(SYS_landlock_restrict_self, ruleset, 0) == 0 ? 0 : -errno;
}

bool confine_files(const struct confinement *confinement)
{
    if (!confinement->files) return true;
    bool named = confinement->beneath && confinement->beneath[0];
    int ruleset = ruleset_make();
    int error = ruleset < 0 ? ruleset : 0;
    for (uint32_t i = 0; i < confinement->roots && error == 0; i++)
        error = root_add(ruleset, confinement->root[i], named, confinement->chroot);
    for (uint32_t i = 0; named && error == 0 && confinement->beneath[i]; i++)
        error = readable_add(ruleset, confinement->beneath[i], true);
    if (error == 0) error = restrict_self(ruleset);
    if (ruleset >= 0) close(ruleset);
    if (error != 0) log_error("the file system cannot be taken away: %s", strerror(-error));
    return error == 0;
}
