"""The site that is served, and the code that changes it all the time.

Each kind of change is a generator: it does a step and yields the seconds until its next one. So the
client's loop runs the changes between its sessions. The server sees changes at any moment, but the
client knows exactly when each call began and ended. The directories are:

    /still/     never changes; also with sidecars
    /in/        overwritten in place, in pieces
    /re/        replaced by a rename
    /tr/        truncated, then written again, in pieces
    /de/        deleted, then created again
    /swap/      a directory that is exchanged for another by two renames
    /link/      a symbolic link that is changed to another directory
    /out/       a directory that is moved out of the root, with a link to it left in its place
    /via/       a link to that directory
    /side/      an original and its sidecars, each replaced
"""

import os
import time

from content import Timeline, content

SIZES = {"0": 0, "1k": 1000, "100k": 100000, "300k": 300000, "3m": 3 * 1024 * 1024 + 77}
CODINGS = {"gzip": ".gz", "br": ".br"}
SETTLED = 1600000000  # the time of files that do not change; sidecars are as old as their originals


def write(path, what):
    with open(path, "wb") as file:
        file.write(what)


class Page:
    """What can be asked for: a timeline for each content coding; the original's is ""."""

    def __init__(self, target, size, timelines):
        self.target, self.size, self.timelines = target, size, timelines

    @property
    def original(self):
        return self.timelines[""]

    @property
    def still(self):
        return self.target.startswith("/still/")


class Disk:
    def __init__(self, root, aside, random):
        self.root, self.aside, self.random = root, aside, random
        self.pages = {}
        self.changes = 0
        self.steps = []  # generators
        for directory in ("still", "in", "re", "tr", "de", "swap/deep", "rel-0", "rel-1", "out",
                          "side"):
            os.makedirs(os.path.join(root, directory))
        for directory in ("swap/deep", "old"):
            os.makedirs(os.path.join(aside, directory))
        self._make_still()
        for size in SIZES:
            self._make_single("re", size, self.rename)
            if size != "0":
                self._make_single("in", size, self.in_place, torn=True)
                self._make_single("tr", size, self.truncate, torn=True, shrinks=True)
            if size != "3m":
                self._make_single("de", size, self.delete)
        self._make_directories()
        self._make_sidecars()

    # ---- the site at first -----------------------------------------------------------------------

    def _page(self, target, size, codings=("",), **more):
        theme, rest = target[1:].split("/", 1)
        name = theme[:2] + rest.replace("/", "")[:5]
        timelines = {}
        for coding in codings:
            length = SIZES[size] * (100 - 10 * len(coding)) // 100
            timelines[coding] = Timeline(name + coding[:1], length, **more)
        page = self.pages[target] = Page(target, size, timelines)
        return page

    def path(self, target):
        return self.root + target

    def _put(self, timeline, path, length=None, when=None):
        """A whole new version, whatever was there, in one step."""
        length = timeline.length if length is None else length
        fresh = os.path.join(self.aside, "fresh") if self.random.random() < .5 else path + ".new"
        write(fresh, content(timeline.name, timeline.version + 1, length))
        if when:
            os.utime(fresh, (when, when))
        timeline.begin(time.monotonic(), length)
        os.rename(fresh, path)
        timeline.completed(time.monotonic())
        self.changes += 1

    def _make_still(self):
        for size in SIZES:
            page = self._page("/still/" + size, size)
            self._put(page.original, self.path(page.target), when=SETTLED)
        for size in ("1k", "100k", "300k"):
            page = self._page("/still/s" + size, size, ("", *CODINGS))
            for coding, timeline in page.timelines.items():
                self._put(timeline, self.path(page.target) + CODINGS.get(coding, ""), when=SETTLED)

    def _make_single(self, theme, size, change, **more):
        page = self._page("/%s/%s" % (theme, size), size, **more)
        self._put(page.original, self.path(page.target))
        self.steps.append(self._often(change, page, size))

    def _make_directories(self):
        swapped = [self._page("/swap/" + name, size)
                   for name, size in (("1k", "1k"), ("300k", "300k"), ("deep/1k", "1k"))]
        linked = [self._page("/link/" + size, size) for size in ("1k", "300k")]
        moved = [self._page("/out/1k", "1k"), self._page("/out/300k", "300k")]
        for page in swapped + moved:
            self._put(page.original, self.path(page.target))
        for page in linked:
            self._put(page.original, self.path(page.target.replace("/link", "/rel-0")))
        os.symlink("rel-0", self.path("/link"))
        os.symlink("out", self.path("/via"))
        for page in moved:
            target = page.target.replace("/out", "/via")
            self.pages[target] = Page(target, page.size, page.timelines)
        self.steps += [self._often(self.swap, swapped), self._often(self.relink, linked),
                       self._often(self.move_out, moved)]

    def _make_sidecars(self):
        for size in ("1k", "300k"):
            page = self._page("/side/" + size, size, ("", *CODINGS))
            self.steps.append(self._often(self.deploy, page, size))
            for _ in self.deploy(page):
                pass

    # ---- the changes -----------------------------------------------------------------------------

    def _often(self, change, what, size="1k"):
        """Again and again; the largest file less often, because each change costs."""
        least = .2 if size == "3m" else .004
        while True:
            yield least * 200 ** self.random.random()
            yield from change(what)
            self.changes += 1

    def _length(self, page):
        """Of the next version: mostly another one, on the same side of cache.file_max."""
        least = 0 if page.size == "1k" else page.original.length * 9 // 10
        return self.random.choice((page.original.length,
                                   self.random.randint(least, page.original.length)))

    def _pieces(self, length):
        """Offsets at which the pieces of a write end."""
        count = self.random.choice((1, 1, 2, 5))
        return sorted(self.random.randint(0, length) for _ in range(count - 1)) + [length]

    def _write(self, fd, what):
        """In pieces, with others let run between them."""
        at = 0
        for to in self._pieces(len(what)):
            while at < to:
                at += os.pwrite(fd, what[at:to], at)
            if to < len(what):
                yield self.random.choice((0, .001, .02))

    def rename(self, page):
        self._put(page.original, self.path(page.target), self._length(page))
        yield 0

    def in_place(self, page):
        timeline, length = page.original, page.original.length
        fd = os.open(self.path(page.target), os.O_WRONLY)
        timeline.begin(time.monotonic(), length)
        yield from self._write(fd, content(timeline.name, timeline.version, length))
        timeline.completed(time.monotonic())
        os.close(fd)

    def truncate(self, page):
        timeline, length = page.original, self._length(page)
        timeline.begin(time.monotonic(), length)
        fd = os.open(self.path(page.target), os.O_WRONLY | os.O_TRUNC)
        timeline.replaced(time.monotonic())
        if self.random.random() < .3:
            yield self.random.choice((.001, .02, .2))
        yield from self._write(fd, content(timeline.name, timeline.version, length))
        timeline.completed(time.monotonic())
        os.close(fd)

    def _vanish(self, pages, change):
        """`change` takes the pages away."""
        for page in pages:
            page.original.begin(time.monotonic())
        change()
        now = time.monotonic()
        for page in pages:
            page.original.completed(now)

    def _appear(self, pages, change):
        """`change` puts new versions in their place that were written where nobody can see them."""
        for page in pages:
            page.original.begin(time.monotonic(), page.original.length)
        change()
        now = time.monotonic()
        for page in pages:
            page.original.completed(now)

    def delete(self, page):
        timeline, length = page.original, self._length(page)
        self._vanish([page], lambda: os.unlink(self.path(page.target)))
        yield self.random.choice((0, .001, .05))
        timeline.begin(time.monotonic(), length)
        fd = os.open(self.path(page.target), os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
        timeline.replaced(time.monotonic())
        yield from self._write(fd, content(timeline.name, timeline.version, length))
        timeline.completed(time.monotonic())
        os.close(fd)

    def _prepare(self, path, page):
        """The next version, out of sight: of a small file in place or anew, of a large one anew."""
        what = content(page.original.name, page.original.version + 1, page.original.length)
        if page.size != "1k" or self.random.random() < .5:
            if os.path.exists(path):
                os.unlink(path)
        write(path, what)

    def swap(self, pages):
        here, there, old = self.path("/swap"), self.aside + "/swap", self.aside + "/old/swap"
        for page in pages:
            self._prepare(there + page.target[len("/swap"):], page)
        self._vanish(pages, lambda: os.rename(here, old))
        if self.random.random() < .5:
            yield .001
        self._appear(pages, lambda: os.rename(there, here))
        os.rename(old, there)

    def relink(self, pages):
        link = self.path("/link")
        to = "rel-1" if os.readlink(link) == "rel-0" else "rel-0"
        for page in pages:
            self._prepare(self.path(page.target.replace("/link", "/" + to)), page)
        os.symlink(to, link + ".new")
        yield 0
        self._appear(pages, lambda: os.rename(link + ".new", link))

    def move_out(self, pages):
        """A server that follows the link would serve what is outside of its root."""
        here, there = self.path("/out"), self.aside + "/out"
        self._vanish(pages, lambda: os.rename(here, there))
        relative = self.random.random() < .5
        os.symlink(os.path.relpath(there, self.root) if relative else there, here)
        yield self.random.choice((.001, .02, .1))
        os.unlink(here)
        for page in pages:
            self._prepare(there + page.target[len("/out"):], page)
        self._appear(pages, lambda: os.rename(there, here))

    def deploy(self, page):
        """A new original makes its sidecars old, and old ones are never sent."""
        when = SETTLED + page.original.version
        codings = [coding for coding in page.timelines if coding]
        for coding in codings:
            page.timelines[coding].begin(time.monotonic())
        self._put(page.original, self.path(page.target), self._length(page), when)
        for coding in codings:
            page.timelines[coding].completed(time.monotonic())
        self.random.shuffle(codings)
        for coding in codings:
            yield self.random.choice((0, .001, .05))
            self._put(page.timelines[coding], self.path(page.target) + CODINGS[coding], when=when)
