/*
 * The chain of a root: the directories and links its path goes through.
 */
#ifndef ZCSERVE_STORE_CHAIN_H
#define ZCSERVE_STORE_CHAIN_H

#include "watch.h"

/* Watches each directory and link that leads to `root`, an absolute path. False: not all. */
bool chain_watch(struct watch *watch, const char *root);

#endif
