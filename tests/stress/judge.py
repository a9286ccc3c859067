"""Says whether the server may have sent a response, given what was on disk meanwhile.

A response is judged by three times: before the last byte of the request was sent, after the head of the
response had come, and after all of it had come. The file was looked up between the first two. A small
file was also read then, so its content is one version (or, when the file is written in place, a mixture
of the versions of that time). A large file is read while it is sent.
"""

import re

from client import Failure
from content import FILE_MAX, RECORD_BYTES, differs_at, mixed, slice_of, told
from disk import CODINGS
from ranges import due, pieces_of

CONTENT_RANGE = re.compile(r"bytes (\d+)-(\d+)/(\d+)$")
UNSATISFIED = re.compile(r"bytes \*/(\d+)$")
TELLING_BYTES = RECORD_BYTES  # shorter contents may be the same in two versions
STRONG = re.compile(r'"[!-~]+"$')
ABSENT = (404, 403)


class Arrival:
    """A response: its head (client.Answer), its content, and the times it is judged by."""

    def __init__(self, answer, body, sent, headed, ended, whole=True):
        self.answer, self.body, self.whole = answer, body, whole
        self.sent, self.headed, self.ended = sent, headed, ended


class Tags:
    """Which version an entity-tag stood for: never two, and a small file's never changes."""

    def __init__(self):
        self.versions = {}  # (target, coding, tag): version
        self.of_version = {}  # (target, coding): (version, tag), the newest
    def newest(self, target, coding):
        return self.of_version.get((target, coding), (None, None))[1]

    def version(self, target, coding, tag):
        return self.versions.get((target, coding, tag))

    def learn(self, target, coding, tag, version, small):
        known = self.versions.setdefault((target, coding, tag), version)
        if known != version:
            raise Failure("one entity-tag %s for versions %d and %d" % (tag, known, version))
        newest, before = self.of_version.get((target, coding), (-1, None))
        if small and newest == version and before != tag:
            raise Failure("version %d had the entity-tag %s, now %s" % (version, before, tag))
        if version >= newest:
            self.of_version[target, coding] = (version, tag)


class Judge:
    """`in_memory_max`: files up to this length are surely sent from memory."""

    def __init__(self, in_memory_max=FILE_MAX):
        self.in_memory_max = in_memory_max
        self.tags = Tags()
        self.stopping = False  # then the server closes after any response
        self.bytes = self.mixtures = self.responses = 0

    def judge(self, request, arrival):
        """Raises Failure when the server may not have answered so."""
        answer = arrival.answer
        self.responses += 1
        self.bytes += len(arrival.body)
        self._head(request, answer)
        if request.status:
            if answer.status not in request.status:
                raise Failure("status %d, not %s" % (answer.status, request.status))
            return
        check = {200: self._whole, 206: self._part, 304: self._not_modified,
                 412: self._failed, 416: self._unsatisfied}.get(answer.status)
        if answer.status in ABSENT:
            self._absent(request.page.original, arrival)
        elif check is None:
            raise Failure("status %d" % answer.status)
        elif answer.status in (200, 206):
            coding = answer.field("Content-Encoding") or ""
            if coding not in request.codings:
                raise Failure("content coding %r was not asked for" % coding)
            check(request, arrival, request.page.timelines[coding], coding)
            self._coding(request, arrival, coding)
        else:
            self._any_coding(check, request, arrival)

    @staticmethod
    def _any_coding(check, request, arrival):
        """A response without content does not say which of them was meant."""
        failures = []
        for coding in request.codings:
            try:
                check(request, arrival, request.page.timelines[coding], coding)
                return
            except Failure as failure:
                failures.append(failure)
        raise failures[0]

    def _head(self, request, answer):
        for name in ("Content-Length", "Date", "Server", "Content-Type", "ETag"):
            count = sum(key == name for key, _ in answer.fields)
            if count > 1 or count < 1 and name in ("Date", "Server"):
                raise Failure("%d field lines %s" % (count, name))
        if answer.closes() != request.closes and not (self.stopping and answer.closes()):
            raise Failure("Connection: %s" % answer.field("Connection"))

    # ---- the kinds of responses ------------------------------------------------------------------

    def _whole(self, request, arrival, timeline, coding):
        total = int(arrival.answer.field("Content-Length") or -1)
        if request.method != "HEAD":
            if arrival.whole and len(arrival.body) != total:
                raise Failure("%d of %d bytes" % (len(arrival.body), total))
            self._content(timeline, arrival, [(0, arrival.body)], total)
        else:
            self._candidates(timeline, arrival, total)
        self._learn(request, arrival, timeline, coding)
        only = timeline.only(arrival.sent, arrival.headed)
        kind, tag = request.condition
        version = self.tags.version(request.target, coding, tag)
        if only and kind == "none_match" and version == only.version:
            raise Failure("200, but If-None-Match has the entity-tag of version %d" % version)
        if kind == "match" and not self._was_there(timeline, arrival, version):
            raise Failure("200, but If-Match has %s of version %s" % (tag, version))
        if kind == "since":
            raise Failure("200 of a file that was not modified since")
        if only and request.ranges and request.method == "GET" and self._range_holds(request, only, version):
            if due(request.ranges, only.length):
                raise Failure("200, but ranges %s are satisfiable" % (request.ranges,))

    def _range_holds(self, request, only, version):
        return request.condition[0] != "if_range" or version == only.version

    def _part(self, request, arrival, timeline, coding):
        pieces = self._pieces(arrival)
        if not request.ranges:
            raise Failure("206 with Content-Range %r" % arrival.answer.field("Content-Range"))
        for _, _, total, _ in pieces[:1]:
            wanted = due(request.ranges, total) or []
            found = [(first, last) for first, last, _, _ in pieces]
            if {piece[2] for piece in pieces} != {total} or wanted[:len(found)] != found or (
                    arrival.whole and wanted != found):
                raise Failure("206 with %s of %d, not %s" % (found, total, wanted))
            self._content(timeline, arrival, [(first, body) for first, _, _, body in pieces], total)
        kind, tag = request.condition
        version = self.tags.version(request.target, coding, tag)
        if kind == "if_range" and not self._was_there(timeline, arrival, version):
            raise Failure("206, but If-Range has %s of version %s" % (tag, version))

    @staticmethod
    def _pieces(arrival):
        """(first, last, length of the file, bytes) of each part: of one, or of as many as came."""
        match = CONTENT_RANGE.match(arrival.answer.field("Content-Range") or "")
        if not match:
            return pieces_of(arrival.answer, arrival.body, arrival.whole)
        first, last, total = map(int, match.groups())
        length = int(arrival.answer.field("Content-Length") or -1)
        if length != last - first + 1:
            raise Failure("206 with Content-Length %d" % length)
        return [(first, last, total, arrival.body)]

    def _not_modified(self, request, arrival, timeline, coding):
        kind, tag = request.condition
        if kind == "since":
            return
        if kind != "none_match" or arrival.answer.field("ETag") != tag:
            raise Failure("304 with entity-tag %s" % arrival.answer.field("ETag"))
        version = self.tags.version(request.target, coding, tag)
        if not self._was_there(timeline, arrival, version):
            raise Failure("304 for %s of version %s; %s" % (tag, version,
                                                        self._story(timeline, arrival)))

    def _failed(self, request, arrival, timeline, coding):
        kind, tag = request.condition
        only = timeline.only(arrival.sent, arrival.headed)
        version = self.tags.version(request.target, coding, tag)
        if kind != "match" or only and version == only.version:
            raise Failure("412, but If-Match has %s of version %s" % (tag, version))

    def _unsatisfied(self, request, arrival, timeline, _):
        match = UNSATISFIED.match(arrival.answer.field("Content-Range") or "")
        if not match or not request.ranges or due(request.ranges, int(match[1])) != []:
            raise Failure("416 with Content-Range %r" % arrival.answer.field("Content-Range"))
        self._candidates(timeline, arrival, int(match[1]))

    def _absent(self, timeline, arrival):
        if not any(state.version is None for state in timeline.between(arrival.sent, arrival.headed)):
            raise Failure("status %d; %s" % (arrival.answer.status, self._story(timeline, arrival)))

    def _coding(self, request, arrival, coding):
        """The original is no answer to who accepts a sidecar that was there all the time."""
        for other in request.codings:
            timeline = request.page.timelines[other]
            only = timeline.only(arrival.sent, arrival.headed)
            if coding == "" and other and only and only.version is not None:
                raise Failure("the original, not %s; %s" % (CODINGS[other],
                                                          self._story(timeline, arrival)))

    # ---- what was on disk ------------------------------------------------------------------------

    @staticmethod
    def _was_there(timeline, arrival, version):
        return any(state.version == version
                   for state in timeline.between(arrival.sent, arrival.headed))

    def _candidates(self, timeline, arrival, total):
        found = [state for state in timeline.between(arrival.sent, arrival.headed)
                 if state.version is not None and state.lengths_allow(total, arrival.sent)]
        if not found:
            raise Failure("a file of %d bytes; %s" % (total, self._story(timeline, arrival)))
        return found

    def _content(self, timeline, arrival, pieces, total):
        """All pieces, (offset, bytes), are of one version; of a file that is torn each may be a mixture."""
        found = self._candidates(timeline, arrival, total)
        for state in found:
            if all(slice_of(timeline, state, offset, len(body)) == body for offset, body in pieces):
                return
        self.mixtures += timeline.torn
        for offset, body in pieces:
            self._mixture(timeline, arrival, found, offset, body, total)

    def _mixture(self, timeline, arrival, found, offset, body, total):
        at = differs_at(body, slice_of(timeline, found[0], offset, len(body)))
        if timeline.torn:
            ended = arrival.ended if total > self.in_memory_max else arrival.headed
            at = mixed(body, [slice_of(timeline, state, offset, len(body))
                              for state in timeline.between(arrival.sent, ended) if state.version is not None])
        if at is not None:
            skip = -offset % RECORD_BYTES
            raise Failure("at %d of %d-%d/%d there is %s; %s" % (
                offset + at, offset, offset + len(body), total, told(body[skip:], max(0, at - skip)),
                self._story(timeline, arrival)))

    def _learn(self, request, arrival, timeline, coding):
        tag = arrival.answer.field("ETag")
        small = timeline.length <= FILE_MAX
        only = timeline.only(arrival.sent, arrival.ended)
        if only and only.length >= TELLING_BYTES and tag and STRONG.match(tag):
            self.tags.learn(request.target, coding, tag, only.version, small)

    @staticmethod
    def _story(timeline, arrival):
        """What was there around the time of the request; times are from when it was sent."""
        states = timeline.states
        at = max(0, len(states) - 1 - sum(state.until >= arrival.sent for state in states))
        story = "; ".join(state.shown(arrival.sent) for state in states[at:at + 5])
        return "head %+.4f s, end %+.4f s; on disk: %s" % (
            arrival.headed - arrival.sent, arrival.ended - arrival.sent, story)

    def may_have_shrunk(self, request, first, last):
        """Whether a file that is read while it is sent may have become shorter between two times."""
        timeline = request.page and request.page.original
        return bool(timeline and timeline.shrinks and timeline.length > self.in_memory_max and
                    len(timeline.between(first, last)) > 1)
