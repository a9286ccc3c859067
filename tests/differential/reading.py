"""Sends an exchange to any server and reads what comes back with http.client, a reader that nobody of us wrote;
and what of a response is compared.
"""

import http.client
import re
import socket
import urllib.parse
import zlib

from byteranges import message_read
from zcbench import peers

WAIT_SECONDS = 1.5  # a server that has not answered by then waits for more

OF_CONTENT = ("media type", "content")


class Shared:
    """One connection's input for several responses: each of them closes its file, and the next one reads on."""

    def __init__(self, connection):
        self.file = connection.makefile("rb")

    def makefile(self, *_):
        return self

    def close(self):
        pass

    def flush(self):
        pass

    def __getattr__(self, name):
        return getattr(self.file, name)


class Got:
    """A response, or why there is none: its `status` is then a word."""

    def __init__(self, status, fields=(), content=b"", closes=True):
        self.status, self.content, self.closes = status, content, closes
        self.fields = {}
        for name, value in fields:
            key = name.lower()
            self.fields[key] = self.fields[key] + ", " + value if key in self.fields else value

    def field(self, name):
        return self.fields.get(name.lower())


def exchange(port, stream, methods):
    """The responses to a stream of requests with these methods, up to the first that is the last."""
    found = []
    with socket.create_connection(("127.0.0.1", port), WAIT_SECONDS) as connection:
        try:
            connection.sendall(stream)
        except ConnectionError:
            pass  # what it said before is read below
        shared = Shared(connection)
        for method in methods:
            found.append(response(shared, method))
            if found[-1].closes:
                break
    return found


def response(shared, method):
    try:
        got = http.client.HTTPResponse(shared, method=method)
        got.begin()
        content = got.read()
        return Got(got.status, got.getheaders(), content, got.will_close)
    except socket.timeout:
        return Got("waits")
    except http.client.RemoteDisconnected:
        return Got("closes")
    except ConnectionError:
        return Got("resets")
    except (http.client.HTTPException, ValueError):
        return Got("no response of HTTP/1")


# ---- what is compared --------------------------------------------------------------------------

def media_type(got):
    """Without its parameters: the bench configures a charset for some servers only."""
    return (got.field("Content-Type") or "").partition(";")[0].strip().lower() or None


def location(got, target):
    """Where a redirect leads to on this host, whatever form the reference has."""
    path = target[target.index("/", 8):] if re.match("(?i)https?://", target) else target
    to = urllib.parse.urlsplit(urllib.parse.urljoin("http://test" + path.partition("?")[0], got.field("Location") or ""))
    return urllib.parse.unquote(re.sub("//+", "/", to.path), "latin-1") + ("?" + to.query if to.query else "")


def validator(got):
    tag = got.field("ETag")
    return None if tag is None else "weak" if tag.startswith("W/") else "strong"


def parts_of(got):
    """[(Content-Range, media type, bytes)] of a 206: one, or those of its message of several parts."""
    if media_type(got) != "multipart/byteranges":
        return [(got.field("Content-Range"), media_type(got), got.content)]
    message = message_read(got.field("Content-Type"), got.content)
    return [(str(each["Content-Range"]), each.get_content_type(), each.get_payload(decode=True))
            for each in (message.get_payload() if message.is_multipart() else [])]


def places(parts):
    """Where the parts are, and of how many bytes; of many parts, where the first and the last are."""
    texts = [str(place).removeprefix("bytes ").rpartition("/") for place, _, _ in parts]
    totals, texts = sorted({total for _, _, total in texts}), [text for text, _, _ in texts]
    told = ", ".join(texts) if len(texts) <= 4 else "%d parts, %s to %s" % (len(texts), texts[0], texts[-1])
    return "bytes %s/%s" % (told, " or ".join(totals))


def partial(got, target):
    """{aspect: value} of a 206."""
    parts = parts_of(got)
    kinds = sorted({media_type(got)} | {kind for _, kind, _ in parts})
    return {"Content-Range": places(parts), "media type": ", ".join(map(str, kinds)) if is_typed(target) else None,
            "content": digest(b"".join(content for _, _, content in parts))}


def digest(content):
    return "%d bytes, %08x" % (len(content), zlib.crc32(content))


def members(value):
    return None if value is None else " ".join(sorted(each.strip().lower() for each in value.split(",")))


def is_typed(target):
    """Whether all servers are told of this suffix; else each has a table of its own."""
    suffix = re.search(r"\.(\w+)$|/$", target.partition("?")[0])
    return suffix is not None and (suffix[1] or "html") in peers.TYPES


def aspects(got, target, method):
    """{aspect: value}: of what is to be alike."""
    if isinstance(got.status, str):
        return {"status": got.status}
    found = {"status": str(got.status)}
    if got.status < 400:
        found["connection"] = "closes" if got.closes else "is kept"
    if got.status in (200, 206):
        found.update({"Content-Encoding": got.field("Content-Encoding"), "Last-Modified": got.field("Last-Modified"),
                      "ETag": validator(got)})
    if got.status == 200:
        found.update({"media type": media_type(got) if is_typed(target) else None,
                      "Content-Length": got.field("Content-Length"), "Content-Range": got.field("Content-Range"),
                      "Accept-Ranges": got.field("Accept-Ranges")})
        if method == "GET":
            found["content"] = digest(got.content)
    if got.status == 206:
        found.update(partial(got, target))
    if got.status == 301:
        found["Location"] = location(got, target)
    if got.status == 304:
        found.update({"ETag": validator(got), "Content-Length": got.field("Content-Length")})
    if got.status in (200, 206, 304) and re.search("page.css|gz.css|packed", target):
        found["Vary"] = members(got.field("Vary"))
    if got.status == 416:
        found["Content-Range"] = got.field("Content-Range")
    if got.status == 405 or method == "OPTIONS":
        found["Allow"] = members(got.field("Allow"))
    return found


def is_alike(ours, theirs):
    """Whether two statuses agree: they are one, or both refuse and one of them is 400, which says no more than that."""
    return ours == theirs or ("400" in (ours, theirs) and all(each[0] in "45" for each in (ours, theirs)))


def differences(ours, theirs, targets, methods):
    """[(aspect, ours, theirs)] of two lists of responses. Where a status differs nothing else is compared, and
    where a coding or the parts do, nothing of the content."""
    found = []
    for number, method in enumerate(methods):
        label = "" if len(methods) == 1 else "response %d: " % (number + 1)
        pair = [aspects(each[number], targets[number], method) if number < len(each) else {"status": "no more"}
                for each in (ours, theirs)]
        if not is_alike(pair[0]["status"], pair[1]["status"]):
            return found + [(label + "status", pair[0]["status"], pair[1]["status"])]
        if pair[0]["status"] != pair[1]["status"]:
            continue
        if pair[0].get("Content-Encoding") != pair[1].get("Content-Encoding"):
            return found + [(label + "Content-Encoding", pair[0].get("Content-Encoding"), pair[1].get("Content-Encoding"))]
        skipped = OF_CONTENT if pair[0].get("Content-Range") != pair[1].get("Content-Range") else ()
        found += [(label + aspect, value, pair[1].get(aspect)) for aspect, value in pair[0].items()
                  if value != pair[1].get(aspect) and aspect not in skipped]
        if "no more" in (pair[0]["status"], pair[1]["status"]):
            return found
    return found
