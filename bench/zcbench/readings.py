"""Parses the output of wrk, h2load, ab, pace and perf. Pure: text in, figures out.

The output of each load generator becomes a Load. Errors are kept as text. A run with errors is void: a
server that refuses requests must not look fast.
"""

import json
import re
from dataclasses import dataclass

from . import CannotRun

UNITS = {"us": 1, "ms": 1e3, "s": 1e6, "m": 60e6, "h": 3600e6}
PERCENTILES = ("p50_us", "p90_us", "p99_us", "p999_us")


@dataclass
class Load:
    """What a load generator saw. Times are in µs; None is what it does not report."""
    requests: int
    seconds: float
    received_bytes: int | None = None
    p50_us: float | None = None
    p90_us: float | None = None
    p99_us: float | None = None
    p999_us: float | None = None
    errors: str = ""
    cpu_seconds: float = 0.0


def nearest(ordered, share):
    """Returns the value that this share of an ordered list does not exceed."""
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def percentiles(values):
    ordered = sorted(values)
    shares = zip(PERCENTILES, (0.5, 0.9, 0.99, 0.999))
    return {name: nearest(ordered, share) for name, share in shares} if ordered else {}


def wrk_read(text):
    """Parses the line that wrk.lua writes."""
    found = re.search(r"^zcbench (\{.*\})$", text, re.M)
    if found is None:
        raise CannotRun(f"wrk failed:\n{text}")
    said = json.loads(found[1])
    errors = [f"{name} {said[name]}" for name in ("connect", "read", "write", "status", "timeout")
              if said[name]]
    return Load(said["requests"], said["seconds"], said["bytes"],
                *(said[name] for name in PERCENTILES), errors=", ".join(errors))


def h2load_read(text, log=""):
    """Parses its summary, and its log of requests (start, status, µs), which gives the percentiles."""
    counts = re.search(r"requests: (\d+) total, \d+ started, (\d+) done, (\d+) succeeded, "
                       r"(\d+) failed, (\d+) errored, (\d+) timeout", text)
    finished = re.search(r"finished in ([\d.]+)(us|ms|s|m)", text)
    traffic = re.search(r"traffic: \S+ \((\d+)\) total", text)
    if counts is None or finished is None:
        raise CannotRun(f"h2load failed:\n{text}")
    bad = re.search(r"status codes: \d+ 2xx, (\d+) 3xx, (\d+) 4xx, (\d+) 5xx", text)
    errors = [f"{name} {counts[n]}" for name, n in (("failed", 4), ("errored", 5), ("timeout", 6))
              if int(counts[n])]
    errors += ["status"] if bad and any(int(bad[n]) for n in (1, 2, 3)) else []
    times = [float(line.split("\t")[2]) for line in log.splitlines()]
    return Load(int(counts[3]), float(finished[1]) * UNITS[finished[2]] / 1e6,
                int(traffic[1]) if traffic else None, **percentiles(times),
                errors=", ".join(errors))


def ab_read(text):
    """Parses ab's output. It has whole percentiles only, in ms, so there is no p99.9."""
    complete = re.search(r"^Complete requests:\s+(\d+)", text, re.M)
    seconds = re.search(r"^Time taken for tests:\s+([\d.]+)", text, re.M)
    if complete is None or seconds is None:
        raise CannotRun(f"ab failed:\n{text}")
    total = re.search(r"^Total transferred:\s+(\d+)", text, re.M)
    failed = re.search(r"^Failed requests:\s+([1-9]\d*)", text, re.M)
    refused = re.search(r"^Non-2xx responses:\s+(\d+)", text, re.M)
    errors = [f"{word} {found[1]}" for word, found in (("failed", failed), ("status", refused))
              if found]
    marks = {int(which): float(ms) * 1e3
             for which, ms in re.findall(r"^\s+(\d+)%\s+(\d+)", text, re.M)}
    return Load(int(complete[1]), float(seconds[1]), int(total[1]) if total else None,
                marks.get(50), marks.get(90), marks.get(99), None, ", ".join(errors))


def pace_read(text):
    """Returns bench/pace's one line of JSON, as it is."""
    lines = [line for line in text.splitlines() if line.startswith("{")]
    if not lines:
        raise CannotRun(f"bench/pace failed:\n{text}")
    return json.loads(lines[-1])


def pace_load(text):
    """Returns the same as a Load, for a run without a rate."""
    said = pace_read(text)
    return Load(said["done"], said["seconds"], said["bytes"], *(said[name] for name in PERCENTILES))


def perf_read(text, event):
    """Returns the count of one event in the output of perf stat -x, or None when it was not counted."""
    for line in text.splitlines():
        fields = line.split(",")
        if len(fields) > 2 and fields[2] == event:
            return int(fields[0]) if fields[0].isdigit() else None
    return None
