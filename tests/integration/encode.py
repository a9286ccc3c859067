"""Compression on the fly: the original first, then a coding of it with a tag of its own, and never an old one.

All requests of a test go through one connection, so that under each model one cache answers them.
"""

import gzip
import os
import subprocess

from client import expect, expect_content, request, wait_until
from fixtures import OLD
from freshness import numbered
from sidecars import digits, encoded, noise, program_of, prose
from stage import require, test, write

CODINGS = {"br": "br", "zstd": "zst", "gzip": "gz"}
ALL = {"compress.codings": ["br", "zst", "gz"], "compress.level_br": 4}
PAGE = prose(20000)


def decode(coding, content):
    if coding == "gzip":
        return gzip.decompress(content)
    return subprocess.run([program_of(CODINGS[coding]), "-dc"], input=content, stdout=subprocess.PIPE, check=True).stdout


def site(stage, **files):
    """A root with files of old times. A file whose second is past is ripe at once."""
    root = stage.site(**files)
    for name in files:
        os.utime(os.path.join(root, name.replace("_", ".")), (OLD, OLD))
    return root


def put(root, name, content):
    """A new file of an old time, put in the place of another at one moment."""
    path = os.path.join(root, name)
    write(path + ".new", content)
    os.utime(path + ".new", (OLD, OLD))
    os.rename(path + ".new", path)


def ask(client, target, coding, *fields):
    return client.get(target, "Accept-Encoding: " + coding, *fields)


def await_coded(client, target, coding, content):
    """Asks until the coding is there; until then the original must come."""
    def answer():
        found = ask(client, target, coding)
        expect("Vary of " + target, "Accept-Encoding", found.field("Vary"))
        if found.field("Content-Encoding") is None:
            expect_content(target, content, found.content)
            return None
        expect("Content-Encoding", coding, found.field("Content-Encoding"))
        expect_content("%s, decoded" % target, content, decode(coding, found.content))
        return found
    return wait_until("%s in %s" % (target, coding), answer, 10)


def expect_original(client, target, coding, content, times=3):
    """It stays as it is, however often it is asked for."""
    for _ in range(times):
        answer = ask(client, target, coding)
        expect("Content-Encoding of " + target, None, answer.field("Content-Encoding"))
        expect_content(target, content, answer.content)


def expect_validators(client, target, coding, coded, content):
    """The coding has a tag of its own, for which conditions and ranges hold."""
    tag, original = coded.field("ETag"), client.get(target).field("ETag")
    require(tag and original and tag != original, "one tag %s for two codings", tag)
    expect("Last-Modified", client.get(target).field("Last-Modified"), coded.field("Last-Modified"))
    not_modified = ask(client, target, coding, "If-None-Match: " + tag)
    expect("status, with its tag", 304, not_modified.status)
    expect("ETag of 304", tag, not_modified.field("ETag"))
    expect("Vary of 304", "Accept-Encoding", not_modified.field("Vary"))
    expect("status, with the tag of the original", 200, ask(client, target, coding, "If-None-Match: " + original).status)
    part = ask(client, target, coding, "Range: bytes=10-19", "If-Range: " + tag)
    expect("part", (206, coded.content[10:20]), (part.status, part.content))
    expect("Content-Range", "bytes 10-19/%d" % len(coded.content), part.field("Content-Range"))
    expect("Content-Encoding of a part", coding, part.field("Content-Encoding"))
    whole = ask(client, target, coding, "Range: bytes=10-19", "If-Range: " + original)
    expect("status, a part with the tag of the original", (200, coded.content), (whole.status, whole.content))
    part = client.get(target, "Range: bytes=10-19", "If-Range: " + original)
    expect("part of the original", (206, content[10:20]), (part.status, part.content))
    client.send(request("HEAD", target, "Accept-Encoding: " + coding))
    head = client.answer(head_only=True)
    expect("HEAD", [field for field in coded.fields if field[0] != "Date"],
           [field for field in head.fields if field[0] != "Date"])


@test("compression: the original first, then each coding, with its own tag, parts and HEAD")
def each_coding(stage):
    root = site(stage, a_css=PAGE)
    tags = {}
    with stage.server(root, ALL) as server, server.client() as client:
        for coding in CODINGS:
            first = ask(client, "/a.css", coding)
            expect("Content-Encoding at first", None, first.field("Content-Encoding"))
            coded = await_coded(client, "/a.css", coding, PAGE)
            require(len(coded.content) < len(PAGE) * 3 // 4, "%s has %d bytes", coding, len(coded.content))
            expect_validators(client, "/a.css", coding, coded, PAGE)
            tags[coding] = coded.field("ETag")
        expect("different tags", 3, len(set(tags.values())))
        answer = ask(client, "/a.css", "gzip;q=0.9, br;q=0.8, identity;q=0.1")
        expect("the coding it likes best", "gzip", answer.field("Content-Encoding"))
        expect_original(client, "/a.css", "br;q=0.5, identity", PAGE)
        expect_original(client, "/a.css", "br;q=0, zstd;q=0, gzip;q=0", PAGE)
    with stage.server(root, ALL) as server, server.client() as client:
        answer = ask(client, "/a.css", "br", "If-None-Match: " + tags["br"])
        expect("status, with the tag of what is not made yet", (200, None),
               (answer.status, answer.field("Content-Encoding")))
        expect("the same tag again", tags["br"], await_coded(client, "/a.css", "br", PAGE).field("ETag"))


@test("compression: only of the types and sizes of the options, and where it is worth it")
def limits(stage):
    files = {"small.css": PAGE[:999], "least.css": PAGE[:1000], "most.css": PAGE[:10000], "large.css": PAGE[:10001],
             "picture.png": PAGE[:5000], "zip.svgz": encoded("gz", PAGE[:5000]), "sidecar.css": PAGE[:5000],
             "noise.css": noise(5000), "digits.js": digits(5000)}
    root = site(stage, **{name.replace(".", "_"): content for name, content in files.items()})
    sidecar = encoded("gz", files["sidecar.css"])
    put(root, "sidecar.css.gz", sidecar)
    options = {**ALL, "compress.least": 1000, "compress.most": 10000, "compress.types": ["text/css"], "compress.codings": ["gz", "br"]}
    with stage.server(root, options) as server, server.client() as client:
        for name in ("small.css", "large.css", "picture.png", "noise.css", "digits.js"):
            expect_original(client, "/" + name, "gzip, br", files[name])
        for _ in range(3):
            answer = ask(client, "/zip.svgz", "gzip, br")
            expect("what is compressed itself", ("gzip", files["zip.svgz"]),
                   (answer.field("Content-Encoding"), answer.content))
            answer = ask(client, "/sidecar.css", "gzip, br")
            expect("sidecar", ("gzip", sidecar), (answer.field("Content-Encoding"), answer.content))
        for name in ("least.css", "most.css"):
            await_coded(client, "/" + name, "gzip", files[name])
        await_coded(client, "/sidecar.css", "br", files["sidecar.css"])
        expect("the sidecar still wins", sidecar, ask(client, "/sidecar.css", "gzip, br").content)
        for name in ("small.css", "large.css", "picture.png", "noise.css", "digits.js"):
            expect_original(client, "/" + name, "gzip, br", files[name])
        for name, varies in (("small.css", True), ("large.css", True), ("picture.png", False)):
            expect("Vary of " + name, "Accept-Encoding" if varies else None, client.get("/" + name).field("Vary"))


@test("compression: each site has its codings, and a rule excepts files, but not their sidecars")
def per_site(stage):
    root = site(stage, a_css=PAGE, b_css=PAGE)
    put(root, "b.css.gz", encoded("gz", PAGE))
    options = {"compress.codings": ["gz"], "compress.level_br": 4, "": """
rule "/raw/*" { compress = off
                rewrite = "/$1" }
rule "/raw/again/*" { compress = on
                      rewrite = "/$1" }
site "brotli" { compress = {br} }
site "none" { compress = {} }
site "same" { }
"""}

    def asked(client, host, target):
        client.send(request("GET", target, "Accept-Encoding: br, gzip", host="Host: " + host))
        return client.answer()
    with stage.server(root, options) as server, server.client() as client:
        for host, coding in (("other", "gzip"), ("brotli", "br"), ("same", "gzip")):
            found = wait_until("%s of the site %s" % (coding, host),
                               lambda host=host: (lambda a: a if a.field("Content-Encoding") else None)(asked(client, host, "/a.css")),
                               10)
            expect("coding of " + host, coding, found.field("Content-Encoding"))
            expect_content("content of " + host, PAGE, decode(coding, found.content))
        for _ in range(20):
            for host, target in (("none", "/a.css"), ("other", "/raw/a.css")):
                found = asked(client, host, target)
                expect("coding of %s of %s" % (target, host), None, found.field("Content-Encoding"))
                expect_content(target, PAGE, found.content)
        expect("a later rule", "gzip", asked(client, "other", "/raw/again/a.css").field("Content-Encoding"))
        expect("a sidecar, in spite of the rule", "gzip", asked(client, "other", "/raw/b.css").field("Content-Encoding"))
        expect("a sidecar, in spite of the site", "gzip", asked(client, "none", "/b.css").field("Content-Encoding"))


@test("compression: off by default")
def off(stage):
    root = site(stage, a_css=PAGE)
    with stage.server(root) as server, server.client() as client:
        expect_original(client, "/a.css", "br, zstd, gzip", PAGE, 20)


@test("compression: a file that changes is never answered with a coding of what it was")
def never_stale(stage):
    root = site(stage, a_txt=numbered(0) + PAGE)
    with stage.server(root, ALL) as server, server.client() as client:
        for number in range(1, 150):
            content = numbered(number) + PAGE
            if number % 3:
                put(root, "a.txt", content)
            else:
                write(os.path.join(root, "a.txt"), content)
            for _ in range(number % 4):
                answer = ask(client, "/a.txt", "gzip")
                got = answer.content
                if answer.field("Content-Encoding"):
                    got = decode("gzip", got)
                expect_content("change %d" % number, content, got)
            if number % 30 == 1:
                await_coded(client, "/a.txt", "gzip", content)
        os.unlink(os.path.join(root, "a.txt"))
        expect("status of a deleted file", 404, ask(client, "/a.txt", "gzip").status)


@test("compression: a loop goes on while a file is compressed, and the server can stop then")
def beside_the_loop(stage):
    large = digits(250000)
    root = site(stage, large_css=large, a_txt=b"a")
    options = {**ALL, "cache.file_max": "1m", "compress.most": "1m", "compress.level_br": 11}
    with stage.server(root, options) as server, server.client() as client:
        expect_original(client, "/large.css", "br", large, 2)  # the second begins it
        if not stage.is_blocking():
            for _ in range(5):
                expect_content("beside it", b"a", client.get("/a.txt").content)
            expect_original(client, "/large.css", "br", large, 1)
        server.stop()
