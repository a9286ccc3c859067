"""One run of a work against a server: warming, load, and what the kernel counted meanwhile.

CPU per request is that of all processes of the server. A run in which the server refused something
is void: it is repeated once. If it is void again, it is recorded with its errors, and no figure uses
it.
"""

import time

from . import CannotRun, clients, counters

WARM_SECONDS = 0.2
WARM_LONG_SECONDS = 0.6   # with a cache to fill, or thousands of connections to open
OVERHEAD_SECONDS = 0.35   # start, warming up, stop
SYSCALL_SECONDS = 1
WARM_OFFSET = 1 << 16     # where in a list the measured run begins: not where warming began
SATURATED = 0.95          # of its CPU used by the client: then the client limits the requests/s


def warm_seconds(work):
    return WARM_LONG_SECONDS if work.requests or work.connections > 1000 else WARM_SECONDS


def seconds_expected(work, seconds):
    return OVERHEAD_SECONDS + warm_seconds(work) + seconds


def requests_done(work, load, answer_bytes):
    """Returns the number of requests: counted, or from the bytes that arrived, where few end within a run."""
    done = load.requests
    if work.by_bytes and load.received_bytes:
        done = load.received_bytes / answer_bytes
    if done == 0:
        raise CannotRun("nothing was answered")
    return done


def measure(server, requests, answer_bytes, seconds, cpus=(clients.CLIENT_CPU,)):
    """Returns a run as a flat dictionary of figures. `errors` is empty when the run counts."""
    work = server.work
    clients.warm(work, server.port, warm_seconds(work), requests)
    pids, all_cpus = server.pids(), server.cpus | set(cpus)
    busy, cpu = counters.cpu_busy(all_cpus), counters.cpu_time(pids)
    switched, began = counters.switches(pids), time.monotonic()
    load = clients.load_run(work, server.port, seconds, requests, WARM_OFFSET, cpus=cpus)
    wall = time.monotonic() - began
    server.alive_check(pids)
    cpu = counters.cpu_time(pids) - cpu
    switched = counters.switches(pids) - switched
    busy = [after - before for before, after in zip(busy, counters.cpu_busy(all_cpus))]
    done = requests_done(work, load, answer_bytes)
    if work.pipelined > 1:  # wrk measures whole turns, and not all of them
        load.p50_us = load.p90_us = load.p99_us = load.p999_us = None
    return {
        "requests": done, "seconds": load.seconds, "requests_per_second": done / load.seconds,
        **cpu_figures(cpu, done), "switches_per_request": switched / done,
        "p50_us": load.p50_us, "p90_us": load.p90_us, "p99_us": load.p99_us,
        "p999_us": load.p999_us, "pss_bytes": sum(counters.pss_all(pids).values()),
        "server_busy": cpu.run / wall / len(server.cpus),
        "client_busy": load.cpu_seconds / wall / len(cpus),
        "others_busy": (max(0, busy[0] - cpu.run - load.cpu_seconds) + busy[1])
        / (wall * len(all_cpus)),
        "errors": load.errors,
    }


def cpu_figures(cpu, done):
    """Returns the scheduler's exact time, divided into user and system time as the ticks are."""
    each = cpu.run * 1e6 / done
    system = cpu.system / max(cpu.user + cpu.system, 1e-9)
    return {"cpu_us": each, "user_us": each * (1 - system), "system_us": each * system}


def syscalls_measure(server, counter, requests, answer_bytes):
    """Returns system calls per request, or None. This is a run of its own, because counting slows each call."""
    clients.warm(server.work, server.port, warm_seconds(server.work), requests)
    output, pids = server.directory / "perf", server.pids()
    load = clients.load_run(server.work, server.port, SYSCALL_SECONDS, requests, WARM_OFFSET,
                            wrap=lambda command: counter.wrap(command, pids, output))
    calls = counter.count(output)
    return None if calls is None else calls / requests_done(server.work, load, answer_bytes)
