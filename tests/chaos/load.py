"""Clients with a constant load, in a process of their own, so that what disturbs the server does not disturb them.

Each client keeps a connection for some requests, one each 1/RATE seconds, and checks every byte of every response.
A request without its whole response is a failure, also where a browser would try again.
"""

import asyncio
import multiprocessing
import random
import time

CLIENTS = 16
RATE = 40  # requests of a client in a second
REQUESTS = 50  # of a connection, until the client closes it
PATIENCE = 20  # seconds for a response


class Figures:
    """What came of the requests between two moments."""

    def __init__(self, answers, failures):
        self.answers = answers
        self.failures = failures

    def percentile(self, share):
        """Milliseconds from sending to the last byte."""
        times = sorted(self.answers)
        return 1000 * times[min(len(times) - 1, int(share * len(times)))] if times else 0


class Client:
    def __init__(self, port, content, answers, failures):
        self.port, self.content = port, content
        self.answers, self.failures = answers, failures

    async def run(self, stop):
        await asyncio.sleep(random.random() / RATE)
        while not stop.is_set():
            local = None
            try:
                reader, writer = await asyncio.wait_for(asyncio.open_connection("127.0.0.1", self.port), PATIENCE)
                local = writer.get_extra_info("sockname")[1]
                await self.requests(reader, writer, stop)
                writer.close()
            except (OSError, asyncio.IncompleteReadError, asyncio.TimeoutError, AssertionError) as failure:
                self.failures.append((local, "%s: %s" % (type(failure).__name__, failure)))
                await asyncio.sleep(0.02)

    async def requests(self, reader, writer, stop):
        for _ in range(REQUESTS):
            sent = time.monotonic()
            writer.write(b"GET /a.txt HTTP/1.1\r\nHost: chaos\r\n\r\n")
            last = await asyncio.wait_for(self.response(reader), PATIENCE)
            self.answers.append(time.monotonic() - sent)
            if last or stop.is_set():
                return
            await asyncio.sleep(max(0, sent + 1 / RATE - time.monotonic()))

    async def response(self, reader):
        """Reads a response. Returns whether it is the last of its connection."""
        head = await reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200 "), head[:60]
        content = await reader.readexactly(len(self.content))
        assert content == self.content, "other content"
        return b"\r\nConnection: close\r\n" in head


async def load(port, content, orders):
    answers, failures = [], []
    stop = asyncio.Event()
    clients = [asyncio.create_task(Client(port, content, answers, failures).run(stop)) for _ in range(CLIENTS)]
    while True:
        await asyncio.sleep(0.01)
        if not orders.poll():
            continue
        order = orders.recv()
        if order == "stop":
            stop.set()
            await asyncio.wait(clients)
        orders.send((answers[:], failures[:]))
        answers.clear()
        failures.clear()
        if order == "stop":
            return


class Load:
    """`with Load(port, content) as load:` loads; load.take() returns the figures since the last one."""

    def __init__(self, port, content):
        self.orders, other = multiprocessing.Pipe()
        self.process = multiprocessing.Process(target=lambda: asyncio.run(load(port, content, other)), daemon=True)

    def __enter__(self):
        self.process.start()
        return self

    def take(self, order="take"):
        self.orders.send(order)
        return Figures(*self.orders.recv())

    def __exit__(self, *_):
        self.process.terminate()
        self.process.join()
