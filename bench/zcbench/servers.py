"""Who is measured: each server's program, its full configuration, and how it starts and stops.

A server's name is its kind and what is particular to it: nginx+log writes an access log,
nginx+tuned is configured for the work, zcserve+uring uses the io_uring model (zcserve alone: the
epoll model).
"""

import getpass
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

from . import CannotRun, clients, counters

SERVER_CPU = 0
START_SECONDS_MAX = 10
STOP_SECONDS_MAX = 5
# sendfile and tcp_nopush: the documented advice is on and on. Of the other three combinations
# these were the cheapest in trials, and for most works cheaper than the advice.
NGINX_TUNED = {
    "small": ("off", "on"), "pipelined": ("off", "on"),
    "memory64k": ("on", "off"), "sendfile1m": ("on", "off"),
}


def port_find():
    """A port that is free now; the servers that cannot bind port 0 need it."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def programs_find(names, floor):
    """{kind: path} of the programs that these servers need and that are there."""
    top = Path(__file__).resolve().parents[2]
    path = os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin"
    wanted = {name.split("+")[0] for name in names}
    own = os.environ.get("ZCSERVE") or str(top / "build/release/zcserve")
    candidates = {"floor": floor, "zcserve": own, "nginx": "nginx"}
    found = {kind: shutil.which(candidates[kind], path=path) for kind in wanted}
    return {kind: os.path.abspath(program) for kind, program in found.items() if program}


def zcserve_configuration(port, root, log, options):
    options = {"cache_size": "64m", "model": "epoll", **options}
    return f"""\
listen = {{"127.0.0.1:{port}"}}
root = "{root}"
model = "{options['model']}"
workers = 1
connections = 16384
access_log = "{log}"
error_log = "stderr"
cache {{
    size = {options['cache_size']}
    file_max = 256k
}}
"""


def nginx_configuration(port, root, log, options):
    sendfile, nopush = options.get("sending", ("on", "on"))
    access_log = "off" if log == "off" else f"{log} combined buffer=32k flush=1s"
    return f"""\
user {getpass.getuser()};
daemon off;
worker_processes 1;
worker_rlimit_nofile {counters.descriptors_max()};
pid nginx.pid;
error_log stderr error;
events {{
    worker_connections 16384;
    multi_accept on;
}}
http {{
    access_log {access_log};
    sendfile {sendfile};
    tcp_nopush {nopush};
    tcp_nodelay on;
    keepalive_timeout 65s;
    keepalive_requests 1000000000;
    open_file_cache max=10000 inactive=60s;
    open_file_cache_valid 30s;
    open_file_cache_min_uses 1;
    open_file_cache_errors on;
    types {{ text/plain txt; }}
    charset utf-8;
    client_body_temp_path temporary;
    proxy_temp_path temporary;
    fastcgi_temp_path temporary;
    uwsgi_temp_path temporary;
    scgi_temp_path temporary;
    server {{
        listen 127.0.0.1:{port} reuseport backlog=4096;
        root {root};
    }}
}}
"""


class Server:
    """A server that runs in a directory of its own; use it in a with statement."""

    def __init__(self, name, program, root, path, work=None, **options):
        self.name = name
        self.kind, *particular = name.split("+")
        self.program, self.root, self.path, self.work = program, root, path, work
        self.port = port_find()
        self.directory = Path(tempfile.mkdtemp(prefix=f"zcbench-{self.kind}-"))
        self.log = str(self.directory / "access.log") if "log" in particular else "off"
        if "tuned" in particular:
            options["sending"] = NGINX_TUNED[work.name]
        if "uring" in particular:
            options["model"] = "io_uring"
        self.configuration = self._configuration(options)
        self.process = None
        self.spawned = self.answered = 0.0  # when, on the monotonic clock

    def _configuration(self, options):
        makers = {"zcserve": zcserve_configuration, "nginx": nginx_configuration}
        maker = makers.get(self.kind)
        return maker(self.port, self.root, self.log, options) if maker else ""

    def command(self):
        """The command line, and so for the floor its whole configuration."""
        conf = str(self.directory / "serve.conf")
        if self.kind == "zcserve":
            return [self.program, "-c", conf]
        if self.kind == "nginx":
            return [self.program, "-p", str(self.directory), "-c", conf]
        mode = self.work.floor_mode if self.work else "memory"
        return [self.program, str(self.port), mode, str(self.root) + self.path]

    def __enter__(self):
        (self.directory / "temporary").mkdir()
        (self.directory / "serve.conf").write_text(self.configuration)
        self.process_start()
        try:
            self.answer_await()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_):
        self.close()

    def process_start(self):
        """Starts it, on its CPU, in a session of its own so that Ctrl-C does not reach it."""
        with open(self.directory / "output", "wb") as output:
            self.spawned = time.monotonic()
            self.process = subprocess.Popen(
                self.command(), stdin=subprocess.DEVNULL, stdout=output, stderr=output,
                cwd=self.directory, start_new_session=True,
                preexec_fn=lambda: os.sched_setaffinity(0, {SERVER_CPU}))

    def answer_await(self):
        """Returns when it has answered a request with 200 and with what is in the file."""
        deadline = time.monotonic() + START_SECONDS_MAX
        expected = Path(str(self.root) + self.path).read_bytes()
        while not self.answered:
            try:
                if clients.fetch(self.port, self.path) != expected:
                    raise CannotRun(f"{self.name} answered {self.path} with something else")
                self.answered = time.monotonic()
            except OSError as error:
                if self.process.poll() is not None or time.monotonic() > deadline:
                    raise CannotRun(f"{self.name} does not serve: {error}\n"
                                    f"{self.output_tail()}") from error
                time.sleep(0.0002)

    def output_tail(self):
        lines = (self.directory / "output").read_text(errors="replace").splitlines()
        return "\n".join(f"    {line}" for line in lines[-8:])

    def pids(self):
        return counters.tree(self.process.pid)

    def alive_check(self, pids):
        """Raises when one of these processes is gone: what was measured is then worth nothing."""
        if self.process.poll() is not None or not set(pids) <= set(self.pids()):
            raise CannotRun(f"a process of {self.name} ended while measured\n{self.output_tail()}")

    def process_stop(self):
        """Asks it to end; after a while ends it and what it started, each by its id."""
        if self.process is None:
            return
        pids = self.pids()
        try:
            self.process.terminate()
            self.process.wait(STOP_SECONDS_MAX)
        except subprocess.TimeoutExpired:
            pass
        for pid in set(pids) & set(self.pids()):
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        self.process.wait()
        self.process = None

    def close(self):
        self.process_stop()
        shutil.rmtree(self.directory, ignore_errors=True)


def version(kind, program):
    """What the program says of itself."""
    if kind == "floor":
        return "bench/floor.c"
    option = {"nginx": "-v", "zcserve": "-V", "wrk": "-v", "perf": "--version"}[kind]
    said = subprocess.run([program, option], capture_output=True, text=True, errors="replace")
    lines = (said.stdout + said.stderr).strip().splitlines()
    return lines[0] if lines else "unknown"
