/* Messages about a name that no option has: "unknown option 'lisen' (did you mean 'listen'?)". */
#ifndef ZCSERVE_SUGGEST_H
#define ZCSERVE_SUGGEST_H

#include "config/problem.h"

/* Reports that `block` ("": outside of blocks) has no option `name`, and suggests another one. */
void suggest_option(struct problems *problems, struct place at, const char *block,
                    const char *name);

/* As suggest_option(), for the form of the command line, "name" or "block.name". */
void suggest_dotted(struct problems *problems, struct place at, const char *dotted);

#endif
