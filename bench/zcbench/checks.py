"""Measurements that are not a load.

Each Check of zcbench.works names a function here. It takes the bench and the name of a server, and
returns figures by name; a list holds the rows of a plot.
"""

import random
import statistics
import threading
import time

from . import CannotRun, clients, counters, loads
from .answers import verify
from .cold import cold  # noqa: F401
from .tails import tails  # noqa: F401
from .works import BY_NAME, MIB, Work

STARTS = 5
WARM_REQUESTS = 200
CONNECTIONS = (0, 1000, 2000, 5000, 10000)
DESCRIPTORS_SPARE = 500
READER_RECEIVE_BYTES = 4096
READER_TURN_BYTES, READER_TURN_SECONDS = 2048, 1.0
MANY_FILES_BUDGET = 16 * MIB  # zcserve's cache.size in that check
HOT = BY_NAME["c64"]
SLOW = Work("slow", "1 MiB", MIB)
MANY = Work("many", "100,000 files", requests="zipf", options={"cache_size": "16m"})


def warm(server):
    """Sends requests, so that the server makes everything that it makes when it is first used."""
    path = server.site.first_path(server.work)
    with clients.Connection(server.port) as connection:
        for _ in range(WARM_REQUESTS):
            connection.get(path)


def pss_sum(server):
    return sum(counters.pss_all(server.pids()).values())


def hot(server, seconds=1):
    """Returns requests per second and p99 of a hot file with 64 connections."""
    requests = server.site.requests_of(HOT)
    load = clients.load_run(HOT, server.port, seconds, requests)
    return load.requests / load.seconds, load.p99_us


def kept_figures(without, beside):
    """`without` was measured before and after `beside`, so that a drift of the machine cancels."""
    rate, p99 = (statistics.mean(each) for each in zip(*without))
    return {"kept": beside[0] / rate, "rate_without": rate, "rate_with": beside[0],
            "p99_us_without": p99, "p99_us_with": beside[1]}


def start(bench, name):
    """Time from just before the process is made until the end of the first 200, and memory then."""
    times, memory = [], []
    for _ in range(STARTS):
        with bench.serve(name, HOT) as server:
            times.append((server.answered - server.spawned) * 1000)
            memory.append(pss_sum(server))
    return {"milliseconds": statistics.median(times), "pss_mib": statistics.median(memory) / MIB}


def connections_max(name):
    """Returns how many connections to open. lighttpd takes half as many as it has descriptors."""
    room = counters.descriptors_max() // (2 if name == "lighttpd" else 1) - DESCRIPTORS_SPARE
    if room < CONNECTIONS[1]:
        raise CannotRun(f"{counters.descriptors_max()} descriptors are too few (ulimit -n)")
    return min(CONNECTIONS[-1], room)


def idle(bench, name):
    """Memory of connections that stay open after one response, and hot requests beside them.

    The connections that warm the server are closed first. Tables made at start do not count as growth.
    """
    held, rows = [], []
    most = connections_max(name)
    with bench.serve(name, HOT) as server:
        path = server.site.first_path(HOT)
        try:
            warm(server)
            without = [hot(server)]
            for count in [each for each in CONNECTIONS if each < most] + [most]:
                while len(held) < count:
                    held.append(clients.Connection(server.port))
                    held[-1].get(path)
                time.sleep(0.1)
                rows.append([count, pss_sum(server)])
            beside = hot(server)
        finally:
            for connection in held:
                connection.close()
        time.sleep(0.3)
        without.append(hot(server))
    each = (rows[-1][1] - rows[0][1]) / rows[-1][0]
    return {"bytes_each": each, "connections": most, **kept_figures(without, beside),
            "memory": rows}


class Readers:
    """Connections that have each requested 1 MiB, and read 2 KiB of it a second."""

    def __init__(self, server, count):
        self.held, self.over, self.ended = [], threading.Event(), 0
        path = server.site.first_path(SLOW)
        try:
            for _ in range(count):
                connection = clients.Connection(server.port, READER_RECEIVE_BYTES)
                self.held.append(connection)
                connection.send(path)
                connection.socket.setblocking(False)
        except OSError:
            self.close()
            raise
        self.thread = threading.Thread(target=self._read, daemon=True)
        self.thread.start()

    def _read(self):
        """Reads from a hundredth of them at a time, so that the reading is spread over the second."""
        while True:
            for first in range(100):
                for connection in self.held[first::100]:
                    self._read_one(connection.socket)
                if self.over.wait(READER_TURN_SECONDS / 100):
                    return

    def _read_one(self, socket):
        try:
            if not socket.recv(READER_TURN_BYTES):
                self.ended += 1
        except BlockingIOError:
            pass
        except OSError:
            self.ended += 1

    def close(self):
        self.over.set()
        if hasattr(self, "thread"):
            self.thread.join()
        for connection in self.held:
            connection.close()


def slow(bench, name):
    """Hot requests beside many clients that read slowly, and the memory that these cost."""
    count = connections_max(name)
    with bench.serve(name, HOT) as server:
        warm(server)
        without, before = [hot(server)], pss_sum(server)
        readers = Readers(server, count)
        try:
            time.sleep(1)
            grown = pss_sum(server) - before
            beside = hot(server, 2)
        finally:
            readers.close()
        time.sleep(0.3)
        without.append(hot(server))
    if readers.ended > count // 100:
        raise CannotRun(f"{readers.ended} of {count} slow readers were cut off")
    return {"bytes_each": grown / count, "connections": count, **kept_figures(without, beside)}


def many_files(bench, name):
    """Requests all files once in a random order, then again in another. Returns the growth after each pass."""
    paths = bench.site.many_files()[1]
    order, figures = random.Random(1), {}
    with bench.serve(name, MANY) as server:
        warm(server)
        before = pss_sum(server)
        for turn in ("first", "second"):
            order.shuffle(paths)
            seconds = files_request(server, paths)
            figures[f"{turn}_pass_mib"] = (pss_sum(server) - before) / MIB
            figures[f"{turn}_pass_requests_per_second"] = len(paths) / seconds
    return {**figures, "files": len(paths)}


def files_request(server, paths):
    """Requests each path over one connection and checks the content. Returns the seconds that it took."""
    began = time.monotonic()
    with clients.Connection(server.port) as connection:
        for path in paths:
            if not connection.get(path).startswith(path.encode()):
                raise CannotRun(f"{server.name} answered {path} with another file's content")
    return time.monotonic() - began


def scaling(bench, name):
    """One worker, with the client on the other core; then two workers, with the client on both cores too."""
    rows = []
    for workers, cpus in ((1, (clients.CLIENT_CPU,)), (2, (0, 1))):
        with bench.serve(name, HOT, workers=workers) as server:
            requests, answer_bytes = verify(server)
            runs = [loads.measure(server, requests, answer_bytes, 1, cpus) for _ in range(2)]
        if any(run["errors"] for run in runs):
            raise CannotRun(f"{workers} workers: {runs[0]['errors'] or runs[1]['errors']}")
        rows.append([workers, statistics.mean(run["requests_per_second"] for run in runs),
                     statistics.mean(run["cpu_us"] for run in runs)])
    return {"one_cpu_us": rows[0][2], "two_cpu_us": rows[1][2],
            "cpu_ratio": rows[1][2] / rows[0][2], "rows": rows}
