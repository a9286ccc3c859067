"""zcserve top and zcserve report, with servers of every model; where something must be wrong, with a false server."""

import contextlib
import fcntl
import http.server
import json
import os
import pty
import re
import resource
import select
import signal
import struct
import subprocess
import termios
import threading
import time

from client import expect, wait_until
from fixtures import located
from stage import require, test, write

RECORDED = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "recorded")
STATUS = re.compile(r"status at http://(127\.0\.0\.1:\d+)/")


def status_of(server):
    """Where a server started with status = 127.0.0.1:0 tells it."""
    def line():
        return next((STATUS.search(each) for each in server.lines if STATUS.search(each)), None)
    wait_until("the line that tells where the status is", line, server.seconds(5))
    return line()[1]


@contextlib.contextmanager
def told(stage, **files):
    """A server with a status listener: (server, address of its status)."""
    files = files or {"a_txt": b"a"}
    with stage.server(stage.site(**files), {"status": "127.0.0.1:0"}) as server:
        yield server, status_of(server)


def url(server, path):
    return "http://%s:%d%s" % (*server.address, path)


@contextlib.contextmanager
def pretender(*names):
    """A listener that answers with one recorded status (or bytes) after the other, the last again and again."""
    left = list(names)

    class Pretender(http.server.BaseHTTPRequestHandler):
        def do_GET(self):  # pylint: disable=invalid-name
            if isinstance(left[0], bytes):
                content = left[0]
            else:
                with open(os.path.join(RECORDED, left[0]), "rb") as file:
                    content = file.read()
            if len(left) > 1:
                left.pop(0)
            self.send_response(200)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_):
            pass

    listener = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Pretender)
    thread = threading.Thread(target=listener.serve_forever)
    thread.start()
    try:
        yield "127.0.0.1:%d" % listener.server_address[1]
    finally:
        listener.shutdown()
        thread.join()
        listener.server_close()


# ---- report ------------------------------------------------------------------------------------

def report(stage, status, *command, code=0):
    """The report's object, after a command that ended with this code."""
    got, out, err = stage.setting.run("report", "-s", status, "--json", "--", *command)
    expect("exit code (%s)" % err, code, got)
    return json.loads(out)


@test("report: exactly as many requests as the command made, on as many connections")
def report_counts(stage):
    with told(stage, a_txt=b"a", big_bin=located(600000)) as (server, status):
        server.get("/a.txt")  # before: not to be counted
        found = report(stage, status, "curl", "-sf", "-o", "/dev/null", url(server, "/a.txt?[1-23]"))
        expect("requests", 23, found["counters"]["requests"])
        expect("2xx", 23, found["counters"]["answers_2xx"])
        expect("connections", 1, found["counters"]["accepted"])
        expect("closed", {"peer_closed": 1}, {k: n for k, n in found["closed"].items() if n})
        expect("requests a connection", (1, 23), tuple(found["requests_per_connection"][key] for key in ("count", "max")))
        for phase in ("queue", "resolve", "total"):
            expect("measured of " + phase, 23, found["latency"][phase]["all"]["count"])
        expect("from memory", 23, found["latency"]["total"]["memory"]["count"])
        require(found["per_request"]["calls"] > 0, "no calls in %s", found["per_request"])
        expect("model", stage.model, found["server"]["model"])
        script = "for i in 1 2 3; do curl -sf -o /dev/null '%s' || exit 1; done" % url(server, "/big.bin")
        found = report(stage, status, "sh", "-c", script)
        expect("requests", 3, found["counters"]["requests"])
        expect("connections", 3, found["counters"]["accepted"])
        expect("content", 3 * 600000, found["counters"]["page_cache_bytes"] + found["counters"]["disk_bytes"])
        found = report(stage, status, "true")
        expect("requests of nobody", 0, found["counters"]["requests"])


@test("report and top into a file at its size limit: 1 and a reason, and the command runs to its end", per_model=False)
def size_limit(stage):
    def limit():
        resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))
    place = stage.setting.place("limit")
    done = os.path.join(place, "done")
    command = ["sh", "-c", "echo %s; true > %s" % ("x" * 300, done)]
    with told(stage) as (_, status):
        for arguments in (["report", "-s", status, "--json", "--", "true"],
                          ["report", "-s", status, "--", "true"],
                          ["report", "-s", status, "--", *command],
                          ["top", "--once", "-d", "0.1", "-s", status]):
            with open(os.path.join(place, "out"), "wb") as out:
                run = subprocess.run([stage.setting.binary, *arguments], stdin=subprocess.DEVNULL, stdout=out,
                                     stderr=subprocess.PIPE, text=True, timeout=30, preexec_fn=limit)
            expect("exit code of %s (%s)" % (arguments[0], run.stderr), 1, run.returncode)
            require("written" in run.stderr, "it says %r", run.stderr)
        require(os.path.exists(done), "the command was ended")
    ended = "kill -s XFSZ $$"
    with told(stage) as (_, status):  # a command takes signals as if it was run alone
        code, _, _ = stage.setting.run("report", "-s", status, "--", "sh", "-c", ended)
        expect("exit code of a command ended by XFSZ", 128 + signal.SIGXFSZ, code)


STEERS = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")


@test("report and top print nothing that steers a terminal", per_model=False)
def nothing_steers(stage):
    evil = "/\x9b31m\u202e\u2066\x1b[2J"
    with told(stage) as (_, status):
        for arguments in (("--json",), ()):
            _, out, err = stage.setting.run("report", "-s", status, *arguments, "--", "true", evil,
                                            env=dict(os.environ, LC_ALL="C.UTF-8"))
            require("true" in out and not STEERS.search(out + err), "it prints %r", out + err)
    for body in ("{\"a\":\x9b", '"\u202e" \x1b', evil):
        with pretender(body.encode()) as address:
            for tool in (["top", "--once", "-s", address], ["report", "-s", address, "true"]):
                code, out, err = stage.setting.run(*tool, env=dict(os.environ, LC_ALL="C.UTF-8"))
                expect("exit code", 1, code)
                require("understood" in err and not STEERS.search(out + err), "it prints %r", err)


@test("report: the exit code is the command's", per_model=False)
def report_codes(stage):
    with told(stage) as (_, status):
        for script, code in (("true", 0), ("exit 3", 3), ("kill -KILL $$", 137)):
            expect("exit code in JSON", code, report(stage, status, "sh", "-c", script, code=code)["command"]["exit_code"])
        report(stage, status, "/nonexistent/program", code=127)


def recorded(stage, name):
    """A copy of what a client once printed, where the user of the tests may read it."""
    path = os.path.join(stage.setting.place("recorded"), name + ".txt")
    with open(os.path.join(RECORDED, name + ".txt"), "rb") as file:
        write(path, file.read())
    return path


@test("report: text, what the command printed before it, and a client's figures beside", per_model=False)
def report_text(stage):
    with told(stage) as (server, status):
        for name in ("wrk", "ab", "h2load"):
            script = "curl -sf -o /dev/null '%s'; cat '%s'; echo aside >&2" % (
                url(server, "/a.txt"), recorded(stage, name))
            code, out, err = stage.setting.run("report", "-s", status, "--", "sh", "-c", script)
            expect("exit code", 0, code)
            expect("standard error", "aside\n", err)
            with open(os.path.join(RECORDED, name + ".txt"), encoding="utf-8") as file:
                require(out.startswith(file.read()), "the output of %s does not come first: %r", name, out[:200])
            for wanted in ("requests      1 ", "  total ", "system calls", "CPU ", "1 peer_closed", "side by side",
                           "requests more than were answered"):
                require(wanted in out, "no %r in the report: %s", wanted, out)
            require(re.search(r"side by side +%s +server\n" % name, out), "no column of %s: %s", name, out)
        code, out, _ = stage.setting.run("report", "-s", status, "echo", "--json")
        expect("exit code", 0, code)
        require(out.startswith("--json\n") and "Nothing to compare with" in out, "it says %r", out)


@test("report --json: one object on standard output, the rest on standard error", per_model=False)
def report_json(stage):
    with told(stage) as (_, status):
        command = ["cat", recorded(stage, "wrk")]
        code, out, err = stage.setting.run("report", "-s", status, "--json", "--", *command)
        expect("exit code", 0, code)
        expect("lines", 1, out.count("\n"))
        require("Latency Distribution" in err, "standard error is %r", err)
        found = json.loads(out)
        expect("arguments", command, found["command"]["arguments"])
        expect("client", ("wrk", 16), (found["client"]["name"], found["client"]["connections"]))
        require(found["explanation"], "nothing is explained")


@test("report: a signal goes to the command, and the report is still printed", per_model=False)
def report_interrupted(stage):
    with told(stage) as (server, status):
        script = "curl -sf -o /dev/null '%s'; echo begun; exec sleep 60" % url(server, "/a.txt")
        for number in (signal.SIGINT, signal.SIGTERM):
            with stage.setting.program("report", "-s", status, "--", "sh", "-c", script, text=True,
                                       stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
                expect("first line", "begun\n", process.stdout.readline())
                process.send_signal(number)
                out, err = process.communicate(timeout=stage.seconds(10))
            expect("exit code (%s)" % err, 128 + number, process.returncode)
            require("requests      1 " in out, "no report: %r", out)


@test("report: a server that was started again in between is told, exit code 1", per_model=False)
def report_restarted(stage):
    names = ["status-later.json"] * 2 + ["status.json"]
    with pretender(*names) as status:
        code, out, err = stage.setting.run("report", "-s", status, "--json", "--", "true")
        expect("exit code", 1, code)
        require("started again" in err and not out, "it says %r, %r", out, err)


@test("nobody there: exit code 1, what to check, and the command is not run", per_model=False)
def unreachable(stage):
    mark = os.path.join(stage.setting.place("mark"), "mark")
    for arguments in (["top", "--once"], ["report", "-s", "127.0.0.1:1", "--", "touch", mark]):
        if arguments[0] == "top":
            arguments[1:1] = ["-s", "127.0.0.1:1"]
        code, out, err = stage.setting.run(*arguments)
        expect("exit code", 1, code)
        require("127.0.0.1:1" in err and "status = " in err and not out, "it says %r, %r", out, err)
    require(not os.path.exists(mark), "the command was run")
    with told(stage) as (server, _):  # somebody else is there
        code, _, err = stage.setting.run("top", "-s", "%s:%d" % server.address, "--once")
        expect("exit code", 1, code)
        require("404" in err, "it says %r", err)


@test("wrong usage of top and report: 2; -h: 0", per_model=False)
def usage(stage):
    for arguments in (["top", "x"], ["top", "-d", "0"], ["top", "-d", "x"], ["top", "--json"], ["top", "-Z"],
                      ["report"], ["report", "--"], ["report", "--once", "true"], ["report", "-d", "1", "true"],
                      ["top", "-s", ""], ["top", "-s", "http://a/"], ["top", "-s"]):
        code, out, err = stage.setting.run(*arguments)
        expect("exit code of %s" % arguments, 2, code)
        require("zcserve %s" % arguments[0] in err and not out, "it says %r, %r", out, err)
    for tool in ("top", "report"):
        code, out, err = stage.setting.run(tool, "-h")
        expect("exit code of -h", 0, code)
        require("usage: zcserve %s" % tool in out and not err, "it says %r, %r", out, err)


@test("-c takes the address from the configuration", per_model=False)
def from_configuration(stage):
    path = "unix:" + os.path.join(stage.setting.place("status"), "socket")
    with stage.server(stage.site(a_txt=b"a"), {"status": path}) as server:
        code, out, err = stage.setting.run("top", "-c", server.configuration, "-d", "0.1", "--once")
        expect("exit code (%s)" % err, 0, code)
        require("requests/s" in out, "it prints %r", out)
    for value, says in (("off", "off"), ("127.0.0.1:0", "port 0")):
        with stage.server(stage.site(a_txt=b"a"), {"status": value}) as server:
            code, _, err = stage.setting.run("top", "-c", server.configuration, "--once")
        expect("exit code", 1, code)
        require(says in err, "it says %r", err)


@test("a directory named top is served as ./top", per_model=False)
def directory(stage):
    place = stage.setting.place("place")
    os.mkdir(os.path.join(place, "top"))
    code, _, err = stage.setting.run("-t", "./top", cwd=place)
    expect("exit code (%s)" % err, 0, code)


# ---- top ---------------------------------------------------------------------------------------

@test("top --once: plain text of one interval")
def once(stage):
    with told(stage) as (server, status):
        stop = threading.Event()

        def load():
            with server.client() as client:
                while not stop.is_set():
                    client.get("/a.txt")
        thread = threading.Thread(target=load)
        thread.start()
        def shown():
            """What it prints. On a busy machine half a second may pass without a request."""
            code, out, err = stage.setting.run("top", "-s", status, "-d", "0.5", "--once")
            expect("exit code (%s)" % err, 0, code)
            return None if "requests/s 0 " in out else out
        try:
            out = wait_until("an interval with requests", shown, stage.seconds(10))
        finally:
            stop.set()
            thread.join()
        require("\x1b" not in out, "it is not plain: %r", out)
        require(out.startswith("zcserve %s " % stage.model), "it begins %r", out[:80])
        rate = re.search(r"requests/s ([\d,]+)", out)
        require(rate and int(rate[1].replace(",", "")) > 0, "no rate: %r", out)
        require(re.search(r"^memory +[\d.]+k? ", out, re.MULTILINE), "no source: %r", out)
        require(re.search(r"^ \d+ +\d+ +[1-9]", out, re.MULTILINE), "no worker did anything: %r", out)


ANEW_SECONDS = 0.3  # between two requests for a complete drawing


class Terminal:
    """top in a terminal of its own, whose foreground it is."""

    def __init__(self, stage, status, size=(24, 80), **environment):
        self.stage = stage
        self.controller, self.terminal = pty.openpty()
        self.resize(*size)
        self.before = termios.tcgetattr(self.terminal)
        known = {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "LC_ALL", "LANG")}
        known.update({"TERM": "xterm", "LC_ALL": "C.UTF-8", **environment})
        self.process = subprocess.Popen([stage.setting.binary, "top", "-s", status, "-d", "0.2"], env=known,
                                        stdin=self.terminal, stdout=self.terminal, stderr=self.terminal,
                                        start_new_session=True, preexec_fn=self._own)
        self.said = b""

    @staticmethod
    def _own():
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)

    def resize(self, rows, columns):
        fcntl.ioctl(self.terminal, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        os.close(self.controller)
        os.close(self.terminal)

    def _read(self, seconds):
        """Whether there was anything."""
        ready = select.select([self.controller], [], [], seconds)[0]
        if ready:
            self.said += os.read(self.controller, 65536)
        return bool(ready)

    def until(self, text, keys=b""):
        """Presses keys, and has everything drawn anew until this is seen.

        A drawing arrives in several parts. To ask for another one at each part would ask for more than
        top can draw, and the keys that follow would wait behind all of them.
        """
        self.said = b""
        os.write(self.controller, keys)
        ends = time.monotonic() + self.stage.seconds(10)
        asks = time.monotonic() + ANEW_SECONDS
        while text.encode() not in self.said:
            require(time.monotonic() < ends, "%r is not shown after %r, but first %r and last %r", text, keys,
                    self.said[:6000], self.said[-3000:])
            if keys != b"" and time.monotonic() >= asks:
                os.write(self.controller, b"\x0c")
                asks = time.monotonic() + ANEW_SECONDS
            self._read(0.1)
        return self.said

    def end(self, keys=b"", number=None):
        """Ends it by keys or by a signal: everything must be as it was."""
        self.said = b""
        if number:
            self.process.send_signal(number)
        os.write(self.controller, keys)
        ends = time.monotonic() + self.stage.seconds(10)
        while self.process.poll() is None:
            require(time.monotonic() < ends, "it does not end")
            self._read(0.05)
        while self._read(0.05):  # a terminal gives 4 KiB at a time
            continue
        expect("exit code", 0, self.process.returncode)
        require(b"\x1b[?1049l" in self.said, "the other screen was left on: %r", self.said[-300:])
        require(b"\x1b[?25h" in self.said or b"\x1b[?12l\x1b[?25h" in self.said, "no cursor: %r", self.said[-300:])
        expect("modes of the terminal", self.before, termios.tcgetattr(self.terminal))


@test("top in a terminal: drawn, keys, and the terminal as it was after q")
def terminal(stage):
    with told(stage) as (server, status), Terminal(stage, status) as top:
        require(b"\x1b[?1049h" in top.until("zcserve " + stage.model), "it took no screen of its own")
        server.get("/a.txt")
        top.until("every 0.2 s", b"\x0c")
        for keys, text in ((b"?", "any key goes back"), (b"x", "share of the mean"), (b"p", "PAUSED"), (b"p", "every 0.2 s"),
                           (b"+", "every 0.4 s"), (b"-", "every 0.2 s"), (b"\x1bOB", "worker 0"), (b"\x1bOA", "all workers"),
                           (b"\t", "worker 0"), (b"s", "by requests"), (b"\x1bOC", "by p99"), (b"\x1bOD", "by requests")):
            top.until(text, keys)
        top.end(b"q")


@test("top: INT, TERM and ^C give the terminal back", per_model=False)
def terminal_signals(stage):
    with told(stage) as (_, status):
        for how in ({"number": signal.SIGINT}, {"number": signal.SIGTERM}, {"keys": b"\x03"}):
            with Terminal(stage, status) as top:
                top.until("all workers")
                top.end(**how)


@test("top: other terminals, without UTF-8, without colours", per_model=False)
def terminal_kinds(stage):
    colour = re.compile(rb"\x1b\[[\d;]*3\dm")
    with told(stage) as (_, status):
        for kind in ("xterm", "linux", "screen", "vt100", "xterm-256color"):
            with Terminal(stage, status, TERM=kind) as top:
                top.until("all workers")
        with Terminal(stage, status) as top:
            require(colour.search(top.until("all workers")), "no colours")
        with Terminal(stage, status, NO_COLOR="1") as top:
            require(not colour.search(top.until("? help")), "colours despite NO_COLOR: %r", top.said)
        with Terminal(stage, status, LC_ALL="C") as top:
            require(max(top.until("? help")) < 0x80, "not only ASCII: %r", top.said)
        with Terminal(stage, status, TERM="nonsense") as top:
            top.until("--once")
            expect("exit code", 1, top.process.wait(stage.seconds(5)))


@test("top: another size, too small a size, and back", per_model=False)
def terminal_resized(stage):
    with told(stage) as (_, status), Terminal(stage, status) as top:
        top.until("all workers")
        top.resize(20, 60)
        top.until("60x20: zcserve top needs 80x24", b"\x0c")
        top.resize(50, 132)
        top.until("share of the requests", b"\x0c")
        top.end(b"q")


@test("top goes on without its server, says so, and finds it again", per_model=False)
def terminal_alone(stage):
    with contextlib.ExitStack() as stack:
        server, status = stack.enter_context(told(stage))
        top = stack.enter_context(Terminal(stage, status))
        top.until("all workers")
        server.stop()
        top.until("no status from " + status)
        top.end(b"q")


@test("top without a terminal says that there is --once", per_model=False)
def no_terminal(stage):
    with told(stage) as (_, status):
        code, out, err = stage.setting.run("top", "-s", status)
    expect("exit code", 1, code)
    require("--once" in err and not out, "it says %r, %r", out, err)
