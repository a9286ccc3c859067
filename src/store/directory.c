/*
 * The directories that are watched. Each watch is set on an open descriptor, which was opened
 * beneath the root without links. So it is on the right directory, whatever is renamed meanwhile. A
 * directory is watched only after its parents, so that a rename of a parent is reported.
 *
 * Directories on file systems that do not report changes are not watched.
 */
#define _GNU_SOURCE
#define XXH_INLINE_ALL
#include "directory.h"
#include "account.h"
#include "base/file_system.h"
#include "identity.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/vfs.h>
#include <unistd.h>
#include <xxhash.h>

#define DIRECTORY_MASK                                                                \
    (IN_MODIFY | IN_CLOSE_WRITE | IN_ATTRIB | IN_CREATE | IN_DELETE | IN_MOVED_FROM | \
     IN_MOVED_TO | IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR)
#define TABLE_MIN 16
#define TABLE_MAX 16384

static struct directory **link_of_path(const struct directories *d, struct text path)
{
    uint64_t hash = XXH3_64bits(path.base, path.length);
    struct directory **link = &d->by_path[hash & d->mask];
    while (*link && !text_equals((*link)->path, path))
        link = &(*link)->next_by_path;
    return link;
}

static struct directory **link_of_number(const struct directories *d, int number)
{
    struct directory **link = &d->by_number[(uint32_t)number & d->mask];
    while (*link && (*link)->number != number)
        link = &(*link)->next_by_number;
    return link;
}

struct directory *directory_find(const struct directories *d, struct text path)
{
    return *link_of_path(d, path);
}

struct directory *directory_find_number(const struct directories *d, int number)
{
    return *link_of_number(d, number);
}

static size_t table_bytes(const struct directories *d)
{
    return account_bytes((size_t)(d->mask + 1) * sizeof(struct directory *));
}

bool directories_open(struct directories *d, struct notifier *notifier, uint64_t bytes_max)
{
    uint32_t length = TABLE_MIN;
    while (length < TABLE_MAX && length < notifier->watches_max)
        length *= 2;
    *d = (struct directories){.notifier = notifier, .mask = length - 1, .bytes_max = bytes_max};
    d->by_path = calloc(length, sizeof(struct directory *));
    d->by_number = calloc(length, sizeof(struct directory *));
    notifier->counts->bytes += 2 * table_bytes(d);
    if (d->by_path && d->by_number) return true;
    directories_close(d);
    return false;
}

void directories_close(struct directories *d)
{
    free(d->by_path);
    free(d->by_number);
    d->notifier->counts->bytes -= 2 * table_bytes(d);
}

/* `directory` is in no table. */
static void directory_free(struct directories *d, struct directory *directory)
{
    d->bytes -= directory->bytes;
    d->notifier->counts->bytes -= directory->bytes;
    free(directory);
}

void directory_forget_beneath(struct directories *d, struct text path)
{
    for (uint32_t i = 0; i <= d->mask; i++) {
        struct directory **link = &d->by_path[i];
        while (*link) {
            struct directory *directory = *link;
            if (!path_is_beneath(directory->path, path)) {
                link = &directory->next_by_path;
                continue;
            }
            *link = directory->next_by_path;
            *link_of_number(d, directory->number) = directory->next_by_number;
            notifier_remove(d->notifier, directory->number);
            directory_free(d, directory);
        }
    }
}

/* Watches the directory `fd`, which no rename can replace. Returns its watch number, or -errno. */
static int add_open_directory(struct directories *d, int fd)
{
    char link[64];
    struct statfs status;
    if (fstatfs(fd, &status) != 0 || !file_system_reports_changes(&status)) {
        notices_raise(d->notifier->notices, NOTICE_NO_REPORTS);
        return -EOPNOTSUPP;
    }
    snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
    int number = notifier_add(d->notifier, link, DIRECTORY_MASK);
    if (number == -ENOENT) notices_raise(d->notifier->notices, NOTICE_NO_PROC);
    return number;
}

/* Returns NULL, with a notice, when there is no memory for one more. */
static struct directory *directory_new(struct directories *d, struct text path)
{
    size_t size = sizeof(struct directory) + path.length + 1, bytes = account_bytes(size);
    struct directory *directory = d->bytes + bytes <= d->bytes_max ? calloc(1, size) : NULL;
    if (!directory) {
        notices_raise(d->notifier->notices, NOTICE_NO_WATCH);
        return NULL;
    }
    directory->bytes = bytes;
    directory->path = (struct text){directory->letters, path.length};
    memcpy(directory->letters, path.base, path.length);
    d->bytes += bytes;
    d->notifier->counts->bytes += bytes;
    return directory;
}

/*
 * Sets a watch and enters the directory into the tables. An inode with two names (a bind mount) has
 * only one watch, which cannot tell the names apart: then returns -EEXIST. What fails has to fail
 * before the watch is set: it may be that of the root, which chain.c set and which must stay.
 */
static int directory_enter(struct directories *d, struct directory *directory, int fd)
{
    struct identity identity;
    int result = identity_read(fd, "", &identity);
    if (result == 0) result = add_open_directory(d, fd);
    if (result < 0) return result;
    if (directory_find_number(d, result)) {
        notifier_merge(d->notifier);
        return -EEXIST;
    }
    directory->number = result;
    directory->mount = identity.mount;
    *link_of_path(d, directory->path) = directory;
    *link_of_number(d, directory->number) = directory;
    return 0;
}

/* Watches a directory whose parents are watched already. Returns 0, or -errno. */
static int watch_one(struct directories *d, const struct beneath *beneath, const char *path)
{
    struct directory *directory = directory_new(d, (struct text){path, strlen(path)});
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

int directory_watch(struct directories *d, const struct beneath *beneath, struct text path,
                    uint64_t *mount)
{
    struct text holder = holder_of(path);
    struct directory *directory = NULL;
    if (d->notifier->fd < 0 || holder.length >= PATH_MAX) return -EINVAL;
    directory = directory_find(d, holder);
    for (size_t length = 0; !directory && length <= holder.length; length++) {
        if (length > 0 && holder.base[length - 1] != '/') continue;
        char prefix[PATH_MAX];
        snprintf(prefix, sizeof(prefix), "%.*s", (int)length, holder.base);
        struct text text = {prefix, length};
        if (directory_find(d, text)) continue;
        int result = watch_one(d, beneath, prefix);
        if (result < 0) return result;
    }
    directory = directory_find(d, holder);
    if (!directory) return -ENOENT;
    *mount = directory->mount;
    return 0;
}
