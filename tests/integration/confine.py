"""The sandbox: a process that tries what it should not be able to do is refused, and everything else goes on.

confine_trial.c is loaded into the server as it is shipped, and tries everything in a process when that gets a
signal. That the sandbox takes away nothing that is needed is what all other tests show: they run with it, and fail
when the server says that a call was refused (TROUBLE in harness.py).
"""

import base64
import contextlib
import ctypes
import errno
import gzip
import json
import os
import re
import signal
import subprocess
import time
import urllib.request

from client import Skip, expect, wait_until
from harness import files_open, process_name
from stage import require, test

TRIAL = signal.SIGRTMIN + 4
SOURCE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "confine_trial.c")
SAID = re.compile(r"^trial (\d+) (.+): (\d+)$", re.M)

# What the filter of system calls refuses because of the arguments; any other call is one that it does not know.
BY_ARGUMENTS = {"open to write", "open to create", "open nameless", "log loses O_APPEND", "fork", "clone a name space",
                "tgkill", "setrlimit", "prctl", "ioctl", "mprotect to execute", "mmap to execute", "ring register",
                "connect", "connect to an address"}
BY_LANDLOCK = {"open outside", "openat2 outside", "openat2 directory /", "openat2 to write", "openat2 to create"}
BY_RING = {"ring openat", "ring unlinkat", "ring write", "ring socket"}
# Refused to workers without a ring; else what is tried fails because it is no socket.
BY_MODEL = {"shutdown of a listener", "shutdown of a listener both ways"}
ALLOWED = {"open inside", "openat2 inside", "end"}


def expected(name, ring):
    """The errno with which a worker fails, and 0 for what it may do."""
    if name in ALLOWED:
        return 0
    if name == "send by fast open" or name in BY_MODEL:
        return errno.EPERM if name in BY_MODEL and not ring else errno.ENOTSOCK
    if name in BY_LANDLOCK or name in BY_RING:
        return errno.EACCES
    return errno.EPERM if name in BY_ARGUMENTS else errno.ENOSYS


def trial_make(stage):
    """Compiles what is loaded before the server."""
    path = os.path.join(stage.setting.place("trial"), "trial.so")
    made = subprocess.run([*os.environ.get("CC", "cc").split(), "-shared", "-fPIC", "-o", path, SOURCE, "-luring", "-ldl"],
                          capture_output=True, text=True, check=False)
    require(made.returncode == 0, "the trial does not compile: %s", made.stderr)
    return path


class Trial:
    """A server in whose processes everything can be tried."""

    def __init__(self, stage, options=None, filtered=None, enters=None, **more):
        if stage.setting.is_sanitized():  # nothing may be loaded before it
            raise Skip("a sanitizer needs more than the sandbox allows")
        self.stage = stage
        root = stage.site(a_txt=b"12345")
        self.outside = os.path.join(stage.setting.place("outside"), "secret")
        with open(self.outside, "w", encoding="utf-8") as file:
            file.write("secret")
        env = dict(os.environ, LD_PRELOAD=trial_make(stage), TRIAL_ROOT=root, TRIAL_OUTSIDE=self.outside)
        if filtered:
            env["TRIAL_FILTER"] = filtered
        if enters is not None:  # then files alone are tried: nothing else is forbidden
            env["TRIAL_FILES_ALONE"] = "1"
        if enters:
            options = {**(options or {}), "sandbox.chroot": os.path.dirname(root)}
        self.root = root
        self.server = stage.server(root, options, env=env, at_once=1, **more)
        self.server.check_reports = self._check_reports
        if "this build is observed" in self.said():
            self.server.kill()
            raise Skip("a sanitizer needs more than the sandbox allows")

    def _check_reports(self):
        """Refusals are what is wanted here, so they are no trouble."""

    def __enter__(self):
        self.server.__enter__()
        return self

    def __exit__(self, *how):
        return self.server.__exit__(*how)

    def said(self):
        return "".join(self.server.lines)

    def worker(self):
        """The only process that serves. It has answered, so it is confined: until then it could do what is tried."""
        expect("content", b"12345", self.server.get("/a.txt").content)
        return self.server.workers()[0]

    def results(self, pid):
        """What the process reports: {name: errno}."""
        os.kill(pid, TRIAL)
        wait_until("the process has tried everything", lambda: "trial %d end: 0" % pid in self.said(),
                   self.stage.seconds(60))
        return {name: int(error) for who, name, error in SAID.findall(self.said()) if int(who) == pid}


def confined(server, pid, line="Seccomp:\t2"):
    """The process, once it has given up system calls: until then it could do, and would do, what the trial tries."""
    def is_confined():
        with open("/proc/%d/status" % pid, encoding="utf-8") as file:
            return line in file.read()
    wait_until("process %d is confined" % pid, is_confined, server.seconds(10))
    return pid


def landlock_works(trial):
    return "sandbox.files is left out" not in trial.said()


@test("a worker that tries is refused: files, network, processes, privileges, memory, ring")
def worker_tries(stage):
    with Trial(stage) as trial:
        if not landlock_works(trial):
            raise Skip("this kernel has no Landlock")
        results = trial.results(trial.worker())
        expect("what is refused, and how", {name: expected(name, stage.is_ring()) for name in results}, results)
        require(len(results) > 55, "only %d things were tried", len(results))
        require(not stage.is_ring() or BY_RING <= set(results), "the ring was not tried")
        expect("it serves as before", b"12345", trial.server.get("/a.txt").content)
        require("the sandbox refused the system call" in trial.said(), "nothing was logged")
        expect("nothing was made", ["a.txt"], os.listdir(trial.root))


@test("each refusal is logged once")
def logged_once(stage):
    with Trial(stage) as trial:
        worker = trial.worker()
        trial.results(worker)
        os.kill(worker, TRIAL)
        wait_until("it has tried again", lambda: trial.said().count("trial %d end: 0" % worker) == 2, stage.seconds(10))
        expect("lines about execve", 1, trial.said().count("refused the system call execve "))


@test("the recorder opens no file and serves no purpose but its own")
def recorder_tries(stage):
    log = os.path.join(stage.setting.place("log"), "access.log")
    with Trial(stage, {"access_log": log}) as trial:
        results = trial.results(confined(trial.server, trial.server.recorder()))
        require(all(error != 0 for name, error in results.items() if name not in ("end", "open inside")),
                "it could do: %s", [name for name, error in results.items() if error == 0])
        trial.server.get("/a.txt")
    with open(log, encoding="utf-8") as file:
        expect("lines", 1, len(file.readlines()))


@test("a worker holds neither the access log nor what the recorder receives from others")
def log_is_held_by_recorder(stage):
    log = os.path.join(stage.setting.place("log"), "access.log")
    with stage.server(stage.site(a_txt=b"12345"), {"access_log": log, "log.interval": "1ms"}, at_once=1) as server:
        server.get("/a.txt")
        # it is confined once it has closed what is not its own
        recorder = list(files_open(confined(server, server.recorder(), "NoNewPrivs:\t1")).values())
        worker = list(files_open(server.workers()[0]).values())
        expect("the recorder has the log", 1, recorder.count(log))
        expect("the worker has the log", 0, worker.count(log))
        shared = {each for each in recorder if each.startswith("socket:")} & set(worker)
        expect("sockets of both", set(), shared)


@test("the status process changes nothing, and can read only what its user can")
def status_tries(stage):
    with Trial(stage, {"status": "127.0.0.1:0"}) as trial:
        results = trial.results(confined(trial.server, trial.server.process_named("zcserve:s")))
        could = {name for name, error in results.items() if error == 0}
        expect("what it could do", {"end", "open inside", "open outside"}, could)
        expect("a connection by a send", errno.EPERM, results["send by fast open"])


@test("each part of the sandbox refuses by itself")
def parts(stage):
    with Trial(stage, {"sandbox.calls": "off"}) as trial:
        if not landlock_works(trial):
            raise Skip("this kernel has no Landlock")
        results = trial.results(trial.worker())
        for name in ("open outside", "openat2 outside", "open to write", "open to create", "unlink", "mkdir", "rename"):
            require(results[name] in (errno.EACCES, errno.EXDEV), "Landlock: %s: %d", name, results[name])
        for name in ("setuid", "mount", "chroot"):
            expect("without privileges: " + name, errno.EPERM, results[name])
    with Trial(stage, {"sandbox.files": "off"}) as trial:
        results = trial.results(trial.worker())
        for name in ("open to write", "open to create", "unlink", "socket inet", "execve", "kill"):
            require(results[name] in (errno.EPERM, errno.ENOSYS), "seccomp: %s: %d", name, results[name])
        expect("a file outside, without Landlock", 0, results["open outside"])


@test("the sandbox can be switched off")
def switched_off(stage):
    off = {"sandbox.%s" % part: "off" for part in ("privileges", "files", "calls", "rings")}
    with stage.server(stage.site(a_txt=b"a"), off, at_once=1) as server:
        expect("a file", b"a", server.get("/a.txt").content)
        with open("/proc/%d/status" % server.workers()[0], encoding="utf-8") as file:
            status = file.read()
        require("Seccomp:\t0" in status and "NoNewPrivs:\t0" in status, "%s", status)


# ---- the user ---------------------------------------------------------------------------------


def ids(pid):
    with open("/proc/%d/status" % pid, encoding="utf-8") as file:
        text = file.read()

    def of(name):
        return re.search(r"^%s:\s*(.*)$" % name, text, re.M)[1].split()
    return {name: of(name) for name in ("Uid", "Gid", "Groups", "CapEff", "CapPrm", "CapBnd")}


@contextlib.contextmanager
def as_root(stage):
    """Servers are started by root, as by a service manager without User=."""
    if os.geteuid() != 0:
        raise Skip("only root can become another user")
    user, stage.setting.user = stage.setting.user, None
    try:
        yield user
    finally:
        stage.setting.user = user


def open_site(stage):
    """A site that everybody can read."""
    root = stage.site(a_txt=b"12345")
    os.chmod(os.path.dirname(root), 0o755)
    os.chmod(root, 0o755)
    return root


def expect_user(server, user, group):
    for pid in server.processes():
        found = ids(confined(server, pid, "NoNewPrivs:\t1"))
        expect("user of %s" % process_name(pid), [str(user)] * 4, found["Uid"])
        expect("group of %s" % process_name(pid), [str(group)] * 4, found["Gid"])
        for name in ("CapEff", "CapPrm", "CapBnd"):
            expect("%s of %s" % (name, process_name(pid)), 0, int(found[name][0], 16))


@test("started by root: processes become nobody, without capabilities, and end with the supervisor")
def becomes_nobody(stage):
    with as_root(stage):
        log = os.path.join(stage.setting.place("log"), "access.log")
        with stage.server(open_site(stage), {"access_log": log, "status": "127.0.0.1:0"}, at_once=1) as server:
            expect("a file", b"12345", server.get("/a.txt").content)
            expect_user(server, 65534, 65534)
            capabilities = int(ids(server.pid)["CapPrm"][0], 16)
            require(not capabilities >> 21 & 1, "the supervisor has CAP_SYS_ADMIN")
            children, server.watched = server.processes(), False
            os.kill(server.pid, signal.SIGKILL)
            server.process.wait()
            server.ended = True
            wait_until("all have ended", lambda: not any(os.path.exists("/proc/%d/exe" % pid) and process_name(pid)
                                                         for pid in children), stage.seconds(5))


@test("started by root: user and group by name and by number")
def becomes_named(stage):
    with as_root(stage):
        for named, user, group in (("daemon", 1, 1), ("daemon:bin", 1, 2), ("61000:61001", 61000, 61001)):
            with stage.server(open_site(stage), {"user": named}, at_once=1) as server:
                expect("a file", b"12345", server.get("/a.txt").content)
                expect_user(server, user, group)


@test("started by root: logs that only root can write are opened anew at USR1, and after a reload")
def logs_of_root(stage):
    with as_root(stage):
        place = stage.setting.place("logs")
        os.chmod(place, 0o700)
        access, error = os.path.join(place, "access.log"), os.path.join(place, "error.log")
        options = {"access_log": access, "error_log": error, "log.interval": "1ms", "log_level": "debug"}
        with stage.server(open_site(stage), options, at_once=2) as server:
            for name in (access, error):
                os.rename(name, name + ".1")
            os.kill(server.pid, signal.SIGUSR1)
            wait_until("both are opened anew", lambda: os.path.exists(access) and os.path.exists(error), stage.seconds(5))
            os.rename(access, access + ".2")
            os.kill(server.pid, signal.SIGUSR1)
            wait_until("once more", lambda: os.path.exists(access), stage.seconds(5))

            def logged():
                server.get("/a.txt")
                time.sleep(0.01)
                return os.path.getsize(access) > 0
            wait_until("lines go to the new file", logged, stage.seconds(5))
            os.kill(server.pid, signal.SIGHUP)

            def reloaded():
                with open(error, encoding="utf-8") as file:
                    return "serving" in file.read()
            wait_until("the reload", reloaded, stage.seconds(10))
            expect("after the reload", b"12345", server.get("/a.txt").content)
            server.children = server.processes()
            server.watched = False


@test("started by root: a root that nobody can read is served as root, with a warning; a named user is an error")
def unreadable_root(stage):
    with as_root(stage):
        root = open_site(stage)
        os.chmod(os.path.dirname(root), 0o700)
        with stage.server(root, at_once=1) as server:
            expect("a file", b"12345", server.get("/a.txt").content)
            expect("user", ["0"] * 4, ids(server.workers()[0])["Uid"])
            expect("capabilities", 1 << 2, int(ids(server.workers()[0])["CapEff"][0], 16))  # CAP_DAC_READ_SEARCH
            require("serving as root" in "".join(server.lines), "no warning: %s", server.lines)
        path = os.path.join(stage.setting.place("conf"), "serve.conf")
        with open(path, "w", encoding="utf-8") as file:
            file.write('root = "%s"\nuser = "daemon"\nlisten = "127.0.0.1:0"\n' % root)
        code, _, err = stage.setting.run("-c", path)
        expect("exit code", 78, code)
        require("serve.conf:2: user: 'daemon' cannot read" in err, "%s", err)
        with open(path, "w", encoding="utf-8") as file:
            file.write('root = "%s"\nuser = "nobody-at-all"\nlisten = "127.0.0.1:0"\n' % root)
        code, _, err = stage.setting.run("-c", path)
        expect("exit code", 78, code)
        require("serve.conf:2: user: 'nobody-at-all' is no user" in err, "%s", err)


def expect_lines(trial, count, words):
    expect("lines that say %r" % words, count, trial.said().count(words))


@test("below a filter that forbids to give up capabilities, it serves, and says so in one line")
def filter_outside(stage):
    with as_root(stage):
        with Trial(stage, filtered="capset") as trial:
            expect("a file", b"12345", trial.server.get("/a.txt").content)
            expect_lines(trial, 1, "sandbox.privileges: capabilities are kept: a filter of system calls forbids capset")


@test("a root that may not become another user serves as root, and says why")
def user_is_no_choice(stage):
    with as_root(stage):
        with Trial(stage, filtered="setgroups") as trial:
            expect("a file", b"12345", trial.server.get("/a.txt").content)
            expect_lines(trial, 1, "serving as root")
            expect_lines(trial, 1, "may not become the user 'nobody': it needs CAP_SETUID")


# ---- chroot -----------------------------------------------------------------------------------


def put(directory, name, content):
    """Writes a file at once, as a deploy does, so that everybody can read it."""
    path = os.path.join(directory, name)
    with open(path + ".new", "wb") as file:
        file.write(content)
    os.chmod(path + ".new", 0o644)
    os.rename(path + ".new", path)


def directories_of(pid):
    """The directories that a process holds open, by the names that the test sees."""
    held = ["/proc/%d/cwd" % pid] + ["/proc/%d/fd/%s" % (pid, name) for name in os.listdir("/proc/%d/fd" % pid)]
    return [os.readlink(name) for name in held if os.path.isdir(name)]


def is_watched(pid, path):
    """Whether an inotify instance of the process watches the directory (proc(5): /proc/PID/fdinfo)."""
    wanted = " ino:%x " % os.stat(path).st_ino
    for name in os.listdir("/proc/%d/fdinfo" % pid):
        with contextlib.suppress(FileNotFoundError), open("/proc/%d/fdinfo/%s" % (pid, name), encoding="utf-8") as file:
            if any(line.startswith("inotify ") and wanted in line for line in file):
                return True
    return False


@test("chroot: what is outside is not there, even without Landlock and seccomp, and no open directory leads out")
def chroot_tries(stage):
    with as_root(stage):
        options = {"sandbox.files": "off", "sandbox.calls": "off", "sandbox.rings": "off"}
        for enters in (False, True):
            with Trial(stage, options, enters=enters) as trial:
                place, worker = os.path.dirname(trial.root), trial.worker()
                held = directories_of(worker)
                results = trial.results(worker)
                expect("a file outside", errno.ENOENT if enters else 0, results["open outside"])
                expect("the same by openat2", errno.ENOENT if enters else 0, results["openat2 outside"])
                expect("chroot once more", errno.EPERM, results["chroot"])
                expect("its /", place if enters else "/", os.readlink("/proc/%d/root" % worker))
                require(trial.root in held, "the root is not open: %s", held)
                inside = [each for each in held if each == place or each.startswith(place + "/")]
                require(not enters or inside == held, "directories outside are open: %s", held)


@test("chroot: the status process sees /proc and what the workers see, and shows as much as without it")
def chroot_status(stage):
    with as_root(stage):
        with Trial(stage, {"status": "127.0.0.1:0"}, enters=True) as trial:
            trial.worker()
            pid = confined(trial.server, trial.server.process_named("zcserve:s"))
            expect("its /", "/proc", os.readlink("/proc/%d/root" % pid))
            address = re.search(r"status at http://([\d.:]+)/", trial.said())[1]
            with urllib.request.urlopen("http://%s/status.json?processes=1" % address, timeout=10) as answer:
                found = json.load(answer)["processes"]
            require({each["name"] for each in found} >= {"worker", "supervisor"}, "%s", found)
            for each in found:
                names = ["resident_bytes", "threads"]
                if each["name"] == "worker":  # of the supervisor, whose user is another one, they are not to be had
                    names += ["descriptors", "proportional_bytes"]
                for name in names:
                    require(each[name], "no %s: %s", name, each)
            results = trial.results(pid)
            expect("a file outside", errno.ENOENT, results["open outside"])
            expect("what it could do", {"end"}, {name for name, error in results.items() if error == 0})


class ChrootSite:
    """A deploy whose root is behind a link, with a file that needs a password; and logs of root outside of it."""

    def __init__(self, stage):
        self.place = stage.setting.place("srv")
        os.chmod(self.place, 0o755)
        for number in range(3):
            directory = os.path.join(self.place, "releases", str(number), "sub")
            os.makedirs(directory)
            put(os.path.dirname(directory), "a.txt", b"release %d" % number)
            put(directory, "b.css", b"b" * 5000)
            put(directory, "big.bin", b"x" * 3000000)
        os.symlink("releases/0", os.path.join(self.place, "current"))
        self.root = os.path.join(self.place, "current")
        logs = stage.setting.place("logs")
        os.chmod(logs, 0o700)
        self.access, self.error = os.path.join(logs, "access.log"), os.path.join(logs, "error.log")
        crypt = ctypes.CDLL("libcrypt.so.1").crypt
        crypt.restype = ctypes.c_char_p
        put(logs, "users", b"u:%s\n" % crypt(b"p", b"$2b$04$abcdefghijklmnopqrstuu"))
        self.options = {"sandbox.chroot": self.place, "access_log": self.access, "error_log": self.error,
                        "log.interval": "1ms", "cache.recheck": "1h", "compress.codings": ["gz"],
                        "": 'rule "/sub/big.bin" { users = "%s" }\n' % os.path.join(logs, "users")}

    def expect(self, server, number):
        """Everything is served as without chroot: `number` is the release."""
        sub = os.path.join(self.place, "releases", str(number), "sub")
        expect("a file", b"release %d" % number, server.get("/a.txt").content)

        def packed():
            return server.get("/sub/b.css", "Accept-Encoding: gzip")
        wait_until("it is compressed", lambda: packed().field("Content-Encoding") == "gzip", server.seconds(10))
        expect("compressed", b"b" * 5000, gzip.decompress(packed().content))
        for password, status in (("p", 200), ("q", 401)):
            pair = base64.b64encode(b"u:" + password.encode()).decode()
            expect("password " + password, status, server.get("/sub/big.bin", "Authorization: Basic " + pair).status)
        put(sub, "c.txt", b"one")
        expect("a new file", b"one", server.get("/sub/c.txt").content)
        put(sub, "c.txt", b"another")
        expect("a file that was changed", b"another", server.get("/sub/c.txt").content)
        require(any(is_watched(pid, sub) for pid in server.workers()), "the directory is not watched")


@test("chroot: files, changes, compression, passwords, logs, deploys and reloads are as without it")
def chroot_serves(stage):
    if stage.setting.is_sanitized():  # it looks for leaks in /proc at the end
        raise Skip("a sanitizer needs more than is there inside")
    with as_root(stage):
        site = ChrootSite(stage)
        with stage.server(site.root, site.options, at_once=1) as server:
            site.expect(server, 0)
            link_switch(site.place, 1)
            site.expect(server, 1)
            os.rename(site.access, site.access + ".1")
            os.kill(server.pid, signal.SIGUSR1)
            wait_until("the log is opened anew", lambda: os.path.exists(site.access), stage.seconds(5))
            before = server.processes()
            os.kill(server.pid, signal.SIGHUP)
            wait_until("the processes are others", lambda: server.processes() and not before & server.processes(),
                       stage.seconds(10))
            link_switch(site.place, 2)
            site.expect(server, 2)
            expect("its /", site.place, os.readlink("/proc/%d/root" % server.workers()[0]))
            wait_until("lines go to the new file", lambda: os.path.getsize(site.access) > 0, stage.seconds(5))
            server.watched = False
            server.children = server.processes()
        with open(site.error, encoding="utf-8") as file:
            lines = file.read()
        require("cannot" not in lines and " refused " not in lines and "/proc is not mounted" not in lines, "%s", lines)


@test("chroot: what cannot be entered, or does not have the roots, is an error of the configuration", per_model=False)
def chroot_refused(stage):
    root = open_site(stage)
    place = os.path.dirname(root)
    os.symlink(root, os.path.join(place, "away"))
    os.mkdir(root + "2")

    def said(directory, of=root, *more, user=None):
        code, _, err = stage.setting.run("-t", "-p", "0", "-o", "sandbox.chroot=" + directory, *more, of, user=user)
        expect("exit code (%s)" % err, 78, code)
        return err
    if os.geteuid() != 0 or stage.setting.user is not None:
        require("this needs CAP_SYS_CHROOT" in said(place), "%s", said(place))
    with as_root(stage):
        for words, arguments in (
                ("cannot be entered: No such file", (os.path.join(place, "none"),)),
                ("root2 is not beneath it", (root, root + "2")),
                ("away is not found inside", (place, os.path.join(place, "away"))),
                ("root could leave it", (place, root, "-o", "user=root")),
                ("sandbox.directories: must be beneath", (place, root, "-o", "sandbox.directories=/usr"))):
            require(words in said(*arguments), "%r: %s", words, said(*arguments))
        code, _, err = stage.setting.run("-t", "-p", "0", "-o", "sandbox.chroot=" + root, root)
        expect("the root itself (%s)" % err, 0, code)


# ---- a root that moves ------------------------------------------------------------------------


def release(place, number):
    directory = os.path.join(place, "releases", str(number), "public")
    os.makedirs(directory)
    with open(os.path.join(directory, "a.txt"), "w", encoding="utf-8") as file:
        file.write("release %d" % number)


def link_switch(place, number):
    os.symlink("releases/%d" % number, os.path.join(place, "next"))
    os.rename(os.path.join(place, "next"), os.path.join(place, "current"))


@test("a deploy replaces a link on the way to the root, or the root itself: every response is of the new one")
def root_moves(stage):
    place = stage.setting.place("deploy")
    for number in range(6):
        release(place, number)
    link_switch(place, 0)
    with stage.server(os.path.join(place, "current", "public"), at_once=2) as server, server.client() as client:
        for number in range(5):
            link_switch(place, number)
            expect("after the link was replaced", b"release %d" % number, client.get("/a.txt").content)
        public = os.path.join(place, "releases", "4", "public")
        os.rename(public, public + ".old")
        os.rename(os.path.join(place, "releases", "5", "public"), public)
        expect("after the root was renamed", b"release 5", client.get("/a.txt").content)


@test("directories: a root may move beneath those that are named, and nowhere else")
def root_moves_beneath(stage):
    place, elsewhere = stage.setting.place("deploy"), stage.setting.place("elsewhere")
    for number in range(2):
        release(place, number)
    release(elsewhere, 7)
    link_switch(place, 0)
    options = {"sandbox.directories": [os.path.join(place, "releases")]}
    with stage.server(os.path.join(place, "current", "public"), options, at_once=2) as server:
        if "sandbox.files is left out" in "".join(server.lines):
            raise Skip("no Landlock here, or a sanitizer that needs more than it allows")
        link_switch(place, 1)
        expect("inside", b"release 1", server.get("/a.txt").content)
        os.symlink(os.path.join(elsewhere, "releases", "7"), os.path.join(place, "next"))
        os.rename(os.path.join(place, "next"), os.path.join(place, "current"))
        answer = server.get("/a.txt")
        expect("elsewhere", 403, answer.status)
        wait_until("the log says what to do", lambda: "sandbox.directories" in "".join(server.lines), stage.seconds(5))
        os.kill(server.pid, signal.SIGHUP)
        wait_until("a reload allows the new root", lambda: server.get("/a.txt").status == 200, stage.seconds(10))
        server.watched = False
        server.children = server.processes()
