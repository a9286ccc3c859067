"""An independent reader of requests: what a stream of bytes means by the grammar of RFC 9112, RFC 9110 and
RFC 3986. It is written from these texts, not from the server, and knows no socket and no time.

    read(stream, strict) -> [Request or Refusal, …], how it ends: KEPT, CLOSED or INCOMPLETE

Where a text leaves a choice, this reader takes the one that README.md promises: what two readers could
understand differently is refused, and every byte that a file name may have can be asked for. Chunk extensions
that are not well-formed, or have white space in them, may be refused (strict) or passed over: they are between two
parties who know them. RFC 9112 §7.1.1 allows the white space; README.md says that it is refused.
"""

import dataclasses
import re

KEPT, CLOSED, INCOMPLETE = "kept", "closed", "incomplete"
KNOWN_METHODS = {b"GET", b"HEAD", b"OPTIONS"}
# Those of IANA's registry that a client may try on a server of files; any other word is not known at all.
REGISTERED_METHODS = KNOWN_METHODS | {b"POST", b"PUT", b"DELETE", b"PATCH", b"TRACE", b"CONNECT", b"PROPFIND",
                                      b"MKCOL", b"COPY", b"MOVE", b"LOCK", b"UNLOCK"}

TOKEN = rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
REQUEST_LINE = re.compile(rb"(" + TOKEN + rb") ([\x21-\x22\x24-\x7e\x80-\xff]+) HTTP/([0-9])\.([0-9])")
FIELD_LINE = re.compile(rb"(" + TOKEN + rb"):[ \t]*((?:[\x21-\x7e\x80-\xff](?:[\t\x20-\x7e\x80-\xff]*"
                        rb"[\x21-\x7e\x80-\xff])?)?)[ \t]*")
QUOTED = rb'"(?:[\t\x20-\x21\x23-\x5b\x5d-\x7e\x80-\xff]|\\[\t\x20-\x7e\x80-\xff])*"'
EXTENSION = rb";" + TOKEN + rb"(?:=(?:" + TOKEN + rb"|" + QUOTED + rb"))?"
CHUNK_SIZE = {True: re.compile(rb"([0-9A-Fa-f]+)(?:" + EXTENSION + rb")*"),
              False: re.compile(rb"([0-9A-Fa-f]+)(?:[ \t]*;[^\r\n\0]*)?")}
REG_NAME = rb"(?:[A-Za-z0-9._~!$&'()*+,;=-]|%[0-9A-Fa-f]{2})*"
AUTHORITY = re.compile(rb"(" + REG_NAME + rb"|\[[0-9A-Fa-f:.]+\])(?::([0-9]*))?")
ABSOLUTE = re.compile(rb"(?i:https?)://([^/?#]*)([^#]*)")


@dataclasses.dataclass
class Request:
    method: bytes
    path: str          # decoded and without dot segments, as fixtures.py names files; None: none, as of "*"
    query: bytes       # None: there is none
    fields: list       # (name in small letters, value)
    minor: int
    closes: bool       # nothing follows it

    def values(self, name):
        return [value for key, value in self.fields if key == name]


@dataclasses.dataclass
class Refusal:
    """One of these statuses; the connection is closed."""
    statuses: tuple


class Refused(Exception):
    """Leads out of reading to a Refusal."""


class Incomplete(Exception):
    """The stream ends within a request."""


def members(values):
    """The members of a list (RFC 9110 §5.6.1), commas between quotes not counted."""
    found = []
    for value in values:
        for member in re.findall(rb'(?:"(?:[^"\\]|\\.)*"?|[^,"])+', value):
            if member.strip(b" \t"):
                found.append(member.strip(b" \t"))
    return found


class Stream:
    """Bytes, and how far they have been read."""

    def __init__(self, bytes_):
        self.bytes, self.at = bytes_, 0

    def line(self):
        """The next line, which ends in CRLF and has no other CR or LF (RFC 9112 §2.2)."""
        end, first = self.bytes.find(b"\n", self.at), self.bytes.find(b"\r", self.at)
        if end < 0 and first in (-1, len(self.bytes) - 1):
            raise Incomplete
        if end < 0 or first != end - 1:
            raise Refused(400)
        line, self.at = self.bytes[self.at:first], end + 1
        return line

    def take(self, count):
        if len(self.bytes) - self.at < count:
            raise Incomplete
        taken = self.bytes[self.at:self.at + count]
        self.at += count
        return taken


def read(stream, strict=True):
    """All requests of the stream, up to the first that is refused or closes the connection."""
    found, rest = [], Stream(stream)
    while True:
        try:
            request = read_one(rest, strict)
        except Refused as why:
            return found + [Refusal(why.args)], CLOSED
        except Incomplete:
            return found, INCOMPLETE
        if request is None:
            return found, KEPT
        found.append(request)
        if request.closes:
            return found, CLOSED


def read_one(rest, strict):
    """The next request; None at the end of the stream."""
    while rest.bytes[rest.at:rest.at + 2] == b"\r\n":
        rest.at += 2
    if rest.at == len(rest.bytes):
        return None
    if rest.bytes[rest.at:] == b"\r":
        raise Incomplete
    method, target, minor = request_line(rest)
    request = judge(method, target, minor, field_lines(rest))
    if not (request.closes and request.values(b"expect")):
        content_pass(rest, request, strict)
    return request


def request_line(rest):
    try:
        line = rest.line()
    except Refused:
        line = re.split(rb"[\r\n]", rest.bytes[rest.at:], maxsplit=1)[0]
        raise Refused(*line_faults(line)) from None
    match = REQUEST_LINE.fullmatch(line)
    if not match or match[3] != b"1":
        raise Refused(*line_faults(line))
    if match[1] not in REGISTERED_METHODS:
        raise Refused(501)
    return match[1], match[2], int(match[4])


def line_faults(line):
    """Which statuses a line deserves that is no request line of HTTP/1: that of whichever fault is seen first."""
    match = REQUEST_LINE.fullmatch(line)
    if match and match[1] in REGISTERED_METHODS and match[3] != b"1":
        return (400, 505) if match[3] == b"0" else (505,)
    statuses = {400}
    word = re.match(TOKEN, line)
    if word and word[0] not in REGISTERED_METHODS:
        statuses.add(501)
    if re.search(rb" HTTP/[02-9]\.[0-9]$", line):
        statuses.add(505)
    return tuple(sorted(statuses))


def field_lines(rest):
    """[(name in small letters, value)] up to an empty line. A folded line is refused (RFC 9112 §5.2)."""
    found = []
    while True:
        line = rest.line()
        if line == b"":
            return found
        match = FIELD_LINE.fullmatch(line)
        if not match:
            raise Refused(400)
        found.append((match[1].lower(), match[2]))


def authority_is_valid(text, may_be_empty):
    match = AUTHORITY.fullmatch(text)
    if not match:
        return False
    if not match[1] and not may_be_empty:
        return False
    return not match[2] or int(match[2]) <= 65535


def judge(method, target, minor, fields):
    """The request that a head means (RFC 9112 §3.2, §6, §9.3; RFC 9110 §10.1.1)."""
    request = Request(method, None, None, fields, minor, False)
    hosts = request.values(b"host")
    if len(hosts) > 1 or (minor > 0 and not hosts) or not all(authority_is_valid(host, True) for host in hosts):
        raise Refused(400)
    framing_judge(request)
    words = [word.lower() for word in members(request.values(b"connection"))]
    request.closes = b"close" in words or (minor == 0 and b"keep-alive" not in words)
    expectations = members(request.values(b"expect"))
    if minor > 0 and any(each.lower() != b"100-continue" for each in expectations):
        raise Refused(417)
    target_judge(request, target)
    if minor > 0 and expectations and has_content(request):
        request.closes = True  # the final status is sent at once, and the content is not waited for
    return request


def has_content(request):
    return bool(request.values(b"transfer-encoding")) or any(int(each) for each in request.values(b"content-length"))


def framing_judge(request):
    lengths, codings = request.values(b"content-length"), request.values(b"transfer-encoding")
    if len(lengths) > 1 or any(not re.fullmatch(rb"[0-9]+", each) or int(each) >= 1 << 64 for each in lengths):
        raise Refused(400)
    if codings and (lengths or request.minor == 0):
        raise Refused(400, 501)
    if codings and (len(codings) > 1 or codings[0].lower() != b"chunked"):
        raise Refused(400, 501)


def target_judge(request, target):
    if target == b"*":
        if request.method != b"OPTIONS":
            raise Refused(400)
        return
    absolute = ABSOLUTE.fullmatch(target)
    if absolute and not target.startswith(b"/"):
        if not authority_is_valid(absolute[1], False):
            raise Refused(400)
        target = absolute[2]
        if not target.startswith(b"/"):
            target = b"/" + target
    if not target.startswith(b"/"):
        raise Refused(400)
    raw, mark, query = target.partition(b"?")
    request.query = query if mark else None
    request.path = path_of(raw)


def path_of(raw):
    """The path of a file: decoded once, without dot segments and empty ones (RFC 3986 §2.1, §5.2.4)."""
    if re.search(rb"%(?![0-9A-Fa-f]{2})", raw):
        raise Refused(400)
    kept, last = [], b""
    for segment in raw.split(b"/")[1:]:
        last = re.sub(rb"%(..)", lambda pair: bytes([int(pair[1], 16)]), segment)
        if b"\0" in last or b"/" in last or (last == b".." and not kept):
            raise Refused(400)
        if last == b"..":
            kept.pop()
        elif last not in (b"", b"."):
            kept.append(last)
    is_directory = last in (b"", b".", b"..")
    path = b"/" + b"/".join(kept) + (b"/" if kept and is_directory else b"")
    return path.decode("utf-8", "surrogateescape")


def content_pass(rest, request, strict):
    """Passes over the content of a request (RFC 9112 §6.3), and refuses what is malformed of it."""
    for length in request.values(b"content-length"):
        rest.take(int(length))
    if request.values(b"transfer-encoding"):
        while chunk_pass(rest, strict):
            pass
        field_lines(rest)


def chunk_pass(rest, strict):
    """Whether it was not the last one (RFC 9112 §7.1)."""
    match = CHUNK_SIZE[strict].fullmatch(rest.line())
    if not match or int(match[1], 16) >= 1 << 64:
        raise Refused(400)
    size = int(match[1], 16)
    if size == 0:
        return False
    rest.take(size)
    end = rest.bytes[rest.at:rest.at + 2]
    if end in (b"", b"\r"):
        raise Incomplete
    if end != b"\r\n":
        raise Refused(400)
    rest.at += 2
    return True
