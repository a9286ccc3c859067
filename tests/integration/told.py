"""What a response tells of its making (Server-Timing, X-Request-Id), and what trusted proxies tell of the scheme."""

import json
import os
import re

import table
from client import expect, wait_until
from fixtures import FILES, OLD
from rows import CLOSED, answer, clause, get, ok, part, request, row
from stage import require, test, write

CONFIGURATION = """
rule "/up/*" { scheme = http
               moved = "https://$host$path" }
rule "/plain/*" { scheme = https
                  redirect = "http://$host/$1" }
rule "/both/*" { scheme = http
                 redirect = "https://$host/$1" }
rule "/both/*" { scheme = https
                 redirect = "http://$host/$1" }
rule "/port/*" { redirect = "$scheme://$host:8443/$1?s=$scheme" }
rule "/www/*" { redirect = "//www.$host/$1" }
rule "/dollar/*" { redirect = "/x$$host/$1" }
rule "/errors/" { error_pages = "400 /errors/other.html" }
rule "/errors/*" { scheme = http
                   redirect = "https://$host/$1" }
"""
OPTIONS = {"server_timing": "on", "request_id": "on", "": CONFIGURATION}
table.SERVERS["told"] = {**OPTIONS, "forwarded": "x-forwarded-for"}
table.SERVERS["told, forwarded"] = {**OPTIONS, "forwarded": "forwarded"}

DURATION = r"dur=\d+\.\d{3}"
TIMING = r"queue;%s, head;%s, resolve;%s" % (DURATION, DURATION, DURATION)
ID = re.compile("[0-9a-f]{32}")
TOLD = {"Server-Timing": re.compile(TIMING), "X-Request-Id": ID}
FROM = {**TOLD, "Server-Timing": re.compile(TIMING + ', cache;desc="(hit|miss|disk)"')}
HTTPS = "X-Forwarded-Proto: https"


def told_row(name, steps, answers, after=table.KEPT, server="told"):
    row(name, steps, answers, after, server=server)


def ask(target, *fields, host="Example.org:81", method="GET"):
    return request(method, target, *fields, host="Host: " + host)


def led(location, status=302):
    return answer(status, {**TOLD, "Location": location})


# ------------------------------------------------------------------------------------------------
clause("RFC 9110 §5.1: fields that tell of the making of a response, whatever it is")

told_row("200", get("/a.txt"), ok("/a.txt", FROM))
told_row("200 of a large file", get("/big.bin"), ok("/big.bin", FROM))
told_row("206", get("/a.txt", "Range: bytes=1-2"), part("/a.txt", 1, 2, FROM))
told_row("HEAD has no source", request("HEAD", "/a.txt"), answer(200, TOLD, head_only=True))
told_row("304", get("/a.txt", "If-None-Match: <etag /a.txt>"), answer(304, TOLD))
told_row("a redirect", get("/sub"), answer(301, {**TOLD, "Location": "sub/"}))
told_row("404", get("/nothing"), answer(404, TOLD))
told_row("405", request("DELETE", "/a.txt"), answer(405, TOLD))
told_row("204", request("OPTIONS", "*"), answer(204, TOLD))
told_row("412", get("/a.txt", 'If-Match: "x"'), answer(412, TOLD))
told_row("416", get("/a.txt", "Range: bytes=5000-"), answer(416, {**TOLD, "Content-Range": "bytes */1000"}))
told_row("400", get("/../x"), answer(400, TOLD), CLOSED)
told_row("501", "nonsense\r\n\r\n", answer(501, TOLD), CLOSED)
told_row("431", get("/a.txt", *["X: y"] * 200), answer(431, TOLD), CLOSED)
told_row("an id of a trusted peer", get("/a.txt", "X-Request-Id: a-B.c_1"), ok("/a.txt", {"X-Request-Id": "a-B.c_1"}))
told_row("the longest id", get("/a.txt", "x-request-id: " + "x" * 64), ok("/a.txt", {"X-Request-Id": "x" * 64}))
for _name, _fields in (("too long", ["X-Request-Id: " + "x" * 65]), ("empty", ["X-Request-Id:"]),
                       ("not a token", ["X-Request-Id: a b"]), ("with quotes", ['X-Request-Id: "a"']),
                       ("repeated", ["X-Request-Id: a", "X-Request-Id: a"])):
    told_row("an id that is %s" % _name, get("/a.txt", *_fields), ok("/a.txt", FROM))
told_row("each of several at once has its own", get("/a.txt", "X-Request-Id: one") + get("/nothing", "X-Request-Id: two"),
         [ok("/a.txt", {"X-Request-Id": "one"}), answer(404, {"X-Request-Id": "two"})])
row("none of them by default", get("/a.txt", "X-Request-Id: one"), ok("/a.txt", without=["Server-Timing", "X-Request-Id"]))

clause("RFC 9110 §10.2.2, §7.2: redirects to the host of the request")

told_row("$host has no port and small letters", ask("/up/x?y"), led("https://example.org/up/x?y", 301))
told_row("$host without the dot at its end", ask("/up/", host="a.b.:1"), led("https://a.b/up/", 301))
told_row("$host is an address", ask("/up/", host="[2001:DB8::1]:80"), led("https://[2001:db8::1]/up/", 301))
told_row("$host of an absolute target", request("GET", "http://One.org:5/up/x", host="Host: two.org"),
         led("https://one.org/up/x", 301))
told_row("$scheme, and a port that is written", ask("/port/x"), led("http://example.org:8443/x?s=http"))
told_row("$host as the end of a name", ask("/www/x"), led("//www.example.org/x"))
told_row("$$host", ask("/dollar/x"), led("/x$host/x"))
told_row("no host: there is nothing to redirect to", "GET /up/x HTTP/1.0\r\n\r\n", answer(400, TOLD, ["Location"]), CLOSED)
told_row("no host, with a page", "GET /errors/x HTTP/1.0\r\n\r\n", answer(400, {}, ["Location"], FILES["errors/other.html"]), CLOSED)
told_row("an empty host", ask("/up/x", host=""), answer(400, TOLD, ["Location"]))

clause("RFC 7239 §5.4: the scheme that a trusted proxy names")

told_row("https: $scheme", ask("/port/x", HTTPS), led("https://example.org:8443/x?s=https"))
told_row("https: a rule for http is not for it", ask("/up/x", HTTPS), answer(404, TOLD, ["Location"]))
told_row("https: a rule for it", ask("/plain/x", HTTPS), led("http://example.org/x"))
told_row("http: a rule for https is not for it", ask("/plain/x"), answer(404, TOLD, ["Location"]))
told_row("http: the rule of two with one path that is for it", ask("/both/x"), led("https://example.org/x"))
told_row("https: the rule of two with one path that is for it", ask("/both/x", HTTPS), led("http://example.org/x"))
for _value, _scheme in (("HTTPS", "https"), ("https, http", "http"), ("http, https", "https"), ("https,", "https"),
                        ("ftp", "http"), ("", "http"), ("https x", "http"), ("http\r\nX-Forwarded-Proto: https", "https")):
    told_row("X-Forwarded-Proto: %r" % _value, ask("/port/x", "X-Forwarded-Proto: " + _value),
             led("%s://example.org:8443/x?s=%s" % (_scheme, _scheme)))
for _value, _scheme in (("proto=https", "https"), ("for=192.0.2.1;Proto=\"HTTPS\"", "https"), ("for=192.0.2.1", "http"),
                        ("for=192.0.2.9;proto=https, for=192.0.2.1;proto=http", "http"),
                        ("for=192.0.2.1;proto=https, for=127.0.0.1;proto=http", "https"),
                        ("for=192.0.2.9;proto=https, for=192.0.2.1, for=127.0.0.1", "http"),
                        ("for=192.0.2.1, for=127.0.0.1;proto=https", "https"), ("proto=ftp", "http"), ("proto=", "http")):
    told_row("Forwarded: %s" % _value, ask("/port/x", "Forwarded: " + _value),
             led("%s://example.org:8443/x?s=%s" % (_scheme, _scheme)), server="told, forwarded")
told_row("the other field does not count", ask("/port/x", "Forwarded: proto=https"), led("http://example.org:8443/x?s=http"))
told_row("nor the other way round", ask("/port/x", HTTPS), led("http://example.org:8443/x?s=http"), server="told, forwarded")


# ---- what rows cannot say ----------------------------------------------------------------------

def logged(server, path, count):
    def found():
        with open(path, encoding="utf-8") as file:
            lines = file.read().splitlines()
        return lines if len(lines) >= count else None
    return [json.loads(line) for line in wait_until("%d lines of the log" % count, found, server.seconds(10))]


@test("no two requests have the same id, and the log has that of each")
def ids_differ(stage):
    path = os.path.join(stage.setting.place("log"), "access.log")
    options = {"request_id": "on", "access_log": path, "log.format": "json", "log.interval": "10ms"}
    if not stage.is_blocking():
        options["workers"] = 2
    with stage.server(stage.site(a_txt=b"a"), options) as server:
        ids, count = [], 300
        for _ in range(10):
            with server.client() as client:
                client.send(get("/a.txt") * (count // 20))  # together, and one after another
                ids += [client.answer().field("X-Request-Id") for _ in range(count // 20)]
                ids += [client.get("/nothing").field("X-Request-Id") for _ in range(count // 20)]
        with server.client() as client:
            client.get("/a.txt", "X-Request-Id: from-a-proxy", "X-Forwarded-Proto: https")
        require(all(ID.fullmatch(each) for each in ids), "not all are ids: %s", ids[:5])
        expect("different ids", count, len(set(ids)))
        lines = logged(server, path, count + 1)
        expect("ids of the log", sorted(ids + ["from-a-proxy"]), sorted(line["id"] for line in lines))
        expect("schemes, while forwarded is off", {"http"}, {line["scheme"] for line in lines})


@test("a peer that is not trusted names neither its id nor a scheme")
def not_trusted(stage):
    path = os.path.join(stage.setting.place("log"), "access.log")
    options = {**OPTIONS, "forwarded": "x-forwarded-for", "access_log": path, "log.format": "json", "log.interval": "10ms"}
    for trusted, scheme, found in (("192.0.2.0/24", "http", 301), ("127.0.0.0/8", "https", 404)):
        with stage.server(stage.site(a_txt=b"a"), {**options, "trusted": trusted}) as server, server.client() as client:
            got = client.get("/up/x", HTTPS, "X-Request-Id: mine")
            expect("status, trusted %s" % trusted, found, got.status)
            expect("kept", scheme == "https", got.field("X-Request-Id") == "mine")
            line = logged(server, path, 1)[-1]
            expect("log", (scheme, got.field("X-Request-Id")), (line["scheme"], line["id"]))
        os.unlink(path)


@test("Server-Timing says where the content was")
def sources(stage):
    root = stage.site(a_txt=b"a" * 1000, big_bin=b"b" * 400000)
    for name in ("a.txt", "big.bin"):
        os.utime(os.path.join(root, name), (OLD, OLD))
    with stage.server(root, {"server_timing": "on"}) as server, server.client() as client:
        def desc(target):
            return re.search('desc="(.*)"', client.get(target).field("Server-Timing"))[1]
        wait_until("a small file is in memory", lambda: desc("/a.txt") == "hit", server.seconds(10))
        wait_until("a large one is in the page cache", lambda: desc("/big.bin") == "miss", server.seconds(10))


REFUSED = (
    ('rule "/a/" { moved = "https://$hostname/" }', "rule.moved: the host must be written out, or end with $host"),
    ('rule "/a/*" { moved = "https://$host$1" }', "the host must be written out"),
    ('rule "/a/*" { moved = "https://$1.org/" }', "the host must be written out"),
    ('rule "/a/" { moved = "https://me@$host/" }', "the host must be written out"),
    ('rule "/a/" { moved = "/x/$uri" }',
     "rule.moved: $uri is not known; there are $1 to $9, $path, $scheme, $host, and $$ for a $"),
    ('rule "/a/" { rewrite = "/x/$host" }', "rule.rewrite: $host is not known; there are $1 to $9, $path, and $$ for a $"),
    ('rule "/a/" { moved = "http://$host$path" }', "leads back to this rule, again and again; is it only for"),
    ('rule "/a/" { moved = "$scheme://$host$path" }', "leads back"),
    ('rule "/a/" { moved = "//$host/a/b" }', "leads back"),
    ('forwarded = forwarded\nrule "/a/" { moved = "https://$host$path" }', "leads back"),
    ('forwarded = forwarded\nrule "/a/" { scheme = https\n moved = "https://$host$path" }', "leads back"),
    ('rule "/a/" { scheme = http moved = "https://$host$path" }', "rule.scheme: only proxies tell the scheme"),
    ('request_id = on\nrule "/" { fields_set = "x-request-ID: 1" }',
     "rule.fields_set: the server itself writes X-Request-Id, because request_id is on"),
    ('rule "/" { error_pages = "429 /a" }', "only 400, 401, 403, 404, 405, 406, 412, 414, 416, 500 and 503 have pages"),
)
ACCEPTED = (
    'rule "/a/" { moved = "https://$host$path" }',
    'forwarded = forwarded\nrule "/a/" { scheme = http\n moved = "https://$host$path" }',
    'forwarded = forwarded\nrule "/a/" { scheme = https\n moved = "http://$host$path" }',
    'rule "/a/" { moved = "http://$host:81$path" }', 'rule "/a/" { moved = "http://www.$host$path" }',
    'rule "/a/" { moved = "http://$host" }', 'rule "/" { fields_set = "X-Request-Id: 1" }',
)


def tried(stage, root, text):
    """The exit code of a configuration that is tested, and what it says."""
    path = os.path.join(os.path.dirname(root), "serve.conf")
    write(path, ('root = "%s"\n%s\n' % (root, text)).encode())
    code, _, err = stage.setting.run("-t", "-c", path)
    return code, err


@test("what is wrong with targets and schemes is said at the start", per_model=False)
def refused(stage):
    root = stage.site()
    for text, said in REFUSED:
        code, err = tried(stage, root, text)
        expect("exit code of %s" % text, 78, code)
        require(said in err, "%s: %s", text, err)
    for text in ACCEPTED:
        code, err = tried(stage, root, text)
        expect("exit code of %s: %s" % (text, err), 0, code)
