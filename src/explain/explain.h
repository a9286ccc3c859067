/*
 * zcserve --explain: says which response a request would get, and why. The request goes through the
 * same core and the same store as in a server, beside which this only looks on: no rule is written
 * down here a second time.
 */
#ifndef ZCSERVE_EXPLAIN_H
#define ZCSERVE_EXPLAIN_H

#include "start/program.h"

enum { EXPLAIN_BAD_USAGE = 2 };

/*
 * Prints the explanation of the request `asked` to `out`. service_make() must have made the program.
 * Returns 0 when the response has a status below 400, 1 when it has another one or could not be
 * printed, and EXPLAIN_BAD_USAGE after it printed to p->errors why there is no such request, or no
 * store.
 */
int explain(const struct program *p, const struct command_request *asked, FILE *out);

#endif
