/*
 * One of the trees of a store: a root directory, and the rules by which files are found beneath it.
 */
#ifndef ZCSERVE_STORE_TREE_H
#define ZCSERVE_STORE_TREE_H

#include "file.h"
#include "root.h"

struct tree {
    uint16_t number; /* which of the store's trees, from 0 */
    struct place place;
    struct root root;
};

/*
 * Begins with the tree `number`, and watches the path of its root. Returns 0 or -errno: why the root
 * cannot be opened now. The tree is begun all the same, and finds nothing until there is a
 * root. tree_end() must follow in any case. `options` must outlive the tree.
 */
int tree_begin(struct tree *tree, uint16_t number, const struct tree_options *options,
               struct watch *watch);
void tree_end(struct tree *tree, struct watch *watch);

/* Removes the watches of the tree, and opens the directory that the path of its root leads to. */
void tree_begin_again(struct tree *tree, struct watch *watch);

/*
 * Compares the root with its path, and begins again with the tree when the path leads elsewhere. To
 * be called before a lookup when root.trusted_until_ns is over. In refresh.c.
 */
struct store;
void tree_compare(struct store *store, struct tree *tree, const struct now *now);

#endif
