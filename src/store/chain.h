/*
 * The chain of a root: the directories and links that its path goes through.
 */
#ifndef ZCSERVE_STORE_CHAIN_H
#define ZCSERVE_STORE_CHAIN_H

#include "notifier.h"

#define CHAIN_MAX 64 /* directories and links */

struct chain {
    int number[CHAIN_MAX]; /* of their watches */
    uint32_t count;
};

/* Watches each directory and link on the absolute path `root`. Returns whether all are watched. */
bool chain_watch(struct chain *chain, struct notifier *notifier, const char *root);

/* Removes the watches. */
void chain_forget(struct chain *chain, struct notifier *notifier);

/* Returns whether this is the number of one of its watches. */
bool chain_has(const struct chain *chain, int number);

#endif
