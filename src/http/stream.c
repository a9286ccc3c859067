/*
 * Leads a complete request to the plan of its response, through a lookup when it needs one.
 */
#include "stream.h"
#include "forwarded.h"
#include "negotiate.h"
#include "route.h"
#include "view_asked.h"

#include <assert.h>

static bool may_persist(const struct conn_rules *rules, bool last)
{
    return rules->keep_alive && !last;
}

/* Makes a path from the target. Returns false when the target cannot be looked up. */
static bool target_take(struct stream *s)
{
    const struct request *r = &s->request;
    if (r->refused == REFUSAL_NONE)
        s->target = target_parse(r->target, s->path);
    else
        s->target = (struct target){.form = TARGET_BAD};
    return s->target.form == TARGET_ORIGIN || s->target.form == TARGET_ABSOLUTE ||
           (s->target.form == TARGET_ASTERISK && request_is(r, METHOD_OPTIONS));
}

void stream_name(struct stream *s, const struct conn_rules *rules, bool peer_trusted)
{
    s->asker = (struct asker){.from = s->peer};
    if (!peer_trusted) return;
    struct text client = forwarded_client(&s->request.fields, rules);
    if (client.base && ip_read(client, &s->asker.from.ip)) s->asker.from.local = false;
    s->asker.https = forwarded_https(&s->request.fields, rules);
}

bool stream_take(struct stream *s, const struct conn_rules *rules, bool last, struct plan *plan)
{
    struct request *r = &s->request;
    assert(s->state == STREAM_READING);
    if (!target_take(s) && !request_is(r, METHOD_CONNECT)) request_refuse(r, REFUSAL_TARGET);
    if (rules->sites && route_judges(s))
        return route_begin(s, rules, may_persist(rules, last), plan);
    if (plan_without_lookup(r, may_persist(rules, last), plan)) return true;
    s->lookup.tree = 0;
    s->lookup.lists = rules->lists;
    s->lookup.path = s->target.path;
    s->lookup.accepted = negotiate_accepted(&r->fields);
    s->lookup.accepted.original_otherwise = !rules->not_acceptable;
    if (rules->lists) s->lookup.view = view_asked(s->target.query, &r->fields);
    s->state = STREAM_ASKING;
    return false;
}

void stream_refuse(struct stream *s, enum refusal why, struct plan *plan)
{
    request_refuse(&s->request, why);
    s->state = STREAM_READING;
    bool planned = plan_without_lookup(&s->request, false, plan);
    assert(planned);
}

bool stream_admitted(struct stream *s, const struct conn_rules *rules, bool last,
                     enum admission admission, struct plan *plan)
{
    assert(stream_asks(s));
    s->state = STREAM_READING;
    return route_admit(s, rules, may_persist(rules, last), admission, plan);
}

struct plan stream_resolved(struct stream *s, const struct conn_rules *rules, bool last,
                            struct resolution found, const struct now *now, struct ranges *ranges)
{
    assert(stream_asks(s));
    s->state = STREAM_READING;
    if (rules->sites && s->decided != 0) return route_page(s, may_persist(rules, last), found);
    struct plan plan = plan_resolved(&s->request, may_persist(rules, last), found,
                                     now->wall_seconds, rules->ranges_max, ranges);
    if (rules->sites) plan.verdict = &s->verdict;
    return plan;
}

/* Describes who sent the request, as far as a trusted peer says so, and its id. */
static void client_describe(struct stream *s, const struct conn_rules *rules, bool peer_trusted,
                            struct exchange *exchange)
{
    const struct fields *fields = &s->request.fields;
    if (peer_trusted) exchange->client = forwarded_client(fields, rules);
    if (peer_trusted) exchange->https = forwarded_https(fields, rules);
    if (rules->request_id) exchange->id = told_id(fields, peer_trusted, rules, s->ids, s->id);
}

void stream_describe(struct stream *s, const struct conn_rules *rules, bool peer_trusted,
                     struct exchange *exchange)
{
    const struct text absent = {NULL, 0};
    const struct request *r = &s->request;
    exchange->lent = NULL;
    exchange->method = r->method;
    exchange->method_name = r->method_name;
    exchange->target = r->target;
    exchange->version = r->version;
    exchange->host = fields_value(&r->fields, FIELD_HOST);
    exchange->referer = fields_value(&r->fields, FIELD_REFERER);
    exchange->user_agent = fields_value(&r->fields, FIELD_USER_AGENT);
    exchange->user = r->user;
    exchange->client = exchange->id = absent;
    exchange->https = false;
    if (peer_trusted || rules->request_id) client_describe(s, rules, peer_trusted, exchange);
    exchange->queue_ns = s->queue_ns;
    exchange->begun_ns = s->begun_ns;
    exchange->headed_ns = s->headed_ns;
    exchange->ready_ns = 0;
    exchange->refused = r->refused;
    exchange->content_bytes = 0;
}
