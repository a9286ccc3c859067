"""Many peers and few places: descriptors, the table of connections, workers that are not there.
Whoever asks next is served, whatever those before hold, and nobody hangs.
"""

import contextlib
import os
import select
import signal
import time

from client import Failure, expect, expect_content, get, wait_until
from faults import expect_rest
from harness import children, files_open, process_name
from stage import require, test

SMALL_WINDOW = 4096
DESCRIPTORS = 400       # for one process
LARGE = 8 << 20         # more than all socket buffers on the way hold
PIPELINED = 32          # requests in one segment; as many responses may be gathered


# ---- descriptors of files being sent ---------------------------------------------------------------

def large_files(stage, count):
    """A root with a.txt and so many large files, all different, that take no room on the disk."""
    root = stage.site(a_txt=b"a")
    for number in range(count):
        path = os.path.join(root, "%d.bin" % number)
        with open(path, "wb") as file:
            file.truncate(LARGE + number)
    return root


def pipeline_send(stack, server, numbers):
    """A client that asks for these files at once and reads nothing of them."""
    client = stack.enter_context(server.client(SMALL_WINDOW))
    client.send("".join(get("/%d.bin" % number) for number in numbers))
    return client


def files_held(server, root):
    """How many files below the root its workers have open."""
    return sum(name.startswith(root + "/") for pid in server.workers()
               for name in files_open(pid).values())


def settled(what, value, seconds):
    """The value once it has not changed for a while."""
    until, last, since = time.monotonic() + seconds, None, 0
    while time.monotonic() < until:
        now = value()
        if now != last:
            last, since = now, time.monotonic()
        elif time.monotonic() - since > 0.2:
            return now
        time.sleep(0.02)
    raise Failure("%s: still changing after %.1f s" % (what, seconds))


@test("few peers pipeline large files and read nothing: descriptors are left for everybody else")
def files_pipelined(stage):
    root = large_files(stage, 40 * PIPELINED)
    peers = 8 if stage.is_blocking() else 40
    with stage.server(root, files=DESCRIPTORS, at_once=16) as server, \
            contextlib.ExitStack() as stack:
        for peer in range(peers):
            pipeline_send(stack, server, range(peer * PIPELINED, (peer + 1) * PIPELINED))
        held = settled("files held", lambda: files_held(server, root), stage.seconds(5))
        require(0 < held <= 2 * peers, "%d peers hold %d files", peers, held)
        for _ in range(4):
            expect("somebody else", b"a", server.get("/a.txt").content)
        with server.client() as client:
            client.send(get("/0.bin"))
            expect("a large file for somebody else", 200, client.answer_head().status)
        text = "".join(server.lines)
        require("Too many open files" not in text, "descriptors ran out: %s", text)


@test("pipelined large files: each answer whole, in order, none refused, as they are read")
def files_pipelined_whole(stage):
    root = large_files(stage, PIPELINED)
    with stage.server(root, files=DESCRIPTORS, at_once=8) as server, server.client() as client:
        client.send("".join(get("/%d.bin" % n) + get("/a.txt") for n in range(PIPELINED)))
        for number in range(PIPELINED):
            answer = client.answer()
            expect("status", 200, answer.status)
            expect("length", LARGE + number, len(answer.content))
            expect("the small one behind it", b"a", client.answer().content)


@test("files that are replaced while they are sent: those in use are bounded, too")
def files_replaced(stage):
    root = large_files(stage, 4)
    with stage.server(root, files=DESCRIPTORS, at_once=16) as server, \
            contextlib.ExitStack() as stack:
        clients = 8 if stage.is_blocking() else 60
        for turn in range(clients):
            path = os.path.join(root, "0.bin")
            with open(path + ".new", "wb") as file:
                file.truncate(LARGE + turn)
            os.rename(path + ".new", path)
            client = pipeline_send(stack, server, [0] * PIPELINED)
            expect("status", 200, client.answer_head().status)
        held = settled("files held", lambda: files_held(server, root), stage.seconds(5))
        require(held <= clients + 4, "%d clients hold %d files", clients, held)
        expect("somebody else", b"a", server.get("/a.txt").content)


# ---- a table full of connections without a request ------------------------------------------------

PLACES = 8


def places(stage, root, **more):
    """A server with PLACES places for connections, whatever the model calls them."""
    options = {"connections": PLACES, "prefork.start": PLACES, "prefork.spare_min": PLACES,
               "timeouts.idle": "60s", "timeouts.head": "60s"}
    options.update(more)
    return stage.server(root, options, at_once=PLACES)


def clients_of(stack, server, count):
    """As many clients, one after another, each of which has had an answer and is quiet now."""
    clients = []
    for _ in range(count):
        client = stack.enter_context(server.client())
        expect("one that had a place", b"a", client.get("/a.txt").content)
        clients.append(client)
    return clients


def is_ended(client):
    """Whether the server has ended this connection, as far as can be seen now."""
    return is_readable(client) and not client.receive()


def served_within(server, seconds):
    """A new client gets its answer soon; it is kept."""
    began = time.monotonic()
    client = server.client()
    expect("a new client", b"a", client.get("/a.txt").content)
    took = time.monotonic() - began
    require(took < server.seconds(seconds), "a new client waited %.2f s", took)
    return client


@test("a table full of kept connections: a new client is served, the longest idle one goes")
def kept_make_room(stage):
    with places(stage, stage.site(a_txt=b"a")) as server, contextlib.ExitStack() as stack:
        clients = clients_of(stack, server, PLACES)
        expect("the oldest is used again", b"a", clients[0].get("/a.txt").content)
        time.sleep(stage.seconds(0.3))  # quiet for longer than a tick
        stack.enter_context(served_within(server, 1))
        gone = [number for number, client in enumerate(clients) if is_ended(client)]
        if stage.is_blocking():  # each of those that serve looks for itself: several may go
            require(gone, "nobody made room")
            return
        expect("those that went", [1], gone)
        for number, client in enumerate(clients):
            if number != 1:
                expect("one that stayed", b"a", client.get("/a.txt").content)


@test("a table full of connections that never asked: a new client is served")
def silent_make_room(stage):
    with places(stage, stage.site(a_txt=b"a")) as server, contextlib.ExitStack() as stack:
        for _ in range(PLACES):
            stack.enter_context(server.client())
        for _ in range(3):
            stack.enter_context(served_within(server, 2))


@test("a table full, some of them silent from the start: those go before the ones that were used")
def silent_go_first(stage):
    with places(stage, stage.site(a_txt=b"a")) as server, contextlib.ExitStack() as stack:
        used = clients_of(stack, server, PLACES // 2)
        silent = [stack.enter_context(server.client()) for _ in range(PLACES // 2)]
        time.sleep(stage.seconds(0.5))
        for number in range(PLACES // 2):
            stack.enter_context(served_within(server, 1))
            if not stage.is_blocking():
                expect("silent ones gone", number + 1, sum(map(is_ended, silent)))
        if not stage.is_blocking():
            for client in used:
                expect("one that was used", b"a", client.get("/a.txt").content)


@test("a crowd of new clients: each is served, as many go as come, none that is under way")
def crowd_comes(stage):
    root = stage.site(a_txt=b"a")
    with places(stage, root) as server, contextlib.ExitStack() as stack:
        begun = stack.enter_context(server.client())
        begun.send(get("/a.txt")[:20])
        kept = clients_of(stack, server, PLACES - 1)
        time.sleep(stage.seconds(0.4))
        for _ in range(4 * PLACES):
            client = stack.enter_context(server.client())
            client.send(get("/a.txt"))
            kept.append(client)
        for client in kept[PLACES - 1:]:
            expect("one of the crowd", b"a", client.answer().content)
        begun.send(get("/a.txt")[20:])
        expect("one that was under way", b"a", begun.answer().content)


@test("a full table that nobody waits for: nobody goes")
def nobody_waits(stage):
    with places(stage, stage.site(a_txt=b"a")) as server, contextlib.ExitStack() as stack:
        clients = clients_of(stack, server, PLACES)
        time.sleep(stage.seconds(1.2))
        for client in clients:
            expect("one that was quiet", b"a", client.get("/a.txt").content)


@test("a full table, all with a request under way: nobody goes, who waits is served next, no work")
def nobody_may_go(stage):
    with places(stage, stage.site(a_txt=b"a")) as server, contextlib.ExitStack() as stack:
        begun = [stack.enter_context(server.client()) for _ in range(PLACES)]
        for client in begun:
            client.send(get("/a.txt")[:20])
        wait_until("all are in", lambda: sockets_open(server) >= PLACES, stage.seconds(3))
        waiting = stack.enter_context(server.client())
        waiting.send(get("/a.txt"))
        expect_rest(server.workers()[0], 1)
        expect("an answer to the one that waits", False, is_readable(waiting))
        for client in begun:
            client.send(get("/a.txt")[20:])
            expect("one that was under way", b"a", client.answer().content)
        began = time.monotonic()
        expect("the one that waits", b"a", waiting.answer().content)
        took = time.monotonic() - began
        require(took < stage.seconds(1), "it waited %.2f s", took)


def sockets_open(server):
    """Connections that its workers have, as far as their descriptors tell."""
    return sum(name.startswith("socket:") for pid in server.workers()
               for name in files_open(pid).values()) - len(server.addresses)


def is_readable(client):
    return bool(select.select([client.socket], [], [], 0)[0])


@test("a full table on two addresses: whoever comes to either one is served")
def two_addresses(stage):
    root = stage.site(a_txt=b"a")
    with places(stage, root, listen=["127.0.0.1:0", "127.0.0.2:0"]) as server, \
            contextlib.ExitStack() as stack:
        clients_of(stack, server, PLACES)
        time.sleep(stage.seconds(0.3))
        for turn in range(6):
            client = stack.enter_context(server.client(address=server.addresses[turn % 2]))
            began = time.monotonic()
            expect("a new client", b"a", client.get("/a.txt").content)
            took = time.monotonic() - began
            require(took < stage.seconds(1), "a new client waited %.2f s", took)


@test("descriptors run out, the idle hold them: a new client is served")
def idle_hold_descriptors(stage):
    if stage.model == "prefork":  # each process has one connection, which is nobody else's
        return
    root = stage.site(a_txt=b"a")
    with stage.server(root, {"timeouts.idle": "60s"}, at_once=16) as server, \
            contextlib.ExitStack() as stack:
        clients_of(stack, server, 10)
        time.sleep(stage.seconds(0.3))
        worker = server.workers()[0]
        stage.setting.limit_files(worker, max(files_open(worker)) + 1)
        for _ in range(12):
            stack.enter_context(served_within(server, 2))
