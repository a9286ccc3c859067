/*
 * Reads one request with llhttp, strictly. What two readers could understand differently is refused
 * with 400, and the connection is closed, so that no request can be smuggled (RFC 9112 §11.2). The
 * field lines that the server uses are kept, as texts in the receive buffer.
 *
 * llhttp only finds the frame of the request. judge.c decides what Connection, Expect,
 * Transfer-Encoding and Content-Length say. When llhttp understood the frame differently, the
 * request is refused.
 */
#include "foreign.h"
#include "judge.h"
#include "stand_in.h"
#include "zcserve/token.h"

static struct text text_extend(struct text text, const char *at, size_t length)
{
    return text.base ? (struct text){text.base, text.length + length} : (struct text){at, length};
}

/* Refuses the request. Returns -1, so that llhttp stops and reads no further byte. */
static int refuse(struct reader *r, enum refusal why)
{
    if (r->request->refused == REFUSAL_NONE) r->request->refused = why;
    return -1;
}

/* Returns whether one space precedes `at`: llhttp allows any number within the request line. */
static bool follows_one_space(const char *at)
{
    return at[-1] == ' ' && at[-2] != ' ';
}

static int on_target(llhttp_t *parser, const char *at, size_t length)
{
    struct reader *r = parser->data;
    if (!r->request->target.base && !follows_one_space(at)) return refuse(r, REFUSAL_REQUEST_LINE);
    r->request->target = text_extend(r->request->target, at, length);
    return r->request->target.length > r->rules->target_bytes_max ? refuse(r, REFUSAL_TARGET_LONG)
                                                                  : 0;
}

/* Returns whether the target ends the line. This is HTTP/0.9, and has no head to wait for. */
static bool line_ends_at_target(const struct reader *r)
{
    return r->request->target.base[r->request->target.length] != ' ';
}

static int on_target_complete(llhttp_t *parser)
{
    struct reader *r = parser->data;
    return line_ends_at_target(r) ? refuse(r, REFUSAL_REQUEST_LINE) : 0;
}

/* Checks the protocol: llhttp also accepts "RTSP/1.0" and "ICE/1.0". */
static int on_version(llhttp_t *parser, const char *at, size_t length)
{
    static const struct text protocol = {"HTTP/", 5};
    struct reader *r = parser->data;
    if (r->request->version.base) {
        r->request->version.length += length;
        return 0;
    }
    r->request->version = (struct text){at - protocol.length, protocol.length};
    r->request->method_name =
        (struct text){r->head, (size_t)(r->request->target.base - 1 - r->head)};
    if (!text_equals(r->request->version, protocol) || !follows_one_space(r->request->version.base))
        return refuse(r, REFUSAL_REQUEST_LINE);
    r->request->version.length += length;
    return 0;
}

/* Trailer fields are not kept: their bytes are overwritten when more content comes. */
static bool is_trailer(const struct reader *r)
{
    return r->phase != READER_HEAD;
}

static int on_name(llhttp_t *parser, const char *at, size_t length)
{
    struct reader *r = parser->data;
    if (!is_trailer(r)) r->name = text_extend(r->name, at, length);
    return 0;
}

static int on_value(llhttp_t *parser, const char *at, size_t length)
{
    struct reader *r = parser->data;
    if (!is_trailer(r)) r->value = text_extend(r->value, at, length);
    return 0;
}

static int on_value_complete(llhttp_t *parser)
{
    struct reader *r = parser->data;
    if (is_trailer(r)) return 0;
    struct text name = r->name;
    struct text value = r->value.base ? text_trim_end(r->value) : TEXT("");
    r->name = r->value = (struct text){NULL, 0};
    enum refusal why = judge_line(r, name, value);
    return why == REFUSAL_NONE ? 0 : refuse(r, why);
}

/* Pauses llhttp at the end of the head; an error when it framed the content otherwise. */
static int on_head_complete(llhttp_t *parser)
{
    struct reader *r = parser->data;
    if (!judge_framing(r)) return -1;
    parser->upgrade = 0; /* Upgrade is ignored (RFC 9110 §7.8) */
    r->phase = READER_BODY;
    return HPE_PAUSED;
}

static int on_body_complete(llhttp_t *parser)
{
    struct reader *r = parser->data;
    r->phase = READER_COMPLETE;
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

/* Makes the reader and the request as they are before the first byte of the head. */
static void head_begin(struct reader *r)
{
    struct request *q = r->request;
    llhttp_init(&r->parser, HTTP_REQUEST, &callbacks);
    llhttp_set_lenient_version(&r->parser, 1); /* judge_head() judges it */
    r->parser.data = r;
    r->closes = r->keep_alive = r->continues = r->expects_other = r->chunked = false;
    r->content_length = 0;
    r->name = r->value = (struct text){NULL, 0};
    r->lines = r->head_bytes = 0;
    q->method = METHOD_OTHER;
    q->method_name = q->target = q->version = q->user = (struct text){NULL, 0};
    q->fields.present = q->fields.count = 0;
}

void reader_begin(struct reader *r, struct request *request, const struct conn_rules *rules)
{
    r->request = request;
    r->rules = rules;
    r->phase = READER_AWAITS;
}

/* The first byte of a request is there: forgets the request before it. */
static void request_begin(struct reader *r)
{
    struct request *q = r->request;
    head_begin(r);
    r->stands_in = false;
    r->body_bytes = 0;
    q->refused = REFUSAL_NONE;
    q->unread = q->persists = q->confirm_keep_alive = false;
}

/*
 * Skips empty lines before the request line (RFC 9112 §2.2), which must end in CRLF. Two bytes are
 * needed to know what begins with a CR, or with a byte that may begin TLS.
 */
static size_t empty_lines_skip(struct reader *r, const char *bytes, size_t length)
{
    size_t at = 0;
    while (at < length && bytes[at] == '\r') {
        if (at + 1 == length) return at;
        if (bytes[at + 1] != '\n') break;
        at += 2;
    }
    if (at == length || (bytes[at] == TLS_HANDSHAKE && at + 1 == length)) return at;
    request_begin(r);
    r->phase = READER_HEAD;
    if (bytes[at] == '\r' || bytes[at] == '\n') reader_refuse(r, REFUSAL_REQUEST_LINE);
    if (bytes[at] == TLS_HANDSHAKE && bytes[at + 1] == TLS_MAJOR) reader_refuse(r, REFUSAL_TLS);
    return at;
}

/* Returns whether a method ends at `at`, which llhttp, and so the server, does not know. */
static bool is_word_until(const struct reader *r, const char *at)
{
    return is_token_char(*at) || (*at == ' ' && at > r->head);
}

static bool is_rtsp(const struct reader *r)
{
    return r->parser.method >= HTTP_DESCRIBE && r->parser.method <= HTTP_FLUSH;
}

/* Judges a target that llhttp refused at `at`. Two spaces before it are an error already. */
static enum refusal target_judge(const struct reader *r, const char *at)
{
    const char *space = memchr(r->head, ' ', (size_t)(at - r->head));
    if (!space || space + 1 >= at) return REFUSAL_TARGET;
    if (space[1] == ' ') return REFUSAL_REQUEST_LINE;
    return (size_t)(at - space - 1) > r->rules->target_bytes_max ? REFUSAL_TARGET_LONG
                                                                 : REFUSAL_TARGET;
}

static bool request_line_ends_before(const struct reader *r, const char *at)
{
    const char *end =
        r->request->version.base ? r->request->version.base + r->request->version.length : at;
    return end + 2 <= at && end[0] == '\r' && end[1] == '\n';
}

/* Judges the byte at which llhttp stopped. Reads no byte behind `at`: it may not be there yet. */
static enum refusal error_judge(const struct reader *r, llhttp_errno_t error, const char *at)
{
    switch ((int)error) {
    case HPE_INVALID_METHOD: return is_word_until(r, at) ? REFUSAL_METHOD : REFUSAL_REQUEST_LINE;
    case HPE_INVALID_CONSTANT: /* no protocol behind the target, or a method of RTSP */
        return is_rtsp(r) ? REFUSAL_METHOD : REFUSAL_REQUEST_LINE;
    case HPE_INVALID_URL: return target_judge(r, at);
    case HPE_PAUSED_H2_UPGRADE: return REFUSAL_HTTP2;
    case HPE_INVALID_CONTENT_LENGTH:
    case HPE_UNEXPECTED_CONTENT_LENGTH:
    case HPE_CB_HEADERS_COMPLETE:
    case HPE_INVALID_TRANSFER_ENCODING: return REFUSAL_FRAMING;
    default:
        if (r->phase == READER_BODY) return REFUSAL_CONTENT;
        return request_line_ends_before(r, at) ? REFUSAL_FIELD : REFUSAL_REQUEST_LINE;
    }
}

/* ---- head and content ------------------------------------------------------------------------ */

/* Reads the head again from its first byte, with stand-ins. */
static llhttp_errno_t parse_again(struct reader *r, const char *end, const char **at)
{
    head_begin(r);
    r->stands_in = true;
    return stand_in_parse(r, r->head, (size_t)(end - r->head), at);
}

/* Returns whether llhttp itself stopped, and not a callback that refused the request. */
static bool is_stopped(const struct reader *r, llhttp_errno_t error)
{
    return error != HPE_OK && error != HPE_PAUSED && r->request->refused == REFUSAL_NONE;
}

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

/* Reads up to `length` bytes of the head. Returns how many were read. Refuses malformed heads. */
static size_t head_parse(struct reader *r, const char *bytes, size_t length)
{
    const char *at;
    llhttp_errno_t error =
        r->stands_in ? stand_in_parse(r, bytes, length, &at) : plain_parse(r, bytes, length, &at);
    if (is_stopped(r, error) && !r->stands_in) error = parse_again(r, bytes + length, &at);
    if (is_stopped(r, error)) r->request->refused = error_judge(r, error, at);
    r->request->method = method_of(&r->parser);
    if (r->request->refused != REFUSAL_NONE) reader_refuse(r, r->request->refused);
    r->head_bytes = (uint32_t)(at - r->head);
    return at > bytes ? (size_t)(at - bytes) : 0;
}

/* Returns whether the line before `at` is HTTP/0.9. llhttp would see that only in the next line. */
static bool is_old(const struct reader *r, const char *at)
{
    return r->request->target.base && !r->request->version.base &&
           r->request->target.base + r->request->target.length < at && line_ends_at_target(r);
}

/* The head is complete: sets whether another request may follow (RFC 9112 §9.3). */
static void persistence_take(struct reader *r)
{
    bool old = r->parser.http_minor == 0;
    r->request->persists = (!old || r->keep_alive) && !r->closes;
    r->request->confirm_keep_alive = old && r->keep_alive;
}

static size_t head_feed(struct reader *r, const char *bytes, size_t length)
{
    size_t room = r->rules->head_bytes_max - r->head_bytes;
    size_t used = head_parse(r, bytes, length < room ? length : room);
    if (r->phase == READER_HEAD && is_old(r, bytes + used)) reader_refuse(r, REFUSAL_REQUEST_LINE);
    if (r->phase == READER_HEAD && r->head_bytes == r->rules->head_bytes_max)
        reader_refuse(r, REFUSAL_HEAD_LARGE);
    if (r->phase != READER_BODY) return used;
    persistence_take(r);
    enum refusal why = judge_head(r);
    if (why != REFUSAL_NONE)
        reader_refuse(r, why);
    else if ((r->request->unread = judge_content_is_left(r)) || !judge_has_content(r))
        r->phase = READER_COMPLETE;
    else
        llhttp_resume(&r->parser);
    return used;
}

/* Reads up to one byte more than the limit, which is enough to know that there is too much. */
static size_t body_feed(struct reader *r, const char *bytes, size_t length)
{
    uint64_t room = r->rules->body_bytes_max + 1 - r->body_bytes;
    const char *at;
    llhttp_errno_t error = plain_parse(r, bytes, length < room ? length : (size_t)room, &at);
    if (is_stopped(r, error)) reader_refuse(r, error_judge(r, error, at));
    size_t used = (size_t)(at - bytes);
    r->body_bytes += used;
    if (r->phase == READER_BODY && r->body_bytes > r->rules->body_bytes_max) {
        r->request->unread = true;
        r->phase = READER_COMPLETE;
    }
    return used;
}

size_t reader_feed(struct reader *r, const char *bytes, size_t length)
{
    size_t used = 0;
    if (r->phase == READER_AWAITS) {
        used = empty_lines_skip(r, bytes, length);
        r->head = bytes + used;
    }
    if (r->phase == READER_HEAD && used < length) used += head_feed(r, bytes + used, length - used);
    if (r->phase == READER_BODY && used < length) used += body_feed(r, bytes + used, length - used);
    return used;
}

void reader_refuse(struct reader *r, enum refusal why)
{
    if (r->phase == READER_AWAITS) request_begin(r);
    request_refuse(r->request, why);
    r->phase = READER_COMPLETE;
}

static void text_move(struct text *text, size_t offset)
{
    if (text->base) text->base -= offset;
}

/* llhttp itself keeps no pointer between two calls. */
void reader_move(struct reader *r, size_t offset)
{
    if (r->phase == READER_AWAITS) return;
    r->head -= offset;
    text_move(&r->request->method_name, offset);
    text_move(&r->request->target, offset);
    text_move(&r->request->version, offset);
    text_move(&r->name, offset);
    text_move(&r->value, offset);
    for (uint32_t i = 0; i < r->request->fields.count; i++)
        text_move(&r->request->fields.line[i].value, offset);
}
