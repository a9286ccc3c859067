"""The table of exchanges: what is sent, and what must come back. Each row tests one behaviour.

    row(name, what is sent, the response, KEPT or CLOSED or EITHER, server="…")

What is sent is bytes as text (or a list of texts, Pause, Await and HalfClose). "<etag /a.txt>" stands
for the entity-tag of that file. KEPT is the default. rows.py explains the words, fixtures.py makes the
site, and SERVERS below has the configurations that `server` names.
"""

import re
import struct

from fixtures import FILES, NEW_DATE, OLD_DATE
from rows import *  # pylint: disable=wildcard-import,unused-wildcard-import

# Options of each server, beside the defaults. Times are multiplied for slow builds, and what begins
# with "../" is beside the root.
SERVERS = {
    "plain": {},
    "uncached": {"cache.size": 0, "cache.descriptors": 0, "cache.absent": 0, "cache.watches": 0},
    "small": {"limits.target": 64, "limits.head": 1024, "limits.fields": 10, "limits.body": "1k",
              "limits.ranges": 2},
    "many": {"limits.ranges": 64},
    "quick": {"timeouts.head": 1.0, "timeouts.idle": 1.0, "timeouts.body": 1.0,
              "timeouts.send": 1.0, "timeouts.linger": 1.0},
    "other": {"hidden": "on", "symlinks": "never", "sidecars": ["gz"], "server": "",
              "index": ["start.html", "index.html"]},
    "once": {"keep_alive": "off"},
    "strict": {"not_acceptable": "on", "charset": "off"},
    "types": {"charset": "iso-8859-1", "mime_types": "../distribution.types"},
}

EARLIER = "Thu, 02 Jan 2020 03:04:04 GMT"
LATER = "Thu, 02 Jan 2020 03:04:06 GMT"
HOST = "Host: test\r\n"
CRLF = "\r\n"
SMUGGLED = get("/a.txt")

HTML = "text/html; charset=utf-8"
ALLOW = re.compile(r"(?=.*\bGET\b)(?=.*\bHEAD\b)(?=.*\bOPTIONS\b)[A-Z, ]+")
VARY = re.compile("(?i)(.*, *)?accept-encoding(, *.*)?")
TAG = re.compile(r'"[^"]+"')
REFUSED = answer(405, {"Allow": ALLOW})
NOT_FOUND = answer(404)
FORBIDDEN = answer(403)


def bare(line, *fields):
    """A request of which every line is told, Host too."""
    return "".join(each + CRLF for each in (line,) + fields) + CRLF


# ------------------------------------------------------------------------------------------------
clause("RFC 9110 §9.3.1, §15.3.1, RFC 9111 §4.2.2: GET")

row("GET gives the content", get("/a.txt"), ok("/a.txt", {
    "Content-Type": "text/plain; charset=utf-8", "Content-Length": "1000", "ETag": TAG,
    "Last-Modified": OLD_DATE}, without=["Content-Encoding", "Content-Range", "Connection"]))

clause("RFC 9110 §9.3.2, RFC 9111 §4.3.5: HEAD")

row("HEAD gives the same fields and no content", request("HEAD", "/a.txt"), head_of("/a.txt", {
    "Content-Type": "text/plain; charset=utf-8", "ETag": TAG, "Last-Modified": OLD_DATE,
    "Accept-Ranges": "bytes"}))
row("HEAD of a file that goes by sendfile", request("HEAD", "/big.bin"), head_of("/big.bin"))
row("HEAD of an empty file", request("HEAD", "/empty.txt"), head_of("/empty.txt"))
row("HEAD of what is not there", request("HEAD", "/nothing"), answer(404, {
    "Content-Length": re.compile("[1-9][0-9]*")}, head_only=True))
row("HEAD of a directory without its slash", request("HEAD", "/sub"),
    moved("/sub/", head_only=True))

clause("RFC 9110 §9.3.7, §10.2.1, §15.3.5: OPTIONS")

row("OPTIONS of a file", request("OPTIONS", "/a.txt"), answer((200, 204), {"Allow": ALLOW}))
row("OPTIONS of the server", request("OPTIONS", "*"), answer((200, 204), {"Allow": ALLOW}))
row("OPTIONS with content", request("OPTIONS", "*", "Content-Length: 3", body="abc"),
    answer((200, 204), {"Allow": ALLOW}))

clause("RFC 9110 §15.5.6, §10.2.1, §9.3.3, §9.3.4, §9.3.5, §9.3.8: methods that are not allowed")

for method in ("POST", "PUT", "DELETE", "PATCH", "TRACE", "PROPFIND", "MKCOL"):
    row("%s is known and refused" % method, request(method, "/a.txt"), REFUSED)
row("POST to what is not there", request("POST", "/nothing"), answer((404, 405)))

clause("RFC 9110 §9.3.6: CONNECT")

row("CONNECT opens no tunnel", bare("CONNECT test:80 HTTP/1.1", "Host: test:80"),
    answer((400, 405, 501)), EITHER)

clause("RFC 9110 §9.1, §15.6.2: methods that are not known")

row("a method nobody knows", request("BREW", "/a.txt"), answer(501), EITHER)
row("a method in small letters is another one", request("get", "/a.txt"), answer(501), EITHER)
row("a method that begins like GET", request("GETS", "/a.txt"), answer(501), EITHER)

clause("RFC 9112 §3.1, RFC 9110 §5.6.2: a method is a token")

row("a method that is no token", request("G@T", "/a.txt"), answer(400), CLOSED)

clause("RFC 9112 §3.2.4: asterisk-form")

row("* is for OPTIONS only", request("GET", "*"), BAD, EITHER)

# ------------------------------------------------------------------------------------------------
clause("RFC 9112 §9.3, §9.6, RFC 9110 §7.6.1: persistence")

row("1.0 without Host, closes", bare("GET /a.txt HTTP/1.0"), ok("/a.txt"), CLOSED)
row("1.0 keep-alive is confirmed", bare("GET /a.txt HTTP/1.0", "Connection: keep-alive"),
    ok("/a.txt", {"Connection": "keep-alive"}))
row("1.0 Keep-Alive as ab writes it", bare("GET /a.txt HTTP/1.0", "Connection: Keep-Alive",
                                           "Host: test", "User-Agent: ApacheBench/2.3", "Accept: */*"),
    ok("/a.txt", {"Connection": re.compile("(?i)keep-alive")}))
row("1.0 keep-alive of a file that goes by sendfile",
    bare("GET /big.bin HTTP/1.0", "Connection: keep-alive"), ok("/big.bin", {
        "Connection": "keep-alive"}))
row("1.0 keep-alive of a 404", bare("GET /nothing HTTP/1.0", "Connection: keep-alive"),
    answer(404, {"Connection": "keep-alive"}))
row("1.0 keep-alive and close: close", bare("GET /a.txt HTTP/1.0",
                                            "Connection: keep-alive, close"), ok("/a.txt"), CLOSED)
row("1.0 HEAD", bare("HEAD /a.txt HTTP/1.0"), head_of("/a.txt"), CLOSED)
row("1.1 is kept without being asked", get("/a.txt"), ok("/a.txt"))
row("1.1 keep-alive", get("/a.txt", "Connection: keep-alive"), ok("/a.txt"))
row("1.1 close", get("/a.txt", "Connection: close"), ok("/a.txt", {"Connection": "close"}), CLOSED)
row("1.1 close in any case of letters", get("/a.txt", "Connection: CLOSE"), ok("/a.txt"), CLOSED)
row("1.1 close in a list", get("/a.txt", "Connection: foo, close ,bar"), ok("/a.txt"), CLOSED)
row("1.1 close in a second line", get("/a.txt", "Connection: foo", "Connection: close"),
    ok("/a.txt"), CLOSED)
row("1.1 close beside keep-alive", get("/a.txt", "Connection: keep-alive, close"), ok("/a.txt"),
    CLOSED)
row("1.1 a word that holds close is not close", get("/a.txt", "Connection: closed"), ok("/a.txt"))
for value in ("close\t", "\tclose", " \t close \t ", "foo,\tclose\t,bar", "foo\t,\tclose", ",close",
              "close,", " , ,\t,close,\t,", "\"x, y\", close", "Keep-Alive,\tClose"):
    row("1.1 close: %r" % value, get("/a.txt", "Connection: " + value), ok("/a.txt"), CLOSED)
    row("1.0 close beside keep-alive: %r" % value,
        bare("GET /a.txt HTTP/1.0", "Connection: keep-alive", "Connection: " + value),
        ok("/a.txt", without=["Keep-Alive"]), CLOSED)
for name, lines in (("keep-alive, then close", ["keep-alive", "close\t"]),
                    ("close, then keep-alive", ["close", "keep-alive"]),
                    ("nothing, then close", ["", "close"]), ("close, then nothing", ["close", ""]),
                    ("30 lines, the last is close", ["x"] * 29 + ["close"])):
    row("1.1 close in several lines: %s" % name,
        get("/a.txt", *["Connection: " + line for line in lines]), ok("/a.txt"), CLOSED)
for value in ("closed", "xclose", "close x", "x close", "close;x", "close=1", '"close"', "\"x, close\"",
              "", ",", "\t", "clo\tse", "keep-alive\t,"):
    row("1.1 not close: %r" % value, get("/a.txt", "Connection: " + value), ok("/a.txt"))
row("1.1 30 lines of Connection", get("/a.txt", *["Connection: keep-alive"] * 30), ok("/a.txt"))
for value in ("keep-alive\t", "\tkeep-alive", "foo,\tKeep-Alive\t,bar", ",,keep-alive,"):
    row("1.0 keep-alive: %r" % value, bare("GET /a.txt HTTP/1.0", "Connection: " + value),
        ok("/a.txt", {"Connection": "keep-alive"}))
row("1.0 keep-alive in a second line",
    bare("GET /a.txt HTTP/1.0", "Connection: foo", "Connection: keep-alive"),
    ok("/a.txt", {"Connection": "keep-alive"}))
for value in ("keep-alives", "keep", "keep-alive x", '"keep-alive"', ""):
    row("1.0 not keep-alive: %r" % value, bare("GET /a.txt HTTP/1.0", "Connection: " + value),
        ok("/a.txt"), CLOSED)
row("Proxy-Connection means nothing: close", get("/a.txt", "Proxy-Connection: close"), ok("/a.txt"))
row("Proxy-Connection means nothing: close, 1.0 kept alive",
    bare("GET /a.txt HTTP/1.0", "Connection: keep-alive", "Proxy-Connection: close"),
    ok("/a.txt", {"Connection": "keep-alive"}))
row("Proxy-Connection means nothing: keep-alive",
    bare("GET /a.txt HTTP/1.0", "Proxy-Connection: keep-alive"), ok("/a.txt"), CLOSED)
row("Proxy-Connection means nothing: keep-alive beside close",
    get("/a.txt", "Proxy-Connection: keep-alive", "Connection: close"), ok("/a.txt"), CLOSED)

clause("RFC 9112 §9.6: after close")

row("after close nothing more is answered", get("/a.txt", "Connection: close") + SMUGGLED,
    ok("/a.txt"), CLOSED)
row("close after a file that goes by sendfile", get("/big.bin", "Connection: close"),
    ok("/big.bin"), CLOSED)
row("close after HEAD", request("HEAD", "/big.bin", "Connection: close"), head_of("/big.bin"),
    CLOSED)

clause("RFC 9110 §7.8: Upgrade")

row("an offer to upgrade is not taken up", get("/a.txt", "Connection: Upgrade, HTTP2-Settings",
                                               "Upgrade: h2c", "HTTP2-Settings: AAMAAABkAAQAoAAAAAIAAAAA"),
    ok("/a.txt", without=["Upgrade"]))

clause("RFC 9112 §2.3, RFC 9110 §2.5, §15.6.6: versions")

row("2.0 is not spoken", bare("GET /a.txt HTTP/2.0", "Host: test"), answer(505), CLOSED)
row("3.0 is not spoken", bare("GET /a.txt HTTP/3.0", "Host: test"), answer(505), CLOSED)

clause("RFC 9113 §3.4: the preface of HTTP/2")

GOAWAY = b"this port speaks HTTP/1.1 only"
HTTP2_END = Foreign(b"\0\0\0\x04\0\0\0\0\0"                                  # SETTINGS
                    + struct.pack("!HBBBLLL", 0, 8 + len(GOAWAY), 7, 0, 0, 0, 0xD) + GOAWAY)
row("the preface of HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", [], HTTP2_END)
row("the preface of HTTP/2, in pieces", bytewise("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), [], HTTP2_END)
row("the preface of HTTP/2, and frames", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0", [], HTTP2_END)
row("the preface of HTTP/2 after a request", get("/a.txt") + "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    ok("/a.txt"), HTTP2_END)

clause("RFC 9112 §2.3, RFC 9110 §2.5: other versions")

row("a higher minor version", bare("GET /a.txt HTTP/1.2", "Host: test"), answer((200, 505)),
    EITHER)
for version in ("HTTP/1", "HTTP/1.", "HTTP/11.1", "HTTP/1.10", "HTTP/1.x", "http/1.1", "HTTP 1.1",
                "HTTP/1.1x", "HTTX/1.1", "HTTP/ 1.1", "RTSP/1.0", "1.1", "HTTP/0.9"):
    row("not a version: %s" % version, bare("GET /a.txt " + version, "Host: test") + SMUGGLED,
        answer((400, 505)), CLOSED)
row("no version at all", "GET /a.txt\r\n", BAD, CLOSED)

clause("RFC 9112 §9.6: keep_alive = off")

row("keep_alive = off closes every time", get("/a.txt") + SMUGGLED, ok("/a.txt"), CLOSED, "once")
row("keep_alive = off for 1.0 too", bare("GET /a.txt HTTP/1.0", "Connection: keep-alive"),
    ok("/a.txt", without=["Keep-Alive"]), CLOSED, "once")

# ------------------------------------------------------------------------------------------------
clause("RFC 9112 §2.2: empty lines before the request line")

row("one empty line before it", CRLF + get("/a.txt"), ok("/a.txt"))
row("several empty lines before it", CRLF * 3 + get("/a.txt"), ok("/a.txt"))
row("an empty line between two requests", get("/a.txt") + CRLF + get("/b.txt"),
    [ok("/a.txt"), ok("/b.txt")])

clause("RFC 9112 §3, RFC 9110 §2.4, §15.5.1: the request line")

for name, line in (
        ("two spaces after the method", "GET  /a.txt HTTP/1.1\r\n"),
        ("two spaces before the version", "GET /a.txt  HTTP/1.1\r\n"),
        ("a tab", "GET\t/a.txt HTTP/1.1\r\n"),
        ("a space before the method", " GET /a.txt HTTP/1.1\r\n"),
        ("a space in the target", "GET /with space.txt HTTP/1.1\r\n"),
        ("a word after the version", "GET /a.txt HTTP/1.1 x\r\n"),
        ("a space after the version", "GET /a.txt HTTP/1.1 \r\n"),
        ("no target", "GET HTTP/1.1\r\n"),
        ("only a method", "GET\r\n"),
        ("a bare LF at its end", "GET /a.txt HTTP/1.1\n"),
        ("a bare CR at its end", "GET /a.txt HTTP/1.1\r"),
        ("a bare CR inside", "GET /a\r.txt HTTP/1.1\r\n"),
        ("two CR at its end", "GET /a.txt HTTP/1.1\r\r\n"),
        ("NUL in the target", "GET /a\0.txt HTTP/1.1\r\n"),
        ("NUL for a method", "\0 /a.txt HTTP/1.1\r\n"),
        ("a byte-order mark", "\xef\xbb\xbfGET /a.txt HTTP/1.1\r\n")):
    row("%s: refused" % name, line + HOST + CRLF + SMUGGLED, BAD, CLOSED)

clause("RFC 9112 §2.2, §3: no request line")

TLS_END = Foreign(b"\x15\x03\x01\x00\x02\x02\x46")  # an alert of RFC 8446 §6: fatal, protocol_version
HELLO = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\0" * 64
row("a TLS handshake", HELLO, [], TLS_END)
row("a TLS handshake, in pieces", [HELLO[:1], Pause(0.05), HELLO[1:2], HELLO[2:]], [], TLS_END)
row("what only begins like TLS", b"\x16ET / HTTP/1.1\r\n", BAD, CLOSED)
row("an empty line of a bare LF before it", "\n" + get("/a.txt") + SMUGGLED, BAD, CLOSED)

# ------------------------------------------------------------------------------------------------
clause("RFC 9112 §3.2, RFC 9110 §7.2: Host")

row("missing", bare("GET /a.txt HTTP/1.1") + SMUGGLED, BAD, CLOSED)
row("twice", bare("GET /a.txt HTTP/1.1", "Host: a", "Host: b") + SMUGGLED, BAD, CLOSED)
row("twice the same", bare("GET /a.txt HTTP/1.1", "Host: a", "Host: a"), BAD, CLOSED)
row("twice in 1.0", bare("GET /a.txt HTTP/1.0", "Host: a", "Host: b"), BAD, CLOSED)
row("empty is allowed", bare("GET /a.txt HTTP/1.1", "Host:"), ok("/a.txt"))

clause("RFC 3986 §3.2.2, §3.2.3, RFC 9112 §3.2: the value of Host")

for value in ("localhost:8080", "[::1]:8080", "[::1]", "127.0.0.1", "a-b.example.", "A.EXAMPLE",
              "a_b", "x:", "%41.example"):
    row("%s is one" % value, bare("GET /a.txt HTTP/1.1", "Host: " + value), ok("/a.txt"))
for value in ("a b", "a, b", "a/b", "a?b", "a#b", "u@a", "a:b", "a:80:80", "[::1", "[::1]x", "[a",
              "a\\b", "<a>", "\"a\"", "%zz", "a:-1", "http://a"):
    row("%s is none" % value, bare("GET /a.txt HTTP/1.1", "Host: " + value), BAD, CLOSED)
row("white space around it is not of it", bare("GET /a.txt HTTP/1.1", "Host: \t test \t "),
    ok("/a.txt"))
for value in ("te\tst", "test\t:80", "test:\t80", "a\tb", "test\xa0", "te\xffst"):
    row("%r is none" % value, bare("GET /a.txt HTTP/1.1", "Host: " + value), BAD, CLOSED)

# ------------------------------------------------------------------------------------------------
clause("RFC 9112 §3.2.2, RFC 9110 §4.2.1: absolute-form")

row("it replaces Host", bare("GET http://other/a.txt HTTP/1.1", "Host: test"), ok("/a.txt"))
row("Host is needed all the same", bare("GET http://other/a.txt HTTP/1.1"), BAD, CLOSED)
row("Host must be well-formed all the same", bare("GET http://a/a.txt HTTP/1.1", "Host: a b"), BAD,
    CLOSED)
row("without a path it is /", bare("GET http://test HTTP/1.1", "Host: test"), ok("/"))
row("without a path, with a query", bare("GET http://test?x HTTP/1.1", "Host: test"), ok("/"))
row("with port and query", bare("GET http://test:80/a.txt?x=y HTTP/1.1", "Host: test"),
    ok("/a.txt"))
row("the scheme in capitals", bare("GET HTTP://TEST/a.txt HTTP/1.1", "Host: test"), ok("/a.txt"))
row("in 1.0", bare("GET http://test/a.txt HTTP/1.0"), ok("/a.txt"), CLOSED)
row("OPTIONS without a path", bare("OPTIONS http://test HTTP/1.1", "Host: test"),
    answer((200, 204), {"Allow": ALLOW}))
row("a directory is not redirected to that host", bare("GET http://evil/sub HTTP/1.1",
                                                       "Host: test"), moved("/sub/"))

clause("RFC 9112 §3.2.2, RFC 9110 §4.2.1, §4.2.4, RFC 3986 §3.2.1: no absolute-form")

for target in ("http:///a.txt", "http://u@test/a.txt", "http://u:p@test/a.txt", "http:/a.txt",
               "ftp://test/a.txt", "http://te st/a.txt", "http://test:x/a.txt", "http://[::1/a.txt",
               "http://test\\a.txt", "http://", "://test/a.txt", "test/a.txt"):
    row("%s is none" % target, bare("GET %s HTTP/1.1" % target, "Host: test"), BAD, EITHER)

# ------------------------------------------------------------------------------------------------
clause("RFC 3986 §2.1, §3.3, §3.4, §5.2.4, §6.2.2.1, §6.2.2.2, §6.2.2.3, §7.3, RFC 9112 §3.2.1: "
       "from target to path")

for target, path in (
        ("/%61.txt", "/a.txt"), ("/a%2Etxt", "/a.txt"), ("/a%2etxt", "/a.txt"),
        ("/with%20space.txt", "/with space.txt"), ("/plus+sign.txt", "/plus+sign.txt"),
        ("/sm%C3%B8rrebr%c3%b8d.txt", "/sm\u00f8rrebr\u00f8d.txt"),
        ("/tilde~!$&'()*,;=:@.txt", "/tilde~!$&'()*,;=:@.txt"),
        ("/%2541.txt", "/%41.txt"), ("/%41.txt", "/A.txt"),
        ("/./a.txt", "/a.txt"), ("/sub/../a.txt", "/a.txt"), ("/sub/./b.txt", "/sub/b.txt"),
        ("/sub/%2e%2e/a.txt", "/a.txt"), ("/sub/.%2E/a.txt", "/a.txt"), ("/%2e/a.txt", "/a.txt"),
        ("/no/such/../../a.txt", "/a.txt"),
        ("//a.txt", "/a.txt"), ("/sub//b.txt", "/sub/b.txt"), ("///sub///b.txt", "/sub/b.txt"),
        ("/sub/..", "/"), ("/sub/../", "/"), ("/sub/.", "/sub/"), ("/sub/./", "/sub/"),
        ("/.", "/"), ("//", "/"), ("/", "/"), ("/sub/", "/sub/"), ("/sub//", "/sub/"),
        ("/a.txt?", "/a.txt"), ("/a.txt?x=1&y=/../..", "/a.txt"), ("/a.txt?%zz%00", "/a.txt"),
        ("/a.txt?a?b", "/a.txt"), ("/?x", "/"),
        ("/a%5cb.txt", "/a\\b.txt"), ("/a%5Cb.txt", "/a\\b.txt"), ("/a\\b.txt", "/a\\b.txt"),
        ("/tab%09name.txt", "/tab\tname.txt"), ("/line%0abreak.txt", "/line\nbreak.txt"),
        ("/cr%0d%0A.txt", "/cr\r\n.txt"), ("/%01%1f%7F.txt", "/\x01\x1f\x7f.txt"),
        ("/%ff%80.txt", "/\udcff\udc80.txt"), ("/caf%e9.txt", "/caf\udce9.txt"),
        ("/%c0%af.txt", "/\udcc0\udcaf.txt"),
        ("/sm\xc3\xb8rrebr\xc3\xb8d.txt", "/sm\u00f8rrebr\u00f8d.txt"),
        ("/sm%c3\xb8rrebr\xc3%b8d.txt", "/sm\u00f8rrebr\u00f8d.txt"),
        ("/\xff\x80.txt", "/\udcff\udc80.txt"), ("/caf\xe9.txt", "/caf\udce9.txt"),
        ("/\xe9/../a.txt", "/a.txt"), ("/a.txt?\xc3\xb8", "/a.txt"), ("/a.txt?x=\xff&y=\x80", "/a.txt"),
        ("/?\xe9", "/")):
    row(ascii(target)[1:-1], get(target), ok(path))

clause("RFC 3986 §2, RFC 9112 §3.2.1: octets beyond ASCII")

row("octets beyond ASCII, and a field line with a tab", get("/caf\xe9.txt?\xff", "Range:\tbytes=0-1\t"),
    part("/caf\udce9.txt", 0, 2))
row("octets beyond ASCII in a target, and content",
    request("GET", "/caf\xe9.txt", "Content-Length:\t5\t", body="hello") + get("/b.txt"),
    [ok("/caf\udce9.txt"), ok("/b.txt")])
row("octets beyond ASCII byte by byte", bytewise(get("/caf\xe9.txt?\xff\xfe", "X:\ty\t")),
    ok("/caf\udce9.txt"))
row("octets beyond ASCII in absolute form", bare("GET http://test/caf\xe9.txt HTTP/1.1", "Host: test"),
    ok("/caf\udce9.txt"))
row("octets beyond ASCII in a target that is too long", get("/a.txt?" + "\xff" * 64), answer(414),
    CLOSED, "small")

clause("RFC 3986 §2.1, RFC 9110 §15.5.5: names of no file")

for target in ("/%c3%a4", "/%c0%af", "/%c0%ae%c0%ae/a.txt", "/%e0%80%af", "/%f0%80%80%af", "/%ed%a0%80",
               "/%f4%90%80%80", "/%fe", "/%80", "/%e2%82", "/%c3(", "/%f8%88%80%80%80", "/\xfe",
               "/\xc3", "/..\\a.txt", "/..%5c..%5coutside.txt", "/sub\\b.txt", "/sub%5cb.txt", "/a%0a.txt",
               "/a%0d%0aX:%20y", "/a%01.txt", "/a%1f.txt", "/a%7f.txt", "/a%09b", "/a.txt%0a"):
    row("%s names no file" % ascii(target)[1:-1], get(target), NOT_FOUND)

clause("RFC 9110 §17.3, RFC 3986 §2.1, §3.5, RFC 9110 §4.2.5, RFC 9112 §3.2: targets that are refused")

for target in ("/..", "/../a.txt", "/sub/../../a.txt", "/%2e%2e/a.txt", "/..%2fa.txt", "/./../a.txt",
               "/sub%2fb.txt", "/sub%2Fb.txt", "/%2fetc/passwd", "/a.txt%00", "/a%00.txt", "/%00",
               "/\xff%00", "/\xff%2f", "/\xff/../..", "\xff", "\xff/a.txt",
               "/%", "/%4", "/%zz", "/%4g", "/%%41", "/a.txt%", "/%-1", "/%+1", "/% 1",
               "/a.txt#x", "a.txt", "../a.txt", "?x", "%2fa.txt"):
    row("%s is refused" % target, get(target), BAD, EITHER)

clause("RFC 3986 §2, RFC 9112 §3: octets that a request line may not have")

for octet in (0x01, 0x09, 0x0b, 0x0c, 0x1b, 0x7f):
    for name, target in (("path", "/a%c.txt"), ("query", "/a.txt?%c"), ("path behind \\xff", "/\xff%c"),
                         ("query behind \\xff", "/a.txt?\xff%c")):
        row("octet %02x in a %s is refused" % (octet, name), get(target % octet) + SMUGGLED, BAD, CLOSED)
for octet in ("\xff", "\xa0", "\x80", "\xc3\xa9"):
    for name, line in (("method", "G%sT /a.txt HTTP/1.1"), ("method's place", "%s /a.txt HTTP/1.1"),
                       ("version", "GET /a.txt HTTP/1.%s"), ("version's place", "GET /a.txt %s"),
                       ("authority", "GET http://te%sst/a.txt HTTP/1.1"),
                       ("space's place", "GET%s/a.txt HTTP/1.1"),
                       ("line behind the version", "GET /a.txt HTTP/1.1%s")):
        row("octet %r in the %s is refused" % (octet, name), bare(line % octet, "Host: test") + SMUGGLED,
            BAD, CLOSED if name != "authority" else EITHER)

clause("RFC 9110 §15.5.5, RFC 3986 §3.3: paths")

row("a name longer than any", get("/" + "n" * 300), NOT_FOUND)
row("the longest name", get("/%s.txt" % ("n" * 251)), ok("/%s.txt" % ("n" * 251)))
row("a path longer than any", get("/n" * 3000), NOT_FOUND)
row("a path of many segments", get("/sub/.." * 1000 + "/a.txt"), ok("/a.txt"))
row("a file is no directory", get("/a.txt/"), NOT_FOUND)
row("nothing is below a file", get("/a.txt/b"), NOT_FOUND)
row("letters keep their case", get("/B.TXT"), NOT_FOUND)

# ------------------------------------------------------------------------------------------------
clause("RFC 9110 §7.1, RFC 3986 §3.3: the index of a directory")

row("index", get("/"), ok("/", {"Content-Type": HTML}))
row("index of a directory", get("/sub/"), ok("/sub/", {"Content-Type": HTML}))
row("no index", get("/noindex/"), answer((403, 404)))

clause("RFC 9110 §15.4.2, §10.2.2, RFC 3986 §4.2: a directory without its slash")

row("the slash is added", get("/sub"), moved("/sub/"))
row("the query is kept", get("/sub?x=1&y=%20z"), moved("/sub/?x=1&y=%20z"))
row("an empty query", get("/sub?"), answer(301, {"Location": re.compile(r"sub/\??")}))
row("two slashes lead to no other host", get("//sub"), moved("/sub/"))
row("three slashes", get("///sub"), moved("/sub/"))
row("a slash, a dot, a slash", get("/.//sub"), moved("/sub/"))
row("dot segments", get("/x/../sub"), moved("/sub/"))

clause("RFC 9110 §10.2.2, RFC 3986 §2.1, §4.2, RFC 9112 §11.1: what Location may hold")

row("a space stays encoded", get("/a%20b"), moved("/a%20b/"))
row("a question mark stays encoded", get("/q%3fq?x"), answer(301, {
    "Location": re.compile(r"q%3[fF]q/\?x")}))
row("a percent sign stays encoded", get("/%2541dir"), moved("/%2541dir/"))
row("Host does not get into it", bare("GET /sub HTTP/1.1", "Host: evil"),
    answer(301, {"Location": "sub/"}))
row("it is relative, so that it is right behind a prefix", get("/sub"), answer(301, {"Location": "sub/"}))
row("relative, of a directory below another", get("/sub/deep"), answer(301, {"Location": "deep/"}))
row("relative, of an absolute form", bare("GET http://test:80/sub/deep?x HTTP/1.1", "Host: test"),
    answer(301, {"Location": "deep/?x"}))
row("a colon does not make it a scheme", get("/a:b"), answer(301, {"Location": "./a:b/"}))
row("a colon that is encoded does not either", get("/a%3Ab?c:d"), answer(301, {"Location": "./a:b/?c:d"}))
row("a colon leads there", get("/a%3Ab"), moved("/a:b/"))
row("a number sign stays encoded", get("/%23h"), moved("/%23h/"))
row("dots that were encoded twice stay a name", get("/%252e%252e"), moved("/%252e%252e/"))
row("a backslash is encoded", get("/a\\b"), moved("/a%5Cb/"))
row("a backslash stays encoded", get("/a%5cb"), moved("/a%5Cb/"))
row("control characters stay encoded", get("/%09%0a"), moved("/%09%0A/"))
row("octets that are not UTF-8 stay encoded", get("/%ff?%ff"), moved("/%FF/?%ff"))
row("octets beyond ASCII are encoded", get("/\xff?\xff=\xe9"), moved("/%FF/?%FF=%E9"))
row("a query with quotes and brackets", get("/sub?\"><script>alert(1)</script>"),
    moved("/sub/?%22%3E%3Cscript%3Ealert(1)%3C/script%3E"))
row("a query with what no URI may hold", get("/sub?^`{|}\\[]"), moved("/sub/?%5E%60%7B%7C%7D%5C[]"))
row("a query with percent signs is left as it is", get("/sub?%zz%41%2f"), answer(301, {
    "Location": "sub/?%zz%41%2f"}))

clause("RFC 9110 §15.4.2, §7.1: directories")

row("a linked directory", get("/linked"), moved("/linked/"))
row("the first index that is there", get("/start/"), answer(200, content=b"start"), server="other")
row("the next index that is there", get("/sub/"), answer(200, content=content("/sub/")),
    server="other")

# ------------------------------------------------------------------------------------------------
clause("RFC 9110 §15.5.5: what is not there")

for target in ("/nothing", "/sub/nothing", "/nothing/", "/nothing/at/all", "/dangling.txt"):
    row("%s is not there" % target, get(target), NOT_FOUND)

clause("RFC 9110 §15.5.5, §17.3: names that begin with a dot")

for target in ("/.hidden", "/.git/config", "/.git/", "/.git", "/sub/.secret", "/%2ehidden",
               "/.well-known/.hidden", "/...", "/.nothing", "/..two.txt", "/%2e%2etwo.txt", "/.%2e.", "/..dir/", "/..dir",
               "/..../a.txt", "/sub/..two.txt", "/sub/.../a.txt", "/.well-known/..two.txt", "/.well-known/../...",
               "/...?x", "/..two.txt/../.../"):
    row("%s is hidden" % target, get(target), NOT_FOUND)
for target, name in (("/sub/../.well-known/ok.txt", ".well-known/ok.txt"), ("/ends..", "ends.."),
                     ("/mid..dle.txt", "mid..dle.txt"), ("/..two.txt/../ends..", "ends..")):
    row("%s does not begin with a dot" % target, get(target), answer(200, content=FILES[name]))

clause("RFC 8615 §3: /.well-known/")

row("/.well-known/ is not hidden", get("/.well-known/ok.txt"), ok("/.well-known/ok.txt"))

clause("RFC 9110 §7.1: hidden = on")

row("hidden = on", get("/.hidden"), answer(200, content=b"hidden"), server="other")
for target, name in (("/...", "..."), ("/..two.txt", "..two.txt"), ("/%2e%2etwo.txt", "..two.txt"), ("/.%2e.", "..."),
                     ("/..dir/", "..dir/index.html"), ("/..../a.txt", "..../a.txt"), ("/sub/..two.txt", "sub/..two.txt"),
                     ("/.well-known/..two.txt", ".well-known/..two.txt"), ("/sub/../...", "..."),
                     ("/..dir/../..two.txt", "..two.txt")):
    row("hidden = on: %s" % target, get(target), answer(200, content=FILES[name]), server="other")
row("hidden = on: /..dir", get("/..dir"), moved("/..dir/"), server="other")
row("hidden = on: three dots lead nowhere", get("/sub/deep/.../a.txt"), NOT_FOUND, server="other")

clause("RFC 9110 §15.5.4, §17.3: what may not be read, and links")

row("a file that may not be read", get("/unreadable.txt"), FORBIDDEN)
row("a directory that may not be searched", get("/closed/file.txt"), FORBIDDEN)
row("a directory that may not be searched, itself", get("/closed/"), FORBIDDEN)
row("a link inside", get("/link.txt"), ok("/a.txt"))
row("a link inside, upwards", get("/sub/up.txt"), ok("/a.txt"))
row("a linked directory's file", get("/linked/b.txt"), ok("/sub/b.txt"))
row("a link that leads outside", get("/out.txt"), FORBIDDEN)
row("a directory outside", get("/outdir/file.txt"), FORBIDDEN)
row("an absolute link outside", get("/etc.txt"), FORBIDDEN)
row("a link to itself", get("/loop.txt"), answer((403, 404)))
row("symlinks = never", get("/link.txt"), FORBIDDEN, server="other")
row("symlinks = never, a directory", get("/linked/b.txt"), FORBIDDEN, server="other")
row("a FIFO hangs nobody", get("/fifo"), answer((403, 404)))
row("a socket", get("/socket"), answer((403, 404)))

clause("RFC 9110 §8.6, §6.4, §8.1, §15.3.1: files of any length")

row("an empty file", get("/empty.txt"), ok("/empty.txt", {"Content-Length": "0"}))
row("one byte", get("/one.bin"), ok("/one.bin"))
row("the largest in memory", get("/edge.bin"), ok("/edge.bin"))
row("the smallest by sendfile", get("/beyond.bin"), ok("/beyond.bin"))
row("3 MiB by sendfile", get("/big.bin"), ok("/big.bin"))

clause("RFC 9110 §10.2.4: Server")

row("server = nothing", get("/a.txt"), ok("/a.txt", without=["Server"]), server="other")

# ------------------------------------------------------------------------------------------------
clause("RFC 9110 §8.3, §8.3.1: media types")

for name, kind in (
        ("t.html", HTML), ("t.htm", HTML), ("t.HTML", HTML), ("t.css", "text/css; charset=utf-8"),
        ("t.js", "text/javascript; charset=utf-8"), ("t.mjs", "text/javascript; charset=utf-8"),
        ("t.json", re.compile("application/json(; charset=utf-8)?")),
        ("t.svg", re.compile(r"image/svg\+xml(; charset=utf-8)?")), ("t.png", "image/png"),
        ("t.jpg", "image/jpeg"), ("t.webp", "image/webp"), ("t.woff2", "font/woff2"),
        ("t.wasm", "application/wasm"), ("t.pdf", "application/pdf"), ("t.mp4", "video/mp4"),
        ("t.xml", re.compile("(text|application)/xml(; charset=utf-8)?")),
        ("t.tar.gz", re.compile("application/(x-)?gzip")),
        ("t.ico", re.compile("image/(x-icon|vnd.microsoft.icon)")),
        ("t.m4s", "video/iso.segment"), ("t.c", re.compile("text/x-c(src)?; charset=utf-8")),
        ("t.crl", "application/pkix-crl"), ("t.kml", "application/vnd.google-earth.kml+xml"),
        ("t.unheard-of", "application/octet-stream"), ("t", "application/octet-stream")):
    row("/%s" % name, get("/" + name), ok("/" + name, {"Content-Type": kind}))

clause("RFC 9110 §8.3.2: charset")

for name, kind in (("t.html", "text/html"), ("t.svg", "image/svg+xml"), ("t.json", "application/json"),
                   ("t.css", "text/css"), ("t.png", "image/png")):
    row("/%s, charset = off" % name, get("/" + name), ok("/" + name, {"Content-Type": kind}),
        server="strict")
for name, kind in (("t.html", "text/html; charset=iso-8859-1"), ("t.css", "text/css;charset=utf-8"),
                   ("t.tar.gz", "application/x-compressed-tar"), ("t.png", "image/png"),
                   ("t.xml", 'text/xml; charset="utf-16"'), ("t.spdx.json", "application/spdx+json"),
                   ("t.json", "application/json; charset=iso-8859-1")):
    row("/%s, as a distribution's table has it" % name, get("/" + name),
        ok("/" + name, {"Content-Type": kind}), server="types")

clause("RFC 9110 §8.4, §8.4.1: a coding of its own")

ZIPPED = {"Content-Type": "image/svg+xml; charset=utf-8", "Content-Encoding": "gzip"}
for fields in ([], ["Accept-Encoding: gzip"], ["Accept-Encoding: br, gzip"], ["Accept-Encoding: identity"],
               ["Accept-Encoding: gzip;q=0"], ["Accept-Encoding: *;q=0"]):
    row("an svgz is gzip for everyone: %s" % fields, get("/picture.svgz", *fields),
        ok("/picture.svgz", ZIPPED, ["Vary"]))
    row("an svgz is gzip for everyone, not_acceptable: %s" % fields, get("/picture.svgz", *fields),
        ok("/picture.svgz", {"Content-Encoding": "gzip"}, ["Vary"]), server="strict")
row("an svgz, HEAD", request("HEAD", "/picture.svgz"), head_of("/picture.svgz", ZIPPED, ["Vary"]))
row("an svgz, a range", get("/picture.svgz", "Range: bytes=16-31"),
    answer(206, dict(ZIPPED, **{"Content-Range": "bytes 16-31/600"}), ["Vary"],
           content("/picture.svgz")[16:32]))
row("an svgz that goes by sendfile", get("/large.svgz"), ok("/large.svgz", ZIPPED, ["Vary"]))
row("an svgz whose type says otherwise", get("/picture.svgz"),
    ok("/picture.svgz", {"Content-Type": "application/gzip"}, ["Content-Encoding"]), server="types")

# ------------------------------------------------------------------------------------------------
clause("RFC 9110 §13.2.2: preconditions, in their order")

PRECONDITIONS = {"If-Match": "§13.1.1", "If-None-Match": "§13.1.2", "If-Modified-Since": "§13.1.3",
                 "If-Unmodified-Since": "§13.1.4", "If-Range": "§13.1.5", "Range": "§14.2"}
A = "<etag /a.txt>"
NOT_MODIFIED = answer(304, {"ETag": TAG}, ["Content-Range", "Content-Encoding", "Content-Length",
                                           "Content-Type"])
FAILED = answer(412)


def preconditions(fields):
    """The clauses of these fields; of several of them, also that of their order."""
    found = sorted({PRECONDITIONS[field.split(":")[0]] for field in fields})
    return "RFC 9110 " + ", ".join(found + (["§13.2.2"] if len(found) > 1 else []))


for name, fields, expected in (
        ("If-None-Match: the tag", ["If-None-Match: " + A], NOT_MODIFIED),
        ("If-None-Match: the tag, weak", ["If-None-Match: W/" + A], NOT_MODIFIED),
        ("If-None-Match: *", ["If-None-Match: *"], NOT_MODIFIED),
        ("If-None-Match: in a list", ['If-None-Match: "x", %s , "y"' % A], NOT_MODIFIED),
        ("If-None-Match: in a second line", ['If-None-Match: "x"', "If-None-Match: " + A],
         NOT_MODIFIED),
        ("If-None-Match: empty members", ["If-None-Match: ,, %s," % A], NOT_MODIFIED),
        ("If-None-Match: a tag with a comma before it", ['If-None-Match: "x,y", ' + A],
         NOT_MODIFIED),
        ("If-None-Match: another tag", ['If-None-Match: "x"'], ok("/a.txt")),
        ("If-None-Match: a tag of which it is part", ['If-None-Match: "x%s"' % A.strip('"')],
         ok("/a.txt")),
        ("If-None-Match: of another file", ["If-None-Match: <etag /b.txt>"], ok("/a.txt")),
        ("If-None-Match: not a tag", ["If-None-Match: x"], ok("/a.txt")),
        ("If-None-Match: empty", ["If-None-Match:"], ok("/a.txt")),
        ("If-Modified-Since: the same", ["If-Modified-Since: " + OLD_DATE], NOT_MODIFIED),
        ("If-Modified-Since: a second later", ["If-Modified-Since: " + LATER], NOT_MODIFIED),
        ("If-Modified-Since: a second earlier", ["If-Modified-Since: " + EARLIER], ok("/a.txt")),
        ("If-Modified-Since: RFC 850's form",
         ["If-Modified-Since: Thursday, 02-Jan-20 03:04:05 GMT"], NOT_MODIFIED),
        ("If-Modified-Since: asctime's form", ["If-Modified-Since: Thu Jan  2 03:04:05 2020"],
         NOT_MODIFIED),
        ("If-Modified-Since: not a date", ["If-Modified-Since: yesterday"], ok("/a.txt")),
        ("If-Modified-Since: a number", ["If-Modified-Since: 9999999999"], ok("/a.txt")),
        ("If-Modified-Since: a day that is none",
         ["If-Modified-Since: Thu, 32 Jan 2020 03:04:05 GMT"], ok("/a.txt")),
        ("If-None-Match wins over If-Modified-Since: no match",
         ['If-None-Match: "x"', "If-Modified-Since: " + LATER], ok("/a.txt")),
        ("If-None-Match wins over If-Modified-Since: match",
         ["If-None-Match: " + A, "If-Modified-Since: " + EARLIER], NOT_MODIFIED),
        ("If-Match: the tag", ["If-Match: " + A], ok("/a.txt")),
        ("If-Match: *", ["If-Match: *"], ok("/a.txt")),
        ("If-Match: in a list", ['If-Match: "x", ' + A], ok("/a.txt")),
        ("If-Match: weak never matches", ["If-Match: W/" + A], FAILED),
        ("If-Match: another tag", ['If-Match: "x"'], FAILED),
        ("If-Unmodified-Since: the same", ["If-Unmodified-Since: " + OLD_DATE], ok("/a.txt")),
        ("If-Unmodified-Since: later", ["If-Unmodified-Since: " + LATER], ok("/a.txt")),
        ("If-Unmodified-Since: earlier", ["If-Unmodified-Since: " + EARLIER], FAILED),
        ("If-Unmodified-Since: not a date", ["If-Unmodified-Since: x"], ok("/a.txt")),
        ("If-Match wins over If-Unmodified-Since",
         ["If-Match: " + A, "If-Unmodified-Since: " + EARLIER], ok("/a.txt")),
        ("If-Match before If-None-Match: 412", ['If-Match: "x"', "If-None-Match: " + A], FAILED),
        ("If-Match holds, If-None-Match does not: 304",
         ["If-Match: " + A, "If-None-Match: " + A], NOT_MODIFIED),
        ("If-Unmodified-Since before If-None-Match: 412",
         ["If-Unmodified-Since: " + EARLIER, "If-None-Match: " + A], FAILED),
        ("If-Unmodified-Since holds, If-Modified-Since does not: 304",
         ["If-Unmodified-Since: " + OLD_DATE, "If-Modified-Since: " + OLD_DATE], NOT_MODIFIED),
        ("If-Match before Range", ['If-Match: "x"', "Range: bytes=0-1"], FAILED),
        ("If-None-Match before Range", ["If-None-Match: " + A, "Range: bytes=0-1"], NOT_MODIFIED),
        ("If-None-Match before a Range that cannot be satisfied",
         ["If-None-Match: " + A, "Range: bytes=5000-"], NOT_MODIFIED),
        ("all hold, then Range", ["If-Match: " + A, 'If-None-Match: "x"', "Range: bytes=0-1"],
         part("/a.txt", 0, 2))):
    row(name, get("/a.txt", *fields), expected, of=preconditions(fields))
for name, fields, expected in (
        ("If-None-Match", ["If-None-Match:\t%s\t" % A], NOT_MODIFIED),
        ("If-None-Match: in a list", ['If-None-Match: "x"\t,\t%s\t, ' % A], NOT_MODIFIED),
        ("If-None-Match: *", ["If-None-Match: *\t"], NOT_MODIFIED),
        ("If-Match", ["If-Match:\t%s \t" % A], ok("/a.txt")),
        ("If-Modified-Since", ["If-Modified-Since:\t%s\t" % OLD_DATE], NOT_MODIFIED),
        ("If-Unmodified-Since", ["If-Unmodified-Since:\t%s\t" % EARLIER], FAILED),
        ("If-Range", ["Range:\tbytes=0-1\t", "If-Range:\t%s\t" % A], part("/a.txt", 0, 2)),
        ("If-Range: a date", ["Range: bytes=0-1", "If-Range: %s\t" % OLD_DATE], part("/a.txt", 0, 2))):
    row("white space around %s" % name, get("/a.txt", *fields), expected,
        of="RFC 9110 §5.6.3, " + preconditions(fields)[len("RFC 9110 "):])

clause("RFC 9110 §13.2.1, §9.3.2: preconditions of HEAD")

row("HEAD: If-None-Match", request("HEAD", "/a.txt", "If-None-Match: " + A), NOT_MODIFIED)
row("HEAD: If-Modified-Since", request("HEAD", "/a.txt", "If-Modified-Since: " + OLD_DATE),
    NOT_MODIFIED)
row("HEAD: If-Match", request("HEAD", "/a.txt", 'If-Match: "x"'), answer(412, head_only=True))

clause("RFC 9110 §13.1.2, §15.4.5: 304 of any file")

row("a file that goes by sendfile", get("/big.bin", "If-None-Match: <etag /big.bin>"),
    NOT_MODIFIED)
row("an index", get("/sub/", "If-None-Match: <etag /sub/>"), NOT_MODIFIED)

clause("RFC 9110 §13.2.1: what has no preconditions")

row("what is not there has no preconditions", get("/nothing", "If-Match: *"), NOT_FOUND)
row("nor has what is not there, If-None-Match: *", get("/nothing", "If-None-Match: *"), NOT_FOUND)
row("a redirect has none", get("/sub", "If-Modified-Since: " + LATER), moved("/sub/"))
row("a method that is refused has none", request("POST", "/a.txt", 'If-Match: "x"'), REFUSED)

# ------------------------------------------------------------------------------------------------
clause("RFC 9110 §14.1.2, §14.4, §15.3.7.1: a range of bytes")

for value, offset, length in (("0-0", 0, 1), ("0-", 0, 1000), ("0-999", 0, 1000), ("5-4095", 5, 995),
                              ("999-", 999, 1), ("990-2000", 990, 10), ("-1", 999, 1),
                              ("-1000", 0, 1000), ("-5000", 0, 1000), ("100-199", 100, 100),
                              ("000100-000199", 100, 100)):
    row("bytes=%s" % value, get("/a.txt", "Range: bytes=" + value), part(
        "/a.txt", offset, length, {"ETag": TAG, "Last-Modified": OLD_DATE,
                                   "Content-Length": str(length)}))

clause("RFC 9110 §14.1, §14.1.1: units and numbers")

row("the unit in capitals", get("/a.txt", "Range: BYTES=0-1"), part("/a.txt", 0, 2))
row("bytes=0- to beyond 64 bits", get("/a.txt", "Range: bytes=0-18446744073709551617"),
    answer((200, 206)))
row("from beyond 64 bits", get(
    "/a.txt", "Range: bytes=18446744073709551616-18446744073709551617"), answer((200, 416)))
row("the last 2^64 bytes", get("/a.txt", "Range: bytes=-18446744073709551617"), answer(
    (200, 206), content=content("/a.txt")))

clause("RFC 9110 §15.5.17, §14.4, §14.1.2: ranges that cannot be satisfied")

for value in ("1000-", "1000-1000", "5000-6000", "-0"):
    row("bytes=%s cannot be satisfied" % value, get("/a.txt", "Range: bytes=" + value),
        unsatisfiable("/a.txt"))

clause("RFC 9110 §14.2, §14.1.1: what is no range is ignored")

for value in ("bytes=5-4", "bytes=", "bytes=-", "bytes=a-b", "bytes=1", "bytes=1-2-3", "bytes=--1",
              "bytes=+1-2", "bytes=0x1-2", "bytes 0-1", "0-1", "lines=0-1", "bytes=1.0-2", "=0-1",
              "bytes=0-1x", "bytes=1 -2"):
    row("%s is ignored" % value, get("/a.txt", "Range: " + value), ok("/a.txt"))
row("many ranges give the whole", get("/a.txt", "Range: bytes=" + ",".join(["0-"] * 500)),
    ok("/a.txt"))
row("Range twice gives the whole", get("/a.txt", "Range: bytes=0-1", "Range: bytes=5-6"),
    ok("/a.txt"))

clause("RFC 9110 §14.2: HEAD has no ranges")

row("HEAD has no ranges", request("HEAD", "/a.txt", "Range: bytes=0-1"), head_of("/a.txt"))
row("HEAD has no 416", request("HEAD", "/a.txt", "Range: bytes=5000-"), head_of("/a.txt"))

clause("RFC 9110 §14.1.2: ranges of an empty file")

for value in ("0-", "0-0", "5-", "-0", "-000"):
    row("an empty file: bytes=%s cannot be satisfied" % value,
        get("/empty.txt", "Range: bytes=" + value), unsatisfiable("/empty.txt"))
for value in ("-5", "-1", "-99999999999999999999999", "-5,"):
    row("an empty file: bytes=%s is all of it" % value,
        get("/empty.txt", "Range: bytes=" + value), ok("/empty.txt", {"Content-Length": "0"}))

clause("RFC 9110 §5.6.1, §5.6.3, §14.2: white space")

row("white space around a range", get("/a.txt", "Range:\t bytes=0-1 \t"), part("/a.txt", 0, 2))
row("white space around the member of a range", get("/a.txt", "Range: bytes=,\t0-1\t,"),
    part("/a.txt", 0, 2))

clause("RFC 9110 §15.3.7, §15.3.7.1, §14.4: ranges by sendfile")

row("by sendfile: first byte", get("/big.bin", "Range: bytes=0-0"), part("/big.bin", 0, 1))
row("by sendfile: across a page", get("/big.bin", "Range: bytes=4090-4100"),
    part("/big.bin", 4090, 11))
row("by sendfile: 2 MiB from the middle", get("/big.bin", "Range: bytes=1000001-3097152"),
    part("/big.bin", 1000001, 2097152))
row("by sendfile: the end", get("/big.bin", "Range: bytes=-17"),
    part("/big.bin", len(FILES["big.bin"]) - 17, 17))
row("by sendfile: beyond the end", get("/big.bin", "Range: bytes=99999999-"),
    unsatisfiable("/big.bin"))
row("four pipelined ranges", "".join(get("/big.bin", "Range: bytes=%d-%d" % (at, at + 99))
                                     for at in (0, 70000, 1, 3000000)),
    [part("/big.bin", at, 100) for at in (0, 70000, 1, 3000000)])

clause("RFC 9110 §14.2, §15.5.5: a range of nothing")

row("of what is not there", get("/nothing", "Range: bytes=0-1"), NOT_FOUND)

# ------------------------------------------------------------------------------------------------
clause("RFC 9110 §15.3.7.2, §14.6, §8.3.3, §14.1.2: several parts")

TEXT = "text/plain; charset=utf-8"
BIN = "application/octet-stream"
BIG = len(FILES["big.bin"])
EDGE = len(FILES["edge.bin"])


def ranges(path, value, *fields):
    return get(path, "Range: bytes=" + value, *fields)


def spread(count, length, step):
    """(offset, length) of so many ranges, and how they are asked for."""
    found = [(number * step, length) for number in range(count)]
    return found, ",".join("%d-%d" % (offset, offset + length - 1) for offset, length in found)


for value, expected in (
        ("0-1,5-6", [(0, 2), (5, 2)]), ("0-1, 5-6", [(0, 2), (5, 2)]), (" 0-0, -1", [(0, 1), (999, 1)]),
        (",0-1,,\t5-6\t,", [(0, 2), (5, 2)]), ("5-6,0-1", [(5, 2), (0, 2)]),
        ("-1,0-0", [(999, 1), (0, 1)]), ("990-,0-1", [(990, 10), (0, 2)]),
        ("0-1,990-5000", [(0, 2), (990, 10)]), ("0-0,2-2,4-4", [(0, 1), (2, 1), (4, 1)]),
        ("0-99,300-399,200-299,50-149", [(0, 150), (200, 200)]),
        ("200-299,0-99,300-399", [(200, 200), (0, 100)]),
        ("8-8,0-0,4-4,3-5", [(8, 1), (0, 1), (3, 3)]),
        ("0-1,1000-,5-6,-0", [(0, 2), (5, 2)]),
        ("0-400,500-998", [(0, 401), (500, 499)])):
    row("bytes=%s" % value, ranges("/a.txt", value), multipart(
        "/a.txt", *expected, kind=TEXT, fields={"Last-Modified": OLD_DATE}))
row("of an index", ranges("/sub/", "0-1,5-6"), multipart("/sub/", (0, 2), (5, 2), kind=HTML))

clause("RFC 9110 §15.3.7.2, §15.3.7.1, §14.1.2: several ranges that are one part")

for value, offset, length in (
        ("0-1,2-3", 0, 4), ("2-3,0-1", 0, 4), ("0-499,500-999", 0, 1000), ("500-999,0-499", 0, 1000),
        ("0-5,3-8", 0, 9), ("5-6,5-6", 5, 2), ("0-0,2-2,1-1", 0, 3), ("0-1,5000-", 0, 2),
        ("1000-,0-1", 0, 2), ("-2,998-998", 998, 2), ("-0,7-7", 7, 1),
        ("500-600,601-999", 500, 500), ("500-700,601-999", 500, 500)):
    row("bytes=%s is one part, and no multipart" % value, ranges("/a.txt", value),
        part("/a.txt", offset, length, {"Content-Type": TEXT, "Content-Length": str(length)}))
row("by sendfile, merged into one", ranges("/big.bin", "70000-80000,0-69999"), part("/big.bin", 0, 80001))
row("a file of one byte", ranges("/one.bin", "0-,5-"), part("/one.bin", 0, 1))

clause("RFC 9110 §15.5.17, §14.1.2: several ranges that cannot be satisfied")

for value in ("1000-,2000-", "5000-,-0", "-0,-0"):
    row("bytes=%s cannot be satisfied" % value, ranges("/a.txt", value), unsatisfiable("/a.txt"))
row("an empty file, no suffix", ranges("/empty.txt", "0-,5-"), unsatisfiable("/empty.txt"))

clause("RFC 9110 §14.2, §14.1.1: several ranges that are ignored")

for value in ("0-1,x", "x,0-1", "0-1,5-4", "0-1;5-6", "0-1 5-6", "0-1,5", "0-1,bytes=5-6", '0-1,"5-6"',
              "0-,0-0", "0-,-1", "0-999,0-999", "0-500,500-999", "0-,5-5,5-6,5-7",
              ",".join("%d-" % at for at in range(1000)), ",".join("5-%d" % at for at in range(1300)),
              ",".join("%d-%d" % (at, at) for at in range(0, 1000, 2)), spread(17, 1, 2)[1]):
    asked = value if len(value) <= 40 else "%s… (%d ranges)" % (value[:40], value.count(",") + 1)
    row("bytes=%s is ignored" % asked, ranges("/a.txt", value), ok("/a.txt"))
row("by sendfile, more than there is", ranges("/big.bin", "0-,0-0"), ok("/big.bin"))
row("an empty file, a suffix", ranges("/empty.txt", "-5,0-"), ok("/empty.txt"))
row("the field given twice", get("/a.txt", "Range: bytes=0-1,5-6", "Range: bytes=8-9"), ok("/a.txt"))
row("HEAD has none of them", request("HEAD", "/a.txt", "Range: bytes=0-1,5-6"), head_of("/a.txt"))
row("HEAD, by sendfile", request("HEAD", "/big.bin", "Range: bytes=0-1,5-6"), head_of("/big.bin"))

clause("RFC 9110 §14.2, §15.3.7.2, §14.6: the most ranges that are allowed")

row("as many as allowed", ranges("/a.txt", spread(16, 3, 50)[1]), multipart("/a.txt", *spread(16, 3, 50)[0]))
row("two, which are allowed", ranges("/a.txt", "0-1,5-6"), multipart("/a.txt", (0, 2), (5, 2)), server="small")
row("three, which are not", ranges("/a.txt", "0-1,5-6,9-9"), ok("/a.txt"), server="small")
row("three, which would be one", ranges("/a.txt", "0-1,2-3,4-5"), ok("/a.txt"), server="small")
row("64 of a small file", ranges("/b.txt", spread(64, 5, 30)[1]), multipart("/b.txt", *spread(64, 5, 30)[0]),
    server="many")
row("64 of a large file", ranges("/big.bin", spread(64, 40000, 49000)[1]),
    multipart("/big.bin", *spread(64, 40000, 49000)[0]), server="many")
row("65", ranges("/b.txt", spread(65, 5, 30)[1]), ok("/b.txt"), server="many")
row("64 of each, pipelined", "".join(ranges(path, spread(64, 5, 30)[1]) for path in (
    "/b.txt", "/big.bin", "/b.txt", "/edge.bin")), [multipart(path, *spread(64, 5, 30)[0]) for path in (
        "/b.txt", "/big.bin", "/b.txt", "/edge.bin")], server="many")
row("by sendfile, as many as allowed", ranges("/big.bin", spread(16, 131072, 196000)[1]),
    multipart("/big.bin", *spread(16, 131072, 196000)[0]))

clause("RFC 9110 §15.3.7.2, §14.6, §14.4: several parts by sendfile, and of the largest file from memory")

row("from memory, the largest file", ranges("/edge.bin", "1-100000,150000-150000,-100001"),
    multipart("/edge.bin", (1, 100000), (150000, 1), (EDGE - 100001, 100001), kind=BIN))
row("by sendfile", ranges("/big.bin", "0-0,70000-80000,-17"),
    multipart("/big.bin", (0, 1), (70000, 10001), (BIG - 17, 17), kind=BIN))
row("by sendfile, nearly all of it", ranges("/big.bin", "2000000-,0-1999998"),
    multipart("/big.bin", (2000000, BIG - 2000000), (0, 1999999)))
row("by sendfile, one byte more than is kept in memory", ranges("/beyond.bin", "5-6,0-1"),
    multipart("/beyond.bin", (5, 2), (0, 2)))

clause("RFC 9110 §14.2, §15.5.5: several ranges of nothing")

row("of what is not there, several", ranges("/nothing", "0-1,5-6"), NOT_FOUND)
row("of a directory", ranges("/sub", "0-1,5-6"), moved("/sub/"))

clause("RFC 9110 §15.3.7.2, §14.6, RFC 9112 §6.3, §9.3.2: several parts on a connection")

row("the last on a connection", ranges("/a.txt", "0-1,5-6", "Connection: close"),
    multipart("/a.txt", (0, 2), (5, 2)), CLOSED)
row("by sendfile, the last on a connection", ranges("/big.bin", "0-1,100000-2000000", "Connection: close"),
    multipart("/big.bin", (0, 2), (100000, 1900001)), CLOSED)
row("and the client has finished", [ranges("/big.bin", "0-1,100000-2000000"), HalfClose()],
    multipart("/big.bin", (0, 2), (100000, 1900001)), ENDED)
row("1.0", bare("GET /a.txt HTTP/1.0", "Range: bytes=0-1,5-6"), multipart("/a.txt", (0, 2), (5, 2)), CLOSED)
row("pipelined, four of each", "".join(ranges(path, "7-8,0-1,-3") for path in ("/a.txt", "/big.bin") * 4),
    [multipart(path, (7, 2), (0, 2), (len(content(path)) - 3, 3)) for path in ("/a.txt", "/big.bin") * 4])
row("pipelined with others", get("/a.txt") + ranges("/a.txt", "0-1,5-6") + get("/b.txt")
    + ranges("/big.bin", "0-1,5-6") + ranges("/a.txt", "0-1") + ranges("/a.txt", "5-6,0-1") + get("/big.bin"),
    [ok("/a.txt"), multipart("/a.txt", (0, 2), (5, 2)), ok("/b.txt"), multipart("/big.bin", (0, 2), (5, 2)),
     part("/a.txt", 0, 2), multipart("/a.txt", (5, 2), (0, 2)), ok("/big.bin")])
row("30 others before them", get("/b.txt") * 30 + ranges("/edge.bin", spread(16, 2000, 9000)[1]) + get("/b.txt"),
    [ok("/b.txt")] * 30 + [multipart("/edge.bin", *spread(16, 2000, 9000)[0]), ok("/b.txt")])
row("byte by byte, several", bytewise(ranges("/a.txt", "0-1,5-6"), 0.0005), multipart("/a.txt", (0, 2), (5, 2)))

clause("RFC 9110 §13.1.5, §8.8.2.2, §8.8.3.2: If-Range")

for name, value, expected in (
        ("the tag", A, part("/a.txt", 0, 2)),
        ("another tag", '"x"', ok("/a.txt")),
        ("the tag, weak, never matches", "W/" + A, ok("/a.txt")),
        ("the date", OLD_DATE, part("/a.txt", 0, 2)),
        ("the date in RFC 850's form", "Thursday, 02-Jan-20 03:04:05 GMT",
         answer((200, 206))),
        ("an earlier date", EARLIER, ok("/a.txt")),
        ("a later date", LATER, ok("/a.txt")),
        ("neither tag nor date", "x", ok("/a.txt")),
        ("*", "*", ok("/a.txt"))):
    row(name, get("/a.txt", "Range: bytes=0-1", "If-Range: " + value), expected)
    expected = multipart("/a.txt", (0, 2), (5, 2)) if expected.statuses == (206,) else expected
    row(name + ", several ranges", get("/a.txt", "Range: bytes=0-1,5-6", "If-Range: " + value), expected)
row("the tag, several ranges by sendfile", ranges("/big.bin", "0-1,70000-", "If-Range: <etag /big.bin>"),
    multipart("/big.bin", (0, 2), (70000, BIG - 70000)))
row("another tag, several ranges by sendfile", ranges("/big.bin", "0-1,70000-", 'If-Range: "x"'), ok("/big.bin"))
for fields, expected in ((["If-None-Match: " + A], NOT_MODIFIED), (['If-Match: "x"'], FAILED)):
    row(fields[0].partition(":")[0] + " before several ranges", ranges("/a.txt", "0-1,5-6", *fields), expected,
        of=preconditions(fields + ["Range: "]))
row("without Range", get("/a.txt", "If-Range: " + A), ok("/a.txt"))
row("another tag, and a range that cannot be satisfied",
    get("/a.txt", "Range: bytes=5000-", 'If-Range: "x"'), ok("/a.txt"))
row("the tag, and a range that cannot be satisfied",
    get("/a.txt", "Range: bytes=5000-", "If-Range: " + A), unsatisfiable("/a.txt"))

# ------------------------------------------------------------------------------------------------
clause("RFC 9110 §12.5.3, §12.5.5, §12.4.2, §12.4.3: codings and their weights")

CSS = "text/css; charset=utf-8"


def coded(path, coding, suffix):
    return answer(200, {"Content-Encoding": coding, "Vary": VARY, "Content-Type": CSS,
                        "ETag": TAG}, ["Content-Range"], content(path + suffix))


def plain(path):
    return answer(200, {"Vary": VARY, "ETag": TAG}, ["Content-Encoding"], content(path))


GZ = coded("/page.css", "gzip", ".gz")
BR = coded("/page.css", "br", ".br")
ZST = coded("/page.css", "zstd", ".zst")
NOT_ACCEPTABLE = answer(406, {"Vary": VARY})

row("nothing asked", get("/page.css"), plain("/page.css"))
for value, expected in (
        ("", plain("/page.css")), ("gzip", GZ), ("br", BR), ("zstd", ZST), ("GZIP", GZ),
        ("x-gzip", GZ), ("identity", plain("/page.css")), ("deflate, compress", plain("/page.css")),
        ("gzip;q=0.5, br;q=0.8", BR), ("gzip;q=0.8, br;q=0.5", GZ), ("gzip;q=1.0, br;q=0", GZ),
        ("br;q=0.001, gzip;q=0.002", GZ), ("gzip ; q=0.5 , zstd ; q=0.9", ZST),
        ("gzip;q=0.5,br;Q=0.8", BR), ("br;q=0", plain("/page.css")),
        ("br;q=0.000", plain("/page.css")), ("gzip;q=0, br;q=0, zstd;q=0", plain("/page.css")),
        ("*;q=0, gzip", GZ), ("gzip;q=0, br;q=0, *", ZST), ("identity;q=0, br", BR),
        ("identity;q=0, *;q=0, zstd", ZST), ("identity, gzip;q=0.5", plain("/page.css")),
        ("identity;q=0.5, gzip", GZ), (",, gzip,", GZ), ("gzipped", plain("/page.css")),
        ("gzip\t", GZ), ("\tgzip", GZ), ("br\t;\tq=0.5\t,\tgzip\t;\tq=0.8\t", GZ), ("br\t,", BR),
        ("identity;q=0", NOT_ACCEPTABLE), ("*;q=0", NOT_ACCEPTABLE),
        ("identity;q=0, deflate", NOT_ACCEPTABLE)):
    name = "Accept-Encoding: %s" % value
    row(name, get("/page.css", "Accept-Encoding: " + value),
        plain("/page.css") if expected is NOT_ACCEPTABLE else expected)
    row(name + ", not_acceptable", get("/page.css", "Accept-Encoding: " + value),
        answer(200, {"Vary": VARY}) if expected is not NOT_ACCEPTABLE else expected, server="strict")

clause("RFC 9110 §12.5.3, §15.5.7: nothing is accepted that is there")

for value in ("identity;q=0", "*;q=0", "gzip, identity;q=0", "identity;q=0, *;q=0", "br, *;q=0"):
    for path in ("/a.txt", "/big.bin", "/one.bin", "/stale.css", "/empty.txt", "/sub/"):
        row("nothing is accepted that is there: %s, %s" % (value, path),
            get(path, "Accept-Encoding: " + value), ok(path, without=["Content-Encoding"]))
        row("nothing is accepted that is there, not_acceptable: %s, %s" % (value, path),
            get(path, "Accept-Encoding: " + value), NOT_ACCEPTABLE, server="strict")
row("nothing is accepted that is there, a range",
    get("/a.txt", "Accept-Encoding: identity;q=0", "Range: bytes=0-1"), part("/a.txt", 0, 2))
row("nothing is accepted that is there, a condition",
    get("/a.txt", "Accept-Encoding: *;q=0", "If-None-Match: " + A), NOT_MODIFIED)
row("nothing is accepted that is there, HEAD",
    request("HEAD", "/a.txt", "Accept-Encoding: identity;q=0"), head_of("/a.txt"))

clause("RFC 9110 §12.5.3, §12.5.5, §8.4.1: sidecars")

row("as browsers ask", get("/page.css", "Accept-Encoding: gzip, deflate, br, zstd"), answer(
    200, {"Content-Encoding": re.compile("gzip|br|zstd"), "Vary": VARY}))
row("in two lines", get("/page.css", "Accept-Encoding: br;q=0", "Accept-Encoding: gzip"), GZ)
row("only that sidecar is there", get("/gz.css", "Accept-Encoding: br, gzip;q=0.1"),
    coded("/gz.css", "gzip", ".gz"))
row("that sidecar is not there", get("/gz.css", "Accept-Encoding: br"), plain("/gz.css"))
row("identity refused, HEAD", request("HEAD", "/a.txt", "Accept-Encoding: gzip, identity;q=0"),
    answer(406, {"Vary": VARY}, head_only=True), server="strict")
row("identity refused, not there", get("/nothing", "Accept-Encoding: gzip, identity;q=0"),
    answer((404, 406)), server="strict")
row("HEAD is the same", request("HEAD", "/page.css", "Accept-Encoding: gzip"), answer(
    200, {"Content-Encoding": "gzip", "Content-Length": "900", "Vary": VARY, "Content-Type": CSS},
    head_only=True))
row("older than the original: not used", get("/stale.css", "Accept-Encoding: gzip"),
    plain("/stale.css"))
row("older than the original, identity refused",
    get("/stale.css", "Accept-Encoding: gzip, identity;q=0"), NOT_ACCEPTABLE, server="strict")
row("as old as the original: used", get("/equal.css", "Accept-Encoding: gzip"),
    coded("/equal.css", "gzip", ".gz"))
row("a directory is no sidecar", get("/dir.css", "Accept-Encoding: gzip"), plain("/dir.css"))
row("a sidecar that may not be read", get("/locked.css", "Accept-Encoding: gzip"),
    plain("/locked.css"))
row("a sidecar that leads outside", get("/outward.css", "Accept-Encoding: gzip"),
    plain("/outward.css"))
row("no original", get("/lonely.css", "Accept-Encoding: gzip"), NOT_FOUND)
row("a sidecar by its own name", get("/page.css.gz", "Accept-Encoding: gzip"), answer(
    200, {"Content-Type": re.compile("application/(x-)?gzip")}, ["Content-Encoding"],
    content("/page.css.gz")))
row("of an index", get("/packed/", "Accept-Encoding: br"), answer(
    200, {"Content-Encoding": "br", "Content-Type": HTML}, content=content(
        "/packed/index.html.br")))
row("by sendfile", get("/large.css", "Accept-Encoding: gzip"), coded("/large.css", "gzip", ".gz"))
row("by sendfile, identity", get("/large.css"), plain("/large.css"))

clause("RFC 9110 §14.2, §8.8.3.3, §13.1.5, §15.3.7.2: ranges of sidecars")

row("a range of it", get("/page.css", "Accept-Encoding: gzip", "Range: bytes=16-47"), answer(
    206, {"Content-Encoding": "gzip", "Content-Range": "bytes 16-47/900", "Vary": VARY},
    content=content("/page.css.gz")[16:48]))
row("a range beyond it", get("/page.css", "Accept-Encoding: gzip", "Range: bytes=900-"),
    answer(416, {"Content-Range": "bytes */900"}))
row("ranges of it", get("/page.css", "Accept-Encoding: gzip", "Range: bytes=16-47,0-0,-1"),
    multipart("/page.css", (16, 32), (0, 1), (899, 1), of="/page.css.gz", kind=CSS,
          fields={"Content-Encoding": "gzip", "Vary": VARY}))
row("ranges of it, by sendfile", get("/large.css", "Accept-Encoding: gzip", "Range: bytes=0-0,70000-140000"),
    multipart("/large.css", (0, 1), (70000, 70001), of="/large.css.gz", kind=CSS,
          fields={"Content-Encoding": "gzip", "Vary": VARY}))
row("ranges of the original beside it", get("/page.css", "Range: bytes=16-47,4000-4999"),
    multipart("/page.css", (16, 32), (4000, 1000), kind=CSS, fields={"Vary": VARY}))
row("ranges that only the original has", get("/page.css", "Accept-Encoding: gzip", "Range: bytes=900-,4000-"),
    answer(416, {"Content-Range": "bytes */900"}))
row("ranges of an svgz", get("/picture.svgz", "Range: bytes=16-31,0-0"),
    multipart("/picture.svgz", (16, 16), (0, 1), fields={"Content-Encoding": "gzip"}, without=["Vary"]))
row("a range of it, If-Range with its date, which may be anything's",
    get("/page.css", "Accept-Encoding: gzip", "Range: bytes=0-15", "If-Range: " + NEW_DATE), GZ)
row("ranges of it, If-Range with the original's tag",
    get("/page.css", "Accept-Encoding: br", "Range: bytes=0-0,5-5", "If-Range: <etag /page.css>"), BR)
row("ranges of it, If-Range with its tag",
    get("/page.css", "Accept-Encoding: br", "Range: bytes=0-0,5-5", "If-Range: <etag /page.css br>"),
    multipart("/page.css", (0, 1), (5, 1), of="/page.css.br", fields={"Content-Encoding": "br"}))
row("a range of it, If-Range with its tag",
    get("/page.css", "Accept-Encoding: br", "Range: bytes=0-15",
        "If-Range: <etag /page.css br>"), answer(206, {"Content-Range": "bytes 0-15/800"}))
row("a range of it, If-Range with the original's tag",
    get("/page.css", "Accept-Encoding: br", "Range: bytes=0-15", "If-Range: <etag /page.css>"), BR)

clause("RFC 9110 §8.8.3.3, §13.1.2, §15.4.5, RFC 9111 §4.3.2: entity-tags of sidecars")

row("304 with its own tag", get("/page.css", "Accept-Encoding: gzip",
                                "If-None-Match: <etag /page.css gzip>"),
    answer(304, {"Vary": VARY, "ETag": TAG}))
row("304 of the original", get("/page.css", "If-None-Match: <etag /page.css>"),
    answer(304, {"Vary": VARY}))
row("the original's tag does not match it", get("/page.css", "Accept-Encoding: gzip",
                                                "If-None-Match: <etag /page.css>"), GZ)
row("its tag does not match the original", get("/page.css",
                                               "If-None-Match: <etag /page.css gzip>"),
    plain("/page.css"))
row("its tag does not match another coding", get("/page.css", "Accept-Encoding: br",
                                                 "If-None-Match: <etag /page.css gzip>"), BR)

clause("RFC 9110 §12.5.3: sidecars = gz")

row("sidecars = gz leaves br alone", get("/page.css", "Accept-Encoding: br, gzip;q=0.1"), GZ,
    server="other")

# ------------------------------------------------------------------------------------------------
clause("RFC 9112 §5, RFC 9110 §5.1, §5.5, §5.6.3: field lines")

row("white space around a value", get("/a.txt", "X:\t  y \t"), ok("/a.txt"))
row("no white space before a value", get("/a.txt", "Range:bytes=0-1"), part("/a.txt", 0, 2))
row("an empty value", get("/a.txt", "X:"), ok("/a.txt"))
row("names in any case of letters", bare("GET /a.txt HTTP/1.1", "hOST: test", "rANGE: bytes=0-1"),
    part("/a.txt", 0, 2))
row("octets beyond ASCII in a value", get("/a.txt", "X: \xff\xfe\x80"), ok("/a.txt"))
row("every character of a name", get("/a.txt", "!#$%&'*+-.^_`|~0Az: y"), ok("/a.txt"))
row("a control character in a value", get("/a.txt", "X: a\x01b"), answer((200, 400)), EITHER)

clause("RFC 9112 §5.1, §5.2, §11.2: nothing can be smuggled by field lines")

for name, lines in (
        ("a space before the colon", "X : y\r\n"),
        ("a tab before the colon", "X\t: y\r\n"),
        ("a space before the colon of Content-Length", "Content-Length : 5\r\n"),
        ("a space before the colon of Transfer-Encoding", "Transfer-Encoding : chunked\r\n"),
        ("a line that is folded with a space", "X: y\r\n z\r\n"),
        ("a line that is folded with a tab", "X: y\r\n\tz\r\n"),
        ("a folded Transfer-Encoding", "Transfer-Encoding:\r\n chunked\r\n"),
        ("a first line that begins with a space", None),
        ("a line without a colon", "X\r\n"),
        ("a name that is empty", ": y\r\n"),
        ("a space in a name", "X Y: z\r\n"),
        ("NUL in a name", "X\0: y\r\n"),
        ("NUL in a value", "X: y\0z\r\n"),
        ("bare CR in a value", "X: y\rz\r\n"),
        ("bare CR in front of a field", "X: y\rContent-Length: 5\r\n"),
        ("bare LF at the end of a line", "X: y\n"),
        ("bare LF in front of a field", "X: y\nContent-Length: 5\r\n"),
        ("two CR at the end of a line", "X: y\r\r\n"),
        ("a name beyond ASCII", "X\xff: y\r\n"),
        ("parentheses in a name", "X(): y\r\n")):
    head = ("GET /a.txt HTTP/1.1\r\n" + (HOST + lines if lines else " X: y\r\n" + HOST))
    row(name, head + CRLF + SMUGGLED, BAD, CLOSED)
row("a head that ends in bare LF", "GET /a.txt HTTP/1.1\r\nHost: test\r\n\n" + SMUGGLED, BAD,
    CLOSED)
row("a head that ends in bare CR", "GET /a.txt HTTP/1.1\r\nHost: test\r\n\r" + SMUGGLED, BAD,
    CLOSED)
row("lines that all end in bare LF", "GET /a.txt HTTP/1.1\nHost: test\n\n" + SMUGGLED, BAD, CLOSED)

# ------------------------------------------------------------------------------------------------
clause("RFC 9112 §6.1, §6.2, §6.3, §11.2: nothing can be smuggled by framing")

TE = "Transfer-Encoding: "
CL = "Content-Length: "
CHUNKED = "0\r\n\r\n"
UNKNOWN_CODING = answer((400, 501))

for method in ("GET", "POST"):
    for name, fields in (
            ("Content-Length and Transfer-Encoding", [CL + "5", TE + "chunked"]),
            ("Transfer-Encoding and Content-Length", [TE + "chunked", CL + "5"]),
            ("Content-Length 0 and Transfer-Encoding", [CL + "0", TE + "chunked"]),
            ("two Content-Lengths", [CL + "5", CL + "6"]),
            ("twice the same Content-Length", [CL + "5", CL + "5"]),
            ("twice Content-Length 0", [CL + "0", CL + "0"]),
            ("Content-Length as a list", [CL + "5, 5"]),
            ("Content-Length as a list of two", [CL + "5, 6"]),
            ("Content-Length with a plus sign", [CL + "+5"]),
            ("Content-Length below zero", [CL + "-5"]),
            ("Content-Length in hexadecimal", [CL + "0x5"]),
            ("Content-Length with a letter", [CL + "5a"]),
            ("Content-Length with a point", [CL + "5.0"]),
            ("Content-Length with a space", [CL + "5 5"]),
            ("Content-Length that is empty", [CL]),
            ("Content-Length that is a tab", [CL + "\t"]),
            ("Content-Length with a tab inside", [CL + "5\t5"]),
            ("Content-Length with white space inside", [CL + "5 \t 5"]),
            ("Content-Length as a list, with tabs", [CL + "5\t,\t5"]),
            ("Content-Length and an empty member", [CL + "5\t,"]),
            ("Content-Length with a plus sign and a tab", [CL + "+5\t"]),
            ("Content-Length with a tab behind the sign", [CL + "-\t5"]),
            ("Content-Length with a vertical tab", [CL + "5\x0b"]),
            ("Content-Length with a form feed", [CL + "5\x0c"]),
            ("Content-Length with a no-break space", [CL + "5\xa0"]),
            ("Content-Length with an exponent", [CL + "5e0"]),
            ("Content-Length with a semicolon", [CL + "5;"]),
            ("two Content-Lengths, with tabs", [CL + "5\t", CL + "5\t"]),
            ("a Content-Length and an empty one", [CL + "5\t", CL]),
            ("Content-Length with a tab and Transfer-Encoding", [CL + "5\t", TE + "chunked"]),
            ("Transfer-Encoding with a tab and Content-Length", [TE + "chunked\t", CL + "5"]),
            ("chunked with a tab inside", [TE + "chun\tked"]),
            ("chunked, a tab, chunked", [TE + "chunked\tchunked"]),
            ("chunked twice, with tabs", [TE + "chunked\t,\tchunked"]),
            ("chunked and an empty member", [TE + "chunked\t,"]),
            ("an empty member and chunked", [TE + ",\tchunked"]),
            ("a Transfer-Encoding that is a tab", [TE + "\t"]),
            ("chunked in two lines, with tabs", [TE + "chunked\t", TE + "chunked\t"]),
            ("chunked and an empty line", [TE + "chunked\t", TE]),
            ("chunked with a form feed behind", [TE + "chunked\x0c"]),
            ("chunked with a no-break space behind", [TE + "chunked\xa0"]),
            ("Content-Length in quotes", [CL + '"5"']),
            ("Content-Length beyond 64 bits", [CL + "18446744073709551616"]),
            ("Content-Length far beyond 64 bits", [CL + "9" * 40]),
            ("chunked twice", [TE + "chunked, chunked"]),
            ("chunked in two lines", [TE + "chunked", TE + "chunked"]),
            ("a Transfer-Encoding that is empty", [TE]),
            ("chunked in quotes", [TE + '"chunked"']),
            ("chunked after a vertical tab", [TE + "\x0bchunked"]),
            ("chunked with NUL behind", [TE + "chunked\0"])):
        row("%s: %s" % (method, name),
            request(method, "/a.txt", *fields, body="0\r\n\r\n") + SMUGGLED,
            BAD if "chunked" not in name else UNKNOWN_CODING, CLOSED)
    for name, fields in (
            ("chunked is not last", [TE + "chunked, gzip"]),
            ("another coding before chunked", [TE + "gzip, chunked"]),
            ("another coding, then chunked, in two lines", [TE + "gzip", TE + "chunked"]),
            ("another coding in a second line", [TE + "chunked", TE + "identity"]),
            ("xchunked", [TE + "xchunked"]), ("chunkedx", [TE + "chunkedx"]),
            ("chunk", [TE + "chunk"]), ("identity", [TE + "identity"]),
            ("chunked with a parameter", [TE + "chunked;x=y"]),
            ("an unknown coding and Content-Length", [TE + "x", CL + "5"])):
        row("%s: Transfer-Encoding: %s" % (method, name),
            request(method, "/a.txt", *fields, body="0\r\n\r\n") + SMUGGLED, UNKNOWN_CODING,
            CLOSED)

clause("RFC 9112 §6.1: Transfer-Encoding in 1.0")

row("Transfer-Encoding in 1.0", bare("GET /a.txt HTTP/1.0", TE + "chunked") + CHUNKED, BAD,
    CLOSED)
row("Transfer-Encoding in 1.0, kept alive", bare("POST /a.txt HTTP/1.0", TE + "chunked",
                                                 "Connection: keep-alive") + CHUNKED + SMUGGLED,
    BAD, CLOSED)

clause("RFC 9112 §7.1, §7.1.1, §7.1.2, §7.1.3: chunks that are malformed")

for name, body in (
        ("no size", "\r\nhello\r\n0\r\n\r\n"),
        ("a size that is none", "g\r\nhello\r\n0\r\n\r\n"),
        ("a size with 0x", "0x5\r\nhello\r\n0\r\n\r\n"),
        ("a size with a plus sign", "+5\r\nhello\r\n0\r\n\r\n"),
        ("a size below zero", "-5\r\nhello\r\n0\r\n\r\n"),
        ("a space before the size", " 5\r\nhello\r\n0\r\n\r\n"),
        ("a size with an underscore", "0_5\r\nhello\r\n0\r\n\r\n"),
        ("a size of 68 bits", "FFFFFFFFFFFFFFFFF\r\nhello\r\n0\r\n\r\n"),
        ("a size that wraps around to 5", "10000000000000005\r\nhello\r\n0\r\n\r\n"),
        ("a bare LF after the size", "5\nhello\r\n0\r\n\r\n"),
        ("a bare CR after the size", "5\rhello\r\n0\r\n\r\n"),
        ("data longer than the size", "5\r\nhello!\r\n0\r\n\r\n"),
        ("data shorter than the size", "6\r\nhello\r\n0\r\n\r\n"),
        ("no CRLF after the data", "5\r\nhello0\r\n\r\n"),
        ("a bare LF after the data", "5\r\nhello\n0\r\n\r\n"),
        ("a bare CR after the data", "5\r\nhello\r0\r\n\r\n"),
        ("a bare LF after the last size", "0\n\r\n"),
        ("a bare LF at the end", "0\r\n\n"),
        ("a bare LF in an extension", "5;x\nhello\r\n0\r\n\r\n"),
        ("a bare CR in an extension", "5;x\ry\r\nhello\r\n0\r\n\r\n"),
        ("NUL in an extension", "5;x\0\r\nhello\r\n0\r\n\r\n"),
        ("a trailer that is folded", "0\r\nX: y\r\n z\r\n\r\n"),
        ("a trailer with a space before the colon", "0\r\nX : y\r\n\r\n"),
        ("a trailer with a bare LF", "0\r\nX: y\n\r\n")):
    row("%s: refused" % name, request("POST", "/a.txt", TE + "chunked", body=body) + SMUGGLED, BAD,
        CLOSED)
    row("GET, %s: refused" % name, request("GET", "/a.txt", TE + "chunked", body=body) + SMUGGLED,
        BAD, CLOSED)

# ------------------------------------------------------------------------------------------------
clause("RFC 9112 §6, §6.3, §6.2, §7, §7.1, RFC 9110 §6.5.2: content of requests is read and ignored")

NEXT = get("/b.txt")
for name, fields, body in (
        ("Content-Length", [CL + "5"], "hello"),
        ("Content-Length 0", [CL + "0"], ""),
        ("Content-Length with zeros", [CL + "005"], "hello"),
        ("Content-Length with spaces around it", ["Content-Length:   5  "], "hello"),
        ("Content-Length with a tab before it", ["Content-Length:\t5"], "hello"),
        ("Content-Length with a tab behind it", ["Content-Length: 5\t"], "hello"),
        ("Content-Length with tabs around it", ["Content-Length:\t\t5\t\t"], "hello"),
        ("Content-Length with white space around it", ["Content-Length: \t 5 \t "], "hello"),
        ("Content-Length 0 with a tab behind it", ["Content-Length: 0\t"], ""),
        ("Content-Length with a tab, and other lines with tabs",
         ["X:\ta\tb\t", "Content-Length: 5\t", "Y:\t"], "hello"),
        ("chunked with a tab behind it", [TE + "chunked\t"], "5\r\nhello\r\n0\r\n\r\n"),
        ("chunked with white space around it", ["Transfer-Encoding:\t chunked \t "],
         "5\r\nhello\r\n0\r\n\r\n"),
        ("Chunked with a tab, and a trailer", [TE + "Chunked\t"], "0\r\nX: y\t\r\n\r\n"),
        ("content that looks like a request", [CL + str(len(SMUGGLED))], SMUGGLED),
        ("100,000 bytes", [CL + "100000"], "x" * 100000),
        ("chunked", [TE + "chunked"], "5\r\nhello\r\n0\r\n\r\n"),
        ("Chunked in any case of letters", [TE + "CHUNKED"], "5\r\nhello\r\n0\r\n\r\n"),
        ("no chunk but the last", [TE + "chunked"], "0\r\n\r\n"),
        ("several chunks", [TE + "chunked"], "1\r\nh\r\nA\r\n0123456789\r\n000\r\n\r\n"),
        ("sizes in any case of letters", [TE + "chunked"],
         "a\r\n0123456789\r\nA\r\n0123456789\r\n0\r\n\r\n"),
        ("an extension", [TE + "chunked"], "5;x=y\r\nhello\r\n0;z\r\n\r\n"),
        ("an extension in quotes", [TE + "chunked"], '5;x="y;z"\r\nhello\r\n0\r\n\r\n'),
        ("trailers", [TE + "chunked"], "5\r\nhello\r\n0\r\nX: y\r\nZ: z\r\n\r\n"),
        ("a trailer cannot change the request", [TE + "chunked"],
         "0\r\nRange: bytes=0-0\r\nExpect: x\r\nHost: a b\r\n\r\n"),
        ("200 chunks", [TE + "chunked"], "1;x\r\na\r\n" * 200 + "0\r\n\r\n")):
    row("GET, %s" % name, request("GET", "/a.txt", *fields, body=body) + NEXT,
        [ok("/a.txt"), ok("/b.txt")])
    row("POST, %s" % name, request("POST", "/a.txt", *fields, body=body) + NEXT,
        [REFUSED, ok("/b.txt")])

clause("RFC 9110 §6.5.1, §6.5.2, RFC 9112 §7.1.2: trailers")

for field in (CL + "5", TE + "chunked"):
    row("a trailer that must not be one: %s" % field,
        request("GET", "/a.txt", TE + "chunked", body="0\r\n%s\r\n\r\n" % field),
        answer((200, 400)), EITHER)
row("a trailer is not merged into the head: Connection: close",
    request("GET", "/a.txt", TE + "chunked", body="0\r\nConnection: close\r\n\r\n") + NEXT,
    [ok("/a.txt"), ok("/b.txt")])

clause("RFC 9112 §6.3, RFC 9110 §6.4: content")

row("HEAD with content", request("HEAD", "/a.txt", CL + "5", body="hello") + NEXT,
    [head_of("/a.txt"), ok("/b.txt")])
row("1.0 POST with content", bare("POST /a.txt HTTP/1.0", CL + "5") + "hello", REFUSED, CLOSED)
row("content in pieces", [request("POST", "/a.txt", CL + "10"), Pause(0.02), "hello", Pause(0.02),
                          "hello" + NEXT], [REFUSED, ok("/b.txt")])
row("chunks byte by byte", [request("POST", "/a.txt", TE + "chunked")]
    + bytewise("5;x=y\r\nhello\r\n0\r\nX: y\r\n\r\n" + NEXT, 0.0005), [REFUSED, ok("/b.txt")])

clause("RFC 9112 §9.6, RFC 9110 §5.4: content beyond limits.body")

row("as much as is allowed", request("POST", "/a.txt", CL + "1024", body="x" * 1024) + NEXT,
    [REFUSED, ok("/b.txt")], server="small")
row("one byte beyond it", request("POST", "/a.txt", CL + "1025", body="x" * 1025) + SMUGGLED,
    answer((405, 413)), CLOSED, "small")
row("far beyond it, sent all the same", request("POST", "/a.txt", CL + "300000", body="x" * 300000),
    answer((405, 413)), CLOSED, "small")
row("announced only", request("POST", "/a.txt", CL + "999999999999"),
    answer((405, 413)), CLOSED, "small")
row("GET, one byte beyond it", request("GET", "/a.txt", CL + "1025", body="x" * 1025) + SMUGGLED,
    answer((200, 413)), CLOSED, "small")
row("chunks beyond it", request("POST", "/a.txt", TE + "chunked", body=("100\r\n" + "x" * 256
                                                                        + "\r\n") * 10 + CHUNKED)
    + SMUGGLED, answer((405, 413)), CLOSED, "small")
row("chunk extensions beyond it", request("POST", "/a.txt", TE + "chunked",
                                          body="1;" + "x" * 5000 + "\r\na\r\n" + CHUNKED)
    + SMUGGLED, answer((400, 405, 413)), CLOSED, "small")
row("trailers beyond it", request("POST", "/a.txt", TE + "chunked",
                                  body="0\r\n" + "X: yyyyyyyyyyyyyy\r\n" * 500 + CRLF)
    + SMUGGLED, answer((400, 405, 413, 431)), CLOSED, "small")

clause("RFC 9110 §10.1.1, §15.5.18: Expect")
# Where no content comes, a server that waits for it answers with 408, or not at all.

CONTINUE = "Expect: 100-continue"
row("100-continue: the final status at once", request("POST", "/a.txt", CL + "5", CONTINUE),
    answer(405, {"Allow": ALLOW}), CLOSED)
row("100-continue of a GET", request("GET", "/a.txt", CL + "5", CONTINUE),
    ok("/a.txt"), CLOSED)
row("100-continue and chunked", request("POST", "/a.txt", TE + "chunked", CONTINUE),
    answer(405), CLOSED)
row("100-continue, and the client sends it all the same",
    [request("POST", "/a.txt", CL + "5", CONTINUE), Await(), "hello" + SMUGGLED], REFUSED, CLOSED)
row("100-continue without content", get("/a.txt", CONTINUE), ok("/a.txt"), EITHER)
row("100-Continue in any case of letters", get("/a.txt", "Expect: 100-Continue"), ok("/a.txt"),
    EITHER)
row("100-continue in 1.0 is ignored", bare("POST /a.txt HTTP/1.0", CL + "5", CONTINUE) + "hello",
    REFUSED, CLOSED)
row("another expectation", get("/a.txt", "Expect: 200-ok"), answer(417), EITHER)
for name, lines in (
        ("a second line", [CONTINUE, "Expect: x"]), ("a first line", ["Expect: x", CONTINUE]),
        ("a member", ["Expect: 100-continue, x"]), ("a first member", ["Expect: x,\t100-continue"]),
        ("a parameter", ["Expect: 100-continue;x=y"]), ("a value", ["Expect: 100-continue=x"]),
        ("quotes", ['Expect: "100-continue"']), ("a quoted list", ['Expect: "x, 100-continue"']),
        ("a line behind an empty one", ["Expect:", "Expect: x"])):
    row("another expectation in %s" % name, get("/a.txt", *lines), answer(417), EITHER)
    row("another expectation in %s, with content" % name,
        request("POST", "/a.txt", CL + "5", *lines) + SMUGGLED, answer(417), CLOSED)
for name, lines in (
        ("twice", [CONTINUE, CONTINUE]), ("twice in a line", ["Expect: 100-continue,\t100-Continue"]),
        ("with tabs", ["Expect:\t100-continue\t"]), ("with empty members", ["Expect: ,100-continue\t, ,"]),
        ("and an empty line", [CONTINUE, "Expect:"])):
    row("100-continue %s" % name, request("POST", "/a.txt", CL + "5", *lines),
        answer(405), CLOSED)
row("no expectation in an empty line", request("POST", "/a.txt", CL + "5", "Expect:\t", body="hello"),
    REFUSED)
row("expectations in 1.0 are ignored, all of them",
    bare("GET /a.txt HTTP/1.0", CONTINUE, "Expect: x"), ok("/a.txt"), CLOSED)

# ------------------------------------------------------------------------------------------------
clause("RFC 9112 §3, RFC 9110 §15.5.15: limits of the target")

row("the longest target", get("/" + "t" * 63), NOT_FOUND, server="small")
row("a target one byte too long", get("/" + "t" * 64) + SMUGGLED, answer(414), CLOSED, "small")
row("a target without end", "GET /" + "t" * 500, answer(414), CLOSED, "small")
row("a target far too long", get("/" + "t" * 200000), answer(414), CLOSED, "small")
row("a target of 8 KiB", get("/a.txt?" + "t" * 8185), ok("/a.txt"))
row("a target beyond 8 KiB", get("/a.txt?" + "t" * 8186), answer(414), CLOSED)
row("a query counts", get("/a.txt?" + "t" * 64), answer(414), CLOSED, "small")

clause("RFC 6585 §5, RFC 9110 §5.4: limits of the head")

row("as many fields as allowed", get("/a.txt", *["X: y"] * 9), ok("/a.txt"), server="small")
row("one field too many", get("/a.txt", *["X: y"] * 10) + SMUGGLED, answer(431), CLOSED, "small")
row("fields without end", "GET /a.txt HTTP/1.1\r\n" + "X: y\r\n" * 50, answer(431), CLOSED,
    "small")
row("a head near the limit", get("/a.txt", "X: " + "y" * 900), ok("/a.txt"), server="small")
row("a head too large", get("/a.txt", "X: " + "y" * 1100) + SMUGGLED, answer(431), CLOSED, "small")
row("a value without end", "GET /a.txt HTTP/1.1\r\nX: " + "y" * 2000, answer(431), CLOSED, "small")
row("a name without end", "GET /a.txt HTTP/1.1\r\n" + "X" * 2000, answer(431), CLOSED, "small")
row("a head far too large", get("/a.txt", "X: " + "y" * 300000), answer(431), CLOSED, "small")
row("a method without end", "M" * 3000, answer((400, 431, 501)), CLOSED, "small")
row("a head of 15 KiB", get("/a.txt", "X: " + "y" * 15000), ok("/a.txt"))
row("a head of 17 KiB", get("/a.txt", "X: " + "y" * 17000), answer(431), CLOSED)
row("100 fields", get("/a.txt", *["X: y"] * 99), ok("/a.txt"))
row("101 fields", get("/a.txt", *["X: y"] * 100), answer(431), CLOSED)
row("100 fields that are acted upon", get("/a.txt", *['If-None-Match: "x"'] * 99),
    answer((200, 431)), EITHER)

clause("RFC 9110 §15.5.9, RFC 9112 §9.5: deadlines")

row("a head that stops", "GET /a.txt HT", answer(408, within=(0.9, 3)), CLOSED, "quick")
row("a head that trickles", ["GET /a.txt HTTP/1.1\r\n"] + [
    each for n in range(4) for each in ("X: %d\r\n" % n, Pause(0.22))],
    answer(408, within=(0.9, 3)), CLOSED, "quick")
row("a second head that stops", get("/a.txt") + "GET /b", [ok("/a.txt"), answer(408)], CLOSED,
    "quick")
row("content that stops", request("POST", "/a.txt", CL + "10", body="hello"), answer((405, 408)),
    CLOSED, "quick")
row("an idle connection ends without a word", get("/a.txt"), ok("/a.txt"), IDLE, "quick")
row("a connection that says nothing ends without a word", [], [], IDLE, "quick")
row("an empty line is not a word", CRLF, [], IDLE, "quick")
row("a pause shorter than the deadline", [get("/a.txt"), Await(), Pause(0.5), get("/b.txt")],
    [ok("/a.txt"), ok("/b.txt")], server="quick")
row("content that takes longer than its deadline, at a good rate", [request("POST", "/a.txt", CL + "24000")] + [
    each for n in range(4) for each in (Pause(0.4), "x" * 6000)] + [NEXT], [REFUSED, ok("/b.txt")],
    server="quick")

# ------------------------------------------------------------------------------------------------
clause("RFC 9112 §9.3.2, §9.2, RFC 9110 §7.5: pipelining")

ORDER = ["/a.txt", "/b.txt", "/sub/b.txt", "/empty.txt"] * 4
row("16 in one write", "".join(map(get, ORDER)), [ok(path) for path in ORDER])
row("200 in one write", "".join(map(get, ORDER[:4])) * 50, [ok(path) for path in ORDER[:4]] * 50)
MIXED = ["/a.txt", "/big.bin", "/empty.txt", "/edge.bin", "/beyond.bin", "/beyond.bin", "/one.bin",
         "/big.bin"]
row("memory and sendfile mixed", "".join(map(get, MIXED)), [ok(path) for path in MIXED])
row("HEAD, 304, 206 and 404 among them", get("/a.txt") + request("HEAD", "/big.bin") + get(
    "/a.txt", "If-None-Match: " + A) + get("/big.bin", "Range: bytes=1-5") + get("/nothing")
    + request("HEAD", "/nothing") + get("/sub") + get("/b.txt"), [
        ok("/a.txt"), head_of("/big.bin"), NOT_MODIFIED, part("/big.bin", 1, 5), NOT_FOUND,
        answer(404, head_only=True), moved("/sub/"), ok("/b.txt")])
row("refused methods among them", get("/a.txt") + request("POST", "/a.txt", CL + "3", body="abc")
    + request("OPTIONS", "*") + get("/b.txt"), [
        ok("/a.txt"), REFUSED, answer((200, 204)), ok("/b.txt")])
row("a bad one as the last", get("/a.txt") + get("/big.bin") + bare("GET / HTTP/1.1") + SMUGGLED,
    [ok("/a.txt"), ok("/big.bin"), BAD], CLOSED)
row("close as the last", get("/a.txt") + get("/b.txt", "Connection: close") + SMUGGLED,
    [ok("/a.txt"), ok("/b.txt")], CLOSED)
row("one and a half, then the rest", [get("/a.txt") + get("/b.txt")[:20], Await(),
                                      get("/b.txt")[20:]], [ok("/a.txt"), ok("/b.txt")])
row("the end of what is sent, after 16", ["".join(map(get, ORDER)), HalfClose()],
    [ok(path) for path in ORDER], ENDED)
row("1.0 keep-alive", bare("GET /a.txt HTTP/1.0", "Connection: keep-alive") * 3,
    [ok("/a.txt", {"Connection": "keep-alive"})] * 3)

clause("RFC 9112 §2.2: a request in pieces")

row("byte by byte", bytewise(get("/a.txt", "Range: bytes=10-19"), 0.0005), part("/a.txt", 10, 10))
row("byte by byte, two of them", bytewise(get("/a.txt") + get("/b.txt"), 0.0005),
    [ok("/a.txt"), ok("/b.txt")])
row("byte by byte, a bad one", bytewise("GET /a.txt HTTP/1.1\r\nHost: a b\r\n\r\n", 0.0005), BAD,
    CLOSED)

clause("RFC 9112 §9.6, §8, RFC 9110 §6.1: the end of the connection")

row("half-closed after the request", [get("/a.txt"), HalfClose()], ok("/a.txt"), ENDED)
row("half-closed after a request for 3 MiB", [get("/big.bin"), HalfClose()], ok("/big.bin"),
    ENDED)
row("half-closed at once", [HalfClose()], [], ENDED)
row("half-closed within a head", ["GET /a.txt HTTP/1.1\r\nHost", HalfClose()], [], CUT_SHORT)
row("half-closed within content", [request("POST", "/a.txt", CL + "10", body="hello"), HalfClose()],
    [], CUT_SHORT)
row("no reset while the client still sends", [bare("GET / HTTP/1.1") + "x" * 500000], BAD, CLOSED)
