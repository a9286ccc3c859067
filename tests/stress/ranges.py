"""What a list of ranges is due by RFC 9110 §14.2 and the limits of the server; and multipart/byteranges, read."""

import re

from client import Failure

RANGES_MAX = 16  # the default of limits.ranges
BOUNDARY = re.compile(r"multipart/byteranges; boundary=([0-9A-Za-z'()+_,./:=?-]{1,70})")


def one_due(wanted, total):
    """The first and the last byte of a range in a file of `total` bytes; or None."""
    first, last = wanted
    if first is None:
        first, last = max(0, total - last), total - 1
    last = total - 1 if last is None else min(last, total - 1)
    return (first, last) if first <= last else None


def due(wanted, total):
    """The parts of a list of ranges, in their order; none: 416. None: the whole."""
    found = [each for each in (one_due(each, total) for each in wanted) if each]
    if len(wanted) > RANGES_MAX or sum(last - first + 1 for first, last in found) > total:
        return None
    parts = []
    for first, last in found:
        near = [part for part in parts if part[0] <= last + 1 and first <= part[1] + 1]
        merged = (min([first] + [part[0] for part in near]), max([last] + [part[1] for part in near]))
        place = parts.index(near[0]) if near else len(parts)
        parts = [part for part in parts if part not in near]
        parts.insert(place, merged)
    return parts


def pieces_of(answer, body, whole):
    """The parts of a body, as far as it came: (first, last, length of the file, bytes)."""
    boundary = BOUNDARY.fullmatch(answer.field("Content-Type") or "")
    if not boundary:
        raise Failure("206 with Content-Type %r" % answer.field("Content-Type"))
    delimiter = b"--" + boundary[1].encode()
    head = re.compile(re.escape(delimiter) + rb"\r\nContent-Type: [^\r\n]+\r\n"
                      rb"Content-Range: bytes (\d+)-(\d+)/(\d+)\r\n\r\n")
    found, at = [], 0
    for match in iter(lambda: head.match(body, at), None):
        first, last, total = map(int, match.groups())
        found.append((first, last, total, body[match.end():match.end() + last - first + 1]))
        at = match.end() + last - first + 1 + len("\r\n")
    if whole and body[max(0, at - 2):] != b"\r\n" + delimiter + b"--\r\n":
        raise Failure("206 whose parts end with %r" % body[max(0, at - 2):][:100])
    return found
