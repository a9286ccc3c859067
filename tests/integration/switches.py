"""The switches that people know from other servers of one directory: --listing, --spa, --cors and
--cache-control. They are rules; what they mean beside a configuration is tested, too."""

import contextlib
import os
import subprocess

from client import Client, expect
from harness import STARTED
from stage import require, test, write

FILES = (("index.html", b"page"), ("app.js", b"script"), ("about", b"about"), ("docs/index.html", b"docs"), ("bare/a.txt", b"a"),
         ("mock/one.json", b"{}"))
CONFIGURATION = """root = www
rule "/mock/*" { cache_control = "max-age=1"
                 rewrite = "/mock/$1.json" }
site "one.org" { rule "/" { cache_control = "max-age=2" }
                 rule "/**" { cors = "https://one.org" }
                 listing = off }
"""


def place_make(stage):
    place = stage.setting.place("switches")
    for name, what in FILES:
        path = os.path.join(place, "www", name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        write(path, what)
    write(os.path.join(place, "serve.conf"), CONFIGURATION.encode())
    return place


@contextlib.contextmanager
def serving(stage, *words):
    """A server with these words on its command line, and this model."""
    with stage.setting.program("-p", "0", "-m", stage.model.partition("+")[0], "-o", "workers=1", *words,
                               stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, cwd=place_make(stage)) as process:
        try:
            found, line = [], ""
            while not found:
                line = process.stderr.readline().decode()
                require(line, "it ended before it served")
                found = STARTED.findall(line)
            yield (found[0][0], int(found[0][1]))
        finally:
            process.terminate()
            process.stderr.read()
        process.wait(stage.seconds(10))
    expect("exit code", 0, process.returncode)


def ask(stage, address, target, *fields, host="test", method="GET"):
    lines = ["%s %s HTTP/1.1" % (method, target), "Host: " + host, *fields, "Connection: close", "", ""]
    with Client(address, stage.seconds(5)) as client:
        client.send("\r\n".join(lines))
        return client.answer(head_only=method == "HEAD")


@test("without them: no listing, no page for what is missing, no CORS, no Cache-Control")
def without(stage):
    with serving(stage, "www") as address:
        expect("/bare/", 403, ask(stage, address, "/bare/").status)
        expect("/missing", 404, ask(stage, address, "/missing").status)
        answer = ask(stage, address, "/app.js", "Origin: https://o.org")
        expect("fields", (None, None), (answer.field("Access-Control-Allow-Origin"), answer.field("Cache-Control")))


@test("--listing")
def listing(stage):
    with serving(stage, "--listing", "www") as address:
        answer = ask(stage, address, "/bare/")
        expect("status", 200, answer.status)
        require(b"a.txt" in answer.content, "no a.txt in %r", answer.content)
        expect("an index goes before", b"docs", ask(stage, address, "/docs/").content)


@test("--spa: what is no file gets the page, but not what has a suffix")
def spa(stage):
    with serving(stage, "--spa", "www") as address:
        for target, status, content in (("/", 200, b"page"), ("/users/7", 200, b"page"), ("/users/7/?a=b", 200, b"page"),
                                        ("/users/", 200, b"page"), ("/app.js", 200, b"script"), ("/about", 200, b"about"),
                                        ("/docs/", 200, b"docs"), ("/missing.js", 404, None), ("/a/b/missing.map", 404, None),
                                        ("/v1.2/users", 200, b"page"), ("/.well-known/acme", 404, None), ("/docs", 301, None)):
            answer = ask(stage, address, target)
            expect(target, status, answer.status)
            if content:
                expect(target, content, answer.content)
        answer = ask(stage, address, "/users/7", method="HEAD")
        expect("HEAD", (200, "4"), (answer.status, answer.field("Content-Length")))
        etag = answer.field("ETag")
        if etag:
            expect("If-None-Match", 304, ask(stage, address, "/users/8", "If-None-Match: " + etag).status)


@test("--cors, for all origins or for one")
def cors(stage):
    for words, allowed, other in ((["--cors"], "*", "*"), (["-C"], "*", "*"), (["--cors=https://o.org"], "https://o.org", None),
                                  (["--cors=https://o.org", "--cors=https://p.org"], "https://o.org", None)):
        with serving(stage, *words, "www") as address:
            answer = ask(stage, address, "/app.js", "Origin: https://o.org")
            expect("%s: allowed" % words, allowed, answer.field("Access-Control-Allow-Origin"))
            answer = ask(stage, address, "/app.js", "Origin: https://x.org")
            expect("%s: another" % words, other, answer.field("Access-Control-Allow-Origin"))
            preflight = ask(stage, address, "/app.js", "Origin: https://o.org", "Access-Control-Request-Method: GET", method="OPTIONS")
            expect("%s: preflight" % words, (204, allowed), (preflight.status, preflight.field("Access-Control-Allow-Origin")))


@test("--cache-control")
def cache_control(stage):
    with serving(stage, "--cache-control", "public, max-age=60", "www") as address:
        for target in ("/app.js", "/", "/docs/"):
            expect(target, "public, max-age=60", ask(stage, address, target).field("Cache-Control"))
        expect("not with errors", None, ask(stage, address, "/missing").field("Cache-Control"))


@test("all of them, beside a configuration: they count in every site, and only --spa leaves its paths to other rules")
def beside(stage):
    words = ["-c", "serve.conf", "--listing", "--spa", "--cors", "-K", "no-cache"]
    with serving(stage, *words) as address:
        for host in ("one.org", "two.org"):
            answer = ask(stage, address, "/missing", "Origin: https://o.org", host=host)
            expect("%s: the page" % host, (200, b"page"), (answer.status, answer.content))
            expect("%s: its fields" % host, ("no-cache", "*"),
                   (answer.field("Cache-Control"), answer.field("Access-Control-Allow-Origin")))
            expect("%s: listing" % host, 200, ask(stage, address, "/bare/", host=host).status)
        answer = ask(stage, address, "/mock/one", host="two.org")
        expect("a rule's own path", (b"{}", "no-cache"), (answer.content, answer.field("Cache-Control")))
        expect("a rule's own path that is missing", 404, ask(stage, address, "/mock/two", host="two.org").status)


@test("a site with all hosts leaves none for outside, where no rule is added then", per_model=False)
def star(stage):
    place = place_make(stage)
    write(os.path.join(place, "star.conf"), b'root = www\nsite "*" { rule "/**" { } }\n')
    code, out, err = stage.setting.run("-T", "-c", "star.conf", "--spa", "--cors", cwd=place)
    expect("exit code (%s)" % err, 0, code)
    expect("the rules, in order", ['rule "/"', 'rule "*.*"', 'rule "/.well-known/"', 'rule "/**"', 'rule "/*"'],
           [line.strip()[:-2] for line in out.split("\n") if line.strip().startswith("rule ")])
    write(os.path.join(place, "again.conf"), out.encode())
    code, again, err = stage.setting.run("-T", "-c", "again.conf", cwd=place)
    expect("it reads back (%s)" % err, (0, out), (code, again))
    expect("it is right", 0, stage.setting.run("-t", "-c", "star.conf", "--spa", "--cors", cwd=place)[0])


@test("wrong values: 78, and which switch it was", per_model=False)
def wrong(stage):
    place = place_make(stage)
    for words, text in ((["--cors=o.org"], "--cors: rule.cors: 'o.org': write origins"),
                        (["--cors=*", "--cors=https://o.org"], "--cors: rule.cors: '*'"),
                        (["-K", "a\nb"], "--cache-control: rule.cache_control must not contain control characters"),
                        (["-K", "a" * 256], "--cache-control: rule.cache_control"),
                        (["-o", "rule.expires=soon"], "-o: rule.expires = 'soon': must be a time"),
                        (["-o", "rule.expire=1d"], "-o: unknown option 'rule.expire'")):
        code, _, err = stage.setting.run("-t", *words, "www", cwd=place)
        expect("%s: exit code (%s)" % (words, err), 78, code)
        require(err.startswith(text), "%s: it says %r", words, err)
