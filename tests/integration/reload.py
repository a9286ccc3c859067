"""HUP: another configuration replaces the present one, and no client loses anything."""

import contextlib
import json
import os
import signal
import time
import urllib.request

from client import Failure, expect, expect_content, get, wait_until
from fixtures import located
from harness import blocking, configuration, is_running, models_of, port_is_closed
from lifecycle import Loads, SMALL_WINDOW
from stage import big, replace, require, test

SERVING = " serving "
FAILED = " reload failed, nothing has changed: "


class Reloadable:
    """A server whose configuration the test writes anew, with the address that it got at first."""

    def __init__(self, stage, root, options=None):
        self.stage = stage
        self.options = {"root": root, "workers": 2, "timeouts.drain": "10s", "timeouts.linger": "1s",
                        "error_log": "stderr", **(options or {})}
        self.server = stage.server(root, self.options, watched=False)

    def __enter__(self):
        self.server.__enter__()
        return self

    def __exit__(self, *how):
        return self.server.__exit__(*how)

    def lines(self, what):
        return [line for line in self.server.lines if what in line]

    def ask(self, model=None, **changes):
        """Writes the configuration, and sends HUP. `None` leaves an option out."""
        model = model or self.stage.model.split("+")[0]
        options = {"listen": ["127.0.0.1:0"], "model": model, **blocking(model, self.server.at_once), **self.options}
        options.update({name.replace("__", "."): value for name, value in changes.items()})
        options = {name: value for name, value in options.items() if value is not None}
        replace(self.server.configuration, configuration(options).encode())
        self.server.signal(signal.SIGHUP)

    def reload(self, alone=True, **changes):
        """As ask(), and waits until the new configuration serves, and nothing else."""
        workers = set(self.server.workers())
        before = len(self.lines(SERVING))
        failures = len(self.lines(FAILED))
        self.ask(**changes)
        wait_until("the next generation", lambda: len(self.lines(SERVING)) > before or len(self.lines(FAILED)) > failures,
                   self.stage.seconds(20))
        require(len(self.lines(FAILED)) == failures, "it failed: %s", self.lines(FAILED)[-1:])
        if alone:
            wait_until("the workers of before end", lambda: not workers & set(self.server.workers()),
                       self.stage.seconds(20))

    def refused(self, **changes):
        """As ask(), and waits until it is refused. Returns the reason."""
        before = len(self.lines(FAILED))
        self.ask(**changes)
        wait_until("the refusal", lambda: len(self.lines(FAILED)) > before, self.stage.seconds(20))
        return self.lines(FAILED)[-1].split(FAILED)[1].rstrip()


def other_models(stage):
    """Each other model once, and then the first again."""
    models = {model.split("+")[0] for model in models_of(stage.setting.binary)[0]}
    return sorted(models - {stage.model}) + [stage.model]


@test("reload under load: no request fails, and each answer is of one of both configurations")
def under_load(stage):
    files = {"/a.txt": b"a", "/m.bin": located(100000, "m"), "/big.bin": big(2)}
    root = stage.site(a_txt=files["/a.txt"], m_bin=files["/m.bin"], big_bin=files["/big.bin"])
    with Reloadable(stage, root) as it, Loads(it.server, files, 8) as loads:
        for number in range(10):
            before = loads.answers
            it.reload(workers=1 + number % 3)
            wait_until("load", lambda: loads.answers > before + 20, stage.seconds(10))
        loads.stopping = True
    if loads.failures:
        raise loads.failures[0]


@test("reload to each other model under load: no request fails")
def to_other_models(stage):
    files = {"/a.txt": b"a", "/m.bin": located(100000, "m")}
    root = stage.site(a_txt=files["/a.txt"], m_bin=files["/m.bin"])
    with Reloadable(stage, root) as it, Loads(it.server, files, 8) as loads:
        for model in other_models(stage):
            before = loads.answers
            it.reload(model=model)
            wait_until("load", lambda: loads.answers > before + 20, stage.seconds(10))
        loads.stopping = True
    if loads.failures:
        raise loads.failures[0]


def last_answer(client, stage):
    """Requests on a connection until it ends: each is answered, and one says that it is the last."""
    ends = time.monotonic() + stage.seconds(5)
    while time.monotonic() < ends:
        client.send(get("/a.txt"))
        answer = client.answer()
        expect("an answer", b"old", answer.content)
        if answer.closes():
            return client.expect_end()
        time.sleep(0.05)
    raise Failure("no answer says that it is the last")


@test("reload: what is under way goes on, an idle connection gets one more answer, new ones get the new root")
def in_detail(stage):
    content = big(24)
    old = stage.site(a_txt=b"old", big_bin=content)
    new = stage.site(a_txt=b"new")
    options = {"timeouts.linger": stage.milliseconds(5), "timeouts.drain": stage.milliseconds(15)}
    with Reloadable(stage, old, options) as it, contextlib.ExitStack() as stack:
        idle, begun, large = [stack.enter_context(it.server.client(SMALL_WINDOW)) for _ in range(3)]
        idle.get("/a.txt")
        begun.send(get("/a.txt")[:25])
        large.send(get("/big.bin"))
        head = large.answer_head()
        it.server.get("/a.txt")  # by now the others have been read, too
        it.reload(alone=False, root=new)
        wait_until("the new root serves", lambda: it.server.get("/a.txt").content == b"new", stage.seconds(5))
        begun.send(get("/a.txt")[25:])
        expect("a head that was begun", b"old", begun.answer().content)
        begun.close()
        last_answer(idle, stage)
        idle.close()
        large.answer_head = lambda: head
        expect_content("a large answer", content, large.answer().content)
        large.close()
        wait_until("the old workers end", lambda: len(it.server.workers()) == it.server.count, stage.seconds(15))


@test("reload: a wrong configuration changes nothing, and the log says what is wrong")
def refused(stage):
    root = stage.site(a_txt=b"a")
    with Reloadable(stage, root) as it, it.server.client() as client:
        workers = it.server.workers()
        require("unknown option 'modl'" in it.refused(modl="x"), "it says %r", it.lines(FAILED)[-1:])
        require("root" in it.refused(root=root + "/absent"), "it says %r", it.lines(FAILED)[-1:])
        require("listen" in it.refused(listen=["127.0.0.1:0", "nonsense"]), "it says %r", it.lines(FAILED)[-1:])
        require("access log" in it.refused(access_log=root + "/absent/log"), "it says %r", it.lines(FAILED)[-1:])
        require("error log" in it.refused(error_log=root + "/absent/log"), "it says %r", it.lines(FAILED)[-1:])
        require("room" in it.refused(model="epoll", workers=1000), "it says %r", it.lines(FAILED)[-1:])
        expect("workers", workers, it.server.workers())
        expect("content", b"a", client.get("/a.txt").content)
        it.reload()
        expect("content", b"a", it.server.get("/a.txt").content)


@test("reload: addresses come and go", per_model=False)
def addresses(stage):
    root = stage.site(a_txt=b"a")
    place = stage.setting.place("sockets")
    path = os.path.join(place, "socket")
    with Reloadable(stage, root) as it:
        it.reload(listen=["127.0.0.1:0", "unix:" + path])
        with it.server.client(address=path) as client:
            expect("over the Unix socket", b"a", client.get("/a.txt").content)
        it.reload(listen=["unix:" + path])
        wait_until("the port is closed", lambda: port_is_closed(it.server.address), stage.seconds(10))
        with it.server.client(address=path) as client:
            expect("over the Unix socket", b"a", client.get("/a.txt").content)
        it.reload(listen=["127.0.0.1:%d" % it.server.address[1]])
        expect("over the port again", b"a", it.server.get("/a.txt").content)
        require(not os.path.exists(path), "the file of the Unix socket was left")


@test("reload: the access log has a line for each request, before and after, also in another file")
def access_log(stage):
    root = stage.site(a_txt=b"a")
    place = stage.setting.place("logs")
    first, second = os.path.join(place, "first"), os.path.join(place, "second")
    with Reloadable(stage, root, {"access_log": first}) as it:
        for _ in range(5):
            it.server.get("/a.txt")
        it.reload()
        for _ in range(5):
            it.server.get("/a.txt")
        it.options["access_log"] = second
        it.reload()
        for _ in range(5):
            it.server.get("/a.txt")
    lines = [open(name, encoding="utf-8").read().count("GET /a.txt") for name in (first, second)]
    expect("lines", [10, 5], lines)


def status_of(address):
    with urllib.request.urlopen("http://%s/status.json" % address, timeout=10) as answer:
        return json.load(answer)


@test("reload: the status goes on at its address, and no total runs backwards")
def totals(stage):
    root = stage.site(a_txt=b"a")
    with Reloadable(stage, root, {"status": "127.0.0.1:0"}) as it:
        address = [line.rstrip().rstrip("/").rsplit("//", 1)[1] for line in it.lines(" status at http://")][0]
        for number in range(1, 5):
            for _ in range(3):
                it.server.get("/a.txt")
            wait_until("the requests are counted",
                       lambda n=number: status_of(address)["total"]["counters"]["requests"] == 3 * n, stage.seconds(5))
            it.reload(workers=number)
            status = status_of(address)
            expect("generation", number + 1, status["server"]["generation"])
            expect("reloads", number, status["server"]["reloads"])
            expect("requests", 3 * number, status["total"]["counters"]["requests"])
        it.refused(modl="x")
        server = status_of(address)["server"]
        expect("generation, reloads, failures", [5, 5, 1],
               [server["generation"], server["reloads"], server["reloads_failed"]])
        require("modl" in server["reload_problem"], "the problem is %r", server["reload_problem"])


@test("reload: HUP twenty times at once, and TERM in the middle", per_model=False)
def many(stage):
    root = stage.site(a_txt=b"a")
    with Reloadable(stage, root) as it:
        for _ in range(20):
            it.ask()
        expect("content", b"a", it.server.get("/a.txt").content)
        it.reload()
        pids = [pid for pid in it.server.processes()]
        it.ask()
        time.sleep(0.02)
        it.server.signal(signal.SIGTERM)
        expect("exit code", 0, it.server.wait(10))
        wait_until("every process ends", lambda: not any(is_running(pid) for pid in pids), stage.seconds(5))
