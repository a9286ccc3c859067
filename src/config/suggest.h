/* "Did you mean …?" What to say about a name that no option has. */
#ifndef ZCSERVE_SUGGEST_H
#define ZCSERVE_SUGGEST_H

#include "config/option.h"
#include "config/problem.h"

/*
 * Tells that the block `section` of a set ("": outside of blocks) has no option `name`, and what
 * was perhaps meant.
 */
void suggest_option(struct problems *problems, const char *where, const struct option_set *set,
                    const char *section, const char *name);

/* Likewise for "name" or "block.name", as the command line writes them. */
void suggest_dotted(struct problems *problems, const char *where, const char *dotted);

#endif
