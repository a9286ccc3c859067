"""What goes wrong outside of the server: files that change during a response, peers that stall or
vanish, descriptors that run out. The server may lose that one connection, but never another one.
"""

import contextlib
import os
import time

from client import Cut, Failure, expect, expect_content, get, request, wait_until
from harness import connections_established, files_open
from stage import big, expect_rest, replace, require, test, tried_steadily

SMALL_WINDOW = 32768  # bytes a client takes before it reads: the rest waits in the server
LENGTH = 24 << 20     # more than all socket buffers on the way hold


def half_read(server, target="/big.bin"):
    """A client that asked for a file and has read only its begin; and the answer's head."""
    client = server.client(SMALL_WINDOW)
    client.send(get(target))
    answer = client.answer_head()
    expect("status", 200, answer.status)
    while len(client.buffer) < 100000:
        client.receive()
    return client, answer


def rest_of(client, length):
    """The content up to its promised length."""
    parts, have = [client.buffer], len(client.buffer)
    while have < length:
        client.buffer = b""
        if not client.receive():
            raise Cut("ended after %d of %d bytes" % (have, length), b"".join(parts))
        parts.append(client.buffer)
        have += len(client.buffer)
    client.buffer = b""
    return b"".join(parts)


@test("a file truncated under its answer: the connection ends short, nothing is padded")
def truncated(stage):
    content = big(24)
    root = stage.site(big_bin=content, a_txt=b"a")
    with stage.server(root) as server:
        client, answer = half_read(server)
        with client:
            os.truncate(os.path.join(root, "big.bin"), 1 << 20)
            try:
                rest_of(client, answer.length(False))
            except Cut as cut:
                got = cut.received
            except ConnectionResetError:
                got = b""
            else:
                raise Failure("the whole length came, though the file has become shorter")
        expect_content("what came of it", content[:min(len(got), 1 << 20)], got[:1 << 20])
        expect("another file", b"a", server.get("/a.txt").content)
        expect_content("the shorter file", content[:1 << 20], server.get("/big.bin").content)


@test("a file truncated to nothing under a pipelined answer")
def truncated_to_nothing(stage):
    root = stage.site(big_bin=big(24), a_txt=b"a")
    with stage.server(root) as server:
        client, answer = half_read(server)
        with client:
            client.send(get("/a.txt") * 3)
            os.truncate(os.path.join(root, "big.bin"), 0)
            got = client.drain()
        require(len(got) < answer.length(False), "more came than the file ever had")
        expect("the empty file", b"", server.get("/big.bin").content)


def complete(stage, change, then):
    """Changes a file under its answer, which must be complete and old; then the next is new."""
    content = big(24)
    root = stage.site(big_bin=content)
    path = os.path.join(root, "big.bin")
    with stage.server(root) as server:
        client, answer = half_read(server)
        with client:
            change(path)
            expect_content("content", content, rest_of(client, answer.length(False)))
            status, fresh = then
            client.send(get("/big.bin"))
            second = client.answer()
        expect("status of the next", status, second.status)
        if fresh is not None:
            expect_content("content of the next", fresh, second.content)
            require(second.field("ETag") != answer.field("ETag"), "the same entity-tag twice")


@test("a file replaced under its answer: the old one complete, then the new one")
def replaced(stage):
    complete(stage, lambda path: replace(path, b"new"), (200, b"new"))


@test("a file deleted under its answer: complete, then 404")
def deleted(stage):
    complete(stage, os.unlink, (404, None))


@test("a file that grew under its answer: the length promised, then the longer one")
def grown(stage):
    def append(path):
        with open(path, "ab") as file:
            file.write(b"more")
    complete(stage, append, (200, big(24) + b"more"))


@test("a client that does not read: others are served, and the send deadline ends it")
def reader_stalls(stage):
    root = stage.site(big_bin=big(24), a_txt=b"a")
    with stage.server(root, {"timeouts.send": "600s"}) as server:
        client, _ = half_read(server)
        with client:
            for _ in range(200):
                expect("another client", b"a", server.get("/a.txt").content)
    with stage.server(root, {"timeouts.send": stage.milliseconds(1)}) as server:
        before = sockets(server)
        client, answer = half_read(server)
        with client:
            wait_until("the stalled connection is closed", lambda: sockets(server) <= before,
                       stage.seconds(4))
            got = client.drain()
        require(len(got) < answer.length(False), "the whole file came after all")


def sockets(server):
    """How many its workers have open."""
    return sum(name.startswith("socket:") for pid in server.workers()
               for name in files_open(pid).values())


@test("a client that reads slowly but steadily is not ended by the send deadline")
def reader_is_slow(stage):
    content = big(24)
    root = stage.site(big_bin=content)
    with stage.server(root, {"timeouts.send": stage.milliseconds(1)}) as server:
        def trial(silence):
            client, answer = half_read(server)
            with client:
                have = [client.buffer]
                until = time.monotonic() + stage.seconds(3.5)
                while time.monotonic() < until:
                    client.buffer = b""
                    require(client.receive(65536), "ended while bytes were being taken")
                    silence.broken()
                    have.append(client.buffer)
                    time.sleep(stage.seconds(0.2))
                client.buffer = b"".join(have)
                expect_content("content", content, rest_of(client, answer.length(False)))
        tried_steadily(stage.seconds(1), trial)


def over(names):
    """Those of what a server has open that are no connections which the kernel calls established.
    A reset can be lost like any segment, and nobody sends it again: then only a deadline helps."""
    alive = connections_established()
    return [name for name in names if name not in alive]


@test("clients that reset in the middle: nothing leaks, others are served")
def resets(stage):
    root = stage.site(big_bin=big(24), a_txt=b"a")
    times = {"timeouts.send": stage.milliseconds(2), "timeouts.head": stage.milliseconds(2)}
    with stage.server(root, times) as server:
        server.get("/big.bin")

        def files():
            return [name for pid in server.workers() for name in files_open(pid).values()]
        # Each process or thread of those that serve one connection keeps the file open, too.
        before = len(files()) + (server.at_once if stage.is_blocking() else 0)
        for number in range(60):
            client, _ = half_read(server)
            if number % 2:
                client.send(get("/a.txt") * 20)
            client.reset()
        for _ in range(60):
            client = server.client()
            client.send(get("/a.txt")[:20])
            client.reset()
        expect("another client", b"a", server.get("/a.txt").content)
        try:
            wait_until("what is over is closed", lambda: len(over(files())) <= before, stage.seconds(3))
            wait_until("all is closed", lambda: len(files()) <= before, stage.seconds(9))
        except Failure as failure:
            raise Failure("%s: more than %d: %s; over: %s"
                          % (failure, before, sorted(files()), sorted(over(files())))) from None


@test("a client that finishes sending gets its whole answer")
def half_closed(stage):
    content = big(24)
    root = stage.site(big_bin=content)
    with stage.server(root) as server, server.client(SMALL_WINDOW) as client:
        client.send(get("/big.bin"))
        client.half_close()
        expect_content("content", content, client.answer().content)
        client.expect_end()


@test("many large files at once, each whole")
def many_at_once(stage):
    marks = "abcdefgh"
    files = {"%s_bin" % mark: big(6, mark) for mark in marks}
    root = stage.site(**files)
    with stage.server(root, {"workers": 2}) as server, contextlib.ExitStack() as stack:
        clients = [(mark, stack.enter_context(server.client(SMALL_WINDOW))) for mark in marks * 2]
        for mark, client in clients:
            client.send(get("/%s.bin" % mark) + request("HEAD", "/%s.bin" % mark))
        for mark, client in clients:
            expect_content("content of " + mark, files[mark + "_bin"], client.answer().content)
            expect("then HEAD", 200, client.answer(head_only=True).status)


@test("more large files than descriptors are kept open")
def few_descriptors_kept(stage):
    files = {"f%d_bin" % n: bytes([65 + n]) * 5000 for n in range(20)}
    root = stage.site(**files)
    options = {"cache.descriptors": 4, "cache.file_max": 1000}
    with stage.server(root, options) as server, server.client() as client:
        for _ in range(3):
            client.send("".join(get("/f%d.bin" % n) for n in range(20)))
            for n in range(20):
                expect_content("content", files["f%d_bin" % n], client.answer().content)


LIMIT = 64


@test("descriptors exhausted: those in are served, nobody spins, then it goes on")
def descriptors_exhausted(stage):
    root = stage.site(a_txt=b"a", big_bin=big(1))
    with stage.server(root, at_once=8) as server, contextlib.ExitStack() as stack:
        expect("before", b"a", server.get("/a.txt").content)
        worker = server.workers()[0]
        # From outside, so that the server cannot have prepared for it.
        stage.setting.limit_files(worker, LIMIT)
        clients = [stack.enter_context(server.client()) for _ in range(200)]
        for client in clients:
            client.send(get("/a.txt"))
        _, waiting = parted(clients, stage.seconds(3 if stage.is_blocking() else 10))
        # A thread without a descriptor for the file answers 503.
        take_turns(server, clients, [] if stage.is_blocking() else waiting, stage)


@test("started with 64 descriptors: it serves a good part of them at once")
def descriptors_few(stage):
    root = stage.site(a_txt=b"a", big_bin=big(1))
    with stage.server(root, files=LIMIT) as server, contextlib.ExitStack() as stack:
        clients = [stack.enter_context(server.client()) for _ in range(200)]
        for client in clients:
            client.send(get("/a.txt"))
        served, waiting = parted(clients, stage.seconds(10))
        if not stage.is_blocking():
            require(sockets(server) > 16, "only %d sockets are open at once", sockets(server))
        take_turns(server, served, waiting, stage)


def take_turns(server, served, waiting, stage):
    """Idle connections go when others wait: all get in."""
    expect("those that had no turn", [], waiting)
    for client in served:
        client.close()
    wait_until("they are closed", lambda: sockets(server) <= 4 * len(server.workers()),
               stage.seconds(10))
    expect_rest(server.workers()[0], 1)
    wait_until("new ones are served", lambda: is_served(server), stage.seconds(3))
    wait_until("a large file is served", lambda: server.get("/big.bin").status == 200, stage.seconds(3))
    expect("a large file", 1 << 20, len(server.get("/big.bin").content))


def parted(clients, seconds):
    """Those that are answered within this time, and those that wait longer."""
    served, waiting = [], []
    ends = time.monotonic() + seconds
    for client in clients:
        client.socket.settimeout(max(0.001, ends - time.monotonic()))
        try:
            expect("content", b"a", client.answer().content)
            served.append(client)
        except Failure:
            waiting.append(client)
        client.socket.settimeout(client.timeout)
    return served, waiting


def is_served(server):
    with contextlib.suppress(OSError, Failure):
        return server.get("/a.txt").content == b"a"
    return False


@test("more connections than the table holds: those beyond wait or are closed, and it goes on")
def connections_exhausted(stage):
    root = stage.site(a_txt=b"a")
    with stage.server(root, {"connections": 8}) as server, contextlib.ExitStack() as stack:
        clients = []
        for number in range(40):
            clients.append(stack.enter_context(server.client()))
            if number < 8:  # one that asks for nothing soon makes room
                clients[number].send(get("/a.txt"))
        for client in clients[:8]:
            expect("one of the first", b"a", client.answer().content)
        for client in clients:
            client.close()
        wait_until("new ones are served", lambda: is_served(server), stage.seconds(3))
