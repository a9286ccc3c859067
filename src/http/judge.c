/*
 * Judges the head of a request: each field line from its own text when it comes, and the whole head
 * at its end. A list may have empty members and optional white space (RFC 9110 §5.6). But the
 * fields that frame the content may not be lists, so that no other reader can understand them
 * differently (RFC 9112 §6.3).
 */
#include "judge.h"
#include "authority.h"

/* Accepts only "chunked": the server cannot decode other transfer codings (RFC 9112 §6.1). */
static enum refusal transfer_coding_take(struct reader *r, struct text value)
{
    if (!text_equals_any_case(value, TEXT("chunked")))
        return value.length == 0 ? REFUSAL_FRAMING : REFUSAL_CODING;
    r->chunked = true;
    return REFUSAL_NONE;
}

/* Reads a value of digits only that fits 64 bits. llhttp refuses a second Content-Length. */
static enum refusal content_length_take(struct reader *r, struct text value)
{
    if (value.length == 0) return REFUSAL_FRAMING;
    for (size_t i = 0; i < value.length; i++) {
        unsigned digit = (unsigned char)value.base[i] - (unsigned)'0';
        if (digit > 9 || __builtin_mul_overflow(r->content_length, 10, &r->content_length) ||
            __builtin_add_overflow(r->content_length, digit, &r->content_length))
            return REFUSAL_FRAMING;
    }
    return REFUSAL_NONE;
}

static void connection_take(struct reader *r, struct text value)
{
    struct text member;
    if (text_equals(value, TEXT("keep-alive"))) { /* in the form that browsers use */
        r->keep_alive = true;
        return;
    }
    while (list_next(&value, &member)) {
        r->closes |= text_equals_any_case(member, TEXT("close"));
        r->keep_alive |= text_equals_any_case(member, TEXT("keep-alive"));
    }
}

/* Reads a list of expectations (RFC 9110 §10.1.1). "100-continue" with a parameter is unknown. */
static void expectation_take(struct reader *r, struct text value)
{
    struct text member;
    while (list_next(&value, &member)) {
        bool known = text_equals_any_case(member, TEXT("100-continue"));
        r->continues |= known;
        r->expects_other |= !known;
    }
}

static enum refusal field_keep(struct reader *r, enum field field, struct text value)
{
    return fields_add(&r->request->fields, field, value) ? REFUSAL_NONE : REFUSAL_FIELDS_MANY;
}

/* A field that tells of the client is kept only when it may be believed. */
static enum refusal forwarding_take(struct reader *r, enum field field, struct text value)
{
    enum forwarding kept =
        field == FIELD_FORWARDED ? FORWARDING_FORWARDED : FORWARDING_X_FORWARDED_FOR;
    if (r->rules->forwarding != kept) return REFUSAL_NONE;
    return field_keep(r, field, value);
}

/* Credentials are kept only when a rule may ask for them. */
static enum refusal authorization_take(struct reader *r, struct text value)
{
    bool wanted = r->rules->sites && r->rules->sites->by_user;
    return wanted ? field_keep(r, FIELD_AUTHORIZATION, value) : REFUSAL_NONE;
}

enum refusal judge_line(struct reader *r, struct text name, struct text value)
{
    if (++r->lines > r->rules->fields_max) return REFUSAL_FIELDS_MANY;
    enum field field = field_find(name);
    switch ((int)field) {
    case FIELD_OTHER: return REFUSAL_NONE;
    case FIELD_CONNECTION: connection_take(r, value); return REFUSAL_NONE;
    case FIELD_EXPECT: expectation_take(r, value); return REFUSAL_NONE;
    case FIELD_TRANSFER_ENCODING: return transfer_coding_take(r, value);
    case FIELD_CONTENT_LENGTH: return content_length_take(r, value);
    case FIELD_FORWARDED:
    case FIELD_X_FORWARDED_FOR:
    case FIELD_X_FORWARDED_PROTO: return forwarding_take(r, field, value);
    case FIELD_X_REQUEST_ID:
        return r->rules->request_id ? field_keep(r, field, value) : REFUSAL_NONE;
    case FIELD_AUTHORIZATION: return authorization_take(r, value);
    default: return field_keep(r, field, value);
    }
}

/* Returns whether there is one well-formed Host, or none in HTTP/1.0 (RFC 9112 §3.2). */
static bool host_valid(const struct reader *r)
{
    uint32_t count = fields_count(&r->request->fields, FIELD_HOST);
    if (count == 0) return r->parser.http_minor == 0;
    return count == 1 && authority_valid(fields_value(&r->request->fields, FIELD_HOST));
}

bool judge_has_content(const struct reader *r)
{
    return r->chunked || r->content_length > 0;
}

/* Returns whether this is HTTP/1.0, which does not have Expect. */
static bool is_before_expect(const struct reader *r)
{
    return r->parser.http_minor == 0;
}

bool judge_framing(const struct reader *r)
{
    const llhttp_t *parser = &r->parser;
    bool coded = (parser->flags & F_TRANSFER_ENCODING) != 0;
    bool chunked = (parser->flags & F_CHUNKED) != 0;
    return coded == r->chunked && chunked == r->chunked &&
           parser->content_length == r->content_length;
}

enum refusal judge_head(const struct reader *r)
{
    const llhttp_t *parser = &r->parser;
    if (parser->http_major != 1)
        return parser->http_major == 0 ? REFUSAL_REQUEST_LINE : REFUSAL_VERSION;
    if (!host_valid(r)) return REFUSAL_HOST;
    if (r->chunked && parser->http_minor == 0) return REFUSAL_FRAMING;
    return r->expects_other && !is_before_expect(r) ? REFUSAL_EXPECTATION : REFUSAL_NONE;
}

bool judge_content_is_left(const struct reader *r)
{
    if (!judge_has_content(r)) return false;
    bool waits = r->continues && !is_before_expect(r);
    return waits || r->content_length > r->rules->body_bytes_max;
}
