"""Checks responses: every server gets each request once before it is measured.

Status, length, content and, where it was requested, the coding of each response are compared with the
files on disk. A server that answers wrongly is not measured.
"""

import gzip
from dataclasses import replace

from . import CannotRun, clients
from .site import COMPRESSED, NAMES_LISTED, name_listed

LINES_CHECKED = 64


def verify(server):
    """Returns the requests for this server, and the average bytes of a complete response."""
    requests = server.site.requests_of(server.work)
    with clients.Connection(server.port) as connection:
        if server.work.requests == "304":
            requests = replace(requests, fields=validators(server))
        sizes = [one_verify(server, connection, path, (*requests.fields, *fields))
                 for path, fields in lines_read(requests)]
    return requests, sum(sizes) / len(sizes)


def lines_read(requests):
    if requests.path is None:
        return [(requests.first, ())]
    with open(requests.path) as file:
        lines = [line.rstrip("\n").partition("\t") for _, line in zip(range(LINES_CHECKED), file)]
    return [(path, (field,) if field else ()) for path, _, field in lines]


def validators(server):
    """Returns the fields that a browser sends when it has the file already."""
    with clients.Connection(server.port) as connection:
        answer = connection.ask(server.site.first_path(server.work))
    fields = [f"{name}: {answer.fields[field]}" for name, field in
              (("If-None-Match", "etag"), ("If-Modified-Since", "last-modified"))
              if field in answer.fields]
    if not fields:
        raise CannotRun(f"{server.name} gives no validator")
    return tuple(fields)


def one_verify(server, connection, path, fields):
    """Returns the bytes of the response, head and content."""
    try:
        answer = connection.ask(path, fields)
    except OSError as trouble:
        raise CannotRun(f"{server.name}, {path}: {trouble}") from trouble
    wrong = status_wrong(server, answer) or content_wrong(server, path, fields, answer)
    if wrong:
        raise CannotRun(f"{server.name}, {path}: {wrong}")
    return answer.head_bytes + len(answer.content)


def status_wrong(server, answer):
    if answer.status != server.work.status:
        return f"status {answer.status}, not {server.work.status}"
    return ""


def listing_wrong(answer):
    absent = [name for name in map(name_listed, range(NAMES_LISTED))
              if name.encode() not in answer.content]
    return f"{len(absent)} names are absent" if absent else ""


def parts_wrong(server, path, field, answer):
    """Each range must be in the content; those that overlap may be in one part."""
    parts = []
    with open(server.root / path[1:], "rb") as file:
        for part in field.removeprefix("Range: bytes=").split(","):
            first, last = map(int, part.split("-"))
            file.seek(first)
            parts.append(file.read(last + 1 - first))
    multipart = answer.fields.get("content-type", "").startswith("multipart/byteranges")
    return "" if multipart and all(part in answer.content for part in parts) else "other parts"


def content_wrong(server, path, fields, answer):
    if server.work.requests == "listing":
        return listing_wrong(answer)
    if server.work.requests == "multipart":
        return parts_wrong(server, path, fields[0], answer)
    coding = answer.fields.get("content-encoding", "")
    expected = (server.root / path[1:]).read_bytes() if answer.status != 304 else b""
    for field in fields:
        if field.startswith("Range: bytes="):
            first, last = map(int, field.removeprefix("Range: bytes=").split("-"))
            expected = expected[first:last + 1]
    wants_coding = server.work.requests == "site" and path.rsplit(".", 1)[1] in COMPRESSED
    if wants_coding != bool(coding):
        return f"Content-Encoding '{coding}'"
    if coding == "gzip":
        return "" if gzip.decompress(answer.content) == expected else "other content, by gzip"
    if coding == "br":
        return brotli_wrong(server, path, answer)
    return "" if answer.content == expected else f"other content, {len(answer.content)} bytes"


def brotli_wrong(server, path, answer):
    """Compares with the sidecar. A server that compresses by itself must have about its length."""
    beside = (server.root / (path[1:] + ".br")).read_bytes()
    if answer.content == beside:
        return ""
    like = 0.8 < len(answer.content) / len(beside) < 1.5
    return "" if server.kind == "lighttpd" and like else "other content, by br"
