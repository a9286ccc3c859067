/* "Did you mean …?" What to say about a name that no option has. */
#ifndef ZCSERVE_SUGGEST_H
#define ZCSERVE_SUGGEST_H

#include "config/problem.h"

/* Tells that `block` ("": outside of blocks) has no option `name`, and what was perhaps meant. */
void suggest_option(struct problems *problems, struct place at, const char *block,
                    const char *name);

/* Likewise for "name" or "block.name", as the command line writes them. */
void suggest_dotted(struct problems *problems, struct place at, const char *dotted);

#endif
