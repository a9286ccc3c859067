/*
 * Reads one request with llhttp, strictly: whatever two readers could understand differently is
 * refused with 400 and the connection closed, so that nothing can be smuggled (RFC 9112 §11.2).
 * Keeps the field lines the server acts upon, as texts in the receive buffer.
 * Knows nothing of files or of answers but the status to refuse with.
 *
 * llhttp is the framer only. What Connection, Expect, Transfer-Encoding and Content-Length say is
 * judged in judge.c, and where llhttp understood the framing otherwise the request is refused.
 *
 * llhttp refuses two things that are allowed: a tab behind some values (RFC 9110 §5.6.3), and bytes
 * beyond ASCII in a target, which clients send. A head at which it stops is therefore read once
 * more, and in these places llhttp is given a stand-in of the same length: a space for a tab within
 * a value, a letter for a byte beyond ASCII within the target. Only llhttp sees stand-ins: all
 * texts are of the bytes received. It sees every other byte as it is, so that nothing else becomes
 * acceptable.
 */
#include "judge.h"
#include "zcserve/token.h"

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
    const char *method = llhttp_method_name(parser->method);
    r->method_name = (struct text){method, strlen(method)};
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

static int on_value_complete(llhttp_t *parser)
{
    struct request *r = parser->data;
    if (is_trailer(r)) return 0;
    struct text name = r->name;
    struct text value = r->value.base ? text_trim_end(r->value) : TEXT("");
    r->name = r->value = (struct text){NULL, 0};
    enum refusal why = judge_line(r, name, value);
    return why == REFUSAL_NONE ? 0 : refuse(r, why);
}

/* Stops here, to know where the head ends; or for good, when llhttp understood it otherwise. */
static int on_head_complete(llhttp_t *parser)
{
    struct request *r = parser->data;
    if (!judge_framing(r)) return -1;
    parser->upgrade = 0; /* an offer that is not taken up (RFC 9110 §7.8) */
    r->phase = REQUEST_BODY;
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

/* Nothing of the head has been read. */
static void head_begin(struct request *r)
{
    llhttp_init(&r->parser, HTTP_REQUEST, &callbacks);
    llhttp_set_lenient_version(&r->parser, 1); /* judged by judge_head */
    r->parser.data = r;
    r->closes = r->keep_alive = r->continues = r->expects_other = r->chunked = false;
    r->content_length = 0;
    r->method = METHOD_OTHER;
    r->method_name = r->target = r->version = r->name = r->value = (struct text){NULL, 0};
    r->fields.present = r->fields.count = 0;
    r->lines = r->head_bytes = 0;
}

void request_begin(struct request *r, const struct conn_rules *rules)
{
    head_begin(r);
    r->rules = rules;
    r->phase = REQUEST_AWAITED;
    r->refused = REFUSAL_NONE;
    r->unread = r->stands_in = false;
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

/* A word that llhttp took for no method is one that this server does not know. */
static bool is_word_until(const struct request *r, const char *at)
{
    return is_token_char(*at) || (*at == ' ' && at > r->head);
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

/* What llhttp stopped at. Looks at no byte behind `at`: more may not be there yet. */
static enum refusal error_judge(const struct request *r, llhttp_errno_t error, const char *at)
{
    switch ((int)error) {
    case HPE_INVALID_METHOD: return is_word_until(r, at) ? REFUSAL_METHOD : REFUSAL_REQUEST_LINE;
    case HPE_INVALID_CONSTANT: /* no protocol behind the target, or a method that is not HTTP's */
        return is_rtsp(r) ? REFUSAL_METHOD : REFUSAL_REQUEST_LINE;
    case HPE_INVALID_URL: return target_judge(r, at);
    case HPE_PAUSED_H2_UPGRADE: return REFUSAL_VERSION;
    case HPE_INVALID_CONTENT_LENGTH:
    case HPE_UNEXPECTED_CONTENT_LENGTH:
    case HPE_CB_HEADERS_COMPLETE:
    case HPE_INVALID_TRANSFER_ENCODING: return REFUSAL_FRAMING;
    default:
        if (r->phase == REQUEST_BODY) return REFUSAL_CONTENT;
        return request_line_ends_before(r, at) ? REFUSAL_FIELD : REFUSAL_REQUEST_LINE;
    }
}

/* Lets llhttp read up to `length` bytes; *at is behind the last one read, or the bad one. */
static llhttp_errno_t parse(struct request *r, const char *bytes, size_t length, const char **at)
{
    llhttp_errno_t error = llhttp_execute(&r->parser, bytes, length);
    *at = error == HPE_OK ? bytes + length : llhttp_get_error_pos(&r->parser);
    return error;
}

/* ---- stand-ins ------------------------------------------------------------------------------- */

/* Within the target, behind its first byte. */
static bool is_in_target(const struct request *r, const char *at)
{
    return r->target.base && r->target.base + r->target.length == at;
}

/* Behind the colon of a field line. */
static bool is_in_value(const struct request *r, const char *at)
{
    return r->name.base && r->name.base + r->name.length < at &&
           r->name.base[r->name.length] == ':';
}

/* What llhttp is given for the byte `at`, up to which it has read; NULL for the byte itself. */
static const char *stand_in(const struct request *r, const char *at)
{
    if ((unsigned char)*at >= 0x80) return is_in_target(r, at) ? "x" : NULL;
    return *at == '\t' && is_in_value(r, at) ? " " : NULL;
}

static size_t plain_length(const char *bytes, size_t length)
{
    size_t at = 0;
    while (at < length && (unsigned char)bytes[at] < 0x80 && bytes[at] != '\t')
        at++;
    return at;
}

/* As parse(), with stand-ins. */
static llhttp_errno_t parse_with_stand_ins(struct request *r, const char *bytes, size_t length,
                                           const char **at)
{
    const char *end = bytes + length;
    llhttp_errno_t error = HPE_OK;
    *at = bytes;
    while (*at < end && error == HPE_OK) {
        const char *here = *at;
        size_t plain = plain_length(here, (size_t)(end - here));
        if (plain > 0) {
            error = parse(r, here, plain, at);
            continue;
        }
        const char *given = stand_in(r, here);
        error = parse(r, given ? given : here, 1, at);
        *at = error == HPE_OK ? here + 1 : here;
    }
    return error;
}

/* All of the head that was received, from its first byte on. */
static llhttp_errno_t parse_again(struct request *r, const char *end, const char **at)
{
    head_begin(r);
    r->stands_in = true;
    return parse_with_stand_ins(r, r->head, (size_t)(end - r->head), at);
}

/* Whether it was llhttp that did not want to go on, and not a callback for a reason of its own. */
static bool is_stopped(const struct request *r, llhttp_errno_t error)
{
    return error != HPE_OK && error != HPE_PAUSED && r->refused == REFUSAL_NONE;
}

/* ---- head and content ------------------------------------------------------------------------ */

static enum method method_of(const llhttp_t *parser)
{
    switch (parser->method) {
    case HTTP_GET: return METHOD_GET;
    case HTTP_HEAD: return METHOD_HEAD;
    case HTTP_OPTIONS: return METHOD_OPTIONS;
    case HTTP_CONNECT: return METHOD_CONNECT;
    default: return METHOD_OTHER;
    }
}

/* Reads up to `length` bytes of the head: how many it read; refused when they are bad. */
static size_t head_parse(struct request *r, const char *bytes, size_t length)
{
    const char *at;
    llhttp_errno_t error =
        r->stands_in ? parse_with_stand_ins(r, bytes, length, &at) : parse(r, bytes, length, &at);
    if (is_stopped(r, error) && !r->stands_in) error = parse_again(r, bytes + length, &at);
    if (is_stopped(r, error)) r->refused = error_judge(r, error, at);
    r->method = method_of(&r->parser);
    if (r->refused != REFUSAL_NONE) request_refuse(r, r->refused);
    r->head_bytes = (uint32_t)(at - r->head);
    return at > bytes ? (size_t)(at - bytes) : 0;
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
    size_t used = head_parse(r, bytes, length < room ? length : room);
    if (r->phase == REQUEST_HEAD && is_old(r, bytes + used))
        request_refuse(r, REFUSAL_REQUEST_LINE);
    if (r->phase == REQUEST_HEAD && r->head_bytes == r->rules->head_bytes_max)
        request_refuse(r, REFUSAL_HEAD_LARGE);
    if (r->phase != REQUEST_BODY) return used;
    enum refusal why = judge_head(r);
    if (why != REFUSAL_NONE)
        request_refuse(r, why);
    else if ((r->unread = judge_content_is_left(r)) || !judge_has_content(r))
        r->phase = REQUEST_COMPLETE;
    else
        llhttp_resume(&r->parser);
    return used;
}

/* One byte beyond the limit is enough to know. */
static size_t body_feed(struct request *r, const char *bytes, size_t length)
{
    uint64_t room = r->rules->body_bytes_max + 1 - r->body_bytes;
    const char *at;
    llhttp_errno_t error = parse(r, bytes, length < room ? length : (size_t)room, &at);
    if (is_stopped(r, error)) request_refuse(r, error_judge(r, error, at));
    size_t used = (size_t)(at - bytes);
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

bool request_keeps_alive(const struct request *r)
{
    bool wanted = r->parser.http_minor > 0 || r->keep_alive;
    return wanted && !r->closes && r->phase >= REQUEST_BODY && r->refused == REFUSAL_NONE &&
           !r->unread;
}

bool request_keep_alive_is_asked(const struct request *r)
{
    return r->parser.http_minor == 0 && r->keep_alive;
}
