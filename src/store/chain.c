/*
 * The chain of a root: every directory and every symbolic link that its path goes through. A
 * deploy that swaps a link or renames a directory along it gives the root another meaning while
 * the open root still is the old directory; these watches tell.
 *
 * The things themselves are watched: moved, deleted, a link replaced. That is not enough for directories:
 * the kernel tells of one that was removed only when the last who has it open lets go of it, and the
 * store itself has the root open. So each directory is also watched for names that are removed from it or
 * replaced in it, and only for those, because the directories above a root may be busy.
 */
#define _GNU_SOURCE
#include "chain.h"
#include "base/file_system.h"

#include <errno.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/vfs.h>
#include <unistd.h>

#define LINKS_MAX 40 /* as many as the kernel follows */

/* A path being followed: `done` has no links in it, `rest` is still to go. */
struct trail {
    char done[PATH_MAX], rest[PATH_MAX];
    int links;
};

static bool chain_add(struct watch *watch, const char *path, bool is_link)
{
    struct statfs status;
    if (watch->chain_count == CHAIN_MAX) return false;
    if (!is_link && (statfs(path, &status) != 0 || !file_system_reports_changes(&status)))
        return false;
    /* Directories without IN_ATTRIB: it would tell of every file in them. */
    uint32_t mask = IN_MOVE_SELF | IN_DELETE_SELF | (is_link ? IN_ATTRIB : IN_DELETE | IN_MOVED_TO);
    int number = watch_add(watch, path, mask | IN_DONT_FOLLOW | IN_MASK_ADD);
    if (number < 0) return false;
    watch->chain[watch->chain_count++] = number;
    return true;
}

/* Moves the next component from `rest` to `done`; false at the end. */
static bool trail_step(struct trail *trail)
{
    char *component = trail->rest + strspn(trail->rest, "/");
    size_t length = strcspn(component, "/");
    size_t done = strlen(trail->done);
    if (length == 0 || done + 1 + length >= PATH_MAX) return false;
    if (length == 2 && memcmp(component, "..", 2) == 0) {
        char *slash = strrchr(trail->done, '/');
        if (slash) *slash = '\0';
    } else if (length != 1 || *component != '.') {
        trail->done[done] = '/';
        memcpy(trail->done + done + 1, component, length);
        trail->done[done + 1 + length] = '\0';
    }
    memmove(trail->rest, component + length, strlen(component + length) + 1);
    return true;
}

/* `done` ends in a link to `target`: goes on from there. */
static bool trail_follow(struct trail *trail, const char *target, size_t length)
{
    size_t rest = strlen(trail->rest);
    if (++trail->links > LINKS_MAX || length + 1 + rest >= PATH_MAX) return false;
    memmove(trail->rest + length + 1, trail->rest, rest + 1);
    memcpy(trail->rest, target, length);
    trail->rest[length] = '/';
    char *name = *target == '/' ? trail->done : strrchr(trail->done, '/');
    if (name) *name = '\0';
    return true;
}

bool chain_watch(struct watch *watch, const char *root)
{
    struct trail trail = {.done = ""};
    size_t length = strlen(root);
    if (watch->fd < 0 || length >= PATH_MAX) return false;
    memcpy(trail.rest, root, length + 1);
    if (!chain_add(watch, "/", false)) return false;
    while (trail_step(&trail)) {
        char target[PATH_MAX];
        if (trail.done[0] == '\0') continue;
        ssize_t target_length = readlink(trail.done, target, sizeof(target));
        if (!chain_add(watch, trail.done, target_length > 0)) return false;
        if (target_length > 0 && !trail_follow(&trail, target, (size_t)target_length)) return false;
    }
    return trail.rest[strspn(trail.rest, "/")] == '\0';
}
