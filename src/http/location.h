/*
 * Writes where a redirect leads.
 */
#ifndef ZCSERVE_HTTP_LOCATION_H
#define ZCSERVE_HTTP_LOCATION_H

#include "plan.h"
#include "target.h"
#include "zcserve/conn.h"

/* Returns whether the Location of a redirect by a rule has at most as many bytes as head.h allows. */
bool location_fits(const struct verdict *verdict, const struct conn_rules *rules,
                   const struct target *target);

/*
 * Writes the field line Location at `at`, where there must be room, and returns where the next one
 * goes: for a redirect by a rule, or from a directory to the same path with a "/".
 */
char *put_location(char *at, const struct plan *plan, const struct target *target);

#endif
