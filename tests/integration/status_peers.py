"""The peers of the status listener: silent, slow or many peers keep nobody out, and a foreign host name is refused."""

import contextlib
import os
import socket
import time

from client import Client, Failure, expect, get, request, wait_until
from harness import has_ipv6
from stage import expect_pace, require, seconds_of, test
from status import shown

MANY = 200  # more than the listener holds


def connected(stack, address, source, receive_bytes=None):
    """A connection from an address of its own."""
    peer = stack.enter_context(socket.socket())
    if receive_bytes:
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
    peer.bind((source, 0))
    peer.settimeout(10)
    peer.connect(address)
    return peer


def expect_healthy(status):
    """A new peer asks and is answered."""
    with Client(status.address, status.server.seconds(10)) as client:
        client.send(request("GET", "/healthz", host="Host: 127.0.0.1"))
        expect("status of /healthz", 200, client.answer().status)


def is_open(peer):
    peer.setblocking(False)
    try:
        return peer.recv(1) != b""
    except BlockingIOError:
        return True
    except OSError:
        return False
    finally:
        peer.setblocking(True)


def _kept_out(source, prepare):
    def run(stage):
        root, times = stage.site(a_txt=b"a"), []
        with shown(stage, root) as (_, status), shown(stage, root) as (_, alone), contextlib.ExitStack() as stack:
            for _ in range(5):  # who is let go comes again
                for _ in range(MANY):
                    prepare(connected(stack, status.address, source, 4096))
                times.append([seconds_of(expect_healthy, each) for each in (status, alone)])
                for _ in range(4):
                    expect_healthy(status)
        expect_pace("/healthz", *zip(*times), times=4, grain=0.5)  # peers are let go after seconds: peers.c
    return run


def silent(_):
    pass


def in_part(peer):
    peer.send(b"GET /healthz HTTP/1.1\r\nHost: 127.0")


def unread(peer):
    with contextlib.suppress(OSError):  # it may have been let go meanwhile
        peer.send(b"GET /page.js HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n" * 64)


def idle(peer):
    with contextlib.suppress(OSError):
        peer.send(b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")


for _name, _prepare in (("silent", silent), ("that say half of a head", in_part), ("that take nothing", unread),
                        ("that asked and stay", idle)):
    for _whose, _source in (("the same", "127.0.0.1"), ("another", "127.0.0.2")):
        test("%d peers %s, from %s address: /healthz is answered at once" % (MANY, _name, _whose),
             per_model=False)(_kept_out(_source, _prepare))


@test("one that says nothing, and one that drips its head, are let go within seconds", per_model=False)
def dripping(stage):
    with shown(stage, stage.site(a_txt=b"a")) as (_, status), contextlib.ExitStack() as stack:
        quiet = connected(stack, status.address, "127.0.0.1")
        drips = connected(stack, status.address, "127.0.0.1")
        later = connected(stack, status.address, "127.0.0.1")
        later.send(b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        began = time.monotonic()
        left = {"the silent one": quiet, "the one that drips": drips}

        def gone():
            with contextlib.suppress(OSError):
                drips.send(b"G")
            for name in [name for name, peer in left.items() if not is_open(peer)]:
                require(time.monotonic() - began > 2, "%s was let go after %.1f s", name,
                        time.monotonic() - began)
                left.pop(name)
            return not left
        wait_until("both are let go", gone, stage.seconds(9), step=0.1)
        require(later.recv(100).startswith(b"HTTP/1.1 200"), "one that asked was not answered")
        require(is_open(later), "one that may ask again was let go")


@test("one that asks every so often keeps its connection beside others", per_model=False)
def kept(stage):
    with shown(stage, stage.site(a_txt=b"a")) as (_, status), Client(status.address, 5) as client, \
            contextlib.ExitStack() as stack:
        for _ in range(4):
            client.send(request("GET", "/metrics", host="Host: 127.0.0.1"))
            expect("status", 200, client.answer().status)
            connected(stack, status.address, "127.0.0.1")
            time.sleep(0.3)  # it is the pause that is tried


# ---- names --------------------------------------------------------------------------------------

def status_for(status, host, target="/status.json", version="HTTP/1.1"):
    with status.server.client(address=status.address) as client:
        client.send(request("GET", target, version=version, host=host))
        return client.answer()


RIGHT = ("127.0.0.1", "127.0.0.1:8081", "localhost", "LocalHost:80", "localhost.", "[::1]", "[::1]:8081", "10.1.2.3",
         "[2001:db8::1]:9", "[::ffff:127.0.0.1]")
FOREIGN = ("evil.example", "evil.example:8081", "127.0.0.1.evil.example", "localhost.evil.example", "evil-localhost",
           "127.1", "0x7f.0.0.1", "2130706433", "[::1", "::1", "[127.0.0.1]", "127.0.0.1:80:80", "127.0.0.1:x",
           "evil@127.0.0.1", "127.0.0.1/", "localhost..", "*", "monitor", ":8081", "[]", "127.0.0.1 evil", "a,127.0.0.1")


@test("the status is told under addresses and localhost, and refused with 421 under other names", per_model=False)
def hosts(stage):
    with shown(stage, stage.site(a_txt=b"a"), {"status_hosts": []}) as (_, status):
        for host in RIGHT:
            expect("status for %s" % host, 200, status_for(status, "Host: " + host).status)
        for host in FOREIGN:
            answer = status_for(status, "Host: " + host)
            expect("status for %s" % host, 421, answer.status)
            require(b"status_hosts" in answer.content and b"zcserve_" not in answer.content, "it says %r",
                    answer.content)
        for target in ("/", "/metrics", "/healthz", "/readyz", "/nothing"):
            expect("status of %s" % target, 421, status_for(status, "Host: evil.example", target).status)
        for method in ("HEAD", "OPTIONS", "POST"):
            with status.server.client(address=status.address) as client:
                client.send(request(method, "/", "Content-Length: 0", host="Host: evil.example"))
                expect("status of a %s" % method, 421, client.answer(head_only=method == "HEAD").status)
        both = "Host: 127.0.0.1\r\nHost: evil.example"
        require(status_for(status, both).status in (400, 421), "two names are taken")
        both = "Host: evil.example\r\nHost: 127.0.0.1"
        require(status_for(status, both).status in (400, 421), "two names are taken")
        require(status_for(status, "Host:").status in (400, 421), "an empty name is taken")
        with status.server.client(address=status.address) as client:  # the target's authority is none of ours
            client.send(request("GET", "http://evil.example/status.json", host="Host: 127.0.0.1"))
            expect("a target with an authority", 404, client.answer().status)
        expect("without Host, as HTTP/1.0 may", 200,
               status_for(status, "X: y", version="HTTP/1.0").status)


@test("names of status_hosts are taken, without regard to case or port; * is any", per_model=False)
def configured(stage):
    root = stage.site(a_txt=b"a")
    with shown(stage, root, {"status_hosts": ["Monitor.Example", "proxy"]}) as (_, status):
        for host, wanted in (("monitor.example", 200), ("MONITOR.example:9", 200), ("monitor.example.", 200),
                             ("proxy", 200), ("example", 421), ("x.monitor.example", 421), ("proxy2", 421),
                             ("127.0.0.1", 200)):
            expect("status for %s" % host, wanted, status_for(status, "Host: " + host).status)
    with shown(stage, root, {"status_hosts": ["*"]}) as (_, status):
        expect("any", 200, status_for(status, "Host: evil.example").status)


@test("on a Unix socket, which no page can reach, every name is taken", per_model=False)
def unix(stage):
    path = os.path.join(stage.setting.place("unix"), "status")
    with shown(stage, stage.site(a_txt=b"a"), {"status": "unix:" + path, "status_hosts": []}) as (_, status):
        expect("status", 200, status_for(status, "Host: evil.example").status)


@test("IPv6: peers of one network are one, and the status is told under its address", per_model=False)
def ipv6(stage):
    if not has_ipv6():
        return
    with stage.server(stage.site(a_txt=b"a"), {"status": "[::1]:0"}) as server, contextlib.ExitStack() as stack:
        def line():
            return next((each for each in server.lines if "status at http://[::1]:" in each), None)
        wait_until("the line that says where the status is", line, server.seconds(5))
        port = int(line().rsplit(":", 1)[1].split("/")[0])
        for _ in range(MANY):
            peer = stack.enter_context(socket.socket(socket.AF_INET6))
            peer.connect(("::1", port))
        with Client(("::1", port), stage.seconds(3)) as client:
            client.send(get("/healthz").replace("test", "[::1]:%d" % port))
            expect("status", 200, client.answer().status)


@test("without status_hosts no name is known, and a wrong one is told", per_model=False)
def option(stage):
    for value, code in (("a,b", 0), ("*", 0), ("bad name", 78), ("a:80", 78), ("a/b", 78), ("", 0)):
        got, _, err = stage.setting.run("-t", "-p", "0", "-o", "status_hosts=" + value, stage.site())
        expect("exit code of %r (%s)" % (value, err), code, got)
        require(code == 0 or "status_hosts" in err, "it says %r", err)
        if code and not err:
            raise Failure("nothing is said")
