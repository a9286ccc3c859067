"""What is asked of the server in each round, and which bytes are right.

With a fault armed, a conversation may end in four ways: everything is right; the connection ends; one of the
responses says that the server could not (500, 503); or it says what the failed call said, as ENOENT is 404. Anything
else is a failure: other bytes, fewer bytes on a connection that goes on, or silence.
"""

import base64
import gzip
import json
import os
import random
import shutil
import tempfile

from served import Failure, USERS
from client import Client, Cut, get, request

SILENCE_SECONDS = 15
SMALL_WINDOW = 8192
STATUS_OF = {name: status for status, names in {
    404: ["ENOENT", "ENOTDIR", "ENAMETOOLONG"], 403: ["EACCES", "EPERM", "ELOOP", "EXDEV"]}.items() for name in names}


class Site:
    """A directory of files whose content the test knows."""

    def __init__(self):
        self.root = tempfile.mkdtemp(prefix="zcserve-site-")
        os.chmod(self.root, 0o755)  # for nobody, whom the server's processes become
        self.content = {}
        self.made = 0
        draw = random.Random(1)
        self.write("a.txt", b"a small file\n" * 30)
        self.write("page.html", b"<p>the same again</p>\n" * 200)
        self.write("page.html.gz", gzip.compress(self.content["page.html"]))
        self.write("deep/er/still.txt", b"below two directories\n" * 9)
        self.write("big.bin", draw.randbytes(700000))
        self.write("slow.bin", draw.randbytes(3 << 20))
        self.write("cold.bin", draw.randbytes(300000))
        self.write("guarded/secret.txt", b"for users only\n" * 20)
        self.write("index.html", b"<p>the first page</p>\n")
        self.change()

    def write(self, name, content):
        """A file appears whole, at one moment."""
        path = os.path.join(self.root, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path + ".new", "wb") as file:
            file.write(content)
        os.rename(path + ".new", path)
        self.content[name] = content

    def change(self):
        """One file gets another content, and another one a name that nobody has asked for."""
        if self.made > 0:
            os.unlink(os.path.join(self.root, self.fresh))
            del self.content[self.fresh]
        self.made += 1
        self.write("changes.txt", b"version %d\n" % self.made * 100)
        self.write("words.css", b"p { margin: %dpx }\n" % self.made * 300)
        self.write(self.fresh, b"new %d\n" % self.made * 50)

    @property
    def fresh(self):
        return "made/file-%d.txt" % self.made

    def touch(self):
        """Everything is there anew: what the server remembers of a name no longer counts."""
        for name, content in list(self.content.items()):
            if not name.endswith(".gz"):
                self.write(name, content)
        self.write("page.html.gz", self.content["page.html.gz"])

    def cool(self):
        """The kernel forgets a file, as far as its file system lets it."""
        descriptor = os.open(os.path.join(self.root, "cold.bin"), os.O_RDONLY)
        os.fsync(descriptor)
        os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
        os.close(descriptor)

    def close(self):
        shutil.rmtree(self.root)


def is_json(content):
    try:
        return bool(json.loads(content))
    except ValueError:
        return False


class Wrong(Failure):
    """A response that is neither right nor says that something failed."""


def check(what, holds):
    if not holds:
        raise Wrong(what)


class Round:
    """One round of conversations. `errno` is the name of the armed one, None: everything has to be right. While a
    generation ends, a connection may end after a response that `announces` it, and never without one."""

    def __init__(self, site, server, errno=None, announces=False):
        self.announces, self.announced = announces, False
        self.site, self.server, self.errno = site, server, errno
        self.ended = self.refused = 0
        self.wrong = []

    def run(self):
        """Returns what was wrong, a text each."""
        self.site.change()
        self.site.cool()
        for conversation in (self.kept, self.pipelined, self.large, self.slow, self.changed, self.cold, self.parts,
                             self.listed, self.coded, self.guarded, self.other, self.status):
            self.hold(conversation)
        return self.wrong

    def hold(self, conversation):
        self.announced = False
        try:
            conversation()
        except (Cut, ConnectionError) as problem:
            self.ended += 1
            if self.errno is None and not (self.announces and self.announced):
                self.wrong.append("%s: %r" % (conversation.__name__, problem))
        except Failure as problem:
            self.wrong.append("%s: %s" % (conversation.__name__, problem))

    def client(self, receive_bytes=None):
        return Client(("127.0.0.1", self.server.port), SILENCE_SECONDS, receive_bytes)

    def answer(self, client, head_only=False):
        answer = client.answer(head_only)
        self.announced = answer.field("Connection") == "close"
        return answer

    def is_refusal(self, answer):
        """Whether it says what went wrong, where something may."""
        if self.errno is None or answer.status not in (500, 503, STATUS_OF.get(self.errno)):
            return False
        self.refused += 1
        return True

    def expect(self, client, name, status=200, content=None, head_only=False):
        """The next response is right."""
        answer = self.answer(client, head_only)
        if self.is_refusal(answer):
            return answer
        check("/%s: status %d instead of %d" % (name, answer.status, status), answer.status == status)
        if content is None and status == 200 and not head_only:
            coded = answer.field("Content-Encoding") == "gzip"
            content = self.site.content[name + ".gz" if coded else name]
        if head_only:
            content = b""
            check("/%s: length %s" % (name, answer.field("Content-Length")),
                  answer.field("Content-Length") == str(len(self.site.content[name])))
        if content is not None:
            check("/%s: other content: %d bytes instead of %d" % (name, len(answer.content), len(content)),
                  answer.content == content)
        return answer

    def ask(self, client, name, *fields, **expected):
        client.send(get("/" + name, *fields))
        return self.expect(client, name, **expected)

    def kept(self):
        with self.client() as client:
            etag = self.ask(client, "a.txt").field("ETag")
            client.send(request("HEAD", "/a.txt"))
            self.expect(client, "a.txt", head_only=True)
            self.ask(client, "none.txt", status=404)
            if etag:
                self.ask(client, "a.txt", "If-None-Match: " + etag, status=304, content=b"")
            self.ask(client, "big.bin", "Range: bytes=1000-1999", status=206,
                     content=self.site.content["big.bin"][1000:2000])
            self.ask(client, "page.html", "Accept-Encoding: gzip")
            self.ask(client, "deep/er/still.txt")

    def pipelined(self):
        with self.client() as client:
            names = ["a.txt", "page.html", "changes.txt", "a.txt"]
            client.send("".join(get("/" + name) for name in names))
            for name in names:
                self.expect(client, name)

    def large(self):
        with self.client() as client:
            self.ask(client, "big.bin")
            self.ask(client, "a.txt", "Connection: close")
            client.expect_end()

    def slow(self):
        """The window is so small that the server has to wait for it again and again."""
        with self.client(SMALL_WINDOW) as client:
            self.ask(client, "slow.bin")

    def changed(self):
        with self.client() as client:
            self.ask(client, "changes.txt")
            self.site.change()
            self.ask(client, "changes.txt")
            self.ask(client, self.site.fresh)

    def cold(self):
        with self.client() as client:
            self.ask(client, "cold.bin")

    def parts(self):
        with self.client() as client:
            answer = self.ask(client, "big.bin", "Range: bytes=0-99,5000-5099", status=206)
            if answer.status == 206:
                big = self.site.content["big.bin"]
                boundary = answer.field("Content-Type").partition("boundary=")[2].encode()
                found = [part.partition(b"\r\n\r\n")[2] for part in answer.content.split(b"\r\n--" + boundary)[:-1]]
                check("the parts of big.bin", boundary and found == [big[:100], big[5000:5100]])

    def listed(self):
        with self.client() as client:
            client.send(get("/made/?format=json"))
            answer = self.answer(client)
            if not self.is_refusal(answer):
                check("status %d of a listing" % answer.status, answer.status == 200 and is_json(answer.content))
                names = [entry["name"] for entry in json.loads(answer.content)["entries"]]
                # A name whose file is not there, as the failed call said, is left out.
                check("the listing has %s" % names, names == [os.path.basename(self.site.fresh)] or
                      (self.errno in STATUS_OF and not names))

    def coded(self):
        """From the second time on, the server may have compressed it."""
        with self.client() as client:
            for _ in range(3):
                client.send(get("/words.css", "Accept-Encoding: gzip"))
                answer = self.answer(client)
                if not self.is_refusal(answer):
                    check("status %d of words.css" % answer.status, answer.status == 200)
                    coded = answer.field("Content-Encoding") == "gzip"
                    check("/words.css: other content", self.site.content["words.css"] ==
                          (gzip.decompress(answer.content) if coded else answer.content))

    def guarded(self):
        """Each round has a user whose password was not checked before. Nobody gets in by a check that fails."""
        name = b"user%d:" % (self.site.made % USERS)
        with self.client() as client:
            self.ask(client, "guarded/secret.txt", status=401)
            self.ask(client, "guarded/secret.txt", "Authorization: Basic " + base64.b64encode(name + b"wrong").decode(),
                     status=401)
            self.ask(client, "guarded/secret.txt",
                     "Authorization: Basic " + base64.b64encode(name + b"bcrypt-password").decode())

    def other(self):
        with self.client() as client:
            client.send(get("/er/still.txt").replace("Host: test", "Host: other.test"))
            self.expect(client, "deep/er/still.txt")
            client.send(get("/a.txt").replace("Host: test", "Host: other.test"))
            self.expect(client, "a.txt", status=404)

    def status(self):
        with Client(("127.0.0.1", self.server.status_port), SILENCE_SECONDS) as client:
            client.send(get("/status.json").replace("Host: test", "Host: localhost"))
            answer = self.answer(client)
            if not self.is_refusal(answer):
                check("status %d of the status page" % answer.status, answer.status == 200)
                check("the status page: %r" % answer.content[:100], is_json(answer.content))
