"""Contents that say where they come from, and the history of what was on disk.

A content is made of records of 32 bytes: the name of the file, the number of its version, the offset.
So a response that is shifted, cut, doubled, stale, or made of two versions shows this in every record.

A Timeline is the history of one file: its states, each with the time from which a reader may have seen
it, the time from which it was complete, and the time after which nobody can find it any more. All times
are from time.monotonic(), taken before a call that begins something and after a call that ends it. So
when they are not exact, it is in favour of the server.
"""

import bisect
import functools
import math

RECORD_BYTES = 32
PAGE_BYTES = 4096
FILE_MAX = 256 * 1024  # cache.file_max: larger files leave by sendfile, from what is on disk then
REMEMBERED_SECONDS = 180
PLACES = bytes(range(1, 9))  # where the eight digits of the version go


@functools.lru_cache(maxsize=64)
def _template(name, length):
    head = name.encode().ljust(8, b".") + b" " + PLACES + b" "
    count = -(-length // RECORD_BYTES)
    text = ((head + b"%013d\n") * count) % tuple(range(0, count * RECORD_BYTES, RECORD_BYTES))
    return text[:length]


@functools.lru_cache(maxsize=96)
def content(name, version, length):
    """`length` bytes of one version of a file."""
    return _template(name, length).translate(
        bytes.maketrans(PLACES, b"%08d" % version))


def told(body, offset):
    """What the record says that covers `offset` of a body that begins at a record; for a report."""
    at = offset - offset % RECORD_BYTES
    return "%r" % bytes(body[at:at + RECORD_BYTES])


class State:
    """One version of a file, or (version None) that there is none."""

    def __init__(self, version, length, since):
        self.version, self.length, self.since = version, length, since
        self.whole = self.until = math.inf

    def lengths_allow(self, length, sent):
        """Whether a request that was sent at `sent` may have found the file this long."""
        return length == self.length or (self.whole > sent and length < self.length)

    def shown(self, now):
        what = "absent" if self.version is None else "version %d (%d bytes)" % (self.version,
                                                                             self.length)
        until = "" if self.until == math.inf else ", until %+.4f s" % (self.until - now)
        return "%s since %+.4f s%s" % (what, self.since - now, until)


class Timeline:
    """The history of one file. `torn`: it is written in place, so readers may see versions mixed."""

    def __init__(self, name, length, torn=False, shrinks=False):
        self.name, self.length, self.torn, self.shrinks = name, length, torn, shrinks
        self.states = [State(None, 0, -math.inf)]
        self.version = 0

    def begin(self, now, length=None):
        """From `now` on a new version may be seen. Its length and number; None: the file goes away."""
        if length is not None:
            self.version += 1
        state = State(None if length is None else self.version, length or 0, now)
        self.states.append(state)
        return state

    def replaced(self, now):
        """From `now` on what was there before the newest state cannot be found any more."""
        at = len(self.states) - 2
        while at >= 0 and self.states[at].until == math.inf:
            self.states[at].until = now
            at -= 1
        if self.states[0].until < now - 2 * REMEMBERED_SECONDS:
            del self.states[:bisect.bisect_left([each.until for each in self.states],
                                                now - REMEMBERED_SECONDS)]

    def completed(self, now):
        """The newest state is whole, and nothing else can be found."""
        self.states[-1].whole = now
        self.replaced(now)

    def between(self, first, last):
        """The states that a reader may have met between two times."""
        found = []
        for state in reversed(self.states):
            if state.until < first:
                break
            if state.since <= last:
                found.append(state)
        return found

    def only(self, first, last):
        """The one state in force, whole, for all of that time; or None."""
        found = self.between(first, last)
        return found[0] if len(found) == 1 and found[0].whole <= first else None

    def bytes_of(self, state):
        return content(self.name, state.version, state.length)


def slice_of(timeline, state, offset, length):
    whole = timeline.bytes_of(state)
    return whole if offset == 0 and length == len(whole) else whole[offset:offset + length]


def mixed(body, parts):
    """None when each byte of the body is that of one of the parts; else the offset of one that is not."""
    for at in range(0, len(body), PAGE_BYTES):
        page = body[at:at + PAGE_BYTES]
        if any(part[at:at + PAGE_BYTES] == page for part in parts):
            continue
        for i in range(at, at + len(page)):
            if not any(part[i:i + 1] == body[i:i + 1] for part in parts):
                return i
    return None


def differs_at(body, expected):
    return next((i for i, (a, b) in enumerate(zip(body, expected)) if a != b),
                min(len(body), len(expected)))
