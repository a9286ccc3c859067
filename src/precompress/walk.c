/*
 * Directories wait in two lists: real ones, and those to which a symbolic link leads. The links are
 * read last, so that a directory is known by its own name, unless that is hidden. The kernel
 * resolves every name beneath the root (store/beneath.c): no link leads out of it.
 */
#define _GNU_SOURCE
#include "precompress/walk.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "precompress/disk.h"

/* A stack of paths. */
struct path_list {
    char **paths;
    size_t count, room;
};

struct directory_key {
    uint64_t device, inode;
};

struct walking {
    const struct docroot *docroot;
    struct outcomes *outcomes;
    struct work *work;
    struct path_list real, linked;
    void *seen; /* a tree of struct directory_key, see tsearch(3) */
    bool no_memory;
};

/* Makes room for one more item. Returns false without memory. */
static bool room_make(void **items, size_t count, size_t *room, size_t item_size)
{
    if (count < *room) return true;
    size_t more = *room ? 2 * *room : 64;
    void *moved = realloc(*items, more * item_size);
    if (!moved) return false;
    *items = moved;
    *room = more;
    return true;
}

static void path_push(struct walking *w, struct path_list *list, const char *path)
{
    char *copy = strdup(path);
    void *items = list->paths;
    if (!copy || !room_make(&items, list->count, &list->room, sizeof(*list->paths))) {
        free(copy);
        w->no_memory = true;
        return;
    }
    list->paths = items;
    list->paths[list->count++] = copy;
}

static void path_list_free(struct path_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        free(list->paths[i]);
    free(list->paths);
}

/* ---- files ----------------------------------------------------------------------------------- */

static void piece_push(struct walking *w, struct piece piece)
{
    struct work *work = w->work;
    void *items = work->pieces;
    if (!room_make(&items, work->count, &work->room, sizeof(*work->pieces))) {
        w->no_memory = true;
        return;
    }
    work->pieces = items;
    work->pieces[work->count++] = piece;
}

/* Keeps a copy of a path for the pieces. Returns NULL without memory. */
static const char *path_keep(struct walking *w, const char *path)
{
    struct path_list list = {w->work->paths, w->work->path_count, w->work->path_room};
    path_push(w, &list, path);
    *w->work = (struct work){w->work->pieces, w->work->count, w->work->room,
                             list.paths,      list.count,     list.room};
    return w->no_memory ? NULL : list.paths[list.count - 1];
}

/* Decides about one sidecar. *kept is the path for pieces of this file, NULL before the first. */
static void sidecar_take(struct walking *w, const struct file *file, enum coding coding,
                         const char **kept)
{
    const struct identity *original = &file->identity[CODING_IDENTITY];
    const struct identity *sidecar = &file->identity[coding];
    enum standing standing = standing_of(sidecar, original, file->usable[coding]);
    struct piece_result result = {
        .outcome = OUTCOME_CURRENT, .original_size = original->size, .sidecar_size = sidecar->size};
    switch (todo_of(w->docroot->wishes, standing, original->size, sidecar->size)) {
    case TODO_NOTHING: break;
    case TODO_NOT_WORTH_IT: result.outcome = OUTCOME_NOT_WORTH; break;
    case TODO_WORK:
        if (!*kept) *kept = path_keep(w, file->name);
        if (*kept) piece_push(w, (struct piece){*kept, coding, original->size});
        return;
    }
    outcomes_add(w->outcomes, file->name, coding, &result);
}

static bool is_chosen(const struct docroot *docroot, const char *path)
{
    struct text name = {path, strlen(path)};
    struct text type = media_type_find(docroot->types, name);
    return !name_is_sidecar(path) && types_have(docroot->wishes->types, type) &&
           media_type_own_coding(name, type) == CODING_IDENTITY;
}

static void file_take(struct walking *w, const char *path)
{
    const struct docroot *docroot = w->docroot;
    const char *kept = NULL;
    struct file file;
    if (!is_chosen(docroot, path)) return;
    int error = docroot_look(docroot, path, &file);
    if (error == -ENOENT) return;
    outcomes_add_file(w->outcomes);
    if (error != 0) {
        outcomes_add_failure(w->outcomes, path, -error);
        return;
    }
    if (file.identity[CODING_IDENTITY].size > docroot->wishes->size_max) {
        outcomes_add_too_large(w->outcomes, path);
        return;
    }
    for (enum coding coding = CODING_GZIP; coding < CODING_COUNT; coding++)
        if (docroot_wants(docroot, coding) && name_has_room(path, coding))
            sidecar_take(w, &file, coding, &kept);
}

/* ---- directories ----------------------------------------------------------------------------- */

/* Takes a link, or a name of which the directory does not tell what it is. */
static void other_take(struct walking *w, const char *path, bool is_link)
{
    const struct beneath *beneath = &w->docroot->place.beneath;
    struct identity identity = {0};
    int fd = beneath_open(beneath, path, O_PATH, beneath->follows ? LINKS_FOLLOWED : LINKS_REFUSED);
    if (fd < 0) return; /* it leads nowhere, or out of the root: the server does not serve it */
    identity_read(fd, "", &identity);
    close(fd);
    if (identity_is_directory(&identity))
        path_push(w, is_link ? &w->linked : &w->real, path);
    else if (identity_is_regular(&identity))
        file_take(w, path);
}

static void entry_take(struct walking *w, const char *directory, int fd, const struct dirent *entry)
{
    char path[PATH_MAX];
    const struct precompress_wishes *wishes = w->docroot->wishes;
    if (name_is_temporary(entry->d_name) && !wishes->check && !wishes->dry_run)
        disk_sweep(fd, entry->d_name);
    int length =
        snprintf(path, sizeof(path), "%s%s%s", directory, *directory ? "/" : "", entry->d_name);
    if (length >= (int)sizeof(path)) return;
    if (!file_may_exist(&w->docroot->place, (struct text){path, (size_t)length})) return;
    switch (entry->d_type) {
    case DT_DIR: path_push(w, &w->real, path); break;
    case DT_REG: file_take(w, path); break;
    case DT_LNK:
    case DT_UNKNOWN: other_take(w, path, entry->d_type == DT_LNK); break;
    default: break;
    }
}

static int key_compare(const void *a, const void *b)
{
    const struct directory_key *x = a, *y = b;
    if (x->device != y->device) return x->device < y->device ? -1 : 1;
    return (x->inode > y->inode) - (x->inode < y->inode);
}

/* Notes a directory. Returns false when it was read before. */
static bool directory_is_new(struct walking *w, int fd)
{
    struct identity identity;
    struct directory_key *key = malloc(sizeof(*key));
    if (!key || identity_read(fd, "", &identity) != 0) {
        w->no_memory |= !key;
        free(key);
        return false;
    }
    *key = (struct directory_key){identity.device, identity.inode};
    struct directory_key **found = tsearch(key, &w->seen, key_compare);
    bool is_new = found && *found == key;
    w->no_memory |= !found;
    if (!is_new) free(key);
    return is_new;
}

static void entries_take(struct walking *w, const char *path, DIR *stream)
{
    for (;;) {
        errno = 0;
        struct dirent *entry = readdir(stream);
        if (!entry) break;
        bool is_self = strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0;
        if (!is_self) entry_take(w, path, dirfd(stream), entry);
        if (w->no_memory) return;
    }
    if (errno != 0) outcomes_add_failure(w->outcomes, *path ? path : ".", errno);
}

static void directory_take(struct walking *w, const char *path)
{
    const struct beneath *beneath = &w->docroot->place.beneath;
    int fd = beneath_open(beneath, path, O_RDONLY | O_DIRECTORY,
                          beneath->follows ? LINKS_FOLLOWED : LINKS_REFUSED);
    if (fd == -ENOENT || fd == -ENOTDIR) return; /* it is gone */
    DIR *stream = NULL;
    int error = fd < 0 ? -fd : 0;
    if (fd >= 0 && !(stream = fdopendir(fd))) error = errno;
    if (stream && directory_is_new(w, fd)) entries_take(w, path, stream);
    if (error != 0) outcomes_add_failure(w->outcomes, *path ? path : ".", error);
    if (stream)
        closedir(stream);
    else if (fd >= 0)
        close(fd);
}

/* ---- the whole ------------------------------------------------------------------------------- */

/* Returns the path to read next, which the caller frees; NULL at the end. */
static char *path_next(struct walking *w)
{
    if (w->real.count > 0) return w->real.paths[--w->real.count];
    return w->linked.count > 0 ? w->linked.paths[--w->linked.count] : NULL;
}

static int by_cost(const void *a, const void *b)
{
    const struct piece *x = a, *y = b;
    uint64_t cost_x = work_cost(x->coding, x->size), cost_y = work_cost(y->coding, y->size);
    if (cost_x != cost_y) return cost_x < cost_y ? 1 : -1;
    int order = strcmp(x->path, y->path);
    return order != 0 ? order : (int)x->coding - (int)y->coding;
}

bool walk(const struct docroot *docroot, struct outcomes *outcomes, struct work *work)
{
    struct walking w = {.docroot = docroot, .outcomes = outcomes, .work = work};
    char *path;
    *work = (struct work){0};
    path_push(&w, &w.real, "");
    while (!w.no_memory && (path = path_next(&w))) {
        directory_take(&w, path);
        free(path);
    }
    path_list_free(&w.real);
    path_list_free(&w.linked);
    tdestroy(w.seen, free);
    if (work->count > 0) qsort(work->pieces, work->count, sizeof(*work->pieces), by_cost);
    return !w.no_memory;
}

void work_free(struct work *work)
{
    for (size_t i = 0; i < work->path_count; i++)
        free(work->paths[i]);
    free(work->paths);
    free(work->pieces);
}
