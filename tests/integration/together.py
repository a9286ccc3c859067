"""Options of rules that meet in one request: users, schemes, ids, timing, error pages, CORS and fields."""

import table
from fixtures import FILES
from rows import CLOSED, KEPT, answer, clause, get, head_of, ok, part, request, row
from told import FROM, TOLD
from users import CHALLENGE, FILE, RIGHT, basic

CONFIGURATION = """
rule "/sub/" { users = "%(file)s"
               fields_set = {"X-One: 1", "Cache-Control: no-store", "X-Two: 2"}
               cors = "*"
               error_pages = {"401 403 404 405 /errors/page.html", "400 406 412 416 /errors/other.html"} }
rule "/sub/host/*" { redirect = "https://$host/$1" }
rule "/sub/get/" { methods = {GET, OPTIONS} }
rule "/sub/denied/" { deny = all }
rule "/sub/up/*" { scheme = http
                   users = off
                   moved = "https://$host$path" }
rule "/sub/up/**" { scheme = https
                    rewrite = "/$1" }
listing = on
""" % {"file": FILE}

table.SERVERS["together"] = {"server_timing": "on", "request_id": "on", "forwarded": "x-forwarded-for",
                              "not_acceptable": "on", "": CONFIGURATION}

PAGE, OTHER = FILES["errors/page.html"], FILES["errors/other.html"]
HTTPS = "X-Forwarded-Proto: https"
HIDDEN = ["Allow", "Location", "Content-Range", "ETag", "Cache-Control", "X-One", "X-Two"]


def together_row(name, steps, answers, after=KEPT):
    row(name, steps, answers, after, server="together")


def asked(**more):
    """The 401, which tells of its making, and nothing of what there is."""
    fields = {**FROM, "WWW-Authenticate": CHALLENGE, "Access-Control-Allow-Origin": "*"}
    return answer(401, fields, HIDDEN, PAGE, **more)


# ------------------------------------------------------------------------------------------------
clause("RFC 9111 §3.5, §5.2.2: a rule that sets Cache-Control beside other fields says otherwise")

ONCE = {"X-One": "1", "Cache-Control": "no-store", "X-Two": "2"}
together_row("200", get("/sub/b.txt", RIGHT), ok("/sub/b.txt", {**ONCE, **FROM}))
together_row("206", get("/sub/b.txt", RIGHT, "Range: bytes=1-2"), part("/sub/b.txt", 1, 2, ONCE))
together_row("304", get("/sub/b.txt", RIGHT, "If-None-Match: *"), answer(304, {**ONCE, **TOLD}))
together_row("HEAD", request("HEAD", "/sub/b.txt", RIGHT), head_of("/sub/b.txt", ONCE))
together_row("a listing", get("/sub/?format=json", RIGHT), answer(200, {**ONCE, **FROM}))
together_row("an error, with which they are not sent", get("/sub/nothing", RIGHT),
             answer(404, {**FROM, "Cache-Control": "private"}, ["X-One", "X-Two", "WWW-Authenticate"], PAGE))

clause("RFC 9110 §11.6.1, RFC 7617 §2: the 401 of a site tells nothing of what there is")

ORIGIN = "Origin: https://x.org"
together_row("with an id and timing", get("/sub/b.txt", ORIGIN), asked())
together_row("wrong credentials", get("/sub/b.txt", ORIGIN, basic("bcrypt", "x")), asked())
together_row("malformed ones", get("/sub/b.txt", ORIGIN, "Authorization: Basic ?"), asked())
together_row("the id of a trusted peer", get("/sub/b.txt", "X-Request-Id: mine"), answer(401, {"X-Request-Id": "mine"}))
together_row("a listing", get("/sub/?format=json", ORIGIN), asked())
together_row("412 is not told", get("/sub/b.txt", ORIGIN, 'If-Match: "x"'), asked())
together_row("416 is not told", get("/sub/b.txt", ORIGIN, "Range: bytes=999999-"), asked())
together_row("400 of a redirect is not told", "GET /sub/host/x HTTP/1.0\r\n" + ORIGIN + "\r\n\r\n", asked(), CLOSED)
together_row("each of several at once has its id",
             get("/sub/b.txt", "X-Request-Id: one") + get("/sub/b.txt", RIGHT, "X-Request-Id: two")
             + get("/sub/b.txt", "X-Request-Id: three"),
             [answer(401, {"X-Request-Id": "one"}), ok("/sub/b.txt", {"X-Request-Id": "two"}),
              answer(401, {"X-Request-Id": "three"})])

clause("RFC 9110 §15.5.1, §15.5.5, §15.5.13, §15.5.17: who has the right credentials gets the other errors, with their pages")

for _status, _path, _page, _fields in (
        (412, "/sub/b.txt", OTHER, ['If-Match: "x"']), (416, "/sub/b.txt", OTHER, ["Range: bytes=999999-"]),
        (404, "/sub/.secret", PAGE, [])):
    together_row(str(_status), get(_path, RIGHT, *_fields),
                 answer(_status, {**FROM, "Cache-Control": "private"}, ["ETag"], _page))
together_row("400", "GET /sub/host/x HTTP/1.0\r\n" + RIGHT + "\r\n\r\n",
             answer(400, {"Cache-Control": "private"}, ["Location"], OTHER), CLOSED)
together_row("a redirect to the host", get("/sub/host/x", RIGHT),
             answer(302, {**TOLD, "Location": "https://test/x", "Cache-Control": "private"}))
together_row("405 comes before", request("HEAD", "/sub/get/x"),
             answer(405, {"Allow": "GET, OPTIONS"}, ["WWW-Authenticate", "Cache-Control"], head_only=True))
together_row("403 comes before", get("/sub/denied/x"), answer(403, FROM, ["WWW-Authenticate", "Cache-Control"], PAGE))
together_row("a preflight has no credentials",
             request("OPTIONS", "/sub/b.txt", ORIGIN, "Access-Control-Request-Method: GET"),
             answer(204, {**TOLD, "Access-Control-Allow-Origin": "*"}, ["WWW-Authenticate"]))

clause("RFC 7617 §4: no password is asked for over plain HTTP where a rule leads to https")

together_row("http: the redirect", get("/sub/up/a.txt"),
             answer(301, {**TOLD, "Location": "https://test/sub/up/a.txt"}, ["WWW-Authenticate", "Cache-Control"]))
together_row("http, with credentials", get("/sub/up/a.txt", RIGHT),
             answer(301, {"Location": "https://test/sub/up/a.txt"}, ["Cache-Control"]))
together_row("https: the user", get("/sub/up/a.txt", HTTPS, ORIGIN), asked())
together_row("https, with credentials", get("/sub/up/a.txt", HTTPS, RIGHT), ok("/a.txt", {**ONCE, **FROM}))

clause("RFC 9110 §15.5.7, §12.5.5: the 406 of a site says on what it depends")

NONE = "Accept-Encoding: identity;q=0"
together_row("without a page", get("/a.txt", NONE), answer(406, {**TOLD, "Vary": "Accept-Encoding"}, ["Content-Encoding"]))
together_row("with a page, in the form that there is", get("/sub/b.txt", RIGHT, NONE),
             answer(406, {**FROM, "Vary": "Accept-Encoding", "Cache-Control": "private"}, ["Content-Encoding"], OTHER))
together_row("any page, in the form that there is", get("/sub/nothing", RIGHT, NONE),
             answer(404, FROM, ["Content-Encoding"], PAGE))
