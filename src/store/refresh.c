/*
 * Takes the changes on disk. For each change it finds the paths whose lookup may have another
 * result now, and removes them from the cache. In doubt it removes too many: an entry that was
 * removed without need costs one read, but an entry that was kept wrongly makes a wrong response.
 */
#include "inside.h"

#include <stdio.h>
#include <string.h>

#define CHANGES_MAX 65536 /* changes taken at once; when there are more, the cache is emptied */

static void drop_path(struct store *store, struct text path)
{
    struct key key = cache_key(&store->cache, path);
    struct entry *entry = cache_find(&store->cache, &key);
    if (!entry) return;
    cache_drop(&store->cache, entry);
    store->counts.invalidations++;
}

static void drop_beneath(struct store *store, struct text directory)
{
    store->counts.invalidations += cache_drop_beneath(&store->cache, directory);
}

/* Returns "a.css" for "a.css.br"; absent when the name is not that of a sidecar. */
static struct text original_of(const struct store *store, struct text path)
{
    for (enum coding coding = CODING_GZIP; coding < CODING_COUNT; coding++) {
        struct text suffix = coding_file_suffix(coding);
        if (!store->options.sidecar[coding] || path.length <= suffix.length) continue;
        size_t length = path.length - suffix.length;
        if (memcmp(path.base + length, suffix.base, suffix.length) == 0)
            return (struct text){path.base, length};
    }
    return (struct text){NULL, 0};
}

static bool is_index(const struct store *store, struct text name)
{
    const char *const *index = store->options.index;
    for (; index && *index; index++)
        if (text_equals(name, (struct text){*index, strlen(*index)})) return true;
    return false;
}

/* Drops the path of a name in `directory`, and that of the directory when the name is an index. */
static void drop_name(struct store *store, struct text directory, struct text path)
{
    struct text name = {path.base + directory.length, path.length - directory.length};
    drop_path(store, path);
    if (is_index(store, name)) drop_path(store, directory);
}

static void take_name(struct store *store, const struct change *change)
{
    char space[PATH_MAX];
    size_t length = change->directory.length + change->name.length;
    if (change->name.length == 0 || length >= sizeof(space)) return;
    memcpy(space, change->directory.base, change->directory.length);
    memcpy(space + change->directory.length, change->name.base, change->name.length);
    struct text path = {space, length};
    struct text original = original_of(store, path);
    drop_name(store, change->directory, path);
    if (original.length > change->directory.length) drop_name(store, change->directory, original);
}

static void begin_anew(struct store *store)
{
    drop_beneath(store, TEXT(""));
    watch_forget(&store->watch);
    root_close(&store->place.beneath);
    root_open(&store->root, &store->place.beneath, &store->watch);
}

static void take_change(struct store *store, const struct change *change)
{
    switch (change->kind) {
    case CHANGE_NAME: take_name(store, change); return;
    case CHANGE_BENEATH:
        take_name(store, change);
        drop_beneath(store, change->beneath);
        return;
    case CHANGE_ABOVE: store->root.suspect = true; return;
    case CHANGE_ALL: begin_anew(store); return;
    }
}

static void compare_root(struct store *store, const struct now *now)
{
    struct root *root = &store->root;
    bool due = now->monotonic_ns - root->compared_ns >= store->options.recheck_ns;
    if (root->problem == 0 && root->watched && !root->suspect && !due) return;
    root->compared_ns = now->monotonic_ns;
    root->suspect = false;
    /* While there is no root, setting watches again would be reported as a change, without end. */
    if (root->problem != 0 && !root_is_there(root)) return;
    if (!root_is_current(root)) begin_anew(store);
}

void store_refresh(struct store *store, const struct now *now)
{
    struct change change;
    for (unsigned taken = 0; watch_next(&store->watch, &change); taken++) {
        take_change(store, &change);
        if (taken == CHANGES_MAX) {
            drop_beneath(store, TEXT(""));
            break;
        }
    }
    compare_root(store, now);
}
