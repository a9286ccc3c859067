"""Logs that nobody reads: full pipes, FIFOs without a reader, stopped terminals, files at their size limit.

No serving process may wait for them, the server must still stop in time, and it must say what was lost.
"""

import contextlib
import fcntl
import os
import re
import resource
import select
import signal
import socket
import subprocess
import termios
import time

from client import Client, expect, wait_until
from harness import STARTED, blocking, children, configuration, process_name
from stage import require, test

LOST = re.compile(r"(\d+) lines? of this log (?:was|were) lost")


def spoil(path):
    """Makes a configuration wrong, so that HUP changes nothing, and the supervisor says so."""
    with open(path, "w", encoding="utf-8") as file:
        file.write("wrong\n")


class Said:
    """A server whose standard error is what a test made of it."""

    def __init__(self, stage, err, read, options=None, **more):
        self.stage = stage
        self.text = ""
        known = {"listen": ["127.0.0.1:0"], "root": stage.site(a_txt=b"a"), "model": stage.model,
                 "workers": 2, "timeouts.drain": "2s", "timeouts.linger": "1s",
                 **blocking(stage.model, 4), **(options or {})}
        path = os.path.join(stage.setting.place("said"), "serve.conf")
        with open(path, "w", encoding="utf-8") as file:
            file.write(configuration(known))
        self.process = stage.setting.program("-c", path, stdout=subprocess.DEVNULL, stderr=err,
                                             **more)
        self.read = read
        try:
            wait_until("the start line", lambda: self.heard(STARTED), stage.seconds(10))
        except BaseException:
            self.kill()
            raise
        spoil(path)
        found = STARTED.search(self.text)
        self.address = (found[1], int(found[2]))

    def heard(self, pattern):
        while select.select([self.read], [], [], 0)[0]:
            more = os.read(self.read, 65536)
            if not more:
                break
            self.text += more.decode("utf-8", "replace")
        return pattern.search(self.text)

    def workers(self):
        return sorted(pid for pid in children(self.process.pid)
                      if process_name(pid).startswith("zcserve:w"))

    def served(self):
        with Client(self.address, self.stage.seconds(5)) as client:
            return client.get("/a.txt").content == b"a"

    def provoke(self):
        """Lines by the supervisor, and by all workers: these have no descriptors left."""
        for pid in self.workers():
            self.limit_files(pid, 8)
        self.process.send_signal(signal.SIGHUP)
        with contextlib.ExitStack() as stack:
            for _ in range(8):
                stack.enter_context(Client(self.address, self.stage.seconds(5)))
            time.sleep(0.2)  # a worker that is held up by its log cannot be seen otherwise
        for pid in self.workers():
            self.limit_files(pid, 1000)

    def limit_files(self, pid, count):
        self.stage.setting.limit(pid, resource.RLIMIT_NOFILE, count)

    def stop(self, seconds=6):
        began = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        try:
            code = self.process.wait(self.stage.seconds(seconds))
        except subprocess.TimeoutExpired:
            require(False, "TERM was not obeyed for %.1f s", time.monotonic() - began)
        expect("exit code", 0, code)

    def kill(self):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


@contextlib.contextmanager
def saying(stage, err, read, options=None, **more):
    server = Said(stage, err, read, options, **more)
    try:
        yield server
    finally:
        server.kill()


def fill(fd):
    """Fills it through a description of the test's own, so that the server's still waits."""
    own = os.open("/proc/self/fd/%d" % fd, os.O_WRONLY | os.O_NONBLOCK | os.O_NOCTTY)
    with contextlib.suppress(BlockingIOError):
        while True:
            os.write(own, b"x" * 4096)
    with contextlib.suppress(BlockingIOError):
        while True:
            os.write(own, b"x")
    os.close(own)


def goes_on(server):
    """With a log that takes nothing: lines are provoked, requests are answered."""
    server.provoke()
    wait_until("a request is served", server.served, server.stage.seconds(5))


def drained(read):
    """Takes all that is there."""
    while select.select([read], [], [], 0)[0] and os.read(read, 65536):
        pass


def own_by(stage, fd):
    if stage.setting.user is not None:
        os.fchown(fd, stage.setting.user, stage.setting.user)


def pipe_of(stage, allowed):
    """A pipe, which the server may open a second time, or not: it is another user's."""
    read, write = os.pipe()
    if allowed:
        own_by(stage, write)
    return read, write


def _pipe_full(allowed):
    def run(stage):
        read, write = pipe_of(stage, allowed)
        try:
            with saying(stage, write, read) as server:
                fill(write)
                goes_on(server)
                drained(read)
                server.process.send_signal(signal.SIGHUP)
                wait_until("it says how many were lost", lambda: server.heard(LOST),
                           stage.seconds(3))
                fill(write)
                require(not fcntl.fcntl(write, fcntl.F_GETFL) & os.O_NONBLOCK,
                        "the flags of a pipe that others write to were changed")
                server.stop()
        finally:
            os.close(read)
            os.close(write)
    return run


test("standard error is a full pipe of our own: served, stopped, lost lines told")(_pipe_full(True))
test("standard error is a full pipe of another user: served, stopped, lost lines told")(
    _pipe_full(False))


@test("standard error is a pipe whose reader is gone: served and stopped")
def pipe_gone(stage):
    for allowed in (True, False):
        read, write = pipe_of(stage, allowed)
        try:
            with saying(stage, write, read) as server:
                os.close(read)
                goes_on(server)
                server.stop()
        finally:
            os.close(write)


@test("standard error is a full socket: served, stopped, lost lines told")
def socket_full(stage):
    ours, theirs = socket.socketpair()
    with ours, theirs, saying(stage, theirs.fileno(), ours.fileno()) as server:
        with contextlib.suppress(BlockingIOError):
            while True:
                theirs.send(b"x" * 4096, socket.MSG_DONTWAIT)
        goes_on(server)
        drained(ours.fileno())
        server.process.send_signal(signal.SIGHUP)
        wait_until("it says how many were lost", lambda: server.heard(LOST), stage.seconds(3))
        require(not fcntl.fcntl(theirs, fcntl.F_GETFL) & os.O_NONBLOCK, "its flags were changed")
        server.stop()


def _terminal_stopped(allowed):
    def run(stage):
        read, terminal = os.openpty()
        try:
            if allowed:
                own_by(stage, terminal)
            with saying(stage, terminal, read) as server:
                termios.tcflow(terminal, termios.TCOOFF)
                goes_on(server)
                termios.tcflow(terminal, termios.TCOON)
                server.process.send_signal(signal.SIGHUP)
                wait_until("it says how many were lost", lambda: server.heard(LOST),
                           stage.seconds(3))
                termios.tcflow(terminal, termios.TCOOFF)
                server.stop()
        finally:
            os.close(terminal)
            os.close(read)
    return run


test("standard error is a stopped terminal of our own: served, stopped, lost lines told")(
    _terminal_stopped(True))
test("standard error is a stopped terminal of another user: served, stopped, lost lines told")(
    _terminal_stopped(False))


def fifo_of(stage):
    path = os.path.join(stage.setting.place("fifo"), "log")
    os.mkfifo(path)
    own = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    if stage.setting.user is not None:
        os.chown(path, stage.setting.user, stage.setting.user)
    os.close(own)
    return path


def reader_of(path):
    """Opened as a reader would, without waiting."""
    return os.open(path, os.O_RDONLY | os.O_NONBLOCK)


def text_of(fd):
    text = b""
    with contextlib.suppress(BlockingIOError):
        while more := os.read(fd, 65536):
            text += more
    return text.decode("utf-8", "replace")


@test("the error log is a FIFO: no reader at the start, one that leaves and returns, none at the end")
def error_fifo(stage):
    path = fifo_of(stage)
    read, write = os.pipe()
    options = {"error_log": path, "workers": 2, **blocking(stage.model, 4),
               "listen": ["unix:" + os.path.join(os.path.dirname(path), "socket")],
               "root": stage.site(a_txt=b"a"), "model": stage.model, "timeouts.drain": "2s"}
    conf = os.path.join(os.path.dirname(path), "serve.conf")
    with open(conf, "w", encoding="utf-8") as file:
        file.write(configuration(options))
    process = stage.setting.program("-c", conf, stdout=subprocess.DEVNULL, stderr=write)
    address = options["listen"][0][len("unix:"):]

    def served():
        with contextlib.suppress(OSError), Client(address, stage.seconds(5)) as client:
            return client.get("/a.txt").content == b"a"
        return False
    try:
        wait_until("it serves without a reader", served, stage.seconds(10))
        reader = reader_of(path)
        wait_until("the start line is waiting", lambda: "serving " in text_of(reader),
                   stage.seconds(3))
        os.close(reader)
        spoil(conf)
        for _ in range(2000):  # more than a FIFO has room for
            process.send_signal(signal.SIGHUP)
            process.send_signal(signal.SIGUSR1)
            time.sleep(0.0005)
        require(served(), "it does not serve while nobody reads")
        reader = reader_of(path)
        text_of(reader)
        process.send_signal(signal.SIGHUP)
        wait_until("lines for the reader that returned", lambda: "reload" in text_of(reader),
                   stage.seconds(3))
        os.close(reader)
        process.send_signal(signal.SIGTERM)
        expect("exit code", 0, process.wait(stage.seconds(6)))
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        os.close(read)
        os.close(write)


@test("the error log is a full FIFO: served and stopped")
def error_fifo_full(stage):
    path = fifo_of(stage)
    reader = reader_of(path)
    try:
        with saying_to(stage, reader, {"error_log": path}) as server:
            writer = os.open(path, os.O_WRONLY | os.O_NONBLOCK)
            fill(writer)
            goes_on(server)
            drained(reader)
            server.process.send_signal(signal.SIGHUP)
            wait_until("it says how many were lost", lambda: server.heard(LOST), stage.seconds(3))
            fill(writer)
            os.close(writer)
            server.stop()
    finally:
        os.close(reader)


@contextlib.contextmanager
def saying_to(stage, reader, options):
    with saying(stage, subprocess.DEVNULL, reader, options) as server:
        yield server


def numbers_of(text):
    return [int(number) for number in re.findall(r"/a\.txt\?(\d+) ", text)]


@test("the access log is a FIFO: no reader at the start, one that leaves and returns, none at the end")
def access_fifo(stage):
    path = fifo_of(stage)
    options = {"access_log": path, "log.interval": "20ms"}
    with stage.server(stage.site(a_txt=b"a"), options) as server:
        server.get("/a.txt?1")
        reader = reader_of(path)
        wait_until("the line waited for a reader", lambda: numbers_of(text_of(reader)) == [1],
                   stage.seconds(3))
        os.close(reader)
        filler = "x" * 2000
        with server.client() as client:
            for _ in range(2000):  # more than the FIFO, the sockets and the workers have room for
                client.get("/a.txt?0", "User-Agent: " + filler)
        server.signal(signal.SIGUSR1)
        reader, seen = reader_of(path), []

        def returned():
            server.get("/a.txt?2")
            seen.extend(numbers_of(text_of(reader)))
            return 2 in seen
        wait_until("lines for the reader that returned", returned, stage.seconds(5), step=0.02)
        os.close(reader)
        with server.client() as client:
            for _ in range(2000):
                client.get("/a.txt?3", "User-Agent: " + filler)
        server.signal(signal.SIGTERM)
        began = time.monotonic()
        expect("exit code", 0, server.wait(6))
        require(time.monotonic() - began < stage.seconds(5), "the stop took %.1f s",
                time.monotonic() - began)
        require("access log lines were lost" in "".join(server.lines), "it does not say what was lost")


@test("the access log is a FIFO that we may not read: without a reader the start fails, and says why",
      per_model=False)
def access_fifo_unreadable(stage):
    if stage.setting.user is None:
        return  # whoever made it may read it
    path = fifo_of(stage)
    os.chmod(path, 0o222)
    os.chown(path, 0, 0)
    for option in ("access_log", "error_log"):
        code, _, err = stage.setting.run("-p", "0", "-o", "%s=%s" % (option, path), stage.site())
        expect("exit code", 1, code)
        require(path in err and "nobody reads" in err, "it says %r", err)


@test("the access log is standard output, a full pipe: served, and stopped in time")
def access_stdout(stage):
    read, write = pipe_of(stage, False)
    err_read, err_write = os.pipe()
    try:
        fill(write)
        with saying_out(stage, write, err_write, err_read) as server:
            with Client(server.address, stage.seconds(5)) as client:
                for _ in range(300):
                    client.get("/a.txt", "User-Agent: " + "x" * 2000)
            server.stop()
            require(not fcntl.fcntl(write, fcntl.F_GETFL) & os.O_NONBLOCK, "flags were changed")
    finally:
        for fd in (read, write, err_read, err_write):
            os.close(fd)


@contextlib.contextmanager
def saying_out(stage, out, err, read):
    program = stage.setting.program

    class Other:
        """The setting, but for where standard output goes."""
        def __getattr__(self, name):
            return getattr(stage.setting, name)

        def program(self, *arguments, **more):
            more["stdout"] = out
            return program(*arguments, **more)
    other = type(stage)(Other(), stage.model)
    with saying(other, err, read, {"access_log": "-", "log.interval": "20ms"}) as server:
        yield server


# ---- files at their size limit -------------------------------------------------------------------

@test("files at their size limit (RLIMIT_FSIZE): nobody dies, requests go on, lost lines told")
def size_limit(stage):
    place = stage.setting.place("limit")
    access, errors = os.path.join(place, "access"), os.path.join(place, "errors")
    options = {"access_log": access, "error_log": errors, "log.interval": "20ms", "workers": 2}
    with stage.server(stage.site(a_txt=b"a"), options) as server:
        server.get("/a.txt")
        wait_until("a line", lambda: os.path.getsize(access) > 0, stage.seconds(3))
        spoil(server.configuration)
        everybody = [server.pid, *server.processes()]
        for pid in everybody:
            stage.setting.limit(pid, resource.RLIMIT_FSIZE,
                                min(os.path.getsize(access), os.path.getsize(errors)) + 10)
        for _ in range(50):
            server.get("/a.txt")
            server.signal(signal.SIGHUP)
        time.sleep(0.2)  # more than the interval: the recorder has tried
        expect("processes", server.children, server.processes())
        for pid in everybody:
            stage.setting.limit(pid, resource.RLIMIT_FSIZE, 1 << 30)

        def text(path):
            with open(path, encoding="utf-8") as file:
                return file.read()

        def told():
            server.signal(signal.SIGHUP)
            return LOST.search(text(errors))
        wait_until("the error log says how many were lost", told, stage.seconds(3))

        def whole():
            server.get("/a.txt?last")
            return "?last " in text(access) and "lines were lost" in text(errors)
        wait_until("the access log goes on", whole, stage.seconds(3))
        require("File too large" in text(errors) or "were lost" in text(errors), "nothing is said")


@test("signals that kill by default and that a server may meet end no process")
def signals(stage):
    met = (signal.SIGPIPE, signal.SIGXFSZ, signal.SIGHUP, signal.SIGTTOU)
    path = os.path.join(stage.setting.place("log"), "access")
    options = {"access_log": path, "status": "127.0.0.1:0", "workers": 2}
    with stage.server(stage.site(a_txt=b"a"), options) as server:
        spoil(server.configuration)
        for number in met:
            for pid in [server.pid, *server.processes()]:
                os.kill(pid, number)
        for _ in range(10):
            server.get("/a.txt")
        time.sleep(0.1)  # for one that dies late
        server.check()


@test("the size limit at the start: it is told, and it serves", per_model=False)
def size_limit_at_start(stage):
    place = stage.setting.place("limit")
    errors = os.path.join(place, "errors")
    with open(errors, "wb") as file:
        file.write(b"x" * 5000)
    os.chmod(errors, 0o666)
    run = subprocess.run(["prlimit", "--fsize=4096", stage.setting.binary, "-t", "-o",
                          "error_log=" + errors, stage.site()], capture_output=True, timeout=30)
    expect("exit code (%s)" % run.stderr, 0, run.returncode)
