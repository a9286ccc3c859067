"""Sites and rules: one server with several sites, and rows for what each rule does (rows.py has the words). The
hosts are those of CONFIGURATION; every file is in the same root, so that only the rules make the difference.
"""

import os
import re

import table
from client import expect, expect_content, wait_until
from fixtures import FILES, content
from pages import page_at, read
from rows import KEPT, CLOSED, answer, clause, date_seconds, get, ok, part, request, row
from stage import require, test, write

CONFIGURATION = """
rule "/" { fields_set = "X-Site: outside" }
rule "*.bin" { cache_control = "max-age=1" }

site "rules.org" {
    hosts = {rules.org, "*.rules.org"}
    rule "/" {
        fields_set = "X-Site: rules"
        fields_add = "X-Add: 1"
        error_pages = {"404 403 405 412 416 414 /errors/page.html", "406 /errors/none.html"}
    }
    rule "/sub/" { fields_add = "X-Add: 2" }
    rule "/sub/b.txt" { fields_set = {"X-Site: inner", "X-Add: 3"} }
    rule "/sub/deep/" { fields_remove = {X-Site, x-add} }
    rule "/always/" { fields_set = "X-Site: always"
                      always = on }
    rule "/secure/" { preset = secure }
    rule "*.css" { preset = immutable }
    rule "/t.css" { cache_control = "no-cache" }
    rule "/b.txt" { expires = 1d }
    rule "/a.txt" { methods = {GET, OPTIONS} }
    rule "/t.c" { methods = GET }
    rule "/denied/" { deny = all }
    rule "/allowed/" { allow = {"127.0.0.0/8", "::1"}
                       rewrite = "/$1" }
    rule "/elsewhere/" { allow = "192.0.2.0/24" }
    rule "/elsewhere/one.bin" { allow = all
                                rewrite = "/one.bin" }
    rule "/old/*" { moved = "/new/$1" }
    rule "/old/kept/" { moved = "" }
    rule "/shift**" { redirect = "/$1" }
    rule "/query" { redirect = "/target?a=b" }
    rule "/host/*" { redirect = "https://other.org$path" }
    rule "/files/*-*.txt" { rewrite = "/$2.txt" }
    rule "/files/dots-*" { rewrite = "/sub/$1" }
    rule "/climb/*" { rewrite = "/sub/.$1/a.txt" }
    rule "/dir" { rewrite = "/sub" }
    rule "/spa/*" { try_files = {"/$1", "/$1.txt", "/index.html"} }
    rule "/app/" { try_files = {"$path", "/index.html"} }
    rule "/try/*" { try_files = {"/$1", "=403"} }
    rule "/linked/$" { try_files = {"$path"} }
    rule "/typed/" { type = "text/x-typed"
                     rewrite = "/t.c" }
    rule "/plain/*" { charset = off
                      rewrite = "/$1" }
    rule "/latin/*" { charset = iso-8859-1
                      rewrite = "/$1" }
}

site "cors" {
    hosts = cors.org
    rule "/all/*" { cors = "*"
                    rewrite = "/$1" }
    rule "/some/*" { cors = {"https://one.org", "http://two.org:8080"}
                     rewrite = "/$1" }
}

site "bare.org" { }
"""

table.SERVERS["sites"] = {"": CONFIGURATION}

PAGE = FILES["errors/page.html"]
DATE = re.compile("[A-Z][a-z]{2}, .* GMT")


def ask(target, *fields, method="GET", host="rules.org"):
    return request(method, target, *fields, host="Host: " + host)


def sites_row(name, steps, answers, after=KEPT):
    row(name, steps, answers, after, server="sites")


def page(status, fields=None, **more):
    """The page of the site for this error, with its status and without validators."""
    return answer(status, fields or {}, ["ETag", "Last-Modified", "Accept-Ranges"], PAGE, **more)


# ------------------------------------------------------------------------------------------------
clause("RFC 9110 §7.2, RFC 3986 §3.2.2, §3.2.3: the host names the site")

for _host, _site in (("rules.org", "rules"), ("RULES.org", "rules"), ("rules.org:81", "rules"), ("rules.org.", "rules"),
                     ("a.rules.org", "rules"), ("a.b.rules.org.:1", "rules"), ("xrules.org", "outside"),
                     ("rules.org.evil.org", "outside"), ("", "outside"), ("[::1]:80", "outside"), ("bare.org", None)):
    sites_row("Host: %s" % _host, ask("/b.txt", host=_host),
              ok("/b.txt", {"X-Site": _site} if _site else None, without=() if _site else ["X-Site"]))
sites_row("HTTP/1.0 without Host has the rules outside of sites", "GET /b.txt HTTP/1.0\r\n\r\n",
          ok("/b.txt", {"X-Site": "outside"}), CLOSED)
sites_row("two sites on one connection", ask("/b.txt") + ask("/b.txt", host="bare.org") + get("/b.txt"),
          [ok("/b.txt", {"X-Site": "rules"}), ok("/b.txt", without=["X-Site"]), ok("/b.txt", {"X-Site": "outside"})])

clause("RFC 9112 §3.2.2: the authority of an absolute-form target overrides Host")

sites_row("absolute-form", request("GET", "http://rules.org/b.txt", host="Host: bare.org"), ok("/b.txt", {"X-Site": "rules"}))
sites_row("absolute-form of another site", request("GET", "http://bare.org:80/b.txt", host="Host: rules.org"),
          ok("/b.txt", without=["X-Site"]))

# ------------------------------------------------------------------------------------------------
clause("RFC 9110 §5.3, §8.8.3: field lines of rules, in the order of the file")

sites_row("outer", ask("/b.txt"), ok("/b.txt", {"X-Site": "rules", "X-Add": "1"}))
sites_row("those of an inner rule are added", ask("/sub/"), ok("/sub/", {"X-Site": "rules", "X-Add": "1, 2"}))
sites_row("one that is set replaces all", ask("/sub/b.txt"), ok("/sub/b.txt", {"X-Site": "inner", "X-Add": "3"}))
sites_row("one that is removed", ask("/sub/deep/"), ok("/sub/deep/", without=["X-Site", "X-Add"]))
sites_row("HEAD", ask("/b.txt", method="HEAD"), answer(200, {"X-Site": "rules"}, head_only=True))

clause("RFC 9110 §15.4.5, §15.3.7: fields of rules in 304 and 206, RFC 9111 §5.2.2, §5.3")

sites_row("304", ask("/b.txt", "If-None-Match: <etag /b.txt>"), answer(304, {"X-Site": "rules", "Expires": DATE}))
sites_row("206", ask("/b.txt", "Range: bytes=1-2"), part("/b.txt", 1, 2, {"X-Site": "rules", "Expires": DATE}))
sites_row("immutable", ask("/page.css"), ok("/page.css", {"Cache-Control": "public, max-age=31536000, immutable"}))
sites_row("a later Cache-Control replaces it", ask("/t.css"), ok("/t.css", {"Cache-Control": "no-cache"}))
sites_row("outside of sites, by suffix", get("/one.bin"), ok("/one.bin", {"Cache-Control": "max-age=1"}))

clause("RFC 9110 §15.5.5: fields of rules in errors, where asked")

sites_row("not in errors", ask("/nothing"), page(404, {}, head_only=False))
sites_row("secure is in errors, too", ask("/secure/nothing"), page(404, {"X-Content-Type-Options": "nosniff"}))
sites_row("always", ask("/always/nothing"), page(404, {"X-Site": "always"}))
sites_row("without a page of the site", ask("/nothing", host="bare.org"), answer(404, {}, ["X-Site"]))

clause("RFC 9110 §15.5.5, §15.5.4, §15.5.6, §15.5.13, §15.5.17: pages of errors")

sites_row("404, with its status", ask("/nothing", "Range: bytes=0-1", "If-None-Match: *"), page(404))
sites_row("404 of HEAD", ask("/nothing", method="HEAD"), answer(404, {"Content-Length": str(len(PAGE))}, head_only=True))
sites_row("its own page asked for is 200", ask("/errors/page.html"), ok("/errors/page.html"))
sites_row("405 with content", ask("/b.txt", "Content-Length: 3", method="POST") + "abc" + ask("/b.txt"),
          [page(405, {"Allow": "GET, HEAD, OPTIONS"}), ok("/b.txt")])
sites_row("412, whatever the page's own state is", ask("/b.txt", 'If-Match: "x"'), page(412))
sites_row("412 by a date", ask("/b.txt", "If-Unmodified-Since: Thu, 01 Jan 1970 00:00:00 GMT"), page(412))
sites_row("416 has the length of what was asked for", ask("/b.txt", "Range: bytes=999999-"),
          page(416, {"Content-Range": "bytes */%d" % len(FILES["b.txt"])}))
sites_row("416 of a large file", ask("/big.bin", "Range: bytes=99999999-"),
          page(416, {"Content-Range": "bytes */%d" % len(content("/big.bin"))}))
sites_row("416 of the page itself", ask("/errors/page.html", "Range: bytes=999999-"),
          page(416, {"Content-Range": "bytes */%d" % len(PAGE)}))
sites_row("HEAD has no range, but preconditions", ask("/b.txt", "Range: bytes=999999-", method="HEAD") +
          ask("/b.txt", 'If-Match: "x"', method="HEAD"),
          [answer(200, {}, head_only=True), answer(412, {"Content-Length": str(len(PAGE))}, head_only=True)])
sites_row("304 and 206 are no errors", ask("/b.txt", "If-None-Match: <etag /b.txt>") + ask("/b.txt", "Range: bytes=1-2"),
          [answer(304), part("/b.txt", 1, 2)])
sites_row("412 and 416 among others", ask("/a.txt", 'If-Match: "x"') + ask("/b.txt") + ask("/b.txt", "Range: bytes=999999-") +
          ask("/nothing"), [page(412), ok("/b.txt"), page(416), page(404)])
sites_row("412 and 416 without a page of the site", ask("/b.txt", 'If-Match: "x"', host="bare.org") +
          ask("/b.txt", "Range: bytes=999999-", host="bare.org"),
          [answer(412), answer(416, {"Content-Range": "bytes */%d" % len(FILES["b.txt"])})])
sites_row("a page that is not there: the server's", ask("/gz.css", "Accept-Encoding: identity;q=0, *;q=0"), ok("/gz.css"))

clause("RFC 9110 §15.5.6, §10.2.1: methods")

sites_row("Allow is exact", ask("/a.txt", method="HEAD"), answer(405, {"Allow": "GET, OPTIONS"}, head_only=True))
sites_row("OPTIONS too", ask("/a.txt", method="OPTIONS"), answer(204, {"Allow": "GET, OPTIONS"}))
sites_row("OPTIONS is not allowed", ask("/t.c", method="OPTIONS"), page(405, {"Allow": "GET"}))
sites_row("OPTIONS * asks for the server", ask("*", method="OPTIONS"), answer(204, {"Allow": "GET, HEAD, OPTIONS"}))
sites_row("a method that is allowed", ask("/a.txt"), ok("/a.txt"))

clause("RFC 9110 §15.5.4: addresses")

sites_row("denied", ask("/denied/x"), page(403))
sites_row("denied before anything else", ask("/denied/x", method="OPTIONS"), page(403))
sites_row("allowed", ask("/allowed/a.txt"), ok("/a.txt"))
sites_row("only another network is allowed", ask("/elsewhere/a.txt"), page(403))
sites_row("a later rule allows all", ask("/elsewhere/one.bin"), ok("/one.bin"))
sites_row("an encoded path is the same path", ask("/%64enied/x"), page(403))
sites_row("dot segments are the same path", ask("/sub/../denied/./x"), page(403))

# ------------------------------------------------------------------------------------------------
clause("RFC 9110 §15.4.2, §15.4.3, §10.2.2: redirects")

for _target, _location in (("/old/a", "/new/a"), ("/old/", "/new/"), ("/old/a/b?c=d", "/new/a/b?c=d"),
                           ("/old//b", "/new/b"), ("/old/%c3%a9 x".replace(" ", "%20"), "/new/%C3%A9%20x"),
                           ("/old/a%5cb", "/new/a%5Cb"), ("/old/a?", "/new/a?")):
    sites_row("moved: %s" % _target, ask(_target), answer(301, {"Location": _location}, ["X-Site"]))
sites_row("a later rule takes it back", ask("/old/kept/x"), page(404))
sites_row("a query is added to a query", ask("/query?c=d"), answer(302, {"Location": "/target?a=b&c=d"}))
sites_row("to another host", ask("/host/a?b"), answer(302, {"Location": "https://other.org/host/a?b"}))
sites_row("no piece of the path becomes a host", ask("/shift/evil.org/x"), answer(302, {"Location": "/evil.org/x"}))
sites_row("HEAD", ask("/old/a", method="HEAD"), answer(301, {"Location": "/new/a"}, head_only=True))
sites_row("POST is refused before", ask("/old/a", method="POST"), page(405))

clause("RFC 3986 §3.3, §6.2.2.3: another path is served")

sites_row("rewrite with a capture", ask("/files/x-a.txt"), ok("/a.txt", {"X-Site": "rules"}))
sites_row("no segment becomes ..", ask("/climb/."), page(404))
sites_row("a directory gets its slash inside", ask("/dir"), ok("/sub/"))
sites_row("try_files: the first", ask("/spa/a.txt"), ok("/a.txt"))
sites_row("try_files: the second", ask("/spa/b"), ok("/b.txt"))
sites_row("try_files: the fallback", ask("/spa/some/view?x"), ok("/"))
sites_row("single page", ask("/app/some/view", "If-None-Match: <etag />"), answer(304))
sites_row("try_files: a status", ask("/try/nothing"), page(403))
sites_row("try_files: found before the status", ask("/try/b.txt"), ok("/b.txt"))
sites_row("pipelined with others", ask("/spa/a") + ask("/nothing") + ask("/big.bin") + ask("/spa/q"),
          [ok("/a.txt"), page(404), ok("/big.bin"), ok("/")])

# ------------------------------------------------------------------------------------------------
clause("RFC 9110 §8.3, §8.3.2: media types of rules")

sites_row("type", ask("/typed/x"), ok("/t.c", {"Content-Type": "text/x-typed"}))
sites_row("charset off", ask("/plain/a.txt"), ok("/a.txt", {"Content-Type": "text/plain"}))
sites_row("another charset", ask("/latin/a.txt"), ok("/a.txt", {"Content-Type": "text/plain; charset=iso-8859-1"}))
sites_row("no charset for what is no text", ask("/latin/t.png"), ok("/t.png", {"Content-Type": "image/png"}))
sites_row("a part of several ranges", ask("/latin/a.txt", "Range: bytes=0-0,5-5"), answer(206, {
    "Content-Type": re.compile("multipart/byteranges; .*")}))

clause("RFC 9110 §9.3.7, §12.5.5: CORS")

ASKS = "Access-Control-Request-Method: GET"
sites_row("any origin", ask("/all/a.txt", "Origin: http://x.org", host="cors.org"),
          ok("/a.txt", {"Access-Control-Allow-Origin": "*"}, without=["Access-Control-Allow-Methods"]))
sites_row("without Origin", ask("/all/a.txt", host="cors.org"), ok("/a.txt", without=["Access-Control-Allow-Origin"]))
sites_row("a preflight", ask("/all/a.txt", "Origin: http://x.org", ASKS, method="OPTIONS", host="cors.org"), answer(204, {
    "Access-Control-Allow-Origin": "*", "Access-Control-Allow-Methods": "GET, HEAD, OPTIONS",
    "Access-Control-Allow-Headers": "*, Authorization", "Access-Control-Max-Age": "86400"}, ["Vary"]))
sites_row("an origin of the list", ask("/some/a.txt", "Origin: http://two.org:8080", host="cors.org"), ok("/a.txt", {
    "Access-Control-Allow-Origin": "http://two.org:8080", "Vary": "Accept-Encoding, Origin"}))
sites_row("another origin", ask("/some/a.txt", "Origin: https://two.org", host="cors.org"), ok("/a.txt", {
    "Vary": "Accept-Encoding, Origin"}, without=["Access-Control-Allow-Origin"]))
sites_row("an error can be read, too", ask("/some/nothing", "Origin: https://one.org", host="cors.org"),
          answer(404, {"Access-Control-Allow-Origin": "https://one.org", "Vary": re.compile(".*Origin")}))
sites_row("a preflight of another origin", ask("/some/a.txt", "Origin: https://x.org", ASKS, method="OPTIONS", host="cors.org"),
          answer(204, {"Vary": "Origin"}, ["Access-Control-Allow-Origin", "Access-Control-Allow-Methods"]))


@test("every option of sites and rules stands in configure.html with its meaning", per_model=False)
def options_told(_):
    for kind in ("site", "rule"):
        table_of = next(each["rows"] for each in page_at("/configure.html").tables
                        if each["rows"] and each["rows"][0][0] == "Option of a " + kind)
        written = re.findall(r'^OPTION\(\w+, , (\w+), .*, "((?:[^"\\]|\\.)*)"\)$', read("include", "zcserve", kind + ".def"), re.M)
        expect("options of a " + kind, [(name, meaning.replace('\\"', '"')) for name, meaning in written],
               [tuple(cell.strip() for cell in cells) for cells in table_of[1:]])


# ---- what rows cannot say ----------------------------------------------------------------------

@test("each line that rules add is there once, in their order")
def lines_in_order(stage):
    root = stage.site(a_txt=b"a")
    with stage.server(root, {"": 'rule "/" { fields_add = {"X: 1", "X: 2"} }\nrule "*.txt" { fields_add = "X: 3" }\n'}) as server:
        expect("X", ["1", "2", "3"], server.get("/a.txt").values("X"))


@test("Expires is so long after Date")
def expires(stage):
    root = stage.site(a_txt=b"a")
    with stage.server(root, {"": 'rule "/" { expires = 90s }\n'}) as server:
        got = server.get("/a.txt")
        expect("seconds", 90, date_seconds(got.field("Expires")) - date_seconds(got.field("Date")))


@test("a reload takes new sites and rules")
def reloaded(stage):
    root = stage.site(a_txt=b"a", b_txt=b"b")
    with stage.server(root, {"": 'site "x" { rule "/r" { rewrite = "/a.txt" } }\n'}, watched=False) as server:
        def got():
            with server.client() as client:
                client.send(ask("/r", host="x"))
                return client.answer().content
        expect_content("before", b"a", got())
        with open(server.configuration, encoding="utf-8") as file:
            text = file.read()
        write(server.configuration, text.replace("/a.txt", "/b.txt").encode())
        os.kill(server.pid, 1)
        wait_until("the new rule counts", lambda: got() == b"b", server.seconds(10))
        expect("status of a path that only the other site has", 404, server.get("/r").status)


@test("what one site found or did not find answers for no other")
def never_for_another(stage):
    """The same path means another file in each site, and none in the third; asked in turns, from memory too."""
    root = stage.site(a_txt=b"one", b_txt=b"two")
    with stage.server(root, {"": 'site "one" { rule "/x" { rewrite = "/a.txt" } }\n'
                                 'site "two" { rule "/x" { rewrite = "/b.txt" } }\nsite "none" { }\n'}) as server:
        with server.client() as client:
            for _ in range(20):
                client.send(ask("/x", host="one") + ask("/x", host="none") + ask("/x", host="two"))
                first, second, third = client.answer(), client.answer(), client.answer()
                expect("statuses", [200, 404, 200], [first.status, second.status, third.status])
                expect("contents", [b"one", b"two"], [first.content, third.content])
                require(first.field("ETag") != third.field("ETag"), "one entity-tag for two files")
        require(content("/a.txt") != b"one", "the roots are apart")
