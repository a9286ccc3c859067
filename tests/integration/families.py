"""Families of exchanges that are generated: each byte at each place, each split, each combination. What must come
back is not listed but computed, by the independent reader of grammar.py and the model of origin.py.

Streams that keep their connection are sent one behind another, many at once; each of the others has a
connection of its own, and many are open together. Where what came is not what is due, the streams of that
batch are run again, each alone, so that the report names the one.
"""

import contextlib
import itertools
import os
import re
import time

import grammar
import rows
from clauses import FAMILIES
from client import Failure, get, request, shown
from fixtures import OLD_DATE, site_make
from origin import Site
from stage import require, test

AT_ONCE = 24      # connections open together
BATCH = 40        # streams sent one behind another
REPORTED = 8      # failures of a family that are told; then it ends
ANSWER_SECONDS = 1
PIECE_SECONDS = 0.0004  # so that pieces are received one by one, most of them
FILE_MAX = 1500   # larger files go by sendfile: /b.txt does and /a.txt does not
PROBE = get("/one.bin").encode()


def family(clause, name, streams):
    """Registers a test that sends all of `streams`, which is a function without arguments, to each model."""
    count = sum(1 for _ in streams())
    FAMILIES.append((clause, name, count))

    @test("%s: %s, %d exchanges" % (clause, name, count))
    def run(stage):
        root = os.path.join(stage.setting.place("families"), "root")
        site_make(root)
        with stage.server(root, {"cache.file_max": FILE_MAX}) as server:
            run_streams(server, streams())


def run_streams(server, streams):
    runner = Runner(server)
    for stream in streams:
        runner.add(stream)
    runner.finish()


def outcomes_of(stream):
    """What may come back: [(requests, how it ends)], one or two."""
    strict = grammar.read(stream, True)
    if b";" not in stream:  # nor, then, a chunk extension
        return [strict]
    lenient = grammar.read(stream, False)
    return [strict] if strict == lenient else [strict, lenient]


class Runner:
    """Sends streams in bulk and judges what comes back."""

    def __init__(self, server):
        self.server, self.site = server, Site(server)
        self.kept, self.alone, self.failures = [], [], []

    def add(self, stream):
        outcomes = outcomes_of(stream)
        if len(outcomes) == 1 and outcomes[0][1] == grammar.KEPT:
            self.kept.append((stream, outcomes))
            if len(self.kept) == BATCH:
                self.kept_flush()
        else:
            self.alone.append((stream, outcomes))
            if len(self.alone) == AT_ONCE:
                self.alone_flush()

    def client(self):
        return self.server.client(timeout=ANSWER_SECONDS)

    def finish(self):
        self.kept_flush()
        self.alone_flush()
        require(not self.failures, "%d failures:\n%s", len(self.failures), "\n".join(self.failures))

    # ---- streams that keep the connection ----

    def kept_flush(self):
        batch, self.kept = self.kept, []
        if not batch:
            return
        try:
            with self.client() as client:
                client.send(b"".join(stream for stream, _ in batch))
                for _, outcomes in batch:
                    self.answers_take(client, outcomes[0][0])
                self.probe(client)
        except (Failure, OSError):
            for stream, outcomes in batch:  # which of them was it?
                self.judge(stream, lambda s=stream, o=outcomes: self.run_kept(s, o))

    def run_kept(self, stream, outcomes):
        with self.client() as client:
            client.send(stream)
            self.answers_take(client, outcomes[0][0])
            self.probe(client)

    def probe(self, client):
        client.send(PROBE)
        answer = client.answer()
        require(answer.status == 200 and answer.content == b"1", "one more request got %r", answer.head)

    # ---- streams that do not ----

    def alone_flush(self):
        batch, self.alone = self.alone, []
        with contextlib.ExitStack() as stack:
            clients = [stack.enter_context(self.client()) for _ in batch]
            for client, (stream, outcomes) in zip(clients, batch):
                with contextlib.suppress(ConnectionError):  # what it says is read below
                    client.send(stream)
                    if any(end != grammar.CLOSED for _, end in outcomes):
                        client.half_close()
            for client, (stream, outcomes) in zip(clients, batch):
                self.judge(stream, lambda c=client, o=outcomes: self.all_take(c, o))

    def all_take(self, client, outcomes):
        """Everything up to the end, which must be one of the outcomes."""
        while client.receive():
            pass
        received, problem = client.buffer, None
        for found, end in outcomes:
            client.buffer = received
            try:
                self.answers_take(client, found)
                self.end_check(client, end)
                return
            except Failure as failure:
                problem = problem or failure
        raise problem

    def end_check(self, client, end):
        """Nothing more; but a request that was not whole may have been refused."""
        if client.buffer and end == grammar.INCOMPLETE:
            answer = client.answer()
            require(400 <= answer.status <= 505, "within a request: %r", answer.head)
        require(not client.buffer, "more came: %s", shown(client.buffer))

    # ---- both ----

    def answers_take(self, client, requests):
        for number, each in enumerate(requests):
            want = self.site.due(each)
            answer = client.answer(want.head_only)
            label = "answer %d" % (number + 1)
            rows.check(label, want, answer, self.server)
            if want.leads_to:
                rows.check_location(label, "/sub", want.leads_to, answer.field("Location"))
            closes = isinstance(each, grammar.Refusal) or each.closes
            require(closes == answer.closes() or (closes and each.__class__ is grammar.Request and each.minor == 0),
                    "%s: Connection is %r", label, answer.field("Connection"))

    def judge(self, stream, run):
        try:
            run()
        except (Failure, OSError) as failure:
            self.failures.append("%s: %s" % (shown(stream), failure))
            require(len(self.failures) < REPORTED, "%d failures, and then no more was tried:\n%s", REPORTED,
                    "\n".join(self.failures))


# ---- the reader itself -------------------------------------------------------------------------

BEYOND_GRAMMAR = {408, 413, 414, 431}  # limits and deadlines are not its affair


@test("the independent reader understands and refuses what the table of exchanges does", per_model=False)
def reader_agrees(_):
    compared = 0
    for row in rows.ROWS:
        wanted = [set(each.statuses) for each in row.answers]
        if row.server != "plain" or len(row.steps) != 1 or not wanted or any(each & BEYOND_GRAMMAR for each in wanted):
            continue
        text = row.steps[0] if isinstance(row.steps[0], bytes) else row.steps[0].encode("latin-1")
        stream = re.sub(rb"<etag [^>]*>", b'"t"', text)
        require(any(agrees(found, wanted) for found, end in outcomes_of(stream) if end != grammar.INCOMPLETE)
                or outcomes_of(stream)[0][1] == grammar.INCOMPLETE, "%s: %s: the reader finds %s", row.clause, row.name,
                outcomes_of(stream))
        compared += 1
    require(compared > 1000, "only %d exchanges were compared", compared)


def agrees(found, wanted):
    """Whether it refuses those that are refused, and understands the others."""
    if len(found) != len(wanted):
        return False
    for each, statuses in zip(found, wanted):
        if isinstance(each, grammar.Refusal) and not statuses & set(each.statuses):
            return False
        if not isinstance(each, grammar.Refusal) and statuses <= {400, 417, 501, 505}:
            return False
    return True


# ---- each byte at each place -------------------------------------------------------------------

def replaced(text, begin=0, end=None):
    """The text with each other byte in each place from `begin` to `end`; a request follows it."""
    for at in range(begin, len(text) if end is None else end):
        for byte in range(256):
            if byte != text[at]:
                yield text[:at] + bytes([byte]) + text[at + 1:] + PROBE


def inserted(text, begin=0, end=None):
    """The text with each byte put into each place."""
    for at in range(begin, len(text) + 1 if end is None else end):
        for byte in range(256):
            yield text[:at] + bytes([byte]) + text[at:] + PROBE


PLAIN = b"GET /a.txt HTTP/1.1\r\nHost: test\r\nX-Y: z\r\n\r\n"
LINE_LENGTH = PLAIN.index(b"\r\n")
CHUNKS = "3;x=y\r\nabc\r\n0\r\nT: u\r\n\r\n"


def line_of(name, line, method="GET", body=""):
    """A request with this field line: its bytes, and where the line is."""
    text = request(method, "/a.txt", line, body=body).encode("latin-1")
    at = text.index(name.encode())
    return text, at, at + len(line) + len("\r\n")


def in_line(name, line, method, body):
    return lambda: replaced(*line_of(name, line, method, body))


def in_value(name, line):
    """From the colon on; bytes in names are in the families before."""
    text, begin, end = line_of(name, line)
    return lambda: replaced(text, begin + len(name), end)


def in_content(change, line, body):
    text, _, end = line_of(line.split(":")[0], line, "POST", body)
    return lambda: change(text, end + len("\r\n"))


family("RFC 9112 §3, §3.1, §3.2, §2.3, §2.2, RFC 9110 §9.1", "each byte in each place of a request line",
       lambda: replaced(PLAIN, 0, LINE_LENGTH + 2))
family("RFC 9112 §3, §3.1, §3.2, §2.3, §2.2", "each byte put into each place of a request line",
       lambda: inserted(PLAIN, 0, LINE_LENGTH + 2))
family("RFC 9112 §5, §5.1, §5.2, §2.2, §11.2, RFC 9110 §5.1, §5.5, §7.2", "each byte in each place of field lines",
       lambda: replaced(PLAIN, LINE_LENGTH + 2))
family("RFC 9112 §5, §5.1, §5.2, §2.2, §11.2, RFC 9110 §5.1, §5.5", "each byte put into each place of field lines",
       lambda: inserted(PLAIN, LINE_LENGTH + 2))
family("RFC 9112 §6.2, §6.3, §11.2, RFC 9110 §8.6", "each byte in each place of Content-Length",
       in_line("Content-Length", "Content-Length: 3", "POST", "abc"))
family("RFC 9112 §6.1, §6.3, §11.2", "each byte in each place of Transfer-Encoding",
       in_line("Transfer-Encoding", "Transfer-Encoding: chunked", "POST", "3\r\nabc\r\n0\r\n\r\n"))
family("RFC 9112 §7.1, §7.1.1, §7.1.2, §7.1.3", "each byte in each place of chunks",
       in_content(replaced, "Transfer-Encoding: chunked", CHUNKS))
family("RFC 9112 §7.1, §7.1.1, §7.1.2, §7.1.3", "each byte put into each place of chunks",
       in_content(inserted, "Transfer-Encoding: chunked", CHUNKS))
family("RFC 9112 §9.3, §9.6, RFC 9110 §7.6.1, §5.6.1", "each byte in each place behind Connection",
       in_value("Connection", "Connection: a, close"))
family("RFC 9110 §14.1.1, §14.1.2, §14.2", "each byte in each place behind Range", in_value("Range", "Range: bytes=12-345"))
family("RFC 9110 §10.1.1, §15.5.18", "each byte in each place behind Expect",
       in_value("Expect", "Expect: 100-continue"))


# ---- each split --------------------------------------------------------------------------------

SPLIT = [
    get("/a.txt", "Range: bytes=10-19", "X: y"),
    get("/caf\xe9.txt?\xff", "X:\ty\t") + request("HEAD", "/page.css", "Accept-Encoding: gzip, br;q=0.5"),
    request("POST", "/a.txt", "Transfer-Encoding: chunked", body="5;x=\"y\"\r\nhello\r\n0\r\nX: y\r\n\r\n") + get("/b.txt"),
    request("GET", "/b.txt", "Content-Length: 26", body=get("/nothing")[:26]) + "\r\n" + get("/sub/"),
    "\r\n\r\nGET http://test:80/sub/../%61.txt?q HTTP/1.1\r\nHost: [::1]:80\r\nIf-None-Match: \"x\", *\r\n\r\n",
    "GET /a.txt HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n" + get("/a.txt", "Connection: close"),
    request("GET", "/a.txt", "Content-Length: 5", "Content-Length: 5", body="hello"),
    "GET /a.txt HTTP/1.1\r\nHost: a b\r\n\r\n", "BREW /a.txt HTTP/1.1\r\nHost: a\r\n\r\n",
    "GET /a.txt HTTP/1.1\r\nHost: a\r\nX : y\r\n\r\n", "GET /a.txt\r\nHost: a\r\n\r\n",
]


def splits():
    """Each stream in two pieces, cut at each place; and in many, each of so many bytes."""
    for text in SPLIT:
        stream = text.encode("latin-1")
        for at in range(1, len(stream)):
            yield [stream[:at], stream[at:]]
        for size in (1, 2, 3, 5, 7, 11, 13, 17):
            yield [stream[at:at + size] for at in range(0, len(stream), size)]


def split_run(runner, pieces):
    outcomes = outcomes_of(b"".join(pieces))
    with runner.client() as client:
        for piece in pieces:
            try:
                client.send(piece)
            except ConnectionError:
                break
            time.sleep(PIECE_SECONDS)
        if outcomes[0][1] == grammar.KEPT:
            runner.answers_take(client, outcomes[0][0])
            runner.probe(client)
        else:
            runner.all_take(client, outcomes)


SPLIT_CLAUSE = "RFC 9112 §2.2, §2.1, RFC 9110 §6.1"
FAMILIES.append((SPLIT_CLAUSE, "each split", sum(1 for _ in splits())))


@test("%s: each split, %d exchanges" % FAMILIES[-1][::2])
def each_split(stage):
    root = os.path.join(stage.setting.place("families"), "root")
    site_make(root)
    with stage.server(root, {"cache.file_max": FILE_MAX}) as server:
        runner = Runner(server)
        for pieces in splits():
            runner.judge(pieces, lambda p=pieces: split_run(runner, p))
        runner.finish()


# ---- method × resource × precondition × range × coding -----------------------------------------

EARLIER, LATER = "Thu, 02 Jan 2020 03:04:04 GMT", "Mon, 02 Mar 2020 00:00:00 GMT"
FILES = ("/a.txt", "/b.txt", "/empty.txt", "/page.css", "/picture.svgz", "/link.txt", "/packed/")
OTHER_RESOURCES = ("/sub", "/nothing", "/unreadable.txt", "/.hidden")
# "<tag>" is the entity-tag of what is selected, "<date>" its date.
PRECONDITIONS = (
    (), ("If-None-Match: <tag>",), ("If-None-Match: W/<tag>",), ("If-None-Match: *",), ('If-None-Match: "x"',),
    ('If-None-Match: "x", <tag>',), ("If-Modified-Since: <date>",), ("If-Modified-Since: " + EARLIER,),
    ("If-Modified-Since: " + LATER,), ("If-Modified-Since: x",), ("If-Match: <tag>",), ("If-Match: W/<tag>",),
    ("If-Match: *",), ('If-Match: "x"',), ("If-Unmodified-Since: <date>",), ("If-Unmodified-Since: " + EARLIER,),
    ('If-None-Match: "x"', "If-Modified-Since: " + LATER), ("If-Match: <tag>", "If-Unmodified-Since: " + EARLIER),
    ("If-Match: <tag>", "If-None-Match: <tag>"), ("If-Unmodified-Since: " + EARLIER, "If-None-Match: <tag>"))
RANGES = (
    (), ("Range: bytes=0-9",), ("Range: bytes=10-",), ("Range: bytes=-5",), ("Range: bytes=7-9999999",),
    ("Range: bytes=9999999-",), ("Range: bytes=-0",), ("Range: bytes=5-4",), ("Range: lines=0-9",),
    ("Range: bytes=0-9", "If-Range: <tag>"), ("Range: bytes=0-9", "If-Range: W/<tag>"),
    ("Range: bytes=0-9", 'If-Range: "x"'), ("Range: bytes=0-9", "If-Range: <date>"),
    ("Range: bytes=0-9", "If-Range: " + LATER))
CODINGS = ((), ("Accept-Encoding: gzip",), ("Accept-Encoding: br, gzip;q=0.5",), ("Accept-Encoding: *;q=0",),
           ("Accept-Encoding: identity, gzip;q=0.5",))
READING = ("GET", "HEAD")
OTHERS = ("OPTIONS", "POST", "DELETE", "PUT")


def combinations():
    """(method, resource, fields): all of files that are read, and enough of what does not depend on fields."""
    yield from itertools.product(READING, FILES, PRECONDITIONS, RANGES, CODINGS)
    yield from itertools.product(READING, OTHER_RESOURCES, PRECONDITIONS, RANGES[::3], CODINGS[::2])
    yield from itertools.product(OTHERS, FILES + OTHER_RESOURCES, PRECONDITIONS[::5], RANGES[::5], CODINGS[::2])


class Validators(Site):
    """The site, and which validators a target has."""

    def __init__(self, server):
        super().__init__(server)
        self.found = {}

    def validators(self, target, lines):
        """Tag and date of what is selected by these lines of Accept-Encoding; where nothing is, of nothing."""
        key = (target, lines)
        if key not in self.found:
            asked = grammar.read(get(target, *lines).encode())[0][0]
            variant = self.variant(asked.path, self.coding(asked.path, asked)) if target in FILES else None
            self.found[key] = (variant.tag, variant.modified.encode()) if variant else (b'"t"', OLD_DATE.encode())
        return self.found[key]


def combination_stream(site, combination):
    method, target, *fields = combination
    lines = [line for group in fields for line in group]
    stream = request(method, target, *lines).encode("latin-1")
    if b"<" not in stream:
        return stream
    tag, date = site.validators(target, fields[-1])
    return stream.replace(b"<tag>", tag).replace(b"<date>", date)


COMBINED_CLAUSE = ("RFC 9110 §9.3.1, §9.3.2, §13.1.1, §13.1.2, §13.1.3, §13.1.4, §13.1.5, §13.2.1, §13.2.2, §14.1.2, "
                   "§14.2, §12.5.3")
FAMILIES.append((COMBINED_CLAUSE, "method × resource × precondition × range × coding", sum(1 for _ in combinations())))


@test("RFC 9110 §13.2.2, §14.2, §12.5.3: %s, %d exchanges" % FAMILIES[-1][1:])
def each_combination(stage):
    root = os.path.join(stage.setting.place("families"), "root")
    site_make(root)
    with stage.server(root, {"cache.file_max": FILE_MAX}) as server:
        site = Validators(server)
        run_streams(server, (combination_stream(site, each) for each in combinations()))
