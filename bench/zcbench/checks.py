"""Measurements that are not a load.

Each function is named by a Check of zcbench.works. serve(root, path, **options) makes a server that
is not yet started; site has the document roots; what comes back are the figures by name.
"""

import random
import statistics
import time

from . import CannotRun, clients, counters
from .works import MANY_FILES_BUDGET

STARTS = 10
WARM_REQUESTS = 200
IDLE_CONNECTIONS = 5000


def warm(server):
    """Requests that let the server make whatever it makes when first used."""
    with clients.Connection(server.port) as connection:
        for _ in range(WARM_REQUESTS):
            connection.get(server.path)


def worker_find(server):
    """The process that answers: the one that runs while requests are answered."""
    before = {pid: counters.cpu_time([pid]).run for pid in server.pids()}
    warm(server)
    return max(before, key=lambda pid: counters.cpu_time([pid]).run - before[pid])


def pss_sum(server):
    return sum(counters.pss_all(server.pids()).values())


def worker_memory(serve, site):
    """PSS of the worker, and of the whole server, just after the first answer."""
    with serve(*site.small) as server:
        time.sleep(0.2)
        pss = counters.pss_all(server.pids())
        return {"pss_bytes": pss[worker_find(server)], "all_pss_bytes": sum(pss.values())}


def start(serve, site):
    """From just before its process is made to the end of the first 200; the median of several."""
    measured = []
    for _ in range(STARTS):
        with serve(*site.small) as server:
            measured.append((server.answered - server.spawned) * 1000)
    return {"milliseconds": statistics.median(measured),
            "milliseconds_least": min(measured), "milliseconds_most": max(measured)}


def idle_connections(serve, site):
    """What the server's processes grow by when many connections stay open after one request.

    The connections that warm the server are closed first, so what it keeps for a few is not
    counted; tables made at start are not growth either, whoever makes them.
    """
    count = min(IDLE_CONNECTIONS, counters.descriptors_max() - 500)
    if count < 100:
        raise CannotRun(f"{counters.descriptors_max()} descriptors are too few (ulimit -n)")
    connections = []
    with serve(*site.small) as server:
        try:
            warm(server)
            before = pss_sum(server)
            for _ in range(count):
                connections.append(clients.Connection(server.port))
                connections[-1].get(server.path)
            time.sleep(0.2)
            growth = pss_sum(server) - before
        finally:
            for connection in connections:
                connection.close()
    return {"bytes_per_connection": growth / count, "connections": count}


def many_files(serve, site):
    """All files once in a random order, then once more in another: growth after each pass."""
    root, paths = site.many_files()
    order = random.Random(1)
    figures = {}
    with serve(root, paths[0], cache_size=str(MANY_FILES_BUDGET)) as server:
        warm(server)
        before = pss_sum(server)
        for turn in ("first", "second"):
            order.shuffle(paths)
            seconds = files_request(server, paths)
            figures[f"{turn}_pass_bytes"] = pss_sum(server) - before
            figures[f"{turn}_pass_requests_per_second"] = len(paths) / seconds
    growth = max(figures["first_pass_bytes"], figures["second_pass_bytes"])
    return {"growth_bytes": growth, **figures, "files": len(paths), "root": str(root.parent)}


def files_request(server, paths):
    """Asks for each over one connection and looks at what comes; gives the seconds it took."""
    began = time.monotonic()
    with clients.Connection(server.port) as connection:
        for path in paths:
            if not connection.get(path).startswith(path.encode()):
                raise CannotRun(f"{server.name} answered {path} with another file's content")
    return time.monotonic() - began
