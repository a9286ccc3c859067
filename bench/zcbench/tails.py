"""Latency against offered load, at a constant rate, and the server's own view of the same time.

The loads are shares of what nginx can answer with 64 connections, so that every server gets the same
requests per second. bench/pace measures from when each request was due, so waiting counts too.
"""

import statistics

from . import CannotRun, clients, counters, crosscheck, loads, results
from .answers import verify
from .works import BY_NAME

SHARES = (0.1, 0.3, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.1)
JUDGED = 0.6
SECONDS, WARM_SECONDS = 0.75, 0.2
FIGURES = ("p50_us", "p99_us", "p999_us", "p9999_us", "cpu_us")
LATE_MAX_US = 50       # when pace itself is later than this (p99), the figure is about the client
ANSWERED_LEAST = 0.99  # of what was offered; with less, the server did not keep up
WORK = BY_NAME["c64"]


def capacity(bench):
    """Returns the requests per second of nginx: measured in this run already, or else now."""
    known = bench.record["checks"].get("tails_capacity", {}).get("nginx")
    if known is None:
        rate = results.figure(bench.record, WORK.name, "nginx", "requests_per_second")
        rate = rate or capacity_measure(bench)
        known = {"requests_per_second": rate}
        bench.record["checks"]["tails_capacity"] = {"nginx": known}
    return known["requests_per_second"]


def capacity_measure(bench):
    if "nginx" not in bench.programs:
        raise CannotRun("loads are shares of nginx's capacity, and there is no nginx")
    with bench.serve("nginx", WORK) as server:
        runs = [loads.measure(server, *verify(server), 1) for _ in range(3)]
    return statistics.median(run["requests_per_second"] for run in runs)


def point(server, rate, share):
    """Runs pace once. Returns its figures, the CPU time, and whether the figures can be trusted."""
    pids = server.pids()
    cpu = counters.cpu_time(pids)
    said = clients.pace_run(server.port, server.site.first_path(WORK), rate,
                            WORK.connections, SECONDS)
    cpu = counters.cpu_time(pids) - cpu
    return {"share": share, **said, "cpu_us": cpu.run * 1e6 / max(1, said["done"]),
            "kept_up": said["done"] >= ANSWERED_LEAST * said["due"],
            "client_late": said["late_p99_us"] > LATE_MAX_US}


def tails(bench, name):
    """Returns the rows of a curve, and beside them the figures of the load that is judged."""
    most = capacity(bench)
    options = {"status": True} if name.startswith("zcserve") and bench.status_known() else {}
    with bench.serve(name, WORK, **options) as server:
        verify(server)
        clients.pace_run(server.port, server.site.first_path(WORK), most * JUDGED,
                         WORK.connections, WARM_SECONDS)
        port = crosscheck.status_port(server.output()) if options else None
        rows, crossed = [], None
        for share in SHARES:
            before = crosscheck.status_read(port) if port and share == JUDGED else None
            rows.append(point(server, most * share, share))
            if before:
                since = crosscheck.interval(before, crosscheck.status_read(port))
                crossed = crosscheck.beside(since, rows[-1])
    judged = next(row for row in rows if row["share"] == JUDGED)
    return {**{name: judged[name] for name in FIGURES}, "rows": rows, "crosscheck": crossed}
