"""Nothing is served that is no longer on disk: when a change is done, every later request sees it, even
while the cache is busy with hits. And no entity-tag is ever used for two contents.
"""

import contextlib
import os
import signal
import threading

from client import Failure, expect, expect_content, get
from harness import halt
from stage import expect_rest, replace, require, test, write

CHANGES = 300
CHANGES_FEW = 100
PIPELINED = 32
QUEUE_LENGTH = 16384  # fs.inotify.max_queued_events, unless the administrator changed it


class Hits:
    """Keeps a server busy with hits on some files from another thread, and checks each answer."""

    def __init__(self, server, targets, connections=2):
        self.server, self.targets, self.count = server, targets, connections
        self.answers, self.failure = 0, None
        self.stopping = threading.Event()
        self.thread = threading.Thread(target=self.run)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, kind, *_):
        self.stopping.set()
        self.thread.join()
        if kind is None and self.failure:
            raise self.failure

    def run(self):
        try:
            with contextlib.ExitStack() as stack:
                clients = [stack.enter_context(self.server.client()) for _ in range(self.count)]
                batch = (self.targets * PIPELINED)[:PIPELINED]
                text = "".join(map(get, batch))
                while not self.stopping.is_set():
                    self.turn(clients, text)
        except (Failure, OSError) as failure:
            self.failure = failure

    def turn(self, clients, text):
        for client in clients:
            client.send(text)
        for client in clients:
            for _ in range(PIPELINED):
                answer = client.answer()
                self.answers += 1
                require(answer.status in (200, 404), "status %d under load", answer.status)


class Clients:
    """Kept connections, enough for every worker to have some."""

    def __init__(self, stack, server, count):
        self.clients = [stack.enter_context(server.client()) for _ in range(count)]
        self.next = 0

    def one(self):
        self.next += 1
        return self.clients[self.next % len(self.clients)]

    def see(self, what, targets, expected):
        """Each connection sees each target as expected: {target: content, or None for a 404}."""
        text = "".join(map(get, targets))
        for client in self.clients:
            client.send(text)
        tags = {}
        for client in self.clients:
            for target in targets:
                answer = client.answer()
                content = expected[target]
                expect("%s: status of %s" % (what, target), 404 if content is None else 200,
                       answer.status)
                if content is not None:
                    expect_content("%s: %s" % (what, target), content, answer.content)
                    found = tags.setdefault(target, set())
                    if answer.field("ETag"):  # a large file that changed just now has none
                        found.add(answer.field("ETag"))
        for target, found in tags.items():
            require(len(found) <= 1, "%s: %s has the entity-tags %s", what, target, found)
        return {target: found.pop() for target, found in tags.items() if found}


def numbered(number):
    """Content of one length, whatever the number."""
    return b"version %08d\n" % number * 8


def edit(root, number, expected):
    write(os.path.join(root, "edited.txt"), numbered(number))
    expected["/edited.txt"] = numbered(number)


def edit_large(root, number, expected):
    """In place, of a file that goes by sendfile."""
    with open(os.path.join(root, "large.txt"), "r+b") as file:
        file.write(numbered(number))
    expected["/large.txt"] = numbered(number) + expected["/large.txt"][len(numbered(0)):]


def rename(root, number, expected):
    replace(os.path.join(root, "renamed.txt"), numbered(number))
    expected["/renamed.txt"] = numbered(number)


def delete(root, number, expected):
    path = os.path.join(root, "deleted.txt")
    if number % 2:
        os.unlink(path)
    else:
        write(path, numbered(number))
    expected["/deleted.txt"] = None if number % 2 else numbered(number)


def retarget(root, number, expected):
    """A link within the root leads to another directory."""
    to = "release-%d" % (number % 2)
    path = os.path.join(root, "current")
    os.symlink(to, path + ".new")
    os.rename(path + ".new", path)
    expected["/current/page.txt"] = to.encode()


def move(root, number, expected):
    """A directory is renamed, and another one takes its name."""
    here, there = os.path.join(root, "moved"), os.path.join(root, "aside")
    os.rename(here, here + ".old")
    os.rename(there, here)
    os.rename(here + ".old", there)
    expected["/moved/page.txt"] = b"second" if number % 2 else b"first"


CHANGE_KINDS = (edit, edit_large, rename, delete, retarget, move)


def site_make(stage):
    root = stage.site(edited_txt=numbered(0), renamed_txt=numbered(0), deleted_txt=numbered(0),
                      still_txt=b"still", large_txt=numbered(0) + b"x" * 400000)
    for name, content in (("release-0", b"release-0"), ("release-1", b"release-1"),
                          ("moved", b"first"), ("aside", b"second")):
        os.mkdir(os.path.join(root, name))
        write(os.path.join(root, name, "page.txt"), content)
    os.symlink("release-0", os.path.join(root, "current"))
    expected = {"/edited.txt": numbered(0), "/renamed.txt": numbered(0),
                "/deleted.txt": numbered(0), "/current/page.txt": b"release-0",
                "/moved/page.txt": b"first", "/still.txt": b"still",
                "/large.txt": numbered(0) + b"x" * 400000}
    return root, expected


def changes_seen(stage, workers, options=None, changes=CHANGES):
    """Every kind of change, `changes` times, each seen by the next request on every connection."""
    root, expected = site_make(stage)
    busy = ["/edited.txt", "/renamed.txt", "/deleted.txt", "/current/page.txt", "/moved/page.txt",
            "/still.txt"]
    known = {"workers": workers, "cache.recheck": "1h"}
    known.update(options or {})
    with stage.server(root, known) as server, contextlib.ExitStack() as stack:
        clients = Clients(stack, server, 1 if workers == 1 else 4)
        before = clients.see("before", list(expected), expected)
        with Hits(server, busy) as hits:
            for number in range(1, changes + 1):
                before = turn(root, number, clients, expected, before)
        require(hits.answers > changes, "only %d hits beside the changes", hits.answers)


def turn(root, number, clients, expected, before):
    for change in CHANGE_KINDS:
        old = dict(expected)
        change(root, number, expected)
        target = next(target for target in expected if expected[target] != old[target])
        what = "%s %d" % (change.__name__, number)
        tags = clients.see(what, [target], expected)
        tag = tags.get(target)
        require(tag is None or tag != before.get(target),
                "%s: a new content with the old entity-tag %s", what, tags.get(target))
        before = {**before, target: "none", **tags}
    return before


@test("300 changes of each kind under hits, each seen by the next request: one worker")
def changes_one_worker(stage):
    changes_seen(stage, 1)


@test("300 changes of each kind under hits, each seen by the next request: two workers")
def changes_two_workers(stage):
    changes_seen(stage, 2)


@test("the same without a watch, where a file system cannot notify")
def changes_without_watch(stage):
    changes_seen(stage, 1, {"cache.watches": 0}, CHANGES_FEW)


@test("the same when watches run out")
def changes_with_few_watches(stage):
    changes_seen(stage, 1, {"cache.watches": 2}, CHANGES_FEW)


@test("a deploy that swaps the link the root is reached through")
def deploy(stage):
    place = stage.setting.place("deploy")
    for name in ("one", "two"):
        os.mkdir(os.path.join(place, name))
        write(os.path.join(place, name, "page.txt"), name.encode())
        write(os.path.join(place, name, name + ".txt"), b"only here")
    link = os.path.join(place, "current")
    os.symlink("one", link)
    targets = ["/page.txt", "/one.txt", "/two.txt"]
    for workers in (1, 2):
        with stage.server(link, {"workers": workers, "cache.recheck": "1h"}) as server, \
                contextlib.ExitStack() as stack:
            clients = Clients(stack, server, 4)
            with Hits(server, targets):
                for number in range(100):
                    name, other = ("one", "two")[::1 if number % 2 else -1]
                    os.symlink(name, link + ".new")
                    os.rename(link + ".new", link)
                    clients.see("deploy %d" % number, targets, {
                        "/page.txt": name.encode(), "/%s.txt" % name: b"only here",
                        "/%s.txt" % other: None})


@test("a sidecar that appears, is outdated, is renewed, and goes")
def sidecar(stage):
    root = stage.site(page_css=b"original")
    path, side = os.path.join(root, "page.css"), os.path.join(root, "page.css.gz")

    def see(what, content, coding):
        client.send(get("/page.css", "Accept-Encoding: gzip"))
        answer = client.answer()
        expect("%s: coding" % what, coding, answer.field("Content-Encoding"))
        expect("%s: content" % what, content, answer.content)
        client.send(get("/page.css"))
        expect("%s: identity" % what, now, client.answer().content)

    with stage.server(root, {"cache.recheck": "1h"}) as server, server.client() as client:
        for number in range(30):
            now = b"original %d" % number
            replace(path, now)
            see("no sidecar", now, None)
            write(side, b"packed %d" % number)
            see("sidecar made", b"packed %d" % number, "gzip")
            now = b"newer %d" % number
            write(path, now)
            os.utime(path, (4102444800, 4102444800))
            see("original newer", now, None)
            write(side, b"again %d" % number)
            os.utime(side, (4102444801, 4102444801))
            see("sidecar renewed", b"again %d" % number, "gzip")
            os.unlink(side)
            see("sidecar gone", now, None)


@test("permissions taken away and given back")
def permissions(stage):
    root = stage.site(page_txt=b"page")
    path = os.path.join(root, "page.txt")
    with stage.server(root, {"cache.recheck": "1h"}) as server, server.client() as client:
        for _ in range(20):
            for mode, status in ((0o644, 200), (0, 403)):
                os.chmod(path, mode)
                client.send(get("/page.txt"))
                expect("status", status, client.answer().status)


@test("what was not there is seen when it comes: files, directories, an index")
def absent(stage):
    root = stage.site(a_txt=b"a")
    with stage.server(root, {"cache.recheck": "1h"}) as server, server.client() as client:
        for number in range(50):
            name = "d%d" % number
            target = "/%s/e/page.txt" % name
            for tried in (target, target, "/%s/" % name, "/%s" % name):
                expect("before", 404, client.get(tried).status)
            os.makedirs(os.path.join(root, name, "e"))
            expect("a directory", 301, client.get("/" + name).status)
            expect("still no file", 404, client.get(target).status)
            write(os.path.join(root, name, "e", "page.txt"), b"page")
            expect("a file", b"page", client.get(target).content)
            write(os.path.join(root, name, "index.html"), b"index")
            expect("an index", b"index", client.get("/%s/" % name).content)


@test("a file becomes a directory, a FIFO, a link outside, and a file again")
def kinds(stage):
    root = stage.site(a_txt=b"a")
    path = os.path.join(root, "thing")
    with stage.server(root, {"cache.recheck": "1h"}) as server, server.client() as client:
        for _ in range(10):
            write(path, b"file")
            expect("a file", b"file", client.get("/thing").content)
            os.unlink(path)
            os.mkdir(path)
            expect("a directory", 301, client.get("/thing").status)
            os.rmdir(path)
            os.mkfifo(path)
            require(client.get("/thing").status in (403, 404), "a FIFO")
            os.unlink(path)
            os.symlink("/etc/passwd", path)
            expect("a link outside", 403, client.get("/thing").status)
            os.unlink(path)
            expect("nothing", 404, client.get("/thing").status)


@test("a root that is taken away and comes back")
def root_vanishes(stage):
    root = stage.site(a_txt=b"old")
    with stage.server(root, {"cache.recheck": "1h"}) as server, server.client() as client:
        expect("before", b"old", client.get("/a.txt").content)
        os.rename(root, root + ".away")
        require(client.get("/a.txt").status in (403, 404, 500, 503), "served from nowhere")
        os.mkdir(root)
        write(os.path.join(root, "a.txt"), b"new")
        expect("when it is back", b"new", client.get("/a.txt").content)


@test("a root that is gone costs no work")
def root_gone(stage):
    root = stage.site(a_txt=b"old")
    above = os.path.dirname(root)
    with stage.server(root, {"cache.recheck": "1h"}) as server, server.client() as client:
        for gone in (root, above):
            expect("before", b"old", client.get("/a.txt").content)
            os.rename(gone, gone + ".away")
            for _ in range(2):
                require(client.get("/a.txt").status in (403, 404, 500, 503), "served from nowhere")
                expect_rest(server.workers()[0], 0.5)
            os.rename(gone + ".away", gone)
        expect("when it is back", b"old", client.get("/a.txt").content)


@test("more changes in a moment than the kernel's queue of events holds")
def burst(stage):
    root = stage.site(a_txt=b"old")
    with stage.server(root, {"cache.recheck": "1h"}) as server, server.client() as client:
        expect("before", b"old", client.get("/a.txt").content)
        worker = server.workers()[0]
        halt(worker)  # so that it cannot empty the queue meanwhile
        try:
            for number in range(QUEUE_LENGTH // 2 + 1):
                path = os.path.join(root, "l%d" % number)
                os.symlink("x", path)
                os.unlink(path)
            replace(os.path.join(root, "a.txt"), b"new")
            client.send(get("/a.txt"))
        finally:
            os.kill(worker, signal.SIGCONT)
        expect("after", b"new", client.answer().content)
        replace(os.path.join(root, "a.txt"), b"newer")
        expect("and after that", b"newer", client.get("/a.txt").content)
