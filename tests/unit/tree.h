/*
 * For tests of the store: a directory of their own, the files in it, and questions to a store as text.
 * `current` is a link to `release1`: stores are opened with it as their root.
 */
#ifndef ZCSERVE_TEST_TREE_H
#define ZCSERVE_TEST_TREE_H

#include "zcserve/store.h"

/* Makes the directory and goes there; runs `script` in it. Fails the test when it fails. */
void tree_make(const char *script);
void tree_run(const char *script);
/* Leaves it and takes it away. */
void tree_remove(void);

/* Long enough that files written before are settled. */
void tree_settle(void);
/* From now on the clock that stores are told is 10 s ahead: all that was written before is old. */
void tree_age(void);
/* The time by that clock. */
struct now tree_now(void);

/*
 * Roomy options with the embedded media types, sidecars on, and one tree, tree_site, which this sets
 * anew: `current` is its root.
 */
struct store_options tree_options(void);
extern struct tree_options tree_site;
struct store *tree_open(const struct store_options *options);

#define ACCEPT_IDENTITY ((struct accepted){.weight = {1000, 0, 0, 0}})
#define ACCEPT_ALL ((struct accepted){.weight = {1, 1000, 1000, 1000}})

struct resolution tree_resolve(struct store *store, const char *path, struct accepted accepted);

/*
 * Refreshes, resolves and gives back: "one" (content), "gzip:…" in a coding, "A*10000" (first
 * letter and length of one that is lent as a file), or "<not found>" and the like.
 */
const char *tree_ask(struct store *store, const char *path, struct accepted accepted);
/* What is lent, in the same words. */
const char *tree_describe(struct resolution resolution);

#endif
