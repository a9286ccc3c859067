"""What service managers need: messages to $NOTIFY_SOCKET, sockets by $LISTEN_FDS, readiness, the first process
of a container, and units that systemd understands."""

import contextlib
import fcntl
import os
import re
import signal
import shutil
import socket
import subprocess
import tempfile
import time

from client import Client, Skip, expect, get, wait_until
from harness import is_running, port_is_closed, process_name
from stage import require, test
from status import shown

UNITS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "conf", "systemd")
SECURITY_MOST = 2.0  # the exposure level that `systemd-analyze security` prints; less is better


class Manager:
    """A socket that takes the messages of a server, as systemd's does."""

    def __init__(self, stage, abstract):
        self.seconds = stage.seconds
        name = os.path.join(stage.setting.place("notify"), "socket")
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind("\0" + name if abstract else name)
        if not abstract:
            os.chmod(name, 0o777)
        self.name = "@" + name if abstract else name
        self.messages = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def environment(self, **more):
        return {**os.environ, "NOTIFY_SOCKET": self.name, **more}

    def expect(self, what):
        """Waits for a message with this assignment. Returns all assignments of that message."""
        ends = time.monotonic() + self.seconds(10)
        while True:
            self.socket.settimeout(max(0.01, ends - time.monotonic()))
            message = self.socket.recv(4096).decode().split("\n")
            self.messages.append(message)
            if any(line.startswith(what) for line in message):
                return dict(line.split("=", 1) for line in message)


@test("NOTIFY_SOCKET: ready, reloading and ready again, stopping")
def notified(stage):
    root = stage.site(a_txt=b"a")
    with Manager(stage, abstract=False) as manager:
        with stage.server(root, env=manager.environment(), watched=False, at_once=8) as server:
            manager.expect("READY=1")
            before_us = time.monotonic_ns() // 1000
            server.signal(signal.SIGHUP)
            message = manager.expect("RELOADING=1")
            require(before_us <= int(message["MONOTONIC_USEC"]) <= time.monotonic_ns() // 1000, "the time is %s", message)
            expect("status", "serving", manager.expect("READY=1").get("STATUS"))
            with open(server.configuration, "a", encoding="utf-8") as file:
                file.write("nonsense = 1\n")
            server.signal(signal.SIGHUP)
            manager.expect("RELOADING=1")
            require("nonsense" in manager.expect("READY=1").get("STATUS"), "it says %s", manager.messages[-1])
        manager.expect("STOPPING=1")


@test("NOTIFY_SOCKET in the abstract namespace: WATCHDOG=1 in time, MAINPID= after an upgrade", per_model=False)
def main_pid(stage):
    root = stage.site(a_txt=b"a")
    with Manager(stage, abstract=True) as manager:
        environment = manager.environment(WATCHDOG_USEC="400000")
        with stage.server(root, env=environment, watched=False) as server:
            manager.expect("READY=1")
            server.ended = True
            for _ in range(3):
                manager.expect("WATCHDOG=1")
            server.signal(signal.SIGUSR2)
            successor = int(manager.expect("MAINPID=")["MAINPID"])
            expect("exit code of the old program", 0, server.process.wait(stage.seconds(10)))
            require(not [each for each in manager.messages if "STOPPING=1" in each], "it said %s", manager.messages)
            manager.expect("WATCHDOG=1")
            os.kill(successor, signal.SIGTERM)
            manager.expect("STOPPING=1")
            wait_until("the successor ends", lambda: not is_running(successor), stage.seconds(10))


def given(sockets):
    """A script that becomes the server, with these sockets as systemd passes them. It is for bash, because
    dash knows no descriptors above 9."""
    moves = "".join("exec %d<&%d; " % (3 + i, each.fileno()) for i, each in enumerate(sockets))
    become = 'export LISTEN_FDS=%d LISTEN_PID=$$; exec "$0" "$@"' % len(sockets)
    return """exec /bin/bash -c '%s' "$0" "$@" """ % (moves + become)


def at_high_number(listening):
    """The socket under a number that the script does not give to another one."""
    high = socket.socket(fileno=fcntl.fcntl(listening.fileno(), fcntl.F_DUPFD_CLOEXEC, 50))
    listening.close()
    return high


@test("LISTEN_FDS: the sockets that are given are used, keep their queues, and stay open")
def activated(stage):
    root = stage.site(a_txt=b"a")
    path = os.path.join(stage.setting.place("given"), "socket")
    with contextlib.ExitStack() as stack:
        port, local = socket.socket(), socket.socket(socket.AF_UNIX)
        port.bind(("127.0.0.1", 0))
        local.bind(path)
        os.chmod(path, 0o777)
        sockets = []
        for each in (port, local):
            each.listen(50)
            sockets.append(stack.enter_context(at_high_number(each)))
        address = sockets[0].getsockname()
        options = {"listen": ["%s:%d" % address, "unix:" + path], "workers": 2}
        for _ in range(2):
            early = Client(address, stage.seconds(5), None)
            early.send(get("/a.txt"))
            with stage.server(root, options, through=given(sockets), watched=False, at_once=8,
                              pass_fds=[each.fileno() for each in sockets]) as server:
                expect("one that came before", b"a", early.answer().content)
                early.close()
                for _ in range(5):
                    expect("over the port", b"a", server.get("/a.txt").content)
                with server.client(address=path) as client:
                    expect("over the Unix socket", b"a", client.get("/a.txt").content)
                server.signal(signal.SIGHUP)
                wait_until("the reload", lambda: len([line for line in server.lines if " serving " in line]) == 2,
                           stage.seconds(10))
                expect("after a reload", b"a", server.get("/a.txt").content)
            require(os.path.exists(path), "the file of the given Unix socket was removed")
            require(not port_is_closed(address), "the given socket was closed")


@test("LISTEN_FDS: an address that is not in listen is told; what is no listening socket ends the start",
      per_model=False)
def activated_wrongly(stage):
    root = stage.site(a_txt=b"a")
    with socket.socket() as port, socket.socket() as idle:
        port.bind(("127.0.0.1", 0))
        port.listen()
        with at_high_number(port) as spare:
            with stage.server(root, through=given([spare]), pass_fds=[spare.fileno()]) as server:
                wait_until("the warning", lambda: "%d, which is not in listen" % spare.getsockname()[1] in
                           "".join(server.lines), stage.seconds(5))
                expect("content", b"a", server.get("/a.txt").content)
        with at_high_number(idle) as wrong:
            code, _, problem = stage.setting.run("-p", "0", root, through=given([wrong]), pass_fds=[wrong.fileno()])
    expect("exit code", 1, code)
    require("descriptor 3 of LISTEN_FDS" in problem, "it says %r", problem)
    code, _, problem = stage.setting.run("-p", "0", root, env={**os.environ, "ZCSERVE_INHERITED": "listen 9 nonsense"})
    expect("exit code", 1, code)
    require("ZCSERVE_INHERITED" in problem, "it says %r", problem)


@test("timeouts.drain_delay: readiness is false first, connections are accepted, then it drains")
def drain_delay(stage):
    options = {"timeouts.drain_delay": stage.milliseconds(0.8)}
    with shown(stage, stage.site(a_txt=b"a"), options, at_once=8) as (server, status):
        wait_until("it is ready", lambda: status.get("/readyz").status == 200, stage.seconds(5))
        server.signal(signal.SIGTERM)
        wait_until("it is not ready", lambda: status.get("/readyz").status == 503, stage.seconds(5))
        expect("a new connection", b"a", server.get("/a.txt").content)
        expect("exit code", 0, server.wait(10))


@test("timeouts.drain_delay: a second TERM does not wait for it", per_model=False)
def drain_delay_cut(stage):
    with stage.server(stage.site(a_txt=b"a"), {"timeouts.drain_delay": "1h"}) as server:
        server.signal(signal.SIGTERM)
        wait_until("it was told", lambda: "draining" in "".join(server.lines), stage.seconds(5))
        server.signal(signal.SIGTERM)
        expect("exit code", 0, server.wait(5))


@test("as the first process of a container: it reaps orphans, ends at TERM, and refuses an upgrade")
def first_process(stage):
    probe = subprocess.run(["unshare", "--pid", "--fork", "true"], capture_output=True, text=True, check=False)
    if probe.returncode != 0:
        raise Skip("no PID namespace here: %s" % probe.stderr.strip())
    place = stage.setting.place("contained")
    log = os.path.join(place, "log")
    command = ["unshare", "--pid", "--fork", "--kill-child", stage.setting.binary, "-m", stage.model.split("+")[0],
               "-p", "0", "-o", "workers=1", "-o", "error_log=" + log, stage.site(a_txt=b"a")]
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE) as outside:
        def said():
            with contextlib.suppress(OSError), open(log, encoding="utf-8") as file:
                return file.read()
            return ""
        wait_until("the start", lambda: "serving " in said() or outside.poll() is not None, stage.seconds(10))
        with open("/proc/%d/task/%d/children" % (outside.pid, outside.pid), encoding="utf-8") as file:
            first = int(file.read())
        orphan_left(first, stage)
        os.kill(first, signal.SIGUSR2)
        wait_until("the refusal", lambda: "start a new container" in said(), stage.seconds(10))
        os.kill(first, signal.SIGTERM)
        wait_until("the end", lambda: not is_running(first), stage.seconds(10))
        expect("exit code", 0, outside.wait(stage.seconds(10)))


def orphan_left(first, stage):
    """Leaves an orphan in the namespace of this first process, which must wait for it when it ends."""
    subprocess.run(["nsenter", "--target", str(first), "--pid", "sh", "-c", "sleep 0.05 &"], check=True,
                   stdin=subprocess.DEVNULL)

    def children():
        with open("/proc/%d/task/%d/children" % (first, first), encoding="utf-8") as file:
            return [process_name(int(pid)) for pid in file.read().split()]
    wait_until("the orphan was reaped", lambda: all(name.startswith("zcserve") for name in children()),
               stage.seconds(10))


def analyze(*words):
    return subprocess.run(["systemd-analyze", *words], capture_output=True, text=True, check=False)


# What a server and its sandbox call that systemd does not count among @system-service, or takes away again.
CALLS = ("capset", "seccomp", "landlock_create_ruleset", "landlock_add_rule", "landlock_restrict_self", "io_uring_setup",
         "io_uring_enter", "io_uring_register", "sched_setaffinity", "prlimit64", "prctl", "capget", "openat2")
# A directive that takes a call away without naming it, because what it looks at is in memory.
TAKEN = {"RestrictSUIDSGID": "openat2"}


def calls_of(names):
    """Expands @groups as systemd does, those of libseccomp's names that are old included."""
    calls = set()
    for name in names:
        inside = [line.strip() for line in analyze("syscall-filter", name).stdout.splitlines()[1:]] if name[0] == "@" else []
        calls |= calls_of([each for each in inside if each and each[0] != "#"]) if inside else {name}
    return calls


@test("the unit allows the system calls of the sandbox", per_model=False)
def unit_calls(stage):
    if not shutil.which("systemd-analyze"):
        raise Skip("no systemd-analyze here")
    allowed = set()
    with open(os.path.join(UNITS, "zcserve.service"), encoding="utf-8") as file:
        text = file.read()
    for words in re.findall(r"^SystemCallFilter=(.*)$", text, re.M):
        calls = calls_of(words.lstrip("~").split())
        allowed = allowed - calls if words[0] == "~" else allowed | calls
    allowed -= {call for name, call in TAKEN.items() if re.search("^%s=yes$" % name, text, re.M)}
    require(len(allowed) > 200, "only %d calls are allowed", len(allowed))
    expect("what is forbidden", [], [name for name in CALLS if name not in allowed])


@test("the units: systemd understands them, and rates their exposure as low", per_model=False)
def units(stage):
    if not shutil.which("systemd-analyze"):
        raise Skip("no systemd-analyze here")
    with tempfile.TemporaryDirectory(dir=stage.setting.directory) as place:
        for name in os.listdir(UNITS):
            if os.path.isfile(os.path.join(UNITS, name)):
                with open(os.path.join(UNITS, name), encoding="utf-8") as file:
                    text = file.read().replace("/usr/bin/zcserve", stage.setting.binary)
                with open(os.path.join(place, name), "w", encoding="utf-8") as file:
                    file.write(text)
        service = os.path.join(place, "zcserve.service")
        ran = analyze("security", "--offline=true", "--no-pager", service)
        found = re.search(r"Overall exposure level for zcserve.service: ([0-9.]+)", ran.stdout)
        require(found, "it says %r", ran.stdout[-200:] + ran.stderr[-200:])
        require(float(found[1]) <= SECURITY_MOST, "the exposure is %s", found[1])
        ran = analyze("verify", "--man=no", service, os.path.join(place, "zcserve.socket"))
        unknown = [line for line in ran.stderr.splitlines() if place in line and "notify-reload" not in line]
        require(not unknown, "it says %s", unknown)
