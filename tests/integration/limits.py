"""What one address may take: connections, requests, bandwidth, and how slowly it may read. The limits do not
hold for exempt addresses, and each is counted, logged once a second, and shown.
"""

import contextlib
import os
import signal
import time

from client import Cut, Skip, expect, get, request, wait_until
from stage import big, require, test
from status import shown

NOBODY = {"limits.exempt": []}
DRIP = 0.05  # seconds between two reads of a slow reader


def limited(stage, root, **limits):
    options = dict(NOBODY, **{"limits." + name: value for name, value in limits.items()})
    return shown(stage, root, options, at_once=16)


def counted(status, group, name, least):
    """Waits until the figure is at least so large; returns it."""
    wait_until("%s of %s is %d" % (group, name, least),
               lambda: status.json()["total"][group][name] >= least, status.server.seconds(10), step=0.05)
    return status.json()["total"][group][name]


def line_of(server, words):
    wait_until("a line of the log with %r" % words,
               lambda: words in "".join(server.lines), server.seconds(10))


def is_served(client):
    """Whether the connection serves a request; false when the server has closed it."""
    try:
        return client.get("/a.txt").content == b"a"
    except (Cut, BrokenPipeError, ConnectionResetError):
        return False


@test("connections of one address: so many are served, further ones are closed, and others come when some end")
def connections(stage):
    with limited(stage, stage.site(a_txt=b"a"), connections_per_address=4) as (server, status), \
            contextlib.ExitStack() as stack:
        clients = [stack.enter_context(server.client()) for _ in range(4)]
        for client in clients:
            require(is_served(client), "a connection within the limit is not served")
        for _ in range(3):
            with server.client() as client:
                require(not is_served(client), "a connection over the limit is served")
        for client in clients:
            require(is_served(client), "a connection within the limit was closed")
        expect("counted", 3, counted(status, "counters", "limited_connections", 3))
        expect("counted as a reason", 3, counted(status, "closed", "address_full", 3))
        line_of(server, "limits.connections_per_address")
        clients.pop().close()
        wait_until("the place of a connection that ended is free", lambda: is_free(server),
                   server.seconds(10), step=0.05)


def is_free(server):
    with server.client() as client:
        return is_served(client)


@test("connections of a worker that was killed are given back")
def connections_of_the_dead(stage):
    if stage.model == "threadpool":  # its one process ends, and the server with it
        return
    with limited(stage, stage.site(a_txt=b"a"), connections_per_address=2) as (server, _), \
            contextlib.ExitStack() as stack:
        server.watched = False
        clients = [stack.enter_context(server.client()) for _ in range(2)]
        for client in clients:
            require(is_served(client), "a connection within the limit is not served")
        require(not is_free(server), "a connection over the limit is served")
        for pid in server.workers():
            os.kill(pid, signal.SIGKILL)
        wait_until("the dead hold nothing", lambda: alive(server), server.seconds(10), step=0.05)


def alive(server):
    try:
        return is_free(server)
    except OSError:
        return False


@test("requests of one address: a burst, then 429 with Retry-After on a connection that stays")
def requests(stage):
    with limited(stage, stage.site(a_txt=b"a"), requests_per_second=4, burst=5) as (server, status), \
            server.client() as client:
        client.send(get("/a.txt") * 12)
        answers = [client.answer() for _ in range(12)]
        found = [answer.status for answer in answers]
        expect("the burst", [200] * 5, found[:5])
        require(found.count(429) >= 2, "%s", found)
        refused = answers[found.index(429)]
        expect("Retry-After", "1", refused.field("Retry-After"))
        require(not refused.closes(), "429 closes the connection")
        require(b"429" in refused.content, "no page: %r", refused.content)
        wait_until("requests are answered again", lambda: client.get("/a.txt").status == 200,
                   server.seconds(10), step=0.3)
        counted(status, "counters", "limited_requests", found.count(429))
        line_of(server, "limits.requests_per_second")


@test("requests that need no file count as well")
def requests_without_files(stage):
    with limited(stage, stage.site(a_txt=b"a"), requests_per_second=1, burst=5) as (server, _), \
            server.client() as client:
        client.send(request("OPTIONS", "/a.txt") * 8)
        expect("OPTIONS", [204] * 8, [client.answer(head_only=True).status for _ in range(8)])
        expect("after them", 429, client.get("/a.txt").status)


@test("a request counts once, however many paths are tried for it")
def requests_of_many_paths(stage):
    rules = 'rule "/x/" { try_files = {"/1", "/2", "/3", "/4", "/a.txt"} }\nrule "/y/" { error_pages = "404 /a.txt" }\n'
    options = dict(NOBODY, **{"": rules, "limits.requests_per_second": 1, "limits.burst": 10})
    with shown(stage, stage.site(a_txt=b"a"), options, at_once=16) as (server, _), server.client() as client:
        client.send((get("/x/1") + get("/y/1")) * 5)
        expect("within the burst", [200, 404] * 5, [client.answer().status for _ in range(10)])
        client.send(get("/x/1") * 5)
        require(429 in [client.answer().status for _ in range(5)], "there is no limit")


@test("exempt addresses and Unix sockets have no limit")
def exempt(stage):
    place = stage.setting.place("socket") + "/s"
    options = {"listen": ["127.0.0.1:0", "unix:" + place], "limits.requests_per_second": 1,
               "limits.burst": 1, "limits.connections_per_address": 1, "limits.bandwidth": "1k",
               "limits.exempt": ["127.0.0.0/16"]}
    root = stage.site(a_txt=b"a" * 100000)
    with stage.server(root, options, at_once=16) as server:
        for address in (None, place):
            with contextlib.ExitStack() as stack:
                clients = [stack.enter_context(server.client(address=address)) for _ in range(4)]
                for client in clients * 3:
                    expect("content", 100000, len(client.get("/a.txt").content))


@test("bandwidth: a response takes its time, from memory and from a file, and is whole")
def bandwidth(stage):
    files = {"small_bin": big(1)[:250000], "large_bin": big(1)[:300000]}
    with limited(stage, stage.site(**files), bandwidth="400k") as (server, status):
        for name in ("small.bin", "large.bin"):
            content = files[name.replace(".", "_")]
            with server.client(timeout=server.seconds(10)) as client:
                began = time.monotonic()
                answer = client.get("/" + name)
                took = time.monotonic() - began
                require(answer.content == content, "%s is not whole", name)
                least = len(content) / 409600 - 0.4  # the burst
                require(took >= least, "%s took %.2f s, not %.2f", name, took, least)
        counted(status, "counters", "limited_pauses", 1)


@test("a reader that takes less than send_rate is cut off; one that takes more is not")
def send_rate(stage):
    root = stage.site(big_bin=big(8), huge_bin=b"")
    os.truncate(root + "/huge.bin", 256 << 20)  # more than all buffers of a socket
    with shown(stage, root, dict(NOBODY, **{"limits.send_rate": "4m", "timeouts.send": stage.milliseconds(0.2)}),
               at_once=16) as (server, status), contextlib.ExitStack() as stack:
        slow = stack.enter_context(server.client(receive_bytes=4096))
        slow.send(get("/huge.bin"))
        closed, ended = False, server.seconds(10) + time.monotonic()
        while not closed and time.monotonic() < ended:
            with contextlib.suppress(ConnectionResetError):
                slow.receive(2000)
            time.sleep(DRIP)
            closed = status.json()["total"]["closed"]["send_slow"] > 0
        require(closed, "a slow reader is kept: %s", status.json()["total"]["connections"])
        line_of(server, "limits.send_rate")
        with server.client() as client:
            expect("content", 8 << 20, len(client.get("/big.bin").content))


@test("a wrong network is refused with its place", per_model=False)
def wrong_network(stage):
    place = stage.setting.place("conf") + "/serve.conf"
    with open(place, "w", encoding="utf-8") as file:
        file.write('root = "/"\nlimits {\n    exempt = {"10.0.0.1/8"}\n}\n')
    code, _, errors = stage.setting.run("-c", place, "-t")
    expect("exit code", 78, code)
    require("serve.conf:3: limits.exempt: " in errors, "%s", errors)


def rss(pid):
    """Memory of a process that is its own, in bytes: not pages of files."""
    with open("/proc/%d/status" % pid, encoding="ascii") as file:
        found = dict(line.split(":", 1) for line in file)
    return sum(int(found[name].split()[0]) for name in ("RssAnon", "RssShmem")) << 10


@test("the ceiling of memory that is told at the start holds with all connections active")
def memory(stage):
    if stage.setting.is_sanitized():
        raise Skip("the sanitizer's own memory would be counted")
    root = stage.site(big_bin=big(1), a_txt=b"a")
    options = {"connections": 100, "cache.size": "2m", "workers": 1}
    with shown(stage, root, options, at_once=32) as (server, status), contextlib.ExitStack() as stack:
        most = status.json()["server"]["memory_bytes_max"]
        for _ in range(24 if stage.is_blocking() else 90):
            client = stack.enter_context(server.client(receive_bytes=4096))
            client.send(get("/a.txt") * 31 + get("/big.bin"))
            expect("status", 200, client.answer_head().status)
        used = sum(rss(pid) for pid in server.workers())
        require(used < most, "%d bytes are used, %d were told", used, most)
        line_of(server, "memory: at most")
