/*
 * The order: from which address (403), with which method (405), which user (401), OPTIONS and
 * preflights (204), redirects, and then the paths to look up. An error of any of them may have a page.
 *
 * Addresses and methods come first, as in nginx, because they cost nothing to judge: whoever may not
 * ask from there, or not so, cannot have passwords checked. Nothing that depends on what exists comes
 * before the user, so that a request without credentials learns nothing of it. A preflight of CORS
 * has never credentials (Fetch standard, CORS-preflight fetch), and is answered without them.
 */
#include "route.h"
#include "authorization.h"
#include "location.h"
#include "negotiate.h"
#include "view_asked.h"

#include <assert.h>

static const struct rule *rule_of(const struct stream *s, enum rule_value value)
{
    return s->verdict.by[value];
}

/* ---- what is looked up ----------------------------------------------------------------------- */

static void lookup_begin(struct stream *s, const struct conn_rules *rules)
{
    const struct rule *lists = rule_of(s, RULE_LISTS), *compresses = rule_of(s, RULE_COMPRESSES);
    s->lookup.tree = s->verdict.site->tree;
    s->lookup.lists = lists ? lists->lists : s->verdict.site->lists;
    if (s->lookup.lists) s->lookup.view = view_asked(s->target.query, &s->request.fields);
    s->lookup.accepted = negotiate_accepted(&s->request.fields);
    s->lookup.accepted.original_otherwise = !rules->not_acceptable;
    s->lookup.accepted.as_stored = compresses && !compresses->compresses;
}

static void ask(struct stream *s, struct text path)
{
    s->lookup.path = path;
    if (s->state == STREAM_READING) s->state = STREAM_ASKING;
}

/* Sets the next path of `rule` that can be made. Returns false after the last one. */
static bool path_next(struct stream *s, const struct conn_rules *rules, const struct rule *rule)
{
    struct captures captures;
    struct text path;
    if (s->tried == rule->paths) return false;
    pattern_match(&rule->pattern, s->target.path, &captures);
    while (s->tried < rule->paths)
        if (path_expand(rule->path[s->tried++], &captures, s->made, rules->target_bytes_max + 1,
                        &path)) {
            ask(s, text_equals(path, s->target.path) ? s->target.path : path);
            return true;
        }
    return false;
}

/*
 * Asks for the page of an error. It is sent in the form that there is, whatever codings are accepted:
 * nothing better could be said in its place. Returns false when the server's own page is sent.
 */
static bool page_ask(struct stream *s, uint16_t status)
{
    struct text page = verdict_page(&s->verdict, status);
    s->decided = status;
    if (!page.base) return false;
    s->lookup.accepted.original_otherwise = true;
    ask(s, page);
    return true;
}

/* The path is that of a directory. A path that was made gets a slash; a client gets a redirect. */
static bool slash_add(struct stream *s, const struct conn_rules *rules)
{
    size_t length = s->lookup.path.length;
    if (s->lookup.path.base != s->made || length + 1 > rules->target_bytes_max) return false;
    s->made[length] = '/';
    s->made[length + 1] = '\0';
    s->lookup.path.length = length + 1;
    return true;
}

/* ---- without a lookup ------------------------------------------------------------------------ */

static bool is_preflight(const struct stream *s)
{
    return request_is(&s->request, METHOD_OPTIONS) &&
           fields_have(&s->request.fields, FIELD_REQUEST_METHOD);
}

/*
 * Returns the status of a request that is refused before its path is looked up, or 0. Where a user is asked
 * for, sets the credentials that must be checked.
 */
static uint16_t status_refused(struct stream *s)
{
    const struct rule *users = rule_of(s, RULE_USERS);
    s->credentials.users = NULL;
    if (s->verdict.refused) return 403;
    if ((s->verdict.methods & 1U << s->request.method) == 0) return 405;
    if (!users || !users->users || is_preflight(s)) return 0;
    if (!authorization_read(&s->request.fields, &s->credentials)) return 401;
    s->credentials.users = users->users;
    return 0;
}

/* Returns the authority that is asked for (RFC 9112 §3.2.2). */
static struct text authority_of(const struct stream *s)
{
    return s->target.form == TARGET_ABSOLUTE ? s->target.authority
                                             : fields_value(&s->request.fields, FIELD_HOST);
}

/* Returns the status of the redirect by this rule. Without a host, there is none to lead to. */
static uint16_t status_moved(struct stream *s, const struct conn_rules *rules,
                             const struct rule *target)
{
    s->verdict.host = target->needs_host ? authority_host(authority_of(s)) : (struct text){NULL, 0};
    if (target->needs_host && s->verdict.host.length == 0) return 400;
    return location_fits(&s->verdict, rules, &s->target) ? target->status : 414;
}

/* Returns the status that needs no lookup, or 0. */
static uint16_t status_at_once(struct stream *s, const struct conn_rules *rules)
{
    const struct rule *target = rule_of(s, RULE_TARGET);
    if (request_is(&s->request, METHOD_OPTIONS)) return 204;
    return target && target->target.length > 0 ? status_moved(s, rules, target) : 0;
}

static struct plan plan_at_once(const struct stream *s, bool may_persist, uint16_t status)
{
    struct plan plan = plan_make(&s->request, may_persist, status);
    plan.verdict = &s->verdict;
    plan.allow = status == 204 || status == 405;
    plan.preflight = status == 204 && is_preflight(s);
    plan.moved = status == 301 || status == 302;
    return plan;
}

bool route_judges(const struct stream *s)
{
    return s->request.refused == REFUSAL_NONE &&
           (s->target.form == TARGET_ORIGIN || s->target.form == TARGET_ABSOLUTE);
}

/* No path can be made: a segment would be "..", or it would be too long. */
static bool absent_take(struct stream *s, bool may_persist, const struct rule *paths,
                        struct plan *plan)
{
    uint16_t status = paths->otherwise != 0 ? paths->otherwise : 404;
    if (page_ask(s, status)) return false;
    *plan = plan_make(&s->request, may_persist, status);
    plan->verdict = &s->verdict;
    return true;
}

/* The request is refused with this status. */
static bool refuse(struct stream *s, const struct conn_rules *rules, bool may_persist,
                   uint16_t status, struct plan *plan)
{
    lookup_begin(s, rules);
    if (page_ask(s, status)) return false;
    *plan = plan_at_once(s, may_persist, status);
    return true;
}

/* The request may be answered. */
static bool enter(struct stream *s, const struct conn_rules *rules, bool may_persist,
                  struct plan *plan)
{
    uint16_t status = status_at_once(s, rules);
    if (status >= 400) return refuse(s, rules, may_persist, status, plan);
    if (status != 0) {
        *plan = plan_at_once(s, may_persist, status);
        return true;
    }
    const struct rule *paths = rule_of(s, RULE_PATHS);
    lookup_begin(s, rules);
    if (!paths || paths->paths == 0)
        ask(s, s->target.path);
    else if (!path_next(s, rules, paths))
        return absent_take(s, may_persist, paths, plan);
    return false;
}

bool route_begin(struct stream *s, const struct conn_rules *rules, bool may_persist,
                 struct plan *plan)
{
    rule_judge(site_find(rules->sites, authority_of(s)), &s->request, s->target.path, &s->asker,
               &s->verdict);
    s->decided = 0;
    s->complete = 0;
    s->varies = false;
    s->tried = 0;
    uint16_t status = status_refused(s);
    if (status != 0) return refuse(s, rules, may_persist, status, plan);
    if (!s->credentials.users) return enter(s, rules, may_persist, plan);
    s->state = STREAM_ASKING;
    return false;
}

/* It is in the receive buffer, and of no more use. */
static void password_wipe(struct text password)
{
    memset((char *)(uintptr_t)password.base, 0, password.length);
}

bool route_admit(struct stream *s, const struct conn_rules *rules, bool may_persist,
                 enum admission admission, struct plan *plan)
{
    static const uint16_t status[] = {
        [ADMISSION_DENIED] = 401, [ADMISSION_LIMITED] = 429, [ADMISSION_BUSY] = 503};
    s->credentials.users = NULL;
    password_wipe(s->credentials.password);
    if (admission != ADMISSION_GRANTED)
        return refuse(s, rules, may_persist, status[admission], plan);
    s->request.user = s->credentials.name;
    s->verdict.admitted = true;
    return enter(s, rules, may_persist, plan);
}

/* ---- after a lookup -------------------------------------------------------------------------- */

/* Whether a file that was found may be answered with 412 or 416. */
static bool may_fail(const struct fields *fields)
{
    return fields_have(fields, FIELD_RANGE) || fields_have(fields, FIELD_IF_MATCH) ||
           fields_have(fields, FIELD_IF_UNMODIFIED_SINCE);
}

/* Asks for the page of 412 or 416, when this is the response about the file that was found. */
static bool found_goes_on(struct stream *s, const struct conn_rules *rules, struct resolution found,
                          int64_t now_seconds)
{
    struct ranges ranges;
    if (!may_fail(&s->request.fields)) return false;
    struct plan plan =
        plan_resolved(&s->request, false, found, now_seconds, rules->ranges_max, &ranges);
    if (plan.status < 400 || !verdict_page(&s->verdict, plan.status).base) return false;
    s->complete = plan.complete;
    s->varies = plan.varies;
    return page_ask(s, plan.status);
}

bool route_goes_on(struct stream *s, const struct conn_rules *rules, struct resolution found,
                   int64_t now_seconds)
{
    const struct rule *paths = rule_of(s, RULE_PATHS);
    enum resolution_kind kind = found.kind;
    if (s->decided != 0) return false;
    if (kind == RESOLUTION_FOUND) return found_goes_on(s, rules, found, now_seconds);
    if (kind == RESOLUTION_DIRECTORY && slash_add(s, rules)) return true;
    if (kind == RESOLUTION_NOT_FOUND && paths && path_next(s, rules, paths)) return true;
    if (kind == RESOLUTION_NOT_FOUND && paths && paths->otherwise != 0)
        return page_ask(s, paths->otherwise);
    uint16_t status = plan_status(kind);
    s->varies = found.varies;
    return status >= 400 && page_ask(s, status);
}

struct plan route_page(const struct stream *s, bool may_persist, struct resolution found)
{
    struct plan plan = plan_make(&s->request, may_persist, s->decided);
    plan.verdict = &s->verdict;
    plan.allow = s->decided == 405;
    plan.complete = s->complete;
    plan.varies = s->varies;
    if (found.kind != RESOLUTION_FOUND) return plan;
    plan.selected = found.representation;
    plan.varies |= found.representation->varies;
    plan.is_page = true;
    plan.length = found.representation->length;
    plan.page.length = 0;
    return plan;
}
