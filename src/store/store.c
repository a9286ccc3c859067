/*
 * Opens and closes a store, and returns its counts. resolve.c answers lookups; refresh.c takes the
 * changes on disk.
 *
 *      store_resolve ── cache ── entry ── variant        what was found, and its bytes
 *            └── search ── file ─── beneath              what is on disk
 *      store_refresh ── watch ── directory, chain        what changed there
 *      errand_run ───── file                             as resolving, but only the kernel
 *                                                        remembers the result
 */
#define _GNU_SOURCE
#include "inside.h"
#include "account.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct store *fail(struct store *store, int error, char *problem, size_t size)
{
    const char *root = store ? store->options.root : "the store";
    const char *call = store ? store->root.call : NULL;
    if (call) {
        snprintf(problem, size,
                 "%s: %s: %s: a sandbox (seccomp, or that of the container) must allow it", root,
                 call, strerror(error));
    } else {
        snprintf(problem, size, "%s: %s", root, strerror(error));
    }
    if (store) {
        watch_close(&store->watch);
        root_close(&store->place.beneath);
        free(store->cache.table);
        free(store);
    }
    errno = error;
    return NULL;
}

static void place_open(struct store *store)
{
    struct beneath *beneath = &store->place.beneath;
    beneath->walks = !beneath_has_openat2(beneath->directory);
    beneath->follows = store->options.symlinks == SYMLINKS_BENEATH && !beneath->walks;
    beneath->may_ask = !beneath->walks && beneath_may_ask(beneath->directory);
    if (beneath->walks) notices_raise(&store->notices, NOTICE_NO_OPENAT2);
}

struct store *store_open(const struct store_options *options, char *problem, size_t size)
{
    assert(options->root && options->types);
    struct store *store = calloc(1, sizeof(*store));
    if (!store) return fail(NULL, ENOMEM, problem, size);
    store->options = *options;
    store->place.options = &store->options;
    store->place.beneath.directory = -1;
    store->counts.bytes = account_bytes(sizeof(*store));
    watch_open(&store->watch, options, &store->counts, &store->notices);
    int result = root_name(&store->root, options->root);
    if (result < 0) return fail(store, -result, problem, size);
    root_open(&store->root, &store->place.beneath, &store->watch);
    if (store->root.problem != 0) return fail(store, store->root.problem, problem, size);
    if (!cache_open(&store->cache, options, &store->counts))
        return fail(store, ENOMEM, problem, size);
    place_open(store);
    return store;
}

void store_close(struct store *store)
{
    if (!store) return;
    cache_close(&store->cache);
    watch_close(&store->watch);
    root_close(&store->place.beneath);
    assert(store->counts.bytes == account_bytes(sizeof(*store))); /* else something is lent */
    free(store);
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
