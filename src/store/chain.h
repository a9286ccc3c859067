/*
 * The chain of a root: the directories and links that its path goes through.
 */
#ifndef ZCSERVE_STORE_CHAIN_H
#define ZCSERVE_STORE_CHAIN_H

#include "notifier.h"

#define CHAIN_MAX 64 /* directories and links */

struct chain {
    struct watched link[CHAIN_MAX];
    uint32_t count;
};

/*
 * Watches each directory and link on `root`, the absolute path of the root of `tree`. Returns whether
 * all are watched.
 */
bool chain_watch(struct chain *chain, struct notifier *notifier, uint16_t tree, const char *root);

/* Removes the watches. */
void chain_forget(struct chain *chain, struct notifier *notifier);

#endif
