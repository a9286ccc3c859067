"""What the status listener shows: it must be true, and it must be available when it is needed."""

import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import threading
import time
import urllib.error
import urllib.parse
import urllib.request

from client import Failure, expect, get, request, wait_until
from fixtures import located
from harness import halt, is_running, port_is_closed, process_name
from lifecycle import Loads
from schema import check_schema
from stage import big, expect_pace, require, seconds_of, test

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
SHOWN_AT = re.compile(r"status at (?:http://([0-9.]+):(\d+)/|unix:(\S+))")
SMALL_WINDOW = 32768
METRIC = re.compile(r"\bzcserve_\w+")


class Status:
    """The listener of a running server."""

    def __init__(self, server):
        self.server = server
        found = wait_until("the line that says where the status is",
                           lambda: SHOWN_AT.search("".join(server.lines)), server.seconds(5))
        self.address = found[3] or (found[1], int(found[2]))

    def ask(self, what):
        with self.server.client(address=self.address) as client:
            client.send(what)
            answer = client.answer(head_only=what.startswith("HEAD"))
            expect("Cache-Control of %s" % what.split("\r\n")[0], "no-store",
                   answer.field("Cache-Control"))
            return answer

    def get(self, target):
        return self.ask(get(target))

    def json(self, query=""):
        answer = self.get("/status.json" + query)
        expect("status of /status.json", 200, answer.status)
        expect("media type", "application/json", answer.field("Content-Type"))
        return json.loads(answer.content)

    def metrics(self):
        answer = self.get("/metrics")
        expect("status of /metrics", 200, answer.status)
        require(answer.field("Content-Type").startswith("text/plain; version=0.0.4"),
                "media type %s", answer.field("Content-Type"))
        return answer.content.decode()

    def process(self):
        """Its process."""
        return next((pid for pid in self.server.processes() if process_name(pid) == "zcserve:s"),
                    None)


@contextlib.contextmanager
def shown(stage, root, options=None, **more):
    """A server that shows its status, and that status."""
    known = {"status": "127.0.0.1:0", "status_hosts": ["test"], "workers": 2}
    known.update(options or {})
    with stage.server(root, known, **more) as server:
        yield server, Status(server)


# ---- the figures -------------------------------------------------------------------------------

class Exchanges:
    """Requests whose bytes are counted as they are sent and answered."""

    def __init__(self, server):
        self.server = server
        self.sent = self.received = self.requests = self.connections = self.parts = 0

    @contextlib.contextmanager
    def connection(self):
        with self.server.client() as client:
            self.connections += 1
            yield client

    def ask(self, client, what, status):
        client.send(what)
        answer = client.answer(head_only=what.startswith("HEAD"))
        expect("status of %r" % what.split("\r\n")[0], status, answer.status)
        self.sent += len(what)
        self.received += len(answer.raw)
        self.requests += 1
        return answer

    def run(self):
        with self.connection() as client:
            for _ in range(3):
                self.ask(client, get("/a.txt"), 200)
            self.ask(client, request("HEAD", "/a.txt"), 200)
            self.ask(client, request("OPTIONS", "/a.txt"), 204)
            self.ask(client, request("POST", "/a.txt", "Content-Length: 3", body="xyz"), 405)
            self.ask(client, get("/nothing"), 404)
            etag = self.ask(client, get("/a.txt"), 200).field("ETag")
            self.ask(client, get("/a.txt", "If-None-Match: " + etag), 304)
            self.ask(client, get("/big.bin"), 200)
            self.ask(client, get("/big.bin", "Range: bytes=0-99"), 206)
            self.parts = len(self.ask(client, get("/big.bin", "Range: bytes=0-99,300000-399999"), 206).content)
        with self.connection() as client:
            self.ask(client, get("/a.txt", "Connection: close"), 200)
            client.expect_end()
        with self.connection() as client:
            self.ask(client, request("GET", "/a.txt", host=""), 400)
            client.expect_end()
        with self.connection() as client:
            client.send("GET /a.t")
            self.sent += 8


COUNTED = {"accepted": 4, "requests": 14, "requests_get": 11, "requests_head": 1,
           "requests_options": 1, "requests_other": 1, "answers_2xx": 10, "answers_3xx": 1,
           "answers_4xx": 3, "answers_5xx": 0, "refused": 0,
           "log_dropped": 0, "crowded": 0}
CLOSED = {"peer_closed": 1, "finished": 1, "bad_request": 1, "peer_abandoned": 1}


def all_ended(status, connections):
    """A reading after that many connections have ended and the workers have told of their stores."""
    def ended():
        found = status.json("?buckets=1")
        return found if sum(found["total"]["closed"].values()) == connections else None
    wait_until("the connections have ended", ended, status.server.seconds(5))
    time.sleep(status.server.seconds(0.25))  # two ticks: stores' counts are passed on so often
    return ended()


@test("figures add up exactly after a known set of requests")
def figures(stage):
    root = stage.site(a_txt=b"12345", big_bin=located(400000))
    with shown(stage, root) as (server, status):
        exchanges = Exchanges(server)
        exchanges.run()
        found = all_ended(status, exchanges.connections)
    total = found["total"]
    counters = total["counters"]
    for name, value in COUNTED.items():
        expect(name, value, counters[name])
    expect("received", exchanges.sent, counters["received_bytes"])
    expect("sent", exchanges.received, counters["sent_bytes"])
    sources = [counters[name] for name in ("memory_bytes", "page_cache_bytes", "disk_bytes")]
    require(exchanges.parts > 100100, "two parts are %d bytes", exchanges.parts)
    expect("content", 5 * 5 + 400000 + 100 + exchanges.parts, sum(sources))
    require(sources[0] in (20, 25), "from memory: %d bytes", sources[0])  # the first: from the disk
    expect("closed", CLOSED, {why: n for why, n in total["closed"].items() if n})
    expect("refused for", {"host": 1}, {why: n for why, n in total["refused_for"].items() if n})
    expect("connections", 0, sum(total["connections"].values()))
    expect("requests on connections", (4, 14), (total["requests_per_connection"]["count"],
                                                total["requests_per_connection"]["sum"]))
    require(counters["cache_hits"] + counters["cache_misses"] >= 9, "lookups: %s", counters)
    require(total["calls"]["accept"] >= 0 and total["calls"]["close"] >= 4, "calls: %s",
            total["calls"])
    if stage.model != "io_uring":
        require(total["calls"]["send"] >= 13 and total["calls"]["receive"] >= 14, "calls: %s",
                total["calls"])
    check_latency(total)
    check_sums(found)


def check_latency(total):
    """Each phase of each request is there, by source, and percentiles are in order."""
    for phase, by_source in total["latency"].items():
        every = by_source.pop("all")
        expect("requests in phase %s" % phase, 14, every["count"])
        expect("by source in phase %s" % phase, 14, sum(h["count"] for h in by_source.values()))
        for histogram in [every, *by_source.values()]:
            expect("buckets", histogram["count"], sum(n for _, n in histogram["buckets"]))
            shares = [histogram["p%s_seconds" % share] for share in (50, 90, 99, 999, 9999)]
            expect("percentiles in order", sorted(shares), shares)
            require(shares[-1] <= histogram["max_seconds"], "percentiles: %s", histogram)
    require({"memory", "none"} <= set(total["latency"]["total"]), "sources: %s",
            set(total["latency"]["total"]))


def check_sums(found):
    """What is shown of all is the sum of what is shown of each."""
    for kind in ("counters", "gauges", "closed", "refused_for", "calls", "connections"):
        for name, value in found["total"][kind].items():
            expect("sum of " + name, value, sum(w[kind][name] for w in found["workers"]))


@test("status.json is as its schema says, with and without buckets")
def as_schema(stage):
    root = stage.site(a_txt=b"12345", big_bin=located(400000))
    path = os.path.join(stage.setting.place("log"), "access.log")
    with shown(stage, root, {"access_log": path}) as (server, status):
        Exchanges(server).run()
        for query in ("", "?buckets=1", "?buckets=page", "?processes=1"):
            found = status.json(query)
            check_schema("status", found)
            told = {process["pid"]: process["name"] for process in found["processes"]}
            expect("supervisor", server.pid, found["server"]["pid"])
            expect("processes", {server.pid} | server.processes(), set(told))
            expect("their names", {"supervisor", "recorder", "status", "worker"},
                   set(told.values()))
            expect("workers' processes", set(server.workers()),
                   {worker["pid"] for worker in found["workers"] if worker["pid"]})
            expect("address", ["http://%s:%d" % server.address], found["server"]["listen"])
            expect("model", stage.model, found["server"]["model"])
            require((found["processes"][0]["proportional_bytes"] is None) != (query == "?processes=1"),
                    "memory with %r: %s", query, found["processes"][0])


# ---- the listener itself -----------------------------------------------------------------------

@test("paths and methods: what is there, what is not, and who may look")
def paths(stage):
    with shown(stage, stage.site(a_txt=b"a")) as (_, status):
        expect("healthz", (200, b"ok\n"), status_and_content(status.get("/healthz")))
        wait_until("the workers have begun", lambda: status.get("/readyz").status == 200, stage.seconds(5))
        expect("readyz", (200, b"ready\n"), status_and_content(status.get("/readyz")))
        page = status.get("/")
        expect("the page", 200, page.status)
        require(page.field("Content-Type").startswith("text/html"), "the page: %r", page.head)
        require(b"<html" in page.content, "the page: %r", page.content[:200])
        expect("nothing", 404, status.get("/nothing").status)
        expect("a file of the root", 404, status.get("/a.txt").status)
        expect("out of anything", 404, status.get("/../../etc/passwd").status)
        for method in ("POST", "PUT", "DELETE", "OPTIONS"):
            answer = status.ask(request(method, "/status.json", "Content-Length: 0"))
            expect(method, (405, "GET, HEAD"), (answer.status, answer.field("Allow")))
        answer = status.ask(request("HEAD", "/metrics", "Origin: http://elsewhere"))
        expect("HEAD", 200, answer.status)
        expect("for other origins", [], [name for name, _ in answer.fields
                                         if name.lower().startswith("access-control")])
        with status.server.client(address=status.address) as client:  # kept
            for _ in range(3):
                expect("one of several", 200, client.get("/status.json").status)
            client.send("nonsense\r\n\r\n")
            client.drain()
        expect("after nonsense", 200, status.get("/healthz").status)


def status_and_content(answer):
    return answer.status, answer.content


@test("without the option nothing is shown, and no process is there for it", per_model=False)
def off(stage):
    for options in ({}, {"status": "off"}):
        with stage.server(stage.site(a_txt=b"a"), options) as server:
            expect("content", b"a", server.get("/a.txt").content)
            require(not SHOWN_AT.search("".join(server.lines)), "it says %s", server.lines)
            expect("processes", set(server.workers()), server.processes())


@test("a Unix socket serves as well, and its file is removed at the end", per_model=False)
def unix(stage):
    path = os.path.join(stage.setting.place("unix"), "status")
    with shown(stage, stage.site(a_txt=b"a"), {"status": "unix:" + path}) as (_, status):
        expect("address", path, status.address)
        expect("healthz", 200, status.get("/healthz").status)
    require(not os.path.exists(path), "the socket's file is left behind")


@test("a bad address: the line, the option, and exit code 78", per_model=False)
def bad_address(stage):
    path = os.path.join(stage.setting.place("conf"), "serve.conf")
    for address in ("nonsense", "127.0.0.1:99999", "example.org:80"):
        with open(path, "w", encoding="utf-8") as file:
            file.write('listen = "127.0.0.1:0"\nroot = "."\nstatus = "%s"\n' % address)
        for more in ([], ["-t"]):
            code, _, err = stage.setting.run("-c", path, *more)
            expect("exit code (%s)" % err, 78, code)
            require(re.match(r"\S*serve\.conf:3: status: .+", err), "it says %r", err)


@test("an address that is taken: an error at start that says what to do", per_model=False)
def taken_address(stage):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        address = "127.0.0.1:%d" % other.getsockname()[1]
        path = os.path.join(stage.setting.place("conf"), "serve.conf")
        with open(path, "w", encoding="utf-8") as file:
            file.write('listen = "127.0.0.1:0"\nroot = "."\nstatus = "%s"\n' % address)
        code, _, err = stage.setting.run("-c", path)
    expect("exit code (%s)" % err, 1, code)
    require("cannot show the status at %s: " % address in err and "another port with 'status'" in err,
            "it says %r", err)


# ---- when it matters ---------------------------------------------------------------------------

@test("while the server drains: not ready, but there, until the workers have ended")
def draining(stage):
    root = stage.site(a_txt=b"a", big_bin=big(24))
    with shown(stage, root, {"timeouts.drain": "30s"}) as (server, status):
        with server.client(SMALL_WINDOW) as client:
            client.send(get("/big.bin"))
            head = client.answer_head()
            server.signal(signal.SIGTERM)
            wait_until("the port is closed", lambda: port_is_closed(server.address),
                       stage.seconds(3))
            os.kill(status.process(), signal.SIGTERM)  # as systemd does to all processes
            expect("readyz", (503, b"draining\n"), status_and_content(status.get("/readyz")))
            expect("healthz", 200, status.get("/healthz").status)
            found = status.json()
            expect("state", "draining", found["server"]["state"])
            expect("connections sending", 1, found["total"]["connections"]["sending"]
                   + found["total"]["connections"]["disk"])
            require("zcserve_draining 1\n" in status.metrics(), "the metric of draining")
            client.answer_head = lambda: head
            expect("the answer that was under way", 24 << 20, len(client.answer().content))
        expect("exit code", 0, server.wait(5))
        require(port_is_closed(status.address), "somebody shows the status still")


@test("while no worker does anything: answered")
def stopped(stage):
    with shown(stage, stage.site(a_txt=b"a")) as (server, status):
        expect("content", b"a", server.get("/a.txt").content)
        workers = server.workers()
        for worker in workers:
            halt(worker)
        try:
            for target in ("/status.json?buckets=1&processes=1", "/metrics", "/readyz", "/"):
                expect(target, 200, status.get(target).status)
        finally:
            for worker in workers:
                os.kill(worker, signal.SIGCONT)


@test("while every worker is busy: answered as soon as beside it where no worker is")
def saturated(stage):
    content = located(100000, "m")
    root = stage.site(a_txt=b"a", m_bin=content, n_bin=content)
    files = {"/a.txt": b"a", "/m.bin": content, "/n.bin": content}
    with shown(stage, root) as (server, status), shown(stage, root) as (_, idle):
        with Loads(server, files, 8) as loads:
            wait_until("load", lambda: loads.answers > 100, stage.seconds(10))
            times = [(seconds_of(status.json), seconds_of(idle.json)) for _ in range(20)]
        require(not loads.failures, "clients: %s", loads.failures[:1])
        expect_pace("an answer", *zip(*times), times=4, grain=0.02)
        require(status.json()["total"]["counters"]["requests"] >= loads.answers,
                "fewer requests than answers")


class Watch:
    """Readings taken all the while: none of what only grows may run backwards."""

    def __init__(self, status):
        self.status = status
        self.readings, self.failure, self.stopping = [], None, False

    def __enter__(self):
        self.thread = threading.Thread(target=self.run)
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.stopping = True
        self.thread.join()

    def run(self):
        try:
            while not self.stopping:
                self.readings.append(self.status.json("?buckets=1"))
        except (Failure, OSError) as failure:
            self.failure = failure

    def check(self):
        if self.failure:
            raise self.failure
        last = {}
        for reading in self.readings:
            now = growing(reading)
            for name, value in last.items():
                require(now.get(name, 0) >= value, "%s ran backwards: %s, then %s", name, value,
                        now.get(name))
            last = now


def growing(reading):
    """All that only grows, by a name: of the total and of every worker."""
    found = {}
    for of in [reading["total"], *reading["workers"]]:
        who = of.get("index", "total")
        for kind in ("counters", "closed", "refused_for", "calls"):
            for name, value in of[kind].items():
                found[who, kind, name] = value
        for phase, by_source in of["latency"].items():
            for source, histogram in by_source.items():
                found[who, phase, source, "sum"] = histogram["sum_seconds"]
                for index, count in histogram["buckets"]:
                    found[who, phase, source, index] = count
        found[who, "starts"] = of["gauges"]["starts"]
    return found


class Unwearied:
    """Clients that go on whatever breaks, and count the answers that came whole."""

    def __init__(self, server, count):
        self.server = server
        self.lock = threading.Lock()
        self.answers, self.stopping = 0, False
        self.threads = [threading.Thread(target=self.run) for _ in range(count)]

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.stopping = True
        for thread in self.threads:
            thread.join()

    def run(self):
        while not self.stopping:
            with contextlib.suppress(Failure, OSError), self.server.client() as client:
                for _ in range(20):
                    client.get("/a.txt")
                    with self.lock:
                        self.answers += 1


@test("a worker killed under load: nothing runs backwards, its slot is taken over")
def worker_killed(stage):
    with shown(stage, stage.site(a_txt=b"a"), watched=False) as (server, status):
        with Watch(status) as watch, Unwearied(server, 6) as load:
            wait_until("load", lambda: load.answers > 200, stage.seconds(10))
            victim = max(status.json()["workers"], key=lambda w: w["counters"]["requests"])
            os.kill(victim["pid"], signal.SIGKILL)
            after = wait_until("the slot has another worker",
                               lambda: slot_with_another(status, victim), stage.seconds(5))
            answers = load.answers
            wait_until("load again", lambda: load.answers > answers + 200, stage.seconds(10))
            wait_until("readings", lambda: watch.failure or len(watch.readings) > 5,
                       stage.seconds(10))
        watch.check()
        # What the kernel had taken when the worker died, before it was counted: one a client at most.
        answers = load.answers - len(load.threads)
        for name, value in victim["counters"].items():
            require(after["counters"][name] >= value, "%s: %s, then %s", name, value,
                    after["counters"][name])
        expect("starts", victim["gauges"]["starts"] + 1, after["gauges"]["starts"])
        found = status.json()["total"]
        require(found["counters"]["requests"] >= answers, "%d of %d answers counted",
                found["counters"]["requests"], answers)
        require(found["latency"]["total"]["all"]["count"] >= answers, "%d of %d answers measured",
                found["latency"]["total"]["all"]["count"], answers)


def slot_with_another(status, victim):
    slot = next(w for w in status.json()["workers"] if w["index"] == victim["index"])
    return slot if slot["pid"] not in (0, victim["pid"]) else None


@test("its own process killed: it comes back at the same address, and no worker minds")
def killed_itself(stage):
    with shown(stage, stage.site(a_txt=b"a"), watched=False) as (server, status):
        with server.client() as client:
            expect("content", b"a", client.get("/a.txt").content)
            before, workers = status.process(), server.workers()
            os.kill(before, signal.SIGKILL)
            wait_until("another process", lambda: status.process() not in (None, before),
                       stage.seconds(5))
            expect("requests", 1, status.json()["total"]["counters"]["requests"])
            expect("content", b"a", client.get("/a.txt").content)
            expect("workers", workers, server.workers())


@test("the supervisor killed: its process ends, and the address is free")
def supervisor_killed(stage):
    with shown(stage, stage.site(a_txt=b"a")) as (server, status):
        process = status.process()
        server.signal(signal.SIGKILL)
        server.wait(3)
        wait_until("it has ended", lambda: not is_running(process),
                   stage.seconds(3))
        require(port_is_closed(status.address), "somebody shows the status still")


# ---- Prometheus --------------------------------------------------------------------------------

@test("promtool finds nothing wrong with the metrics, and each has a line that explains it")
def promtool(stage):
    root = stage.site(a_txt=b"12345", big_bin=located(400000))
    with shown(stage, root) as (server, status):
        Exchanges(server).run()
        text = status.metrics()
    run = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True,
                         text=True, timeout=30, check=False)
    expect("what promtool says", (0, "", ""), (run.returncode, run.stdout, run.stderr))
    types = dict(re.findall(r"^# TYPE (\w+) (\w+)$", text, re.MULTILINE))
    helps = dict(re.findall(r"^# HELP (\w+) (\S.*)$", text, re.MULTILINE))
    expect("metrics with a type and with a help", set(types), set(helps))
    series = [line.rsplit(" ", 1)[0] for line in text.splitlines() if not line.startswith("#")]
    expect("series that come twice", len(series), len(set(series)))
    for name in {re.match(METRIC, each)[0] for each in series}:
        require(name in types or re.sub(r"_(bucket|sum|count)$", "", name) in types,
                "%s has no type", name)


def dashboard_read():
    with open(os.path.join(ROOT, "conf", "grafana.json"), encoding="utf-8") as file:
        return json.load(file)


@test("the dashboard is one that Grafana loads: schema, variables, panels beside each other",
      per_model=False)
def dashboard_shape(_):
    dashboard = dashboard_read()
    require(36 <= dashboard["schemaVersion"] <= 42, "schema %s", dashboard["schemaVersion"])
    variables = {each["name"]: each for each in dashboard["templating"]["list"]}
    expect("variables", {"datasource", "instance"}, set(variables))
    expect("kind of data source", ("datasource", "prometheus"),
           (variables["datasource"]["type"], variables["datasource"]["query"]))
    panels = dashboard["panels"]
    expect("numbers of panels", len(panels), len({panel["id"] for panel in panels}))
    cells = [(x, y) for panel in panels for at in [panel["gridPos"]]
             for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])]
    expect("cells that two panels claim", len(cells), len(set(cells)))
    require(max(x for x, _ in cells) < 24, "wider than the screen")
    for panel in panels:
        require(panel["type"] == "row" or panel["datasource"]["uid"] == "${datasource}"
                and panel["targets"] and panel["title"], "panel %s", panel["title"])
        expect("letters of %s" % panel["title"], len(panel.get("targets", [])),
               len({target["refId"] for target in panel.get("targets", [])}))
    expect("heat maps", [True], ["_bucket" in panel["targets"][0]["expr"]
                                 and panel["targets"][0]["format"] == "heatmap"
                                 for panel in panels if panel["type"] == "heatmap"])


@test("every metric that the dashboard asks for is there")
def dashboard_names(stage):
    asked = set(METRIC.findall(json.dumps(dashboard_read())))
    root = stage.site(a_txt=b"12345", big_bin=located(400000))
    with shown(stage, root) as (server, status):
        Exchanges(server).run()
        there = {re.match(METRIC, line)[0] for line in status.metrics().splitlines()
                 if not line.startswith("#")}
    require(len(asked) > 25, "only %s", asked)
    expect("asked for and not there", set(), asked - there)


def port_unused():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextlib.contextmanager
def prometheus(stage, target):
    """A Prometheus that scrapes `target` a few times a second: a function that queries it."""
    place = stage.setting.place("prometheus")
    address = "127.0.0.1:%d" % port_unused()
    base = "http://%s/api/v1/query?query=" % address
    with open(os.path.join(ROOT, "conf", "prometheus.yml"), encoding="utf-8") as file:
        text = file.read().replace("15s", stage.milliseconds(0.3)).replace("127.0.0.1:8081", target)
    with open(os.path.join(place, "prometheus.yml"), "w", encoding="utf-8") as file:
        file.write(text)

    def query(expression):
        with contextlib.suppress(urllib.error.HTTPError), urllib.request.urlopen(
                base + urllib.parse.quote(expression), timeout=stage.seconds(10)) as answer:
            return json.load(answer)
        return {"status": "error", "error": expression}

    with open(os.path.join(place, "said"), "wb") as said, subprocess.Popen(
            ["prometheus", "--config.file=" + os.path.join(place, "prometheus.yml"),
             "--storage.tsdb.path=" + os.path.join(place, "series"),
             "--web.listen-address=" + address], stdout=said, stderr=said, cwd=place) as process:
        try:
            yield query
        finally:
            process.terminate()
            process.wait(20)


def queries_of_dashboard():
    for panel in dashboard_read()["panels"]:
        for target in panel.get("targets", []):
            yield panel["title"], (target["expr"].replace("$instance", ".*")
                                   .replace("$__rate_interval", "5s"))


def is_answered(answer, expression):
    """With something, but where only what happened is asked for."""
    return answer["status"] == "success" and (values_of(answer) or expression.endswith("> 0"))


def values_of(answer):
    return [float(result["value"][1]) for result in answer.get("data", {"result": []})["result"]]


@test("a real Prometheus scrapes it, and answers every query of the dashboard")
def scraped(stage):
    root = stage.site(a_txt=b"12345")
    with shown(stage, root) as (server, status), \
            prometheus(stage, "%s:%d" % status.address) as query, server.client() as client:

        def scraped_with_rate():
            expect("content", b"12345", client.get("/a.txt").content)
            with contextlib.suppress(OSError, ValueError):
                rate = values_of(query('sum(rate(zcserve_responses_total{class="2xx"}[5s]))'))
                return values_of(query("up")) == [1.0] and rate and rate[0] > 0
            return False
        wait_until("a rate of requests", scraped_with_rate, stage.seconds(20), 0.05)
        for title, expression in queries_of_dashboard():
            wait_until("an answer to %s: %s" % (title, expression),
                       lambda: is_answered(query(expression), expression), stage.seconds(10), 0.05)
        for expression in ("zcserve_build_info == 1",  # a scrape that took too long hides it
                           'sum(zcserve_request_seconds_count{phase="total"}) > 1'):
            wait_until(expression, lambda: values_of(query(expression)), stage.seconds(10), 0.05)
