"""The members of the cluster: zcserve several times, and HAProxy in front. Each is in a network namespace of its own."""

import csv
import json
import os
import re
import shutil
import signal
import socket
import urllib.request

import servers
from servers import Process, children, family, is_running, wait_until

HERE = os.path.dirname(os.path.abspath(__file__))
CONF = os.path.join(HERE, "..", "..", "conf", "cluster")
BACKEND = "files"


def program(name):
    return shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin")


class Zcserve(Process):
    """A server with conf/cluster/zcserve.conf as it stands, but for the root and the size of this machine."""

    def __init__(self, space, binary, model, address, root):
        self.space, self.address = space, address
        super().__init__(space.command("env", "ADDRESS=" + address, binary, "-c", os.path.join(CONF, "zcserve.conf"),
                                       "-m", model, "-w", "1", "-o", "root=" + root, "-o", "cache.size=64m"))
        wait_until("the start of %s" % address, self.is_ready)

    def page(self, path):
        with self.space.entered(), urllib.request.urlopen("http://%s:8081%s" % (self.address, path), timeout=5) as page:
            return page.read().decode()

    def is_ready(self):
        try:
            return bool(self.page("/readyz"))
        except OSError:
            return False

    def metric(self, name):
        found = re.findall(r"^zcserve_%s(?:\{.*\})? (\S+)$" % name, self.page("/metrics"), re.M)
        return sum(float(value) for value in found)

    def upgraded(self):
        """The process is another one after an upgrade."""
        self.pid = json.loads(self.page("/status.json"))["server"]["pid"]

    def signal(self, number):
        """To the supervisor and all its children."""
        for pid in family(self.pid):
            os.kill(pid, number)

    def ended_await(self):
        wait_until("the end of %s" % self.address, lambda: self.process.poll() is not None or not is_running(self.pid))


class Haproxy(Process):
    """HAProxy with conf/cluster/haproxy.cfg as it stands, but for the place of its socket, X-Server and a short slowstart."""

    def __init__(self, space, place):
        self.socket, self.file = os.path.join(place, "admin.sock"), os.path.join(place, "haproxy.cfg")
        self.past = (0, 0)
        self.write(with_d=False)
        super().__init__(space.command(program("haproxy"), "-W", "-db", "-f", self.file))
        wait_until("HAProxy", self.is_answering)

    def write(self, with_d):
        with open(os.path.join(CONF, "haproxy.cfg"), encoding="utf-8") as file:
            text = file.read()
        changes = [("/run/haproxy/admin.sock mode", self.socket + " mode"), ("#http-response", "http-response"),
                   ("slowstart 30s", "slowstart 2s")] + ([("#server d", "server d")] if with_d else [])
        for old, new in changes:
            assert text.count(old) == 1, "haproxy.cfg: %s" % old
            text = text.replace(old, new)
        with open(self.file, "w", encoding="utf-8") as file:
            file.write(text)

    def ask(self, command):
        with socket.socket(socket.AF_UNIX) as admin:
            admin.settimeout(servers.PATIENCE)
            admin.connect(self.socket)
            admin.sendall(command.encode() + b"\n")
            return b"".join(iter(lambda: admin.recv(65536), b"")).decode()

    def rows(self):
        """The statistics of each server by its name; BACKEND is the sum."""
        lines = self.ask("show stat %s 6 -1" % BACKEND).lstrip("# ").strip().splitlines()
        return {row["svname"]: row for row in csv.DictReader(lines) if row["pxname"] == BACKEND}

    def states(self):
        return {name: row["status"] for name, row in self.rows().items() if name != "BACKEND"}

    def state_await(self, name, state):
        wait_until("%s %s in HAProxy" % (name, state), lambda: self.states().get(name, "").startswith(state))

    def full_await(self, name):
        """Until a server is up and has its whole weight, after slowstart."""
        wait_until("%s with its whole weight" % name, lambda: self.is_full(name))

    def is_full(self, name):
        rows = self.rows()
        return rows[name]["status"] == "UP" and int(rows[name]["weight"]) == max(
            int(row["weight"]) for key, row in rows.items() if key != "BACKEND")

    def retries(self):
        """Requests that were sent again, and of these to another server, since the start."""
        row = self.rows()["BACKEND"]
        return self.past[0] + int(row["wretr"]), self.past[1] + int(row["wredis"])

    def reload(self):
        """As systemd does: the master starts a new process, which takes over the sockets and counts from 0."""
        self.past = self.retries()
        before = set(children(self.pid))
        os.kill(self.pid, signal.SIGUSR2)
        wait_until("another HAProxy", lambda: set(children(self.pid)) - before and self.is_answering())

    def is_answering(self):
        try:
            return bool(self.rows())
        except OSError:
            return False
