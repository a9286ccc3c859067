/*
 * The directories that are watched. Each watch is set on an open descriptor, which was opened
 * beneath the root without links. So it is on the right directory, whatever is renamed meanwhile. A
 * directory is watched only after its parents, so that a rename of a parent is reported.
 *
 * Directories on file systems that do not report changes are not watched.
 */
#define _GNU_SOURCE
#include "directory.h"
#include "account.h"
#include "base/file_system.h"
#include "identity.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/vfs.h>
#include <unistd.h>

#define DIRECTORY_MASK                                                                \
    (IN_MODIFY | IN_CLOSE_WRITE | IN_ATTRIB | IN_CREATE | IN_DELETE | IN_MOVED_FROM | \
     IN_MOVED_TO | IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR)

static struct directory **link_of(const struct directories *d, const struct key *key)
{
    struct directory **link = &d->table[key->hash & d->mask];
    while (*link && !key_equals(&(*link)->key, key))
        link = &(*link)->next;
    return link;
}

struct directory *directory_find(const struct directories *d, uint16_t tree, struct text path)
{
    struct key key = key_make(0, tree, path);
    return d->table ? *link_of(d, &key) : NULL;
}

static struct directory *directory_of(struct watched *watched)
{
    return (struct directory *)(void *)((char *)watched - offsetof(struct directory, watched));
}

struct directory *directory_find_number(const struct directories *d, uint16_t tree, int number)
{
    struct watched *watched = notifier_find(d->notifier, number, tree, WATCHING_DIRECTORY);
    return watched ? directory_of(watched) : NULL;
}

static size_t table_bytes(const struct directories *d)
{
    return account_bytes((size_t)(d->mask + 1) * sizeof(struct directory *));
}

bool directories_open(struct directories *d, struct notifier *notifier, uint64_t bytes_max)
{
    *d = (struct directories){.notifier = notifier, .mask = notifier->mask, .bytes_max = bytes_max};
    d->table = calloc((size_t)d->mask + 1, sizeof(struct directory *));
    if (d->table) notifier->counts->bytes += table_bytes(d);
    return d->table;
}

void directories_close(struct directories *d)
{
    assert(d->bytes == 0);
    free(d->table);
    d->notifier->counts->bytes -= table_bytes(d);
}

/* `directory` is in no table, and not watched. */
static void directory_free(struct directories *d, struct directory *directory)
{
    d->bytes -= directory->bytes;
    d->notifier->counts->bytes -= directory->bytes;
    free(directory);
}

static bool is_in(const struct directory *directory, uint16_t tree, struct text path)
{
    return directory->key.tree == tree && path_is_beneath(directory->key.path, path);
}

void directory_forget_beneath(struct directories *d, uint16_t tree, struct text path)
{
    for (uint32_t i = 0; i <= d->mask; i++) {
        struct directory **link = &d->table[i];
        while (*link) {
            struct directory *directory = *link;
            if (!is_in(directory, tree, path)) {
                link = &directory->next;
                continue;
            }
            *link = directory->next;
            notifier_remove(d->notifier, &directory->watched);
            directory_free(d, directory);
        }
    }
}

/*
 * Without /proc, as after chroot(2): by the working directory, which all threads share, and which
 * nothing else uses. It does not stay there, because then no removal of that directory would be
 * reported.
 */
static int add_here(struct directories *d, struct watched *watched, int fd)
{
    static atomic_flag taken = ATOMIC_FLAG_INIT;
    while (atomic_flag_test_and_set_explicit(&taken, memory_order_acquire))
        sched_yield(); /* another thread is here, for three short calls */
    bool is_here = fchdir(fd) == 0;
    int result = is_here ? notifier_add(d->notifier, watched, ".", DIRECTORY_MASK) : -errno;
    if (!is_here || chdir("/") != 0) notices_raise(d->notifier->notices, NOTICE_NO_PROC);
    atomic_flag_clear_explicit(&taken, memory_order_release);
    return result;
}

/* Watches the directory `fd`, which no rename can replace. Returns 0 or -errno. */
static int add_open_directory(struct directories *d, struct watched *watched, int fd)
{
    char link[64];
    struct statfs status;
    if (fstatfs(fd, &status) != 0 || !file_system_reports_changes(&status)) {
        notices_raise(d->notifier->notices, NOTICE_NO_REPORTS);
        return -EOPNOTSUPP;
    }
    snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
    int result = notifier_add(d->notifier, watched, link, DIRECTORY_MASK);
    return result == -ENOENT ? add_here(d, watched, fd) : result;
}

/* Returns NULL, with a notice, when there is no memory for one more. */
static struct directory *directory_new(struct directories *d, const struct key *key)
{
    struct text path = key->path;
    size_t size = sizeof(struct directory) + path.length + 1, bytes = account_bytes(size);
    struct directory *directory = d->bytes + bytes <= d->bytes_max ? calloc(1, size) : NULL;
    if (!directory) {
        notices_raise(d->notifier->notices, NOTICE_NO_WATCH);
        return NULL;
    }
    directory->bytes = bytes;
    directory->watched = (struct watched){.tree = key->tree, .watching = WATCHING_DIRECTORY};
    directory->key = *key;
    directory->key.path.base = directory->letters;
    memcpy(directory->letters, path.base, path.length);
    d->bytes += bytes;
    d->notifier->counts->bytes += bytes;
    return directory;
}

/*
 * Sets a watch and enters the directory into the table. An inode with two names in a tree (a bind
 * mount) has only one watch, which cannot tell the names apart: then returns -EEXIST.
 */
static int directory_enter(struct directories *d, struct directory *directory, int fd)
{
    struct identity identity;
    int result = identity_read(fd, "", &identity);
    if (result == 0) result = add_open_directory(d, &directory->watched, fd);
    if (result < 0) return result;
    if (notifier_has_other(d->notifier, &directory->watched)) {
        notifier_remove(d->notifier, &directory->watched);
        return -EEXIST;
    }
    directory->mount = identity.mount;
    directory->changed = ++d->changes;
    *link_of(d, &directory->key) = directory;
    return 0;
}

/* Watches a directory whose parents are watched already. Returns 0, or -errno. */
static int watch_one(struct directories *d, uint16_t tree, const struct beneath *beneath,
                     const char *path)
{
    struct key key = key_make(0, tree, (struct text){path, strlen(path)});
    struct directory *directory = directory_new(d, &key);
    if (!directory) return -ENOMEM;
    int fd = beneath_open(beneath, path, O_PATH | O_DIRECTORY, LINKS_REFUSED);
    int result = fd < 0 ? fd : directory_enter(d, directory, fd);
    if (result < 0) directory_free(d, directory);
    if (fd >= 0) close(fd);
    return result;
}

/* Returns the path of the directory that holds `path`: the text up to the last slash. */
static struct text holder_of(struct text path)
{
    while (path.length > 0 && path.base[path.length - 1] != '/')
        path.length--;
    return path;
}

int directory_watch(struct directories *d, uint16_t tree, const struct beneath *beneath,
                    struct text path, uint64_t *mount)
{
    struct text holder = holder_of(path);
    struct directory *directory = NULL;
    if (d->notifier->fd < 0 || holder.length >= PATH_MAX) return -EINVAL;
    directory = directory_find(d, tree, holder);
    for (size_t length = 0; !directory && length <= holder.length; length++) {
        if (length > 0 && holder.base[length - 1] != '/') continue;
        char prefix[PATH_MAX];
        snprintf(prefix, sizeof(prefix), "%.*s", (int)length, holder.base);
        struct text text = {prefix, length};
        if (directory_find(d, tree, text)) continue;
        int result = watch_one(d, tree, beneath, prefix);
        if (result < 0) return result;
    }
    directory = directory_find(d, tree, holder);
    if (!directory) return -ENOENT;
    *mount = directory->mount;
    return 0;
}
