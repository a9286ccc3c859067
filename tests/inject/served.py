"""A server that runs with the injector: it is started, looked at from outside, and stopped."""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "integration"))

from client import Failure, wait_until  # noqa: E402
from harness import TROUBLE, children  # noqa: E402

KILLED = re.compile(r"was killed by signal (?!15|9)\d+")
SECONDS = 10
# Half of the models have one rule of Landlock for the site alone, so that it matters when this one cannot be made.
SANDBOX = {model: 'sandbox { directories = {"/usr/share"} }' for model in ("threadpool", "io_uring")}
USERS = 400  # each has the password of this hash, bcrypt-password
HASH = "$2y$04$abcdefghijklmnopqrstuuaid7y1Vp.GWT5I4qAWhkqYdTLkvVgQG"
OPTIONS = """
listen = "127.0.0.1:%(port)d"
root = "%(root)s"
model = %(model)s
workers = 2
access_log = "%(place)s/access.log"
status = "127.0.0.1:%(status)d"
cache { file_max = 64k
    recheck = 100ms }
compress { codings = {gz} }
listing = on
rule "/guarded/" { users = "%(place)s/users" }
site "other.test" { root = "%(root)s/deep" }
site "below-top.test" { root = "/usr" }
%(sandbox)s
prefork { start = 6
    spare_min = 1
    spare_max = 16
    processes = 16 }
threadpool { threads = 6 }
timeouts { head = 2s
    body = 2s
    idle = 4s
    send = 4s
    linger = 500ms
    drain = 3s }
"""


def ports_free():
    """Two ports on which nobody listens."""
    with socket.socket() as one, socket.socket() as other:
        for each in (one, other):
            each.bind(("127.0.0.1", 0))
        return one.getsockname()[1], other.getsockname()[1]


def is_open(port):
    with socket.socket() as asking:
        return asking.connect_ex(("127.0.0.1", port)) == 0


class Served:
    """A server under one model, with a site of its own. `ready` is false when it ended before it served."""

    def __init__(self, binary, library, board, model, site):
        self.place = tempfile.mkdtemp(prefix="zcserve-inject-")
        self.lines = []
        self.port, self.status_port = ports_free()
        with open(os.path.join(self.place, "users"), "w", encoding="utf-8") as file:
            os.fchmod(file.fileno(), 0o600)
            file.writelines("user%d:%s\n" % (i, HASH) for i in range(USERS))
        configuration = os.path.join(self.place, "serve.conf")
        with open(configuration, "w", encoding="utf-8") as file:
            file.write(OPTIONS % {
                "root": site, "model": model, "place": self.place, "sandbox": SANDBOX.get(model, ""),
                "port": self.port, "status": self.status_port})
        environment = dict(os.environ, LD_PRELOAD=library, INJECT_BOARD=board.path)
        for name in ("ASAN_OPTIONS", "UBSAN_OPTIONS"):
            environment[name] = "exitcode=99:halt_on_error=1:verify_asan_link_order=0:allocator_may_return_null=1"
        self.process = subprocess.Popen(
            [binary, "-c", configuration], env=environment, stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, start_new_session=True)
        self._said = threading.Condition()
        self._ended = self.listened = False
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self):
        for line in self.process.stderr:
            with self._said:
                self.lines.append(line.decode("utf-8", "replace"))
                self._said.notify_all()
        with self._said:
            self._ended = True
            self._said.notify_all()

    @property
    def text(self):
        return "".join(self.lines)

    def mark(self):
        """How many lines there are, for await_line()."""
        return len(self.lines)

    def await_line(self, pattern, after=0, seconds=SECONDS):
        """Waits for a line of the log: its match; None when the log ended, or nothing of it came."""
        def found():
            return next((m for m in map(re.compile(pattern).search, self.lines[after:]) if m), None)
        with self._said:
            self._said.wait_for(lambda: found() or self._ended, seconds)
            return found()

    def start(self):
        """Returns whether it listens. Else it has ended by itself, or hangs: see ended(). The log is not asked: its
        lines may be what fails."""
        def listens():
            return self.process.poll() is not None or all(map(is_open, (self.port, self.status_port)))
        try:
            wait_until("the ports", listens, SECONDS)
        except Failure:
            return False
        self.listened = self.process.poll() is None
        return self.listened

    def ended(self, seconds=SECONDS):
        """Waits for the end: the exit code, or None when it goes on."""
        try:
            code = self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            return None
        self._reader.join(seconds)
        return code

    def processes(self):
        return [self.process.pid, *children(self.process.pid)]

    def trouble(self, after=0):
        """What a sanitizer, an assertion or a crash has left in the log: its line, or None."""
        text = "".join(self.lines[after:])
        found = TROUBLE.search(text) or KILLED.search(text)
        return text[max(0, found.start() - 300):][:2000] if found else None

    def stop(self):
        """Stops it as an operator does: its exit code, or None when it had to be killed."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self.ended()

    def close(self):
        """Whatever is left of it goes."""
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
        else:
            try:
                os.killpg(self.process.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        shutil.rmtree(self.place, ignore_errors=True)


__all__ = ["Served", "Failure", "wait_until"]
