"""A cold file beside hot requests: what happens to other clients when one waits for a slow disk.

One client streams a file that is not in the page cache. The disk is throttled for the server alone, by
a control group (blkio of version 1, io of version 2). So this needs root, and a directory on a real
disk.
"""

import contextlib
import os
import socket
import statistics
import subprocess
import tempfile
import threading
import time
from pathlib import Path

from . import CannotRun, clients
from .works import MIB, Work

COLD_BYTES = 100 * MIB
BYTES_PER_SECOND = 4 * MIB
DISK_DIRECTORY = "/var/tmp"
LOCATING = Path(__file__).resolve().parents[2] / "tests/locating"
HOT = Work("cold", "100 bytes beside a cold file", requests="cold")
TURNS = 2


class Throttle:
    """A control group whose processes read from one disk at BYTES_PER_SECOND."""

    def __init__(self, directory):
        device = os.stat(directory).st_dev
        major, minor = os.major(device), os.minor(device)
        whole = Path(f"/sys/dev/block/{major}:{minor}/partition")
        if major == 0:
            raise CannotRun(f"{directory} is not on a disk")
        if whole.exists():  # a limit can only be set for a whole disk
            major, minor = map(int, (whole.resolve().parent.parent / "dev").read_text().split(":"))
        self.disk = f"{major}:{minor}"
        self.group = self._make()

    def _make(self):
        old, new = Path("/sys/fs/cgroup/blkio"), Path("/sys/fs/cgroup")
        name = f"zcserve-cold-{os.getpid()}"
        try:
            if old.is_dir():
                group = old / name
                group.mkdir()
                (group / "blkio.throttle.read_bps_device").write_text(
                    f"{self.disk} {BYTES_PER_SECOND}")
            else:
                (new / "cgroup.subtree_control").write_text("+io")
                group = new / name
                group.mkdir()
                (group / "io.max").write_text(f"{self.disk} rbps={BYTES_PER_SECOND}")
        except OSError as error:
            raise CannotRun(f"no control group to throttle with ({error}); run as root, outside "
                            "of a container") from error
        return group

    def add(self, pid):
        (self.group / "cgroup.procs").write_text(str(pid))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        with contextlib.suppress(OSError):
            self.group.rmdir()


def forget(path):
    """Evicts a file from the page cache."""
    descriptor = os.open(path, os.O_RDONLY)
    os.fsync(descriptor)
    os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
    os.close(descriptor)


def files_make(root):
    """Makes 100.txt, which is hot, and cold.txt, whose content says at which offset it is."""
    root.chmod(0o755)
    (root / "100.txt").write_text("x" * 100)
    with open(root / "cold.txt", "wb") as file:
        subprocess.run([LOCATING, str(COLD_BYTES)], stdout=file, check=True)


class ColdClient(threading.Thread):
    """Streams the cold file until it is closed."""

    def __init__(self, port):
        super().__init__(daemon=True)
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.received = 0
        self.begun = time.monotonic()
        self.start()

    def run(self):
        self.socket.sendall(b"GET /cold.txt HTTP/1.1\r\nHost: localhost\r\n\r\n")
        with contextlib.suppress(OSError):
            while part := self.socket.recv(1 << 20):
                self.received += len(part)

    def close(self):
        """Ends the stream. Returns its bytes per second."""
        rate = self.received / (time.monotonic() - self.begun)
        self.socket.shutdown(socket.SHUT_RDWR)
        self.join()
        self.socket.close()
        return rate


def hot(server, seconds):
    load = clients.load_run(HOT, server.port, seconds, server.site.requests_of(HOT))
    return load.requests / load.seconds, load.p99_us or 0


def turns(server, root, count, seconds):
    """Returns [(without, beside, cold bytes per second)]; the first two are pairs of rate and p99."""
    measured = []
    for _ in range(count):
        without = hot(server, seconds)
        forget(root / "cold.txt")
        client = ColdClient(server.port)
        time.sleep(0.5)
        beside = hot(server, seconds)
        measured.append((without, beside, client.close()))
    return measured


def figures(measured):
    """Returns medians; `kept` is the median of the ratios of each turn."""
    median = statistics.median
    if any(without[0] == 0 for without, _, _ in measured):
        raise CannotRun("nothing was answered even without the cold client")
    return {"kept": median(beside[0] / without[0] for without, beside, _ in measured),
            "rate_without": median(without[0] for without, _, _ in measured),
            "rate_with": median(beside[0] for _, beside, _ in measured),
            "p99_us_without": median(without[1] for without, _, _ in measured),
            "p99_us_with": median(beside[1] for _, beside, _ in measured),
            "cold_mib_per_second": median(rate for _, _, rate in measured) / MIB}


def measure(serve, site, directory=DISK_DIRECTORY, count=TURNS, seconds=1):
    """Measures the server that serve(work) makes. Only its processes read slowly."""
    with tempfile.TemporaryDirectory(prefix="zcserve-cold-", dir=directory) as made:
        site.cold_root = Path(made)
        files_make(site.cold_root)
        with Throttle(made) as throttle:
            with serve(HOT) as server:
                time.sleep(0.3)
                for pid in server.pids():
                    throttle.add(pid)
                return figures(turns(server, site.cold_root, count, seconds))


def cold(bench, name):
    return measure(lambda work: bench.serve(name, work), bench.site)
