/*
 * The chain of a root: every directory and every symbolic link that its path goes through. A deploy
 * that replaces a link or renames a directory in it gives the path another meaning, while the open
 * root is still the old directory. These watches report that.
 *
 * The directories and links themselves are watched: whether they are moved, deleted, or a link
 * replaced. For directories that is not enough: the kernel reports a removal only when nobody has
 * the directory open any more, and the store itself has the root open. So each directory is also
 * watched for names that are removed or replaced in it, but for nothing else, because directories
 * above a root may be busy.
 */
#define _GNU_SOURCE
#include "chain.h"
#include "base/file_system.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/vfs.h>
#include <unistd.h>

#define LINKS_MAX 40 /* as many as the kernel follows */

/* A path being followed: `done` has no links in it, `rest` is still to be followed. */
struct trail {
    char done[PATH_MAX], rest[PATH_MAX];
    int links;
};

static bool chain_add(struct chain *chain, struct notifier *notifier, uint16_t tree,
                      const char *path, bool is_link)
{
    struct statfs status;
    if (chain->count == CHAIN_MAX) return false;
    if (!is_link && (statfs(path, &status) != 0 || !file_system_reports_changes(&status)))
        return false;
    /* Not IN_ATTRIB for directories: it would report changes of every file in them. */
    uint32_t mask = IN_MOVE_SELF | IN_DELETE_SELF | (is_link ? IN_ATTRIB : IN_DELETE | IN_MOVED_TO);
    struct watched *link = &chain->link[chain->count];
    *link = (struct watched){.tree = tree, .watching = WATCHING_WAY};
    if (notifier_add(notifier, link, path, mask | IN_DONT_FOLLOW) < 0) return false;
    chain->count++;
    return true;
}

/* Moves the next component from `rest` to `done`. Returns false at the end. */
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

/*
 * Goes on from a link at the end of `done`, which leads to `target`. Returns false when the path
 * gets too long or there are too many links.
 */
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

bool chain_watch(struct chain *chain, struct notifier *notifier, uint16_t tree, const char *root)
{
    struct trail trail = {.done = ""};
    size_t length = strlen(root);
    if (notifier->fd < 0 || length >= PATH_MAX) return false;
    memcpy(trail.rest, root, length + 1);
    if (!chain_add(chain, notifier, tree, "/", false)) return false;
    while (trail_step(&trail)) {
        char target[PATH_MAX];
        if (trail.done[0] == '\0') continue;
        ssize_t target_length = readlink(trail.done, target, sizeof(target));
        if (!chain_add(chain, notifier, tree, trail.done, target_length > 0)) return false;
        if (target_length > 0 && !trail_follow(&trail, target, (size_t)target_length)) return false;
    }
    return trail.rest[strspn(trail.rest, "/")] == '\0';
}

void chain_forget(struct chain *chain, struct notifier *notifier)
{
    for (; chain->count > 0; chain->count--)
        notifier_remove(notifier, &chain->link[chain->count - 1]);
}
