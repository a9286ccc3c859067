"""The servers that are disturbed: zcserve under a model, and nginx. Each knows how to reload, and so on."""

import contextlib
import os
import random
import shutil
import signal
import subprocess
import threading
import time

WORKERS = 2
PATIENCE = 30  # seconds for whatever is waited for


def wait_until(what, condition):
    ends = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > ends:
            raise SystemExit("%s did not come within %d s" % (what, PATIENCE))
        time.sleep(0.01)


def children(pid):
    with contextlib.suppress(OSError), open("/proc/%d/task/%d/children" % (pid, pid), encoding="utf-8") as file:
        return [int(word) for word in file.read().split()]
    return []


def family(pid):
    """A process and all below it."""
    return [pid] + [each for child in children(pid) for each in family(child)]


def stat_of(pid):
    """The fields of /proc/PID/stat from the state on (proc(5)); empty when it has ended."""
    with contextlib.suppress(OSError), open("/proc/%d/stat" % pid, encoding="utf-8") as file:
        return file.read().rsplit(")", 1)[1].split()
    return []


def is_running(pid):
    return stat_of(pid)[:1] not in ([], ["Z"], ["X"])


def age(pid):
    """Seconds since the process was started."""
    fields = stat_of(pid)
    return time.clock_gettime(time.CLOCK_BOOTTIME) - int(fields[19]) / os.sysconf("SC_CLK_TCK") if fields else 0


def peers_of(pid):
    """The ports of the clients whose connections this process has."""
    sockets = set()
    for name in os.listdir("/proc/%d/fd" % pid):
        with contextlib.suppress(OSError):
            sockets.add(os.readlink("/proc/%d/fd/%s" % (pid, name)))
    with open("/proc/net/tcp", encoding="utf-8") as file:
        rows = [line.split() for line in file][1:]
    return {int(row[2].rsplit(":", 1)[1], 16) for row in rows if "socket:[%s]" % row[9] in sockets}


class Process:
    """A program and what it says. The lines of all its successors come here, too."""

    def __init__(self, command):
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        self.pid = self.process.pid
        self.lines = []
        threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        for line in self.process.stderr:
            self.lines.append(line)

    def count(self, what):
        return sum(what in line for line in self.lines)

    def after(self, number, what):
        """Sends a signal, and waits for one more line with this text."""
        before = self.count(what)
        os.kill(self.pid, number)
        wait_until("'%s'" % what, lambda: self.count(what) > before)

    def end(self):
        os.kill(self.pid, signal.SIGTERM)
        wait_until("the end", lambda: not is_running(self.pid))
        with contextlib.suppress(ProcessLookupError):
            self.process.wait(PATIENCE)


class Zcserve(Process):
    events = ("reload", "kill", "stop", "upgrade")

    def __init__(self, binary, model, root, port, place):
        self.name = model
        self.victims = set()  # ports of clients whose worker was killed: their requests may fail
        file = os.path.join(place, "serve.conf")
        with open(file, "w", encoding="utf-8") as out:
            out.write('listen = {"127.0.0.1:%d"}\nroot = "%s"\nmodel = "%s"\nworkers = %d\n'
                      "timeouts { hang = 1s }\n" % (port, root, model, WORKERS))
        super().__init__([binary, "-c", file])
        wait_until("the start", lambda: len(self.workers()) == WORKERS)

    def workers(self):
        return [pid for pid in children(self.pid) if is_running(pid)]

    def reload(self):
        before = set(self.workers())
        self.after(signal.SIGHUP, " serving ")
        wait_until("the end of the old workers", lambda: not before & set(self.workers()))

    def upgrade(self):
        old = self.pid
        self.after(signal.SIGUSR2, " serves now; draining")
        self.pid = int([line for line in self.lines if " serves now; draining" in line][-1].split(" process ")[1].split()[0])
        wait_until("the end of the old program", lambda: not is_running(old))

    def worker_stopped(self):
        """Stops a worker that has served for longer than a second, so that its successor comes at once."""
        def ripe():
            return [pid for pid in self.workers() if age(pid) > 1.1]
        wait_until("workers", lambda: len(self.workers()) == WORKERS and ripe())
        worker = random.choice(ripe())
        os.kill(worker, signal.SIGSTOP)
        wait_until("the stop", lambda: stat_of(worker)[:1] == ["T"])
        self.victims |= peers_of(worker)
        return worker

    def kill(self):
        worker = self.worker_stopped()
        os.kill(worker, signal.SIGKILL)
        wait_until("another worker", lambda: not is_running(worker) and len(self.workers()) == WORKERS)

    def stop(self):
        """The supervisor finds the worker that was stopped, and ends it."""
        worker = self.worker_stopped()
        wait_until("the end of who is stopped", lambda: not is_running(worker))
        wait_until("another worker", lambda: len(self.workers()) == WORKERS)


class Nginx(Process):
    events = ("reload",)
    name = "nginx"

    def __init__(self, root, port, place):
        self.victims = set()
        file = os.path.join(place, "nginx.conf")
        with open(file, "w", encoding="utf-8") as out:
            out.write("daemon off; pid %s/pid; error_log stderr notice; worker_processes %d;\n"
                      "events { worker_connections 1024; }\n"
                      "http { access_log off; client_body_temp_path %s; proxy_temp_path %s; fastcgi_temp_path %s;\n"
                      "uwsgi_temp_path %s; scgi_temp_path %s; keepalive_requests 100000;\n"
                      "server { listen 127.0.0.1:%d reuseport; root %s; } }\n"
                      % (place, WORKERS, *[place] * 5, port, root))
        super().__init__([shutil.which("nginx") or "/usr/sbin/nginx", "-c", file])
        wait_until("the start", lambda: len(children(self.pid)) == WORKERS)

    def reload(self):
        before = set(children(self.pid))
        os.kill(self.pid, signal.SIGHUP)
        wait_until("the end of the old workers", lambda: not before & set(children(self.pid)) and children(self.pid))
