"""The words that table.py is written in, and how one row of it is run.

A row sends bytes over one connection and says what must come back. Besides that, every response is
checked for what must be true of all responses (`always`). After the last response the connection must
be in the state that the row names: KEPT is proved by one more request on it, CLOSED by the end of the
stream with nothing before it.
"""

import dataclasses
import email.utils
import functools
import re
import time
import urllib.parse

from byteranges import MULTIPART, check_parts
from client import Failure, expect, expect_content, get, request
from fixtures import content

KEPT = "kept"            # one more request is answered
CLOSED = "closed"        # announced by Connection: close, and done
EITHER = "either"        # what the last answer announces
ENDED = "ended"          # done, announced or not: the client has finished
IDLE = "idle"            # not announced, and done when the idle time is over
CUT_SHORT = "cut short"  # the client finished within a request: a refusal or nothing, then done

PROBE = get("/one.bin")
ROWS = []
_clause = ""


@dataclasses.dataclass
class Pause:
    seconds: float


@dataclasses.dataclass
class Await:
    """Read this many answers before the next step."""
    answers: int = 1


@dataclasses.dataclass
class Foreign:
    """After the answers: these bytes, which are not of HTTP/1, and the end."""
    content: bytes


class HalfClose:
    """Say that no more will be sent."""


@dataclasses.dataclass
class Expected:
    statuses: tuple
    fields: dict
    without: tuple = ()
    content: object = None
    head_only: bool = False
    leads_to: str = None
    within: tuple = None  # seconds since the row began: (least, most)
    parts: tuple = None   # of multipart/byteranges: (head, bytes) of each


@dataclasses.dataclass
class Row:
    clause: str
    name: str
    server: str
    steps: list
    answers: list
    after: object  # one of the words above, or Foreign


def clause(text):
    """Rows from here on belong to this clause."""
    global _clause  # pylint: disable=global-statement
    _clause = text


def row(name, steps, answers, after=KEPT, server="plain", of=None):
    """An exchange; `of` names its clause where that is not the one in force."""
    steps = steps if isinstance(steps, list) else [steps]
    answers = answers if isinstance(answers, list) else [answers]
    ROWS.append(Row(of or _clause, name, server, steps, answers, after))


def answer(status, fields=None, without=(), content=None, **more):
    """One answer. A field's value is a text, or a compiled pattern that must match all of it."""
    statuses = status if isinstance(status, tuple) else (status,)
    return Expected(statuses, fields or {}, tuple(without), content, **more)


def ok(path, fields=None, without=("Content-Range",), **more):
    """200 with all of this file."""
    return answer(200, fields, without, content(path), **more)


def part(path, offset, length, fields=None, **more):
    """206 with this part of the file."""
    whole = content(path)
    known = {"Content-Range": "bytes %d-%d/%d" % (offset, offset + length - 1, len(whole))}
    known.update(fields or {})
    return answer(206, known, (), whole[offset:offset + length], **more)


def multipart(path, *ranges, fields=None, without=(), of=None, kind=None):
    """206 with these parts (offset, length) of the file; or of another file, that is sent in its place."""
    whole = content(of or path)
    heads = ["bytes %d-%d/%d" % (offset, offset + length - 1, len(whole)) for offset, length in ranges]
    known = {"Content-Type": MULTIPART, "ETag": TAG, "Last-Modified": DATE}
    known.update(fields or {})
    return answer(206, known, ["Content-Range", *without], parts=tuple(
        ({"Content-Type": kind, "Content-Range": head}, whole[offset:offset + length])
        for head, (offset, length) in zip(heads, ranges)))


def unsatisfiable(path):
    return answer(416, {"Content-Range": "bytes */%d" % len(content(path))})


def head_of(path, fields=None, without=("Content-Range",), **more):
    """The head of a 200 with this file, and no content."""
    known = {"Content-Length": str(len(content(path)))}
    known.update(fields or {})
    return answer(200, known, without, head_only=True, **more)


def moved(to, **more):
    """301 to this path (and query) on the same host."""
    return answer(301, leads_to=to, **more)


BAD = answer(400)


def bytewise(text, seconds=0.0):
    """Steps that send one byte each."""
    steps = []
    for character in text:
        steps += [character, Pause(seconds)]
    return steps


def fill(step, server):
    """Puts entity-tags in: <etag /a.txt>, or <etag /page.css gzip> for a content coding."""
    def tag(match):
        return server.etag(match[1].decode(), (match[2] or b"").decode()).encode("latin-1")
    what = step if isinstance(step, bytes) else step.encode("latin-1")
    return re.sub(rb"<etag (\S+?)(?: (\w+))?>", tag, what)


class Exchange:
    """A row being run."""

    def __init__(self, row, server, client):
        self.row, self.server, self.client = row, server, client
        self.began = time.monotonic()
        self.expected = list(row.answers)
        self.got = []
        self.foreign = b""

    def take(self):
        """Reads and judges the next answer."""
        want = self.expected[len(self.got)]
        label = "answer %d" % (len(self.got) + 1)
        answer = self.client.answer(want.head_only)
        self.got.append(answer)
        check(label, want, answer, self.server)
        if want.leads_to:
            check_location(label, self.target(), want.leads_to, answer.field("Location"))
        if want.within:
            self.check_time(label, *want.within)

    def check_time(self, label, least, most):
        elapsed, most = time.monotonic() - self.began, self.server.seconds(most)
        if not least <= elapsed <= most:
            raise Failure("%s came after %.2f s, expected %.2f to %.2f" % (
                label, elapsed, least, most))

    def target(self):
        """What the first request of the row asks for."""
        return fill(self.row.steps[0], self.server).split(b" ")[1].decode("latin-1")

    def run(self):
        for step in self.row.steps:
            if isinstance(step, Pause):
                time.sleep(self.server.seconds(step.seconds))
            elif isinstance(step, HalfClose):
                self.client.half_close()
            elif isinstance(step, Await):
                for _ in range(step.answers):
                    self.take()
            else:
                self.client.send(fill(step, self.server))
        while len(self.got) < len(self.expected):
            self.take()
        self.check_after()

    def check_after(self):
        after, client = self.row.after, self.client
        closes = bool(self.got) and self.got[-1].closes()
        for each in self.got[:-1]:
            expect("Connection: close before the last answer", False, each.closes())
        if after in (KEPT, IDLE):
            expect("Connection: close where the connection is to be kept", False, closes)
        if after == CLOSED and not self.is_old():
            expect("Connection: close in the last answer", True, closes)
        if after == KEPT or (after == EITHER and not closes):
            probe(client)
            return
        if isinstance(after, Foreign):
            self.foreign = client.drain()
            expect("the last bytes", after.content, self.foreign)
            return
        if after == CUT_SHORT and client.receive():
            check("answer", answer((400, 408)), client.answer(), self.server)
        client.expect_end()
        if after == IDLE:
            self.check_time("the end", 0.9, 3)

    def is_old(self):
        """HTTP/1.0 ends without announcing it."""
        first = self.row.steps[0] if self.row.steps else b""
        return isinstance(first, str) and "HTTP/1.0" in first


def probe(client):
    """That the connection is kept: it answers one more request."""
    client.send(PROBE)
    got = client.answer()
    expect("status of one more request", 200, got.status)
    expect_content("content of one more request", content("/one.bin"), got.content)


def run_row(row, server):
    """Runs it and gives the bytes that were answered."""
    with server.client() as client:
        exchange = Exchange(row, server, client)
        exchange.run()
        return b"".join(each.raw for each in exchange.got) + exchange.foreign


def check(label, want, answer, server):
    if answer.status not in want.statuses:
        raise Failure("%s: expected status %s, got %r" % (
            label, " or ".join(map(str, want.statuses)), answer.head))
    always(label, answer, want.head_only, server, "Vary" in want.without)
    for name, value in want.fields.items():
        field = answer.field(name)
        if isinstance(value, re.Pattern):
            if field is None or not value.fullmatch(field):
                raise Failure("%s: field %s: expected /%s/, got %r" % (
                    label, name, value.pattern, field))
        else:
            expect("%s: field %s" % (label, name), value, field)
    for name in want.without:
        expect("%s: field %s" % (label, name), None, answer.field(name))
    if want.content is not None:
        expect_content("%s: content" % label, want.content, answer.content)
    if want.parts is not None:
        check_parts(label, want.parts, answer)


URI = re.compile(r"([!$&-;=?-Z_a-z~\[\]]|%[0-9A-Fa-f]{2})+")  # RFC 3986 §2; "#" not among them


def check_location(label, target, to, location):
    """It is relative, and leads to that path on the same host, also behind a proxy's prefix."""
    if location is None or not URI.fullmatch(location):
        raise Failure("%s: Location is %r" % (label, location))
    parts = urllib.parse.urlsplit(location)
    if parts.scheme or parts.netloc or re.match(r"[/\\]", location) or ":" in location.split("/")[0]:
        raise Failure("%s: Location is not relative to the target: %r" % (label, location))
    path = target[target.index("/", 8):] if re.match("(?i)http://", target) else target
    for prefix in ("", "/prefix", "/a/b"):
        url = urllib.parse.urljoin("http://test" + prefix + path.split("?")[0], location)
        got = urllib.parse.urlsplit(url)
        expect("%s: host that Location leads to" % label, "test", got.netloc)
        got = re.sub("//+", "/", got.path) + ("?" + got.query if "?" in url else "")
        expect("%s: Location %s" % (label, location), prefix + to, got)


ONCE = ("Date", "Server", "Content-Length", "Content-Type", "Content-Range", "Content-Encoding",
        "ETag", "Last-Modified", "Location", "Connection", "Accept-Ranges", "Vary", "Allow")
TAG = re.compile(r'"[\x21\x23-\x7e]+"')
DATE = re.compile(r"(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d (Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct"
                  r"|Nov|Dec) \d{4} \d\d:\d\d:\d\d GMT")


@functools.lru_cache(maxsize=64)
def date_seconds(date):
    return email.utils.parsedate_to_datetime(date).timestamp()


PHRASES = {  # RFC 9110 §15, RFC 6585 §5
    200: "OK", 204: "No Content", 206: "Partial Content", 301: "Moved Permanently", 302: "Found", 304: "Not Modified",
    400: "Bad Request", 401: "Unauthorized", 403: "Forbidden", 404: "Not Found", 405: "Method Not Allowed", 406: "Not Acceptable",
    408: "Request Timeout", 412: "Precondition Failed", 414: "URI Too Long", 416: "Range Not Satisfiable",
    417: "Expectation Failed", 431: "Request Header Fields Too Large", 500: "Internal Server Error",
    501: "Not Implemented", 503: "Service Unavailable", 505: "HTTP Version Not Supported"}


def always(label, answer, head_only, server, own_coding=False):
    """What is true of every answer. A file with a coding of its own is the same for everyone."""
    expect("%s: reason phrase of %d" % (label, answer.status), PHRASES.get(answer.status), answer.phrase)
    for name in ONCE:
        lines = len(answer.values(name))
        if lines > 1:
            raise Failure("%s: field %s given %d times" % (label, name, lines))
    for name in ("Date", "Last-Modified"):
        value = answer.field(name)
        if value is not None and not DATE.fullmatch(value):
            raise Failure("%s: %s is %r" % (label, name, value))
    date = answer.field("Date")
    if date is None:  # RFC 9110 §6.6.1
        raise Failure("%s: no Date" % label)
    now, made = time.time(), date_seconds(date)
    asked = answer.asked_at or now  # it may have been read much later, when others needed the CPU
    if not asked - 2 - server.setting.slow <= made <= now + 1:
        raise Failure("%s: Date is %.1f s before it was asked for" % (label, asked - made))
    expect("%s: Server" % label, server.name, answer.field("Server"))
    expect("%s: Transfer-Encoding" % label, None, answer.field("Transfer-Encoding"))
    tag = answer.field("ETag")
    if tag is not None and not TAG.fullmatch(tag):
        raise Failure("%s: ETag %r is not a strong one" % (label, tag))
    if answer.status == 401 and answer.field("WWW-Authenticate") is None:  # RFC 9110 §11.6.1
        raise Failure("%s: a 401 without WWW-Authenticate" % label)
    if answer.status in (200, 206, 304) and "Allow" not in dict(answer.fields):
        always_of_file(label, answer, own_coding)
    if answer.status >= 400 or answer.status == 301:
        always_of_page(label, answer, head_only)


def always_of_file(label, answer, own_coding):
    required = ["ETag"]
    if answer.status != 304:
        required += ["Content-Type", "Last-Modified", "Content-Length"]
    if answer.status == 200:
        expect("%s: Accept-Ranges" % label, "bytes", answer.field("Accept-Ranges"))
    for name in required:
        if answer.field(name) is None:
            raise Failure("%s: a %d without %s" % (label, answer.status, name))
    if answer.field("Content-Encoding") and "accept-encoding" not in (
            answer.field("Vary") or "").lower() and not own_coding:
        raise Failure("%s: Content-Encoding without Vary" % label)


def always_of_page(label, answer, head_only):
    """Error pages are short, readable HTML and say what their status line says."""
    kind = answer.field("Content-Type") or ""
    if not re.fullmatch("text/html; ?charset=utf-8", kind, re.I):
        raise Failure("%s: an error page of type %r" % (label, kind))
    for name in ("ETag", "Last-Modified", "Content-Encoding"):
        expect("%s: %s of an error page" % (label, name), None, answer.field(name))
    if head_only:
        return
    page = answer.content
    if not (len(page) <= 4096 and str(answer.status).encode() in page and
            page.lower().startswith(b"<!doctype html>")):
        raise Failure("%s: not a readable page: %r" % (label, page[:300]))


def blanked(raw):
    """Without what is another at another time, or of another server: dates and boundaries."""
    raw = re.sub(rb"\r\n(Date|Expires): [^\r]*", rb"\r\n\1: -", raw)
    for boundary in set(re.findall(rb"; boundary=(\w{16})\r\n", raw)):
        raw = raw.replace(boundary, b"-" * 16)
    return raw


def tags_blanked(raw):
    return re.sub(rb"\r\nETag: [^\r]*", b"\r\nETag: -", raw)


__all__ = ["KEPT", "CLOSED", "EITHER", "ENDED", "IDLE", "CUT_SHORT", "Pause", "Await", "HalfClose", "Foreign", "clause", "row",
           "answer", "ok", "part", "multipart", "unsatisfiable", "head_of", "moved", "BAD", "bytewise", "get", "request",
           "content"]
