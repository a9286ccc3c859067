"""gunicorn's collection of requests (tests/requests): those that a server must understand, and those that it must
refuse. Where one of HTTP/1.1 has no Host, which RFC 9112 §3.2 wants, it is given one, so that it shows what it is for.

What needs an option of gunicorn's is left out. Each other request must be understood or refused as it says there, or
stand in DIFFERENCES with the clause that justifies ours.
"""

import glob
import os
import re
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.append(os.path.join(HERE, "..", "integration"))

# pylint: disable=wrong-import-position
from client import Failure, Skip, shown
from harness import Server

# Understood: the method may be none for files, and there is nothing at these addresses.
UNDERSTOOD = (200, 204, 206, 301, 403, 404, 405, 501)
REFUSED = (400, 414, 431, 501, 505)
HOSTLESS = rb"([!-~\x80-\xff]+ [^\r\n]* HTTP/1\.1\r\n)(?!(?:[^\r\n]+\r\n)*(?i:Host):)"
LIMITS = "RFC 9112 §3, RFC 9110 §5.4: limits are the server's own; a target may have 8,000 octets at least"
DIFFERENCES = {
    "invalid/006": LIMITS, "invalid/007": LIMITS, "invalid/008": LIMITS, "invalid/017": LIMITS,
    "valid/005": "RFC 9110 §4.2.5: a fragment is not part of a target",
    "valid/013": "RFC 9112 §7.1.1 allows white space before the name of an extension; README.md says that it is refused",
    "valid/099": "RFC 9112 §8: the content is shorter than its Content-Length says",
}


def bytes_of(path):
    """The request that a file stands for: line ends and a few more octets are written as backslash sequences."""
    with open(path, "rb") as file:
        text = file.read()
    for written, meant in ((b"\n", b""), (b"\\r\\n", b"\r\n"), (b"\\0", b"\0"), (b"\\n", b"\n"), (b"\\t", b"\t")):
        text = text.replace(written, meant)
    return text


def with_host(stream, count):
    """Gives Host to the first request, and to each other one where there are several."""
    given = re.sub(rb"\A" + HOSTLESS, rb"\1Host: test\r\n", stream)
    return re.sub(rb"(?<=\r\n)" + HOSTLESS, rb"\1Host: test\r\n", given) if count > 1 else given


def cases(source):
    """(name, stream, how many requests are to be understood; 0: it is to be refused)"""
    for path in sorted(glob.glob(os.path.join(source, "tests", "requests", "*", "*.http"))):
        with open(path[:-len("http")] + "py", encoding="utf-8") as file:
            told = file.read()
        if ".set(" in told:
            continue
        valid = os.path.basename(os.path.dirname(path)) == "valid"
        count = (len(re.findall(r"^req\d+ =", told, re.M)) or 1) if valid else 0
        name = "/".join(path.split(os.sep)[-2:])[:-len(".http")]
        yield name, with_host(bytes_of(path), count), count


def answers(server, stream):
    """All that comes back when nothing more is sent."""
    found = []
    with server.client() as client:
        client.send(stream)
        client.half_close()
        while client.receive():
            pass
        while client.buffer:
            found.append(client.answer())
    return found


def problem_of(got, count):
    """Why these are not the answers to so many requests; None: they are."""
    statuses = [each.status for each in got]
    if count == 0:
        good = not got or (len(got) == 1 and statuses[0] in REFUSED and got[0].closes())
        return None if good else "it was not refused: %s" % statuses
    good = len(got) == count and all(each in UNDERSTOOD for each in statuses)
    return None if good else "not %d answers, but %s" % (count, statuses)


def run(tally, setting, model, source):
    found = list(cases(source))
    if len(found) < 50:
        raise Skip("only %d requests were found" % len(found))
    root = setting.place("gunicorn")
    with Server(setting, model, root) as server:
        for name, stream, count in found:
            try:
                problem = problem_of(answers(server, stream), count)
            except (Failure, OSError) as failure:
                problem = str(failure)
            said = "%s, of %s" % (problem, shown(stream)[:200])
            tally.judge("%s: gunicorn: %s" % (model, name), problem is None, said, DIFFERENCES.get(name))
