"""Validators, and what a path leads to: no entity-tag and no date is sent that could later belong to another
content; an unchanged file keeps its tag; and a path that now leads elsewhere is not answered from memory.
"""

import contextlib
import email.utils
import os
import shutil
import subprocess
import time

from client import Skip, expect, expect_content, get, wait_until
from freshness import numbered
from stage import replace, require, test, write

LARGE = b"x" * 400000
ROUNDS = 150


def mixed(number):
    """A content of one length, whatever the number, too large for memory."""
    return numbered(number) + LARGE


@contextlib.contextmanager
def coarse(stage):
    """A directory on ext2, whose times are whole seconds."""
    if os.geteuid() != 0:
        raise Skip("only root may mount")
    if not shutil.which("mkfs.ext2"):
        raise Skip("there is no mkfs.ext2 (e2fsprogs)")
    place = stage.setting.place("ext2")
    image, mounted = os.path.join(place, "image"), os.path.join(place, "mounted")
    os.mkdir(mounted)
    with open(image, "wb") as file:
        file.truncate(16 << 20)
    for command in (["mkfs.ext2", "-q", "-F", image], ["mount", "-o", "loop", image, mounted]):
        made = subprocess.run(command, capture_output=True, text=True)
        if made.returncode != 0:
            raise Skip("%s: %s" % (command[0], made.stderr.strip()))
    try:
        root = os.path.join(mounted, "root")
        os.mkdir(root)
        yield root
    finally:
        subprocess.run(["umount", mounted], check=True)


def see_contents(client, root, target, make):
    """Changes a file and asks, again and again; the contents that each tag and each date was given for."""
    names = {}
    for number in range(ROUNDS):
        content = make(number)
        write(os.path.join(root, target[1:]), content)
        answer = client.get(target)
        expect_content("round %d" % number, content, answer.content)
        for field in ("ETag", "Last-Modified"):
            if answer.field(field):
                names.setdefault(answer.field(field), set()).add(number)
    return names


def expect_names_hold(client, names, target, content, last):
    """Each names one content; and none but the last one's is taken for what is there now."""
    answer = wait_until("a tag and a date", lambda: given(client, target), 8, 0.02)
    expect_content("at last", content, answer.content)
    for name, numbers in names.items():
        require(len(numbers) == 1, "%s was given for the contents %s", name, sorted(numbers))
        if last in numbers:
            continue
        field = "If-None-Match: " if name.startswith('"') else "If-Modified-Since: "
        expect("status, with %s of content %s" % (name, numbers), 200,
               client.get(target, field + name).status)
        expect("status, a part with %s of content %s" % (name, numbers), 200,
               client.get(target, "Range: bytes=5-9", "If-Range: " + name).status)
    expect("status, with its own tag", 304,
           client.get(target, "If-None-Match: " + answer.field("ETag")).status)
    for field in ("ETag", "Last-Modified"):
        part = client.get(target, "Range: bytes=5-9", "If-Range: " + answer.field(field))
        expect("status, a part with its own " + field, 206, part.status)
        expect("part", content[5:10], part.content)


def given(client, target):
    answer = client.get(target)
    return answer if answer.field("ETag") and answer.field("Last-Modified") else None


def names_hold(stage, root, options):
    for target, make in (("/large.bin", mixed), ("/small.txt", numbered)):
        write(os.path.join(root, target[1:]), make(0))
        with stage.server(root, options) as server, server.client() as client:
            names = see_contents(client, root, target, make)
            expect_names_hold(client, names, target, make(ROUNDS - 1), ROUNDS - 1)


@test("a tag and a date name one content, though a file changes as fast as it is asked for")
def names_fast(stage):
    names_hold(stage, stage.site(), {"cache.recheck": "1h"})


@test("the same where each request compares")
def names_fast_compared(stage):
    names_hold(stage, stage.site(), {"cache.watches": 0})


@test("the same where times are whole seconds (ext2)")
def names_coarse(stage):
    with coarse(stage) as root:
        names_hold(stage, root, {"cache.recheck": "1h"})


@test("the same where times are whole seconds and each request compares")
def names_coarse_compared(stage):
    with coarse(stage) as root:
        names_hold(stage, root, {"cache.watches": 0})


@test("If-Range with the date of a second in which a file changed twice")
def date_of_a_busy_second(stage):
    root = stage.site()
    for target, make in (("/large.bin", mixed), ("/small.txt", numbered)):
        path = os.path.join(root, target[1:])
        with stage.server(root, {"cache.recheck": "1h"}) as server, server.client() as client:
            while True:
                write(path, make(1))
                first = client.get(target)
                modified = os.stat(path).st_mtime_ns
                write(path, make(2))
                if modified // 10**9 == os.stat(path).st_mtime_ns // 10**9:
                    break
            expect_content("the first", make(1), first.content)
            time.sleep(max(0, modified // 10**9 + 2 - time.time()))  # until its second is past
            if first.field("Last-Modified"):
                answer = client.get(target, "Range: bytes=5-9",
                                    "If-Range: " + first.field("Last-Modified"))
                expect("status", 200, answer.status)
            second = client.get(target)
            expect_content("the second", make(2), second.content)
            expect("its date", email.utils.formatdate(modified // 10**9, usegmt=True),
                   second.field("Last-Modified"))


@test("a file from the future has the date of its last change, which is never in the future")
def date_in_the_future(stage):
    root = stage.site(a_txt=b"a")
    os.utime(os.path.join(root, "a.txt"), (4102444800, 4102444800))
    with stage.server(root) as server, server.client() as client:
        answer = wait_until("a date", lambda: given(client, "/a.txt"), 5, 0.02)
        modified, date = (email.utils.parsedate_to_datetime(answer.field(name))
                          for name in ("Last-Modified", "Date"))
        require(modified < date, "Last-Modified %s, Date %s", modified, date)


@test("a small file's tag does not depend on what the cache has room for")
def tag_without_room(stage):
    root = stage.site(page_txt=b"page" * 5000, tiny_txt=b"tiny")
    for number in range(40):
        write(os.path.join(root, "fill%d.bin" % number), bytes([number]) * 60000)
    share = 32 if stage.model == "prefork" else 1
    options = {"cache.size": "%dm" % share, "timeouts.send": "30s"}
    targets = ("/page.txt", "/tiny.txt")
    with stage.server(root, options) as server, contextlib.ExitStack() as stack:
        client = stack.enter_context(server.client())
        tags = {target: client.get(target).field("ETag") for target in targets}
        for number in range(26):  # lends more than there is: these peers do not read
            peer = stack.enter_context(server.client(receive_bytes=4096))
            peer.send("".join(get("/fill%d.bin" % ((number + more) % 40)) for more in range(120)))
        for number in range(30):
            replace(os.path.join(root, "page.txt"), b"page" * 5000)  # is looked for again
            for target in targets:
                expect("tag of %s" % target, tags[target], client.get(target).field("ETag"))
                expect("If-Match", 200, client.get(target, "If-Match: " + tags[target]).status)
                expect("If-None-Match", 304,
                       client.get(target, "If-None-Match: " + tags[target]).status)
            client.get("/fill%d.bin" % number)


@test("a small file has one tag, whatever the size of the cache")
def tag_of_any_cache(stage):
    root = stage.site(page_txt=b"page" * 50000, tiny_txt=b"tiny", empty_txt=b"")
    found = {}
    for size in ("0", "64k", "64m"):
        with stage.server(root, {"cache.size": size}) as server, server.client() as client:
            for target in ("/page.txt", "/tiny.txt", "/empty.txt") * 2:
                found.setdefault(target, set()).add(client.get(target).field("ETag"))
    for target, tags in found.items():
        require(len(tags) == 1 and None not in tags, "%s has the tags %s", target, tags)


# ---- where paths lead ---------------------------------------------------------------------------


@test("a directory moved out of the root is not served through a link in its place")
def moved_out(stage):
    for options in ({"cache.recheck": "1h"}, {"cache.watches": 0},
                    {"cache.watches": 0, "symlinks": "never"}):
        root = stage.site()
        aside = root + ".aside"
        for name in ("in", "in/deep"):
            os.mkdir(os.path.join(root, name))
            write(os.path.join(root, name, "page.txt"), b"inside")
            write(os.path.join(root, name, "large.bin"), LARGE)
        os.symlink("in", os.path.join(root, "link"))
        below = ("in",) if "symlinks" in options else ("in", "link")
        targets = ["/%s/%s" % (name, file) for name in below
                   for file in ("page.txt", "large.bin", "deep/page.txt", "deep/large.bin")]
        with stage.server(root, options) as server, server.client() as client:
            for _ in range(5):
                for target in targets * 2:
                    expect("%s, inside" % target, 200, client.get(target).status)
                os.rename(os.path.join(root, "in"), aside)
                os.symlink("../root.aside", os.path.join(root, "in"))
                for target in targets * 2:
                    expect("%s, moved out" % target, 403, client.get(target).status)
                os.unlink(os.path.join(root, "in"))
                os.rename(aside, os.path.join(root, "in"))


@test("a root that is removed and made again, as a clean build does")
def built_again(stage):
    for way in ("site", "link", "behind/site"):
        place = stage.setting.place("build")
        built = os.path.join(place, "up", "site")
        os.symlink("up/site", os.path.join(place, "link"))
        os.symlink("up", os.path.join(place, "behind"))
        root = built if way == "site" else os.path.join(place, way)
        build(built, 0)
        options = {"cache.recheck": "1h", "sandbox.directories": [place]}  # the one above the root is made again, too
        with stage.server(root, options) as server, server.client() as client:
            for number in range(1, 30):
                expect("before", numbered(number - 1), client.get("/page.txt").content)
                expect("before", 404, client.get("/new%d.txt" % number).status)
                shutil.rmtree(built if number % 2 else os.path.dirname(built))
                if number % 3 == 0:
                    expect("%s: while it is gone" % way, 404, client.get("/page.txt").status)
                build(built, number)
                expect("%s: built again" % way, numbered(number), client.get("/page.txt").content)
                expect("%s: what is new" % way, b"new", client.get("/new%d.txt" % number).content)


def build(place, number):
    os.makedirs(place)
    write(os.path.join(place, "page.txt"), numbered(number))
    write(os.path.join(place, "new%d.txt" % number), b"new")


@test("directories of others: the same answer with and without the slash")
def closed_directories(stage):
    root = stage.site()
    for name, mode in (("pub", 0o711), ("list", 0o744), ("closed", 0o700)):
        path = os.path.join(root, name)
        os.mkdir(path)
        write(os.path.join(path, "index.html"), b"index")
        if stage.setting.user is None:  # what we own is judged by the first three bits
            mode = (mode & 0o007) << 6
        os.chmod(path, mode)
    with stage.server(root) as server, server.client() as client:
        for _ in range(2):
            expect("/pub", 301, client.get("/pub").status)
            expect("/pub/", 200, client.get("/pub/").status)
            for target in ("/list", "/list/", "/closed", "/closed/"):
                expect(target, 403, client.get(target).status)
    for name in ("pub", "list", "closed"):
        os.chmod(os.path.join(root, name), 0o755)


@test("an empty sidecar is none, until it is filled")
def empty_sidecar(stage):
    root = stage.site(page_css=b"original", page_css_gz=b"")
    with stage.server(root, {"cache.recheck": "1h"}) as server, server.client() as client:
        for _ in range(3):
            answer = client.get("/page.css", "Accept-Encoding: gzip")
            expect("coding", None, answer.field("Content-Encoding"))
            expect("content", b"original", answer.content)
            write(os.path.join(root, "page.css.gz"), b"packed")
            expect("filled", b"packed", client.get("/page.css", "Accept-Encoding: gzip").content)
            write(os.path.join(root, "page.css.gz"), b"")
