/*
 * Makes the sites that the core reads, and says which trees the store needs for them.
 */
#ifndef ZCSERVE_START_SITES_H
#define ZCSERVE_START_SITES_H

#include "start/memory.h"
#include "zcserve/config.h"
#include "zcserve/site.h"

#define SITE_TREES_MAX 1024

/* One tree of the store: a root and how its files are served. Texts belong to the configuration. */
struct site_tree {
    const char *root, *root_place; /* and where it was set, for messages */
    const struct config_list *index, *sidecars;
    int symlinks;
    bool hidden;
};

struct site_set {
    struct memory memory; /* of all that is below */
    struct sites sites;
    bool used; /* there is a site or a rule; else the core needs no sites */
    struct site_tree tree[SITE_TREES_MAX];
    uint32_t trees; /* tree 0 is the root outside of sites */
};

/*
 * Returns the sites of the configuration, which must outlive them; NULL after it printed what is
 * wrong to `errors`, one line each.
 */
struct site_set *site_set_new(const struct config *config, FILE *errors);
void site_set_free(struct site_set *set); /* NULL is allowed */

#endif
