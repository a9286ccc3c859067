"""Several sites that have the same paths: what one of them has in memory, waits for or has decided is never the answer
of another (RFC 9110 §7.2, RFC 9111 §2: the host belongs to what is asked for).

Each site is asked alone first. Then all are asked at once, mixed on the same connections, while files change below
all of them; every byte of every answer, head included, must be what the site alone had answered.
"""

import collections
import functools
import gzip
import os
import random
import re
import time

from client import expect, expect_content, request
from fixtures import OLD, located
from harness import threads_run
from sidecars import prose
from stage import replace, require, test, write

CLIENTS, SECONDS, SEED = 6, 1.5, 13
HOSTS = {"red": "red.test", "green": "green.test", "blue": "a.blue.test", "outside": "nobody.test"}
SITES = tuple(HOSTS)  # "outside" is what has none of their hosts
OPTIONS = {"red": "listing = on\nhidden = on", "green": "index = start.html\nlisting = off",
           "blue": "listing = on\nsidecars = {}"}
RULE = 'rule "/" { fields_set = "X-Site: %s"\nalways = on\nerror_pages = "404 /error.html" }\n'
GZIP = "Accept-Encoding: gzip"
# (target, method, fields); the paths are the same everywhere, and hardly anything else is.
ASKED = [(target, "GET", ()) for target in (
    "/", "/small.txt", "/large.bin", "/fly.css", "/side.css", "/list/", "/list/?format=json", "/thing", "/thing/",
    "/.env", "/half.txt", "/nothing", "/error.html", "/list")]
ASKED += [("/small.txt", "HEAD", ()), ("/large.bin", "HEAD", ()), ("/nothing", "HEAD", ()), ("/half.txt", "POST", ()),
          ("/fly.css", "GET", (GZIP,)), ("/side.css", "GET", (GZIP,)), ("/side.css", "HEAD", (GZIP,)),
          ("/small.txt", "GET", ("Range: bytes=16-31",)), ("/large.bin", "GET", ("Range: bytes=100000-299999",)),
          ("/large.bin", "GET", ("Range: bytes=0-9,300000-300019",))]
CHANGING = ("/turn.txt", "/come.txt", "/new/%d.bin")
BOUNDARY = re.compile(rb"boundary=(\S+)\r\n")
Asked = collections.namedtuple("Asked", "site target method fields", defaults=("GET", ()))


@functools.lru_cache(maxsize=None)
def files_of(site):
    """What is below the root of a site. All have the same lengths and times, so that nothing but the site tells."""
    mark = site[0].upper()
    files = {"index.html": b"home of %6.6b" % site.encode(), "start.html": b"start of %6.6b" % site.encode(),
             "small.txt": located(1000, mark), "large.bin": located(400000, mark), "side.css": located(900, mark),
             "fly.css": b"/* %6.6b */" % site.encode() + prose(12000), ".env": located(160, mark),
             "error.html": b"<title>no %6.6b</title>" % site.encode(), "list/same.txt": b"x",
             "list/%s.txt" % site: b"x", "turn.txt": turned(site, 0), "new/0.bin": new(site, 0)}
    if site in ("red", "green", "outside"):
        files["half.txt"] = located(320, mark)
    if site != "green":
        files["side.css.gz"] = located(500, mark.lower())
    if site != "blue":
        files["thing" if site == "green" else "thing/index.html"] = b"thing of %6.6b" % site.encode()
    return files


def turned(site, turn):
    """What a file is that is replaced again and again: each line tells its turn."""
    return b"%-8.8b %6d\n" % (site.encode(), turn) * 300


def new(site, number):
    return b"%-8.8b %6d\n" % (site.encode(), number) * 2000


class Sites:
    """The roots, and what changes below them."""

    def __init__(self, stage):
        self.place = stage.setting.place("sites")
        self.turn = self.newest = 0
        for site in SITES:
            for name, content in files_of(site).items():
                self.put(site, name, content)

    def path(self, site, name):
        return os.path.join(self.place, site, name)

    def put(self, site, name, content):
        path = self.path(site, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        write(path, content)
        os.utime(path, (OLD, OLD))

    def configuration(self, sites):
        """Of these sites; what is outside of them is one, too."""
        text = RULE % "outside"
        for site in sites:
            if site != "outside":
                text += 'site "%s" {\nhosts = {%s}\nroot = "%s"\n%s\n%s}\n' % (
                    site, HOSTS[site].replace("a.blue", '"*.blue') + ('"' if site == "blue" else ""),
                    os.path.join(self.place, site), OPTIONS[site], RULE % site)
        return text

    def changes(self):
        """One turn: files are replaced, come and go, and leave the page cache, in all sites."""
        self.turn += 1
        for site in SITES:
            replace(self.path(site, "turn.txt"), turned(site, self.turn))
            self.put(site, "new/%d.bin" % (self.newest + 1), new(site, self.newest + 1))
            for name in ("large.bin", "new/%d.bin" % (self.newest + 1)):
                leave_cache(self.path(site, name))
        self.newest += 1
        come = self.path(SITES[self.turn % len(SITES)], "come.txt")
        if os.path.exists(come):
            os.remove(come)
        else:
            replace(come, b"come")


def leave_cache(path):
    """The next one who reads it waits for the disk, where the file system has one (posix_fadvise(2))."""
    with open(path, "rb") as file:
        os.fsync(file)
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


# ---- asking ------------------------------------------------------------------------------------

def text_of(asked, draw):
    """The bytes of a request, whose site is told in one of the ways that there are."""
    host, more = HOSTS[asked.site], ["Content-Length: 0"] if asked.method == "POST" else []
    how = draw.randrange(4)
    if how == 0:  # Host is overridden (RFC 9112 §3.2.2)
        other = draw.choice([each for each in SITES if each != asked.site])
        return request(asked.method, "http://%s%s" % (host, asked.target), *asked.fields, *more, host="Host: " + HOSTS[other])
    written = (host, host.upper() + ":80", host + ".")[how - 1]
    return request(asked.method, asked.target, *asked.fields, *more, host="Host: " + written)


def told(answer):
    """All of an answer that does not depend on the moment; the boundary of parts does."""
    boundary = BOUNDARY.search(answer.head)
    fields = [field for field in answer.fields if field[0] not in ("Date", "Connection")]
    if not boundary:
        return answer.status, fields, answer.content
    blank = boundary[1].decode()
    return (answer.status, [(name, value.replace(blank, "B")) for name, value in fields],
            answer.content.replace(boundary[1], b"B"))


class Alone:
    """What each site answers where there is no other one."""

    def __init__(self, stage, sites, options):
        self.answers = {}
        for site in SITES:
            text = {"": sites.configuration([site])}
            with stage.server(os.path.join(sites.place, "outside"), {**options, **text}) as server, server.client() as client:
                for asked in [Asked(site, *each) for each in ASKED] + [Asked(site, "/come.txt")]:
                    client.send(text_of(asked, random.Random(1)))
                    self.answers[asked] = told(client.answer(asked.method == "HEAD"))
            self.check(site)

    def check(self, site):
        """That they are what the files say: an error that is the same alone and together would not be seen."""
        files = files_of(site)
        for target in ("/small.txt", "/large.bin", "/fly.css", "/half.txt"):
            status, _, content = self.answers[Asked(site, target)]
            expect("status of %s of %s" % (target, site), 200 if target[1:] in files else 404, status)
            expect_content(target, files.get(target[1:], files["error.html"]), content)


class Judge:
    """Whether an answer is the right one."""

    def __init__(self, sites, alone):
        self.sites, self.alone = sites, alone.answers
        self.seen = collections.Counter()

    def judge(self, asked, answer):
        what = "%s %s of %s %s" % (asked.method, asked.target, asked.site, asked.fields)
        expect("the site that answers " + what, asked.site, answer.field("X-Site"))
        self.seen[asked.site, asked.target.split("/")[1], answer.status, answer.field("Content-Encoding")] += 1
        if asked.target == "/turn.txt":
            self.judge_turn(what, asked, answer)
        elif asked.target.startswith("/new/"):
            expect("status of " + what, 200, answer.status)
            expect_content(what, new(asked.site, int(asked.target[5:-4])), answer.content)
        elif asked.target == "/come.txt" and answer.status == 200:
            expect_content(what, b"come", answer.content)
        elif asked.target == "/fly.css" and answer.field("Content-Encoding"):
            expect_content(what, files_of(asked.site)["fly.css"], gzip.decompress(answer.content))
        else:
            self.judge_told(what, asked, answer)

    def judge_turn(self, what, asked, answer):
        expect("status of " + what, 200, answer.status)
        turn = int(answer.content[9:15])
        require(turn <= self.sites.turn + 1, "%s: turn %d has not been", what, turn)
        expect_content(what, turned(asked.site, turn), answer.content)

    def judge_told(self, what, asked, answer):
        for part, due, got in zip(("status", "fields"), self.alone[asked], told(answer)):
            expect("%s of %s" % (part, what), due, got)
        expect_content(what, self.alone[asked][2], told(answer)[2])


def changing(sites):
    """What can be asked for of that which changes."""
    return [(path % sites.newest if "%" in path else path, "GET", ()) for path in CHANGING]


def of_all(draw, each):
    """The same of all sites, so that they wait for it together."""
    return [Asked(site, *each) for site in draw.sample(SITES, len(SITES))]


def batch(draw, sites):
    """What is sent at one time: one path of all sites, or anything."""
    if draw.random() < 0.6:
        return of_all(draw, draw.choice(ASKED + changing(sites) * 4))
    return [Asked(draw.choice(SITES), *draw.choice(ASKED + changing(sites))) for _ in range(draw.randrange(1, 12))]


def asks(server, judge, batches, draw):
    """One client, which asks for one batch after another on a connection, and later on the next one."""
    client, left = None, 0
    try:
        for asked in batches:
            if not left:
                client, left = server.client(timeout=20), 20
            client.send("".join(text_of(each, draw) for each in asked))
            for each in asked:
                judge.judge(each, client.answer(each.method == "HEAD"))
            left -= 1
            if not left:
                client.close()
    finally:
        if client:
            client.close()


def crowd(sites, server, judge):
    """Clients at once, for a while, and one who changes the files."""
    ends = time.monotonic() + SECONDS
    left = list(range(CLIENTS))  # who still asks

    def batches(number, draw):
        for each in changing(sites) + ASKED[number % 3::3]:  # twice by somebody, however slow all is
            yield of_all(draw, each)
        while time.monotonic() < ends:
            yield batch(draw, sites)

    def ask(number):
        draw = random.Random(SEED + number)
        try:
            asks(server, judge, batches(number, draw), draw)
        finally:
            left.remove(number)

    def change():
        while left:
            sites.changes()
            time.sleep(0.02)
    threads_run([change] + [lambda number=number: ask(number) for number in range(CLIENTS)])


def all_seen(judge):
    """That there were answers of each kind, and so something to be mixed up."""
    for site in SITES:
        for path, status in (("small.txt", 200), ("large.bin", 206), ("nothing", 404), ("new", 200), ("turn.txt", 200)):
            require(any(key[:3] == (site, path, status) for key in judge.seen), "no %d of %s of %s", status, path, site)
    for key in (("red", "side.css", 200, "gzip"), ("outside", "side.css", 200, "gzip"), ("red", ".env", 200, None),
                ("green", ".env", 404, None), ("blue", "thing", 404, None), ("green", "thing", 200, None)):
        require(judge.seen[key] > 0, "never seen: %s", key)


@test("three sites with the same paths, asked at once while files change: each answer is its own site's, byte for byte")
def together(stage):
    sites = Sites(stage)
    roomy = {"compress.codings": ["gz"]}
    alone = Alone(stage, sites, roomy)
    for options in (roomy, {**roomy, "cache.size": "1m", "cache.descriptors": 2, "cache.absent": 2}):
        judge = Judge(sites, alone)
        text = {"": sites.configuration(SITES)}
        with stage.server(os.path.join(sites.place, "outside"), {**options, **text}) as server:
            crowd(sites, server, judge)
            all_seen(judge)
