"""Starting and ending: signals, the drain, processes that die."""

import contextlib
import os
import signal
import socket
import threading
import time

from client import Cut, Failure, expect, expect_content, get, request, wait_until
from fixtures import located
from harness import descriptors_or_skip, files_open, has_ipv6, ipv6_or_skip, is_running, port_is_closed, threads_run
from stage import big, require, test

SMALL_WINDOW = 32768


class Loads:
    """Clients that go on until the server ends; no answer that began may be cut."""

    def __init__(self, server, files, count):
        self.server, self.files, self.count = server, files, count
        self.answers, self.failures = 0, []
        self.lock = threading.Lock()
        self.stopping = False

    def __enter__(self):
        self.threads = [threading.Thread(target=self.run, args=(number,))
                        for number in range(self.count)]
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.stopping = True
        for thread in self.threads:
            thread.join()

    def run(self, number):
        targets = sorted(self.files)  # the larger ones more often
        targets += targets[1:]
        try:
            while not self.stopping and self.connection(targets[number % len(targets)]):
                pass
        except (Failure, OSError) as failure:
            self.failures.append(failure)

    def connection(self, target):
        """As many requests as one connection takes; false when nobody listens any more."""
        try:
            client = self.server.client()
        except ConnectionError:
            return False
        with client:
            while not self.stopping:
                try:
                    client.send(get(target))
                    answer = client.answer()
                except (ConnectionError, Cut) as end:
                    if client.buffer or getattr(end, "received", b""):
                        raise Failure("an answer was cut: %s" % end) from None
                    return True  # the server finished between two requests
                expect_content("content under load", self.files[target], answer.content)
                with self.lock:
                    self.answers += 1
                if answer.closes():
                    client.expect_end()
                    return True
        return False


def drains(stage, number):
    files = {"/a.txt": b"a", "/m.bin": located(100000, "m"), "/big.bin": big(2)}
    root = stage.site(a_txt=files["/a.txt"], m_bin=files["/m.bin"], big_bin=files["/big.bin"])
    with stage.server(root, {"workers": 2, "timeouts.drain": "10s"}) as server:
        with Loads(server, files, 15) as loads:
            wait_until("load", lambda: loads.answers > 200, stage.seconds(10))
            server.signal(number)
            code = server.wait(5)
        expect("exit code", 0, code)
        if loads.failures:
            raise loads.failures[0]
        require(port_is_closed(server.address), "somebody listens there still")


for _number in (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT):
    test("%s under load: no answer is cut, exit code 0, port closed" % _number.name)(
        lambda stage, number=_number: drains(stage, number))


@test("TERM: a request that has begun is answered, an idle connection ends")
def drain_in_detail(stage):
    content = big(24)
    root = stage.site(a_txt=b"a", big_bin=content)
    with stage.server(root, {"timeouts.drain": "20s"}) as server, contextlib.ExitStack() as stack:
        idle, silent, begun, body, large = [
            stack.enter_context(server.client(SMALL_WINDOW)) for _ in range(5)]
        idle.get("/a.txt")
        begun.send(get("/a.txt")[:25])
        body.send(request("POST", "/a.txt", "Content-Length: 10", body="hello"))
        large.send(get("/big.bin"))
        head = large.answer_head()
        server.get("/a.txt")  # by now the others have been read, too
        server.signal(signal.SIGTERM)
        idle.expect_end()
        silent.expect_end()
        wait_until("the port is closed", lambda: port_is_closed(server.address), stage.seconds(3))
        begun.send(get("/a.txt")[25:])
        expect("a head that was begun", b"a", check_last(begun).content)
        body.send("world")
        expect("content that was begun", 405, check_last(body).status)
        large.answer_head = lambda: head
        expect_content("a large answer", content, large.answer().content)
        large.expect_end()
        expect("exit code", 0, server.wait(3))


def check_last(client):
    answer = client.answer()
    require(answer.closes(), "the last answer says nothing of the end: %r", answer.head)
    client.expect_end()
    return answer


def stuck(server, stack):
    """A client that takes nothing, so that a drain cannot end by itself."""
    client = stack.enter_context(server.client(SMALL_WINDOW))
    client.send(get("/big.bin"))
    client.answer_head()
    return client


@test("a second TERM stops at once")
def second_term(stage):
    root = stage.site(big_bin=big(24))
    with stage.server(root, {"timeouts.drain": "60s"}) as server, contextlib.ExitStack() as stack:
        client = stuck(server, stack)
        server.signal(signal.SIGTERM)
        wait_until("draining", lambda: port_is_closed(server.address), stage.seconds(3))
        time.sleep(0.2)
        require(server.process.poll() is None, "the first TERM did not wait")
        server.signal(signal.SIGTERM)
        code = server.wait(2)
        require(code >= 0, "ended by signal %d", -code)
        client.drain()


@test("a drain ends when its time is over")
def drain_deadline(stage):
    root = stage.site(big_bin=big(24))
    options = {"timeouts.drain": stage.milliseconds(1)}
    with stage.server(root, options) as server, contextlib.ExitStack() as stack:
        stuck(server, stack)
        began = time.monotonic()
        server.signal(signal.SIGTERM)
        code = server.wait(4)
        took = time.monotonic() - began
        require(code >= 0, "ended by signal %d", -code)
        require(took >= stage.seconds(0.9), "ended after %.2f s", took)


@test("TERM while nobody is connected: at once")
def term_when_idle(stage):
    with stage.server(stage.site(a_txt=b"a"), {"workers": 2, "timeouts.drain": "600s"}) as server:
        server.get("/a.txt")
        server.signal(signal.SIGTERM)
        expect("exit code", 0, server.wait(20))  # long before the end of the time to drain


@test("a worker killed: started again, the other one's connections live on")
def worker_killed(stage):
    root = stage.site(a_txt=b"a")
    with stage.server(root, {"workers": 2}, watched=False, at_once=48) as server, \
            contextlib.ExitStack() as stack:
        before = server.workers()
        expect("workers", server.count, len(before))
        clients = [stack.enter_context(server.client()) for _ in range(32)]
        for client in clients:
            client.get("/a.txt")
        victim = max(before, key=lambda pid: len(files_open(pid)))
        os.kill(victim, signal.SIGKILL)
        alive = [client for client in clients if is_alive(client)]
        if stage.model == "threadpool":  # all in one process
            expect("connections that live on", 0, len(alive))
        else:
            require(0 < len(alive) < 32, "%d of 32 connections live on", len(alive))
        for _ in range(20):
            expect("a new connection", b"a", served_in_the_end(server, stage.seconds(5)))
        # Until it is reaped, one that was killed still counts as a child.
        wait_until("as many workers again", lambda: victim not in server.workers() and
                   len(server.workers()) == server.count, stage.seconds(5))
        after = server.workers()
        require(set(before) - set(after) == {victim}, "%s became %s", before, after)
        for client in alive:
            expect("an old connection", b"a", client.get("/a.txt").content)


def is_alive(client):
    with contextlib.suppress(Failure, OSError):
        return client.get("/a.txt").content == b"a"
    return False


def served_in_the_end(server, seconds):
    """A connection that was in the dead worker's queue may break; a retry must not."""
    until = time.monotonic() + seconds
    while True:
        try:
            return server.get("/a.txt").content
        except (Failure, OSError):
            if time.monotonic() > until:
                raise


@test("a worker killed again and again: a pause before each start, and it serves")
def worker_killed_often(stage):
    with stage.server(stage.site(a_txt=b"a"), watched=False) as server:
        for _ in range(3):
            workers = wait_until("a worker", server.workers, stage.seconds(5))
            with contextlib.suppress(ProcessLookupError):  # prefork may just have ended one that it does not need
                os.kill(workers[0], signal.SIGKILL)
            wait_until("a worker", server.workers, stage.seconds(5))
            expect("content", b"a", served_in_the_end(server, stage.seconds(5)))


@test("the supervisor killed: its processes do not stay behind")
def supervisor_killed(stage):
    with stage.server(stage.site(a_txt=b"a"), {"workers": 2}) as server:
        workers = server.workers()
        server.signal(signal.SIGKILL)
        server.wait(3)
        wait_until("the workers have ended", lambda: not any(map(is_running, workers)),
                   stage.seconds(5))


@test("many connections at once, over two workers")
def many_connections(stage):
    if stage.model == "threadpool":  # all of them in one process
        descriptors_or_skip(2500)
    content = located(3000)
    with stage.server(stage.site(a_txt=content), {"workers": 2}, at_once=400) as server:
        def several():
            with contextlib.ExitStack() as stack:
                clients = [stack.enter_context(server.client()) for _ in range(100)]
                for _ in range(5):
                    for client in clients:
                        client.send(get("/a.txt"))
                    for client in clients:
                        expect_content("content", content, client.answer().content)
        threads_run([several] * 4)


class LetGo(Exception):
    """A kept connection was closed between two requests."""


def kept_get(client, before):
    """A request on a kept connection, which may be closed for having been quiet: on a busy machine, sooner than
    its client was let run. Nothing of an answer may have come, and the first request must be answered."""
    try:
        return client.get("/a.txt")
    except (Cut, ConnectionError) as end:
        if before is None or getattr(end, "received", b"") or client.buffer:
            raise
        raise LetGo from end


@test("more connections than are served at once: silent ones make room, busy ones take turns")
def turns(stage):
    with stage.server(stage.site(a_txt=b"a"), at_once=4) as server, \
            contextlib.ExitStack() as stack:
        for _ in range(16):  # each is kept, and says nothing more
            client = stack.enter_context(server.client())
            expect("one of many", b"a", client.get("/a.txt").content)
        counts = [0] * 12
        until = time.monotonic() + stage.seconds(20)

        def goes_on():
            """Until all have had their turns: who has had some may keep nobody from the first."""
            return min(counts) <= 10 and time.monotonic() < until

        def busy(number):
            while goes_on():
                with server.client() as client, contextlib.suppress(LetGo):
                    answer = None
                    while goes_on() and not (answer and answer.closes()):
                        answer = kept_get(client, answer)
                        expect("one of the busy", b"a", answer.content)
                        counts[number] += 1
        threads_run([lambda number=number: busy(number) for number in range(12)])
        require(min(counts) > 10, "answers for each of the busy: %s", counts)


@test("a pool grows with those who stay, closes none of them, and shrinks again")
def pool(stage):
    if stage.model != "prefork":
        return  # the others have no pool
    options = {"prefork.start": 2, "prefork.spare_min": 1, "prefork.spare_max": 2,
               "prefork.processes": 12}
    with stage.server(stage.site(a_txt=b"a"), options, watched=False) as server:
        with contextlib.ExitStack() as stack:
            clients = [stack.enter_context(server.client()) for _ in range(8)]
            for _ in range(5):
                for client in clients:
                    expect("content", b"a", client.get("/a.txt").content)
                time.sleep(0.2)
            require(len(server.workers()) > 8, "%d processes", len(server.workers()))
        most = len(server.workers())
        wait_until("fewer processes", lambda: len(server.workers()) < most, stage.seconds(5))


@test("an idle server uses no processor time")
def idle(stage):
    with stage.server(stage.site(a_txt=b"a"), {"workers": 1}) as server, server.client() as client:
        client.get("/a.txt")
        worker = server.workers()[0]

        def switches():
            with open("/proc/%d/status" % worker) as file:
                return int(next(line for line in file
                                if line.startswith("voluntary")).split()[1])
        def woken():
            before = switches()
            time.sleep(1)
            return switches() - before
        # What other programs do in the directories above the root, such as /tmp, wakes it too.
        seconds = [woken()]
        while min(seconds) > 20 and len(seconds) < 5:
            seconds.append(woken())
        require(min(seconds) <= 20, "woken %s times in a second without work", seconds)


@test("a Unix socket: served, made anew when stale, removed at the end")
def unix_socket(stage):
    root = stage.site(a_txt=b"a", big_bin=big(2))
    path = os.path.join(stage.setting.place("unix"), "socket")
    with socket.socket(socket.AF_UNIX) as stale:
        stale.bind(path)
    if stage.setting.user is not None:
        os.chown(path, stage.setting.user, stage.setting.user)
    with stage.server(root, {"listen": ["unix:" + path], "workers": 2}) as server:
        expect("address", path, server.address)
        for _ in range(10):
            expect("content", b"a", server.get("/a.txt").content)
        expect_content("a large file", big(2), server.get("/big.bin").content)
    require(not os.path.exists(path), "the socket's file is left behind")


@test("IPv6, IPv4 and a Unix socket together, each on the start line")
def several_addresses(stage):
    path = os.path.join(stage.setting.place("unix"), "socket")
    listen = ["127.0.0.1:0", "unix:" + path] + (["[::1]:0"] if has_ipv6() else [])
    with stage.server(stage.site(a_txt=b"a"), {"listen": listen, "workers": 2}) as server:
        expect("addresses", len(listen), len(server.addresses))
        for address in server.addresses:
            with server.client(address=address) as client:
                expect("content at %s" % (address,), b"a", client.get("/a.txt").content)
    ipv6_or_skip()
