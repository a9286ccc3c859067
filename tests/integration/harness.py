"""Starts a server for a test, says where it listens, and stops it by its process id.

A test fails when its server ends by itself, leaves a report of a sanitizer or an assertion on stderr,
or loses a process that no test killed. Nothing here sleeps for a fixed time where it can wait for an
event: a server is ready when its start line has been read.
"""

import contextlib
import os
import random
import re
import resource
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time

from client import Client, Failure, Skip, shown, wait_until

SECTION = re.compile(r"^([a-z_]+)\.([a-z_]+)$")
STARTED = re.compile(r"http://(\[[0-9a-fA-F:]+\]|[0-9.]+):(\d+)/|(unix:[^\s,;]+)")
TROUBLE = re.compile(r"Sanitizer|runtime error:|[Aa]ssertion|stack smashing|buffer overflow detected"
                     r"|the sandbox refused|free\(\):|malloc\(\):|double free|Segmentation")
HERE = os.path.dirname(os.path.abspath(__file__))
NO_MEMORY = "not enough memory may be locked"



# Ways to run a model that are tested as if they were models of their own.
VARIANTS = {
    "io_uring+options": ("io_uring", {
        "io_uring.gather": "10ms", "io_uring.sqpoll": "1ms", "io_uring.registered_files": "on",
        "io_uring.zero_copy": "1k", "io_uring.napi": "20us"}),
}


def models_of(binary):
    """The models to test, and why those of io_uring are not among them: None, or a reason."""
    if os.environ.get("MODELS"):
        return os.environ["MODELS"].split(","), None
    left_out = os.environ.get("MODELS_BUT", "").split(",")
    simple = [model for model in ("prefork", "threadpool", "epoll") if model not in left_out]
    tried = subprocess.run([binary, "-m", "io_uring", "-t", HERE], stdin=subprocess.DEVNULL,
                           stderr=subprocess.PIPE, text=True, check=False)
    if tried.returncode == 0:
        return simple + [model for model in ("io_uring", *VARIANTS) if model not in left_out], None
    return simple, tried.stderr.strip().partition("] ")[2] or "exit code %d" % tried.returncode


def blocking(model, at_once):
    """Models that serve a connection at a time need as many processes or threads as a test opens."""
    return {
        "prefork": {"prefork.start": at_once, "prefork.processes": at_once,
                    "prefork.spare_max": at_once},
        "threadpool": {"threadpool.threads": at_once},
    }.get(model, {})


def user_unused():
    """A user who runs nothing: memory that may be locked is shared by all that a user runs. These numbers
    are systemd's for users that last as long as a service."""
    used = set()
    for name in os.listdir("/proc"):
        if name.isdigit():
            with contextlib.suppress(OSError):
                used.add(os.stat("/proc/" + name).st_uid)
    numbers = range(61184, 65520)
    begin = random.randrange(len(numbers))
    return next(user for user in (*numbers[begin:], *numbers[:begin]) if user not in used)


def others_share():
    """How many times slower than alone a process is, by the processes that want a CPU; from 1 to 4."""
    busy = os.getloadavg()[0] / len(os.sched_getaffinity(0))
    return min(max(busy / 2, 1), 4)


class Setting:
    """What all tests share: the binary, a directory for everything made, how patient to be."""

    def __init__(self, binary):
        self.directory = tempfile.mkdtemp(prefix="zcserve-test-")
        os.chmod(self.directory, 0o755)
        self.user = None
        self.user_take()
        self.binary = os.path.join(self.directory, "zcserve")
        shutil.copy(binary, self.binary)
        os.chmod(self.binary, 0o755)
        shutil.copy(binary + "-tool", self.binary + "-tool")
        os.chmod(self.binary + "-tool", 0o755)
        self.slow = float(os.environ.get("SLOW") or (3 if self.is_sanitized() else 1) * others_share())
        self._names = iter(range(1 << 30))

    def user_take(self):
        """Root reads every file, and so could not show that some are refused."""
        if os.geteuid() == 0:
            self.user = user_unused()

    def is_sanitized(self):
        """Whether the server is built with a sanitizer, which takes memory and time of its own."""
        run = subprocess.run([self.binary, "-V"], stdin=subprocess.DEVNULL, capture_output=True,
                             text=True, timeout=30)
        return "-fsanitize" in run.stdout + run.stderr

    def place(self, name="place"):
        """A new directory that the server's user may write to."""
        path = os.path.join(self.directory, "%s-%d-%d" % (name, os.getpid(), next(self._names)))
        os.mkdir(path)
        if self.user is not None:
            os.chown(path, self.user, self.user)
        return path

    def user_alone(self):
        """A user that no other server has, where there may be several; for what users share."""
        return None if self.user is None else user_unused()

    def close(self):
        for top, directories, _ in os.walk(self.directory):
            for name in directories:
                path = os.path.join(top, name)
                if not os.path.islink(path):
                    os.chmod(path, 0o755)
        shutil.rmtree(self.directory)

    def program(self, *arguments, files=None, memlock=None, user=None, through=None, binary=None, **more):
        """Starts the binary, or a copy of it, as the server's user, in a process group of its own; `through` a
        script of the shell that becomes it, when there is one."""
        def limit():
            os.setpgid(0, 0)
            for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGHUP):  # ignored in a background job, and by nohup
                signal.signal(number, signal.SIG_DFL)
            if files:
                resource.setrlimit(resource.RLIMIT_NOFILE, (files, files))
            if memlock:
                resource.setrlimit(resource.RLIMIT_MEMLOCK, (memlock, memlock))
        if self.user is not None:
            user = user or self.user
            more.update(user=user, group=user, extra_groups=[])
        environment = dict(more.pop("env", os.environ))
        for name in ("ASAN_OPTIONS", "UBSAN_OPTIONS", "TSAN_OPTIONS"):
            environment[name] = "exitcode=99:halt_on_error=1:" + environment.get(name, "")
        shell = ["/bin/sh", "-c", through] if through else []
        return subprocess.Popen([*shell, binary or self.binary, *arguments], stdin=subprocess.DEVNULL,
                                env=environment, preexec_fn=limit, **more)

    def limit_files(self, pid, count):
        """Lowers the limit of a running process for good."""
        self.limit(pid, resource.RLIMIT_NOFILE, count, count)

    def limit(self, pid, kind, soft, hard=None):
        """Sets a limit of a running process, which only its own user may; the hard one stays.
        None: as the hard one."""
        child = os.fork()
        if child == 0:
            try:
                user = os.stat("/proc/%d" % pid).st_uid
                if self.user is not None:
                    os.setresgid(user, user, user)
                    os.setresuid(user, user, user)
                if hard is None:
                    hard = resource.prlimit(pid, kind)[1]
                resource.prlimit(pid, kind, (hard if soft is None else soft, hard))
                os._exit(0)
            finally:
                os._exit(1)
        if os.waitpid(child, 0)[1] != 0:
            raise Failure("cannot limit process %d" % pid)

    def run(self, *arguments, **more):
        """Runs the binary to its end: exit code, standard output, standard error."""
        with self.program(*arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          text=True, **more) as process:
            try:
                out, err = process.communicate(timeout=60 * self.slow)
            except subprocess.TimeoutExpired:
                process.kill()
                raise Failure("zcserve %s did not end" % " ".join(arguments)) from None
        return process.returncode, out, err


def configuration(options):
    """The text of a configuration file: {"root": …, "limits.head": 512, "listen": [...]}."""
    def line(name, value):
        if isinstance(value, (list, tuple)):
            return "%s = {%s}\n" % (name, ", ".join('"%s"' % item for item in value))
        return '%s = "%s"\n' % (name, value)
    text, sections = "", {}
    for name, value in options.items():
        match = SECTION.match(name)
        if name == "":  # sites and rules, as they are written
            text += value
        elif match:
            sections.setdefault(match[1], []).append(line(match[2], value))
        else:
            text += line(name, value)
    for name, lines in sections.items():
        text += "%s {\n%s}\n" % (name, "".join("    " + each for each in lines))
    return text


class Server:
    """A running server. Use it as `with Server(setting, model, root, options) as server:`."""

    def __init__(self, setting, model, root, options=None, files=None, watched=True,
                 at_once=32, through=None, memlock=None, user=None, binary=None, env=None, pass_fds=()):
        self.setting = setting
        self.at_once = at_once
        self.watched = watched  # whether losing a process is a failure
        self.name = (options or {}).get("server", "zcserve") or None
        self._etags = {}
        self.lines = []
        self.ended = False
        place = setting.place("server")
        self.configuration = os.path.join(place, "serve.conf")
        base, varied = VARIANTS.get(model, (model, {}))
        known = {"listen": ["127.0.0.1:0"], "root": root, "model": base, "workers": 1,
                 "timeouts.drain": "2s", "timeouts.linger": "1s"}
        known.update(blocking(model, at_once))
        known.update(varied)
        known.update(options or {})
        self._says_to = known.get("error_log")  # else standard error
        self.count = {"prefork": known.get("prefork.start"),
                      "threadpool": 1}.get(model, known["workers"])
        with open(self.configuration, "w", encoding="utf-8") as file:
            file.write(configuration(known))
        how = {"env": env} if env else {}
        self._start_patiently(files=files, through=through, memlock=memlock, user=user, binary=binary,
                              pass_fds=pass_fds, **how)

    def _start_patiently(self, **how):
        """Rings of servers that have ended are freed a little later, and other lanes have rings too."""
        deadline = time.monotonic() + self.seconds(10)
        while True:
            try:
                return self._start(**how)
            except Failure as failure:
                if NO_MEMORY not in str(failure) or how["memlock"]:  # the test's own limit is its own affair
                    raise
                if time.monotonic() > deadline:
                    raise Skip(NO_MEMORY + " (ulimit -l)") from failure
            time.sleep(0.2)

    def _start(self, **how):
        self.process = self.setting.program("-c", self.configuration, **how,
                                            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        self.addresses = []
        self._ready = threading.Event()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        if self._says_to:
            self._find_in_file()
        self._ready.wait(10 * self.setting.slow)
        if not self.addresses:
            self.kill()
            raise Failure("the server did not start: %s" % shown("".join(self.lines)))
        self.address = self.addresses[0]
        try:
            wait_until("the workers have begun", lambda: len(self.workers()) == self.count,
                       self.seconds(5))
        except Failure as failure:
            self.kill()
            raise Failure("%s: %s" % (failure, "".join(self.lines)[-2000:])) from None
        self.children = self.processes()

    def _read(self):
        for line in self.process.stderr:
            line = line.decode("utf-8", "replace")
            self.lines.append(line)
            if not self._ready.is_set():
                self._find_addresses(line)
        self._ready.set()

    def _find_in_file(self):
        def found():
            with contextlib.suppress(FileNotFoundError), open(self._says_to) as file:
                self._find_addresses(file.read())
            return self.addresses or self.process.poll() is not None
        wait_until("the start line in the error log", found, self.seconds(10))

    def _find_addresses(self, line):
        for host, port, unix in STARTED.findall(line):
            path = unix[len("unix:"):]
            if path.startswith("@"):  # abstract (unix(7))
                path = "\0" + path[1:]
            self.addresses.append(path if unix else (host.strip("[]"), int(port)))
        if self.addresses:
            self._ready.set()

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        if kind is None:
            self.stop()
            return
        self.kill()
        self.check_reports()  # the reason, where the test saw only a connection that broke

    @property
    def pid(self):
        return self.process.pid

    def seconds(self, seconds):
        """A wait, as long as this machine and build need."""
        return seconds * self.setting.slow

    def client(self, receive_bytes=None, timeout=5, address=None):
        return Client(address or self.address, self.seconds(timeout), receive_bytes)

    def get(self, target, *fields):
        """One request on a connection of its own."""
        with self.client() as client:
            return client.get(target, *fields)

    def etag(self, target, coding=""):
        """The entity-tag of a file, or of its sidecar in a content coding."""
        key = (target, coding)
        if key not in self._etags:
            fields = ["Accept-Encoding: " + coding] if coding else []
            answer = self.get(target, *fields)
            if answer.field("Content-Encoding") != (coding or None):
                raise Failure("no entity-tag of %s %s: %r" % (target, coding, answer.head))
            self._etags[key] = answer.field("ETag") or "none"
        return self._etags[key]

    def processes(self):
        """The server's child processes."""
        return children(self.pid)

    def workers(self):
        """Those children that serve."""
        return sorted(pid for pid in self.processes() if process_name(pid).startswith("zcserve:w"))

    def process_named(self, name):
        """The child of this name. It may begin a little after the workers."""
        def found():
            return next((pid for pid in self.processes() if process_name(pid) == name), None)
        return wait_until("a process " + name, found, self.seconds(5))

    def recorder(self):
        """The child that writes the access log."""
        return self.process_named("zcserve:r")

    def check(self):
        """Fails when a process was lost or something was reported."""
        self.check_reports()
        text = "".join(self.lines)
        if self.process.poll() is not None and not self.ended:
            raise Failure("the server ended with %d: %s" % (self.process.returncode, text[-2000:]))
        if self.watched and not self.ended and self.has_lost():
            if NO_MEMORY in text:  # of all that this user runs
                raise Skip(NO_MEMORY + " (ulimit -l)")
            raise Failure("the server lost a process: %s" % shown(text[-2000:]))

    def has_lost(self):
        """Looks twice more when the kernel's list is not as it was."""
        return children_listed(self.pid) != self.children and self.processes() != self.children

    def check_reports(self):
        text = "".join(self.lines)
        found = TROUBLE.search(text)
        if found:
            raise Failure("the server reported:\n%s" % text[max(0, found.start() - 500):][:4000])

    def signal(self, number):
        self.process.send_signal(number)

    def wait(self, seconds):
        """Waits for the end: the exit code."""
        self.ended = True
        try:
            code = self.process.wait(self.seconds(seconds))
        except subprocess.TimeoutExpired:
            self.kill()
            raise Failure("the server did not end within %.1f s" % self.seconds(seconds)) from None
        self._reader.join(self.seconds(5))
        return code

    def stop(self):
        """Ends it by TERM. It must end in time, with exit code 0."""
        try:
            if not self.ended:
                self.check()
                self.signal(signal.SIGTERM)
                code = self.wait(8)
                if code != 0:
                    raise Failure("exit code %d: %s" % (code, shown("".join(self.lines)[-2000:])))
            self.check()
        finally:
            self.kill()

    def kill(self):
        """Whatever is left of it, at once. The group is the server's own."""
        self.ended = True
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self._reader.join(self.seconds(5))


def children_listed(pid):
    """The processes that a process of one thread has started, as one look at the kernel's list has them. Where one
    of them ends just then, others may be missing (proc(5))."""
    with contextlib.suppress(OSError), open("/proc/%d/task/%d/children" % (pid, pid), "rb") as file:
        return {int(child) for child in file.read().split()}
    return set()


def children(pid):
    """Those of two looks: so none is missing when one of them ends."""
    return children_listed(pid) | children_listed(pid)


def cpu_seconds(pid):
    """Processor time that the threads of a process have used; but not that of a kernel's thread which looks for
    submissions (io_uring.sqpoll, iou-sqp-…): it turns for a while after each, as it was asked to."""
    ticks = 0
    for task in os.listdir("/proc/%d/task" % pid):
        with contextlib.suppress(OSError), open("/proc/%d/task/%s/stat" % (pid, task)) as file:
            name, fields = file.read().rsplit(")", 1)
            if "(iou-sqp" not in name:
                fields = fields.split()
                ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def files_open(pid):
    """What the descriptors of a process are: {number: text}."""
    found = {}
    for name in os.listdir("/proc/%d/fd" % pid):
        with contextlib.suppress(OSError):
            found[int(name)] = os.readlink("/proc/%d/fd/%s" % (pid, name))
    return found


def connections_established():
    """The TCP sockets of connections that are open at both ends as far as the kernel knows, named as
    files_open() names them (proc_net_tcp.rst of the kernel: the states, the column of the inode)."""
    found = set()
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        with contextlib.suppress(FileNotFoundError), open(table) as lines:
            rows = [line.split() for line in lines][1:]
            found.update("socket:[%s]" % row[9] for row in rows if row[3] == "01")
    return found


def process_name(pid):
    """What the kernel calls it; empty when it has ended."""
    with contextlib.suppress(OSError), open("/proc/%d/comm" % pid, "rb") as file:
        return file.read().strip().decode("utf-8", "replace")
    return ""


def state_of(pid):
    """The letter of proc(5) for the state of a process; "X" when there is none."""
    with contextlib.suppress(OSError), open("/proc/%d/stat" % pid, "rb") as file:
        return file.read().rsplit(b")", 1)[1].split()[0].decode()
    return "X"


def is_running(pid):
    """Not when it has ended, though nobody may have taken notice: in a container the first process is often
    one that does not wait for orphans."""
    return state_of(pid) not in "ZX"


def halt(pid):
    """Stops a process by a signal, and waits until it has stopped. A ring that sleeps until then may still
    accept a connection between the signal and the stop, and would keep it."""
    os.kill(pid, signal.SIGSTOP)
    wait_until("the stop", lambda: state_of(pid) == "T", 10)


def threads_run(functions):
    """Runs all at once; the first failure is raised when all have ended."""
    failures = []

    def run(function):
        try:
            function()
        except Exception as failure:  # pylint: disable=broad-except
            failures.append(failure)
    threads = [threading.Thread(target=run, args=(function,)) for function in functions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]


def port_is_closed(address):
    """True when nobody listens there any more."""
    with socket.socket(socket.AF_INET) as probe:
        return probe.connect_ex(address) != 0


def has_ipv6():
    """Containers often have no IPv6, not even on loopback."""
    with contextlib.suppress(OSError), socket.socket(socket.AF_INET6) as probe:
        probe.bind(("::1", 0))
        return True
    return False


def descriptors_or_skip(count):
    """At the beginning of a test whose server needs so many."""
    if resource.getrlimit(resource.RLIMIT_NOFILE)[1] < count:
        raise Skip("it takes %d descriptors (ulimit -n)" % count)


def ipv6_or_skip():
    """At the end of a test that has made the rest without."""
    if not has_ipv6():
        raise Skip("there is no IPv6 here; the rest of it holds")
