/*
 * What to answer: the decisions of RFC 9110, made from a request and what was found, before
 * anything is written. A plan is a plain value.
 */
#ifndef ZCSERVE_HTTP_PLAN_H
#define ZCSERVE_HTTP_PLAN_H

#include "range.h"
#include "request.h"
#include "zcserve/lookup.h"

struct plan {
    uint16_t status;
    const struct representation *selected; /* its metadata goes into the head; or NULL        */
    uint64_t offset, length;               /* of `selected`'s content to be sent, when 200 or 206 */
    const struct ranges *ranges; /* 206 with several parts, `length` bytes in all; or NULL */
    struct text page;            /* content of its own, when there is no representation's */
    bool head_only;              /* HEAD: the same head, no content                  */
    bool keep_alive;             /* another request may follow                       */
    bool confirm_keep_alive;     /* HTTP/1.0 wants to hear it                        */
    bool allow;                  /* list the methods                                 */
    bool redirect;               /* Location: the target and a slash                 */
    bool varies;
};

/*
 * Both: `may_persist` says whether the server allows another request on the connection.
 *
 * The answer that needs no lookup, if this request is one that does not: true and *plan.
 */
bool plan_without_lookup(const struct request *r, bool may_persist, struct plan *plan);

/*
 * The answer to a GET or HEAD whose lookup gave `found`, with `ranges_max` parts at most. Several parts are kept in
 * *ranges, the caller's, which has to last as long as the plan.
 */
struct plan plan_resolved(const struct request *r, bool may_persist, struct resolution found,
                          int64_t now_seconds, uint32_t ranges_max, struct ranges *ranges);

/* What Content-Length says (RFC 9110 §8.6), or would say in the response to a GET. */
uint64_t plan_content_length(const struct plan *plan);

#endif
