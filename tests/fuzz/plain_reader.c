/*
 * A strict reader of requests, written from RFC 9112 and RFC 3986 and from nothing of src/http. It looks at the whole
 * message at once, so that it is short; it is slow. fuzz_difference.c compares the server with it.
 */
#include <arpa/inet.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

enum outcome {
    PLAIN_INCOMPLETE, /* more bytes must come: it may be refused already, but not accepted */
    PLAIN_AWAITS,     /* only content of a known length must come: it may not be refused   */
    PLAIN_ACCEPTED,
    PLAIN_REFUSED,
    PLAIN_EITHER /* a server may refuse it; when it does not, it ends here */
};

struct piece_of {
    const char *base;
    size_t length;
};

struct plain {
    enum outcome outcome;
    struct piece_of method, target;
    size_t end; /* of the message, from its first byte on */
    bool last;  /* the connection ends behind it          */
    bool odd;   /* or it does not: that is not clear      */
};

/* What the head says of the message. */
struct plain_head {
    unsigned minor, hosts, lengths, codings, lines;
    uint64_t length;
    bool bad, closes, keeps, continues, expects_other, odd;
};

static struct piece_of piece_to(const char *from, const char *to)
{
    return (struct piece_of){from, (size_t)(to - from)};
}

static bool piece_is(struct piece_of piece, const char *word)
{
    return piece.length == strlen(word) && strncasecmp(piece.base, word, piece.length) == 0;
}

static bool is_alnum(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

/* Returns the value of a hexadecimal digit, or -1. */
static int hex_of(char c)
{
    const char *digits = "0123456789abcdef0123456789ABCDEF";
    const char *found = c ? strchr(digits, c) : NULL;
    return found ? (int)(found - digits) % 16 : -1;
}

/* token = 1*tchar (RFC 9110 §5.6.2) */
static bool is_token(struct piece_of piece)
{
    for (size_t i = 0; i < piece.length; i++)
        if (!is_alnum(piece.base[i]) &&
            (!piece.base[i] || !strchr("!#$%&'*+-.^_`|~", piece.base[i])))
            return false;
    return piece.length > 0;
}

/* Returns whether there is a byte that neither a value nor a chunk extension may have (RFC 9110 §5.5). */
static bool has_control(struct piece_of piece)
{
    for (size_t i = 0; i < piece.length; i++)
        if (((unsigned char)piece.base[i] < 0x20 && piece.base[i] != '\t') || piece.base[i] == 0x7f)
            return true;
    return false;
}

/* OWS (RFC 9110 §5.6.3) */
static struct piece_of trimmed(struct piece_of piece)
{
    while (piece.length > 0 && strchr(" \t", piece.base[0]) && piece.base[0])
        piece = (struct piece_of){piece.base + 1, piece.length - 1};
    while (piece.length > 0 && piece.base[piece.length - 1] &&
           strchr(" \t", piece.base[piece.length - 1]))
        piece.length--;
    return piece;
}

/* uri-host [ ":" port ] (RFC 9110 §7.2). Of IP-literals, there is no IPvFuture yet. */
static bool is_authority(struct piece_of piece)
{
    size_t at = 0;
    char literal[64];
    struct in6_addr address;
    if (piece.length > 0 && piece.base[0] == '[') {
        const char *close = memchr(piece.base, ']', piece.length);
        at = close ? (size_t)(close - piece.base) : 0;
        if (at < 2 || at > sizeof(literal)) return false;
        memcpy(literal, piece.base + 1, at - 1);
        literal[at - 1] = '\0';
        if (memchr(literal, '\0', at - 1) || inet_pton(AF_INET6, literal, &address) != 1)
            return false;
        at++;
    } else
        for (char c; at < piece.length && (c = piece.base[at]) != ':'; at++)
            if (c == '%' && at + 2 < piece.length && hex_of(piece.base[at + 1]) >= 0 &&
                hex_of(piece.base[at + 2]) >= 0)
                at += 2;
            else if (!is_alnum(c) && (!c || !strchr("-._~!$&'()*+,;=", c)))
                return false;
    if (at < piece.length && piece.base[at++] != ':') return false;
    unsigned port = 0;
    for (; at < piece.length; at++) {
        if (piece.base[at] < '0' || piece.base[at] > '9') return false;
        port = port * 10 + (unsigned)(piece.base[at] - '0');
        if (port > 65535) return false;
    }
    return true;
}

/* Returns whether an absolute path (RFC 9110 §4.1) and its query can be looked up below a root. */
static bool is_path(struct piece_of path)
{
    char segment[3];
    size_t length = 0, at = 0, names = 0;
    for (; at <= path.length; at++) {
        int c = at < path.length && path.base[at] != '?' ? (unsigned char)path.base[at] : '/';
        bool ends = c == '/';
        if (c <= ' ' || c == 0x7f || c == '#') return false;
        if (c == '%') {
            if (at + 2 >= path.length) return false;
            int high = hex_of(path.base[at + 1]), low = hex_of(path.base[at + 2]);
            c = high < 0 || low < 0 ? 0 : high * 16 + low;
            if (c == 0 || c == '/') return false;
            at += 2;
        }
        if (!ends) {
            if (length < sizeof(segment)) segment[length] = (char)c;
            length++;
            continue;
        }
        bool up = length == 2 && memcmp(segment, "..", 2) == 0;
        if (up && names-- == 0) return false;
        names += length > 0 && !up && !(length == 1 && segment[0] == '.');
        length = 0;
        if (at < path.length && path.base[at] == '?') break;
    }
    for (; at < path.length; at++)
        if ((unsigned char)path.base[at] <= ' ' || path.base[at] == 0x7f || path.base[at] == '#')
            return false;
    return true;
}

/* The forms of a target (RFC 9112 §3.2), but for that of CONNECT */
static bool is_target(struct piece_of target, struct piece_of method)
{
    size_t scheme = target.length > 7 && strncasecmp(target.base, "http://", 7) == 0    ? 7
                    : target.length > 8 && strncasecmp(target.base, "https://", 8) == 0 ? 8
                                                                                        : 0;
    if (target.length == 1 && target.base[0] == '*')
        return method.length == 7 && memcmp(method.base, "OPTIONS", 7) == 0;
    if (scheme == 0) return target.length > 0 && target.base[0] == '/' && is_path(target);
    size_t end = scheme;
    while (end < target.length && target.base[end] && !strchr("/?#", target.base[end]))
        end++;
    struct piece_of authority = {target.base + scheme, end - scheme};
    return authority.length > 0 && authority.base[0] != ':' && is_authority(authority) &&
           is_path((struct piece_of){target.base + end, target.length - end});
}

/* Takes a member of a list of tokens (RFC 9110 §5.6.1). Returns false behind the last one. */
static bool member_take(struct piece_of *list, struct piece_of *member)
{
    if (!list->base) return false;
    const char *comma = memchr(list->base, ',', list->length), *end = list->base + list->length;
    *member = trimmed(piece_to(list->base, comma ? comma : end));
    *list = comma ? piece_to(comma + 1, end) : (struct piece_of){NULL, 0};
    return true;
}

static void length_take(struct plain_head *head, struct piece_of value)
{
    head->lengths++;
    head->bad |= value.length == 0 || head->lengths > 1;
    for (size_t i = 0; i < value.length; i++) {
        unsigned digit = (unsigned)(unsigned char)value.base[i] - '0';
        head->bad |= digit > 9 || head->length > (UINT64_MAX - digit) / 10;
        head->length = head->length * 10 + digit;
    }
}

/* A field line without its CRLF (RFC 9112 §5). Line folding (§5.2) is refused. */
static void line_take(struct plain_head *head, struct piece_of line)
{
    struct piece_of member;
    const char *colon = memchr(line.base, ':', line.length);
    struct piece_of name = piece_to(line.base, colon ? colon : line.base);
    head->lines++;
    head->bad |= !is_token(name) || has_control(line);
    if (head->bad) return;
    struct piece_of value = trimmed(piece_to(colon + 1, line.base + line.length));
    if (piece_is(name, "Host")) head->bad |= ++head->hosts > 1 || !is_authority(value);
    if (piece_is(name, "Content-Length")) length_take(head, value);
    if (piece_is(name, "Transfer-Encoding"))
        head->bad |= ++head->codings > 1 || !piece_is(value, "chunked");
    if (piece_is(name, "Connection")) {
        head->odd |= memchr(value.base, '"', value.length) != NULL; /* no list of tokens */
        while (member_take(&value, &member)) {
            head->closes |= piece_is(member, "close");
            head->keeps |= piece_is(member, "keep-alive");
        }
    }
    if (piece_is(name, "Expect"))
        while (member_take(&value, &member)) {
            head->continues |= piece_is(member, "100-continue");
            head->expects_other |= member.length > 0 && !piece_is(member, "100-continue");
        }
}

/* method SP request-target SP HTTP-version (RFC 9112 §3) */
static void request_line_take(struct plain *plain, struct plain_head *head, struct piece_of line)
{
    const char *end = line.base + line.length;
    const char *first = memchr(line.base, ' ', line.length);
    const char *second = first ? memchr(first + 1, ' ', (size_t)(end - first) - 1) : NULL;
    head->bad = true;
    if (!second || end - second != 9 || memcmp(second + 1, "HTTP/1.", 7) != 0) return;
    plain->method = piece_to(line.base, first);
    plain->target = piece_to(first + 1, second);
    head->minor = (unsigned)(unsigned char)end[-1] - '0';
    head->bad = head->minor > 9 || !is_token(plain->method) || plain->target.length == 0 ||
                has_control(line) || memchr(line.base, '\t', line.length);
}

/* Returns the CRLF that ends the line at `at`, or NULL. */
static const char *line_end(const char *at, const char *end)
{
    return memmem(at, (size_t)(end - at), "\r\n", 2);
}

/*
 * Chunks and trailer fields (RFC 9112 §7.1). Extensions are not read, and neither are trailer fields: a reader that
 * refuses them is right, too.
 */
static enum outcome chunks_read(const char **at, const char *end)
{
    enum outcome good = PLAIN_ACCEPTED;
    for (uint64_t size = 1; size > 0;) {
        const char *eol = line_end(*at, end);
        if (!eol) return PLAIN_INCOMPLETE;
        size = 0;
        const char *first = *at;
        for (; *at < eol && hex_of(**at) >= 0; ++*at) {
            if (size >> 60) return PLAIN_REFUSED;
            size = size << 4 | (unsigned)hex_of(**at);
        }
        if (*at == first || has_control(piece_to(*at, eol))) return PLAIN_REFUSED;
        if (*at < eol && !strchr("; \t", **at)) return PLAIN_REFUSED;
        if (*at < eol) good = PLAIN_EITHER;
        *at = eol + 2;
        if (size == 0) break;
        if ((uint64_t)(end - *at) < size) return PLAIN_INCOMPLETE;
        if ((uint64_t)(end - *at) < size + 2) return PLAIN_INCOMPLETE;
        if (memcmp(*at + size, "\r\n", 2) != 0) return PLAIN_REFUSED;
        *at += size + 2;
    }
    for (const char *eol; (eol = line_end(*at, end)) != NULL; *at = eol + 2) {
        struct plain_head trailer = {0};
        if (eol == *at) {
            *at = eol + 2;
            return good;
        }
        line_take(&trailer, piece_to(*at, eol));
        const char *colon = memchr(*at, ':', (size_t)(eol - *at));
        if (!colon || !is_token(piece_to(*at, colon)) || has_control(piece_to(*at, eol)))
            return PLAIN_REFUSED;
        good = PLAIN_EITHER;
    }
    return PLAIN_INCOMPLETE;
}

/* The length of the content (RFC 9112 §6.3), of which at most `most` bytes are read. */
static enum outcome content_read(struct plain *plain, const struct plain_head *head, uint64_t most,
                                 const char **at, const char *end)
{
    bool some = head->codings > 0 || head->length > 0;
    bool waits = some && head->continues && head->minor > 0;
    if (!some) return PLAIN_ACCEPTED;
    if (waits || head->length > most) { /* the answer comes at once */
        plain->last = true;
        return PLAIN_ACCEPTED;
    }
    if (head->codings > 0) return chunks_read(at, end);
    if ((uint64_t)(end - *at) < head->length) return PLAIN_AWAITS;
    *at += head->length;
    return PLAIN_ACCEPTED;
}

/*
 * The preface of HTTP/2 (RFC 9113 §3.4) looks like a head, and is longer. A server that knows it may wait for all of it,
 * whatever the target and the version are: PRI is reserved for it.
 */
static bool is_open_preface(const char *at, const char *end)
{
    static const char behind[] = "\r\nSM\r\n\r\n";
    if (memcmp(at, "PRI ", 4) != 0) return false;
    const char *rest = line_end(at, end) + 2;
    size_t length = (size_t)(end - rest);
    return length < sizeof(behind) - 1 && memcmp(rest, behind, length) == 0;
}

/* Reads the request that the bytes begin with. Content is not longer than `most` bytes. */
static struct plain plain_read(const char *bytes, size_t length, uint64_t most)
{
    struct plain plain = {.outcome = PLAIN_INCOMPLETE};
    struct plain_head head = {0};
    const char *at = bytes, *end = bytes + length, *eol;
    while (end - at >= 2 && memcmp(at, "\r\n", 2) == 0) /* §2.2 */
        at += 2;
    if (!memmem(at, (size_t)(end - at), "\r\n\r\n", 4) || is_open_preface(at, end)) return plain;
    eol = line_end(at, end);
    request_line_take(&plain, &head, piece_to(at, eol));
    for (at = eol + 2; (eol = line_end(at, end)) != at; at = eol + 2)
        line_take(&head, piece_to(at, eol));
    at += 2;
    head.bad |= head.minor > 0 && head.hosts == 0;                         /* §3.2 */
    head.bad |= head.codings > 0 && (head.lengths > 0 || head.minor == 0); /* §6.1 */
    head.bad |= head.expects_other && head.minor > 0;                      /* RFC 9110 §10.1.1 */
    plain.outcome = PLAIN_REFUSED;
    if (head.bad) return plain;
    plain.last = head.minor == 0 ? !head.keeps || head.closes : head.closes; /* §9.3 */
    plain.outcome = content_read(&plain, &head, most, &at, end);
    plain.end = (size_t)(at - bytes);
    bool connects = plain.method.length == 7 && memcmp(plain.method.base, "CONNECT", 7) == 0;
    bool wrong = !connects && !is_target(plain.target, plain.method);
    if (wrong && plain.outcome != PLAIN_INCOMPLETE)
        plain.outcome = plain.outcome == PLAIN_ACCEPTED ? PLAIN_REFUSED : PLAIN_INCOMPLETE;
    if ((connects || head.odd || head.lines > 24) && plain.outcome == PLAIN_ACCEPTED)
        plain.outcome = PLAIN_EITHER;
    plain.last |= connects || head.odd;
    plain.odd = head.odd;
    return plain;
}
