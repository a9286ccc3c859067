"""Listings of directories: as HTML and as JSON, sorted, with hidden names hidden, never stale, and with everything
that holds for other representations: validators, ranges, HEAD.
"""

import json
import os
import re

from client import expect, expect_content, request
from stage import require, test, write

LISTING = {"listing": "on"}
ODD = b"odd \xff<&>\"'%41?#\\.txt"
MANY = 300


def site(stage):
    root = stage.site()
    for name, what in {"d/b.txt": b"bb", "d/a.txt": b"a", "d/c.txt": b"c" * 3000, "d/.secret": b"s", "d/README.md": b"# <hello>\n",
                       "d/sub/x": b"x", "with/index.html": b"index"}.items():
        path = os.path.join(root, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        write(path, what)
    write(os.path.join(os.fsencode(root), b"d", ODD), b"odd content")
    os.makedirs(os.path.join(root, "many"))
    for number in range(MANY):
        write(os.path.join(root, "many", "%05d" % number), b"")
    return root


def names_of(answer):
    expect("status", 200, answer.status)
    return [entry["name"] for entry in json.loads(answer.content)["entries"]]


def shown_of(answer):
    expect("status", 200, answer.status)
    return re.findall(rb'<tr><td><a href="([^"]*)">', answer.content)


def check_html(client):
    answer = client.get("/d/")
    expect("type", "text/html; charset=utf-8", answer.field("Content-Type"))
    expect("Vary", "Accept", answer.field("Vary"))
    shown = shown_of(answer)
    expect("references", [b"../", b"sub/", b"README.md", b"a.txt", b"b.txt", b"c.txt"], [s for s in shown if b"odd" not in s])
    require(b".secret" not in answer.content, "a hidden name is listed")
    require(b"<pre># &lt;hello&gt;\n</pre>" in answer.content, "no README")
    odd = [s for s in shown if b"odd" in s]
    expect_content("content of the odd name", b"odd content", client.get("/d/" + odd[0].decode()).content)
    for reference in re.findall(rb'<th[^>]*><a href="([^"]*)"', answer.content):
        shown_of(client.get("/d/" + reference.decode().replace("&amp;", "&")))
    expect("without a slash", 301, client.get("/d").status)
    expect_content("an index wins", b"index", client.get("/with/").content)


def check_sorted(client):
    for query, files in {"": "README.md a.txt b.txt c.txt", "?order=desc": "c.txt b.txt a.txt README.md",
                         "?sort=size": "a.txt b.txt README.md c.txt", "?sort=size&order=desc": "c.txt README.md b.txt a.txt",
                         "?sort=nonsense&x&order=up": "README.md a.txt b.txt c.txt"}.items():
        shown = [s.decode() for s in shown_of(client.get("/d/" + query))]
        expect("order of " + query, ["../", "sub/"], shown[:2])
        expect("order of " + query, files.split(), [s for s in shown[2:] if "odd" not in s])


def check_json(client):
    answer = client.get("/d/?format=json")
    expect("type", "application/json", answer.field("Content-Type"))
    expect("Vary", None, answer.field("Vary"))
    found = {entry["name"]: entry for entry in json.loads(answer.content)["entries"]}
    expect("size", 3000, found["c.txt"]["size"])
    expect("kind", "directory", found["sub"]["type"])
    raw = [entry["raw"] for entry in found.values() if "raw" in entry]
    expect("raw names", 1, len(raw))
    expect_content("content of the raw name", b"odd content", client.get("/d/" + raw[0]).content)
    for accept, kind in {"application/json": "application/json", "text/html, application/json;q=0.9": "text/html; charset=utf-8",
                         "application/json, text/plain, */*": "application/json", "*/*": "text/html; charset=utf-8",
                         "application/json;q=0, */*": "text/html; charset=utf-8"}.items():
        answer = client.get("/d/", "Accept: " + accept)
        expect("type for " + accept, kind, answer.field("Content-Type"))
        expect("Vary", "Accept", answer.field("Vary"))
    expect("type", "text/html; charset=utf-8", client.get("/d/?format=html", "Accept: application/json").field("Content-Type"))


def check_representation(client):
    whole = client.get("/many/?format=json")
    etag = whole.field("ETag")
    require(etag and not etag.startswith("W/"), "no strong tag: %s", etag)
    expect("names", MANY, len(names_of(whole)))
    expect("Last-Modified", None, whole.field("Last-Modified"))
    answer = client.get("/many/?format=json", "If-None-Match: " + etag)
    expect("status with its tag", 304, answer.status)
    answer = client.get("/many/?format=json", "Range: bytes=10-19", "If-Range: " + etag)
    expect("status of a range", 206, answer.status)
    expect_content("range", whole.content[10:20], answer.content)
    client.send(request("HEAD", "/many/?format=json"))
    answer = client.answer(head_only=True)
    expect("length of HEAD", str(len(whole.content)), answer.field("Content-Length"))


def check_fresh(client, root):
    directory = os.path.join(root, "d")

    def has(name, expected):
        for target in ("/d/?format=json", "/d/?format=json&sort=size"):
            expect(name + " is listed", expected, name in names_of(client.get(target)))

    for turn in range(20):
        name = "new%d" % turn
        has(name, False)
        write(os.path.join(directory, name), b"x")
        has(name, True)
        os.rename(os.path.join(directory, name), os.path.join(directory, "other"))
        has(name, False)
        has("other", True)
        os.unlink(os.path.join(directory, "other"))
        has("other", False)
    write(os.path.join(directory, "index.html"), b"here")
    expect_content("a new index", b"here", client.get("/d/").content)
    os.unlink(os.path.join(directory, "index.html"))
    has("a.txt", True)
    os.rename(directory, os.path.join(root, "e"))
    expect("a directory that is gone", 404, client.get("/d/").status)
    require("a.txt" in names_of(client.get("/e/?format=json")), "the renamed directory is not listed")


@test("listing: HTML, JSON, order, validators, ranges, and each change of a name at once")
def listing(stage):
    root = site(stage)
    with stage.server(root, LISTING) as server, server.client() as client:
        check_html(client)
        check_sorted(client)
        check_json(client)
        check_representation(client)
        check_fresh(client, root)


@test("listing: off unless it is asked for")
def listing_off(stage):
    with stage.server(site(stage)) as server, server.client() as client:
        expect("status", 403, client.get("/d/").status)
        expect("status", 403, client.get("/d/?format=json", "Accept: application/json").status)


@test("listing: without a cache, too, as far as memory is allowed for it")
def listing_uncached(stage):
    root = site(stage)
    with stage.server(root, {"listing": "on", "cache.size": 0}) as server, server.client() as client:
        check_html(client)
        check_fresh(client, root)
        expect("names", MANY, len(names_of(client.get("/many/?format=json"))))
        for number in range(12000):
            write(os.path.join(root, "many", "x" * 100 + "%05d" % number), b"")
        expect("status of one that is too large", 503, client.get("/many/").status)
        expect("status of a small one", 200, client.get("/e/").status)


@test("listing: changes of names without watches")
def listing_unwatched(stage):
    root = site(stage)
    with stage.server(root, {"listing": "on", "cache.watches": 0}) as server, server.client() as client:
        check_fresh(client, root)
