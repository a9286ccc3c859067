"""The servers that are measured: their programs, and how they start and stop.

The name of a server is its kind and what is particular to it: nginx+log writes an access log,
nginx+tuned is configured for the work, zcserve+uring uses the io_uring model.
"""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

from . import CannotRun, clients, counters, peers

TOP = Path(__file__).resolve().parents[2]
SERVER_CPU = 0
START_SECONDS_MAX = 10
STOP_SECONDS_MAX = 5
MODELS = ("epoll", "uring", "prefork", "threadpool")
PROGRAMS = {"apache": "apache2"}  # kinds whose program has another name


def port_find():
    """Returns a port that is free now: some servers cannot bind port 0."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def kind_of(name):
    """Returns the program for a server's name; 'floor+uring' is a program of its own."""
    return name if name.startswith("floor") else name.split("+")[0]


def programs_find(names):
    """Returns {kind: path} of the programs that these servers need and that are installed."""
    build = Path(os.environ.get("BUILD") or TOP / "build") / "release"
    path = os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin"
    own = {"zcserve": os.environ.get("ZCSERVE") or str(build / "zcserve"),
           "floor": str(build / "bench/floor"), "floor+uring": str(build / "bench/floor_uring")}
    kinds = {kind_of(name) for name in names}
    found = {kind: shutil.which(own.get(kind) or PROGRAMS.get(kind, kind), path=path)
             for kind in kinds}
    return {kind: os.path.abspath(program) for kind, program in found.items() if program}


class Server:
    """A server that runs in a directory of its own; use it in a with statement.

    `work` says what it is configured for and which request must be answered first.
    """

    def __init__(self, name, program, site, work, workers=1, **options):
        self.name, self.program, self.site, self.work = name, program, site, work
        self.kind = kind_of(name)
        self.workers = workers
        self.cpus = {SERVER_CPU} if workers == 1 else set(range(workers))
        self.root = site.root_of(work)
        self.port = port_find()
        self.directory = Path(tempfile.mkdtemp(prefix=f"zcbench-{self.kind}-"))
        self.directory.chmod(0o755)
        particular = name.split("+")[1:]
        log = str(self.directory / "access.log") if "log" in particular else "off"
        options = {**work.options, **options}
        options["compressed"] = work.requests == "site"
        options["listing"] = work.requests == "listing"
        options["many"] = self.root != site.root
        options["connections"] = work.connections
        options.update({"model": model for model in MODELS if model in particular})
        options["sites"] = "sites" in particular
        if "tuned" in particular:
            options["sending"] = work.nginx_tuned
        self.setup = peers.Setup(self.port, self.root, self.directory, log, workers, options)
        maker = peers.MAKERS.get(self.kind)
        self.configuration = maker(self.setup) if maker else ""
        self.process = None
        self.spawned = self.answered = 0.0  # when, on the monotonic clock

    def command(self):
        """Returns the command line; for the floors that is the complete configuration."""
        conf = str(self.directory / "serve.conf")
        return [self.program] + {
            "zcserve": ["-c", conf],
            "nginx": ["-p", str(self.directory), "-c", conf],
            "h2o": ["-c", conf],
            "lighttpd": ["-D", "-f", conf],
            "caddy": ["run", "--adapter", "caddyfile", "--config", conf],
            "apache": ["-D", "FOREGROUND", "-f", conf],
            "floor": [str(self.port), self.work.floor_mode, self.site.file_of(self.work)],
            "floor+uring": [str(self.port), self.site.file_of(self.work)],
        }[self.kind]

    def environment(self):
        """Returns the environment. Caddy's workers are threads of Go, and it keeps files in its home."""
        home = str(self.directory)
        return {**os.environ, "GOMAXPROCS": str(self.workers), "HOME": home,
                "XDG_DATA_HOME": home, "XDG_CONFIG_HOME": home}

    def __enter__(self):
        (self.directory / "temporary").mkdir(mode=0o755)
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
                cwd=self.directory, start_new_session=True, env=self.environment(),
                preexec_fn=lambda: os.sched_setaffinity(0, self.cpus))

    def answer_await(self):
        """Waits until it has answered a request of the work."""
        deadline = time.monotonic() + START_SECONDS_MAX
        while not self.answered:
            try:
                with clients.Connection(self.port) as connection:
                    connection.ask(self.site.first_path(self.work))
                self.answered = time.monotonic()
            except OSError as error:
                if self.process.poll() is not None or time.monotonic() > deadline:
                    raise CannotRun(f"{self.name} does not serve: {error}\n"
                                    f"{self.output_tail()}") from error
                time.sleep(0.0002)

    def output(self):
        return (self.directory / "output").read_text(errors="replace")

    def output_tail(self):
        return "\n".join(f"    {line}" for line in self.output().splitlines()[-8:])

    def pids(self):
        return counters.tree(self.process.pid)

    def alive_check(self, pids):
        """Raises CannotRun when one of these processes is gone: then the measurement is worth nothing."""
        if self.process.poll() is not None or not set(pids) <= set(self.pids()):
            raise CannotRun(f"a process of {self.name} ended while measured\n{self.output_tail()}")

    def process_stop(self):
        """Asks it to end. After a while kills it and the processes that it started, each by its id."""
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


VERSION_OPTIONS = {"caddy": "version", "nginx": "-v", "zcserve": "-V", "wrk": "-v", "h2o": "-v",
                   "lighttpd": "-v", "apache": "-v", "perf": "--version", "h2load": "--version",
                   "ab": "-V", "gnuplot": "--version"}


def version(kind, program):
    """Returns the version that the program prints."""
    if kind not in VERSION_OPTIONS:
        return f"bench/{Path(program).name}.c"
    said = subprocess.run([program, VERSION_OPTIONS[kind]], capture_output=True, text=True,
                          errors="replace")
    lines = (said.stdout + said.stderr).strip().splitlines()
    return lines[0] if lines else "unknown"
