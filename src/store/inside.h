/*
 * A store, seen from inside: for store.c (open, close), refresh.c (what changed?) resolve.c
 * (which file is that?), search.c (what is on disk?) and errand.c (have it cached).
 */
#ifndef ZCSERVE_STORE_INSIDE_H
#define ZCSERVE_STORE_INSIDE_H

#include "cache.h"
#include "file.h"
#include "notice.h"
#include "root.h"
#include "watch.h"
#include "zcserve/store.h"

struct store {
    struct store_options options;
    struct place place;
    struct root root;
    struct cache cache;
    struct watch watch;
    struct store_counts counts;
    struct notices notices;
};

#endif
