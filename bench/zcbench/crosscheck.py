"""The latency histogram of the server beside the client's, for the same time. Pure except for reading.

zcserve's status page has cumulative buckets: each of buckets 0 to 127 is one value, and from there on
each doubling has 64 buckets (include/zcserve/histogram.h). The difference of two readings is what
happened in between. The client sees more time than the server: the way there and back, and the wait
in the queue of the socket.
"""

import re

from . import clients

EXACT, SPLIT = 128, 64
NETWORK_US_MAX = 100   # what the loopback explains of a median
SHARES = {"p50_us": 0.5, "p90_us": 0.9, "p99_us": 0.99, "p999_us": 0.999}


def bucket_middle(index):
    """Returns the middle of bucket `index`, in the unit of the histogram."""
    shift = 0 if index < EXACT else index // SPLIT - 1
    return ((index - SPLIT * shift) << shift) + ((1 << shift) - 1) / 2


def percentile(buckets, share):
    """Returns a percentile of {index: count} in the unit of the histogram; None when nothing was counted."""
    total = sum(buckets.values())
    rank, seen = share * total, 0
    for index in sorted(buckets):
        seen += buckets[index]
        if seen >= rank and seen > 0:
            return bucket_middle(index)
    return None


def histogram_read(status, phase="total"):
    """Returns {index: count} of one phase, wherever the bytes came from."""
    merged = {}
    for source, histogram in status["total"]["latency"].get(phase, {}).items():
        if source == "all":  # the sum of the others
            continue
        for index, count in histogram.get("buckets", ()):
            merged[index] = merged.get(index, 0) + count
    return merged


def interval(before, after):
    """Returns what was counted between two readings."""
    old, new = histogram_read(before), histogram_read(after)
    counts = {index: count - old.get(index, 0) for index, count in new.items()}
    unit = after.get("unit_seconds", 1.6e-8)
    return {"buckets": {index: count for index, count in counts.items() if count > 0},
            "unit_seconds": unit}


def beside(server, client):
    """Returns the figures of both sides, and whether the loopback explains the difference of the medians."""
    scale = server["unit_seconds"] * 1e6
    figures = {"server_count": sum(server["buckets"].values()), "client_count": client["done"]}
    for name, share in SHARES.items():
        value = percentile(server["buckets"], share)
        figures[f"server_{name}"] = 0.0 if value is None else value * scale
        figures[f"client_{name}"] = client[name]
    more = figures["client_p50_us"] - figures["server_p50_us"]
    figures["more_us"] = more
    figures["explained"] = figures["server_count"] > 0 and 0 <= more <= NETWORK_US_MAX
    return figures


def status_port(output):
    """Returns the port of the status page from the log; None when the log does not name it."""
    found = re.search(r"status at http://127\.0\.0\.1:(\d+)", output)
    return int(found[1]) if found else None


def status_read(port):
    return clients.json_get(port, "/status.json?buckets=1")
