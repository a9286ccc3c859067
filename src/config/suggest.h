/* Messages about a name that no option has: "unknown option 'lisen' (did you mean 'listen'?)". */
#ifndef ZCSERVE_SUGGEST_H
#define ZCSERVE_SUGGEST_H

#include "config/option.h"
#include "config/problem.h"

/*
 * Reports that the block `section` ("": outside of blocks) of `set` has no option `name`, and
 * suggests another one.
 */
void suggest_option(struct problems *problems, const char *where, const struct option_set *set,
                    const char *section, const char *name);

/* As suggest_option(), for the form of the command line, "name" or "block.name". */
void suggest_dotted(struct problems *problems, const char *where, const char *dotted);

#endif
