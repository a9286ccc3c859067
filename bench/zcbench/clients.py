"""Who asks: wrk for loads, and small clients of our own that keep each connection."""

import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from . import CannotRun

CLIENT_CPU = 1
PIPELINE = Path(__file__).resolve().parents[1] / "pipeline.lua"
UNITS = {"us": 1, "ms": 1e3, "s": 1e6, "m": 60e6, "h": 3600e6}


@dataclass
class Load:
    """What wrk reports of a run."""
    requests: int
    seconds: float
    p50_us: float
    p99_us: float
    errors: str
    cpu_seconds: float


def wrk_find():
    program = shutil.which("wrk")
    if program is None:
        raise CannotRun("wrk is not installed (apt-get install wrk)")
    return program


def wrk_command(work, port, seconds):
    command = [wrk_find(), "-t1", f"-c{work.connections}", f"-d{seconds}s", "--latency"]
    url = f"http://127.0.0.1:{port}/{work.file_name}"
    if work.pipelined > 1:
        return [*command, "-s", str(PIPELINE), url, "--", str(work.pipelined)]
    return [*command, url]


def wrk_warm(work, port, seconds):
    """Less than the second that wrk runs at least; on a busy machine maybe nothing is answered."""
    process = wrk_start(wrk_command(work, port, 1), subprocess.DEVNULL)
    try:
        time.sleep(seconds)
        process.send_signal(signal.SIGINT)
        process.wait()
    finally:
        process.kill()
        process.wait()


def wrk_start(command, output):
    """On its CPU, in a session of its own so that Ctrl-C does not reach it."""
    return subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT,
                            start_new_session=True,
                            preexec_fn=lambda: os.sched_setaffinity(0, {CLIENT_CPU}))


def wrk_run(work, port, seconds, wrap=None):
    """Runs wrk to its end; wrap gives the command that runs it instead."""
    command = wrk_command(work, port, seconds)
    with tempfile.TemporaryFile("w+") as output:
        process = wrk_start(wrap(command) if wrap else command, output)
        try:
            _pid, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
        except BaseException:
            process.kill()
            process.wait()
            raise
        output.seek(0)
        return wrk_read(output.read(), usage.ru_utime + usage.ru_stime)


def wrk_read(text, cpu_seconds):
    summary = re.search(r"(\d+) requests in ([\d.]+)(us|ms|s|m|h),", text)
    if summary is None:
        raise CannotRun(f"wrk failed:\n{text}")
    refused = re.search(r"Non-2xx or 3xx responses: (\d+)", text)
    if refused or int(summary[1]) == 0:
        raise CannotRun(f"wrk was not answered with 200:\n{text}")
    errors = re.search(r"Socket errors: (.*)", text)
    return Load(int(summary[1]), float(summary[2]) * UNITS[summary[3]] / 1e6,
                percentile_read(text, 50), percentile_read(text, 99),
                errors[1] if errors else "", cpu_seconds)


def percentile_read(text, which):
    found = re.search(rf"^\s+{which}%\s+([\d.]+)(us|ms|s|m)", text, re.M)
    return float(found[1]) * UNITS[found[2]] if found else 0


def fetch(port, path):
    """The content of one answer, over a connection of its own; OSError when it is not a 200."""
    with Connection(port) as connection:
        return connection.get(path)


class Connection:
    """A kept connection with one request on it at a time."""

    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=10)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.socket.close()

    def get(self, path):
        self.socket.sendall(f"GET {path} HTTP/1.1\r\nHost: bench\r\n\r\n".encode())
        received = b""
        while (head_length := received.find(b"\r\n\r\n")) < 0:
            received += self._receive()
        head = received[:head_length]
        if not head.startswith(b"HTTP/1.1 200 "):
            raise OSError(f"GET {path}: {head.splitlines()[0].decode(errors='replace')}")
        length = int(re.search(rb"(?i)\r\ncontent-length: *(\d+)", head)[1])
        content = received[head_length + 4:]
        while len(content) < length:
            content += self._receive()
        return content

    def _receive(self):
        received = self.socket.recv(1 << 18)
        if not received:
            raise ConnectionError("closed by the server before its answer ended")
        return received
