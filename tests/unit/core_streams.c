/*
 * What clients send, right and wrong. In the bytes of a row, "~N~" stands for N letters "x", so
 * that limits can be written; a NUL is written "\0" and counted.
 */
#include "core_streams.h"

#include <stdlib.h>
#include <string.h>

#define HOST "Host: a\r\n"
#define GET(target) "GET " target " HTTP/1.1\r\n" HOST "\r\n"
#define WITH(lines) "GET / HTTP/1.1\r\n" HOST lines "\r\n"
#define POST(lines) "POST / HTTP/1.1\r\n" HOST lines "\r\n"
#define CHUNKED "Transfer-Encoding: chunked\r\n"
#define OLD(lines) "GET / HTTP/1.0\r\n" lines "\r\n"
#define EIGHT(text) text text text text text text text text

static const struct row {
    const char *name;
    const char *bytes;
    size_t length;
    uint16_t status[CORE_STREAM_STATUSES];
    enum { STAYS, CLOSES, CLOSES_MORE_BEHIND } then;
} rows[] = {
#define ROW(name, bytes, then, ...)                         \
    {                                                       \
        name, bytes, sizeof(bytes) - 1, {__VA_ARGS__}, then \
    }
    /* requests that are answered, after which the connection stays open */
    ROW("nothing yet", "GET / HT", STAYS, 0),
    ROW("one request", GET("/"), STAYS, 200),
    ROW("from a file", GET("/file"), STAYS, 200),
    ROW("large", GET("/large"), STAYS, 200),
    ROW("copied behind its head", GET("/inline"), STAYS, 200),
    ROW("empty", GET("/empty"), STAYS, 200),
    ROW("HEAD", "HEAD /file HTTP/1.1\r\n" HOST "\r\n", STAYS, 200),
    ROW("HEAD of nothing", "HEAD /no HTTP/1.1\r\n" HOST "\r\n" GET("/"), STAYS, 404, 200),
    ROW("not found", GET("/no"), STAYS, 404),
    ROW("forbidden", GET("/secret"), STAYS, 403),
    ROW("not acceptable", GET("/picky"), STAYS, 406),
    ROW("busy", GET("/busy"), STAYS, 503),
    ROW("broken", GET("/broken"), STAYS, 500),
    ROW("redirect", GET("/dir?a=b%20c"), STAYS, 301),
    ROW("redirect of //", GET("//evil"), STAYS, 301),
    ROW("gzip", "GET /zip HTTP/1.1\r\n" HOST "Accept-Encoding: gzip\r\n\r\n", STAYS, 200),
    ROW("absolute form (9112 3.2.2)", GET("http://a/small"), STAYS, 200),
    ROW("asterisk form (9112 3.2.4)", "OPTIONS * HTTP/1.1\r\n" HOST "\r\n", STAYS, 204),
    ROW("OPTIONS", "OPTIONS /no HTTP/1.1\r\n" HOST "\r\n", STAYS, 204),
    ROW("DELETE", "DELETE / HTTP/1.1\r\n" HOST "\r\n", STAYS, 405),
    ROW("SOURCE is a method", "SOURCE / HTTP/1.1\r\n" HOST "\r\n", STAYS, 405),
    ROW("range", WITH("Range: bytes=2-4\r\n"), STAYS, 206),
    ROW("range of a file", "GET /file HTTP/1.1\r\n" HOST "Range: bytes=-7\r\n\r\n", STAYS, 206),
    ROW("ranges", "GET /large HTTP/1.1\r\n" HOST "Range: bytes=4000-4999,0-1999\r\n\r\n", STAYS,
        206),
    ROW("ranges of a file", "GET /file HTTP/1.1\r\n" HOST "Range: bytes=-7,0-0,5-9999\r\n\r\n",
        STAYS, 206),
    ROW("ranges that become one", WITH("Range: bytes=2-4,5-6\r\n"), STAYS, 206),
    ROW("more ranges than allowed", WITH("Range: bytes=0-0,2-2,4-4,6-6,8-8,10-10\r\n"), STAYS, 200),
    ROW("ranges, pipelined with others",
        WITH("Range: bytes=0-0,2-2,4-4,6-6,8-8\r\n") GET("/") WITH("Range: bytes=0-0,2-2\r\n")
            WITH("Range: bytes=0-0,-1\r\n") GET("/file"),
        STAYS, 206, 200, 206, 206, 200),
    ROW("no such range", WITH("Range: bytes=99-\r\n"), STAYS, 416),
    ROW("not modified", WITH("If-None-Match: \"e1\"\r\n"), STAYS, 304),
    ROW("precondition failed", WITH("If-Match: \"e2\"\r\n"), STAYS, 412),
    ROW("empty lines before (9112 2.2)", "\r\n\r\n" GET("/"), STAYS, 200),
    ROW("empty lines only", "\r\n\r\n\r\n", STAYS, 0),
    ROW("half an empty line", "\r\n\r", STAYS, 0),
    ROW("empty line between", GET("/") "\r\n" GET("/small") "\r\n", STAYS, 200, 200),
    ROW("version 1.7 is 1.1's (9110 2.5)", "GET / HTTP/1.7\r\n" HOST "\r\n", STAYS, 200),
    ROW("bytes beyond ASCII in a value", WITH("X: \x80\xff\r\n"), STAYS, 200),
    ROW("blanks around values", "GET / HTTP/1.1\r\nHost: \t a \t\r\nX:\r\n\r\n", STAYS, 200),
    ROW("upgrade not taken up (9110 7.8)",
        WITH("Connection: upgrade\r\nUpgrade: websocket\r\n") GET("/"), STAYS, 200, 200),
    ROW("h2c not taken up",
        WITH("Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAA\r\n"),
        STAYS, 200),
    ROW("pipelined", GET("/") GET("/small") GET("/no") GET("/file") GET("/large") GET("/"), STAYS,
        200, 200, 404, 200, 200, 200),
    ROW("pipelined, more than are gathered",
        EIGHT(GET("/")) EIGHT(GET("/small")) EIGHT(GET("/large")) EIGHT(GET("/")) EIGHT(GET("/")),
        STAYS, 200, 200, 200, 200, 200, 200, 200, 200, 200, 200, 200, 200, 200, 200, 200, 200, 200,
        200, 200, 200, 200, 200, 200, 200, 200, 200, 200, 200, 200, 200, 200, 200, 200, 200, 200,
        200, 200, 200, 200, 200),
    ROW("pipelined, more than there is room for",
        EIGHT(GET("/inline")) EIGHT(GET("/inline")) "GET /inline HTTP/1.1\r\n", STAYS, 200, 200,
        200, 200, 200, 200, 200, 200, 200, 200, 200, 200, 200, 200, 200, 200),
    ROW("pipelined, the last one incomplete", GET("/") GET("/small") "GET /no HTTP/1.1\r\nHo",
        STAYS, 200, 200),

    /* requests with content */
    ROW("content", POST("Content-Length: 3\r\n") "abc" GET("/"), STAYS, 405, 200),
    ROW("content that looks like a request", POST("Content-Length: 27\r\n") GET("/") GET("/small"),
        STAYS, 405, 200),
    ROW("content of a GET", WITH("Content-Length: 3\r\n") "abc" GET("/no"), STAYS, 200, 404),
    ROW("content of length 0", POST("Content-Length: 0\r\n") GET("/"), STAYS, 405, 200),
    ROW("content not all there", POST("Content-Length: 5\r\n") "abc", STAYS, 0),
    ROW("content of the limit", POST("Content-Length: 100\r\n") "~100~" GET("/"), STAYS, 405, 200),
    ROW("content of the limit and one", POST("Content-Length: 101\r\n") "~101~", CLOSES_MORE_BEHIND,
        405),
    ROW("chunked", POST(CHUNKED) "3\r\nabc\r\n0\r\n\r\n" GET("/"), STAYS, 405, 200),
    ROW("chunked, two chunks with extensions",
        POST(CHUNKED) "3;a=b\r\nabc\r\n00A;c=\"d\"\r\n0123456789\r\n0\r\n\r\n" GET("/"), STAYS, 405,
        200),
    ROW("chunked with a trailer", POST(CHUNKED) "1\r\na\r\n0\r\nX: y\r\nHost: b\r\n\r\n" GET("/"),
        STAYS, 405, 200),
    ROW("chunked, in capitals", POST("transfer-ENCODING: CHUNKED\r\n") "0\r\n\r\n" GET("/"), STAYS,
        405, 200),
    ROW("chunked up to the limit", POST(CHUNKED) "59\r\n~89~\r\n0\r\n\r\n" GET("/"), STAYS, 405,
        200), /* 4 + 89 + 2 + 5 bytes */
    ROW("chunked beyond the limit", POST(CHUNKED) "5b\r\n~91~\r\n0\r\n\r\n", CLOSES_MORE_BEHIND,
        405),
    ROW("trailer beyond the limit", POST(CHUNKED) "0\r\nX: ~200~\r\n\r\n", CLOSES_MORE_BEHIND, 405),
    ROW("100-continue is answered at once (9110 10.1.1)",
        POST("Expect: 100-continue\r\nContent-Length: 3\r\n"), CLOSES, 405),
    ROW("100-continue, content sent all the same",
        POST("Expect: 100-continue\r\nContent-Length: 3\r\n") "abc", CLOSES_MORE_BEHIND, 405),
    ROW("100-continue without content", WITH("Expect: 100-Continue\r\n") GET("/"), STAYS, 200, 200),
    ROW("100-continue from HTTP/1.0 is ignored",
        OLD("Connection: keep-alive\r\nExpect: 100-continue\r\nContent-Length: 1\r\n") "x", STAYS,
        200),
    ROW("another expectation", WITH("Expect: tea\r\n"), CLOSES, 417),

    /* requests that are the last of their connection */
    ROW("Connection: close", WITH("Connection: close\r\n"), CLOSES, 200),
    ROW("close among others", WITH("Connection: foo, Close\r\n"), CLOSES, 200),
    ROW("close, and more behind", WITH("Connection: close\r\n") GET("/"), CLOSES_MORE_BEHIND, 200),
    ROW("close, with content", POST("Connection: close\r\nContent-Length: 2\r\n") "ab", CLOSES,
        405),
    ROW("HTTP/1.0", OLD(""), CLOSES, 200),
    ROW("HTTP/1.0 keep-alive", OLD("Connection: keep-alive\r\n") OLD(""), CLOSES, 200, 200),
    ROW("HTTP/1.0 with content", "POST / HTTP/1.0\r\nContent-Length: 2\r\n\r\nab", CLOSES, 405),
    ROW("CONNECT", "CONNECT a:80 HTTP/1.1\r\nHost: a:80\r\n\r\n", CLOSES, 405),
    ROW("CONNECT, the tunnel's bytes behind",
        "CONNECT a:80 HTTP/1.1\r\nHost: a:80\r\n\r\n" GET("/"), CLOSES_MORE_BEHIND, 405),

    /* request lines that are refused */
    ROW("HTTP/0.9", "GET /\r\n", CLOSES, 400),
    ROW("HTTP/0.9 with LF", "GET /\n", CLOSES, 400),
    ROW("HTTP/0.9, and more", "GET /\r\n" HOST "\r\n", CLOSES, 400),
    ROW("HTTP/0.9 behind a good one", GET("/") "GET /small\r\n", CLOSES, 200, 400),
    ROW("version 0.9", "GET / HTTP/0.9\r\n" HOST "\r\n", CLOSES, 400),
    ROW("version 2.0", "GET / HTTP/2.0\r\n" HOST "\r\n", CLOSES, 505),
    ROW("version 3.0", "GET / HTTP/3.0\r\n\r\n", CLOSES, 505),
    ROW("version 1.10", "GET / HTTP/1.10\r\n" HOST "\r\n", CLOSES, 400),
    ROW("version 01.1", "GET / HTTP/01.1\r\n", CLOSES, 400),
    ROW("version 1.", "GET / HTTP/1.\r\n", CLOSES, 400),
    ROW("version in small letters", "GET / http/1.1\r\n", CLOSES, 400),
    ROW("no version", "GET / \r\n", CLOSES, 400),
    ROW("two spaces before the target (9112 3)", GET(" /"), CLOSES, 400),
    ROW("two spaces before a target too long", "GET  /~100~\x01", CLOSES, 400),
    ROW("two spaces behind the target", "GET /  HTTP/1.1\r\n" HOST "\r\n", CLOSES, 400),
    ROW("a space in the target", GET("/a b"), CLOSES, 400),
    ROW("a space behind the version", "GET / HTTP/1.1 \r\n" HOST "\r\n", CLOSES, 400),
    ROW("the preface of HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", CLOSES, 505),
    ROW("RTSP's version", "GET / RTSP/1.0\r\n\r\n", CLOSES, 400),
    ROW("ICE's version", "GET / ICE/1.0\r\n\r\n", CLOSES, 400),
    ROW("ICE's method and version", "SOURCE / ICE/1.0\r\n\r\n", CLOSES, 400),
    ROW("RTSP's method", "DESCRIBE / HTTP/1.1\r\n" HOST "\r\n", CLOSES, 501),
    ROW("an unknown method", "BREW / HTTP/1.1\r\n", CLOSES, 501),
    ROW("a longer word than a method", "HEADER / HTTP/1.1\r\n", CLOSES, 501),
    ROW("a shorter word than a method", "GE / HTTP/1.1\r\n", CLOSES, 501),
    ROW("small letters", "get / HTTP/1.1\r\n", CLOSES, 501),
    ROW("a tab behind the method", "GET\t/ HTTP/1.1\r\n", CLOSES, 400),
    ROW("a space before the method", " GET / HTTP/1.1\r\n", CLOSES, 400),
    ROW("TLS", "\x16\x03\x01\x02\x00\x01\x00", CLOSES, 400),
    ROW("NUL", "\0\0\0\0", CLOSES, 400),
    ROW("LF before the request line", "\nGET / HTTP/1.1\r\n", CLOSES, 400),
    ROW("CR before the request line", "\rGET / HTTP/1.1\r\n", CLOSES, 400),
    ROW("two CR before the request line", "\r\r\nGET / HTTP/1.1\r\n", CLOSES, 400),
    ROW("bare LF behind the request line (9112 2.2)", "GET / HTTP/1.1\n" HOST "\n", CLOSES, 400),
    ROW("bare CR behind the request line", "GET / HTTP/1.1\r" HOST "\r", CLOSES, 400),
    ROW("NUL in the target", "GET /a\0b HTTP/1.1\r\n", CLOSES, 400),
    ROW("control byte in the target", "GET /a\x01 HTTP/1.1\r\n", CLOSES, 400),
    ROW("HEAD refused within its line", "HEAD /a\x01 HTTP/1.1\r\n", CLOSES, 400),
    ROW("target that is no path", GET("small"), CLOSES, 400),
    ROW("asterisk but not OPTIONS", GET("*"), CLOSES, 400),
    ROW("target that climbs", GET("/../etc/passwd"), CLOSES, 400),
    ROW("target that climbs, encoded", GET("/%2e%2e/x"), CLOSES, 400),
    ROW("bad percent", GET("/%zz"), CLOSES, 400),
    ROW("encoded NUL", GET("/%00"), CLOSES, 400),
    ROW("encoded slash", GET("/a%2fb"), CLOSES, 400),
    ROW("authority form but not CONNECT", GET("a:80"), CLOSES, 400),
    ROW("fragment", GET("/a#b"), CLOSES, 400),

    /* fields that are refused */
    ROW("no Host (9112 3.2)", "GET / HTTP/1.1\r\n\r\n", CLOSES, 400),
    ROW("no Host, HEAD", "HEAD / HTTP/1.1\r\n\r\n", CLOSES, 400),
    ROW("two Hosts", WITH(HOST), CLOSES, 400),
    ROW("bad Host", "GET / HTTP/1.1\r\nHost: a b\r\n\r\n", CLOSES, 400),
    ROW("HTTP/1.0 without Host", OLD("Connection: keep-alive\r\n"), STAYS, 200),
    ROW("obs-fold (9112 5.2)", WITH("X: a\r\n b\r\n"), CLOSES, 400),
    ROW("obs-fold with a tab", WITH("X: a\r\n\tb\r\n"), CLOSES, 400),
    ROW("blank before the first field", "GET / HTTP/1.1\r\n " HOST "\r\n", CLOSES, 400),
    ROW("space before the colon (9112 5.1)", WITH("X : a\r\n"), CLOSES, 400),
    ROW("no colon", WITH("X\r\n"), CLOSES, 400),
    ROW("no name", WITH(": a\r\n"), CLOSES, 400),
    ROW("a name that is no token", WITH("X(Y): a\r\n"), CLOSES, 400),
    ROW("NUL in a value (9110 5.5)", WITH("X: a\0b\r\n"), CLOSES, 400),
    ROW("NUL in a name", WITH("X\0Y: b\r\n"), CLOSES, 400),
    ROW("control byte in a value", WITH("X: a\x7f\r\n"), CLOSES, 400),
    ROW("bare CR in a value", WITH("X: a\rb\r\n"), CLOSES, 400),
    ROW("bare LF behind a value", "GET / HTTP/1.1\r\n" HOST "X: a\n\r\n", CLOSES, 400),
    ROW("bare LF ends the head", "GET / HTTP/1.1\r\n" HOST "\n", CLOSES, 400),

    /* framing that two readers could understand differently */
    ROW("two Content-Lengths (9112 6.3)", POST("Content-Length: 3\r\nContent-Length: 3\r\n") "abc",
        CLOSES, 400),
    ROW("two different ones", POST("Content-Length: 3\r\nContent-Length: 4\r\n") "abcd", CLOSES,
        400),
    ROW("a list of lengths", POST("Content-Length: 3, 3\r\n") "abc", CLOSES, 400),
    ROW("length with a sign", POST("Content-Length: +3\r\n") "abc", CLOSES, 400),
    ROW("negative length", POST("Content-Length: -1\r\n"), CLOSES, 400),
    ROW("hexadecimal length", POST("Content-Length: 0x3\r\n") "abc", CLOSES, 400),
    ROW("length with a blank", POST("Content-Length: 1 0\r\n") "abc", CLOSES, 400),
    ROW("empty length", POST("Content-Length:\r\n"), CLOSES, 400),
    ROW("length beyond 2^64", POST("Content-Length: 18446744073709551616\r\n"), CLOSES, 400),
    ROW("largest length", POST("Content-Length: 18446744073709551615\r\n") "abc",
        CLOSES_MORE_BEHIND, 405),
    ROW("length and chunked (9112 6.1)", POST("Content-Length: 3\r\n" CHUNKED) "0\r\n\r\n", CLOSES,
        400),
    ROW("chunked and length", POST(CHUNKED "Content-Length: 3\r\n") "0\r\n\r\n", CLOSES, 400),
    ROW("chunked twice", POST(CHUNKED CHUNKED) "0\r\n\r\n", CLOSES, 400),
    ROW("chunked, chunked", POST("Transfer-Encoding: chunked, chunked\r\n") "0\r\n\r\n", CLOSES,
        400),
    ROW("another coding before", POST("Transfer-Encoding: gzip, chunked\r\n") "0\r\n\r\n", CLOSES,
        501),
    ROW("another coding behind", POST("Transfer-Encoding: chunked, gzip\r\n") "0\r\n\r\n", CLOSES,
        400),
    ROW("another coding in a line behind", POST(CHUNKED "Transfer-Encoding: gzip\r\n") "0\r\n\r\n",
        CLOSES, 400),
    ROW("another coding in a line before", POST("Transfer-Encoding: gzip\r\n" CHUNKED) "0\r\n\r\n",
        CLOSES, 501),
    ROW("identity is no transfer coding", POST("Transfer-Encoding: identity\r\n"), CLOSES, 501),
    ROW("a word that ends in chunked", POST("Transfer-Encoding: xchunked\r\n") "0\r\n\r\n", CLOSES,
        501),
    ROW("chunked with a parameter", POST("Transfer-Encoding: chunked;a\r\n") "0\r\n\r\n", CLOSES,
        501),
    ROW("no transfer coding", POST("Transfer-Encoding:\r\n") "abc", CLOSES, 400),
    ROW("blank transfer coding", POST("Transfer-Encoding: \t\r\n") "abc", CLOSES, 400),
    ROW("HTTP/1.0 chunked (9112 6.1)", "POST / HTTP/1.0\r\n" CHUNKED "\r\n0\r\n\r\n", CLOSES, 400),
    ROW("chunk without a size", POST(CHUNKED) "\r\n0\r\n\r\n", CLOSES, 400),
    ROW("chunk of a bad size", POST(CHUNKED) "g\r\n", CLOSES, 400),
    ROW("chunk of a size in 0x", POST(CHUNKED) "0x1\r\na\r\n0\r\n\r\n", CLOSES, 400),
    ROW("chunk beyond 2^64", POST(CHUNKED) "10000000000000000\r\n", CLOSES, 400),
    ROW("chunk longer than its size", POST(CHUNKED) "3\r\nabcd\r\n0\r\n\r\n", CLOSES, 400),
    ROW("bare LF behind a size", POST(CHUNKED) "3\nabc\r\n0\r\n\r\n", CLOSES, 400),
    ROW("bare LF behind a chunk", POST(CHUNKED) "3\r\nabc\n0\r\n\r\n", CLOSES, 400),
    ROW("bare LF ends the body", POST(CHUNKED) "0\r\n\n", CLOSES, 400),
    ROW("bare LF in an extension", POST(CHUNKED) "3;a\nb\r\nabc\r\n0\r\n\r\n", CLOSES, 400),
    ROW("length in a trailer", POST(CHUNKED) "0\r\nContent-Length: 7\r\n\r\n", CLOSES, 400),
    ROW("obs-fold in a trailer", POST(CHUNKED) "0\r\nX: a\r\n b\r\n\r\n", CLOSES, 400),
    ROW("space before a trailer's colon", POST(CHUNKED) "0\r\nX : a\r\n\r\n", CLOSES, 400),

    /* limits: exactly reached, and exceeded by one */
    ROW("target of the limit", GET("/~63~"), STAYS, 404),
    ROW("target of the limit and one", GET("/~64~"), CLOSES, 414),
    ROW("target without end", "GET /~500~", CLOSES, 414),
    ROW("target too long, then bad", "GET /~64~\x01 HTTP/1.1\r\n", CLOSES, 414),
    ROW("target bad at the limit", "GET /~63~\x01 HTTP/1.1\r\n", CLOSES, 400),
    ROW("target of the limit, all encoded",
        GET("/%41%41%41%41%41%41%41%41%41%41%41%41%41%41%41"
            "%41%41%41%41%41%41"),
        STAYS, 404),
    ROW("head of the limit", WITH("X: ~480~\r\n"), STAYS, 200), /* 16+9+3+480+2+2 = 512 bytes */
    ROW("head of the limit and one", WITH("X: ~481~\r\n"), CLOSES, 431),
    ROW("head without end", "GET / HTTP/1.1\r\nX: ~900~", CLOSES, 431),
    ROW("name without end", "GET / HTTP/1.1\r\n~900~", CLOSES, 431),
    ROW("empty lines do not count", "\r\n\r\n" WITH("X: ~480~\r\n"), STAYS, 200),
    ROW("largest head, then the next", WITH("X: ~480~\r\n") WITH("X: ~480~\r\n"), STAYS, 200, 200),
    ROW("largest head with content", POST("Content-Length: 90\r\nX: ~459~\r\n") "~90~" GET("/"),
        STAYS, 405, 200),
    ROW("fields of the limit", WITH("A: b\r\nA: b\r\nA: b\r\nA: b\r\nA: b\r\nA: b\r\nA: b\r\n"),
        STAYS, 200),
    ROW("fields of the limit and one",
        WITH("A: b\r\nA: b\r\nA: b\r\nA: b\r\nA: b\r\nA: b\r\nA: b\r\nA: b\r\n"), CLOSES, 431),
#undef ROW
};

int core_streams_count(void)
{
    return (int)(sizeof(rows) / sizeof(rows[0]));
}

/* Copies the bytes of `row` with "~N~" expanded. Returns how many there are. */
static size_t bytes_expand(const struct row *row, char *to)
{
    size_t length = 0;
    for (size_t at = 0; at < row->length; at++) {
        if (row->bytes[at] != '~') {
            to[length++] = row->bytes[at];
            continue;
        }
        char *after;
        size_t count = strtoul(row->bytes + at + 1, &after, 10);
        memset(to + length, 'x', count);
        length += count;
        at = (size_t)(after - row->bytes);
    }
    return length;
}

struct core_stream core_stream(int index)
{
    const struct row *row = &rows[index];
    struct core_stream stream = {.name = row->name,
                                 .bytes = malloc(row->length + 2000),
                                 .closes = row->then != STAYS,
                                 .more_behind = row->then == CLOSES_MORE_BEHIND};
    stream.length = bytes_expand(row, stream.bytes);
    memcpy(stream.status, row->status, sizeof(stream.status));
    return stream;
}

void core_stream_free(struct core_stream *stream)
{
    free(stream->bytes);
    stream->bytes = NULL;
}
