/*
 * Decides the response: by the method, then the result of the lookup, then the preconditions, then
 * the range, in the order of RFC 9110 §13.2 and §14.2. head.c writes it.
 */
#include "condition.h"
#include "plan.h"
#include "range.h"
#include "status.h"

static struct plan plan_make(const struct request *r, bool may_persist, uint16_t status)
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

bool plan_without_lookup(const struct request *r, bool may_persist, struct plan *plan)
{
    if (r->refused != REFUSAL_NONE) {
        *plan = plan_make(r, may_persist, refusal_status(r->refused));
        if (r->refused == REFUSAL_METHOD) plan->head_only = false; /* it may only begin like HEAD */
        return true;
    }
    if (request_is(r, METHOD_GET) || request_is(r, METHOD_HEAD)) return false;
    *plan = plan_make(r, may_persist, request_is(r, METHOD_OPTIONS) ? 204 : 405);
    plan->allow = true;
    return true;
}

static uint16_t status_of(enum resolution_kind kind)
{
    switch (kind) {
    case RESOLUTION_FOUND: return 200;
    case RESOLUTION_DIRECTORY: return 301;
    case RESOLUTION_NOT_FOUND: return 404;
    case RESOLUTION_FORBIDDEN: return 403;
    case RESOLUTION_NOT_ACCEPTABLE: return 406;
    case RESOLUTION_COLD: /* this and CROWDED never reach the core */
    case RESOLUTION_CROWDED:
    case RESOLUTION_BUSY: return 503;
    case RESOLUTION_BROKEN: return 500;
    }
    return 500;
}

/* Returns the range of a GET; other methods have no ranges (RFC 9110 §14.2). */
static struct range range_of(const struct request *r, const struct representation *selected,
                             int64_t now_seconds)
{
    if (request_is(r, METHOD_GET) && fields_have(&r->fields, FIELD_RANGE))
        return range_select(&r->fields, selected, now_seconds);
    return (struct range){RANGE_WHOLE, 0, selected->length};
}

static struct plan plan_selected(const struct request *r, bool may_persist,
                                 const struct representation *selected, struct range range)
{
    static const uint16_t status[] = {
        [RANGE_WHOLE] = 200, [RANGE_PART] = 206, [RANGE_UNSATISFIABLE] = 416};
    struct plan plan = plan_make(r, may_persist, status[range.kind]);
    plan.selected = selected;
    plan.varies = selected->varies;
    if (range.kind == RANGE_WHOLE) range = (struct range){RANGE_WHOLE, 0, selected->length};
    if (range.kind != RANGE_UNSATISFIABLE) {
        plan.offset = range.offset;
        plan.length = range.length;
    }
    return plan;
}

struct plan plan_resolved(const struct request *r, bool may_persist, struct resolution found,
                          int64_t now_seconds)
{
    if (found.kind != RESOLUTION_FOUND) {
        struct plan plan = plan_make(r, may_persist, status_of(found.kind));
        plan.redirect = found.kind == RESOLUTION_DIRECTORY;
        plan.varies = found.varies;
        return plan;
    }
    switch (condition_evaluate(&r->fields, found.representation, now_seconds)) {
    case CONDITION_NONE:
        return plan_selected(r, may_persist, found.representation,
                             range_of(r, found.representation, now_seconds));
    case CONDITION_NOT_MODIFIED: {
        struct plan plan = plan_make(r, may_persist, 304);
        plan.selected = found.representation;
        plan.varies = found.representation->varies;
        return plan;
    }
    case CONDITION_FAILED: break;
    }
    return plan_make(r, may_persist, 412);
}
