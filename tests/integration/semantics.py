"""Exchanges for the clauses that table.py does not touch: dates, fields that a server of files has no use for,
what caches rely on, and what is true of messages whatever they ask for.

They are written in the words of rows.py, as the table is, and run on the same servers.
"""

import re

from fixtures import OLD_DATE
from rows import *  # pylint: disable=wildcard-import,unused-wildcard-import
from table import ALLOW, HTML, NOT_FOUND, NOT_MODIFIED, REFUSED, TAG, VARY, bare

A = "<etag /a.txt>"
SAME = "Thu, 02 Jan 2020 03:04:05 GMT"

# ------------------------------------------------------------------------------------------------
clause("RFC 9110 §5.6.7, §13.1.3: dates that are read")

for name, date in (("the preferred form", SAME), ("RFC 850's form", "Thursday, 02-Jan-20 03:04:05 GMT"),
                   ("asctime's form", "Thu Jan  2 03:04:05 2020"),
                   ("a later year", "Fri, 01 Jan 2021 00:00:00 GMT"),
                   ("a leap day", "Sat, 29 Feb 2020 12:00:00 GMT")):
    row(name, get("/a.txt", "If-Modified-Since: " + date), NOT_MODIFIED)

clause("RFC 9110 §5.6.7, §13.1.3: what is no date is ignored")

for date in ("Thu, 02 Jan 2020 03:04:05", "Thu, 02 Jan 2020 03:04:05 +0000", "Thu, 02 Jan 2020 03:04:05 CET",
             "02 Jan 2020 03:04:05 GMT", "Thu, 02 Foo 2020 03:04:05 GMT", "Thu, 02 Jan 2020 24:00:00 GMT",
             "Thu, 02 Jan 2020 03:60:05 GMT", "Thu, 2 Jan 2020 03:04:05 GMT", "Thu, 02 Jan 20 03:04:05 GMT",
             "Sat, 30 Feb 2020 03:04:05 GMT", "2020-01-02T03:04:05Z", SAME + ", " + SAME, '"%s"' % SAME):
    row(date, get("/a.txt", "If-Modified-Since: " + date), ok("/a.txt"))
row("two lines", get("/a.txt", "If-Modified-Since: " + SAME, "If-Modified-Since: " + SAME), ok("/a.txt"))

# ------------------------------------------------------------------------------------------------
clause("RFC 9110 §10.1.2, §10.1.3, §10.1.5, §5.6.5: fields that change nothing")

for line in ("From: someone@example.org", "Referer: http://example.org/?q", "Referer: not a URI",
             "User-Agent: a/1.0 (one (two) three) b/2", "User-Agent: (not closed", "Cookie: a=b; c=d",
             "Origin: http://example.org", "X-Forwarded-For: 192.0.2.1", "Forwarded: for=192.0.2.1",
             "DNT: 1", "Upgrade-Insecure-Requests: 1", "Sec-Fetch-Mode: navigate", "Priority: u=1, i"):
    row(line, get("/a.txt", line), ok("/a.txt"))

clause("RFC 9110 §7.6.2, §7.6.3: fields for proxies")

row("OPTIONS is answered with Max-Forwards: 0", request("OPTIONS", "*", "Max-Forwards: 0"),
    answer((200, 204), {"Allow": ALLOW}))
row("GET does not look at Max-Forwards", get("/a.txt", "Max-Forwards: 0"), ok("/a.txt"))
row("TRACE with Max-Forwards: 0 is refused too", request("TRACE", "/a.txt", "Max-Forwards: 0"), REFUSED)
row("Via is not repeated", get("/a.txt", "Via: 1.0 a, 1.1 b (c)"), ok("/a.txt", without=["Via"]))

clause("RFC 9110 §10.1.4, RFC 9112 §7.4, §7.2: TE")

for value in ("trailers", "trailers, deflate;q=0.5", "", "gzip", "chunked"):
    row("TE: %s" % value, get("/a.txt", "TE: " + value, "Connection: TE"),
        ok("/a.txt", without=["Transfer-Encoding", "Trailer"]))

clause("RFC 9110 §11.4: credentials nobody asked for")

for value in ("Basic dTpw", "Bearer x", "Digest a=b", "Basic", "\xff"):
    row("Authorization: %r" % value, get("/a.txt", "Authorization: " + value),
        ok("/a.txt", without=["WWW-Authenticate", "Authentication-Info"]))

clause("RFC 9110 §12.5.1, §12.5.2, §12.5.4: what there is only one of is sent to everyone")

for line in ("Accept: image/webp", "Accept: text/plain;q=0", "Accept: */*;q=0", "Accept:", "Accept: x",
             "Accept-Charset: utf-16", "Accept-Charset: *;q=0", "Accept-Language: da", "Accept-Language: *;q=0"):
    row(line, get("/t.png", line), ok("/t.png", {"Content-Type": "image/png"}))
    row(line + ", of what has sidecars", get("/page.css", line),
        ok("/page.css", {"Vary": re.compile("(?i)accept-encoding")}))

# ------------------------------------------------------------------------------------------------
clause("RFC 9111 §5.2.1, §5.4: an origin answers whatever directives a request has")

for line in ("Cache-Control: no-cache", "Cache-Control: no-store", "Cache-Control: max-age=0",
             "Cache-Control: only-if-cached", "Cache-Control: max-stale", "Cache-Control: min-fresh=9",
             "Cache-Control: no-transform", "Cache-Control: x=\"y, z\"", "Cache-Control:", "Pragma: no-cache"):
    row(line, get("/a.txt", line), ok("/a.txt", without=["Age", "Warning"]))
    row(line + ", a condition that holds", get("/a.txt", line, "If-None-Match: " + A), NOT_MODIFIED)

clause("RFC 9111 §5.1, §4.3.2, §4.3.4, RFC 9110 §15.4.5: what a validation brings back")

for name, fields in (("by tag", ["If-None-Match: " + A]), ("by date", ["If-Modified-Since: " + SAME]),
                     ("by both", ["If-None-Match: " + A, "If-Modified-Since: " + SAME])):
    row("304 %s" % name, get("/a.txt", *fields), answer(304, {"ETag": TAG}, [
        "Age", "Content-Length", "Content-Type", "Content-Encoding", "Content-Range", "Transfer-Encoding"]))
row("304 of what has sidecars says what it varies by", get("/page.css", "If-None-Match: <etag /page.css>"),
    answer(304, {"ETag": TAG, "Vary": VARY}))
row("a response to HEAD freshens what a GET brought", request("HEAD", "/a.txt"), head_of("/a.txt", {
    "ETag": TAG, "Last-Modified": OLD_DATE}, ["Age"]), of="RFC 9111 §4.3.5, RFC 9110 §8.8.2")

clause("RFC 9110 §8.8.1, §8.8.3, §8.8.2, §8.8.2.1, §14.3: what a cache and a download manager rely on")

for path in ("/a.txt", "/big.bin", "/empty.txt", "/", "/sub/", "/page.css", "/t.html", "/link.txt"):
    known = {"ETag": TAG, "Last-Modified": OLD_DATE, "Accept-Ranges": "bytes"}
    of_link = {"/link.txt": "/a.txt"}
    row(path, get(path), ok(of_link.get(path, path), known, ["Age", "Content-Range"]))

clause("RFC 9110 §9.2.1, §9.2.2, RFC 9110 §14.5: requests that must change nothing")

row("PUT of a part", request("PUT", "/a.txt", "Content-Range: bytes 0-2/1000", "Content-Length: 3", body="xyz")
    + get("/a.txt"), [REFUSED, ok("/a.txt")])
for method in ("PUT", "DELETE", "POST", "PATCH"):
    row("%s, and the file is as it was" % method,
        request(method, "/b.txt", "Content-Length: 3", body="xyz") + get("/b.txt"), [REFUSED, ok("/b.txt")])
row("GET twice, HEAD between", get("/a.txt") + request("HEAD", "/a.txt") + get("/a.txt"),
    [ok("/a.txt"), head_of("/a.txt"), ok("/a.txt")])
row("GET with Content-Range", get("/a.txt", "Content-Range: bytes 0-2/1000"), ok("/a.txt"))

# ------------------------------------------------------------------------------------------------
clause("RFC 9112 §2.1, §4, RFC 9110 §6.6.1, §10.2.4: every response")

EVERY = {"Date": re.compile(".* GMT"), "Server": "zcserve"}
for name, sent in (("200 OK", get("/a.txt")), ("206 Partial Content", get("/a.txt", "Range: bytes=0-0")),
                   ("301 Moved Permanently", get("/sub")), ("304 Not Modified", get("/a.txt", "If-None-Match: *")),
                   ("403 Forbidden", get("/unreadable.txt")), ("404 Not Found", get("/nothing")),
                   ("405 Method Not Allowed", request("POST", "/a.txt")),
                   ("412 Precondition Failed", get("/a.txt", 'If-Match: "x"')),
                   ("416 Range Not Satisfiable", get("/a.txt", "Range: bytes=5000-"))):
    row(name, sent, answer(int(name[:3]), EVERY))
for name, sent in (("400 Bad Request", bare("GET /a.txt HTTP/1.1")), ("417 Expectation Failed", get("/a.txt", "Expect: x")),
                   ("501 Not Implemented", request("BREW", "/a.txt")),
                   ("505 HTTP Version Not Supported", bare("GET / HTTP/2.0", "Host: t"))):
    row(name, sent, answer(int(name[:3]), EVERY), EITHER)

clause("RFC 9110 §5.2, §5.3: the order of field lines")

row("Host last", bare("GET /a.txt HTTP/1.1", "Range: bytes=0-1", "X: y", "Host: test"), part("/a.txt", 0, 2))
row("a list in three lines, others between", get("/page.css", "Accept-Encoding: br;q=0", "X: y",
                                                 "Accept-Encoding: zstd;q=0", "Y: z", "Accept-Encoding: gzip"),
    answer(200, {"Content-Encoding": "gzip"}, content=content("/page.css.gz")))
row("a tag in the third line", get("/a.txt", 'If-None-Match: "x"', "X: y", 'If-None-Match: "y"',
                                   "If-None-Match: " + A), NOT_MODIFIED)

clause("RFC 9110 §5.6.1, §5.6.4, §5.6.6: lists, quoted strings, parameters")

for value in (",,,gzip", "gzip,,,", " , gzip , ", "gzip;q=1", "gzip;q=1.", "gzip;q=1.000", "gzip ;q=1", "gzip; q=1"):
    row("Accept-Encoding: %s" % value, get("/gz.css", "Accept-Encoding: " + value),
        answer(200, {"Content-Encoding": "gzip", "Vary": VARY}, content=content("/gz.css.gz")))
for value in ("gzip;q=2", "gzip;q=1.0000", "gzip;q=-1", "gzip;q=x", "gzip;q", "gzip;", "gzip;x=1", "gzip;q=1.001",
              '"gzip"', "gz ip", "gzip;q=0.5x"):
    row("a weight that is none is no consent: %s" % value, get("/gz.css", "Accept-Encoding: " + value),
        answer(200, {"Vary": VARY}, ["Content-Encoding"], content("/gz.css")), of="RFC 9110 §12.4.2, §5.6.6")
for value in ('"a\\"b", ' + A, '"a\\", ' + A, '"\x80", ' + A, '"", ' + A):
    row("a backslash is none in a tag: %s" % ascii(value), get("/a.txt", "If-None-Match: " + value),
        NOT_MODIFIED if value != '"a\\"b", ' + A else answer((200, 304)), of="RFC 9110 §8.8.3, §5.6.4")

clause("RFC 9110 §6.6.2, §6.5.2: Trailer")

row("Trailer announces what is dropped", request("POST", "/a.txt", "Transfer-Encoding: chunked", "Trailer: X, Range",
                                                 body="0\r\nX: y\r\nRange: bytes=0-1\r\n\r\n"), REFUSED)
row("Trailer without content", get("/a.txt", "Trailer: Range"), ok("/a.txt"))

clause("RFC 9112 §7.1.1: white space in a chunk extension is refused, as README.md says")

for size in ("5; x=y", "5 ;x=y", "5;x =y", "5;x= y", "5;\tx", "5 ; x ; y"):
    row(ascii(size), request("GET", "/a.txt", "Transfer-Encoding: chunked", body=size + "\r\nhello\r\n0\r\n\r\n"),
        answer(400), CLOSED)

clause("RFC 9112 §7.1.1: chunk extensions")

for size in ("5;x", "5;x=y", "5;x=y;z", '5;x="y z"', '5;x="a\\"b"', "05;x", "5;" + "x" * 1000):
    row(size[:20], request("GET", "/a.txt", "Transfer-Encoding: chunked", body=size + "\r\nhello\r\n0\r\n\r\n"),
        ok("/a.txt"))

clause("RFC 9112 §3.2.3: authority-form")

for target in ("test:80", "test", "127.0.0.1:80", "[::1]:80"):
    row("GET %s" % target, bare("GET %s HTTP/1.1" % target, "Host: test"), answer(400), EITHER)

clause("RFC 9112 §3.2.2, RFC 9110 §4.2.2, §4.2.3: absolute-form")

row("https", bare("GET https://test/a.txt HTTP/1.1", "Host: test"), ok("/a.txt"))
row("the scheme in any case of letters", bare("GET hTTp://test/a.txt HTTP/1.1", "Host: test"), ok("/a.txt"))
row("an empty port", bare("GET http://test:/a.txt HTTP/1.1", "Host: test"), ok("/a.txt"))
row("an IPv6 address", bare("GET http://[::1]:8080/a.txt HTTP/1.1", "Host: test"), ok("/a.txt"))
row("dot segments and encoded octets", bare("GET http://test/sub/../%61.txt HTTP/1.1", "Host: test"), ok("/a.txt"))
row("HEAD", bare("HEAD http://test/a.txt HTTP/1.1", "Host: test"), head_of("/a.txt"))
row("a condition", bare("GET http://test/a.txt HTTP/1.1", "Host: test", "If-None-Match: " + A), NOT_MODIFIED)
row("what is not there", bare("GET http://test/nothing HTTP/1.1", "Host: test"), NOT_FOUND)

clause("RFC 9110 §13.1.1, §13.1.2, §15.5.13: * stands alone")

for name in ("If-Match", "If-None-Match"):
    for value in ('*, "x"', '"x", *', "**", '"*"'):
        row("%s: %s is not *" % (name, value), get("/a.txt", "%s: %s" % (name, value)),
            answer(412) if name == "If-Match" else ok("/a.txt"))

clause("RFC 9110 §8.3, §8.6, §15.5.5: pages of errors")

for target, status in (("/nothing", 404), ("/unreadable.txt", 403), ("/noindex/", (403, 404))):
    row("GET %s" % target, get(target), answer(status, {
        "Content-Type": HTML, "Content-Length": re.compile("[1-9][0-9]*")}, ["Last-Modified", "ETag"]))
    row("HEAD %s" % target, request("HEAD", target), answer(status, {
        "Content-Type": HTML, "Content-Length": re.compile("[1-9][0-9]*")}, head_only=True))
