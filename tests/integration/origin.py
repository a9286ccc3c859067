"""What an origin server of the test site owes each request, by RFC 9110: an independent model of §9, §12.5.3, §13
and §14, written from the text and not from the server.

    Site(server).due(request) -> rows.Expected

What a file is called and where it is comes from fixtures.py; its validators are those that the server gave when
it was asked without any condition.
"""

import dataclasses
import email.utils
import functools
import re
import urllib.parse

import grammar
from client import get
from fixtures import FILES, LINKS, OLD_DATE, content
from rows import MULTIPART, answer, moved
from table import ALLOW, VARY

SIDECARS = {"gzip": ".gz", "br": ".br", "zstd": ".zst"}
UNREADABLE = ("/unreadable.txt", "/closed/file.txt")
WEIGHT = re.compile(rb"(?i)[ \t]*q=(0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?)")
SPEC = re.compile(rb"([0-9]*)-([0-9]*)")
RANGES_MAX = 16  # the default of limits.ranges


@dataclasses.dataclass
class Variant:
    """A representation: what is in it, and what names it."""
    content: bytes
    coding: str        # "" for the original
    varies: bool
    tag: bytes
    modified: str
    fields: dict       # what every 200 and 206 has of it


def is_hidden(path):
    return any(each.startswith(".") and each != ".well-known" for each in path.split("/"))


def directories():
    found = {"/"}
    for name in FILES:
        parts = name.split("/")[:-1]
        found.update("/" + "/".join(parts[:count]) + "/" for count in range(1, len(parts) + 1))
    return found


DIRECTORIES = directories()


@functools.lru_cache(maxsize=None)
def date_read(text):
    """Seconds of a date in the preferred form, which is the only one that families send; None: it is none."""
    try:
        parsed = email.utils.parsedate_to_datetime(text)
    except (TypeError, ValueError):
        return None
    seconds = parsed.timestamp()
    return seconds if email.utils.formatdate(seconds, usegmt=True) == text else None


def date_of(values):
    """The one date of a field's one line, None where it is none (RFC 9110 §5.6.7)."""
    return date_read(values[0].decode("latin-1")) if len(values) == 1 else None


def weights(values):
    """{coding: weight} that Accept-Encoding gives (§12.5.3, §12.4.2)."""
    found = {}
    for member in grammar.members(values):
        name, semicolon, parameter = member.partition(b";")
        match = WEIGHT.fullmatch(parameter)
        if not semicolon or match:
            name = name.strip(b" \t").lower().decode("latin-1")
            found["gzip" if name == "x-gzip" else name] = float(match[1]) if semicolon else 1.0
    return found


def tags(values):
    """The entity-tags of a list; what is between them is no tag (§8.8.3)."""
    return re.findall(rb'(?:W/)?"[\x21\x23-\x7e\x80-\xff]*"', b", ".join(values))


class Site:
    """The test site as one server serves it."""

    def __init__(self, server):
        self.server, self.variants, self.selected = server, {}, {}

    # ---- which representation ----

    def variant(self, path, coding):
        key = (path, coding)
        if key not in self.variants:
            self.variants[key] = self.variant_find(path, coding)
        return self.variants[key]

    def variant_find(self, path, coding):
        """Asked for without a condition; its content is not believed, but taken from fixtures.py."""
        name = LINKS.get(path[1:], path[1:])
        target = urllib.parse.quote(path.encode("utf-8", "surrogateescape"))
        got = self.server.get(target, *(["Accept-Encoding: " + coding] if coding else []))
        known = {each: got.field(each) for each in ("Content-Type", "ETag", "Last-Modified", "Content-Encoding")}
        varies = any(self.file_name(name) + suffix in FILES for suffix in SIDECARS.values())
        if name.endswith(".svgz"):
            varies = False
        elif varies:
            known["Vary"] = VARY
        known = {key: value for key, value in known.items() if value is not None}
        return Variant(content("/" + self.file_name(name) + SIDECARS.get(coding, "")), coding, varies,
                       got.field("ETag").encode(), got.field("Last-Modified"), known)

    @staticmethod
    def file_name(name):
        return name + "index.html" if name == "" or name.endswith("/") else name

    def coding(self, path, request):
        """The content coding that is due (§12.5.3): the acceptable one of the greatest weight."""
        name = self.file_name(path[1:])
        values = request.values(b"accept-encoding")
        there = [coding for coding, suffix in SIDECARS.items() if name + suffix in FILES]
        if not values or not there or name.endswith(".svgz"):
            return ""
        given = weights(values)
        rated = {coding: given.get(coding, given.get("*", 0)) for coding in there}
        best = max(rated, key=rated.get)
        return best if rated[best] > 0 and rated[best] >= given.get("identity", 0) else ""

    def validators(self, target, lines):
        """Entity-tag and date of what a GET with these field lines selects; where that is no file, of none."""
        key = (target, lines)
        if key not in self.selected:
            fields = self.due(grammar.read(get(target, *lines).encode())[0][0]).fields
            self.selected[key] = (fields.get("ETag", '"t"').encode(), fields.get("Last-Modified", OLD_DATE).encode())
        return self.selected[key]

    # ---- what is due ----

    def due(self, request):
        if isinstance(request, grammar.Refusal):
            return answer(request.statuses)
        if request.method == b"OPTIONS":
            return answer((200, 204), {"Allow": ALLOW})
        if request.method not in grammar.KNOWN_METHODS:
            return answer(405, {"Allow": ALLOW})
        expected = self.due_of_path(request)
        if request.method == b"HEAD":
            expected.head_only, expected.content = True, None
        return expected

    def due_of_path(self, request):
        path = request.path
        if is_hidden(path):
            return answer(404)
        if path in UNREADABLE:
            return answer(403)
        if path + "/" in DIRECTORIES and path[1:] not in FILES:
            query = "" if request.query is None else "?" + request.query.decode("latin-1")
            return moved(path + "/" + query)
        if self.file_name(LINKS.get(path[1:], path[1:])) not in FILES:
            return answer((403, 404) if path in DIRECTORIES else 404)
        return self.due_of(request, self.variant(path, self.coding(path, request)))

    def due_of(self, request, variant):
        """Preconditions first, then the range (§13.2.2)."""
        status = self.precondition(request, variant)
        if status == 412:
            return answer(412)
        if status == 304:
            known = {key: value for key, value in variant.fields.items() if key in ("ETag", "Vary")}
            return answer(304, known, ("Content-Range", "Content-Length", "Content-Encoding"))
        if request.method == b"GET":
            return self.part(request, variant)
        return self.whole(variant)

    def whole(self, variant):
        known = dict(variant.fields, **{"Content-Length": str(len(variant.content))})
        return answer(200, known, self.absent(variant) + ("Content-Range",), variant.content)

    @staticmethod
    def absent(variant):
        """Fields that it must not have."""
        if "Content-Encoding" not in variant.fields:
            return ("Content-Encoding",)
        return () if variant.varies else ("Vary",)

    @staticmethod
    def precondition(request, variant):
        """0 where all hold, else the status that is due instead (§13.2.2)."""
        modified = date_of([variant.modified.encode()])
        matches, since = request.values(b"if-match"), date_of(request.values(b"if-unmodified-since"))
        if matches:
            if matches != [b"*"] and variant.tag not in tags(matches):
                return 412
        elif since is not None and modified > since:
            return 412
        matches, since = request.values(b"if-none-match"), date_of(request.values(b"if-modified-since"))
        if matches:
            bare = [each[2:] if each.startswith(b"W/") else each for each in tags(matches)]
            return 304 if matches == [b"*"] or variant.tag in bare else 0
        return 304 if since is not None and modified <= since else 0

    def part(self, request, variant):
        """206, 416 or the whole (§14.2, §13.1.5). White space may be before the first range, as in §14.1.2's example."""
        ranges = request.values(b"range")
        if len(ranges) != 1 or not re.match(rb"(?i)bytes=", ranges[0]) or not self.is_current(request, variant):
            return self.whole(variant)
        length = len(variant.content)
        asked = [positions(each, length) for each in grammar.members([ranges[0][len("bytes="):]])]
        there = [each for each in asked if each]
        if not asked or None in asked or len(asked) > RANGES_MAX or sum(map(len, there)) > length:
            return self.whole(variant)
        if not there:
            return answer(416, {"Content-Range": "bytes */%d" % length})
        parts = coalesced(there)
        return self.parts(parts, variant) if len(parts) > 1 else self.one_part(parts[0], variant)

    @staticmethod
    def is_current(request, variant):
        """If-Range, by the strong comparison (§13.1.5). README.md: the date of a sidecar may be that of any content,
        so it is no strong validator (§8.8.2.2)."""
        given = request.values(b"if-range")
        return not given or given == [variant.tag] or (not variant.coding and given == [variant.modified.encode()])

    def one_part(self, part, variant):
        known = dict(variant.fields, **{"Content-Range": content_range(part, variant), "Content-Length": str(len(part))})
        return answer(206, known, self.absent(variant), variant.content[part.start:part.stop])

    def parts(self, parts, variant):
        """§15.3.7.2: what is told of each part stands there and not in the head."""
        known = dict(variant.fields, **{"Content-Type": MULTIPART})
        return answer(206, known, self.absent(variant) + ("Content-Range",), parts=tuple(
            ({"Content-Type": variant.fields["Content-Type"], "Content-Range": content_range(part, variant)},
             variant.content[part.start:part.stop]) for part in parts))


# ---- ranges ------------------------------------------------------------------------------------

def positions(spec, length):
    """The positions that a range-spec asks for, as a range: an empty one when it cannot be satisfied (§14.1.2). None
    where it is none; and where it is a suffix of an empty file, which is satisfied by what no Content-Range can tell."""
    match = SPEC.fullmatch(spec)
    if not match or spec == b"-" or (match[1] and match[2] and int(match[2]) < int(match[1])):
        return None
    if not match[1]:
        count = int(match[2])
        return None if length == 0 and count > 0 else range(max(0, length - count), length)
    return range(int(match[1]), min(int(match[2]) + 1, length) if match[2] else length)


def coalesced(asked):
    """What overlaps or touches is one part, where the first of it was asked for; the parts are in that order
    (§15.3.7.2)."""
    groups = []  # of neighbours: (positions of all, place of the first)
    for place, each in sorted(enumerate(asked), key=lambda pair: pair[1].start):
        if groups and each.start <= groups[-1][0].stop:
            before, first = groups.pop()
            each, place = range(before.start, max(before.stop, each.stop)), min(first, place)
        groups.append((each, place))
    return [each for each, _ in sorted(groups, key=lambda group: group[1])]


def content_range(part, variant):
    return "bytes %d-%d/%d" % (part.start, part.stop - 1, len(variant.content))
