/*
 * Leads a request through the rules of its site: what is answered without a lookup, whose credentials
 * must be checked, which paths are looked up one after another, and which page an error has.
 *
 *      credentials ──► requested path, or rewrite, or each of try_files ──► 200, 206, 304, …
 *           └──────────────────┴──► error page ──► the status of the error
 *
 * No path is judged by rules but the requested one, and an error page has no error page. So no
 * request can go round in a circle.
 */
#ifndef ZCSERVE_HTTP_ROUTE_H
#define ZCSERVE_HTTP_ROUTE_H

#include "plan.h"
#include "stream.h"

/* Returns whether the target of this request is judged by rules: only a path is. */
bool route_judges(const struct stream *s);

/*
 * Begins with a complete request that has a path. Returns true and sets *plan when it needs no
 * lookup; else sets s->lookup and returns false. `may_persist` is as in plan.h.
 */
bool route_begin(struct stream *s, const struct conn_rules *rules, bool may_persist,
                 struct plan *plan);

/*
 * The credentials for which the request was stopped were checked, with this result. The rest is as for
 * route_begin().
 */
bool route_admit(struct stream *s, const struct conn_rules *rules, bool may_persist,
                 enum admission admission, struct plan *plan);

/*
 * A lookup had the result `found`. Returns true when another path must be looked up, which is in
 * s->lookup then; what was lent is not needed.
 */
bool route_goes_on(struct stream *s, const struct conn_rules *rules, struct resolution found,
                   int64_t now_seconds);

/*
 * Returns the plan of an error whose page was looked up with this result. The page is sent as it is:
 * preconditions and ranges are about what was asked for.
 */
struct plan route_page(const struct stream *s, bool may_persist, struct resolution found);

#endif
