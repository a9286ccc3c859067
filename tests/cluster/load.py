"""Clients with a constant load, in a process and a network namespace of their own. They check every byte.

Each client keeps a connection for some requests. It does what browsers do, and counts it: a request on a kept connection
that ends before any byte of the response is sent again on a new one (again), and a response that is cut in the middle
is completed by a range with If-Range (resumed). Whatever else is not the whole right response is a failure.
"""

import asyncio
import hashlib
import multiprocessing
import random
import time

CLIENTS = 16
RATE = 20  # requests of a client in a second
REQUESTS = 50  # of a connection, until the client closes it
PATIENCE = 20  # seconds for a response
TRIES = 3  # of a request, the first one included


class Figures:
    """What came of the requests between two moments."""

    def __init__(self, times, failures, again, resumed):
        self.times, self.failures, self.again, self.resumed = times, failures, again, resumed

    @property
    def requests(self):
        return len(self.times) + len(self.failures)

    def percentile(self, share):
        """Milliseconds from sending to the last byte, tries included."""
        times = sorted(self.times)
        return 1000 * times[min(len(times) - 1, int(share * len(times)))] if times else 0


class Cut(Exception):
    """The connection ended before the response did. `received` is what came of the content."""

    def __init__(self, received, etag):
        super().__init__("the connection ended after %s" % ("%d bytes" % len(received) if etag else "nothing"))
        self.received, self.etag = received, etag


class Response:
    def __init__(self, head):
        lines = head.decode("latin-1").split("\r\n")
        self.status = int(lines[0].split()[1])
        self.fields = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}

    @property
    def is_last(self):
        return self.fields.get("connection", "").lower() == "close"


class Connection:
    """A connection to the balancer, opened when it is needed."""

    def __init__(self, address):
        self.address, self.reader, self.writer, self.left = address, None, None, 0

    async def exchange(self, request, has_content=True):
        """Sends a request. Returns the response and its content; raises Cut."""
        if not self.writer:
            self.reader, self.writer = await asyncio.open_connection(*self.address)
            self.left = REQUESTS
        content, etag = b"", None
        try:
            self.writer.write(request.encode())
            response = Response(await self.reader.readuntil(b"\r\n\r\n"))
            etag = response.fields.get("etag", "none")
            length = int(response.fields.get("content-length", 0)) if has_content else 0
            while len(content) < length:
                piece = await self.reader.read(length - len(content))
                if not piece:
                    raise Cut(content, etag)
                content += piece
        except (OSError, asyncio.IncompleteReadError) as error:
            self.close()
            raise Cut(content, etag) from error
        except Cut:
            self.close()
            raise
        self.left -= 1
        if response.is_last or self.left == 0:
            self.close()
        return response, content

    def close(self):
        if self.writer:
            self.writer.close()
            self.writer = None


def request_of(path, method="GET", more=""):
    return "%s %s HTTP/1.1\r\nHost: cluster\r\n%s\r\n" % (method, path, more)


class Client:
    def __init__(self, address, files, state):
        self.connection, self.files, self.state = Connection(address), files, state

    async def run(self):
        await asyncio.sleep(random.random() / RATE)
        while not self.state.stopped:
            await self.state.going.wait()
            began = time.monotonic()
            path = random.choice(list(self.files))
            self.state.busy += 1
            try:
                await asyncio.wait_for(self.fetch(path), PATIENCE)
                self.state.times.append(time.monotonic() - began)
            except (OSError, Cut, AssertionError, asyncio.TimeoutError) as failure:
                self.connection.close()
                self.state.failures.append("%s: %s %s after %.1f s" % (
                    path, type(failure).__name__, failure, time.monotonic() - began))
            self.state.busy -= 1
            await asyncio.sleep(max(0, began + 1 / RATE - time.monotonic()))
        self.connection.close()

    async def fetch(self, path):
        """The file, whole: what is missing after a cut is asked for."""
        content, etag = b"", None
        for left in reversed(range(TRIES)):
            more = "Range: bytes=%d-\r\nIf-Range: %s\r\n" % (len(content), etag) if content else ""
            try:
                response, piece = await self.connection.exchange(request_of(path, more=more))
            except Cut as cut:
                if not left:
                    raise
                self.count(cut)
                content, etag = content + cut.received, cut.etag or etag
                continue
            assert response.status == (206 if more else 200) or more and response.status == 200, response.status
            content = piece if response.status == 200 else content + piece
            break
        assert hashlib.sha256(content).digest() == self.files[path], "other content"

    def count(self, cut):
        if cut.received:
            self.state.resumed += 1
        else:
            self.state.again += 1


class State:
    def __init__(self):
        self.going, self.stopped, self.busy = asyncio.Event(), False, 0
        self.clear()

    def clear(self):
        self.times, self.failures, self.again, self.resumed = [], [], 0, 0


async def homes(address, paths):
    """Which server answers for each path: {path: name}."""
    connection, found = Connection(address), {}
    for path in paths:
        for _ in range(TRIES):
            try:
                response, _ = await connection.exchange(request_of(path, "HEAD"), has_content=False)
                found[path] = response.fields.get("x-server", "none")
                break
            except Cut:
                continue
    connection.close()
    return found


async def quiet(state):
    state.going.clear()
    while state.busy:
        await asyncio.sleep(0.01)
    await asyncio.sleep(0.1)  # HAProxy counts it as ended


async def obey(address, files, orders):
    state = State()
    clients = [asyncio.create_task(Client(address, files, state).run()) for _ in range(CLIENTS)]
    state.going.set()
    while True:
        await asyncio.sleep(0.01)
        if not orders.poll():
            continue
        order, answer = orders.recv(), None
        if order == "take":
            answer = Figures(state.times, state.failures, state.again, state.resumed)
            state.clear()
        elif order == "homes":
            await quiet(state)
            answer = await homes(address, files)
            state.going.set()
        else:
            await quiet(state)
            state.stopped = True
            state.going.set()
            await asyncio.wait(clients)
        orders.send(answer)
        if order == "stop":
            return


def live(space, address, files, orders):
    space.enter()
    asyncio.run(obey(address, files, orders))


class Load:
    """`with Load(namespace, address, files) as load:` loads. files: {path: SHA-256 of its content}."""

    def __init__(self, space, address, files):
        self.orders, other = multiprocessing.Pipe()
        self.process = multiprocessing.Process(target=live, args=(space, address, files, other), daemon=True)

    def __enter__(self):
        self.process.start()
        return self

    def ask(self, order):
        """take: the figures since the last time. homes: which server has which path, without other load."""
        self.orders.send(order)
        return self.orders.recv()

    def __exit__(self, *_):
        self.ask("stop") if self.process.is_alive() else None
        self.process.join()
