/*
 * Follows symbolic links one by one, for rules that the kernel does not know: absolute links that
 * lead to a place beneath the root, and links that have the owner of what they lead to.
 */
#ifndef ZCSERVE_STORE_LINKS_H
#define ZCSERVE_STORE_LINKS_H

#include "beneath.h"

/*
 * As beneath_open() with LINKS_FOLLOWED, by the rules of `beneath`, which has openat2. May wait for
 * the disk. Follows at most 40 links, and returns -ELOOP for more.
 */
int links_open(const struct beneath *beneath, const char *path, int flags);

#endif
