/*
 * Reads one request with llhttp, strictly: whatever two readers could understand differently is
 * refused with 400 and the connection closed, so that nothing can be smuggled (RFC 9112 §11.2).
 * Keeps the field lines the server acts upon, as texts in the receive buffer.
 * Knows nothing of files or of answers but the status to refuse with.
 */
#include "request.h"
#include "target.h"

static struct text text_extend(struct text text, const char *at, size_t length)
{
    return text.base ? (struct text){text.base, text.length + length} : (struct text){at, length};
}

/* Gives llhttp's "stop here": what follows is not read. */
static int refuse(struct request *r, enum refusal why)
{
    if (r->refused == REFUSAL_NONE) r->refused = why;
    return -1;
}

/* Of the white space between the parts of the request line, llhttp takes any amount. */
static bool follows_one_space(const char *at)
{
    return at[-1] == ' ' && at[-2] != ' ';
}

static int on_target(llhttp_t *parser, const char *at, size_t length)
{
    struct request *r = parser->data;
    if (!r->target.base && !follows_one_space(at)) return refuse(r, REFUSAL_REQUEST_LINE);
    r->target = text_extend(r->target, at, length);
    return r->target.length > r->rules->target_bytes_max ? refuse(r, REFUSAL_TARGET_LONG) : 0;
}

/* A request line that ends with its target is HTTP/0.9's, which has no head to wait for. */
static bool line_ends_at_target(const struct request *r)
{
    return r->target.base[r->target.length] != ' ';
}

static int on_target_complete(llhttp_t *parser)
{
    struct request *r = parser->data;
    return line_ends_at_target(r) ? refuse(r, REFUSAL_REQUEST_LINE) : 0;
}

/* llhttp reads "RTSP/1.0" and "ICE/1.0" too. */
static int on_version(llhttp_t *parser, const char *at, size_t length)
{
    static const struct text protocol = {"HTTP/", 5};
    struct request *r = parser->data;
    if (r->version.base) {
        r->version.length += length;
        return 0;
    }
    r->version = (struct text){at - protocol.length, protocol.length};
    if (!text_equals(r->version, protocol) || !follows_one_space(r->version.base))
        return refuse(r, REFUSAL_REQUEST_LINE);
    r->version.length += length;
    return 0;
}

/* The lines of a trailer are not kept: their bytes are overwritten as more of the body comes. */
static bool is_trailer(const struct request *r)
{
    return r->phase != REQUEST_HEAD;
}

static int on_name(llhttp_t *parser, const char *at, size_t length)
{
    struct request *r = parser->data;
    if (!is_trailer(r)) r->name = text_extend(r->name, at, length);
    return 0;
}

static int on_value(llhttp_t *parser, const char *at, size_t length)
{
    struct request *r = parser->data;
    if (!is_trailer(r)) r->value = text_extend(r->value, at, length);
    return 0;
}

static struct text text_trim_end(struct text text)
{
    while (text.length > 0 &&
           (text.base[text.length - 1] == ' ' || text.base[text.length - 1] == '\t'))
        text.length--;
    return text;
}

/* A coding besides chunked would have to be undone to be understood (RFC 9112 §6.1). */
static int transfer_coding_check(struct request *r, struct text value)
{
    if (text_equals_any_case(value, TEXT("chunked"))) return 0;
    return refuse(r, value.length == 0 ? REFUSAL_FRAMING : REFUSAL_CODING);
}

static int line_take(struct request *r, struct text name, struct text value)
{
    if (++r->lines > r->rules->fields_max) return refuse(r, REFUSAL_FIELDS_MANY);
    enum field field = field_find(name);
    if (field == FIELD_OTHER) return 0;
    if (field == FIELD_TRANSFER_ENCODING) return transfer_coding_check(r, value);
    return fields_add(&r->fields, field, value) ? 0 : refuse(r, REFUSAL_FIELDS_MANY);
}

static int on_value_complete(llhttp_t *parser)
{
    struct request *r = parser->data;
    if (is_trailer(r)) return 0;
    struct text name = r->name;
    struct text value = r->value.base ? text_trim_end(r->value) : TEXT("");
    r->name = r->value = (struct text){NULL, 0};
    return line_take(r, name, value);
}

/* RFC 9112 §3.2: one Host, well-formed, and none missing from HTTP/1.1 on. */
static bool host_valid(const struct request *r)
{
    uint32_t count = fields_count(&r->fields, FIELD_HOST);
    if (count == 0) return r->parser.http_minor == 0;
    return count == 1 && authority_valid(fields_value(&r->fields, FIELD_HOST));
}

static bool has_body(const llhttp_t *parser)
{
    return parser->content_length > 0 || (parser->flags & F_CHUNKED) != 0;
}

/* RFC 9110 §10.1.1; HTTP/1.0 did not know it. */
static bool expectation_met(const struct request *r)
{
    return !fields_have(&r->fields, FIELD_EXPECT) || r->parser.http_minor == 0 ||
           text_equals_any_case(fields_value(&r->fields, FIELD_EXPECT), TEXT("100-continue"));
}

static enum refusal head_judge(const struct request *r)
{
    const llhttp_t *parser = &r->parser;
    if (parser->http_major != 1)
        return parser->http_major == 0 ? REFUSAL_REQUEST_LINE : REFUSAL_VERSION;
    if (!host_valid(r)) return REFUSAL_HOST;
    if ((parser->flags & F_TRANSFER_ENCODING) &&
        (!(parser->flags & F_CHUNKED) || parser->http_minor == 0))
        return REFUSAL_FRAMING;
    return expectation_met(r) ? REFUSAL_NONE : REFUSAL_EXPECTATION;
}

/* Content that the client holds back, or that is too long, is not waited for. */
static bool body_is_left(const struct request *r)
{
    const llhttp_t *parser = &r->parser;
    if (!has_body(parser)) return false;
    bool waits = fields_have(&r->fields, FIELD_EXPECT) && parser->http_minor > 0;
    return waits ||
           (!(parser->flags & F_CHUNKED) && parser->content_length > r->rules->body_bytes_max);
}

/* Stops here, to know where the head ends. */
static int on_head_complete(llhttp_t *parser)
{
    struct request *r = parser->data;
    parser->upgrade = 0; /* an offer that is not taken up (RFC 9110 §7.8) */
    r->phase = REQUEST_BODY;
    r->keep_alive = !(parser->flags & F_CONNECTION_CLOSE) && llhttp_should_keep_alive(parser) != 0;
    return HPE_PAUSED;
}

static int on_body_complete(llhttp_t *parser)
{
    struct request *r = parser->data;
    r->phase = REQUEST_COMPLETE;
    return HPE_PAUSED;
}

static const llhttp_settings_t callbacks = {
    .on_url = on_target,
    .on_url_complete = on_target_complete,
    .on_version = on_version,
    .on_header_field = on_name,
    .on_header_value = on_value,
    .on_header_value_complete = on_value_complete,
    .on_headers_complete = on_head_complete,
    .on_message_complete = on_body_complete,
};

void request_begin(struct request *r, const struct conn_rules *rules)
{
    llhttp_init(&r->parser, HTTP_REQUEST, &callbacks);
    llhttp_set_lenient_version(&r->parser, 1); /* judged by head_judge */
    r->parser.data = r;
    r->rules = rules;
    r->phase = REQUEST_AWAITED;
    r->refused = REFUSAL_NONE;
    r->unread = false;
    r->keep_alive = false;
    r->target = r->version = r->name = r->value = (struct text){NULL, 0};
    r->fields.present = r->fields.count = 0;
    r->lines = r->head_bytes = 0;
    r->body_bytes = 0;
}

/* Passes over empty lines before the request line (RFC 9112 §2.2), which end in CRLF only. */
static size_t empty_lines_skip(struct request *r, const char *bytes, size_t length)
{
    size_t at = 0;
    while (at < length && bytes[at] == '\r') {
        if (at + 1 == length) return at;
        if (bytes[at + 1] != '\n') break;
        at += 2;
    }
    if (at == length) return at;
    if (bytes[at] == '\r' || bytes[at] == '\n')
        request_refuse(r, REFUSAL_REQUEST_LINE);
    else
        r->phase = REQUEST_HEAD;
    return at;
}

/* tchar of RFC 9110 §5.6.2. */
static bool is_token(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
           (c != '\0' && strchr("!#$%&'*+-.^_`|~", c) != NULL);
}

/* A word that llhttp took for no method is one that this server does not know. */
static bool is_word_until(const struct request *r, const char *at)
{
    return is_token(*at) || (*at == ' ' && at > r->head);
}

static bool is_rtsp(const struct request *r)
{
    return r->parser.method >= HTTP_DESCRIBE && r->parser.method <= HTTP_FLUSH;
}

/* What llhttp took for no target: more than one space before it was wrong already. */
static enum refusal target_judge(const struct request *r, const char *at)
{
    const char *space = memchr(r->head, ' ', (size_t)(at - r->head));
    if (!space || space + 1 >= at) return REFUSAL_TARGET;
    if (space[1] == ' ') return REFUSAL_REQUEST_LINE;
    return (size_t)(at - space - 1) > r->rules->target_bytes_max ? REFUSAL_TARGET_LONG
                                                                 : REFUSAL_TARGET;
}

static bool request_line_ends_before(const struct request *r, const char *at)
{
    const char *end = r->version.base ? r->version.base + r->version.length : at;
    return end + 2 <= at && end[0] == '\r' && end[1] == '\n';
}

/* What llhttp stopped at. Looks at no byte behind it: more may not be there yet. */
static enum refusal error_judge(const struct request *r, llhttp_errno_t error)
{
    const char *at = llhttp_get_error_pos(&r->parser);
    switch ((int)error) {
    case HPE_INVALID_METHOD: return is_word_until(r, at) ? REFUSAL_METHOD : REFUSAL_REQUEST_LINE;
    case HPE_INVALID_CONSTANT: /* no protocol behind the target, or a method that is not HTTP's */
        return is_rtsp(r) ? REFUSAL_METHOD : REFUSAL_REQUEST_LINE;
    case HPE_INVALID_URL: return target_judge(r, at);
    case HPE_PAUSED_H2_UPGRADE: return REFUSAL_VERSION;
    case HPE_INVALID_CONTENT_LENGTH:
    case HPE_UNEXPECTED_CONTENT_LENGTH:
    case HPE_INVALID_TRANSFER_ENCODING: return REFUSAL_FRAMING;
    default:
        if (r->phase == REQUEST_BODY) return REFUSAL_CONTENT;
        return request_line_ends_before(r, at) ? REFUSAL_FIELD : REFUSAL_REQUEST_LINE;
    }
}

/* Lets llhttp read up to `length` bytes. How many it read; refused when they are bad. */
static size_t parse(struct request *r, const char *bytes, size_t length)
{
    llhttp_errno_t error = llhttp_execute(&r->parser, bytes, length);
    if (error == HPE_OK) return length;
    if (error != HPE_PAUSED) request_refuse(r, error_judge(r, error));
    return (size_t)(llhttp_get_error_pos(&r->parser) - bytes);
}

/* Whether what was read before `at` is HTTP/0.9's; llhttp would tell with the next line only. */
static bool is_old(const struct request *r, const char *at)
{
    return r->target.base && !r->version.base && r->target.base + r->target.length < at &&
           line_ends_at_target(r);
}

static size_t head_feed(struct request *r, const char *bytes, size_t length)
{
    size_t room = r->rules->head_bytes_max - r->head_bytes;
    size_t used = parse(r, bytes, length < room ? length : room);
    r->head_bytes += (uint32_t)used;
    if (r->phase == REQUEST_HEAD && is_old(r, bytes + used))
        request_refuse(r, REFUSAL_REQUEST_LINE);
    if (r->phase == REQUEST_HEAD && r->head_bytes == r->rules->head_bytes_max)
        request_refuse(r, REFUSAL_HEAD_LARGE);
    if (r->phase != REQUEST_BODY) return used;
    enum refusal why = head_judge(r);
    if (why != REFUSAL_NONE)
        request_refuse(r, why);
    else if ((r->unread = body_is_left(r)) || !has_body(&r->parser))
        r->phase = REQUEST_COMPLETE;
    else
        llhttp_resume(&r->parser);
    return used;
}

/* One byte beyond the limit is enough to know. */
static size_t body_feed(struct request *r, const char *bytes, size_t length)
{
    uint64_t room = r->rules->body_bytes_max + 1 - r->body_bytes;
    size_t used = parse(r, bytes, length < room ? length : (size_t)room);
    r->body_bytes += used;
    if (r->phase == REQUEST_BODY && r->body_bytes > r->rules->body_bytes_max) {
        r->unread = true;
        r->phase = REQUEST_COMPLETE;
    }
    return used;
}

size_t request_feed(struct request *r, const char *bytes, size_t length)
{
    size_t used = 0;
    if (r->phase == REQUEST_AWAITED) {
        used = empty_lines_skip(r, bytes, length);
        r->head = bytes + used;
    }
    if (r->phase == REQUEST_HEAD && used < length)
        used += head_feed(r, bytes + used, length - used);
    if (r->phase == REQUEST_BODY && used < length)
        used += body_feed(r, bytes + used, length - used);
    return used;
}

void request_refuse(struct request *r, enum refusal why)
{
    if (r->refused == REFUSAL_NONE) r->refused = why;
    r->phase = REQUEST_COMPLETE;
}

static void text_move(struct text *text, size_t offset)
{
    if (text->base) text->base -= offset;
}

/* llhttp itself keeps no pointer between two calls. */
void request_move(struct request *r, size_t offset)
{
    if (r->phase == REQUEST_AWAITED) return;
    r->head -= offset;
    text_move(&r->target, offset);
    text_move(&r->version, offset);
    text_move(&r->name, offset);
    text_move(&r->value, offset);
    for (uint32_t i = 0; i < r->fields.count; i++)
        text_move(&r->fields.line[i].value, offset);
}

bool request_keep_alive_is_asked(const struct request *r)
{
    return r->parser.http_minor == 0 && (r->parser.flags & F_CONNECTION_KEEP_ALIVE) != 0;
}
