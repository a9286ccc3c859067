"""The server of a soak: its site, its configuration, and what is done to it."""

import os
import random
import signal
import socket

import servers
from servers import Process, children, is_running, wait_until

FILES = 300
LARGE = 6
WORKERS = 1
CONFIG = """listen = "127.0.0.1:%(port)d"
root = "%(root)s"
model = "%(model)s"
workers = %(workers)d
access_log = "%(log)s"
status = "127.0.0.1:%(status)d"
cache { size = 2m }
compress { codings = {"gz"} }
"""


def content(number):
    """Text that can be compressed; its length is another one each time."""
    if number < LARGE:
        return os.urandom(random.randrange(1 << 18, 1 << 20))
    return b"%0512d\n" % random.getrandbits(64) * random.randrange(2, 40)


def ports_free(count):
    sockets = [socket.socket() for _ in range(count)]
    for each in sockets:
        each.bind(("127.0.0.1", 0))
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


class Server(Process):
    """`with Server(binary, model, place) as server:`"""

    def __init__(self, binary, model, place):
        self.root, self.log = os.path.join(place, "www"), os.path.join(place, "access.log")
        self.files = ["%d.txt" % number for number in range(FILES)]
        self.reloads = self.rotations = self.replaced = 0
        self.port, status = ports_free(2)
        os.makedirs(self.root)
        for number in range(FILES):
            self.put(number)
        file = os.path.join(place, "serve.conf")
        with open(file, "w", encoding="utf-8") as out:
            out.write(CONFIG % {"port": self.port, "root": self.root, "model": model, "workers": WORKERS, "log": self.log,
                                "status": status})
        super().__init__([binary, "-c", file])
        wait_until("the start", lambda: self.count(" serving "))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.end()

    def put(self, number):
        """Another content for a file, by renaming: nobody sees half of it."""
        path = os.path.join(self.root, self.files[number])
        with open(path + "~", "wb") as file:
            file.write(content(number))
        os.rename(path + "~", path)

    def replace(self):
        self.put(random.randrange(FILES))
        self.replaced += 1

    def rotate(self):
        """As logrotate does. The old log goes away: a soak writes many."""
        os.rename(self.log, self.log + ".1")
        os.kill(self.pid, signal.SIGUSR1)
        wait_until("the new log", lambda: os.path.exists(self.log))
        self.rotations += 1

    def reload(self):
        before = set(children(self.pid))
        self.after(signal.SIGHUP, " serving ")
        wait_until("the end of the old workers", lambda: not any(
            is_running(pid) and self.is_worker(pid) for pid in before & set(children(self.pid))))
        self.reloads += 1

    @staticmethod
    def is_worker(pid):
        try:
            with open("/proc/%d/comm" % pid, encoding="utf-8") as file:
                return file.read().startswith("zcserve:w")
        except OSError:
            return False

    def reload_each(self, seconds, stop):
        while not stop.wait(seconds):
            self.reload()


servers.PATIENCE = 60
