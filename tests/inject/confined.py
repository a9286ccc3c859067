"""Whether the server's processes have given up what they should have: else its log has to say why not."""

import os
import signal
import time

from harness import children, process_name

TRY = signal.SIGRTMIN + 4
SECONDS = 4
READS_ALL = 1 << 2  # CAP_DAC_READ_SEARCH, which a process keeps that stays root


def status_of(pid):
    """The fields of /proc/PID/status; nothing when it has ended."""
    try:
        with open("/proc/%d/status" % pid, encoding="utf-8") as file:
            return dict(line.rstrip("\n").split(":\t", 1) for line in file if ":\t" in line)
    except OSError:
        return {}


def is_root(status):
    return status["Uid"].split()[0] == "0"


# What holds for a process, and the line of the log that excuses it when it does not.
RULES = (
    ("it stays root", "serving as root", lambda status: os.geteuid() == 0 and is_root(status)),
    ("it has capabilities", "capabilities are kept",
     lambda status: int(status["CapPrm"], 16) & ~(READS_ALL if is_root(status) else 0)),
    ("it may gain privileges", "sandbox.privileges = off", lambda status: status["NoNewPrivs"] != "1"),
    ("it has all system calls", "sandbox.calls is left out", lambda status: status["Seccomp"] != "2"),
)


def process_problems(pid, text):
    status = status_of(pid)
    if not status:
        return []
    return ["%s: %s" % (process_name(pid), what) for what, excuse, is_so in RULES
            if is_so(status) and excuse not in text]


def opened_outside(board, pids):
    """How many of these processes can open a file that is not served."""
    asked = board.trial(lambda: [os.kill(pid, TRY) for pid in pids])
    deadline = time.monotonic() + 1
    while asked()[0] < len(pids) and time.monotonic() < deadline:
        time.sleep(0.002)
    tried, opened = asked()
    return opened + max(0, len(pids) - tried)


def problems_now(server, board):
    pids = children(server.process.pid)
    found = [text for pid in pids for text in process_problems(pid, server.text)]
    if found or "sandbox.files is left out" in server.text:
        return found
    # The status process keeps the file system, to look at the others; the recorder's filter lets it open nothing.
    confined = [pid for pid in pids if process_name(pid).startswith("zcserve:w")]
    try:
        count = opened_outside(board, confined)
    except ProcessLookupError:
        return ["a process has just ended"]
    return ["%d of %d workers can open files outside" % (count, len(confined))] if count else []


def problems(server, board):
    """A text for each thing that a process can still do some seconds later; none when the server has ended."""
    deadline = time.monotonic() + SECONDS
    while True:
        found = problems_now(server, board)
        if not found or server.process.poll() is not None:
            return []
        if time.monotonic() > deadline:
            return found
        time.sleep(0.02)
