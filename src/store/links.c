/*
 * The path is taken component by component. `done` is what was reached: a path beneath the root
 * without links. Each component is opened at the end of `done`, by the kernel, beneath the root and
 * without links before it. When it is a link, its target takes its place in `rest`.
 *
 * Names may change meanwhile. But at the end the whole of `done` is opened once more, again beneath
 * the root and without links. So whatever is raced, the result is a file that has a name without
 * links beneath the root, or an error.
 */
#define _GNU_SOURCE
#include "links.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LINKS_MAX 40 /* as many as the kernel follows */

/* The owner of a link, which what it leads to must have: what is reached when so much is left. */
struct claim {
    uid_t owner;
    size_t rest; /* length of what comes after the target of the link */
};

struct trail {
    const struct beneath *beneath;
    char done[PATH_MAX]; /* "" or "a/b" */
    char rest[PATH_MAX];
    struct claim claim[LINKS_MAX]; /* those that are not checked yet */
    int links, claims;
};

static int open_plain(const struct trail *trail, int flags)
{
    return beneath_open(trail->beneath, trail->done, flags, LINKS_REFUSED);
}

/* Removes the last component of `done`. Returns -EXDEV when there is none: that leads out. */
static int trail_back(struct trail *trail)
{
    char *slash = strrchr(trail->done, '/');
    if (trail->done[0] == '\0') return -EXDEV;
    *(slash ? slash : trail->done) = '\0';
    return 0;
}

/* Puts a component at the end of `done`. Returns 0 or -ENAMETOOLONG. */
static int trail_append(struct trail *trail, const char *name, size_t length)
{
    size_t done = strlen(trail->done), slash = done > 0;
    if (done + slash + length >= sizeof(trail->done)) return -ENAMETOOLONG;
    if (slash) trail->done[done] = '/';
    memcpy(trail->done + done + slash, name, length);
    trail->done[done + slash + length] = '\0';
    return 0;
}

/* Removes the first `length` bytes of `rest`, and slashes behind them. */
static void trail_advance(struct trail *trail, size_t length)
{
    const char *left = trail->rest + length + strspn(trail->rest + length, "/");
    memmove(trail->rest, left, strlen(left) + 1);
}

/*
 * Sets *offset to where the path beneath the root begins in the absolute path `target`. Each prefix
 * is looked at; the first that is the root counts. Returns 0, or -EXDEV when there is none.
 */
static int inside_of(const struct beneath *beneath, const char *target, size_t *offset)
{
    struct stat root, found;
    char prefix[PATH_MAX];
    size_t length = 0;
    if (fstat(beneath->directory, &root) != 0) return -errno;
    while (target[length] != '\0') {
        length += strspn(target + length, "/");
        memcpy(prefix, target, length);
        prefix[length] = '\0';
        bool is_root =
            stat(prefix, &found) == 0 && found.st_dev == root.st_dev && found.st_ino == root.st_ino;
        *offset = length;
        if (is_root) return 0;
        length += strcspn(target + length, "/");
    }
    if (stat(target, &found) != 0 || found.st_dev != root.st_dev || found.st_ino != root.st_ino)
        return -EXDEV;
    *offset = length;
    return 0;
}

/* Goes on at the target of a link: puts it before `rest`, without the part that leads to the root. */
static int trail_follow(struct trail *trail, const char *target, size_t length)
{
    size_t offset = 0, rest = strlen(trail->rest);
    if (target[0] == '/') {
        int result = inside_of(trail->beneath, target, &offset);
        if (result < 0) return result;
        trail->done[0] = '\0';
    }
    target += offset;
    length -= offset;
    if (length == 0) target = ".", length = 1; /* the root itself */
    if (length + 1 + rest >= sizeof(trail->rest)) return -ENAMETOOLONG;
    memmove(trail->rest + length + 1, trail->rest, rest + 1);
    memcpy(trail->rest, target, length);
    trail->rest[length] = '/';
    trail_advance(trail, 0);
    return 0;
}

/* `fd` is a link at the end of `done`. Takes it away from there, and follows it. */
static int trail_take_link(struct trail *trail, int fd, const struct stat *link)
{
    char target[PATH_MAX];
    if (trail->links++ == LINKS_MAX) return -ELOOP;
    ssize_t length = readlinkat(fd, "", target, sizeof(target));
    if (length < 0) return -errno;
    if (length == 0 || length == (ssize_t)sizeof(target)) return -ENAMETOOLONG;
    target[length] = '\0';
    if (trail->beneath->by_owner)
        trail->claim[trail->claims++] = (struct claim){link->st_uid, strlen(trail->rest)};
    trail_back(trail);
    return trail_follow(trail, target, (size_t)length);
}

/* `reached` is no link. Holds it against the claims of all links that lead to it. */
static int trail_check(struct trail *trail, const struct stat *reached)
{
    size_t rest = strlen(trail->rest);
    while (trail->claims > 0 && trail->claim[trail->claims - 1].rest >= rest)
        if (trail->claim[--trail->claims].owner != reached->st_uid) return -EACCES;
    return 0;
}

/* Looks at the end of `done`. */
static int trail_look(struct trail *trail)
{
    struct stat status;
    int fd = open_plain(trail, O_PATH | O_NOFOLLOW);
    if (fd < 0) return fd;
    int result = 0;
    if (fstat(fd, &status) != 0)
        result = -errno;
    else if (S_ISLNK(status.st_mode))
        result = trail_take_link(trail, fd, &status);
    else
        result = trail_check(trail, &status);
    close(fd);
    return result;
}

/* Takes the next component of `rest`. */
static int trail_step(struct trail *trail)
{
    char name[NAME_MAX + 1];
    size_t length = strcspn(trail->rest, "/");
    if (length > NAME_MAX) return -ENAMETOOLONG;
    memcpy(name, trail->rest, length);
    trail_advance(trail, length);
    bool dot = length == 1 && name[0] == '.', dots = length == 2 && memcmp(name, "..", 2) == 0;
    int result = dot ? 0 : dots ? trail_back(trail) : trail_append(trail, name, length);
    return result < 0 ? result : trail_look(trail);
}

int links_open(const struct beneath *beneath, const char *path, int flags)
{
    struct trail trail = {.beneath = beneath};
    size_t length = strlen(path);
    if (length >= sizeof(trail.rest)) return -ENAMETOOLONG;
    bool directory = length > 0 && path[length - 1] == '/';
    memcpy(trail.rest, path, length + 1);
    trail_advance(&trail, 0);
    while (trail.rest[0] != '\0') {
        int result = trail_step(&trail);
        if (result < 0) return result;
    }
    return open_plain(&trail, directory ? flags | O_DIRECTORY : flags);
}
