"""A client made of one raw socket, which trusts nothing.

It sends exactly the bytes that it is given, and reads responses with a strict parser: what a lenient
client would accept is a failure here.
"""

import re
import socket
import time

STATUS_LINE = re.compile(rb"HTTP/1\.1 ([1-5][0-9][0-9]) ([\x21-\x7e][\x20-\x7e]*)$")
FIELD_LINE = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+): ([\x21-\x7e\x80-\xff](?:[\t\x20-\x7e\x80-\xff]*[\x21-\x7e\x80-\xff])?)?$")
HEAD_BYTES_MAX = 16384


class Failure(Exception):
    """What was expected and what came."""


class Skip(Exception):
    """Why a test cannot be made on this machine: it counts as skipped, neither as passed nor as failed."""


class Cut(Failure):
    """The connection ended before the answer did. `received` is what came of it."""

    def __init__(self, text, received=b""):
        super().__init__(text)
        self.received = received


def shown(what):
    """Bytes or anything else, short enough for one line of a report."""
    text = repr(what)
    return text if len(text) <= 400 else "%s… (%d characters)" % (text[:400], len(text))


def expect(what, expected, got):
    if expected != got:
        raise Failure("%s: expected %s, got %s" % (what, shown(expected), shown(got)))


def expect_content(what, expected, got):
    """Compares long stretches of bytes, and tells where they part."""
    if expected == got:
        return
    at = next((i for i, (a, b) in enumerate(zip(expected, got)) if a != b),
              min(len(expected), len(got)))
    raise Failure("%s: expected %d bytes, got %d; at %d expected %r, got %r" % (
        what, len(expected), len(got), at, expected[at:at + 32], got[at:at + 32]))


class Answer:
    def __init__(self, head):
        self.head = head
        self.content = b""
        self.asked_at = None  # the time, as far as it is known
        lines = head[:-4].split(b"\r\n")
        match = STATUS_LINE.match(lines[0])
        if not match:
            raise Failure("not a status line: %s" % shown(lines[0]))
        self.status, self.phrase = int(match[1]), match[2].decode()
        self.fields, self._values = [], {}
        for line in lines[1:]:
            match = FIELD_LINE.match(line)
            if not match:
                raise Failure("not a field line: %s" % shown(line))
            name, value = match[1].decode(), (match[2] or b"").decode("latin-1")
            self.fields.append((name, value))
            self._values.setdefault(name.lower(), []).append(value)

    @property
    def raw(self):
        return self.head + self.content

    def values(self, name):
        """The values of the field's lines."""
        return self._values.get(name.lower(), [])

    def field(self, name):
        """The field's value, lines joined as a list; None when there is none."""
        values = self.values(name)
        return ", ".join(values) if values else None

    def closes(self):
        members = (self.field("Connection") or "").lower().split(",")
        return "close" in [member.strip() for member in members]

    def length(self, head_only):
        """How many bytes of content follow the head (RFC 9112 §6.3)."""
        if head_only or self.status in (204, 304) or self.status < 200:
            return 0
        value = self.field("Content-Length")
        if value is None or not re.match("[0-9]+$", value):
            raise Failure("Content-Length of a %d is %r" % (self.status, value))
        return int(value)


class Client:
    """One connection. `address` is what socket.connect() takes: a pair, or a Unix path."""

    def __init__(self, address, timeout, receive_bytes=None):
        if isinstance(address, str):
            self.socket = socket.socket(socket.AF_UNIX)
        else:
            self.socket = socket.socket(socket.AF_INET6 if ":" in address[0] else socket.AF_INET)
            self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if receive_bytes:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
        self.timeout = timeout
        self.socket.settimeout(timeout)
        self.buffer = b""
        self.asked_at, self.answered = None, True
        try:
            self.socket.connect(address)
        except OSError:
            self.socket.close()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.socket.close()

    def reset(self):
        """Closes so that the peer is sent a reset."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        self.socket.close()

    def send(self, what):
        if self.answered:  # else the next answer may be one that was asked for before
            self.asked_at, self.answered = time.time(), False
        self.socket.sendall(what if isinstance(what, bytes) else what.encode("latin-1"))

    def half_close(self):
        self.socket.shutdown(socket.SHUT_WR)

    def receive(self, most=65536):
        """At least one byte more in the buffer; false at the end."""
        try:
            more = self.socket.recv(most)
        except socket.timeout:
            raise Failure("nothing came for %.1f s; %s before that" % (
                self.timeout, shown(self.buffer))) from None
        self.buffer += more
        return len(more) > 0

    def answer_head(self):
        while b"\r\n\r\n" not in self.buffer:
            if len(self.buffer) > HEAD_BYTES_MAX:
                raise Failure("a head without end: %s" % shown(self.buffer))
            if not self.receive():
                raise Cut("the connection ended where an answer was expected, after %s"
                          % shown(self.buffer), self.buffer)
        head, self.buffer = self.buffer.split(b"\r\n\r\n", 1)
        answer = Answer(head + b"\r\n\r\n")
        answer.asked_at, self.answered = self.asked_at, True
        return answer

    def answer(self, head_only=False):
        """The next answer, whole. `head_only`: it answers a HEAD."""
        answer = self.answer_head()
        length = answer.length(head_only)
        parts, have = [self.buffer], len(self.buffer)
        while have < length:
            self.buffer = b""
            if not self.receive():
                raise Cut("the connection ended after %d of %d bytes of content" % (have, length),
                          b"".join(parts))
            parts.append(self.buffer)
            have += len(self.buffer)
        whole = b"".join(parts)
        answer.content, self.buffer = whole[:length], whole[length:]
        return answer

    def get(self, target, *fields):
        """One GET and its answer."""
        self.send(get(target, *fields))
        return self.answer()

    def expect_end(self):
        """The peer finishes, and nothing more comes before that."""
        while self.receive():
            pass
        if self.buffer:
            raise Failure("expected the end of the connection, got %s" % shown(self.buffer))

    def drain(self):
        """Everything up to the end or a reset."""
        try:
            while self.receive():
                pass
        except ConnectionResetError:
            pass
        rest, self.buffer = self.buffer, b""
        return rest


def request(method, target, *fields, body="", version="HTTP/1.1", host="Host: test"):
    """The bytes of one request, as text."""
    lines = ["%s %s %s" % (method, target, version)] + ([host] if host else []) + list(fields)
    return "".join(line + "\r\n" for line in lines) + "\r\n" + body


def get(target, *fields):
    return request("GET", target, *fields)


def wait_until(what, true, seconds, step=0.005):
    """Waits until `true()` is, and gives its value; fails after `seconds`."""
    deadline = time.monotonic() + seconds
    while True:
        value = true()
        if value:
            return value
        if time.monotonic() > deadline:
            raise Failure("waited %.1f s in vain: %s" % (seconds, what))
        time.sleep(step)
