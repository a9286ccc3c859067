/*
 * Decides which response a request gets, as RFC 9110 says, from the request and the result of its
 * lookup. Nothing is written yet. A plan is a plain value.
 */
#ifndef ZCSERVE_HTTP_PLAN_H
#define ZCSERVE_HTTP_PLAN_H

#include "range.h"
#include "request.h"
#include "zcserve/lookup.h"
#include "zcserve/site.h"

struct verdict; /* rule.h */

struct plan {
    const struct representation *selected; /* its metadata goes into the head; NULL: none */
    uint64_t offset, length;       /* of the content of `selected` to send, for 200 and 206 */
    const struct ranges *ranges;   /* several parts to send, `length` bytes together, or NULL */
    uint64_t complete;             /* of 416: the length of what was asked for             */
    struct text page;              /* content that is not of `selected`; may be empty       */
    const struct verdict *verdict; /* of the rules of a site; NULL: there are none        */
    uint16_t status;
    bool bare;               /* the page is all: for a client of another protocol     */
    bool head_only;          /* the response has no content, because of HEAD          */
    bool keep_alive;         /* another request may follow on the connection          */
    bool confirm_keep_alive; /* say so: the client uses HTTP/1.0 and asked            */
    bool allow;              /* send Allow, which lists the methods                   */
    bool redirect;           /* send Location: the target and a slash                 */
    bool moved;              /* send Location: the target of the verdict's rule       */
    bool varies;
    bool is_page;   /* `selected` is the page of an error: whole, without validators  */
    bool fetched;   /* what it needed was read from the disk for it                  */
    bool preflight; /* a request of CORS for what it may ask                          */
};

/* Returns a plan with this status and its page. `may_persist` is as below. */
struct plan plan_make(const struct request *r, bool may_persist, uint16_t status);

/* Returns the status of a lookup with this result. */
uint16_t plan_status(enum resolution_kind kind);

/*
 * In both functions, `may_persist` says whether the server allows another request on the
 * connection.
 *
 * Returns true and sets *plan when this request needs no lookup.
 */
bool plan_without_lookup(const struct request *r, bool may_persist, struct plan *plan);

/*
 * Returns the plan for a GET or HEAD whose lookup had the result `found`. When the response has
 * several parts, at most `ranges_max`, the plan points to *ranges, which belongs to the caller and
 * must last as long as the plan.
 */
struct plan plan_resolved(const struct request *r, bool may_persist, struct resolution found,
                          int64_t now_seconds, uint32_t ranges_max, struct ranges *ranges);

/* Returns what Content-Length says (RFC 9110 §8.6), or would say in the response to a GET. */
uint64_t plan_content_length(const struct plan *plan);

#endif
