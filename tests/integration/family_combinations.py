"""The family of method × resource × precondition × range × coding. Another value of one of them is one more entry of
its table; what is due to it is in origin.py.
"""

import itertools

from client import request
from families import family
from sample import some

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
    ("Range: bytes=0-9", "If-Range: " + LATER),
    ("Range: bytes=0-9,20-29",), ("Range: bytes=-5,20-24,0-9,25-29,5-14",), ("Range: bytes=0-0,9999999-,2-2,-0",),
    ("Range: bytes=9999999-,-0",), ("Range: bytes=0-99,-100,0-",), ("Range: bytes=0-9,5-4",),
    ("Range: bytes=" + ",".join("%d-%d" % (at, at + 1) for at in range(0, 64, 4)),),
    ("Range: bytes=" + ",".join("%d-%d" % (at, at + 1) for at in range(0, 68, 4)),),
    ("Range: bytes=20-29,0-9", "If-Range: <tag>"), ("Range: bytes=20-29,0-9", "If-Range: <date>"),
    ("Range: bytes=20-29,0-9", 'If-Range: "x"'))
CODINGS = ((), ("Accept-Encoding: gzip",), ("Accept-Encoding: br, gzip;q=0.5",), ("Accept-Encoding: *;q=0",),
           ("Accept-Encoding: identity, gzip;q=0.5",))
READING = ("GET", "HEAD")
OTHERS = ("OPTIONS", "POST", "DELETE", "PUT")


def combinations():
    """(method, resource, field lines…): all of files that are read, and enough of what does not depend on fields."""
    yield from itertools.product(READING, FILES, PRECONDITIONS, RANGES, CODINGS)
    yield from itertools.product(READING, OTHER_RESOURCES, PRECONDITIONS, RANGES[::3], CODINGS[::2])
    yield from itertools.product(OTHERS, FILES + OTHER_RESOURCES, PRECONDITIONS[::5], RANGES[::5], CODINGS[::2])


def combination_send(runner, combination):
    method, target, *fields = combination
    stream = request(method, target, *(line for group in fields for line in group)).encode("latin-1")
    if b"<" in stream:
        tag, date = runner.site.validators(target, fields[-1])
        stream = stream.replace(b"<tag>", tag).replace(b"<date>", date)
    runner.add(stream)


NAME = "method × resource × precondition × range × coding"
family("RFC 9110 §9.3.1, §9.3.2, §13.1.1, §13.1.2, §13.1.3, §13.1.4, §13.1.5, §13.2.1, §13.2.2, §14.1.2, §14.2, "
       "§14.6, §15.3.7.2, §12.5.3", NAME, lambda: some(NAME, combinations()), combination_send)
