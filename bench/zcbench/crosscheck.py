"""The server's own latency histogram beside the client's, for the same time. Pure but for reading.

zcserve's status page tells cumulative buckets: bucket 0 to 127 is a value each, from there on each
doubling has 64 (include/zcserve/histogram.h). Two readings subtracted are what happened between.
What the client sees more is the way there and back, and waiting in the socket's queue.
"""

import re

from . import clients

EXACT, SPLIT = 128, 64
NETWORK_US_MAX = 100   # what the loopback explains of a median
SHARES = {"p50_us": 0.5, "p90_us": 0.9, "p99_us": 0.99, "p999_us": 0.999}


def bucket_middle(index):
    """The middle of what bucket `index` counts, in the histogram's unit."""
    shift = 0 if index < EXACT else index // SPLIT - 1
    return ((index - SPLIT * shift) << shift) + ((1 << shift) - 1) / 2


def percentile(buckets, share):
    """buckets: {index: count}; in the histogram's unit, None when nothing was counted."""
    total = sum(buckets.values())
    rank, seen = share * total, 0
    for index in sorted(buckets):
        seen += buckets[index]
        if seen >= rank and seen > 0:
            return bucket_middle(index)
    return None


def histogram_read(status, phase="total"):
    """{index: count} of one phase, over all places that bytes came from."""
    merged = {}
    for source, histogram in status["total"]["latency"].get(phase, {}).items():
        if source == "all":  # the sum of the others
            continue
        for index, count in histogram.get("buckets", ()):
            merged[index] = merged.get(index, 0) + count
    return merged


def interval(before, after):
    """What was counted between two readings."""
    old, new = histogram_read(before), histogram_read(after)
    counts = {index: count - old.get(index, 0) for index, count in new.items()}
    unit = after.get("unit_seconds", 1.6e-8)
    return {"buckets": {index: count for index, count in counts.items() if count > 0},
            "unit_seconds": unit}


def beside(server, client):
    """Both sides of the same time, and whether the loopback explains the difference of medians."""
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
    """Where the status page is, as the log says; None when it does not."""
    found = re.search(r"status at http://127\.0\.0\.1:(\d+)", output)
    return int(found[1]) if found else None


def status_read(port):
    return clients.json_get(port, "/status.json?buckets=1")
