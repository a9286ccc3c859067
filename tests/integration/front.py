"""Behind others: headers of the PROXY protocol, Forwarded and X-Forwarded-For, abstract Unix sockets; and clients
that took this port for another one.
"""

import contextlib
import itertools
import json
import os
import shutil
import socket
import struct
import subprocess

from client import Failure, Skip, expect, get, wait_until
from stage import require, test, write

NAMES = itertools.count()
SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"
V1 = b"PROXY TCP4 192.0.2.1 198.51.100.1 12345 443\r\n"


def v2(command, protocol, addresses=b"", tlvs=b""):
    return SIGNATURE + struct.pack("!BBH", command, protocol, len(addresses + tlvs)) + addresses + tlvs


def pair(family, host):
    """A source and a destination, with their ports."""
    there = "198.51.100.1" if family == socket.AF_INET else "2001:db8::2"
    return socket.inet_pton(family, host) + socket.inet_pton(family, there) + struct.pack("!HH", 12345, 443)


V2 = v2(0x21, 0x11, pair(socket.AF_INET, "192.0.2.2"))
V2_IPV6 = v2(0x21, 0x21, pair(socket.AF_INET6, "2001:db8::1"), b"\x04\0\x02no")


class Front:
    """A server with several listeners, and its access log: one JSON object for each request."""

    def __init__(self, stage, listen, options=None, root=None, **more):
        self.log = os.path.join(stage.setting.place("log"), "access.log")
        self.root = root or stage.site(a_txt=b"a")
        known = {"listen": listen, "access_log": self.log, "log.format": "json", "log.interval": "10ms",
                 "status": "127.0.0.1:0", "status_hosts": ["test"]}
        known.update(options or {})
        self.server = stage.server(self.root, known, **more)

    def __enter__(self):
        self.server.__enter__()
        return self

    def __exit__(self, *how):
        return self.server.__exit__(*how)

    def client(self, number=0):
        return self.server.client(address=self.server.addresses[number])

    def lines(self, count):
        """What is logged of so many requests, as soon as it is there."""
        def found():
            with contextlib.suppress(FileNotFoundError), open(self.log, encoding="utf-8") as file:
                lines = file.read().splitlines()
                return lines if len(lines) >= count else None
            return None
        lines = wait_until("%d lines of the log" % count, found, self.server.seconds(10))
        expect("lines of the log", count, len(lines))
        return [json.loads(line) for line in lines]

    def remotes(self, count):
        return [line["remote"] for line in self.lines(count)]

    def total(self):
        """The counters of all workers, from the status page."""
        where = next(line for line in self.server.lines if "status at http://" in line)
        host, port = where.split("http://")[1].strip().rstrip("/").rsplit(":", 1)
        with self.server.client(address=(host, int(port))) as client:
            return json.loads(client.get("/status.json", "Connection: close").content)["total"]

    def counted(self, group, name, count):
        wait_until("%s is %d" % (name, count), lambda: self.total()[group][name] >= count, self.server.seconds(10))
        expect(name, count, self.total()[group][name])


def abstract(stage):
    return "unix:@zcserve-test-%d-%s-%d" % (os.getpid(), stage.model, next(NAMES))


def asked(client, header):
    """One request behind a header."""
    client.send(header + get("/a.txt").encode())
    expect("content", b"a", client.answer().content)


@test("PROXY headers: the client that they name is logged")
def headers_are_taken(stage):
    headers = ((V1, "192.0.2.1"), (V2, "192.0.2.2"), (V2_IPV6, "2001:db8::1"),
               (b"PROXY TCP6 2001:db8::9 ::1 1 2\r\n", "2001:db8::9"),
               (b"PROXY UNKNOWN\r\n", "127.0.0.1"), (v2(0x20, 0), "127.0.0.1"), (v2(0x21, 0), "127.0.0.1"),
               (v2(0x21, 0x31, bytes(216)), "-"), (v2(0x21, 0x11, pair(socket.AF_INET, "192.0.2.3"), bytes(3 * 500)),
                                                   "192.0.2.3"))
    with Front(stage, ["127.0.0.1:0 proxy", "127.0.0.1:0", abstract(stage) + " proxy"]) as front:
        for header, _ in headers:
            with front.client() as client:
                asked(client, header)
                client.send(get("/a.txt"))  # a kept connection has one header
                expect("status", 200, client.answer().status)
        with front.client(1) as client:
            expect("status without a header", 200, client.get("/a.txt").status)
        with front.client(2) as client:
            asked(client, V1)
        expected = [remote for _, remote in headers for _ in range(2)] + ["127.0.0.1", "192.0.2.1"]
        expect("remotes", sorted(expected), sorted(front.remotes(len(expected))))


@test("PROXY headers: split at each byte")
def headers_are_split(stage):
    with Front(stage, ["127.0.0.1:0 proxy"]) as front:
        count = 0
        for header in (V1, V2):
            whole = header + get("/a.txt").encode()
            splits = range(1, len(header) + 2)
            for first in range(0, len(splits), 16):  # so many at once that the first part is often received alone
                with contextlib.ExitStack() as stack:
                    clients = [(stack.enter_context(front.client()), at) for at in splits[first:first + 16]]
                    for client, at in clients:
                        client.send(whole[:at])
                    for client, at in clients:
                        client.send(whole[at:])
                        expect("content, split at %d" % at, b"a", client.answer().content)
                        count += 1
        expect("remotes", {"192.0.2.1", "192.0.2.2"}, set(front.remotes(count)))


BAD = (b"GET /a.txt HTTP/1.1\r\nHost: h\r\n\r\n", b"X", b"PROXY TCP4 192.0.2.1\r\n", b"PROXY TCP5 a b 1 2\r\n",
       b"PROXY UNKNOWN" + b"x" * 200, b"proxy UNKNOWN\r\n", b"PROXY UNKNOWN\n", b"\r\n\r\n\0\r\nQUIT\r",
       v2(0x11, 0), v2(0x22, 0), v2(0x21, 0x12, bytes(12)), v2(0x21, 0x11, bytes(11)),
       v2(0x21, 0x11, bytes(12), b"\x03\0\x04nope"), v2(0x21, 0x11, bytes(12), b"\x04\0\x09"),
       SIGNATURE + b"\x21\x11\xff\xff", b"\x16\x03\x01\0\0")


@test("PROXY headers: what is none, or not trusted, is closed without a response, and counted")
def headers_are_refused(stage):
    with Front(stage, ["127.0.0.1:0 proxy"]) as front:
        for header in BAD:
            with front.client() as client:
                client.send(header)
                expect("response to %r" % header[:40], b"", client.drain())
        front.counted("closed", "bad_proxy", len(BAD))
        with front.client() as client:
            asked(client, V2)
        expect("remotes", ["192.0.2.2"], front.remotes(1))
    with Front(stage, ["127.0.0.1:0 proxy", abstract(stage) + " proxy"], {"trusted": ["192.0.2.0/24", "unix"]}) as front:
        with front.client() as client:
            client.send(V2 + get("/a.txt").encode())
            expect("response to one that is not trusted", b"", client.drain())
        front.counted("closed", "bad_proxy", 1)
        with front.client(1) as client:
            asked(client, V1)
        expect("remotes", ["192.0.2.1"], front.remotes(1))


@test("PROXY headers: one that does not come is late as a head is")
def headers_are_late(stage):
    with Front(stage, ["127.0.0.1:0 proxy"], {"timeouts.head": stage.milliseconds(0.3)}) as front:
        for begin in (b"", V2[:20]):
            with front.client() as client:
                client.send(begin)
                expect("response to %r" % begin, b"", client.drain())
        front.counted("closed", "head_timeout", 2)


FORWARDED = (
    ("for=192.0.2.60", "192.0.2.60"), ('For="[2001:db8::17]:4711"', "2001:db8::17"),
    ("for=192.0.2.1, for=198.51.100.2", "198.51.100.2"), ("for=192.0.2.1, for=127.0.0.9", "192.0.2.1"),
    ("for=192.0.2.1;proto=https;by=203.0.113.43 , FOR=127.0.0.9;host=a", "192.0.2.1"),
    ("by=203.0.113.43; for=192.0.2.61", "192.0.2.61"), ("for=unknown", "127.0.0.1"), ("for=_secret", "127.0.0.1"),
    ("for=192.0.2.1, for=unknown, for=127.0.0.9", "127.0.0.9"), ("for=127.0.0.8, for=127.0.0.9", "127.0.0.8"),
    ('for="192.0.2.1', "127.0.0.1"), ("proto=https", "127.0.0.1"), ("for=192.0.2.1:port", "127.0.0.1"), ("", "127.0.0.1"))
X_FORWARDED_FOR = (
    ("192.0.2.60", "192.0.2.60"), ("2001:db8::17", "2001:db8::17"), ("192.0.2.1, 198.51.100.2", "198.51.100.2"),
    ("192.0.2.1,127.0.0.9", "192.0.2.1"), ("192.0.2.60:1234", "192.0.2.60"), ("[2001:db8::1]:80", "2001:db8::1"),
    ("192.0.2.1, nonsense", "127.0.0.1"), ("192.0.2.1, nonsense, 127.0.0.9", "127.0.0.9"), ("\"\\\"", "127.0.0.1"),
    ("192.0.2.1\r\nX-Forwarded-For: 127.0.0.9", "192.0.2.1"), ("1.2.3.4\" x", "127.0.0.1"))


@test("Forwarded and X-Forwarded-For: the log has the last address that is not trusted")
def fields_are_taken(stage):
    for option, name, cases in (("forwarded", "Forwarded", FORWARDED),
                                ("x-forwarded-for", "X-Forwarded-For", X_FORWARDED_FOR)):
        with Front(stage, ["127.0.0.1:0", "127.0.0.1:0 proxy"], {"forwarded": option}) as front:
            with front.client() as client:
                for value, _ in cases:
                    expect("status of %r" % value, 200, client.get("/a.txt", "%s: %s" % (name, value)).status)
                other = "X-Forwarded-For" if name == "Forwarded" else "Forwarded"
                client.get("/a.txt", "%s: %s" % (other, cases[0][0]))
            expected = [remote for _, remote in cases] + ["127.0.0.1"]
            expect("remotes of %s" % option, expected, front.remotes(len(expected)))
            with front.client(1) as client:  # this client is not trusted, although its proxy is
                client.send(V1)
                client.get("/a.txt", "%s: %s" % (name, cases[0][0]))
            expect("remote of one that is not trusted", "192.0.2.1", front.remotes(len(expected) + 1)[-1])


@test("Forwarded and X-Forwarded-For: ignored when they are off, and in redirects")
def fields_are_ignored(stage):
    root = stage.site(a_txt=b"a")
    os.mkdir(os.path.join(root, "dir"))
    fields = ("Forwarded: for=192.0.2.1;host=evil;proto=https", "X-Forwarded-For: 192.0.2.1", "X-Forwarded-Host: evil",
              "X-Forwarded-Proto: https", "X-Forwarded-Prefix: /evil")
    with Front(stage, ["127.0.0.1:0"], root=root) as front, front.client() as client:
        client.get("/a.txt", *fields, *fields * 10)
        answer = client.get("/dir", *fields)
        expect("Location", (301, "dir/"), (answer.status, answer.field("Location")))
        expect("remotes", ["127.0.0.1"] * 2, front.remotes(2))


@test("abstract Unix sockets: listened on, seen in the status, kept by a reload, free after the end")
def abstract_sockets(stage):
    names = [abstract(stage), abstract(stage)]
    for _ in range(2):
        with Front(stage, [names[0]], {"status": names[1]}, watched=False) as front:  # a reload has new workers
            with front.client() as client:
                expect("content", b"a", client.get("/a.txt").content)
                tool = subprocess.run([stage.setting.binary, "reload", "-s", names[1]], capture_output=True, text=True,
                                      timeout=30, check=False)
                expect("exit code of reload: %s" % tool.stderr, 0, tool.returncode)
            with front.client() as client:
                expect("content after the reload", b"a", client.get("/a.txt").content)
                expect("remote", "-", front.lines(2)[1]["remote"])


@test("names with leading dots: hidden by their first byte, but for /.well-known/")
def leading_dots(stage):
    root = stage.site()
    hidden, shown = ["..a", "...", ".a", "....x", ".well-known2"], ["a..", "a...b", "-.a"]
    for name in hidden + shown:
        write(os.path.join(root, name), name.encode())
    os.mkdir(os.path.join(root, ".well-known"))
    write(os.path.join(root, ".well-known", "b"), b"b")
    for option in ("off", "on"):
        with stage.server(root, {"hidden": option}) as server, server.client() as client:
            for name in hidden + shown:
                found = name in shown or option == "on"
                for target in (name, name.replace(".", "%2e")):
                    answer = client.get("/" + target)
                    expect("%s, hidden %s" % (target, option), (200, name.encode()) if found else (404, None),
                           (answer.status, answer.content if found else None))
            expect("/.well-known/b", b"b", client.get("/.well-known/b").content)


@test("clients that took the port for another: curl and openssl say what is wrong, and it is counted")
def other_protocols(stage):
    for program in ("curl", "openssl"):
        if not shutil.which(program):
            raise Skip("there is no " + program)
    with Front(stage, ["127.0.0.1:0"]) as front:
        host, port = front.server.address
        address = "%s:%d" % (host, port)
        h2 = subprocess.run(["curl", "-sS", "--http2-prior-knowledge", "http://%s/a.txt" % address], capture_output=True,
                            text=True, timeout=30, check=False)
        require(h2.returncode != 0 and h2.stderr, "curl with HTTP/2: %d %s", h2.returncode, h2.stderr)
        tls = subprocess.run(["curl", "-sS", "https://%s/a.txt" % address], capture_output=True, text=True, timeout=30,
                             check=False)
        expect("curl's exit code with TLS: %s" % tls.stderr, 35, tls.returncode)
        alert = subprocess.run(["openssl", "s_client", "-connect", address], stdin=subprocess.DEVNULL,
                               capture_output=True, text=True, timeout=30, check=False)
        require("alert protocol version" in alert.stderr, "openssl says %s", alert.stderr)
        front.counted("refused_for", "http2", 1)
        front.counted("refused_for", "tls", 2)
        expect("statuses", [400, 400, 505], sorted(line["status"] for line in front.lines(3)))


def free_port():
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


HAPROXY = """
defaults
    mode tcp
    timeout connect 5s
    timeout client 30s
    timeout server 30s
%s"""
ROUTE = """
listen %(how)s
    bind 127.0.0.1:%(port)d
    server zcserve %(host)s:%(to)d %(how)s
"""


@test("HAProxy in front sends PROXY headers of both versions")
def haproxy_in_front(stage):
    program = shutil.which("haproxy", path=os.environ.get("PATH", "") + ":/usr/sbin")
    if not program:
        raise Skip("there is no haproxy")
    with Front(stage, ["127.0.0.1:0 proxy"]) as front:
        host, to = front.server.address
        ports = {how: free_port() for how in ("send-proxy", "send-proxy-v2", "send-proxy-v2-ssl-cn")}
        path = os.path.join(stage.setting.place("haproxy"), "haproxy.cfg")
        write(path, (HAPROXY % "".join(ROUTE % dict(how=how, port=port, host=host, to=to)
                                       for how, port in ports.items())).encode())
        with subprocess.Popen([program, "-db", "-f", path], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as proxy:
            try:
                for count, (how, port) in enumerate(ports.items(), 1):
                    with wait_until("HAProxy listens", lambda: connected(front, port), front.server.seconds(10)) as client:
                        client.socket.settimeout(front.server.seconds(10))
                        expect("content through %s" % how, b"a", client.get("/a.txt").content)
                    expect("remotes", ["127.0.0.1"] * count, front.remotes(count))
            finally:
                proxy.kill()


def connected(front, port):
    with contextlib.suppress(OSError):
        return front.server.client(address=("127.0.0.1", port))
    return None


@test("limits of an address are those of the client that a PROXY header names, not of the proxy")
def limited_by_header(stage):
    options = {"limits.connections_per_address": 2, "limits.exempt": []}
    with Front(stage, ["127.0.0.1:0 proxy"], options) as front, contextlib.ExitStack() as stack:
        def asked(header):
            client = stack.enter_context(front.client())
            client.send(header + get("/a.txt").encode())
            return client
        others = [V1.replace(b"192.0.2.1", b"192.0.2.%d" % last) for last in (7, 8, 9)]
        for header in (V1, V1, *others):  # five of one proxy, two of one client
            expect("content", b"a", asked(header).answer().content)
        require(not asked(V1).drain(), "a third connection of one client got a response")
        front.counted("closed", "address_full", 1)
