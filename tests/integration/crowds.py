"""Many peers and few places: descriptors, the table of connections, workers that are absent.

The next client is served, whatever the clients before it hold, and no client hangs.
"""

import contextlib
import os
import resource
import select
import signal
import time

from client import Failure, expect, expect_content, get, wait_until
from harness import children, files_open, halt, process_name
from stage import expect_pace, expect_rest, require, seconds_of, test

SMALL_WINDOW = 4096
DESCRIPTORS = 400       # for one process
LARGE = 8 << 20         # more than all socket buffers on the way hold
PIPELINED = 32          # requests in one segment; as many responses may be gathered


# ---- descriptors of files being sent ---------------------------------------------------------------

def large_files(stage, count, length=LARGE):
    """A root with a.txt and so many large files, all different, that take no room on the disk."""
    root = stage.site(a_txt=b"a")
    for number in range(count):
        path = os.path.join(root, "%d.bin" % number)
        with open(path, "wb") as file:
            file.truncate(length + number)
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


@test("a file each for all that may connect, and none is read: those that ask wait, none is refused")
def files_for_all(stage):
    if stage.is_blocking():  # each has a file of its own, whatever the others have
        return
    root = large_files(stage, DESCRIPTORS)
    options = {"cache.descriptors": 8, "timeouts.send": "60s", "timeouts.head": "60s"}
    with stage.server(root, options, files=DESCRIPTORS) as server, \
            contextlib.ExitStack() as stack:
        clients = [pipeline_send(stack, server, [number]) for number in range(200)]
        wait_until("more than 20 files are lent", lambda: files_held(server, root) > 20, server.seconds(10))
        held = settled("files held", lambda: files_held(server, root), server.seconds(5))
        require(held < 150, "%d files are lent", held)
        answered = [client for client in clients if is_readable(client)]
        waiting = [client for client in clients if client not in answered]
        require(waiting, "nobody has to wait")
        expect("somebody else", b"a", server.get("/a.txt").content)
        for client in answered:
            expect("status", 200, client.answer_head().status)
            client.close()
        while waiting:  # each that gets its response lets the next one have a file
            ready = select.select([client.socket for client in waiting], [], [],
                                  server.seconds(5))[0]
            require(ready, "%d wait for a file in vain", len(waiting))
            for client in [client for client in waiting if client.socket in ready]:
                expect("status", 200, client.answer_head().status)
                waiting.remove(client)
                client.close()
        text = "".join(server.lines)
        require("Too many open files" not in text, "descriptors ran out: %s", text)



@test("pipelined large files: each answer whole, in order, none refused, as they are read")
def files_pipelined_whole(stage):
    root = large_files(stage, PIPELINED, 1 << 20)
    with stage.server(root, files=DESCRIPTORS, at_once=8) as server, server.client() as client:
        client.send("".join(get("/%d.bin" % n) + get("/a.txt") for n in range(PIPELINED)))
        for number in range(PIPELINED):
            answer = client.answer()
            expect("status", 200, answer.status)
            expect("length", (1 << 20) + number, len(answer.content))
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


def served(server, address=None):
    """A new client gets its answer, which is long before the deadlines of those that are there (places()); it is
    kept."""
    client = server.client(address=address, timeout=20)
    expect("a new client", b"a", client.get("/a.txt").content)
    return client


@test("a table full of kept connections: a new client is served, the longest idle one goes")
def kept_make_room(stage):
    with places(stage, stage.site(a_txt=b"a")) as server, contextlib.ExitStack() as stack:
        clients = clients_of(stack, server, PLACES)
        expect("the oldest is used again", b"a", clients[0].get("/a.txt").content)
        time.sleep(stage.seconds(0.3))  # quiet for longer than a tick
        stack.enter_context(served(server))
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
            stack.enter_context(served(server))


@test("a table full, some of them silent from the start: those go before the ones that were used")
def silent_go_first(stage):
    with places(stage, stage.site(a_txt=b"a")) as server, contextlib.ExitStack() as stack:
        used = clients_of(stack, server, PLACES // 2)
        silent = [stack.enter_context(server.client()) for _ in range(PLACES // 2)]
        time.sleep(stage.seconds(0.5))
        for number in range(PLACES // 2):
            stack.enter_context(served(server))
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
        expect("the one that waits", b"a", waiting.answer().content)  # the others may stay for 60 s


@test("a full table, all with a request under way: when one ends, who waits is served at once")
def next_at_once(stage):
    root, times = stage.site(a_txt=b"a"), []
    with places(stage, root) as server, places(stage, root) as other, contextlib.ExitStack() as stack:
        begun = [stack.enter_context(server.client()) for _ in range(PLACES)]
        for client in begun:
            client.send(get("/a.txt")[:20])
        wait_until("all are in", lambda: sockets_open(server) >= PLACES, stage.seconds(3))
        for client in begun:
            waiting = stack.enter_context(server.client())
            waiting.send(get("/a.txt", "Connection: close"))
            time.sleep(stage.seconds(0.05))
            times.append([seconds_of(one_ends, client, waiting), seconds_of(one_comes, other)])
            begun_again = stack.enter_context(server.client())
            begun_again.send(get("/a.txt")[:20])
            wait_until("it is full again", lambda: sockets_open(server) >= PLACES, stage.seconds(3))
        expect_pace("a wait", *zip(*times), times=4, grain=0.02)  # a tick is 0.1 s: half of it in the median


def one_ends(client, waiting):
    """A place becomes free, and the next client has it."""
    client.close()
    expect("the one that waits", b"a", waiting.answer().content)


def one_comes(server):
    """A client finds a place that is free."""
    expect("another server's client", b"a", server.get("/a.txt").content)


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
            stack.enter_context(served(server, server.addresses[turn % 2]))


@test("descriptors run out, the idle hold them: a new client is served")
def idle_hold_descriptors(stage):
    if stage.model == "prefork":  # each process has one connection, which is nobody else's
        return
    root = stage.site(a_txt=b"a")
    threads = 16
    with stage.server(root, {"timeouts.idle": "60s"}, at_once=threads) as server, \
            contextlib.ExitStack() as stack:
        with contextlib.ExitStack() as all_threads:  # each has its own copy of the file then, and opens none
            clients_of(all_threads, server, threads)
        clients_of(stack, server, 10)
        time.sleep(stage.seconds(0.3))
        worker = server.workers()[0]
        stage.setting.limit_files(worker, max(files_open(worker)) + 1)
        for _ in range(12):
            stack.enter_context(served(server))


# ---- workers that are not there -------------------------------------------------------------------

WORKERS = 4
LOCKED = 8 << 20  # what an ordinary user may lock by default: 24 rings on some kernels


def loops(stage, workers, hang="10s", **more):
    """A server of several workers; None where one of them is not missed: all share a listener."""
    if stage.is_blocking():
        return None
    return stage.server(stage.site(a_txt=b"a"), {"workers": workers, "timeouts.hang": hang}, watched=False,
                        user=stage.setting.user_alone(), **more)


def all_served(server, count, seconds):
    """As many new clients at once, each of which is answered within that time."""
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(server.client(timeout=seconds)) for _ in range(count)]
        for client in clients:
            client.send(get("/a.txt"))
        for number, client in enumerate(clients):
            try:
                expect("content", b"a", client.answer().content)
            except Failure as failure:
                raise Failure("client %d of %d: %s" % (number, count, failure)) from None


def worker_kill(server, pid):
    os.kill(pid, signal.SIGKILL)
    wait_until("it has ended", lambda: pid not in server.workers(), server.seconds(5))


@test("more workers than rings may be locked in memory: no connection hangs")
def rings_too_many(stage):
    if not stage.is_ring() or os.geteuid() != 0:  # the other tests' rings count for the same user
        return
    root = stage.site(a_txt=b"a")
    for model in ("io_uring", "auto"):
        try:
            server = stage.server(root, {"model": model, "workers": 32}, watched=False,
                                  memlock=LOCKED, user=stage.setting.user_alone())
        except Failure as failure:
            require(model == "io_uring" and "may be locked" in str(failure), "%s: %s", model, failure)
            continue
        with server:
            all_served(server, 120, 5)


@test("a worker that cannot have its ring again: others serve who comes to it")
def ring_denied(stage):
    if not stage.is_ring():
        return
    with loops(stage, WORKERS) as server:
        all_served(server, 8, 5)
        stage.setting.limit(server.pid, resource.RLIMIT_MEMLOCK, 0)
        worker_kill(server, server.workers()[1])
        for _ in range(3):
            all_served(server, 60, 5)


@contextlib.contextmanager
def forks_denied(stage, server):
    """The supervisor cannot start a process."""
    stage.setting.limit(server.pid, resource.RLIMIT_NPROC, 0)
    yield
    stage.setting.limit(server.pid, resource.RLIMIT_NPROC, None)  # a leak check starts one


@test("workers that died and cannot be started: others serve who comes to them")
def workers_gone(stage):
    server = loops(stage, WORKERS)
    if server is None:
        return
    with server:
        all_served(server, 8, 5)
        with forks_denied(stage, server):
            for left in range(WORKERS - 1, 0, -1):
                worker_kill(server, server.workers()[0])
                all_served(server, 60, 5)
                expect("workers left", left, len(server.workers()))


@test("connections that wait for a worker that dies are served by others")
def queue_inherited(stage):
    server = loops(stage, 2, hang="off")  # else another worker would accept for the one that is stopped
    if server is None:
        return
    with server, contextlib.ExitStack() as stack:
        all_served(server, 8, 5)
        stack.enter_context(forks_denied(stage, server))
        stopped = server.workers()[0]
        halt(stopped)
        clients = [stack.enter_context(server.client()) for _ in range(40)]
        for client in clients:
            client.send(get("/a.txt"))
        time.sleep(stage.seconds(0.2))
        waiting = [client for client in clients if not is_readable(client)]
        require(waiting, "nobody waits for the worker that is stopped")
        os.kill(stopped, signal.SIGKILL)
        for client in waiting:
            try:
                expect("one that waited", b"a", client.answer().content)
            except ConnectionError:  # a ring that ends may accept once more, and what it has is lost
                require(stage.is_ring(), "one that waited was reset")


@test("a worker that is back serves, and all of them drain")
def worker_is_back(stage):
    server = loops(stage, 2)
    if server is None:
        return
    with server:
        for _ in range(3):  # the second time it has lived too short a time, and is waited with
            pid = server.workers()[0]
            worker_kill(server, pid)
            all_served(server, 20, 5)
            wait_until("it is back", lambda: len(server.workers()) == 2, server.seconds(5))
        all_served(server, 20, 5)
