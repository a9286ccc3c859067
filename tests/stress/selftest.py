"""Checks the judge: right responses pass, and each kind of wrong response does not."""

from client import Answer, Failure
from content import Timeline, content
from disk import Page
from judge import Arrival, Judge
from plan import Request

LENGTH = 100000


def stage(**more):
    """A page whose version 1 was replaced by version 2 between the times 20 and 21."""
    timeline = Timeline("re100k", LENGTH, **more)
    for began, ended in ((10, 11), (20, 21)):
        timeline.begin(began, LENGTH)
        timeline.completed(ended)
    return Page("/re/100k", "100k", {"": timeline})


def judged(page, body, sent, headed, status=200, judge=None, fields=(), **asked):
    """The Failure that a response to a GET is judged with, or None."""
    request = Request("GET", page.target, page)
    for name, value in asked.items():
        setattr(request, name, value)
    lines = ["HTTP/1.1 %d X" % status, "Server: x", "Date: x", "Content-Length: %d" % len(body), *fields]
    answer = Answer(("\r\n".join(lines) + "\r\n\r\n").encode())
    try:
        (judge or Judge()).judge(request, Arrival(answer, body, sent, headed, headed))
    except Failure as failure:
        return failure
    return None


SEVERAL = [(100, 199), (0, 63), (200, 209), (None, 1)]


def several(page, *pieces, parts=((100, 209), (0, 63), (LENGTH - 1, LENGTH - 1)), end=b"--\r\n"):
    """Judged: a response to SEVERAL that has these parts of these contents."""
    heads = [b"--b\r\nContent-Type: x/y\r\nContent-Range: bytes %d-%d/%d\r\n\r\n" % (first, last, LENGTH)
             for first, last in parts]
    body = b"".join(head + piece[first:last + 1] + b"\r\n" for head, piece, (first, last) in zip(
        heads, pieces, parts)) + b"--b" + end
    return judged(page, body, 22, 23, 206, ranges=SEVERAL, fields=["Content-Type: multipart/byteranges; boundary=b"])


def parts_wrong(page, one, two):
    changed = bytearray(two)
    changed[205] ^= 1
    return {
        "several parts of the old one": several(page, one, one, one),
        "several parts of two versions": several(page, two, one, two),
        "several parts, one byte": several(page, bytes(changed), two, two),
        "several parts in another order": several(page, two, two, two, parts=(
            (0, 63), (100, 209), (LENGTH - 1, LENGTH - 1))),
        "several parts, not merged": several(page, two, two, two, two, parts=(
            (100, 199), (0, 63), (200, 209), (LENGTH - 1, LENGTH - 1))),
        "several parts, one missing": several(page, two, two, parts=((100, 209), (0, 63))),
        "several parts, no end": several(page, two, two, two, end=b"\r\n"),
        "several parts, more behind": several(page, two, two, two, end=b"--\r\nx"),
        "the whole for several parts": judged(page, two, 22, 23, ranges=SEVERAL),
        "416 for several parts": judged(page, b"", 22, 23, 416, ranges=SEVERAL, fields=[
            "Content-Range: bytes */%d" % LENGTH]),
        "a part that is another": judged(page, two[100:200], 22, 23, 206, ranges=[(101, 200)], fields=[
            "Content-Range: bytes 101-200/%d" % LENGTH]),
        "a part of the old one": judged(page, one[100:200], 22, 23, 206, ranges=[(100, 199)], fields=[
            "Content-Range: bytes 100-199/%d" % LENGTH]),
        "the whole for a part": judged(page, two, 22, 23, ranges=[(100, 199)]),
    }


def selftest():
    """What the judge did not see, or saw wrongly: lines of text."""
    page, torn = stage(), stage(torn=True)
    one, two = (content("re100k", version, LENGTH) for version in (1, 2))
    half = one[:50000] + two[50000:]
    learned = Judge()
    tagged = ['ETag: "a"']
    wrong = {
        **parts_wrong(page, one, two),
        "stale": judged(page, one, 22, 23),
        "from the future": judged(page, two, 12, 13),
        "two versions": judged(page, half, 19, 22),
        "two versions long after": judged(torn, half, 22, 23),
        "shifted": judged(page, two[32:] + two[:32], 22, 23),
        "another file's": judged(page, content("in100k", 2, LENGTH), 22, 23),
        "one byte": judged(page, two[:77777] + b"?" + two[77778:], 22, 23),
        "one byte in a torn file": judged(torn, two[:77777] + b"?" + two[77778:], 19, 22),
        "shorter than the file": judged(page, two[:-1], 22, 23),
        "absent": judged(page, b"", 22, 23, status=404),
        "one tag for two": judged(page, one, 12, 13, judge=learned, fields=tagged) or
                           judged(page, two, 22, 23, judge=learned, fields=tagged),
        "304 for what was replaced": judged(page, b"", 22, 23, 304, learned, tagged,
                                            condition=("none_match", '"a"')),
        "two tags for one": judged(page, two, 22, 23, judge=learned, fields=['ETag: "b"']) or
                            judged(page, two, 24, 25, judge=learned, fields=['ETag: "c"']),
        "412 for what is there": judged(page, b"", 24, 25, 412, learned,
                                        condition=("match", '"b"')),
        "a close that was not asked for": judged(page, two, 22, 23, fields=["Connection: close"]),
    }
    right = {
        "the old one": judged(page, one, 12, 13),
        "the old one while it is replaced": judged(page, one, 20.5, 23),
        "the new one while it is replaced": judged(page, two, 12, 20.5),
        "both in a torn file": judged(torn, half, 19, 22),
        "a part": judged(page, two[100:200], 22, 23, 206, ranges=[(100, 199)], fields=[
            "Content-Range: bytes 100-199/%d" % LENGTH]),
        "several parts": several(page, two, two, two),
        "the whole for more bytes than there are": judged(page, two, 22, 23, ranges=[(0, None), (5, 5)]),
        "416 for ranges beyond the end": judged(page, b"", 22, 23, 416, ranges=[(LENGTH, None), (LENGTH + 5, None)],
                                                fields=["Content-Range: bytes */%d" % LENGTH]),
        "304": judged(page, b"", 12, 13, 304, learned, tagged, condition=("none_match", '"a"')),
    }
    failed = ["let pass: " + name for name, failure in wrong.items() if failure is None]
    return failed + ["took for wrong: %s: %s" % (name, failure)
                     for name, failure in right.items() if failure is not None]
