/*
 * Writes the status line and the field lines of a response. A 200 is copied from three parts: the
 * status line, the lines that are the same for all responses of this second, and the prepared head
 * of its representation. Other responses copy the parts of the prepared head that they need, and
 * add the fields that depend on the request.
 */
#include "head.h"
#include "added.h"
#include "line.h"
#include "location.h"
#include "multipart.h"
#include "status.h"
#include "told.h"

static char *put_common(char *at, const struct conn_rules *rules, const struct now *now)
{
    if (rules->server.length > 0) at = put_line(at, TEXT("Server: "), rules->server);
    return put_line(at, TEXT("Date: "), (struct text){now->date, DATE_LENGTH});
}

static char *put_content_length(char *at, uint64_t length)
{
    at = put_number(put(at, TEXT("Content-Length: ")), length);
    return put(at, TEXT("\r\n"));
}

/* Writes the fields that describe the content of a 206 with one part. */
static char *put_part(char *at, const struct plan *plan)
{
    struct range part = {plan->offset, plan->length};
    at = put_content_length(put_type(at, plan), plan->length);
    return put_content_range(at, part, representation_length_text(plan->selected));
}

/*
 * Writes the fields that describe the content of a 206 with several parts. Content-Range must not be
 * among them (RFC 9110 §15.3.7.2): each part has its own.
 */
static char *put_multipart(char *at, const struct plan *plan, const struct conn_rules *rules)
{
    struct boundary boundary = multipart_boundary(plan, rules);
    at = put_line(at, TEXT("Content-Type: multipart/byteranges; boundary="),
                  (struct text){boundary.digits, BOUNDARY_DIGITS});
    return put_content_length(at, multipart_length(plan));
}

static char *put_partial(char *at, const struct plan *plan, const struct conn_rules *rules)
{
    at = plan->ranges ? put_multipart(at, plan, rules) : put_part(at, plan);
    return put(at, representation_head(plan->selected, HEAD_CODING, HEAD_VALIDATORS));
}

/* RFC 9110 §15.5.17: the length of what was asked for, also when a page is sent instead. */
static char *put_unsatisfied(char *at, uint64_t complete)
{
    at = put_number(put(at, TEXT("Content-Range: bytes */")), complete);
    return put(at, TEXT("\r\n"));
}

static char *put_page_fields(char *at, const struct plan *plan)
{
    if (plan->page.length == 0) return at;
    at = put_line(at, TEXT("Content-Type: "), TEXT("text/html; charset=utf-8"));
    return put_content_length(at, plan->page.length);
}

/* Writes the fields that describe the content of a 200, or of an error page that is a file. */
static char *put_whole(char *at, const struct plan *plan)
{
    enum head_part last = plan->is_page ? HEAD_CODING : HEAD_ACCEPT_RANGES;
    return put(put_type(at, plan), representation_head(plan->selected, HEAD_LENGTH, last));
}

/* Writes the fields that depend on the status, and on the rules of a site. */
static char *put_special(char *at, const struct plan *plan, const struct conn_rules *rules,
                         const struct target *target)
{
    if (plan->status == 206)
        at = put_partial(at, plan, rules);
    else if (plan->status == 200 || plan->is_page)
        at = put_whole(at, plan);
    else
        at = put_page_fields(at, plan);
    if (plan->status == 304)
        at = put(at, representation_head(plan->selected, HEAD_VALIDATORS, HEAD_VALIDATORS));
    if (plan->status == 416) at = put_unsatisfied(at, plan->complete);
    if (plan->status == 401) at = put_challenge(at, plan);
    if (plan->status == 429 || plan->status == 503)
        at = put_line(at, TEXT("Retry-After: "), TEXT("1"));
    if (plan->redirect || plan->moved) at = put_location(at, plan, target);
    if (plan->allow) at = put_allow(at, plan);
    return put_vary(at, plan);
}

size_t head_write(char *space, const struct plan *plan, const struct conn_rules *rules,
                  const struct target *target, struct exchange *exchange, const struct now *now)
{
    char *at = put_line(space, TEXT("HTTP/1.1 "), status_line(plan->status));
    at = put_common(at, rules, now);
    if (rules->server_timing || rules->request_id) at = put_told(at, rules, exchange, now);
    if (plan->status == 200 && head_is_kept(plan->verdict))
        at = put(at, plan->selected->prepared_head);
    else
        at = put_special(at, plan, rules, target);
    if (plan->verdict) at = put_added(at, plan, now);
    if (!plan->keep_alive)
        at = put(at, TEXT("Connection: close\r\n"));
    else if (plan->confirm_keep_alive)
        at = put(at, TEXT("Connection: keep-alive\r\n"));
    return (size_t)(put(at, TEXT("\r\n")) - space);
}
