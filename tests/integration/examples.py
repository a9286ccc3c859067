"""The configurations of conf/examples: each is started as it is, but with a root and a port of the test's own, and
answers as the page that it was translated from would.
"""

import os
import re
import subprocess

from client import Client, expect, request
from harness import STARTED
from stage import require, test, write
from starting import watched

EXAMPLES = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "conf", "examples")
WHERE = re.compile(r'"/srv/\w+"')
IMMUTABLE = "public, max-age=31536000, immutable"


class Row:
    """A request, and what the response must have. A field of None must be absent."""

    def __init__(self, target, status=200, content=None, *, host="example.org", method="GET", fields=(), **wanted):
        self.target, self.status, self.content, self.host, self.method = target, status, content, host, method
        self.fields, self.wanted = fields, wanted

    def check(self, client):
        sent = ["%s: %s" % pair for pair in self.fields]
        client.send(request(self.method, self.target, *sent, host="Host: " + self.host))
        answer = client.answer(self.method == "HEAD")
        what = "%s %s of %s" % (self.method, self.target, self.host)
        expect(what, self.status, answer.status)
        if self.content is not None:
            expect(what + ": content", self.content, answer.content)
        for name, value in self.wanted.items():
            expect("%s: %s" % (what, name), value, answer.field(name.replace("_", "-")))


def served(stage, name, files, rows):
    root = os.path.join(stage.setting.place("example"), "root")
    for path, content in files.items():
        os.makedirs(os.path.dirname(os.path.join(root, path)), exist_ok=True)
        write(os.path.join(root, path), content)
    with open(os.path.join(EXAMPLES, name), encoding="utf-8") as file:
        text = file.read()
    require(WHERE.search(text), "%s has no root below /srv", name)
    conf = os.path.join(stage.setting.place("conf"), name)
    write(conf, WHERE.sub(lambda _: '"%s"' % root, text).encode())
    process = stage.setting.program("-c", conf, "-l", "127.0.0.1:0", "-m", stage.model.split("+")[0], "-w", "1",
                                    stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    with watched(stage, process) as said:
        host, port, _ = STARTED.search(said).groups()
        with Client((host, int(port)), stage.seconds(10), None) as client:
            for row in rows:
                row.check(client)


@test("conf/examples/spa.conf: pages of the application, and files with a hash in their name")
def spa(stage):
    served(stage, "spa.conf", {"index.html": b"page", "assets/index-4f3a.js": b"code", "sw.js": b"worker",
                               "workbox-1a2b.js": b"box"}, [
        Row("/", 200, b"page", Cache_Control="no-cache", X_Content_Type_Options="nosniff"),
        Row("/orders/17?tab=a", 200, b"page", Cache_Control="no-cache", Content_Type="text/html; charset=utf-8"),
        Row("/assets/index-4f3a.js", 200, b"code", Cache_Control=IMMUTABLE),
        Row("/assets/index-0000.js", 404),
        Row("/sw.js", 200, b"worker", Cache_Control="no-cache"),
        Row("/workbox-1a2b.js", 200, b"box", Cache_Control=IMMUTABLE),
    ])


@test("conf/examples/docs.conf: pages without suffix, old addresses, a page for what is absent")
def docs(stage):
    served(stage, "docs.conf", {"index.html": b"home", "guide.html": b"guide", "404.html": b"absent", "docs/v2/a.html": b"a",
                                "docs/v2/index.html": b"v2", "static/a.css": b"style"}, [
        Row("/", 200, b"home", Cache_Control="max-age=300"),
        Row("/guide", 200, b"guide", Content_Type="text/html; charset=utf-8"),
        Row("/docs/v2/a", 200, b"a"),
        Row("/nothing", 404, b"absent", Content_Type="text/html; charset=utf-8"),
        Row("/reference_en.html?x=1", 301, Location="/en/single/?x=1"),
        Row("/presentations/2020/a.pdf", 301, Location="https://presentations.example.org/2020/a.pdf"),
        Row("/docs/v1/a?b", 301, Location="/docs/v2/a?b"),
        Row("/docs/", 302, Location="/docs/v2/"),
        Row("/docs/v2/", 200, b"v2"),
        Row("/static/a.css", 200, b"style", Cache_Control="max-age=86400"),
    ])


@test("conf/examples/mirror.conf: listings, packages that never change, indexes that do")
def mirror(stage):
    package = bytes(range(256)) * 1024
    served(stage, "mirror.conf", {"debian/pool/main/a/a_1.0_amd64.deb": package, "debian/dists/stable/InRelease": b"signed",
                                  "debian/project/trace/host": b"today"}, [
        Row("/debian/pool/main/a/a_1.0_amd64.deb", 200, package, Cache_Control=IMMUTABLE),
        Row("/debian/pool/main/a/a_1.0_amd64.deb", 206, package[-100:], fields=[("Range", "bytes=-100")],
            Cache_Control=IMMUTABLE),
        Row("/debian/dists/stable/InRelease", 200, b"signed", Cache_Control="no-cache",
            Content_Type="text/plain"),
        Row("/debian/project/trace/host", 200, b"today", Cache_Control="no-store"),
        Row("/debian/", 200, Content_Type="text/html; charset=utf-8"),
    ])


@test("conf/examples/media.conf: ranges that scripts of other sites may ask for")
def media(stage):
    film = bytes(range(256)) * 4096
    origin = [("Origin", "https://player.example")]
    served(stage, "media.conf", {"film.mp4": film, "hls/live.m3u8": b"#EXTM3U", "dash/film.mpd": b"<MPD/>",
                                 "private/own.mp4": b"own"}, [
        Row("/film.mp4", 206, film[1000:2000], fields=[*origin, ("Range", "bytes=1000-1999")], Content_Type="video/mp4",
            Access_Control_Allow_Origin="*", Access_Control_Expose_Headers="*"),
        Row("/film.mp4", 204, b"", method="OPTIONS", Access_Control_Allow_Origin="*",
            fields=[*origin, ("Access-Control-Request-Method", "GET"), ("Access-Control-Request-Headers", "range")]),
        Row("/hls/live.m3u8", 200, b"#EXTM3U", fields=origin, Cache_Control="no-cache",
            Content_Type="application/vnd.apple.mpegurl", Access_Control_Allow_Origin="*"),
        Row("/dash/film.mpd", 200, b"<MPD/>", Content_Type="application/dash+xml"),
        Row("/private/own.mp4", 200, b"own"),
    ])


@test("conf/examples/blog.conf: finished pages, compressed before; one name leads to the other")
def blog(stage):
    served(stage, "blog.conf", {"index.html": b"home", "index.html.br": b"small", "404.html": b"absent",
                                "posts/one/index.html": b"one", "feed.xml": b"<feed/>", "static/a.css": b"style"}, [
        Row("/", 200, b"home", X_Content_Type_Options="nosniff"),
        Row("/", 200, b"small", fields=[("Accept-Encoding", "br")], Content_Encoding="br"),
        Row("/posts/one/?a=b", 301, host="www.example.org", Location="http://example.org/posts/one/?a=b"),
        Row("/post/one.html", 301, Location="/posts/one/"),
        Row("/posts/one/", 200, b"one", host="EXAMPLE.org:8080"),
        Row("/nothing", 404, b"absent", host="other.example"),
        Row("/static/a.css", 200, b"style", Cache_Control="max-age=86400", X_Content_Type_Options="nosniff"),
        Row("/feed.xml", 200, b"<feed/>", Content_Type="application/atom+xml"),
    ])
