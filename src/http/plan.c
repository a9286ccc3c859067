/*
 * Decides the response: by the method, then the result of the lookup, then the preconditions, then
 * the range, in the order of RFC 9110 §13.2 and §14.2. head.c writes it.
 */
#include "condition.h"
#include "foreign.h"
#include "multipart.h"
#include "plan.h"
#include "status.h"

struct plan plan_make(const struct request *r, bool may_persist, uint16_t status)
{
    return (struct plan){
        .status = status,
        .page = status_page(status),
        .head_only = request_is(r, METHOD_HEAD),
        .keep_alive = may_persist && request_keeps_alive(r) &&
                      !request_is(r, METHOD_CONNECT), /* later bytes may be meant for a tunnel */
        .confirm_keep_alive = r->confirm_keep_alive,
    };
}

static struct plan plan_refused(const struct request *r, bool may_persist)
{
    struct plan plan = plan_make(r, may_persist, refusal_status(r->refused));
    struct text foreign = foreign_response(r->refused);
    plan.bare = foreign.base != NULL;
    if (plan.bare) plan.page = foreign;
    /* a method that is refused, or not read, may only begin like HEAD */
    if (r->refused == REFUSAL_METHOD || plan.bare) plan.head_only = false;
    return plan;
}

bool plan_without_lookup(const struct request *r, bool may_persist, struct plan *plan)
{
    if (r->refused != REFUSAL_NONE) {
        *plan = plan_refused(r, may_persist);
        return true;
    }
    if (request_is(r, METHOD_GET) || request_is(r, METHOD_HEAD)) return false;
    *plan = plan_make(r, may_persist, request_is(r, METHOD_OPTIONS) ? 204 : 405);
    plan->allow = true;
    return true;
}

uint16_t plan_status(enum resolution_kind kind)
{
    switch (kind) {
    case RESOLUTION_FOUND: return 200;
    case RESOLUTION_DIRECTORY: return 301;
    case RESOLUTION_NOT_FOUND: return 404;
    case RESOLUTION_FORBIDDEN: return 403;
    case RESOLUTION_NOT_ACCEPTABLE: return 406;
    case RESOLUTION_LIMITED: return 429;
    case RESOLUTION_COLD: /* this and CROWDED never reach the core */
    case RESOLUTION_CROWDED:
    case RESOLUTION_BUSY: return 503;
    case RESOLUTION_BROKEN: return 500;
    }
    return 500;
}

/* The response is about `selected`. Nothing of its content is sent yet. */
static void plan_select(struct plan *plan, const struct representation *selected)
{
    plan->selected = selected;
    plan->varies = selected->varies;
}

/* The response has these parts. With only one, the plan does not point to *ranges. */
static void plan_parts(struct plan *plan, const struct ranges *ranges)
{
    plan->offset = ranges->part[0].offset;
    for (uint32_t i = 0; i < ranges->count; i++)
        plan->length += ranges->part[i].length;
    if (ranges->count > 1) plan->ranges = ranges;
}

/* Sets the ranges of a GET; other methods have no ranges (RFC 9110 §14.2). */
static enum range_kind range_of(const struct request *r, const struct representation *selected,
                                uint32_t ranges_max, int64_t now_seconds, struct ranges *ranges)
{
    if (request_is(r, METHOD_GET) && fields_have(&r->fields, FIELD_RANGE))
        return range_select(&r->fields, selected, ranges_max, now_seconds, ranges);
    return RANGE_WHOLE;
}

static struct plan plan_content(const struct request *r, bool may_persist,
                                const struct representation *selected, int64_t now_seconds,
                                uint32_t ranges_max, struct ranges *ranges)
{
    static const uint16_t status[] = {
        [RANGE_WHOLE] = 200, [RANGE_PARTS] = 206, [RANGE_UNSATISFIABLE] = 416};
    enum range_kind kind = range_of(r, selected, ranges_max, now_seconds, ranges);
    struct plan plan = plan_make(r, may_persist, status[kind]);
    plan_select(&plan, selected);
    if (kind == RANGE_UNSATISFIABLE) plan.complete = selected->length;
    if (kind == RANGE_WHOLE) plan.length = selected->length;
    if (kind == RANGE_PARTS) plan_parts(&plan, ranges);
    return plan;
}

struct plan plan_resolved(const struct request *r, bool may_persist, struct resolution found,
                          int64_t now_seconds, uint32_t ranges_max, struct ranges *ranges)
{
    if (found.kind != RESOLUTION_FOUND) {
        struct plan plan = plan_make(r, may_persist, plan_status(found.kind));
        plan.redirect = found.kind == RESOLUTION_DIRECTORY;
        plan.varies = found.varies;
        return plan;
    }
    switch (condition_evaluate(&r->fields, found.representation, now_seconds)) {
    case CONDITION_NONE:
        return plan_content(r, may_persist, found.representation, now_seconds, ranges_max, ranges);
    case CONDITION_NOT_MODIFIED: {
        struct plan plan = plan_make(r, may_persist, 304);
        plan_select(&plan, found.representation);
        return plan;
    }
    case CONDITION_FAILED: break;
    }
    return plan_make(r, may_persist, 412);
}

uint64_t plan_content_length(const struct plan *plan)
{
    if (plan->status == 200 && plan->selected) return plan->selected->length;
    return plan->ranges ? multipart_length(plan) : plan->page.length + plan->length;
}
