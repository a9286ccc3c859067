/*
 * Takes the changes on disk. For each change it finds the paths whose lookup may have another
 * result now, and removes them from the cache. In doubt it removes too many: an entry that was
 * removed without need costs one read, but an entry that was kept wrongly makes a wrong response.
 */
#include "inside.h"
#include "listed.h"

#include <stdio.h>
#include <string.h>

#define CHANGES_MAX 65536 /* changes taken at once; when there are more, the cache is emptied */

static void drop_path(struct store *store, uint16_t tree, struct text path)
{
    struct key key = cache_key(&store->cache, tree, path);
    struct entry *entry = cache_find(&store->cache, &key);
    if (!entry) return;
    cache_drop(&store->cache, entry);
    store->counts.invalidations++;
}

static void drop_beneath(struct store *store, uint16_t tree, struct text directory)
{
    store->counts.invalidations += cache_drop_beneath(&store->cache, tree, directory);
}

static void drop_all(struct store *store)
{
    store->counts.invalidations += cache_drop_all(&store->cache);
}

/* Returns "a.css" for "a.css.br"; absent when the name is not that of a sidecar. */
static struct text original_of(const struct tree_options *options, struct text path)
{
    for (enum coding coding = CODING_GZIP; coding < CODING_COUNT; coding++) {
        struct text suffix = coding_file_suffix(coding);
        if (!options->sidecar[coding] || path.length <= suffix.length) continue;
        size_t length = path.length - suffix.length;
        if (memcmp(path.base + length, suffix.base, suffix.length) == 0)
            return (struct text){path.base, length};
    }
    return (struct text){NULL, 0};
}

static bool is_index(const struct tree_options *options, struct text name)
{
    const char *const *index = options->index;
    for (; index && *index; index++)
        if (text_equals(name, (struct text){*index, strlen(*index)})) return true;
    return false;
}

/* Drops the path of a name in a directory, and that of the directory when the name is an index. */
static void drop_name(struct store *store, const struct change *change, struct text path)
{
    struct text directory = change->directory;
    struct text name = {path.base + directory.length, path.length - directory.length};
    drop_path(store, change->tree, path);
    if (is_index(store->trees[change->tree].place.options, name))
        drop_path(store, change->tree, directory);
}

static void take_name(struct store *store, const struct change *change)
{
    char space[PATH_MAX];
    size_t length = change->directory.length + change->name.length;
    if (change->name.length == 0 || length >= sizeof(space)) return;
    memcpy(space, change->directory.base, change->directory.length);
    memcpy(space + change->directory.length, change->name.base, change->name.length);
    struct text path = {space, length};
    struct text original = original_of(store->trees[change->tree].place.options, path);
    drop_name(store, change, path);
    if (change->naming) listed_drop(store, change->tree, change->directory);
    if (original.length > change->directory.length) drop_name(store, change, original);
}

static void begin_anew(struct store *store, struct tree *tree)
{
    drop_beneath(store, tree->number, TEXT(""));
    tree_begin_again(tree, &store->watch);
}

static void begin_all_anew(struct store *store)
{
    drop_all(store);
    for (uint32_t i = 0; i < store->options.trees; i++)
        begin_anew(store, &store->trees[i]);
}

/* Returns whether the root of the change's tree must be compared. */
static bool take_change(struct store *store, const struct change *change)
{
    struct tree *tree = &store->trees[change->tree];
    switch (change->kind) {
    case CHANGE_NAME: take_name(store, change); break;
    case CHANGE_BENEATH:
        take_name(store, change);
        drop_beneath(store, change->tree, change->beneath);
        break;
    case CHANGE_ABOVE: tree->root.trusted_until_ns = 0; return true;
    case CHANGE_ALL: begin_anew(store, tree); break;
    case CHANGE_LOST: begin_all_anew(store); break;
    }
    return false;
}

/* Once for all changes: a directory above many roots may be busy. */
static void compare_suspects(struct store *store, const struct now *now)
{
    for (uint32_t i = 0; i < store->options.trees; i++)
        if (store->trees[i].root.trusted_until_ns == 0) tree_compare(store, &store->trees[i], now);
}

void store_refresh(struct store *store, const struct now *now)
{
    struct change change;
    bool suspicion = false;
    for (unsigned taken = 0; watch_next(&store->watch, &change); taken++) {
        suspicion |= take_change(store, &change);
        if (taken == CHANGES_MAX) {
            drop_all(store);
            break;
        }
    }
    if (suspicion) compare_suspects(store, now);
}

void tree_compare(struct store *store, struct tree *tree, const struct now *now)
{
    struct root *root = &tree->root;
    /* While there is no root, setting watches again would be reported as a change, without end. */
    if (root->problem != 0 && !root_is_there(root)) return;
    if (!root_is_current(root)) begin_anew(store, tree);
    bool trusted = root->problem == 0 && root->watched;
    root->trusted_until_ns = trusted ? now->monotonic_ns + store->options.recheck_ns : 0;
}
