"""What a session does, made from a seed alone: its requests, how they are sent, how responses are read.

Two things do not follow from the seed: the entity-tags that are sent back, because they come from the
server, and the moments at which files change.
"""

from client import request as request_text
from disk import SETTLED

NO_CONDITION = (None, None)
BUDGET_BYTES = {None: 9000000, 4096: 4000000}  # of contents in a session, by its receive buffer
BAD_REQUESTS = (
    "GET / HTTP/1.1\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
    "GET /%zz HTTP/1.1\r\nHost: a\r\n\r\n",
    "GET /../x HTTP/1.1\r\nHost: a\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: a\r\nno colon\r\n\r\n",
    "\x01\x02\x03\r\n\r\n",
)
# The last second in which the files that do not change were modified, and one before it.
SINCE = "Sun, 13 Sep 2020 12:26:40 GMT"
BEFORE = "Sun, 13 Sep 2020 12:26:39 GMT"
assert SETTLED == 1600000000


class Request:
    """One request and what its response must keep to.

    status     the statuses that are right; empty: those that follow from what is on disk
    condition  ("none_match" | "match" | "if_range" | "since", entity-tag)
    ranges     a list of (first, last), each perhaps None; only ranges that are understood; or None
    """

    def __init__(self, method, target, page=None, status=()):
        self.method, self.target, self.page, self.status = method, target, page, status
        self.fields, self.body, self.version = [], "", "HTTP/1.1"
        self.condition, self.ranges, self.codings = NO_CONDITION, None, ("",)
        self.closes = self.bad = False
        self.raw = ""
        self.sent = None  # set when it is sent

    def bytes(self):
        text = self.raw or request_text(self.method, self.target, *self.fields, body=self.body,
                                        version=self.version)
        return text.encode("latin-1")

    def unneeded(self):
        """How many of its last bytes need not have come before it is answered."""
        return len(self.raw) - 1 if self.bad else len(self.body)

    def shown(self):
        if self.bad:
            return "bad %r" % self.raw[:40]
        extra = [field for field in self.fields if not field.startswith("X-")]
        return " ".join([self.method, self.target, *extra])


class Plan:
    """Batches of requests; a batch is sent when all responses to the one before it have come."""

    def __init__(self, random, disk, tags):
        self.random, self.disk, self.tags = random, disk, tags
        self.receive_bytes = random.choice((None, 4096))
        self.budget = BUDGET_BYTES[self.receive_bytes]
        self.split = random.choice(("batch", "request", "pieces", "pieces", "bytes"))
        self.piece_pause = random.choice((0, 0, .0005, .005))
        self.send_pause = random.choice((0, 0, 0, .05, 1.0))  # once, somewhere
        self.reading = random.choice(("eager", "eager", "late", "late", "slow", "pause"))
        self.read_bytes = random.choice((1, 100, 1460, 5000))
        self.read_pause = random.choice((.0005, .005, .02))
        self.read_slowly = random.choice((.1, .5, 2.0))  # for so long
        self.ending = random.choice(("half_close",) * 5 + ("close",) * 3 + ("reset", "leave"))
        count = random.choice((1, 2, 3, 5, 8, 13, 20, 40))
        batches = random.choice((1, 1, 1, 2, 4))
        self.idle = random.choice((0, 0, .05, .5))  # between batches
        requests = [self._request() for _ in range(random.randint(1, count))]
        self._last(requests)
        at = sorted(random.randint(1, len(requests)) for _ in range(batches - 1))
        self.batches = [part for part in (requests[i:j] for i, j in
                                          zip([0] + at, at + [len(requests)])) if part]
        self.leave_after = random.randint(0, 2000000)  # bytes received or sent, for reset and leave

    @property
    def requests(self):
        return [request for batch in self.batches for request in batch]

    def shown(self):
        how = ["receive buffer %s" % (self.receive_bytes or "default"),
               "sent by %s, %g s between, once %g s" % (self.split, self.piece_pause, self.send_pause),
               "read %s" % self.reading]
        if self.reading == "slow":
            how.append("%d bytes each %g s for %g s" % (self.read_bytes, self.read_pause,
                                                     self.read_slowly))
        how.append("batches of %s, %g s between" % (
            "+".join(str(len(batch)) for batch in self.batches), self.idle))
        how.append("ends by %s" % self.ending)
        return "; ".join(how)

    # ---- requests --------------------------------------------------------------------------------

    def _page(self):
        pages = self.disk.pages
        page = pages[self.random.choice(list(pages))]
        most = max(timeline.length for timeline in page.timelines.values())
        if most > self.budget:
            page = pages["/still/1k"]
        else:
            self.budget -= most
        return page

    def _request(self):
        random = self.random
        kind = random.random()
        if kind < .05:
            request = Request("GET", "/absent/%d" % random.randint(0, 3000), status=(404,))
        elif kind < .08:
            request = Request("OPTIONS", random.choice(("*", "/still/1k")), status=(200, 204))
        elif kind < .13:
            request = Request(random.choice(("POST", "PUT")), "/still/1k", status=(405,))
            self._body(request)
        elif kind < .15:
            request = Request("GET", "/still", status=(301,))
        else:
            page = self._page()
            request = Request(random.choice(("GET",) * 7 + ("HEAD",)), page.target, page)
            self._select(request, page)
            if random.random() < .08:
                self._body(request)
        self._pad(request)
        return request

    def _body(self, request):
        length = self.random.choice((0, 1, 10, 300, 5000))
        what = "GET /smuggled HTTP/1.1\r\n\r\n" * (length // 20 + 1)
        if self.random.random() < .5:
            request.fields.append("Content-Length: %d" % length)
            request.body = what[:length]
            return
        request.fields.append("Transfer-Encoding: chunked")
        while length > 0:
            part = self.random.randint(1, length)
            request.body += "%x\r\n%s\r\n" % (part, what[:part])
            length -= part
        request.body += "0\r\n\r\n"

    def _select(self, request, page):
        """Codings, conditions and ranges."""
        random, codings = self.random, [coding for coding in page.timelines if coding]
        if codings and random.random() < .8:
            accepted = random.choice((codings, codings[:1], codings[1:]))
            request.fields.append("Accept-Encoding: " + ", ".join(accepted))
            request.codings = ("", *accepted)
        if random.random() < .25:
            self._range(request, page)
        if random.random() < .3:
            self._condition(request, page)

    def _range(self, request, page):
        random, length = self.random, page.original.length
        first = random.randint(0, length + length // 10)
        kind = random.choice(("both", "both", "from", "last", "many", "junk"))
        if kind == "both":
            request.ranges = [(first, first + random.choice((0, 99, 5000, 300000)))]
        elif kind == "from":
            request.ranges = [(first, None)]
        elif kind == "last":
            request.ranges = [(None, random.randint(1, length + 100))]
        elif kind == "many":
            request.ranges = self._ranges(length)
        text = ",".join("%s-%s" % tuple("" if at is None else at for at in each)
                        for each in request.ranges or ())
        request.fields.append("Range: bytes=" + (text or "a-b"))

    def _ranges(self, length):
        """Several, some of which touch, overlap, or are beyond the end."""
        random = self.random
        most = random.choice((0, 20, length // 10 + 1, length // 2 + 1))
        found = [(first, first + random.randint(0, most)) for first in (
            random.randint(0, length + length // 20) for _ in range(random.choice((2, 2, 3, 5, 16, 17))))]
        if random.random() < .2:
            found[-1] = (None, random.randint(1, most + 1))
        return found

    def _condition(self, request, page):
        kind = self.random.choice(("none_match", "match", "if_range", "since", "before"))
        if kind == "since" and page.still:
            request.condition = ("since", None)
            request.ranges = None
            request.fields = [each for each in request.fields if not each.startswith("Range")]
            request.fields.append("If-Modified-Since: " + SINCE)
        elif kind == "before":
            request.fields.append("If-Modified-Since: " + BEFORE)
        elif kind in ("none_match", "match") or kind == "if_range" and request.ranges:
            tag = self.tags.newest(page.target, self.random.choice(request.codings))
            if tag:
                request.condition = (kind, tag)
                request.fields.append("%s: %s" % ({"none_match": "If-None-Match", "match": "If-Match",
                                                 "if_range": "If-Range"}[kind], tag))

    def _pad(self, request):
        random, room = self.random, self.random.choice((0, 0, 100, 1500))
        while room > 20:
            length = random.randint(1, room)
            at = random.randint(0, len(request.fields))
            request.fields.insert(at, "X-%d: %s" % (room, "p" * length))
            room -= length + 10

    def _last(self, requests):
        """How the last one, or one in the middle, makes the server finish."""
        kind = self.random.random()
        if kind < .15:
            request = Request("GET", "bad", status=(400,))
            request.raw, request.bad = self.random.choice(BAD_REQUESTS), True
            request.closes = True
            requests.append(request)
        elif kind < .4:
            request = requests[-1 if kind < .3 else self.random.randint(0, len(requests) - 1)]
            if self.random.random() < .7:
                request.fields.append("Connection: " + self.random.choice(
                    ("close", "Close", "close, x-other", "x-other,close")))
            elif "Transfer-Encoding: chunked" not in request.fields:
                request.version = "HTTP/1.0"
            request.closes = request.version == "HTTP/1.0" or any(
                field.startswith("Connection") for field in request.fields)
