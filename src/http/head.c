/*
 * Writes the status line and the field lines of a response. A 200 is copied from three parts: the
 * status line, the lines that are the same for all responses of this second, and the prepared head
 * of its representation. Other responses copy the parts of the prepared head that they need, and
 * add the fields that depend on the request.
 */
#include "head.h"
#include "line.h"
#include "multipart.h"
#include "status.h"

static char *put_common(char *at, const struct conn_rules *rules, const struct now *now)
{
    if (rules->server.length > 0) at = put_line(at, TEXT("Server: "), rules->server);
    return put_line(at, TEXT("Date: "), (struct text){now->date, DATE_LENGTH});
}

/* Returns whether a path may have the character unencoded: pchar of RFC 3986 §3.3, and "/". */
static bool is_path_character(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (c != '\0' && strchr("-._~!$&'()*+,;=:@/", c) != NULL);
}

/*
 * Returns whether a query may have the character unencoded. A query is not decoded, so its percent
 * signs stay; brackets are common in queries.
 */
static bool is_query_character(char c)
{
    return is_path_character(c) || (c != '\0' && strchr("?%[]", c) != NULL);
}

static char *put_encoded(char *at, struct text text, bool (*is_plain)(char))
{
    static const char digits[] = "0123456789ABCDEF";
    for (size_t i = 0; i < text.length; i++) {
        unsigned char c = (unsigned char)text.base[i];
        if (is_plain((char)c)) {
            *at++ = (char)c;
            continue;
        }
        *at++ = '%';
        *at++ = digits[c >> 4];
        *at++ = digits[c & 15];
    }
    return at;
}

/* Returns what follows the last "/". A path that is redirected does not end with "/". */
static struct text last_segment(struct text path)
{
    size_t length = 0;
    while (length < path.length && path.base[path.length - length - 1] != '/')
        length++;
    return (struct text){path.base + path.length - length, length};
}

/*
 * Writes a relative Location (RFC 9110 §10.2.2): the last segment of the path and a slash. So it
 * stays right when a proxy adds a prefix to the path.
 * The segment has no slash, so it cannot name another host. When it has a colon, "./" is written
 * before it, so that the text before the colon is not read as a scheme (RFC 3986 §4.2).
 */
static char *put_location(char *at, const struct target *target)
{
    struct text name = last_segment(target->path);
    at = put(at, TEXT("Location: "));
    if (memchr(name.base, ':', name.length)) at = put(at, TEXT("./"));
    at = put(put_encoded(at, name, is_path_character), TEXT("/"));
    if (target->query.base) at = put_encoded(put(at, TEXT("?")), target->query, is_query_character);
    return put(at, TEXT("\r\n"));
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
    at = put(at, representation_head(plan->selected, HEAD_TYPE, HEAD_TYPE));
    at = put_content_length(at, plan->length);
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

static char *put_page_fields(char *at, const struct plan *plan)
{
    if (plan->page.length == 0) return at;
    at = put_line(at, TEXT("Content-Type: "), TEXT("text/html; charset=utf-8"));
    return put_content_length(at, plan->page.length);
}

/* Writes the fields that depend on the status, of all responses but a 200. */
static char *put_special(char *at, const struct plan *plan, const struct conn_rules *rules,
                         const struct target *target)
{
    if (plan->status == 206)
        at = put_partial(at, plan, rules);
    else
        at = put_page_fields(at, plan);
    if (plan->status == 304)
        at = put(at, representation_head(plan->selected, HEAD_VALIDATORS, HEAD_VALIDATORS));
    if (plan->status == 416)
        at = put_line(at, TEXT("Content-Range: bytes */"),
                      representation_length_text(plan->selected));
    if (plan->status == 429) at = put_line(at, TEXT("Retry-After: "), TEXT("1"));
    if (plan->redirect) at = put_location(at, target);
    if (plan->allow) at = put_line(at, TEXT("Allow: "), TEXT("GET, HEAD, OPTIONS"));
    return plan->varies ? put_line(at, TEXT("Vary: "), TEXT("Accept-Encoding")) : at;
}

size_t head_write(char *space, const struct plan *plan, const struct conn_rules *rules,
                  const struct target *target, const struct now *now)
{
    char *at = put_line(space, TEXT("HTTP/1.1 "), status_line(plan->status));
    at = put_common(at, rules, now);
    if (plan->status == 200)
        at = put(at, plan->selected->prepared_head);
    else
        at = put_special(at, plan, rules, target);
    if (!plan->keep_alive)
        at = put(at, TEXT("Connection: close\r\n"));
    else if (plan->confirm_keep_alive)
        at = put(at, TEXT("Connection: keep-alive\r\n"));
    return (size_t)(put(at, TEXT("\r\n")) - space);
}
