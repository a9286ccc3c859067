"""USR2 and `zcserve upgrade`: a new program takes over the listeners, and no client loses anything."""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import urllib.request

from client import expect, expect_content, get, wait_until
from fixtures import located
from harness import configuration, is_running, port_is_closed, process_name
from lifecycle import Loads, SMALL_WINDOW
from stage import big, replace, require, test

NEWS = " serves now; draining"
FAILED = " upgrade failed, nothing has changed: "


class Upgradable:
    """A server whose program is a file of the test's own. Its successors are processes of its group."""

    def __init__(self, stage, root, options=None):
        self.stage = stage
        self.place = stage.setting.place("program")
        self.program = os.path.join(self.place, "zcserve")
        for end in ("", "-tool"):
            shutil.copy(stage.setting.binary + end, self.program + end)
        self.path = os.path.join(self.place, "socket")
        options = {"listen": ["127.0.0.1:0", "unix:" + self.path], "status": "127.0.0.1:0", "workers": 2,
                   "timeouts.drain": "10s", **(options or {})}
        self.server = stage.server(root, options, watched=False, binary=self.program, at_once=8)
        self.pid = self.server.pid

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        try:
            if kind is None:
                self.server.check_reports()
            if kind is None and is_running(self.pid):
                os.kill(self.pid, signal.SIGTERM)
                wait_until("the last server ends", lambda: not is_running(self.pid), self.stage.seconds(12))
            if kind is None:
                require(not os.path.exists(self.path), "the file of the Unix socket was left")
        finally:
            self.server.kill()

    def lines(self, what):
        return [line for line in self.server.lines if what in line]

    @property
    def status(self):
        return self.lines(" status at http://")[0].rstrip().rstrip("/").rsplit("//", 1)[1]

    def server_of_status(self):
        with urllib.request.urlopen("http://%s/status.json" % self.status, timeout=self.stage.seconds(10)) as answer:
            return json.load(answer)["server"]

    def upgrade(self):
        """Sends USR2, and waits until another program serves. The one before ends later."""
        before = len(self.lines(NEWS))
        failures = len(self.lines(FAILED))
        os.kill(self.pid, signal.SIGUSR2)
        wait_until("the successor", lambda: len(self.lines(NEWS)) > before or len(self.lines(FAILED)) > failures,
                   self.stage.seconds(20))
        require(len(self.lines(FAILED)) == failures, "it failed: %s", self.lines(FAILED)[-1:])
        old, self.pid = self.pid, int(self.lines(NEWS)[-1].split(" process ")[1].split()[0])
        self.server.ended = True  # the process that the test started is to end
        return old

    def refused(self):
        before = len(self.lines(FAILED))
        os.kill(self.pid, signal.SIGUSR2)
        wait_until("the refusal", lambda: len(self.lines(FAILED)) > before, self.stage.seconds(20))
        return self.lines(FAILED)[-1].split(FAILED)[1].rstrip()

    def tool(self, *words):
        ran = subprocess.run([self.stage.setting.binary, *words, "-s", self.status], capture_output=True, text=True,
                             timeout=self.stage.seconds(20), check=False)
        return ran.returncode, ran.stdout, ran.stderr


@test("upgrade under load: no request fails, over TCP and a Unix socket")
def under_load(stage):
    files = {"/a.txt": b"a", "/m.bin": located(100000, "m")}
    root = stage.site(a_txt=files["/a.txt"], m_bin=files["/m.bin"])
    with Upgradable(stage, root) as it, Loads(it.server, files, 6) as loads:
        for _ in range(2):
            before = loads.answers
            wait_until("load", lambda n=before: loads.answers > n + 20, stage.seconds(10))
            it.upgrade()
            with it.server.client(address=it.path) as client:
                expect("over the Unix socket", b"a", client.get("/a.txt").content)
        before = loads.answers
        wait_until("load", lambda: loads.answers > before + 20, stage.seconds(10))
        loads.stopping = True
    if loads.failures:
        raise loads.failures[0]


@test("upgrade: what is under way is finished by the old program, new connections get the new one")
def in_detail(stage):
    content = big(12)
    root = stage.site(a_txt=b"a", big_bin=content)
    options = {"timeouts.linger": stage.milliseconds(5), "timeouts.drain": stage.milliseconds(15)}
    with Upgradable(stage, root, options) as it, contextlib.ExitStack() as stack:
        begun, large = [stack.enter_context(it.server.client(SMALL_WINDOW)) for _ in range(2)]
        begun.send(get("/a.txt")[:25])
        large.send(get("/big.bin"))
        head = large.answer_head()
        it.server.get("/a.txt")  # by now the others have been read, too
        old = it.upgrade()
        expect("the status is that of the new program", it.pid, it.server_of_status()["pid"])
        expect("a new connection", b"a", it.server.get("/a.txt").content)
        require(is_running(old), "the old program did not wait for what is under way")
        begun.send(get("/a.txt")[25:])
        expect("a head that was begun", b"a", begun.answer().content)
        begun.close()
        large.answer_head = lambda: head
        expect_content("a large answer", content, large.answer().content)
        large.close()
        wait_until("the old program ends", lambda: not is_running(old), stage.seconds(15))
        expect("exit code of the old program", 0, it.server.process.wait(stage.seconds(5)))
        expect("a new connection", b"a", it.server.get("/a.txt").content)


@test("upgrade fails (no program, another program, a wrong configuration, it is told to stop): the old one goes on")
def refused(stage):
    root = stage.site(a_txt=b"a")
    with Upgradable(stage, root) as it, it.server.client() as client:
        workers = it.server.workers()
        right = open(it.server.configuration, "rb").read()
        replace(it.server.configuration, right + b"nonsense = 3\n")
        require("unknown option 'nonsense' (the new program ended with code 78" in it.refused(), "it says %r",
                it.lines(FAILED)[-1:])
        code, _, problem = it.tool("upgrade")
        expect("exit code of zcserve upgrade", 1, code)
        require("nothing has changed: " in problem and "nonsense" in problem, "it says %r", problem)
        expect("failures that the status shows", 2, it.server_of_status()["upgrades_failed"])
        replace(it.server.configuration, right)
        os.rename(it.program, it.program + ".kept")
        require("cannot start" in it.refused() and "No such file" in it.lines(FAILED)[-1], "it says %r",
                it.lines(FAILED)[-1:])
        shutil.copy("/bin/false", it.program)
        require("ended with code 1 " in it.refused(), "it says %r", it.lines(FAILED)[-1:])
        replace(it.program, b"#!/bin/sh\nkill -KILL $$\n")
        os.chmod(it.program, 0o755)
        require("signal 9" in it.refused(), "it says %r", it.lines(FAILED)[-1:])
        os.rename(it.program + ".kept", it.program)
        expect("workers", workers, it.server.workers())
        expect("over the old connection", b"a", client.get("/a.txt").content)
        with it.server.client(address=it.path) as local:
            expect("over the Unix socket", b"a", local.get("/a.txt").content)


@test("upgrade: the new configuration may have other addresses, and another model", per_model=False)
def addresses(stage):
    root = stage.site(a_txt=b"a")
    with Upgradable(stage, root) as it:
        port = it.server.address[1]
        text = configuration({"listen": ["127.0.0.1:%d" % port], "root": root, "model": "prefork",
                              "status": "127.0.0.1:0", "timeouts.drain": "10s"})
        replace(it.server.configuration, text.encode())
        it.upgrade()
        expect("over the port", b"a", it.server.get("/a.txt").content)
        wait_until("the file of the other socket is removed", lambda: not os.path.exists(it.path), stage.seconds(5))
        text = configuration({"listen": ["unix:" + it.path], "root": root, "status": "127.0.0.1:0"})
        replace(it.server.configuration, text.encode())
        old = it.upgrade()
        wait_until("the old program ends", lambda: not is_running(old), stage.seconds(15))
        require(port_is_closed(it.server.address), "the port is open still")
        with it.server.client(address=it.path) as client:
            expect("over the Unix socket", b"a", client.get("/a.txt").content)


@test("zcserve upgrade and healthcheck: they wait, and say how it is", per_model=False)
def tools(stage):
    root = stage.site(a_txt=b"a")
    with Upgradable(stage, root) as it:
        expect("healthcheck", (0, "ready\n", ""), it.tool("healthcheck"))
        code, out, problem = it.tool("upgrade")
        expect("exit code (%s)" % problem, 0, code)
        it.pid = int(out.split()[1])
        it.server.ended = True
        expect("what it prints", "process %d serves\n" % it.server_of_status()["pid"], out)
        expect("after it", (0, "ready\n", ""), it.tool("healthcheck"))


@test("TERM during an upgrade: the successor ends too", per_model=False)
def stop_during(stage):
    root = stage.site(a_txt=b"a")
    with Upgradable(stage, root) as it:
        replace(it.program, b"#!/bin/sh\nexec sleep 1000\n")
        os.chmod(it.program, 0o755)
        os.kill(it.pid, signal.SIGUSR2)

        def successor():
            return [pid for pid in it.server.processes() if process_name(pid) == "sleep"]
        wait_until("the successor is there", successor, stage.seconds(10))
        sleeping = successor()[0]
        it.server.signal(signal.SIGTERM)
        expect("exit code", 0, it.server.wait(10))
        require(not is_running(sleeping), "the successor was left")
