#!/usr/bin/env python3
"""Stands in for the status listener: serves the page's files and a made-up /status.json.

    tests/page/fake.py [SCENE] [-p PORT] [-w WORKERS]      steady, stall, imbalance, restart

The figures are cumulative and follow from the clock alone, so that any two readings agree. They are
requests with log-normal latencies, counted in the layout of include/zcserve/histogram.h. A scene adds
one thing. `stall`: every ten seconds some requests take 40 ms. `imbalance`: worker 0 does six times the
work of the others. `restart`: the server restarts every five seconds, with its counters at zero.
"""

import argparse
import http.server
import json
import math
import os
import random
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
PAGE = os.path.join(HERE, "..", "..", "src", "status", "page")
TYPES = {".html": "text/html; charset=utf-8", ".js": "text/javascript; charset=utf-8",
         ".css": "text/css; charset=utf-8", ".svg": "image/svg+xml"}
UNIT = 16e-9
SPLIT = 64
PHASES = {"queue": 0.2, "head": 0.05, "resolve": 0.15, "first_byte": 0.5, "send": 0.1}
SOURCES = {"memory": 0.9, "pagecache": 0.08, "disk": 0.02}
SLOWNESS = {"memory": 1.0, "pagecache": 4.0, "disk": 60.0}
SAMPLES = 200  # drawn for each source a second; each stands for many requests


def bucket(units):
    """The bucket that counts this many units."""
    units = int(units)
    if units < 2 * SPLIT:
        return units
    shift = units.bit_length() - 7
    return shift * SPLIT + (units >> shift)


class Histogram:
    """Cumulative, as the server's."""

    def __init__(self):
        self.buckets = {}
        self.count = 0
        self.sum = 0.0

    def add(self, seconds, count):
        index = bucket(seconds / UNIT)
        self.buckets[index] = self.buckets.get(index, 0) + count
        self.count += count
        self.sum += seconds * count

    def json(self, with_buckets):
        answer = {"count": self.count, "sum_seconds": self.sum}
        if with_buckets:
            answer["buckets"] = sorted(self.buckets.items())
        return answer


class Worker:
    """What one worker has counted."""

    def __init__(self, index):
        self.index = index
        self.latency = {phase: {} for phase in list(PHASES) + ["total"]}
        self.turn = Histogram()
        self.counters = dict.fromkeys(
            ("accepted refused accept_pauses crowded limited_connections limited_requests limited_cold limited_pauses "
             "limited_not requests requests_get answers_2xx answers_3xx answers_4xx answers_5xx received_bytes sent_bytes "
             "sent_file_bytes short_sends would_block memory_bytes "
             "page_cache_bytes disk_bytes log_dropped cache_hits cache_misses cache_evictions").split(), 0)
        self.closed = {"finished": 0, "peer_closed": 0, "idle_timeout": 0, "bad_request": 0}
        self.calls = dict.fromkeys("accept wait receive send sendfile refresh close".split(), 0)
        self.cpu = 0.0

    def histogram(self, phase, source):
        return self.latency[phase].setdefault(source, Histogram())

    def second(self, dice, requests, stalled):
        """Another second's worth of work."""
        for source, part in SOURCES.items():
            count = int(requests * part)
            for _ in range(SAMPLES):
                seconds = 60e-6 * SLOWNESS[source] * math.exp(dice.gauss(0, 0.35))
                if stalled and dice.random() < 0.05:
                    seconds += 0.04
                self.request(source, seconds, count // SAMPLES)
            self.counters["%s_bytes" % source.replace("pagecache", "page_cache")] += count * 4000
        for _ in range(100):
            self.turn.add(40e-6 * math.exp(dice.gauss(0, 0.5)), int(requests) // 800)
        if stalled:
            self.turn.add(0.04, 1)
        self.count(requests)

    def request(self, source, seconds, count):
        for phase, part in list(PHASES.items()) + [("total", 1.0)]:
            for name in ("all", source):
                self.histogram(phase, name).add(seconds * part, count)

    def count(self, requests):
        done = sum(histogram.count for name, histogram in self.latency["total"].items() if name == "all")
        grown = done - self.counters["requests"]
        add = {"requests": grown, "requests_get": grown, "answers_2xx": grown * 95 // 100, "answers_3xx": grown // 25,
               "answers_4xx": grown // 100, "accepted": 20, "received_bytes": grown * 80,
               "sent_bytes": grown * 4200, "sent_file_bytes": grown * 400, "would_block": grown // 3,
               "cache_hits": grown * 97 // 100, "cache_misses": grown * 3 // 100, "cache_evictions": 3}
        for name, value in add.items():
            self.counters[name] += value
        for name, part in {"wait": 0.15, "receive": 1.0, "send": 0.98, "sendfile": 0.02, "refresh": 0.15}.items():
            self.calls[name] += int(grown * part)
        self.closed["peer_closed"] += 18
        self.closed["idle_timeout"] += 2
        self.cpu += min(0.98, requests * 8e-6)

    def json(self, which, states):
        total = which == "total"
        latency = {phase: {source: histogram.json(phase == "total" and (total or source == "all"))
                           for source, histogram in sources.items()}
                   for phase, sources in self.latency.items()}
        answer = {"counters": self.counters, "closed": self.closed, "calls": self.calls, "connections": states,
                  "gauges": {"connections": sum(states.values()), "cache_bytes": 21_000_000, "cache_entries": 1834,
                             "pid": 4000 + self.index, "starts": 1},
                  "latency": latency, "turn": self.turn.json(total)}
        if not total:
            answer.update(index=self.index, pid=4000 + self.index)
        return answer


def merged(workers):
    """All workers as one."""
    whole = Worker(-1)
    for worker in workers:
        for phase, sources in worker.latency.items():
            for source, histogram in sources.items():
                histogram_merge(whole.histogram(phase, source), histogram)
        histogram_merge(whole.turn, worker.turn)
        for mine, theirs in ((whole.counters, worker.counters), (whole.closed, worker.closed),
                             (whole.calls, worker.calls)):
            for name, value in theirs.items():
                mine[name] = mine.get(name, 0) + value
    return whole


def histogram_merge(into, other):
    for index, count in other.buckets.items():
        into.buckets[index] = into.buckets.get(index, 0) + count
    into.count += other.count
    into.sum += other.sum


class Machine:
    """A server. Two machines born at different times are two starts of it."""

    def __init__(self, scene, workers=2, born=0):
        self.scene = scene
        self.born = born
        self.state = "serving"
        self.began = time.monotonic()
        self.size = workers
        self.lock = threading.Lock()
        self.restart(0)

    def restart(self, start):
        self.start = start
        self.dice = random.Random(start)
        self.workers = [Worker(index) for index in range(self.size)]
        self.worked = 0

    def advance(self):
        elapsed = int(time.monotonic() - self.began)
        start = elapsed // 5 if self.scene == "restart" else 0
        if start != self.start:
            self.restart(start)
        until = elapsed - start * 5 if self.scene == "restart" else elapsed + 2
        while self.worked < until:
            self.worked += 1
            for worker in self.workers:
                share = 3.0 if self.scene == "imbalance" and worker.index == 0 else 0.5
                stalled = self.scene == "stall" and self.worked % 10 == 0
                worker.second(self.dice, (40000 if self.scene != "imbalance" else 30000) * share
                              * (1 + 0.2 * math.sin(self.worked / 9)), stalled)

    def reading(self):
        with self.lock:
            self.advance()
            states = {"idle": 12, "reading": 1, "disk": 0, "sending": 3, "paced": 0, "lingering": 0}
            all_states = {name: count * self.size for name, count in states.items()}
            # As long as the work counted took, so that figures are those of whole ticks.
            seconds = self.worked * 1.0
            return {
                "schema": 1,
                "server": {"version": "0.1.0 (test)", "model": "epoll", "state": self.state, "pid": 3999 + self.born + self.start,
                           "started_seconds": 1.7e9 + self.born + self.start, "uptime_seconds": seconds, "workers": self.size,
                           "listen": ["http://127.0.0.1:8080/"], "root": "/srv/<b>www</b>", "cache_bytes_max": 32 << 20},
                "time_seconds": time.time(), "monotonic_seconds": 1000 * self.start + seconds,
                "unit_seconds": UNIT, "sub_buckets": SPLIT, "exact_below": 2 * SPLIT,
                "total": merged(self.workers).json("total", all_states),
                "workers": [worker.json("worker", states) for worker in self.workers],
                "processes": [self.process("supervisor", 0, 3999, 0.1)]
                + [self.process("worker", worker.index, 4000 + worker.index, worker.cpu) for worker in self.workers],
            }

    @staticmethod
    def process(name, index, pid, cpu):
        return {"name": name, "index": index, "pid": pid, "cpu_user_seconds": cpu * 0.3,
                "cpu_system_seconds": cpu * 0.7, "resident_bytes": 5_000_000, "proportional_bytes": 2_100_000,
                "descriptors": 40, "threads": 1}


class Answer(http.server.BaseHTTPRequestHandler):
    """GET of the page's files, and of the figures."""

    protocol_version = "HTTP/1.1"

    def do_GET(self):
        path = self.path.partition("?")[0]
        name = "index.html" if path == "/" else path[1:]
        file = os.path.join(HERE if name == "units.js" else PAGE, name)
        if path == "/status.json" and not self.server.machine:
            self.close_connection = True  # without a word, as from a server that was killed
        elif path == "/status.json":
            self.reply(200, "application/json", json.dumps(self.server.machine.reading()).encode())
        elif "/" not in name and os.path.isfile(file):
            with open(file, "rb") as page:
                self.reply(200, TYPES[os.path.splitext(name)[1]], page.read())
        else:
            self.reply(404, "text/plain", b"not found\n")

    def reply(self, status, media_type, content):
        self.send_response(status)
        self.send_header("Content-Type", media_type)
        self.send_header("Content-Length", str(len(content)))
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_):
        pass


class Fake(http.server.ThreadingHTTPServer):
    """Listens on 127.0.0.1; `machine` may be exchanged, or None for a server that is gone."""

    daemon_threads = True

    def __init__(self, machine, port=0):
        super().__init__(("127.0.0.1", port), Answer)
        self.machine = machine
        self.address = "http://127.0.0.1:%d/" % self.server_address[1]
        threading.Thread(target=self.serve_forever, daemon=True).start()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("scene", nargs="?", default="steady", choices=["steady", "stall", "imbalance", "restart"])
    parser.add_argument("-p", "--port", type=int, default=0)
    parser.add_argument("-w", "--workers", type=int, default=2)
    chosen = parser.parse_args()
    print(Fake(Machine(chosen.scene, chosen.workers), chosen.port).address, flush=True)
    threading.Event().wait()


if __name__ == "__main__":
    main()
