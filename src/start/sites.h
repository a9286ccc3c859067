/*
 * Makes the sites that the core reads, and says which trees the store needs for them.
 */
#ifndef ZCSERVE_START_SITES_H
#define ZCSERVE_START_SITES_H

#include "start/memory.h"
#include "start/users_files.h"
#include "zcserve/config.h"
#include "zcserve/site.h"

#define SITE_TREES_MAX 1024

struct site_set {
    struct memory memory; /* of all that is below */
    struct users_files files;
    struct sites sites;
    const struct site *site; /* site 0 has what is outside of sites; the others follow in the */
                             /* order of the configuration, and so do the rules of each       */
    bool used;               /* there is a site or a rule; else the core needs no sites */
    struct config_root tree[SITE_TREES_MAX]; /* one for each tree of the store */
    uint32_t trees;                          /* tree 0 is the root outside of sites */
};

/*
 * Returns the sites of the configuration, which must outlive them; NULL after it printed what is
 * wrong to `errors`, one line each.
 */
struct site_set *site_set_new(const struct config *config, FILE *errors);
void site_set_free(struct site_set *set); /* NULL is allowed */

#endif
