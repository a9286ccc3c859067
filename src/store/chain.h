/*
 * The chain of a root: the directories and links that its path goes through.
 */
#ifndef ZCSERVE_STORE_CHAIN_H
#define ZCSERVE_STORE_CHAIN_H

#include "watch.h"

/* Watches each directory and link on the absolute path `root`. Returns whether all are watched. */
bool chain_watch(struct watch *watch, const char *root);

#endif
