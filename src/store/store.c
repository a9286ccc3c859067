/*
 * Opens and closes a store with its trees, and returns its counts. resolve.c answers lookups; refresh.c takes the
 * changes on disk.
 *
 *      store_resolve ── cache ── entry ── variant        what was found, and its bytes
 *            └── search ── file ─── beneath              what is on disk
 *      store_refresh ── watch ── directory, chain        what changed there
 *            └── tree ─── root                        where the paths of the roots lead now
 *      errand_run ──┬── file                             as resolving, but only the kernel
 *                   │                                    remembers the result
 *                   └── encoding                         what is made for the cache
 *      store_adopt ──── product, encoding                takes it
 */
#define _GNU_SOURCE
#include "inside.h"
#include "account.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Returns the bytes of a store without anything in it. */
static size_t store_bytes(const struct store *store)
{
    return account_bytes(sizeof(*store)) +
           account_bytes(store->options.trees * sizeof(struct tree));
}

static void trees_close(struct store *store)
{
    for (uint32_t i = 0; store->trees && i < store->options.trees; i++)
        tree_end(&store->trees[i], &store->watch);
    watch_close(&store->watch);
}

static void store_free(struct store *store)
{
    free(store->trees);
    free(store);
}

static struct store *fail_for_memory(struct store *store, char *problem, size_t size)
{
    snprintf(problem, size, "the store: %s", strerror(ENOMEM));
    if (store) {
        trees_close(store);
        store_free(store);
    }
    errno = ENOMEM;
    return NULL;
}

static struct store *fail_for_root(struct store *store, const struct tree *tree, int error,
                                   char *problem, size_t size)
{
    const char *root = tree->place.options->root, *call = tree->root.call;
    if (call) {
        snprintf(problem, size,
                 "%s: %s: %s: a sandbox (seccomp, or that of the container) must allow it", root,
                 call, strerror(error));
    } else {
        snprintf(problem, size, "%s: %s", root, strerror(error));
    }
    trees_close(store);
    store_free(store);
    errno = error;
    return NULL;
}

/*
 * Opens all trees. Returns NULL when one of them has a root now, else the first, with errno in
 * *error.
 */
static const struct tree *trees_open(struct store *store, int *error)
{
    const struct store_options *options = &store->options;
    bool any = false;
    for (uint32_t i = options->trees; i-- > 0;) {
        int result = tree_begin(&store->trees[i], (uint16_t)i, &options->tree[i], &store->watch);
        any |= result == 0;
        *error = -result;
    }
    return any ? NULL : store->trees;
}

struct store *store_open(const struct store_options *options, char *problem, size_t size)
{
    assert(options->trees > 0 && options->trees <= STORE_TREES_MAX);
    struct store *store = calloc(1, sizeof(*store));
    if (!store) return fail_for_memory(NULL, problem, size);
    store->options = *options;
    store->counts.bytes = store_bytes(store);
    watch_open(&store->watch, options, &store->counts, &store->notices);
    store->trees = calloc(options->trees, sizeof(*store->trees));
    if (!store->trees) return fail_for_memory(store, problem, size);
    int error = 0;
    const struct tree *missing = trees_open(store, &error);
    if (missing) return fail_for_root(store, missing, error, problem, size);
    if (!cache_open(&store->cache, options, &store->counts))
        return fail_for_memory(store, problem, size);
    return store;
}

void store_close(struct store *store)
{
    if (!store) return;
    cache_close(&store->cache);
    trees_close(store);
    assert(store->counts.bytes == store_bytes(store)); /* else something is lent */
    store_free(store);
}

int store_watch_fd(const struct store *store)
{
    return store->watch.notifier.fd;
}

const struct store_counts *store_counts(const struct store *store)
{
    return &store->counts;
}

const char *store_notice(struct store *store)
{
    return notices_next(&store->notices);
}
