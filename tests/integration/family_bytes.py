"""Families with each byte in each place of request line, field lines and chunks: in place of the one that belongs
there, or put between two.
"""

from client import request
from families import family
from rows import PROBE
from sample import bytes_at

NEXT = PROBE.encode()


def replaced(text, begin=0, end=None):
    """The text with each other byte in each place from `begin` to `end`; a request follows it."""
    for at in range(begin, len(text) if end is None else end):
        for byte in bytes_at("in %r at %d" % (text, at)):
            if byte != text[at]:
                yield text[:at] + bytes([byte]) + text[at + 1:] + NEXT


def inserted(text, begin=0, end=None):
    """The text with each byte put into each place."""
    for at in range(begin, len(text) + 1 if end is None else end):
        for byte in bytes_at("into %r at %d" % (text, at)):
            yield text[:at] + bytes([byte]) + text[at:] + NEXT


PLAIN = b"GET /a.txt HTTP/1.1\r\nHost: test\r\nX-Y: z\r\n\r\n"
LINE_LENGTH = PLAIN.index(b"\r\n")
CHUNKS = "3;x=y\r\nabc\r\n0\r\nT: u\r\n\r\n"


def line_of(name, line, method="GET", body=""):
    """A request with this field line: its bytes, and where the line is."""
    text = request(method, "/a.txt", line, body=body).encode("latin-1")
    at = text.index(name.encode())
    return text, at, at + len(line) + len("\r\n")


def in_line(name, line, method, body):
    return lambda: replaced(*line_of(name, line, method, body))


def in_value(name, line):
    """From the colon on; bytes in names are in the families before."""
    text, begin, end = line_of(name, line)
    return lambda: replaced(text, begin + len(name), end)


def in_content(change, line, body):
    text, _, end = line_of(line.split(":")[0], line, "POST", body)
    return lambda: change(text, end + len("\r\n"))


family("RFC 9112 §3, §3.1, §3.2, §2.3, §2.2, RFC 9110 §9.1", "each byte in each place of a request line",
       lambda: replaced(PLAIN, 0, LINE_LENGTH + 2))
family("RFC 9112 §3, §3.1, §3.2, §2.3, §2.2", "each byte put into each place of a request line",
       lambda: inserted(PLAIN, 0, LINE_LENGTH + 2))
family("RFC 9112 §5, §5.1, §5.2, §2.2, §11.2, RFC 9110 §5.1, §5.5, §7.2", "each byte in each place of field lines",
       lambda: replaced(PLAIN, LINE_LENGTH + 2))
family("RFC 9112 §5, §5.1, §5.2, §2.2, §11.2, RFC 9110 §5.1, §5.5", "each byte put into each place of field lines",
       lambda: inserted(PLAIN, LINE_LENGTH + 2))
family("RFC 9112 §6.2, §6.3, §11.2, RFC 9110 §8.6", "each byte in each place of Content-Length",
       in_line("Content-Length", "Content-Length: 3", "POST", "abc"))
family("RFC 9112 §6.1, §6.3, §11.2", "each byte in each place of Transfer-Encoding",
       in_line("Transfer-Encoding", "Transfer-Encoding: chunked", "POST", "3\r\nabc\r\n0\r\n\r\n"))
family("RFC 9112 §7.1, §7.1.1, §7.1.2, §7.1.3", "each byte in each place of chunks",
       in_content(replaced, "Transfer-Encoding: chunked", CHUNKS))
family("RFC 9112 §7.1, §7.1.1, §7.1.2, §7.1.3", "each byte put into each place of chunks",
       in_content(inserted, "Transfer-Encoding: chunked", CHUNKS))
family("RFC 9112 §9.3, §9.6, RFC 9110 §7.6.1, §5.6.1", "each byte in each place behind Connection",
       in_value("Connection", "Connection: a, close"))
family("RFC 9110 §14.1.1, §14.1.2, §14.2", "each byte in each place behind Range", in_value("Range", "Range: bytes=12-345"))
family("RFC 9110 §10.1.1, §15.5.18", "each byte in each place behind Expect",
       in_value("Expect", "Expect: 100-continue"))
