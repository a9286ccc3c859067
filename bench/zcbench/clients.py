"""The load generators, on the client's CPU, and small clients of our own."""

import json
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

from . import CannotRun, readings

CLIENT_CPU = 1
BENCH = Path(__file__).resolve().parents[1]
READERS = {"wrk": readings.wrk_read, "ab": readings.ab_read, "pace": readings.pace_load}
REQUESTS_MAX = 100_000_000  # ab needs a number; the time is over before it is reached


def tool_find(name):
    program = shutil.which(name)
    if program is None:
        raise CannotRun(f"{name} is not installed (make bench-deps)")
    return program


def pace_find():
    build = Path(os.environ.get("BUILD") or BENCH.parent / "build") / "release/bench/pace"
    if not build.exists():
        raise CannotRun(f"{build} is not there: make bench builds it")
    return str(build)


def wrk_command(work, url, seconds, requests, offset):
    command = [tool_find("wrk"), "-t1", f"-c{work.connections}", f"-d{seconds:g}s",
               "-s", str(BENCH / "wrk.lua")]
    for field in requests.fields:
        command += ["-H", field]
    command += [url, "--"]
    if work.pipelined > 1:
        command += ["pipeline", str(work.pipelined)]
    elif requests.path:
        command += ["list", str(requests.path), str(offset)]
    return command


def command_make(work, port, seconds, requests, offset=0, log=None):
    """Returns the command that makes the load of this work for whole seconds."""
    url = f"http://127.0.0.1:{port}{requests.first}"
    if work.tool == "h2load":
        command = [tool_find("h2load"), "--h1", "-t1", f"-c{work.connections}", f"-D{seconds:g}"]
        return command + (["--log-file", log] if log else []) + [url]
    if work.tool == "pace":
        return [pace_find(), f"-c{work.connections}", f"-s{seconds:g}", str(port), requests.first]
    if work.tool == "ab":
        return [tool_find("ab"), "-q", "-l", "-c", str(work.connections), "-t", f"{seconds:g}",
                "-n", str(REQUESTS_MAX), url]
    return wrk_command(work, url, seconds, requests, offset)


def client_start(command, output, cpus=(CLIENT_CPU,)):
    """Starts a client on its CPU, in a session of its own so that Ctrl-C does not reach it."""
    return subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT,
                            start_new_session=True,
                            preexec_fn=lambda: os.sched_setaffinity(0, set(cpus)))


def warm(work, port, seconds, requests):
    """Warms for less than a second, which is the least that the tools can run: so they are interrupted."""
    process = client_start(command_make(work, port, 1, requests), subprocess.DEVNULL)
    try:
        time.sleep(seconds)
        process.send_signal(signal.SIGINT)
        process.wait()
    finally:
        process.kill()
        process.wait()


def command_run(command, cpus=(CLIENT_CPU,)):
    """Runs the command to its end. Returns its output and the CPU seconds that it took."""
    with tempfile.TemporaryFile("w+") as output:
        process = client_start(command, output, cpus)
        try:
            _pid, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
        except BaseException:
            process.kill()
            process.wait()
            raise
        output.seek(0)
        return output.read(), usage.ru_utime + usage.ru_stime


def load_run(work, port, seconds, requests, offset=0, wrap=None, cpus=(CLIENT_CPU,)):
    """Returns a Load. `wrap`, if given, returns another command that runs the generator's."""
    with tempfile.TemporaryDirectory(prefix="zcbench-log-") as directory:
        log = os.path.join(directory, "log")
        command = command_make(work, port, seconds, requests, offset, log)
        text, cpu_seconds = command_run(wrap(command) if wrap else command, cpus)
        if work.tool == "h2load":
            lines = Path(log).read_text() if os.path.exists(log) else ""
            load = readings.h2load_read(text, lines)
        else:
            load = READERS[work.tool](text)
    load.cpu_seconds = cpu_seconds
    return load


@dataclass
class Answer:
    """One response; the names of its fields are in lower case."""
    status: int
    fields: dict
    content: bytes
    head_bytes: int


class Connection:
    """A kept connection with one request on it at a time."""

    def __init__(self, port, receive_bytes=0):
        self.socket = socket.socket()
        self.socket.settimeout(10)
        if receive_bytes:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
        try:
            self.socket.connect(("127.0.0.1", port))
        except OSError:
            self.socket.close()
            raise
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.socket.close()

    def send(self, path, fields=()):
        lines = "".join(f"{field}\r\n" for field in fields)
        self.socket.sendall(f"GET {path} HTTP/1.1\r\nHost: bench\r\n{lines}\r\n".encode())

    def ask(self, path, fields=()):
        """Returns the complete response; raises OSError when the server ends the connection earlier."""
        self.send(path, fields)
        received = b""
        while (head_length := received.find(b"\r\n\r\n")) < 0:
            received += self._receive()
        lines = received[:head_length].decode("latin-1").split("\r\n")
        named = dict(re.split(r": *", line, maxsplit=1) for line in lines[1:])
        answer = Answer(int(lines[0].split()[1]), {k.lower(): v for k, v in named.items()},
                        received[head_length + 4:], head_length + 4)
        if answer.status != 304:
            chunked = answer.fields.get("transfer-encoding", "") == "chunked"
            answer.content = (self._chunks if chunked else self._counted)(answer, path)
        return answer

    def _counted(self, answer, path):
        """Returns content whose length is in Content-Length."""
        if "content-length" not in answer.fields:
            raise OSError(f"GET {path}: neither Content-Length nor chunks")
        parts = [answer.content]
        missing = int(answer.fields["content-length"]) - len(answer.content)
        while missing > 0:
            parts.append(self._receive())
            missing -= len(parts[-1])
        return b"".join(parts)

    def _chunks(self, answer, _path):
        """Returns content that comes in chunks; their framing counts as head."""
        received, content, at = answer.content, [], 0
        while True:
            while (end := received.find(b"\r\n", at)) < 0:
                received += self._receive()
            length = int(received[at:end].partition(b";")[0], 16)
            while len(received) < end + 4 + length:
                received += self._receive()
            content.append(received[end + 2:end + 2 + length])
            at = end + 4 + length
            if length == 0:
                whole = b"".join(content)
                answer.head_bytes += at - len(whole)
                return whole

    def get(self, path):
        """Returns the content of a 200; raises OSError when the status is another one."""
        answer = self.ask(path)
        if answer.status != 200:
            raise OSError(f"GET {path}: {answer.status}")
        return answer.content

    def _receive(self):
        received = self.socket.recv(1 << 20)
        if not received:
            raise ConnectionError("closed by the server before its answer ended")
        return received


def pace_run(port, path, rate, connections, seconds):
    """Returns the figures of bench/pace: latency from the time when each request was due."""
    text, cpu_seconds = command_run([pace_find(), "-r", str(int(rate)), "-c", str(connections), "-s",
                                     f"{seconds:g}", str(port), path])
    return {**readings.pace_read(text), "cpu_seconds": cpu_seconds}


def json_get(port, path):
    with Connection(port) as connection:
        return json.loads(connection.get(path))
