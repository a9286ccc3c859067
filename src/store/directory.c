/*
 * The directories that are watched: the watch of each is set on an open descriptor that was got
 * beneath the root without links, so that it is the right one whatever is renamed meanwhile; and
 * only after its parents', so that whoever renames one of them is heard.
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

static struct directory **link_of_path(const struct watch *watch, struct text path)
{
    uint64_t hash = XXH3_64bits(path.base, path.length);
    struct directory **link = &watch->by_path[hash & watch->mask];
    while (*link && !text_equals((*link)->path, path))
        link = &(*link)->next_by_path;
    return link;
}

static struct directory **link_of_number(const struct watch *watch, int number)
{
    struct directory **link = &watch->by_number[(uint32_t)number & watch->mask];
    while (*link && (*link)->number != number)
        link = &(*link)->next_by_number;
    return link;
}

struct directory *directory_find(const struct watch *watch, struct text path)
{
    return *link_of_path(watch, path);
}

struct directory *directory_find_number(const struct watch *watch, int number)
{
    return *link_of_number(watch, number);
}

static size_t table_bytes(const struct watch *watch)
{
    return account_bytes((size_t)(watch->mask + 1) * sizeof(struct directory *));
}

bool directory_open_tables(struct watch *watch)
{
    uint32_t length = TABLE_MIN;
    while (length < TABLE_MAX && length < watch->watches_max)
        length *= 2;
    watch->mask = length - 1;
    watch->by_path = calloc(length, sizeof(struct directory *));
    watch->by_number = calloc(length, sizeof(struct directory *));
    watch->counts->bytes += 2 * table_bytes(watch);
    return watch->by_path && watch->by_number;
}

void directory_close_tables(struct watch *watch)
{
    free(watch->by_path);
    free(watch->by_number);
    watch->counts->bytes -= 2 * table_bytes(watch);
}

static void directory_free(struct watch *watch, struct directory *directory)
{
    watch->directory_bytes -= directory->bytes;
    watch->counts->bytes -= directory->bytes;
    watch->counts->watches--;
    inotify_rm_watch(watch->fd, directory->number);
    free(directory);
}

void directory_forget_beneath(struct watch *watch, struct text path)
{
    for (uint32_t i = 0; i <= watch->mask; i++) {
        struct directory **link = &watch->by_path[i];
        while (*link) {
            struct directory *directory = *link;
            if (!path_is_beneath(directory->path, path)) {
                link = &directory->next_by_path;
                continue;
            }
            *link = directory->next_by_path;
            *link_of_number(watch, directory->number) = directory->next_by_number;
            directory_free(watch, directory);
        }
    }
}

/* Watches the directory open as `fd`, which no rename can exchange. Its number, or -errno. */
static int add_open_directory(struct watch *watch, int fd)
{
    char link[64];
    struct statfs status;
    if (fstatfs(fd, &status) != 0 || !file_system_reports_changes(&status)) {
        notices_raise(watch->notices, NOTICE_NO_REPORTS);
        return -EOPNOTSUPP;
    }
    snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
    int number = watch_add(watch, link, DIRECTORY_MASK);
    if (number == -ENOENT) notices_raise(watch->notices, NOTICE_NO_PROC);
    return number;
}

static size_t directory_size(struct text path)
{
    return sizeof(struct directory) + path.length + 1;
}

/* Asked before the watch is added: the root's own may be there already, and must not go again. */
static bool has_memory_for(struct watch *watch, struct text path)
{
    size_t bytes = account_bytes(directory_size(path));
    if (watch->directory_bytes + bytes <= watch->directory_bytes_max) return true;
    notices_raise(watch->notices, NOTICE_NO_WATCH);
    return false;
}

static struct directory *directory_new(struct watch *watch, struct text path, int number)
{
    struct directory *directory = calloc(1, directory_size(path));
    if (!directory) return NULL;
    size_t bytes = account_bytes(directory_size(path));
    directory->number = number;
    directory->bytes = bytes;
    directory->path = (struct text){directory->letters, path.length};
    memcpy(directory->letters, path.base, path.length);
    watch->directory_bytes += bytes;
    watch->counts->bytes += bytes;
    return directory;
}

/* One inode under two names (a bind mount) has one watch, which cannot tell the names apart. */
static int enter(struct watch *watch, struct text path, int number, uint64_t mount)
{
    if (directory_find_number(watch, number)) {
        watch->counts->watches--;
        return -EEXIST;
    }
    struct directory *directory = directory_new(watch, path, number);
    if (!directory) {
        notices_raise(watch->notices, NOTICE_NO_WATCH);
        watch->counts->watches--;
        inotify_rm_watch(watch->fd, number);
        return -ENOMEM;
    }
    directory->mount = mount;
    *link_of_path(watch, path) = directory;
    *link_of_number(watch, number) = directory;
    return 0;
}

/* Its parents are watched already. 0, or -errno when it cannot be watched. */
static int watch_one(struct watch *watch, const struct beneath *beneath, const char *path)
{
    struct text text = {path, strlen(path)};
    if (!has_memory_for(watch, text)) return -ENOMEM;
    int fd = beneath_open(beneath, path, O_PATH | O_DIRECTORY, LINKS_REFUSED);
    if (fd < 0) return fd;
    struct identity identity;
    int result = identity_read(fd, "", &identity);
    if (result == 0) result = add_open_directory(watch, fd);
    if (result >= 0) result = enter(watch, text, result, identity.mount);
    close(fd);
    return result;
}

/* The directory that holds what `path` names: up to its last slash. */
static struct text holder_of(struct text path)
{
    while (path.length > 0 && path.base[path.length - 1] != '/')
        path.length--;
    return path;
}

int directory_watch(struct watch *watch, const struct beneath *beneath, struct text path,
                    uint64_t *mount)
{
    struct text holder = holder_of(path);
    struct directory *directory = NULL;
    if (watch->fd < 0 || holder.length >= PATH_MAX) return -EINVAL;
    directory = directory_find(watch, holder);
    for (size_t length = 0; !directory && length <= holder.length; length++) {
        if (length > 0 && holder.base[length - 1] != '/') continue;
        char prefix[PATH_MAX];
        snprintf(prefix, sizeof(prefix), "%.*s", (int)length, holder.base);
        struct text text = {prefix, length};
        if (directory_find(watch, text)) continue;
        int result = watch_one(watch, beneath, prefix);
        if (result < 0) return result;
    }
    directory = directory_find(watch, holder);
    if (!directory) return -ENOENT;
    *mount = directory->mount;
    return 0;
}
