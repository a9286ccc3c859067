"""Reads the content of a 206 with several parts, multipart/byteranges (RFC 9110 §14.6): strictly, and what is not
long with Python's own reader of MIME messages too.
"""

import email
import email.policy
import re

from client import Failure, expect, expect_content

MULTIPART = re.compile("multipart/byteranges; boundary=([0-9A-Za-z'()+_,./:=?-]{1,70})")
MESSAGE_BYTES_MAX = 100000  # Python's reader takes a second for some megabytes
PART_LINE = re.compile(rb"([A-Za-z-]+): ([\x21-\x7e]|[\x21-\x7e][\x20-\x7e]*[\x21-\x7e])")


def check_parts(label, want, answer):
    """Reads multipart/byteranges (RFC 2046 §5.1.1), strictly: no preamble, no epilogue, each part as it is due."""
    delimiter = b"\r\n--" + MULTIPART.fullmatch(answer.field("Content-Type"))[1].encode()
    first, *pieces, last = (b"\r\n" + answer.content).split(delimiter)
    expect("%s: before the first part" % label, b"", first)
    expect("%s: behind the last part" % label, b"--\r\n", last)
    expect("%s: parts" % label, len(want), len(pieces))
    for number, (piece, (fields, whole)) in enumerate(zip(pieces, want), 1):
        head, blank, got = piece.partition(b"\r\n\r\n")
        here = "%s: part %d" % (label, number)
        lines = [PART_LINE.fullmatch(line) for line in head.split(b"\r\n")[1:]]
        if not blank or not head.startswith(b"\r\n") or not all(lines):
            raise Failure("%s: its head is %r" % (here, piece[:300]))
        found = {line[1].decode(): line[2].decode() for line in lines}
        expect("%s: fields" % here, sorted(fields), sorted(found))
        expect("%s: Content-Range" % here, fields["Content-Range"], found["Content-Range"])
        if fields["Content-Type"]:
            expect("%s: Content-Type" % here, fields["Content-Type"], found["Content-Type"])
        expect_content(here, whole, got)
    if len(answer.content) <= MESSAGE_BYTES_MAX:
        check_message(label, want, answer)


def message_read(kind, content):
    head = "Content-Type: %s\r\n\r\n" % kind
    return email.message_from_bytes(head.encode("latin-1") + content, policy=email.policy.HTTP)


def check_message(label, want, answer):
    """The same, as Python's reader of MIME messages sees it."""
    message = message_read(answer.field("Content-Type"), answer.content)
    expect("%s: defects" % label, [], message.defects)
    expect("%s: parts of the message" % label, [fields["Content-Range"] for fields, _ in want],
           [each["Content-Range"] for each in message.get_payload()])
    for (_, whole), got in zip(want, message.get_payload()):
        expect_content("%s: part of the message" % label, whole, got.get_payload(decode=True))
